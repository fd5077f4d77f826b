"""学年与学期 academic years and terms: open a year, see what moving a term would do, move it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.access import Actor, Permission
from app.kit import clock
from app.kit.flow import FLOWS
from app.kit.flow.window import proof_is_fresh
from app.kit.operation import NotFound, Refused, audit, operation
from app.models import AcademicYear, Case, CaseState, TaskRule, db
from app.operations.calendar.moved_dates import tell_moved
from app.operations.calendar.schedule import TermDates, year_name
from app.operations.calendar.year_plan import (
    Dates,
    Place,
    Standing,
    in_force,
    plan,
    put_terms,
    standing_of,
    terms_of,
    write_plan,
)

SHORTEST, LONGEST = 10, 30  # weeks of a term
UNFINISHED = (CaseState.DRAFT, CaseState.OPEN, CaseState.SENT_BACK)


@dataclass(frozen=True)
class TaskMove:
    """One task whose dates would change, for so many colleges; `old` or `new` is None where there is none."""

    title: Any
    key: str
    occurrence: int
    old: Dates | None
    new: Dates | None
    colleges: int


@dataclass(frozen=True)
class Outside:
    """A running case that was, or could be, handed in under the old dates and could not under the new ones."""

    case_id: int
    number: str
    subject: str
    title: Any
    day: date
    handed_in: bool


@dataclass(frozen=True)
class YearMove:
    """What new terms would do: the tasks that move, those that stay where somebody has put them, the cases outside."""

    moves: list[TaskMove]
    kept: int
    outside: list[Outside]


@operation(needs=Permission.CALENDAR_WRITE)
def open_year(actor: Actor, year: int, autumn: TermDates, spring: TermDates) -> AcademicYear:
    """Date every task of a year. A year is opened once; afterwards its terms are moved."""
    check_terms(year, autumn, spring)
    values = {"year": year, "opened_at": clock.now(), "opened_by": actor.user_id}
    made = insert(AcademicYear).values(values).on_conflict_do_nothing().returning(AcademicYear.year)
    if db.session.scalar(made) is None:
        raise Refused(_("The academic year %(year)s is open already. Move its terms instead.", year=year_name(year)))
    connection = db.session.connection()
    rows = plan(connection, year, autumn, spring, Standing())
    put_terms(connection, year, autumn, spring)
    write_plan(connection, year, rows)
    audit(actor, "year:open", subject="academic_year", subject_id=year, new=_shown(autumn, spring),
          detail={"tasks": len(rows)})  # fmt: skip
    return db.session.get_one(AcademicYear, year, populate_existing=True)


def preview_terms(year: int, autumn: TermDates, spring: TermDates) -> YearMove:
    """What would move if the year had these terms; with the terms it has, what edited rules would change."""
    check_terms(year, autumn, spring)
    opened(year)
    connection = db.session.connection()
    now = standing_of(connection, year)
    return _compared(plan(connection, year, autumn, spring, now), now)


@operation(needs=Permission.CALENDAR_WRITE)
def move_terms(
    actor: Actor, year: int, autumn: TermDates, spring: TermDates, reason: str, *, accept_outside: bool = False
) -> YearMove:
    """Give an open year these terms, and its tasks the dates that follow. Dates set by hand stay.

    Cases that would fall outside their window stop the move until somebody has looked at them and accepts it: what
    was handed in runs on, a draft waits for its window or for the registry's exception.
    """
    check_terms(year, autumn, spring)
    words = said(reason)
    opened(year, lock=True)
    connection = db.session.connection()
    now = standing_of(connection, year)
    rows = plan(connection, year, autumn, spring, now)
    move = _compared(rows, now)
    refuse_outside(move.outside, accept_outside)
    before = terms_of(connection, year)
    put_terms(connection, year, autumn, spring)
    write_plan(connection, year, rows)
    audit(
        actor, "year:move", subject="academic_year", subject_id=year, old=_shown(*before) if before else None,
        new=_shown(autumn, spring),
        detail={"reason": words, "tasks": len(move.moves), "outside": [case.number for case in move.outside]},
    )  # fmt: skip
    tell_moved(actor, year, now.dates, f"{year}:{clock.now().isoformat()}")
    return move


def check_terms(year: int, autumn: TermDates, spring: TermDates) -> None:
    """Raise Refused unless the two terms can be those of the academic year."""
    for term in (autumn, spring):
        if term.first_monday.weekday() != 0:
            raise Refused(_("%(day)s is no Monday; a term begins on one.", day=term.first_monday))
        if not SHORTEST <= term.weeks <= LONGEST:
            raise Refused(_("A term has %(low)s to %(high)s weeks.", low=SHORTEST, high=LONGEST))
    if not date(year, 7, 1) <= autumn.first_monday <= date(year + 1, 2, 28):
        raise Refused(_("The autumn term of %(year)s cannot begin on %(day)s.", year=year_name(year),
                        day=autumn.first_monday))  # fmt: skip
    if spring.first_monday < autumn.holiday:
        raise Refused(_("The spring term cannot begin on %(day)s: the autumn term lasts until %(end)s.",
                        day=spring.first_monday, end=autumn.holiday - timedelta(days=1)))  # fmt: skip
    if spring.first_monday > date(year + 1, 8, 1):
        raise Refused(_("The spring term of %(year)s cannot begin on %(day)s.", year=year_name(year),
                        day=spring.first_monday))  # fmt: skip


def said(reason: str) -> str:
    """The words of a reason. Raises Refused where there are none."""
    words = " ".join(reason.split())[:300]
    if not words:
        raise Refused(_("Say why; the reason is kept with the new dates."))
    return words


def refuse_outside(outside: list[Outside], accepted: bool) -> None:
    if outside and not accepted:
        raise Refused(
            _(
                "%(n)s running cases would fall outside their window, e.g. %(number)s. Look at them, then confirm that"
                " the dates are to be moved all the same.",
                n=len(outside),
                number=outside[0].number,
            )
        )


def falling_outside(old: Standing, new: dict[Place, Dates]) -> list[Outside]:
    """The running cases that a window held on their day under the old dates, and none holds under the new ones."""
    changed = {place[0] for place, dates in old.dates.items() if new.get(place) != dates}
    found = []
    for flow in FLOWS.values():
        keys = set(flow.window.keys) if flow.window else set()
        if not keys & changed:
            continue
        assert flow.window is not None
        running = select(flow.model).where(Case.state.in_(UNFINISHED), Case.late_reason.is_(None)).order_by(Case.id)
        for case in db.session.scalars(running.execution_options(yield_per=500)):
            day = case.submitted_at.astimezone(clock.ZONE).date() if case.submitted_at else clock.today()
            if proof_is_fresh(flow, case, day):
                continue
            if _holds(old.dates, keys, case.college_id, day) and not _holds(new, keys, case.college_id, day):
                handed_in = case.submitted_at is not None
                found.append(Outside(case.id, case.number, case.subject, flow.title, day, handed_in))
    return found


def _holds(dates: dict[Place, Dates], keys: Iterable[str], college_id: int, day: date) -> bool:
    """Whether one of the windows is open on a day for a 学院."""
    places = ((key, occurrence, whose) for key in keys for occurrence in (1, 2) for whose in (college_id, None))
    return any(place in dates and dates[place][0] <= day <= dates[place][1] for place in places)


def _compared(rows: list[dict[str, Any]], now: Standing) -> YearMove:
    new = dict(in_force(rows, now))
    titles = {rule.key: rule for rule in db.session.scalars(select(TaskRule))}
    changes: Counter[tuple[str, int, Dates | None, Dates | None]] = Counter()
    for place in sorted(now.dates.keys() | new.keys(), key=str):
        old_dates, new_dates = now.dates.get(place), new.get(place)
        if old_dates != new_dates:
            changes[place[0], place[1], old_dates, new_dates] += 1
    moves = [TaskMove(titles[key], key, n, was, will, count) for (key, n, was, will), count in changes.items()]
    planned = {(row["key"], row["occurrence"], row["college_id"]): (row["opens_on"], row["due_on"]) for row in rows}
    kept = sum(planned.get(place) != now.dates[place] for place in now.moved)
    return YearMove(sorted(moves, key=_by_date), kept, falling_outside(now, new))


def _by_date(move: TaskMove) -> tuple[date, str]:
    return (move.new or move.old or (date.max,))[0], move.key


def opened(year: int, *, lock: bool = False) -> AcademicYear:
    """The year's row, if it is open. Whoever changes dates locks it first, so that two changes wait for each other."""
    found = db.session.get(AcademicYear, year, with_for_update=lock or None)
    if found is None:
        raise NotFound(_("The academic year %(year)s is not open yet.", year=year_name(year)))
    return found


def _shown(autumn: TermDates, spring: TermDates) -> dict[str, Any]:
    return {
        "autumn": str(autumn.first_monday), "autumn_weeks": autumn.weeks,
        "spring": str(spring.first_monday), "spring_weeks": spring.weeks,
    }  # fmt: skip
