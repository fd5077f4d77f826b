"""年度计划 the plan of an academic year: every active rule dated, once for each 学院 that owns it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import Connection, case, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from app.kit.calendar import overrides
from app.kit.operation import Refused
from app.models import College, DatedTask, Owner, Season, TaskRule, Term
from app.models.language import in_chinese
from app.operations.calendar.schedule import BadRule, Period, TermDates, YearDates, follows, periods

Place = tuple[str, int, int | None]  # key, occurrence, college
Dates = tuple[date, date]


@dataclass(frozen=True)
class Standing:
    """What is in force: the dates of every task of a year, and which of them somebody has moved, how."""

    dates: dict[Place, Dates] = field(default_factory=dict)
    moved: dict[Place, str] = field(default_factory=dict)

    def end(self, key: str, college_id: int | None) -> date | None:
        """The day on which a moved task ends for a 学院; None where the rule's own day holds."""
        for place in ((key, 1, college_id), (key, 1, None)):
            if place in self.moved:
                return self.dates[place][1]
        for_all = (place for place, how in self.moved.items() if how == "all" and place[:2] == (key, 1))
        return next((self.dates[place][1] for place in for_all), None)


def terms_of(connection: Connection, year: int) -> tuple[TermDates, TermDates] | None:
    """The autumn and the spring term of a year; None if one of them has no dates yet."""
    rows = connection.execute(select(Term.season, Term.first_monday, Term.weeks).where(Term.year == year))
    terms = {season: TermDates(monday, weeks) for season, monday, weeks in rows}
    return (terms[Season.AUTUMN], terms[Season.SPRING]) if len(terms) == 2 else None


def standing_of(connection: Connection, year: int) -> Standing:
    """The tasks of a year as they are now."""
    columns = DatedTask.key, DatedTask.occurrence, DatedTask.college_id, DatedTask.opens_on, DatedTask.due_on
    now = Standing()
    for key, occurrence, college_id, opens_on, due_on, moved in connection.execute(
        select(*columns, DatedTask.moved).where(DatedTask.year == year)
    ):
        place = (key, occurrence, college_id)
        now.dates[place] = (opens_on, due_on)
        if moved:
            now.moved[place] = moved
    return now


def plan(
    connection: Connection, year: int, autumn: TermDates, spring: TermDates, now: Standing
) -> list[dict[str, Any]]:
    """The rows of DatedTask that the rules give in a year with these terms. Raises Refused, naming the rule at fault."""
    dates = YearDates(year, autumn, spring, overrides(connection))
    rules = connection.execute(
        select(TaskRule.__table__).where(TaskRule.active).order_by(TaskRule.position, TaskRule.id)
    ).all()
    colleges = list(connection.scalars(select(College.id).where(College.active).order_by(College.code)))
    plain: dict[str, list[Period]] = {}

    def given(rule: Any, college_id: int | None) -> list[Period]:
        def end_of(key: str) -> date | None:
            return now.end(key, college_id) or next((one.due_on for one in plain.get(key, [])), None)

        with said_of(rule):
            return periods(rule.opens, rule.duration, dates, end_of)

    rows: list[dict[str, Any]] = []
    for rule in _leaders_first(rules):
        plain[rule.key] = given(rule, None)
        for college_id in colleges if Owner.COLLEGE in rule.owners else [None]:
            found = given(rule, college_id) if follows(rule.opens) else plain[rule.key]
            rows += [_row(year, rule, place, one, college_id) for place, one in enumerate(found, 1)]
    return rows


