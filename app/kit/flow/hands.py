"""经办人 hands: who can sign a step, and which open steps wait for somebody whom nobody has appointed.

The rule itself is the view step_signer, so that pages, notices and the database's own triggers say the same.
"""

from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import ColumnElement, Select, and_, func, select, true

from app.access import Role
from app.models import Case, CaseState, CaseStep, Holder, StepSigner, StepState, db
from app.models.accounts.account import User


def holds_role_of(step: CaseStep) -> ColumnElement[bool]:
    """The condition on Holder that she holds the role of this step where it is signed."""
    here: list[ColumnElement[bool]] = [Holder.role == step.role]
    if step.role == Role.DEPARTMENT:
        here.append(Holder.department_id == step.department_id)
    elif Role(step.role).scope == "college":
        here.append(Holder.college_id == step.signing_college_id)
    return and_(*here)


def select_holders(step: CaseStep) -> Select[User]:
    """Those who hold the role of a step where it is signed, accounts in use alone."""
    return select(User).where(User.id.in_(select(Holder.user_id).where(holds_role_of(step)))).order_by(User.username)


def is_vacant() -> ColumnElement[bool]:
    """The condition on CaseStep that it is open and nobody can sign it."""
    signer = select(StepSigner.step_id).where(StepSigner.step_id == CaseStep.id).correlate(CaseStep)
    return and_(CaseStep.state == StepState.OPEN, ~signer.exists())


def select_vacant() -> Select[CaseStep, Case]:
    """The open steps within the reader's scope that nobody can sign, the oldest first."""
    return (
        select(CaseStep, Case)
        .join(Case, Case.id == CaseStep.case_id)
        .where(Case.state == CaseState.OPEN, is_vacant())
        .order_by(CaseStep.opened_at, CaseStep.id)
    )


def vacancies_of(case: Case) -> list[Any]:
    """A sentence for each open step of the case that nobody can sign: what is missing, and who sees to it."""
    if case.state != CaseState.OPEN:
        return []
    return [why_vacant(step) for step in db.session.scalars(
        select(CaseStep).where(CaseStep.case_id == case.id, is_vacant()).order_by(CaseStep.id)
    )]  # fmt: skip


def why_vacant(step: CaseStep) -> Any:
    """What is missing for a step that nobody can sign, and who can take over."""
    who = step.department or Role(step.role).label
    if db.session.scalar(select(select(Holder.user_id).where(holds_role_of(step)).exists())):
        return _("Nobody can sign this step now: whoever is “%(role)s” here has had a hand in the case before, or is its"
                 " student. The administrator of accounts has to give the role to one more person.", role=who)  # fmt: skip
    return _("Nobody can sign this step now: no account in use is “%(role)s” here. The administrator of accounts has to"
             " give the role to somebody; the roster registry knows of it.", role=who)  # fmt: skip


def vacant_now() -> dict[int, tuple[str, int | None]]:
    """Step → its role and the college that signs it, of every open step of the school that nobody can sign; asked for
    by whoever keeps the accounts as well, who reads no case."""
    found = func.vacant_steps().table_valued("step_id", "role", "college_id")
    return {row.step_id: (row.role, row.college_id) for row in db.session.execute(select(found).where(true()))}
