"""时间安排 the rules of the time-table: what `autumn:w1`, `before:10` or `after-makeup:w2` mean in a given year.

A rule is one period, or several joined by `|`:
    autumn:w1  spring:w4-5     weeks of teaching, Monday to Sunday
    autumn:before-w1           the week before that week
    month:4  month:4(1-10)     a month of the academic year (8 to 12, then 1 to 7), or some of its days
    before:10                  from the first Monday of the term (or, where that is later, the month before) until October
    holiday:w1-2               weeks of the holiday after each term
    after-makeup:w2            weeks after the week in which the tasks autumn_makeup and spring_makeup end
    any                        every day of the academic year, August to July
The duration lengthens a period that is shorter: `5d` working days, `2w` weeks, `1m` months, `w3` until the end of that
week of teaching. `0d` (the same day), `plan` and `external` (a notice says) leave it as it is, and so do named days.
A period that would end on a holiday ends on the first working day after it, as terms set in days do by law.
"""

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from flask_babel import lazy_gettext as _

from app.kit.calendar import Overrides, is_holiday, is_working_day, monday_of, months_after
from app.models import Season

WEEK = timedelta(weeks=1)
DAY = timedelta(days=1)
LONGEST_HOLIDAY = 8  # weeks, of the summer, whose end no term of the year tells


class BadRule(ValueError):
    """A rule that cannot be read, or that matches no day. Its text is a sentence for whoever wrote the rule."""

    def __init__(self, reason: Any) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return str(self.reason)


@dataclass(frozen=True)
class TermDates:
    """The first Monday of a term, and its weeks of teaching and examinations."""

    first_monday: date
    weeks: int

    @property
    def holiday(self) -> date:
        """The Monday on which the holiday after the term begins."""
        return self.first_monday + self.weeks * WEEK


@dataclass(frozen=True)
class YearDates:
    """An academic year: when its terms begin, and where the school's days differ from the public calendar."""

    year: int
    autumn: TermDates
    spring: TermDates
    own_days: Overrides = field(default_factory=dict)

    def term(self, season: str) -> TermDates:
        return self.autumn if season == Season.AUTUMN else self.spring

    def month(self, month: int) -> date:
        """The first day of a month of this academic year."""
        return date(self.year if month >= 8 else self.year + 1, month, 1)


@dataclass(frozen=True)
class Period:
    """The days that a rule gives, both included; `season` where it belongs to one term."""

    opens_on: date
    due_on: date
    season: str | None = None
    to_the_day: bool = False  # the rule names its days: no duration lengthens it


EndOf = Callable[[str], date | None]  # key of a task → the day on which it ends in this year; None if there is none

WEEKS = r"w(?P<first>[0-9]{1,2})(?:-(?P<last>[0-9]{1,2}))?"
FORMS = {
    "weeks": re.compile(rf"(?P<season>autumn|spring):{WEEKS}"),
    "before_week": re.compile(r"(?P<season>autumn|spring):before-w(?P<first>[0-9]{1,2})"),
    "month": re.compile(r"month:(?P<month>[0-9]{1,2})(?:\((?P<from>[0-9]{1,2})-(?P<to>[0-9]{1,2})\))?"),
    "before": re.compile(r"before:(?P<month>[0-9]{1,2})"),
    "holiday": re.compile(rf"holiday:{WEEKS}"),
    "after": re.compile(rf"after-(?P<task>[a-z_]+):{WEEKS}"),
    "any": re.compile(r"any"),
}
DURATION = re.compile(r"(?P<count>[0-9]{1,3})(?P<unit>[dwm])|w(?P<week>[0-9]{1,2})|plan|external")


def check_rule(opens: str, duration: str) -> None:
    """Raise BadRule unless both can be read. Whether they match a day depends on the year."""
    for part in opens.split("|"):
        _read(part)
    _read_duration(duration)


def follows(opens: str) -> str | None:
    """The task whose end a rule counts from, without its season: `makeup` of `after-makeup:w2`."""
    form, words = _read(opens.split("|")[0])
    return words["task"] if form == "after" else None


def periods(opens: str, duration: str, year: YearDates, end_of: EndOf) -> list[Period]:
    """The periods of a rule in a year, in the order of the rule. Raises BadRule if one of them matches no day."""
    found = []
    for part in opens.split("|"):
        form, words = _read(part)
        given = GIVE[form](words, year, end_of)
        if not given or any(one.due_on < one.opens_on for one in given):
            raise BadRule(_("The rule %(rule)s matches no day of %(year)s.", rule=part, year=year_name(year.year)))
        found += [_settled(_lengthened(one, duration, year), year.own_days) for one in given]
    return found


def year_name(year: int) -> str:
    return f"{year}-{year + 1}"


def _read(part: str) -> tuple[str, dict[str, Any]]:
    for form, pattern in FORMS.items():
        if matched := pattern.fullmatch(part.strip()):
            return form, matched.groupdict()
    raise BadRule(
        _(
            "The rule %(rule)s cannot be read. Write e.g. autumn:w1, spring:w4-5, autumn:before-w1, month:4(1-10),"
            " before:10, holiday:w1-2, after-makeup:w2 or any; join several by |.",
            rule=part.strip() or "“”",
        )
    )