def write_plan(connection: Connection, year: int, rows: list[dict[str, Any]]) -> None:
    """Make the tasks of a year what `rows` say. Dates that somebody has moved stay; what is ticked is never removed."""
    statement = insert(DatedTask.__table__)
    new = statement.excluded
    own = DatedTask.__table__.c
    columns = ("rule_id", "season", "owners", "students", "planned_opens_on", "planned_due_on")
    in_force = {name: case((own.moved.is_(None), new[name]), else_=own[name]) for name in ("opens_on", "due_on")}
    identity = ["year", "key", "occurrence", "college_id"]
    differs = or_(*(own[name].is_distinct_from(new[name]) for name in columns))
    values = {name: new[name] for name in columns} | in_force
    if rows:
        connection.execute(statement.on_conflict_do_update(index_elements=identity, set_=values, where=differs), rows)
    wanted = {(row["key"], row["occurrence"], row["college_id"]) for row in rows}
    written = connection.execute(
        select(own.id, own.key, own.occurrence, own.college_id).where(own.year == year, own.done_at.is_(None))
    )
    gone = [row.id for row in written if (row.key, row.occurrence, row.college_id) not in wanted]
    if gone:
        connection.execute(delete(DatedTask.__table__).where(own.id == func.any(gone)))


def put_terms(connection: Connection, year: int, autumn: TermDates, spring: TermDates) -> None:
    """Write the dates of both terms of a year."""
    statement = insert(Term.__table__)
    changed = {name: statement.excluded[name] for name in ("first_monday", "weeks")}
    terms = ((Season.AUTUMN, autumn), (Season.SPRING, spring))
    connection.execute(
        statement.on_conflict_do_update(index_elements=["year", "season"], set_=changed),
        [{"year": year, "season": s.value, "first_monday": t.first_monday, "weeks": t.weeks} for s, t in terms],
    )


def date_year(connection: Connection, year: int, autumn: TermDates, spring: TermDates) -> None:
    """Give a year these terms, and date all its tasks by them."""
    rows = plan(connection, year, autumn, spring, standing_of(connection, year))
    put_terms(connection, year, autumn, spring)
    write_plan(connection, year, rows)


def check_in_year(connection: Connection, rule: Any, year: int) -> None:
    """Raise Refused, by the rule's name, unless the rule can be read and matches a day of an opened year."""
    terms = terms_of(connection, year)
    if terms is None:
        return
    ends = connection.execute(select(DatedTask.key, func.max(DatedTask.due_on)).where(
        DatedTask.year == year, DatedTask.occurrence == 1).group_by(DatedTask.key))  # fmt: skip
    known = {key: due_on for key, due_on in ends}
    with said_of(rule):
        periods(rule.opens, rule.duration, YearDates(year, *terms, overrides(connection)), known.get)


def in_force(rows: list[dict[str, Any]], now: Standing) -> Iterator[tuple[Place, Dates]]:
    """Each task of a plan with the dates that it would have: its own where somebody has moved it."""
    for row in rows:
        place = (row["key"], row["occurrence"], row["college_id"])
        yield place, now.dates[place] if place in now.moved else (row["opens_on"], row["due_on"])


def _row(year: int, rule: Any, occurrence: int, period: Period, college_id: int | None) -> dict[str, Any]:
    return {
        "year": year, "rule_id": rule.id, "key": rule.key, "occurrence": occurrence, "season": period.season,
        "college_id": college_id, "owners": rule.owners, "students": rule.students,
        "planned_opens_on": period.opens_on, "planned_due_on": period.due_on,
        "opens_on": period.opens_on, "due_on": period.due_on,
    }  # fmt: skip


@contextmanager
def said_of(rule: Any) -> Iterator[None]:
    """A rule that cannot be read, or matches no day, is refused by its name."""
    try:
        yield
    except BadRule as bad:
        title = rule.title_zh if in_chinese() else rule.title_en
        raise Refused(_("%(task)s: %(reason)s", task=title, reason=bad.reason)) from bad


def _leaders_first(rules: Iterable[Any]) -> list[Any]:
    """The rules that count from the calendar, then those that count from the end of another task."""
    leading: list[Any] = []
    following: list[Any] = []
    for rule in rules:
        with said_of(rule):
            (following if follows(rule.opens) else leading).append(rule)
    return leading + following
