"""休学与复学 leaves: how long one may last, what it does to the roster, how it ends; deferred admissions alike."""

from datetime import date, timedelta
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import Select, case, func, select

from app.kit import clock
from app.kit.calendar import months_after
from app.kit.flow import among, hook
from app.models import (
    Case,
    DeferralCase,
    LeaveCase,
    ReturnCase,
    RosterChange,
    RosterStatus,
    Student,
    db,
    setting_int,
)
from app.operations.roster import REASON_CODES, changes, roster_effect

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
        until=LeaveCase.leave_until,
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
    """A leave of n terms ends the day before n half years are over."""
    if case.leave_from and case.leave_terms:
        case.leave_until = months_after(case.leave_from, 6 * case.leave_terms) - timedelta(days=1)


@hook
def reckon_deferral(case: DeferralCase) -> None:
    """The place is kept for the months that the settings say; longer for those who serve."""
    months = setting_int("deferral_enlisted_months" if case.reason == "enlistment" else "deferral_max_months")
    case.deferred_until = months_after(clock.today(), months) - timedelta(days=1)


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
    """Cases whose leave is longer than one may be, or too long together with the earlier ones. Enlistment is free."""
    rows = list(db.session.scalars(select(LeaveCase).where(among(LeaveCase.id, case_ids))))
    earlier = _months_on_leave([row.student_id for row in rows])
    reasons = {row.id: _out_of_limits(row, earlier.get(row.student_id, 0)) for row in rows}
    return {case_id: next(iter(why.values())) for case_id, why in reasons.items() if why}


@hook
def check_leave(case: LeaveCase, student: Student) -> dict[str, Any]:
    """The same of a draft, as soon as it says from when and how long."""
    if not case.leave_from or case.leave_terms is None:
        return {}
    return _out_of_limits(case, _months_on_leave([student.id]).get(student.id, 0))


def _out_of_limits(case: LeaveCase, before: int) -> dict[str, Any]:
    """Field → why this leave cannot be; `before` are the months that the student was on leave already."""
    once, total = setting_int("leave_max_months_once"), setting_int("leave_max_months_total")
    terms = case.leave_terms or 0
    months = 6 * terms
    if not 1 <= terms <= 8:
        return {"leave_terms": _("A leave lasts one term at least and eight at most.")}
    if case.leave_from and months_after(case.leave_from, months) <= clock.today():
        return {"leave_from": _("This leave would be over already.")}
    if case.reason == "enlistment":
        return {}
    if months > once:
        return {"leave_terms": _("One leave lasts at most %(most)s months; this one has %(months)s.",
                                 most=once, months=months)}  # fmt: skip
    if months + before > total:
        return {"leave_terms": _("All leaves together last at most %(most)s months; with the earlier %(before)s"
                                 " it would be %(sum)s.", most=total, before=before, sum=months + before)}  # fmt: skip
    return {}


def _months_on_leave(student_ids: list[int]) -> dict[int, int]:
    """Months that students were on leave, enlistment not counted: from each entry to the next one, or its end."""
    change = RosterChange
    following = func.lead(change.effective_on)
    next_entry = following.over(partition_by=change.student_id, order_by=(change.effective_on, change.id))
    ended = func.coalesce(next_entry, change.until)
    entries = (
        select(change.student_id, change.code, change.effective_on.label("begun"), ended.label("ended"))
        .where(among(change.student_id, student_ids))
        .subquery()
    )
    months: dict[int, int] = {}
    for row in db.session.execute(select(entries).where(entries.c.code == "11")):
        days = (row.ended - row.begun).days if row.ended else 0
        months[row.student_id] = months.get(row.student_id, 0) + round(days / 30.4)
    return months


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
