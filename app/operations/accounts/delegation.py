"""代理 delegation: while somebody is absent, a deputy signs in her name, between two dates.

A deputy holds the role in which he signs himself, in the same college or office, or one that the setting
`deputy_roles` allows for it. That is asked when he is named, and again whenever he acts.
"""

import re
from datetime import date

from flask_babel import force_locale
from flask_babel import lazy_gettext as _
from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy import cast as as_type
from sqlalchemy.dialects.postgresql import JSONB

from app.access import GRANTS, Actor, Permission, Role, acting_for, actor_of
from app.kit import clock
from app.kit.flow.inbox import signs
from app.kit.operation import NotAllowed, Refused, audit, get, operation
from app.models import CaseEvent, CaseStep, Delegation, Holder, Identity, StepState, db, setting
from app.models.accounts.account import User
from app.models.organisation.settings import setting_check

LONGEST = 366  # days
SIGNING = frozenset(role for role, grants in GRANTS.items() if Permission.DELEGATION_WRITE in grants)


def allowed_deputies(text: str) -> dict[str, frozenset[str]]:
    """Role → the roles whose holders may stand in for it beside its own, as the setting says. Raises ValueError."""
    if not text.strip():
        return {}
    known = {name: role.value for role in Role for name in _names(role)}
    allowed: dict[str, frozenset[str]] = {}
    for rule in filter(None, (part.strip() for part in re.split(r"[;；\n]", text))):
        absent, _colon, deputies = re.sub("[：=]", ":", rule).partition(":")
        names = [name.strip() for name in re.split(r"[,，、]", deputies)]
        unknown = [name for name in (absent.strip(), *names) if known.get(name) not in SIGNING]
        if unknown:
            raise ValueError(str(_("“%(name)s” is no role that signs. Write e.g. “%(one)s: %(other)s”.",
                                   name=unknown[0], one=Role.AFFAIRS_DIRECTOR.label, other=Role.VICE_PRESIDENT.label)))  # fmt: skip
        allowed[known[absent.strip()]] = frozenset(known[name] for name in names)
    return allowed


@setting_check("deputy_roles")
def check_deputies(text: str) -> None:
    """Raise ValueError for a rule that cannot be read, or lets another role sign for a college than its leader's."""
    if allowed_deputies(text).get(Role.COLLEGE_LEADER, frozenset()) - {Role.COLLEGE_LEADER}:
        raise ValueError(str(_("Only the leader in charge signs for a college (note 3 of the manual): nobody in another role"
                               " stands in for “%(role)s”.", role=Role.COLLEGE_LEADER.label)))  # fmt: skip


def _names(role: Role) -> set[str]:
    """What a role may be called in the setting: its key, or its name in either language."""
    names = {role.value}
    for language in ("zh", "en"):
        with force_locale(language):
            names.add(str(role.label))
    return names


def _stands_in(identity: Identity, role: str) -> ColumnElement[bool]:
    """The condition on Holder that she may sign for `role` of this identity: in its office, in a role that may."""
    roles = {role} | allowed_deputies(setting("deputy_roles")).get(role, frozenset())
    return and_(
        Holder.role.in_(roles),
        Holder.college_id.is_not_distinct_from(identity.college_id),
        Holder.department_id.is_not_distinct_from(identity.department_id),
    )


def deputies(identity: Identity) -> Select[User]:
    """Those whom this identity may name as deputy."""
    roles = [role.name for role in identity.roles if role.name in SIGNING]
    fitting = select(Holder.user_id).where(or_(false(), *(_stands_in(identity, role) for role in roles)))
    return select(User).where(User.id != identity.user_id, User.id.in_(fitting))


def covered(identity: Identity, deputy_user_id: int) -> frozenset[str]:
    """The roles of an identity in which this deputy may sign today."""
    roles = [role.name for role in identity.roles if role.name in SIGNING]
    return frozenset(
        role for role in roles
        if db.session.scalar(select(Holder.user_id).where(_stands_in(identity, role), Holder.user_id == deputy_user_id)
                             .limit(1)) is not None
    )  # fmt: skip


