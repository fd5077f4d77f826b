"""送达与申诉 delivery and appeal: when a decision reached the student, until when she may appeal, what a revocation does."""

from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import Date, Select, String, and_, cast, func, literal, or_, select, true, update
from sqlalchemy import case as either
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from app.access import Actor, Permission, Role
from app.kit import clock
from app.kit.calendar import end_of_term
from app.kit.flow import hook, news
from app.kit.flow.apply import note
from app.kit.flow.steps import due_dates, was_refused
from app.kit.operation import Refused, audit, get, operation
from app.kit.paper.issuing import mark_papers
from app.models import (
    AppealCase,
    Case,
    CaseState,
    CaseStep,
    ClockKind,
    DismissalCase,
    Exemption,
    LegalClock,
    PaperMark,
    RosterChange,
    RosterStatus,
    StepState,
    Student,
    among,
    db,
    setting_int,
)
from app.operations.roster.effects import RosterEffect
from app.operations.roster.restoring import RESTORED, restore

LONGEST_REASON = 300
NOTHING_TOLD = _("No decision has reached this student that could be appealed.")
REVIEWED = _("This decision has been reviewed already.")
RESTORED_ADMISSION = "15"  # what a granted appeal does to a freshman, in the national codes


@hook
def told_after_the_decision(case_ids: list[int], records: dict[str, Any]) -> dict[int, Any]:
    """Cases that would be told on a day still to come, or before the document."""
    day = str(records.get("delivered_on") or "")
    if day > clock.today().isoformat():
        return dict.fromkeys(case_ids, _("The day on which it reached the student is still to come."))
    change = select(RosterChange.case_id, RosterChange.effective_on).where(among(RosterChange.case_id, case_ids))
    early = [case_id for case_id, effective_on in db.session.execute(change) if day < effective_on.isoformat()]
    return dict.fromkeys(early, _("The decision cannot have reached the student before it was made."))


def last_day_to_appeal(delivered_on: date) -> date:
    """Natural days from the day on which the decision reached the student; never a day on which nobody works."""
    return end_of_term(delivered_on + timedelta(days=setting_int("appeal_days")))


@hook
def time_to_appeal(given: dict[str, Any]) -> dict[str, Any]:
    """What follows from the day of delivery."""
    delivered_on = given.get("delivered_on")
    return {"appeal_until": last_day_to_appeal(delivered_on)} if delivered_on else {}


def _latest_decision(student_id: int) -> Any:
    """The latest decision that reached the student, with its day; None if there is none."""
    table = Case.__table__.c
    told = select(table.id, table.delivered_on).where(table.student_id == student_id, table.delivered_on.is_not(None))
    return db.session.execute(told.order_by(table.delivered_on.desc(), table.id.desc()).limit(1)).first()


@hook
def check_decision(case: AppealCase, student: Student) -> dict[str, Any]:
    """An appeal is not begun where nothing can be appealed: no registry's exception would help."""
    found = _latest_decision(student.id)
    if found is None:
        return {"statement": NOTHING_TOLD}
    reviewed = select(AppealCase.id).where(
        AppealCase.appealed_case_id == found.id, AppealCase.state.in_((CaseState.DONE, CaseState.REFUSED))
    )
    other = AppealCase.id != case.id if case.id else true()
    return {"statement": REVIEWED} if db.session.scalar(reviewed.where(other).limit(1)) else {}


@hook
def find_decision(case: AppealCase) -> None:
    """An appeal is about the latest decision that reached the student."""
    found = _latest_decision(case.student_id)
    if found is not None:
        case.appealed_case_id = found.id
        case.appeal_until = last_day_to_appeal(found.delivered_on)
    if case.submitted_at is None:
        case.review_until = end_of_term(clock.today() + timedelta(days=setting_int("appeal_review_days")))


