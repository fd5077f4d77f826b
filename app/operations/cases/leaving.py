"""离校清单 leaving checklist: each department ticks its own items; the student sees what is missing."""

from flask_babel import lazy_gettext as _
from sqlalchemy import select

from app.access import Actor, Permission
from app.kit.flow.inbox import step_for
from app.kit.operation import NotAllowed, Refused, audit, get, operation
from app.models import Case, CaseStep, StepState, db


@operation(needs=Permission.CASE_DECIDE)
def tick(actor: Actor, case_id: int, items: list[str]) -> CaseStep:
    """Note which leaving items of the actor's department are cleared; those not named are open again."""
    case = get(Case, case_id)
    step = step_for(actor, case)
    if step is None or not step.declared.get("items"):
        raise NotAllowed(_("Your department has no leaving items open here."))
    step = get(CaseStep, step.id, lock=True)
    known = step.declared["items"]
    if step.state != StepState.OPEN or set(items) - set(known):
        raise Refused(_("The list has changed meanwhile. Reload the page."))
    old, step.cleared = step.cleared, [item for item in known if item in items]
    audit(actor, "leaving:tick", subject="flow_case", subject_id=case.id, college_id=case.college_id,
          old={"cleared": old}, new={"cleared": step.cleared})  # fmt: skip
    return step


def checklist(case: Case) -> list[tuple[CaseStep, list[tuple[str, bool]]]]:
    """The departments of a case with each of their items and whether it is cleared."""
    steps = db.session.scalars(select(CaseStep).where(CaseStep.case_id == case.id).order_by(CaseStep.id))
    return [
        (step, [(item, item in step.cleared) for item in step.declared["items"]])
        for step in steps
        if step.declared.get("items")
    ]
