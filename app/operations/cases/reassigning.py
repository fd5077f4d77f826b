"""改派 reassigning: an open step is handed to one of those who hold its role, or back to all of them, with the reason."""

from collections.abc import Iterator
from datetime import date

from flask_babel import lazy_gettext as _
from sqlalchemy import and_, func, select

from app.access import Actor, Permission, Role
from app.kit import clock
from app.kit.flow import label
from app.kit.flow.check import hands_of
from app.kit.flow.hands import select_holders
from app.kit.jobs.due import Due, due_source, tell
from app.kit.operation import NotAllowed, Refused, audit, get, operation
from app.models import AuditEntry, Case, CaseEvent, CaseState, CaseStep, StepSigner, StepState, db
from app.models.accounts.account import signature

LONGEST_REASON = 300
FELL = ("case:release", "case:follow")  # by themselves: its holder has left, or its student has gone to another college


def may_reassign(actor: Actor, step: CaseStep) -> bool:
    """The registry hands on any open step; a leader those that her 学院 signs. A deputy hands on nothing."""
    if step.state != StepState.OPEN or not actor.may(Permission.CASE_REASSIGN) or actor.on_behalf_of:
        return False
    if actor.has(Role.REGISTRY):
        return True
    return Role(step.role).scope == "college" and step.signing_college_id == actor.scope.college_id


@operation(needs=Permission.CASE_REASSIGN)
def reassign(actor: Actor, step_id: int, user_id: int | None, reason: str) -> CaseStep:
    """Hand an open step to `user_id`, who alone signs it from now on; None gives it back to all who hold its role."""
    case = get(Case, get(CaseStep, step_id).case_id, lock=True)
    step = get(CaseStep, step_id, lock=True)
    if case.state != CaseState.OPEN or step.state != StepState.OPEN:
        raise Refused(_("This step is not open any more: there is nothing to hand on. Reload the page."))
    if not may_reassign(actor, step):
        raise NotAllowed(_("The registry hands on any step, a college leader those of her own college."))
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise Refused(_("Say why the step is handed on (at most %(most)s characters).", most=LONGEST_REASON))
    if user_id == step.assigned_to:
        raise Refused(_("The step is with them already."))
    holders = {user.id: user for user in db.session.scalars(select_holders(step))}
    if user_id is not None:
        if user_id not in holders:
            raise Refused(_("This person does not sign such a step: choose one of those offered."))
        hindered = hands_of(user_id, [case.id]).why_not(case, step)
        if hindered:
            raise Refused(
                _("This person cannot sign here: she has handed in or signed the case before, or is its student.")
            )
    before, step.assigned_to = step.assigned_to, user_id
    name = signature(holders[user_id]) if user_id is not None else str(step.department or Role(step.role).label)
    event = CaseEvent(
        case_id=case.id, student_id=case.student_id, college_id=case.college_id,
        student_college_id=case.student_college_id, target_college_id=case.target_college_id, act="reassign",
        step_key=step.key, role=next(iter(sorted(actor.roles)), None), actor_id=actor.user_id, actor_name=actor.name,
        opinion=f"→ {name}: {reason}", at=clock.now(),
    )  # fmt: skip
    db.session.add(event)
    db.session.flush()
    audit(actor, "case:reassign", subject="flow_case", subject_id=case.id, college_id=case.college_id,
          old={"assigned_to": before}, new={"assigned_to": user_id},
          detail={"step": step.key, "reason": reason})  # fmt: skip
    told = {user_id} if user_id is not None else set(holders)
    tell([Due(
        key=f"reassign:{event.id}", users=tuple(sorted((told | {before or 0}) - {0, actor.user_id})),
        title=_("Handed on: %(case)s, %(step)s", case=case.number, step=label("step", step.key)),
        text=_("%(who)s has handed the step to %(name)s. Reason: %(reason)s", who=actor.name, name=name, reason=reason),
        path=f"/casescreen/show/{case.id}",
    )])  # fmt: skip
    return step


@due_source("fallen_steps")
def fallen_steps(actor: Actor, today: date) -> Iterator[Due]:
    """Open steps that came to other hands by themselves: whoever can sign them now is told, once for each time."""
    entry = AuditEntry
    fell = and_(
        entry.subject == "flow_case", entry.subject_id == CaseStep.case_id, entry.action.in_(FELL),
        entry.at >= CaseStep.opened_at,
    )  # fmt: skip
    latest = select(CaseStep.id, func.max(entry.id).label("entry")).join(entry, fell)
    latest = latest.where(CaseStep.state == StepState.OPEN, CaseStep.assigned_to.is_(None)).group_by(CaseStep.id)
    found = latest.subquery()
    signers = select(func.array_agg(StepSigner.user_id.distinct())).where(StepSigner.step_id == CaseStep.id)
    query = (
        select(CaseStep, Case, found.c.entry, signers.scalar_subquery())
        .join(found, found.c.id == CaseStep.id)
        .join(Case, Case.id == CaseStep.case_id)
        .order_by(CaseStep.id)
    )
    for step, case, number, users in db.session.execute(query):
        yield Due(
            key=f"fallen:{step.id}:{number}", users=tuple(users or ()),
            title=_("Yours to sign now: %(case)s, %(step)s", case=case.number, step=label("step", step.key)),
            text=_("%(subject)s. Whoever had it signs it no more. Sign it by %(due)s.", subject=case.subject,
                   due=step.due_on),
            path=f"/casescreen/show/{case.id}",
        )  # fmt: skip
