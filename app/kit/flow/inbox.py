"""待办 inbox: the open steps of an identity across all flows, what was sent back to her, what she has done."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select

from app.access import Actor, Permission, Role
from app.kit.flow.apply import FILLING, applied, why_not_withdraw
from app.kit.flow.check import hands_of
from app.kit.flow.labels import label
from app.kit.flow.registry import FLOWS
from app.kit.flow.steps import is_mine
from app.models import Case, CaseEvent, CaseState, CaseStep, StepState, among, db
from app.models.accounts.account import signature


def signs(actor: Actor) -> ColumnElement[bool]:
    """The condition on CaseStep that the actor's identity signs it; `is_mine` says the same of one row."""
    conditions: list[ColumnElement[bool]] = []
    for name in actor.roles:
        if name not in set(Role):
            continue
        here = CaseStep.role == name
        if name == Role.DEPARTMENT:
            here = and_(here, CaseStep.department_id == actor.scope.department_id)
        elif Role(name).scope == "college":
            here = and_(here, CaseStep.signing_college_id == actor.scope.college_id)
        conditions.append(here)
    mine = or_(CaseStep.assigned_to.is_(None), CaseStep.assigned_to == actor.signs_as)
    return and_(or_(false(), *conditions), mine)


def select_open_steps(actor: Actor) -> Select[CaseStep, Case]:
    """What waits for this identity, the longest overdue first."""
    return (
        select(CaseStep, Case)
        .join(Case, Case.id == CaseStep.case_id)
        .where(CaseStep.state == StepState.OPEN, signs(actor))
        .order_by(CaseStep.due_on, CaseStep.id)
    )


def select_sent_back(actor: Actor) -> Select[Case]:
    """What was sent back to this identity to be put right: her own cases, or those she applied for as clerk."""
    mine = or_(Case.student_id == actor.scope.student_id, Case.opened_by == actor.user_id)
    return select(Case).where(Case.state == CaseState.SENT_BACK, mine).order_by(Case.id.desc())


def sent_back_whys(case_ids: list[int]) -> dict[int, str]:
    """Case → why it was sent back to the step that is open, of those where nobody has signed since."""
    acts = CaseEvent.act.in_(("submit", "resubmit", "approve", "send_back"))
    latest = select(func.max(CaseEvent.id)).where(among(CaseEvent.case_id, case_ids), acts).group_by(CaseEvent.case_id)
    query = select(CaseEvent.case_id, CaseEvent.act, CaseEvent.opinion).where(CaseEvent.id.in_(latest))
    return {case_id: why for case_id, act, why in db.session.execute(query) if act == "send_back" and why}


def select_done_by(actor: Actor) -> Select[CaseStep, Case]:
    """What this person has decided, the latest first."""
    return (
        select(CaseStep, Case)
        .join(Case, Case.id == CaseStep.case_id)
        .where(CaseStep.decided_by == actor.user_id, CaseStep.state != StepState.OPEN)
        .order_by(CaseStep.decided_at.desc(), CaseStep.id.desc())
    )


@dataclass(frozen=True)
class Next:
    """One thing that has to happen next: what, by whom, by when (None: whenever she likes)."""

    what: Any
    who: Any
    by: date | None = None


def what_next(case: Case) -> list[Next]:
    """What a case waits for; nothing when it is closed. Several departments can be waited for at once."""
    if case.state in FILLING:
        again = case.state == CaseState.SENT_BACK
        return [Next(_("To be put right and handed in again") if again else _("To be handed in"), _("Applicant"))]
    if case.state != CaseState.OPEN:
        return []
    steps: Iterable[CaseStep] = db.session.scalars(
        select(CaseStep).where(CaseStep.case_id == case.id, CaseStep.state == StepState.OPEN).order_by(CaseStep.id)
    )
    return [Next(label("step", step.key), signer(step), step.due_on) for step in steps]


def signer(step: CaseStep) -> Any:
    """Who signs a step, in words: a department or a role, and the one of them to whom it was handed."""
    who = step.department or Role(step.role).label
    return _("%(role)s %(name)s", role=who, name=signature(step.assignee)) if step.assignee else who


def step_for(actor: Actor, case: Case) -> CaseStep | None:
    """The open step of the case that this identity signs: what a page shows and sends back as `expected_step`."""
    open_steps = select(CaseStep).where(CaseStep.case_id == case.id, CaseStep.state == StepState.OPEN)
    return next((step for step in db.session.scalars(open_steps) if is_mine(actor, step)), None)


def may(actor: Actor, case: Case) -> set[str]:
    """The acts for which this identity gets a button on the case's page."""
    acts: set[str] = set()
    if actor.may(Permission.CASE_OPEN) and applied(actor, case):
        if case.state in FILLING:
            acts |= {"save", "submit", "add_material"}
        if why_not_withdraw(actor, case) is None:
            acts.add("withdraw")
    if actor.may(Permission.CASE_EXCEPT) and case.state == CaseState.DRAFT and not case.late_reason:
        acts.add("let_in_late")
    if actor.may(Permission.CASE_DECIDE) and case.state == CaseState.OPEN:
        step = step_for(actor, case)
        if step is not None and hands_of(actor.user_id, [case.id]).why_not(case, step) is None:
            acts |= {"approve"} if step.declared["after_effect"] else {"approve", "send_back", "refuse"}
            acts -= {"refuse"} if step.declared.get("refusal") == "barred" else set()
    return acts


def flows_open_to(actor: Actor) -> list[str]:
    """The keys of the flows for which this identity may apply."""
    if not actor.may(Permission.CASE_OPEN):
        return []
    return [key for key, flow in FLOWS.items() if actor.roles & flow.applicants]