def _read_duration(duration: str) -> re.Match[str]:
    if matched := DURATION.fullmatch(duration.strip()):
        return matched
    raise BadRule(
        _(
            "The duration %(duration)s cannot be read. Write e.g. 5d, 2w, 1m, w3, plan or external.",
            duration=duration.strip() or "“”",
        )
    )


def _span(monday: date, words: dict[str, Any]) -> tuple[date, date]:
    """Monday of the first to Sunday of the last week, `monday` being that of week 1."""
    first, last = int(words["first"]), int(words["last"] or words["first"])
    return monday + (first - 1) * WEEK, monday + last * WEEK - DAY


def _weeks(words: dict[str, Any], year: YearDates, end_of: EndOf) -> list[Period]:
    term = year.term(words["season"])
    opens, due = _span(term.first_monday, words)
    inside = term.first_monday <= opens and due < term.holiday
    return [Period(opens, due, words["season"])] if inside else []


def _before_week(words: dict[str, Any], year: YearDates, end_of: EndOf) -> list[Period]:
    term = year.term(words["season"])
    week = term.first_monday + (int(words["first"]) - 1) * WEEK
    inside = term.first_monday <= week < term.holiday
    return [Period(week - WEEK, week - DAY, words["season"])] if inside else []


def _month(words: dict[str, Any], year: YearDates, end_of: EndOf) -> list[Period]:
    month = int(words["month"])
    if not 1 <= month <= 12:
        return []
    first = year.month(month)
    last = calendar.monthrange(first.year, month)[1]
    opens, due = int(words["from"] or 1), int(words["to"] or last)
    inside = 1 <= opens <= due <= last
    if not inside:
        return []
    return [Period(first.replace(day=opens), first.replace(day=due), to_the_day=words["from"] is not None)]


def _before(words: dict[str, Any], year: YearDates, end_of: EndOf) -> list[Period]:
    month = int(words["month"])
    if not 1 <= month <= 12:
        return []
    due = year.month(month) - DAY
    season = Season.SPRING if year.spring.first_monday <= due else Season.AUTUMN
    begins = year.term(season).first_monday
    return [Period(begins if begins <= due else due.replace(day=1), due, season.value)]


def _holiday(words: dict[str, Any], year: YearDates, end_of: EndOf) -> list[Period]:
    given = []
    limits = {Season.AUTUMN: year.spring.first_monday, Season.SPRING: year.spring.holiday + LONGEST_HOLIDAY * WEEK}
    for season, limit in limits.items():
        holiday = year.term(season).holiday
        opens, due = _span(holiday, words)
        if not holiday <= opens <= due < limit:
            return []
        given.append(Period(opens, due, season.value))
    return given


def _after(words: dict[str, Any], year: YearDates, end_of: EndOf) -> list[Period]:
    given = []
    for season in Season:
        end = end_of(f"{season.value}_{words['task']}")
        if end is None or int(words["first"]) < 1:
            return []
        given.append(Period(*_span(monday_of(end) + WEEK, words), season.value))
    return given


def _any(words: dict[str, Any], year: YearDates, end_of: EndOf) -> list[Period]:
    return [Period(date(year.year, 8, 1), date(year.year + 1, 7, 31))]


GIVE: dict[str, Callable[[dict[str, Any], YearDates, EndOf], list[Period]]] = {
    "weeks": _weeks,
    "before_week": _before_week,
    "month": _month,
    "before": _before,
    "holiday": _holiday,
    "after": _after,
    "any": _any,
}


def _lengthened(period: Period, duration: str, year: YearDates) -> Period:
    """The period until the end of its duration, where that is later."""
    matched = _read_duration(duration)
    opens, due = period.opens_on, period.due_on
    if period.to_the_day:
        return period
    if matched["week"]:
        if period.season is None:
            raise BadRule(
                _("The duration %(duration)s counts weeks of a term, and the rule names none.", duration=duration)
            )
        due = year.term(period.season).first_monday + int(matched["week"]) * WEEK - DAY
    elif matched["unit"] == "d":
        due = _working_day(opens, int(matched["count"]), year.own_days)
    elif matched["unit"] == "w":
        due = opens + int(matched["count"]) * WEEK - DAY
    elif matched["unit"] == "m":
        due = months_after(opens, int(matched["count"])) - DAY
    return Period(opens, max(due, period.due_on), period.season)


def _working_day(day: date, count: int, own: Overrides) -> date:
    """The day on which the `count`th working day from `day` on falls; `day` itself for none."""
    last = day
    while count:
        if is_working_day(day, own):
            count, last = count - 1, day
        day += DAY
    return last


def _settled(period: Period, own: Overrides) -> Period:
    due = period.due_on
    if is_holiday(due, own):
        while not is_working_day(due, own):
            due += DAY
    return Period(period.opens_on, due, period.season)
