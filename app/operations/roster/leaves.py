"""休学与复学 leaves: how long one may last, what it does to the roster, how it ends; deferred admissions alike."""

from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import Select, case, func, null, or_, select

from app.kit import clock
from app.kit.flow import hook
from app.models import (
    MOVED,
    Case,
    DatedTask,
    DeferralCase,
    LeaveCase,
    ReturnCase,
    RosterChange,
    RosterStatus,
    Student,
    among,
    db,
    setting_int,
)
from app.models.cases.case import MOST_TERMS
from app.operations.roster.effects import REASON_CODES, changes, roster_effect
from app.operations.roster.leave_terms import end_of_leave, known_terms, latest_start

ON_LEAVE = (RosterStatus.ON_LEAVE, RosterStatus.RETAINED)
LEAVE_CODES = ("11", "14", "19")  # after which a student comes back


@roster_effect
def suspend(case_ids: list[int]) -> Select:
    """休学"""
    enlisted = LeaveCase.reason == "enlistment"
    return changes(
        LeaveCase,
        case_ids,
        code=case((enlisted, "19"), else_="11"),
        status=case((enlisted, RosterStatus.RETAINED.value), else_=RosterStatus.ON_LEAVE.value),
        effective_on=LeaveCase.leave_from,
        until=case(
            (enlisted, null()), else_=LeaveCase.leave_until
        ),  # until two years after discharge, once that is known
    )


@roster_effect
def resume(case_ids: list[int]) -> Select:
    """复学"""
    return changes(
        ReturnCase,
        case_ids,
        code=case((Student.status == RosterStatus.RETAINED, "17"), else_="12"),
        status=RosterStatus.ENROLLED,
        effective_on=ReturnCase.return_on,
        grade=ReturnCase.grade,
        class_group_id=ReturnCase.class_group_id,
    )


@hook
def reckon_leave(case: LeaveCase) -> None:
    """A leave of n terms ends with the last of them. Military service ends when it ends: article 27."""
    if case.reason == "enlistment":
        case.leave_terms = case.leave_until = case.until_estimated = None
    elif case.leave_from and case.leave_terms and 0 < case.leave_terms <= MOST_TERMS:
        case.leave_until, case.until_estimated = end_of_leave(case.leave_from, case.leave_terms, known_terms())


