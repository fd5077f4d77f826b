"""学期注册 registration: colleges record who has reported in a term, students confirm their data; the rest get a clock."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import Date, Select, Text, any_, bindparam, cast, exists, func, literal, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY, insert

from app.access import Actor, Permission
from app.kit import clock
from app.kit.calendar import months_after, overrides, working_days_after
from app.kit.jobs.due import Due, due_source
from app.kit.operation import NotAllowed, Refused, audit, audit_many, get, operation
from app.models import DatedTask, Registration, RegistrationState, RosterStatus, Season, Student, db, setting_int
from app.models.language import listed

CHECK_INS = ("returning_checkin", "spring_checkin")  # tasks of the calendar, one for each 学院
MOST = 20_000
LONGEST_RETURN = 60  # days that the working days of a late return can take
NAMED = 10  # numbers that a refusal quotes
KEPT = (
    "state",
    "since",
    "due_on",
    "recorded_by",
    "recorded_at",
    "act",
    "confirmed_at",
)  # of a row that an act overwrites
LOOK_BACK = timedelta(days=30)  # after the check-in: whoever comes back later is not missing from it


@dataclass(frozen=True)
class CheckIn:
    """The check-in of one 学院 that began last: its term and its days."""

    year: int
    season: str
    opens_on: date
    closes_on: date


def latest_check_in(college_id: int, today: date) -> CheckIn | None:
    dates = DatedTask.year, DatedTask.season, DatedTask.opens_on, DatedTask.due_on
    begun = DatedTask.key.in_(CHECK_INS), DatedTask.college_id == college_id, DatedTask.opens_on <= today
    row = db.session.execute(select(*dates).where(*begun).order_by(DatedTask.opens_on.desc()).limit(1)).first()
    return CheckIn(*row) if row else None


def select_expected(term: CheckIn, college_id: int) -> Select[int]:
    """The ids of the students who have to register: in school, and no freshmen of this autumn, who arrive by flow 1."""
    returning = or_(Student.entry_year < term.year, literal(term.season) == Season.SPRING.value)
    here = Student.college_id == college_id, Student.status == RosterStatus.ENROLLED
    return select(Student.id).where(*here, returning)


def select_without_entry(term: CheckIn, college_id: int) -> Select[int]:
    recorded = exists().where(
        Registration.student_id == Student.id, Registration.year == term.year, Registration.season == term.season
    )
    return select_expected(term, college_id).where(~recorded)


def counts(term: CheckIn, college_id: int) -> list[tuple[Any, int]]:
    """(label, students) of each state in this term, and of those whom nobody has recorded yet."""
    of_term = (
        select(Registration.state, func.count())
        .where(Registration.year == term.year, Registration.season == term.season)
        .where(Registration.student_college_id == college_id)
        .group_by(Registration.state)
    )
    found = {state: number for state, number in db.session.execute(of_term)}
    rest = select(func.count()).select_from(select_without_entry(term, college_id).subquery())
    return [(state.label, found.get(state, 0)) for state in RegistrationState] + [
        (_("Not recorded yet"), db.session.scalar(rest) or 0)
    ]


def select_unrecorded(term: CheckIn, college_id: int) -> Select[Student]:
    """The students of whom nothing is recorded yet, by class and number."""
    ids = select_without_entry(term, college_id)
    return select(Student).where(Student.id.in_(ids)).order_by(Student.class_group_id, Student.student_no)


@operation(needs=Permission.REGISTRATION_WRITE)
def register(
    actor: Actor, state: str, numbers: list[str], *, unrecorded: bool = False, until: date | None = None
) -> int:
    """Record how these students of the actor's 学院 stand in the term that has begun last.

    All of them, or none with the numbers that are not among them; with `unrecorded`, that somebody has recorded
    meanwhile. Returns how many stand otherwise now. `until`: the end of a deferral.
    """
    college_id = actor.scope.college_id
    term = latest_check_in(college_id, clock.today())
    if term is None:
        raise Refused(_("No check-in has begun yet: the calendar says when."))
    if state not in set(RegistrationState):
        raise Refused(_("Choose how the students stand."))
    due_on = _due_on(RegistrationState(state), term, until)
    ids = _named(term, college_id, numbers, unrecorded)
    columns = {
        "student_id": Student.id, "college_id": Student.college_id, "student_college_id": Student.college_id,
        "year": literal(term.year), "season": literal(term.season), "state": literal(state),
        "since": literal(term.opens_on), "due_on": cast(literal(due_on), Date),
        "recorded_by": literal(actor.user_id), "recorded_at": literal(clock.now()), "act": _NEXT_ACT,
    }  # fmt: skip
    source: Select = select(*(value.label(name) for name, value in columns.items())).where(Student.id.in_(ids))
    statement = insert(Registration.__table__).from_select(list(columns), source)
    new, own = statement.excluded, Registration.__table__.c
    changed: dict[str, Any] = {
        name: new[name] for name in ("state", "since", "due_on", "recorded_by", "recorded_at", "act")
    }
    changed["confirmed_at"] = None
    changed["before"] = func.jsonb_build_object(*(part for name in KEPT for part in (name, own[name])))
    written = statement.on_conflict_do_update(
        index_elements=["student_id", "year", "season"], set_=changed,
        where=or_(own.state != new.state, own.due_on.is_distinct_from(new.due_on)),
    ).returning(own.student_id)  # fmt: skip
    done = list(db.session.scalars(written))
    said = {"year": term.year, "season": term.season, "state": state, "due_on": due_on and str(due_on)}
    audit_many(actor, "registration:record", [
        {"subject": "student", "subject_id": one, "college_id": college_id, "old": None, "new": said, "detail": None}
        for one in done
    ])  # fmt: skip
    return len(done)


@dataclass(frozen=True)
class Act:
    """One act of recording: which, when, and how many students still stand as it says and have not confirmed it."""

    id: int
    recorded_at: datetime
    state: RegistrationState
    students: int


def last_act(actor: Actor) -> Act | None:
    """The latest act of this clerk in the running term of which something can be taken back."""
    term = latest_check_in(actor.scope.college_id, clock.today())
    if term is None:
        return None
    own = Registration
    of_term = own.year == term.year, own.season == term.season, own.recorded_by == actor.user_id
    query = select(own.act, func.min(own.recorded_at), func.min(own.state), func.count()).group_by(own.act)
    query = query.where(*of_term, own.act.is_not(None), own.confirmed_at.is_(None)).order_by(own.act.desc()).limit(1)
    row = db.session.execute(query).first()
    return Act(row[0], row[1], RegistrationState(row[2]), row[3]) if row else None


@operation(needs=Permission.REGISTRATION_WRITE)
def take_back(actor: Actor, act: int) -> int:
    """Take back what the actor recorded in one act; what a student has confirmed meanwhile stays. For how many students."""
    values = {"me": actor.user_id, "act": act}
    removed = db.session.execute(_REMOVE, values).all()
    restored = db.session.execute(_RESTORE, values).all()
    if not removed and not restored:
        raise Refused(_("There is nothing left to take back: it was recorded anew, confirmed, or taken back already."))
    audit_many(actor, "registration:take_back", [
        {"subject": "student", "subject_id": row.student_id, "college_id": row.college_id, "old": {"state": row.state},
         "new": None, "detail": None}
        for row in (*removed, *restored)
    ])  # fmt: skip
    return len(removed) + len(restored)


def _due_on(state: RegistrationState, term: CheckIn, until: date | None) -> date | None:
    """Until when somebody in this state may still register."""
    if state is RegistrationState.REGISTERED:
        return None
    if state is RegistrationState.MISSING:
        return term.closes_on
    latest = months_after(term.closes_on, setting_int("registration_deferral_months"))
    if until is None or not term.closes_on < until <= latest:
        raise Refused(_("A deferral ends after %(first)s and at the latest on %(last)s.",
                        first=term.closes_on, last=latest))  # fmt: skip
    return until


def _named(term: CheckIn, college_id: int, numbers: list[str], unrecorded: bool) -> list[int]:
    if not 0 < len(numbers) <= MOST:
        raise Refused(_("Give between one and %(most)s student numbers.", most=MOST))
    listed_here = Student.student_no == any_(bindparam(None, numbers, ARRAY(Text)))
    among = select_without_entry(term, college_id) if unrecorded else select_expected(term, college_id)
    found = {number: student_id for student_id, number in db.session.execute(
        among.add_columns(Student.student_no).where(listed_here))}  # fmt: skip
    if unknown := [number for number in numbers if number not in found]:
        if unrecorded:
            raise Refused(_("Nothing was recorded. %(n)s of these students have been recorded meanwhile, or left:"
                            " %(numbers)s. Look at the list again.", n=len(unknown), numbers=listed(unknown[:NAMED])))  # fmt: skip
        raise Refused(_("Nothing was recorded. %(n)s of these numbers belong to no student of your college who has to"
                        " register: %(numbers)s.", n=len(unknown), numbers=listed(unknown[:NAMED])))  # fmt: skip
    return list(found.values())


def latest_registration(student_id: int) -> Registration | None:
    """The student's latest registration."""
    mine = select(Registration).where(Registration.student_id == student_id)
    return db.session.scalar(mine.order_by(Registration.year.desc(), Registration.season.desc()).limit(1))