def barred_steps(actor: Actor, deputy_user_id: int) -> int:
    """How many steps that wait for the actor this deputy could not sign: he had a hand in the case before."""
    hands, event = as_type(CaseStep.declared["hands_differ_from"], JSONB), CaseEvent
    had = or_(
        and_(event.act.in_(("submit", "resubmit")), func.jsonb_exists(hands, "submit")),
        and_(event.act == "approve", func.jsonb_exists(hands, event.step_key)),
    )
    by_him = select(event.id).where(event.case_id == CaseStep.case_id, event.actor_id == deputy_user_id, had)
    waiting = select(func.count()).select_from(CaseStep).where(CaseStep.state == StepState.OPEN, signs(actor))
    return db.session.scalar(waiting.where(by_him.correlate(CaseStep).exists())) or 0


@operation(needs=Permission.DELEGATION_WRITE)
def delegate(actor: Actor, deputy_user_id: int, starts_on: date, ends_on: date, reason: str) -> Delegation:
    """Let somebody sign what the actor's present identity signs, from one day to another."""
    if actor.on_behalf_of:
        raise NotAllowed(_("A deputy cannot name another deputy."))
    if deputy_user_id == actor.user_id:
        raise Refused(_("You cannot be your own deputy."))
    if not clock.today() <= ends_on or starts_on > ends_on or (ends_on - starts_on).days > LONGEST:
        raise Refused(_("A delegation ends after it begins, not in the past, and lasts a year at most."))
    if not reason.strip():
        raise Refused(_("Say why you are absent."))
    if not covered(get(Identity, actor.identity_id), deputy_user_id):
        raise Refused(_("A deputy holds the same role as you, in the same college or office, or one that the settings"
                        " allow for it. Choose one of those offered."))  # fmt: skip
    delegation = Delegation(
        absent_user_id=actor.user_id, absent_identity_id=actor.identity_id, deputy_user_id=deputy_user_id,
        starts_on=starts_on, ends_on=ends_on, reason=reason.strip()[:200],
    )  # fmt: skip
    db.session.add(delegation)
    db.session.flush()
    audit(actor, "delegation:make", subject="delegation", subject_id=delegation.id,
          new={"deputy": deputy_user_id, "from": starts_on.isoformat(), "to": ends_on.isoformat()})  # fmt: skip
    return delegation


@operation(needs=Permission.DELEGATION_WRITE)
def revoke(actor: Actor, delegation_id: int) -> Delegation:
    """End a delegation at once; only who gave it can."""
    delegation = get(Delegation, delegation_id, lock=True)
    if delegation.absent_user_id != actor.user_id or actor.on_behalf_of:
        raise NotAllowed(_("Only who gave a delegation can take it back."))
    delegation.revoked = True
    audit(actor, "delegation:revoke", subject="delegation", subject_id=delegation.id)
    return delegation


def as_deputy(actor: Actor, delegation_id: int) -> Actor:
    """The actor in the place of the absent, in the roles that he may take today. Raises NotAllowed if there is none."""
    delegation = get(Delegation, delegation_id)
    today = clock.today()
    if (
        delegation.deputy_user_id != actor.user_id
        or delegation.revoked
        or not delegation.absent.active
        or delegation.absent_identity.ended_on is not None
        or not delegation.starts_on <= today <= delegation.ends_on
    ):
        raise NotAllowed(_("This delegation is not yours, or does not hold today."))
    roles = covered(delegation.absent_identity, actor.user_id)
    if not roles:
        raise NotAllowed(_("This delegation no longer holds: you, or the absent, no longer have the role in that college"
                           " or office."))  # fmt: skip
    return acting_for(actor, actor_of(delegation.absent_identity), roles)