@hook
def told_after_the_review(case_ids: list[int], records: dict[str, Any]) -> dict[int, Any]:
    """Appeals whose outcome would be told on a day still to come, or before it was there."""
    day = str(records.get("told_on") or "")
    if day > clock.today().isoformat():
        return dict.fromkeys(case_ids, _("The day on which it reached the student is still to come."))
    concluded = func.max(func.timezone("Asia/Shanghai", CaseStep.decided_at)).cast(Date)
    query = select(CaseStep.case_id, concluded).where(among(CaseStep.case_id, case_ids)).group_by(CaseStep.case_id)
    early = [case_id for case_id, on in db.session.execute(query) if on and day < on.isoformat()]
    return dict.fromkeys(early, _("The decision cannot have reached the student before it was made."))


@hook
def time_for_the_next(given: dict[str, Any]) -> dict[str, Any]:
    """Until when she may turn to the next instance, from the day on which the outcome reached her (art. 62)."""
    told_on = given.get("told_on")
    return (
        {"next_appeal_until": end_of_term(told_on + timedelta(days=setting_int("appeal_next_days")))} if told_on else {}
    )


def why_not_extend(actor: Actor, case: Case) -> Any:
    """Why the actor cannot give the review of this appeal more time; None if she can."""
    if not isinstance(case, AppealCase) or not actor.has(Role.VICE_PRESIDENT):
        return _("The head of the school gives a review more time: the vice president.")
    if case.state != CaseState.OPEN or case.took_effect or was_refused(case.steps) or case.review_until is None:
        return _("No review is under way.")
    if case.extended_reason:
        return _("The review has been given more time already; that is possible once.")
    if case.review_until < clock.today():
        return _("The time for the review ended on %(day)s.", day=case.review_until)
    return None


@operation(needs=Permission.CASE_DECIDE)
def extend(actor: Actor, case_id: int, reason: str) -> AppealCase:
    """Give a complicated review more time, once, as the head of the school may (art. 61)."""
    case = get(Case, case_id, lock=True)
    if why := why_not_extend(actor, case):
        raise Refused(why)
    assert isinstance(case, AppealCase)
    words = reason.strip()[:LONGEST_REASON]
    if not words:
        raise Refused(_("Give a reason: the applicant reads it."))
    assert case.submitted_at is not None  # an open case was handed in
    days = setting_int("appeal_review_days") + setting_int("appeal_extension_days")
    old, case.review_until = case.review_until, end_of_term(_day(case.submitted_at) + timedelta(days=days))
    case.extended_reason = words
    for step in case.steps:
        if step.state == StepState.OPEN and step.opened_at:
            length = f"n{step.days}" if step.declared["natural_days"] else str(step.days)
            due_on = date.fromisoformat(due_dates(_day(step.opened_at))[length])
            step.due_on = min(due_on, case.review_until)
    note(actor, case, "extend", opinion=words)
    audit(actor, "case:extend", subject="flow_case", subject_id=case.id, college_id=case.college_id,
          old={"review_until": str(old)}, new={"review_until": str(case.review_until)}, detail={"reason": words})  # fmt: skip
    db.session.flush()
    news.tell_applicants(actor, "extend", [case.id], words)
    news.tell_more_time(actor, [case.id])
    return case


def _day(moment: datetime) -> date:
    return moment.astimezone(clock.ZONE).date()


@hook
def decision_to_appeal(student_id: int) -> bool:
    """Whether a decision has reached the student whose time to appeal runs, and that she has not appealed yet."""
    running = (
        LegalClock.kind == ClockKind.APPEAL,
        LegalClock.student_id == student_id,
        LegalClock.due_on >= clock.today(),
    )
    return bool(db.session.scalar(select(LegalClock.id).where(*running).limit(1)))


@hook
def in_time(case_ids: list[int], records: dict[str, Any]) -> dict[int, Any]:
    """Appeals about no decision, or later than the days that the settings give."""
    earlier = aliased(AppealCase)
    reviewed = select(earlier.id).where(
        earlier.appealed_case_id == AppealCase.appealed_case_id, earlier.id != AppealCase.id,
        earlier.state.in_((CaseState.DONE, CaseState.REFUSED)),
    ).exists()  # fmt: skip
    query = select(AppealCase.id, AppealCase.appealed_case_id, AppealCase.appeal_until, AppealCase.late_reason,
                   reviewed.label("reviewed"))  # fmt: skip
    reasons: dict[int, Any] = {}
    for row in db.session.execute(query.where(among(AppealCase.id, case_ids))):
        if row.appealed_case_id is None:
            reasons[row.id] = NOTHING_TOLD
        elif row.appeal_until < clock.today() and not row.late_reason:
            reasons[row.id] = _("The time to appeal ended on %(day)s.", day=row.appeal_until)
        elif row.reviewed:
            reasons[row.id] = REVIEWED
    return reasons


