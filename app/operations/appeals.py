"""送达与申诉 delivery and appeal: when a decision reached the student, until when she may appeal, what a revocation does."""

from datetime import date, timedelta
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import Select, String, and_, cast, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from app.access import Actor
from app.kit import clock
from app.kit.calendar import end_of_term
from app.kit.flow import among, hook, news
from app.kit.flow.apply import note
from app.kit.operation import audit
from app.models import (
    AppealCase,
    Case,
    CaseState,
    CaseStep,
    ClockKind,
    DismissalCase,
    Exemption,
    LegalClock,
    RosterChange,
    StepState,
    Student,
    db,
    setting_int,
)
from app.operations.roster import RosterEffect, changes


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


@hook
def find_decision(case: AppealCase) -> None:
    """An appeal is about the latest decision that reached the student."""
    table = Case.__table__.c
    told = select(table.id, table.delivered_on).where(
        table.student_id == case.student_id, table.delivered_on.is_not(None)
    )
    found = db.session.execute(told.order_by(table.delivered_on.desc(), table.id.desc()).limit(1)).first()
    if found is not None:
        case.appealed_case_id = found.id
        case.appeal_until = last_day_to_appeal(found.delivered_on)


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
            reasons[row.id] = _("No decision has reached this student that could be appealed.")
        elif row.appeal_until < clock.today() and not row.late_reason:
            reasons[row.id] = _("The time to appeal ended on %(day)s.", day=row.appeal_until)
        elif row.reviewed:
            reasons[row.id] = _("This decision has been reviewed already.")
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
    earlier = aliased(RosterChange)  # what the decision had put an end to: a leave ends on the day that it said
    until = (
        select(earlier.until)
        .join(RosterChange, and_(entry, RosterChange.student_id == earlier.student_id, earlier.id < RosterChange.id))
        .order_by(earlier.id.desc())
        .limit(1)
        .correlate(AppealCase)
        .scalar_subquery()
    )

    def before(column: Any) -> Any:
        return select(column).where(entry).correlate(AppealCase).scalar_subquery()

    return changes(
        AppealCase, case_ids, code="99", status=before(RosterChange.old_status), note="撤销原处理",
        major_id=before(RosterChange.old_major_id), grade=before(RosterChange.old_grade),
        class_group_id=before(RosterChange.old_class_group_id), until=until,
        study_length=before(RosterChange.old_study_length),
    )  # fmt: skip
