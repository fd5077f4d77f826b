"""时间安排用语 the rules of the time-table in words: what is stored as `autumn:w1` and `5d` is read as a sentence."""

from typing import Any

from babel.dates import get_month_names
from flask_babel import get_locale, lazy_gettext, ngettext
from flask_babel import gettext as _
from sqlalchemy import select

from app.models import TaskRule, db
from app.models.language import listed
from app.operations.calendar.schedule import DURATION, FORMS

DURATIONS = {
    "0d": lazy_gettext("the same day"),
    "1d": lazy_gettext("one working day"),
    "1w": lazy_gettext("one week"),
    "1m": lazy_gettext("one month"),
    "plan": lazy_gettext("by plan"),
    "external": lazy_gettext("as the leading office says"),
}


def when_words(opens: str) -> str:
    """When a task opens. A rule that cannot be read stands as it is."""
    return listed(_part(part.strip()) for part in opens.split("|"))


def how_long(duration: str) -> Any:
    """How long a task lasts at least."""
    if duration in DURATIONS:
        return DURATIONS[duration]
    matched = DURATION.fullmatch(duration.strip())
    if matched is None:
        return duration
    if matched["week"]:
        return _("until the end of week %(week)s", week=int(matched["week"]))
    many = int(matched["count"])
    words = {"d": _("%(n)s working days", n=many), "w": ngettext("%(n)s week", "%(n)s weeks", many, n=many),
             "m": ngettext("%(n)s month", "%(n)s months", many, n=many)}  # fmt: skip
    return words[matched["unit"]]


def _part(part: str) -> str:
    for form, pattern in FORMS.items():
        if matched := pattern.fullmatch(part):
            return WORDS[form](matched.groupdict())
    return part


def _weeks(words: dict[str, Any]) -> str:
    first, last = int(words["first"]), int(words["last"] or words["first"])
    return _("week %(week)s", week=first) if first == last else _("weeks %(first)s to %(last)s", first=first, last=last)


def _season(words: dict[str, Any]) -> str:
    return _("autumn term") if words["season"] == "autumn" else _("spring term")


def _month(number: str) -> str:
    """The month by its name. A number that is no month stands as it is: the rule matches no day, and says so itself."""
    return get_month_names("wide", locale=get_locale() or "zh").get(int(number), number)


def _of_month(words: dict[str, Any]) -> str:
    month = _month(words["month"])
    if words["from"] is None:
        return month
    return _("%(month)s, days %(first)s to %(last)s", month=month, first=int(words["from"]), last=int(words["to"]))


def _after(words: dict[str, Any]) -> str:
    task = db.session.scalar(select(TaskRule).where(TaskRule.key == f"autumn_{words['task']}"))
    return _("%(weeks)s after “%(task)s”", weeks=_weeks(words), task=task.title if task else words["task"])


WORDS = {
    "weeks": lambda words: _("%(term)s, %(weeks)s", term=_season(words), weeks=_weeks(words)),
    "before_week": lambda words: _(
        "%(term)s, the week before week %(week)s", term=_season(words), week=int(words["first"])
    ),
    "month": _of_month,
    "before": lambda words: _("from the beginning of term, before %(month)s", month=_month(words["month"])),
    "holiday": lambda words: _("%(weeks)s of the holiday", weeks=_weeks(words)),
    "after": _after,
    "any": lambda words: _("at any time"),
}
assert set(WORDS) == set(FORMS)