class Reversal(RosterEffect):
    """Undoes a decision in the ledger, and ends what was still to be done because of it."""

    def __call__(self, actor: Actor, case_ids: list[int]) -> None:
        super().__call__(actor, case_ids)
        appealed = select(AppealCase.appealed_case_id).where(among(AppealCase.id, case_ids))
        unfinished = CaseStep.case_id.in_(appealed), CaseStep.state.in_((StepState.OPEN, StepState.WAITING))
        db.session.execute(update(CaseStep.__table__).where(*unfinished).values(state=StepState.CLOSED))
        for case in db.session.scalars(select(Case).where(Case.id.in_(appealed), Case.state == CaseState.OPEN)):
            case.state, case.step_key, case.closed_at = CaseState.DONE, None, clock.now()
            note(actor, case, "revoke")
            audit(actor, "case:revoke", subject="flow_case", subject_id=case.id, college_id=case.college_id)
        revoked = list(db.session.scalars(appealed))
        mark_papers(actor, revoked, PaperMark.REVOKED)
        news.tell_applicants(actor, "revoke", revoked)
        exempt_revoked(actor, revoked)


def exempt_revoked(actor: Actor, case_ids: list[int]) -> None:
    """What a revoked dismissal rested on is no ground again: that ground, as far as its day goes, is exempt."""
    kinds = {kind.ground: kind for kind in ClockKind if kind.ground}
    same = or_(*(and_(DismissalCase.reason == ground, LegalClock.kind == kind) for ground, kind in kinds.items()))
    columns = {
        "student_id": Student.id, "college_id": Student.college_id, "student_college_id": Student.college_id,
        "ground": DismissalCase.reason, "since": cast(LegalClock.due_on, String),
        "reason": literal("申诉成立，原处理决定已撤销"), "exempted_by": literal(actor.user_id),
        "exempted_by_name": literal(actor.name), "exempted_at": literal(clock.now()),
    }  # fmt: skip
    source: Select = (
        select(*(value.label(name) for name, value in columns.items()))
        .join_from(DismissalCase, Student, Student.id == DismissalCase.student_id)
        .join(LegalClock, and_(LegalClock.student_id == Student.id, same, LegalClock.due_on < clock.today()))
        .where(among(DismissalCase.id, case_ids))
    )
    db.session.execute(insert(Exemption.__table__).from_select(list(columns), source).on_conflict_do_nothing())


@hook
@Reversal
def reverse(case_ids: list[int]) -> Select:
    """申诉成立，撤销原处理"""
    entry = RosterChange.case_id == AppealCase.appealed_case_id
    restored = select(RosterChange.old_status).where(entry).correlate(AppealCase).scalar_subquery()
    admission = restored.in_((RosterStatus.ADMITTED, RosterStatus.DEFERRED))
    decided = Case.__table__.alias()
    number = select(decided.c.number).where(decided.c.id == AppealCase.appealed_case_id).correlate(AppealCase)
    why = func.concat(
        either((admission, "恢复入学资格"), else_="恢复学籍"), "（申诉成立，撤销原处理", number.scalar_subquery(), "）"
    )
    code = either((admission, RESTORED_ADMISSION), else_=RESTORED)
    since = aliased(RosterChange)
    last = select(func.max(since.effective_on)).where(since.student_id == RosterChange.student_id)
    # from the day of what was revoked: she was never away; never before what was recorded of her since
    day = func.greatest(RosterChange.effective_on, last.correlate(RosterChange).scalar_subquery())
    return restore(AppealCase, case_ids, entry, code=code, note=why, effective_on=day)