@operation(needs=Permission.REGISTRATION_CONFIRM)
def confirm(actor: Actor, registration_id: int) -> Registration:
    """The student has looked at her roster data: they are right."""
    row = get(Registration, registration_id, lock=True)
    if row.student_id != actor.scope.student_id:
        raise NotAllowed(_("Only the student herself confirms her data."))
    if row.state != RegistrationState.REGISTERED or row.confirmed_at is not None:
        raise Refused(_("There is nothing to confirm here."))
    row.confirmed_at = clock.now()
    audit(actor, "registration:confirm", subject="student", subject_id=row.student_id, college_id=row.college_id)
    return row


_NEXT_ACT = select(func.nextval("registration_act")).scalar_subquery()  # once a statement
_REMOVE = text("""
    delete from registration where recorded_by = :me and act = :act and before is null and confirmed_at is null
    returning student_id, college_id, state
""")
_RESTORE = text("""
    with done as (
        select id, student_id, college_id, state from registration
        where recorded_by = :me and act = :act and before is not null and confirmed_at is null for update
    )
    update registration r set state = b.state, since = b.since, due_on = b.due_on, recorded_by = b.recorded_by,
        recorded_at = b.recorded_at, act = b.act, confirmed_at = b.confirmed_at, before = null
    from done, registration o, jsonb_populate_record(null::registration, o.before) b
    where r.id = done.id and o.id = done.id
    returning done.student_id, done.college_id, done.state
""")

