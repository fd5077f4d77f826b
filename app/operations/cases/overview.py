"""办件总览 overview: how the open cases stand and how long each step takes, in two aggregate statements.

Days are working days: an array of their running number, one element a calendar day, is a parameter of the statement.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    Date,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
)  # fmt: skip
from sqlalchemy.orm import aliased
from sqlalchemy.sql.elements import Grouping

from app.kit import clock
from app.kit.calendar import is_working_day, overrides
from app.models import Case, CaseState, CaseStep, StepState, db

BANDS = ((0, 3), (4, 7), (8, 14), (15, None))  # working days since a case was handed in
LOOK_BACK = 730  # days: an older beginning counts as this old
HISTORY = 365  # days of signatures that the times of the steps are taken from
BY_STEP, NEITHER = 1, 3  # what grouping(flow, 学院) says of a row


@dataclass(frozen=True)
class Asked:
    """Which cases are looked at; nothing chosen is all that the reader sees."""

    flow: str | None = None
    college_id: int | None = None
    band: int | None = None
    overdue: bool = False


@dataclass
class Standing:
    """So many open cases: overdue ones among them, by age, and the working days that their present steps have held."""

    cases: int = 0
    overdue: int = 0
    held: int = 0
    bands: tuple[int, ...] = (0, 0, 0, 0)


@dataclass(frozen=True)
class Pace:
    """How many working days a step has taken: signatures, the median, and what nine in ten kept to."""

    signed: int
    median: int
    ninetieth: int


@dataclass
class Overview:
    """`steps` by (flow, step or None where a case is with its applicant), `colleges` by id."""

    whole: Standing = field(default_factory=Standing)
    steps: dict[tuple[str, str | None], Standing] = field(default_factory=dict)
    colleges: dict[int, Standing] = field(default_factory=dict)


class WorkingDays:
    """Counts working days inside a statement, from `LOOK_BACK` days ago until today."""

    def __init__(self, today: date) -> None:
        own, self.today, self.first = overrides(), today, today - timedelta(days=LOOK_BACK)
        self.days = [self.first + timedelta(days=number) for number in range(LOOK_BACK + 1)]
        count, self.numbers = 0, []
        for day in self.days:
            count += is_working_day(day, own)
            self.numbers.append(count)

    def number(self, day: Any) -> Any:
        place = func.least(func.greatest(day - literal(self.first, Date), 0), LOOK_BACK) + 1
        return Grouping(bindparam("numbers", self.numbers, type_=ARRAY(Integer)))[place]

    def since(self, day: Any) -> Any:
        return self.numbers[-1] - self.number(day)

    def span(self, band: int) -> tuple[date | None, date]:
        """The first and last day on which cases of this age were handed in; no first for the oldest."""
        least, most = BANDS[band]
        fitting = [day for day, number in zip(self.days, self.numbers, strict=True)
                   if least <= self.numbers[-1] - number <= (self.numbers[-1] if most is None else most)]  # fmt: skip
        return None if most is None else fitting[0], fitting[-1]


def day_of(at: Any) -> Any:
    return cast(func.timezone(clock.ZONE.key, at), Date)


def moment(day: date) -> datetime:
    return datetime.combine(day, time.min, clock.ZONE)


def select_open(asked: Asked, days: WorkingDays) -> Select:
    """So many open cases for each flow, step, 学院, age, day on which the step was opened, and whether it is overdue.

    Everything else is reckoned from these few rows. Of departments that are asked side by side the first one counts.
    """
    other = aliased(CaseStep)
    first = select(func.min(other.id)).where(other.case_id == CaseStep.case_id, other.state == StepState.OPEN)
    once = or_(CaseStep.department_id.is_(None), CaseStep.id == first.scalar_subquery())
    step = and_(CaseStep.case_id == Case.id, CaseStep.state == StepState.OPEN, once)
    bounds = [(number, days.span(number)[0]) for number in range(len(BANDS))]
    band = case(*((Case.submitted_at >= moment(day), number) for number, day in bounds if day), else_=len(BANDS) - 1)
    columns = [
        Case.flow, CaseStep.key.label("step"), Case.college_id, band.label("band"),
        day_of(CaseStep.opened_at).label("opened"), func.coalesce(CaseStep.due_on < days.today, False).label("overdue"),
    ]  # fmt: skip
    query = (
        select(*columns, func.count().label("cases"))
        .select_from(Case)
        .outerjoin(CaseStep, step)
        .where(Case.state.in_((CaseState.OPEN, CaseState.SENT_BACK)))
        .group_by(*(literal_column(str(place)) for place in range(1, len(columns) + 1)))
    )
    if asked.flow:
        query = query.where(Case.flow == asked.flow)
    if asked.college_id:
        query = query.where(Case.college_id == asked.college_id)
    if asked.band is not None:
        query = query.where(band == asked.band)
    return query.where(CaseStep.due_on < days.today) if asked.overdue else query


def _sums(found: Any, days: WorkingDays) -> list[Any]:
    """Of the rows of `select_open`: cases, overdue ones, working days held, cases of each age."""
    held = func.sum(func.coalesce(days.since(found.c.opened), 0) * found.c.cases)
    parts = [found.c.overdue, *(found.c.band == number for number in range(len(BANDS)))]
    overdue, *bands = (func.coalesce(func.sum(found.c.cases).filter(part), 0) for part in parts)
    return [func.coalesce(func.sum(found.c.cases), 0), overdue, func.coalesce(held, 0), *bands]


def counted(asked: Asked, today: date, *by: str) -> Iterator[Any]:
    """Rows of (the columns `by`, cases, overdue, held, one number for each age), in one statement."""
    days = WorkingDays(today)
    found = select_open(asked, days).subquery()
    columns = [found.c[name] for name in by]
    yield from db.session.execute(select(*columns, *_sums(found, days)).group_by(*columns))


def overview(asked: Asked, today: date) -> Overview:
    """How the open cases stand, by step and by 学院, in one statement."""
    days = WorkingDays(today)
    found = select_open(asked, days).subquery()
    college = found.c.college_id
    which = func.grouping(found.c.flow, college)
    sets = func.grouping_sets(tuple_(found.c.flow, found.c.step), tuple_(college), tuple_())
    query = select(which, found.c.flow, found.c.step, college, *_sums(found, days)).group_by(sets)
    made = Overview()
    for level, flow, step, college_id, cases, overdue, held, *bands in db.session.execute(query):
        standing = Standing(int(cases), int(overdue), int(held), tuple(map(int, bands)))
        if level == NEITHER:
            made.whole = standing
        elif level == BY_STEP:
            made.steps[flow, step] = standing
        else:
            made.colleges[college_id] = standing
    return made


def paces(asked: Asked, today: date) -> dict[tuple[str, str], Pace]:
    """(flow, step) → how long it has taken in the last year: a histogram of days, in one statement."""
    days = WorkingDays(today)
    taken = (days.number(day_of(CaseStep.decided_at)) - days.number(day_of(CaseStep.opened_at))).label("taken")
    query = (
        select(Case.flow, CaseStep.key, taken, func.count())
        .join(Case, Case.id == CaseStep.case_id)
        .where(CaseStep.state == StepState.DONE, CaseStep.opened_at.is_not(None),
               CaseStep.decided_at >= today - timedelta(days=HISTORY))
        .group_by(Case.flow, CaseStep.key, taken)
        .order_by(Case.flow, CaseStep.key, taken)
    )  # fmt: skip
    if asked.flow:
        query = query.where(Case.flow == asked.flow)
    if asked.college_id:
        query = query.where(Case.college_id == asked.college_id)
    found: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for flow, step, number, count in db.session.execute(query):
        found.setdefault((flow, step), []).append((number, count))
    return {key: Pace(sum(count for _days, count in rows), share(rows, 0.5), share(rows, 0.9))
            for key, rows in found.items()}  # fmt: skip


def share(rows: list[tuple[int, int]], part: float) -> int:
    """The number of days within which this part of the signatures was made; rows of (days, count) in order of days."""
    wanted, seen = part * sum(count for _days, count in rows), 0
    for days, count in rows:
        seen += count
        if seen >= wanted:
            return days
    raise ValueError("no rows")
