"""代理 delegation: while somebody is absent, a deputy signs in her name, between two dates."""

from datetime import date

from flask_babel import lazy_gettext as _
from sqlalchemy import Select, select

from app.access import GRANTS, Actor, Permission, acting_for, actor_of
from app.kit import clock
from app.kit.operation import NotAllowed, Refused, audit, get, operation
from app.models import Delegation, Identity, db
from app.models.accounts import AccountRole, User

LONGEST = 366  # days


def deputies() -> Select:
    """Users who may be named as deputy: accounts in use with a role that signs and delegates itself."""
    signing = [role for role, grants in GRANTS.items() if Permission.DELEGATION_WRITE in grants]
    signers = select(Identity.user_id).join(Identity.roles).where(AccountRole.name.in_(signing))
    return select(User).where(User.active, User.id.in_(signers))


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
    if not db.session.scalar(select(deputies().where(User.id == deputy_user_id).exists())):
        raise Refused(_("There is no such person among those who sign."))
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
    """The actor in the place of the absent, if the delegation is his and holds today. Raises NotAllowed."""
    delegation = get(Delegation, delegation_id)
    today = clock.today()
    if (
        delegation.deputy_user_id != actor.user_id
        or delegation.revoked
        or not delegation.absent.active
        or not delegation.starts_on <= today <= delegation.ends_on
    ):
        raise NotAllowed(_("This delegation is not yours, or does not hold today."))
    return acting_for(actor, actor_of(delegation.absent_identity))