# Whom a college that records registrations has not recorded when the check-in is over, has not reported; and where the
# check-in was prolonged, the new last day counts.
# Whoever has become a student after the check-in began has some working days from then, or from when it was recorded;
# and so has she whose dismissal was revoked meanwhile, though that works back.
_MISSING = text("""
    insert into registration (student_id, college_id, student_college_id, year, season, state, since, due_on)
    select s.id, s.college_id, s.college_id, t.year, t.season, 'missing', t.opens_on, d.due_on
    from dated_task t join student s on s.college_id = t.college_id
    cross join lateral (
        select greatest(t.due_on, (cast(:last_days as jsonb) ->> max(greatest(e.effective_on,
            cast(timezone('Asia/Shanghai', e.recorded_at) as date)))::text)::date) as due_on
        from roster_change e where e.student_id = s.id and e.new_status = 'enrolled'
            and (e.effective_on > t.opens_on or e.undoes_id is not null
                and cast(timezone('Asia/Shanghai', e.recorded_at) as date) > t.opens_on)
            and e.old_status is distinct from 'enrolled') d
    where t.key = any(:keys) and t.due_on < :today and t.due_on >= :since
        and s.status = 'enrolled' and (s.entry_year < t.year or t.season = 'spring')
        and not exists (select from registration r where r.student_id = s.id and r.year = t.year and r.season = t.season)
        and exists (select from registration r where r.college_id = t.college_id and r.year = t.year
            and r.season = t.season)
        and d.due_on < :today and d.due_on >= :looked_back
    on conflict do nothing
""")
_MOVED = text("""
    update registration r set due_on = t.due_on from dated_task t
    where t.key = any(:keys) and t.college_id = r.college_id and t.year = r.year and t.season = r.season
        and r.state = 'missing' and r.due_on < t.due_on
""")


def last_days(today: date) -> dict[str, str]:
    """Day on which somebody became a student again → the last day on which she may still register for the term."""
    count, own = setting_int("registration_return_days"), overrides()
    days = [today - timedelta(days=number) for number in range(LOOK_BACK.days + LONGEST_RETURN)]
    return {day.isoformat(): working_days_after(day, count, own)[-1].isoformat() for day in days}


@due_source("registrations")
def not_reported(actor: Actor, today: date) -> Iterator[Due]:
    """Writes rows alone: what ends for their students is told by the source of the legal clocks."""
    keys = list(CHECK_INS)
    values = {"today": today, "since": today - LOOK_BACK - timedelta(days=LONGEST_RETURN),
              "looked_back": today - LOOK_BACK, "last_days": json.dumps(last_days(today))}  # fmt: skip
    db.session.execute(_MISSING, {"keys": keys} | values)
    db.session.execute(_MOVED, {"keys": keys})
    return iter(())