@hook
def reckon_deferral(case: DeferralCase) -> None:
    """The place is kept until the freshmen of a later year have arrived; for who serves, until that is over."""
    if case.reason == "enlistment":
        case.deferred_until = None
        return
    years = -(-setting_int("deferral_max_months") // 12)
    entered = db.session.scalar(select(Student.entry_year).where(Student.id == case.student_id))
    case.deferred_until = end_of_arrival((entered or clock.today().year) + years, case.college_id)


def end_of_arrival(year: int, college_id: int | None) -> date:
    """The last day on which the freshmen of a year arrive; the end of its September while the calendar does not say."""
    tasks = select(func.max(DatedTask.due_on)).where(DatedTask.key == "freshman_checkin", DatedTask.year == year)
    of_college = or_(DatedTask.college_id.is_(None), DatedTask.college_id == college_id)
    return db.session.scalar(tasks.where(of_college)) or date(year, 9, 30)


@hook
def reckon_cohort(case: Any) -> None:
    """Whoever resumes enters with the freshmen whose arrival began last: the cohort that she asks to join."""
    recall_leave(case)
    begun = select(func.max(DatedTask.year)).where(
        DatedTask.key == "freshman_checkin", DatedTask.opens_on <= clock.today()
    )
    case.grade = db.session.scalar(begun) or clock.today().year


@hook
def recall_leave(case: Case) -> None:
    """A return has the reason of the leave, or of the deferred admission, that it ends."""
    latest = select(RosterChange.reason).where(
        RosterChange.student_id == case.student_id, RosterChange.code.in_(LEAVE_CODES)
    )
    code = db.session.scalar(latest.order_by(RosterChange.effective_on.desc(), RosterChange.id.desc()).limit(1))
    case.reason = next((reason for reason, known in REASON_CODES.items() if known == code), "other")


@hook
def leave_within_limits(case_ids: list[int], records: dict[str, Any]) -> dict[int, Any]:
    """Cases whose leave begins too late or in the past, is longer than one may be, or too long together with the
    earlier ones. The length of military service is free."""
    rows = list(db.session.scalars(select(LeaveCase).where(among(LeaveCase.id, case_ids))))
    earlier = _months_on_leave([row.student_id for row in rows])
    reasons = {row.id: _out_of_limits(row, earlier.get(row.student_id, 0)) for row in rows}
    return {case_id: next(iter(why.values())) for case_id, why in reasons.items() if why}


@hook
def check_leave(case: LeaveCase, student: Student) -> dict[str, Any]:
    """The same of a draft, as soon as it says from when and how long."""
    if not case.leave_from or (case.leave_terms is None and case.reason != "enlistment"):
        return {}
    return _out_of_limits(case, _months_on_leave([student.id]).get(student.id, 0))


def _out_of_limits(case: LeaveCase, before: int) -> dict[str, Any]:
    """Field → why this leave cannot be; `before` are the months that the student was on leave already."""
    once, total = setting_int("leave_max_months_once"), setting_int("leave_max_months_total")
    if case.leave_from and (why := why_not_start(case)):
        return {"leave_from": why}
    if case.reason == "enlistment":
        return {}
    terms = case.leave_terms or 0
    if not 1 <= terms <= MOST_TERMS or case.leave_from is None:
        return {"leave_terms": _("A leave lasts one term at least and eight at most.")}
    last_day, _estimated = end_of_leave(case.leave_from, terms, known_terms())
    if last_day < clock.today():
        return {"leave_from": _("This leave would be over already.")}
    months = _months_in((last_day - case.leave_from).days)
    if months > once:
        return {"leave_terms": _("One leave lasts at most %(most)s months; this one has %(months)s.",
                                 most=once, months=months)}  # fmt: skip
    if months + before > total:
        return {"leave_terms": _("All leaves together last at most %(most)s months; with the earlier %(before)s"
                                 " it would be %(sum)s.", most=total, before=before, sum=months + before)}  # fmt: skip
    return {}


def why_not_start(row: LeaveCase) -> Any | None:
    """Why a leave cannot begin on its day. What was handed in on time may be decided when its day has come."""
    assert row.leave_from is not None
    handed_in = row.submitted_at.astimezone(clock.ZONE).date() if row.submitted_at else clock.today()
    last_start = latest_start(clock.today(), setting_int("leave_start_terms"))
    if row.leave_from > last_start:
        return _("A leave begins on %(last)s at the latest: in this term or the next.", last=last_start)
    if row.leave_from >= handed_in:
        return None
    if not row.late_reason:
        return _("The leave would begin on %(day)s, which is past. Enter today or a later day; the roster registry can"
                 " let it begin earlier, with a reason.", day=row.leave_from)  # fmt: skip
    most = setting_int("leave_past_days")
    if (handed_in - row.leave_from).days > most:
        return _("Even with the registry's reason a leave begins at most %(most)s days in the past.", most=most)
    return None


@hook
def check_return(case: ReturnCase, student: Student) -> dict[str, Any]:
    """A return is asked for, not reported: it begins on the day it is handed in or later, unless the registry says why."""
    handed_in = case.submitted_at.astimezone(clock.ZONE).date() if case.submitted_at else clock.today()
    if not case.return_on or case.return_on >= handed_in or case.late_reason:
        return {}
    return {"return_on": _("The return would be on %(day)s, which is past. Enter today or a later day; the roster registry"
                           " can let it be earlier, with a reason.", day=case.return_on)}  # fmt: skip


def _months_on_leave(student_ids: list[int]) -> dict[int, int]:
    """Months that students were on leave, enlistment not counted: from each entry to the next one, or its end."""
    change = RosterChange
    following = func.lead(change.effective_on)
    next_entry = following.over(partition_by=change.student_id, order_by=(change.effective_on, change.id))
    ended = func.coalesce(next_entry, change.until)
    entries = (
        select(change.student_id, change.code, change.effective_on.label("begun"), ended.label("ended"))
        .where(among(change.student_id, student_ids), change.code != MOVED)
        .subquery()
    )
    months: dict[int, int] = {}
    for row in db.session.execute(select(entries).where(entries.c.code == "11")):
        days = (row.ended - row.begun).days if row.ended else 0
        months[row.student_id] = months.get(row.student_id, 0) + _months_in(days)
    return months


def _months_in(days: int) -> int:
    return round(days / 30.4)


def overdue_leaves(on: date) -> Select[Student, RosterChange]:
    """Students whose leave ended before `on` and who are still on leave, with the entry that said until when."""
    latest = (
        select(RosterChange.id)
        .where(RosterChange.student_id == Student.id)
        .order_by(RosterChange.effective_on.desc(), RosterChange.id.desc())
        .limit(1)
        .correlate(Student)
        .scalar_subquery()
    )
    return (
        select(Student, RosterChange)
        .join(RosterChange, RosterChange.id == latest)
        .where(Student.status.in_(ON_LEAVE), RosterChange.until < on)
        .order_by(RosterChange.until, Student.id)
    )
