"""身份 the end of an identity: what was given by two hands is taken back by one, at once."""

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString
from sqlalchemy import func, select

from app.access import Actor, Permission, Role
from app.access.roles import BUILT_IN
from app.kit import clock
from app.kit.jobs.due import Due, Staff, tell
from app.kit.operation import Refused, audit, get, operation
from app.models import Identity, Proposal, ProposalState, db
from app.models.accounts.account import signature
from app.models.language import listed
from app.operations.accounts.second_hand import check_running, held_words, needs_second_hand


@operation(needs=Permission.ACCOUNT_WRITE)
def end_identity(actor: Actor, identity_id: int) -> Identity:
    """From today an identity opens nothing. It stays as it was, for what was done in it; the database ends its logins, and
    what was handed to it falls back."""
    identity = get(Identity, identity_id, lock=True)
    if actor.user_id == identity.user_id:
        raise Refused(_("Nobody changes his own identities. Another administrator of accounts can."))
    check_running(identity)
    pending = select(Proposal.id).where(Proposal.identity_id == identity_id, Proposal.state == ProposalState.PENDING)
    for proposal_id in db.session.scalars(pending).all():
        db.session.scalar(select(func.decide_proposal(proposal_id, False, str(_("The identity has ended.")))))
    old, roles = held_words(identity), tuple(role.name for role in identity.roles)
    identity.ended_on = clock.today()
    db.session.flush()
    audit(actor, "identity:end", subject="ab_user", subject_id=identity.user_id, old=old,
          new={"ended_on": identity.ended_on.isoformat()})  # fmt: skip
    registry = set(Staff().holding(Role.REGISTRY)) if needs_second_hand(identity.scope, roles) else set()
    what, whom, key = LazyString(lambda: words_of(identity)), signature(identity.user), f"identity:{identity_id}:ended"
    tell([
        Due(key, (identity.user_id,), _("One of your identities has ended"),
            _("%(who)s has ended your identity “%(what)s”. It opens nothing from now on, and your logins have ended. What you"
              " did in it stays. If this is wrong, ask the administrator of accounts.", who=actor.name, what=what),
            "/account/"),
        Due(key, tuple(sorted(registry - {actor.user_id, identity.user_id})), _("An identity has ended"),
            _("%(who)s has ended the identity “%(what)s” of %(whom)s.", who=actor.name, what=what, whom=whom)),
    ])  # fmt: skip
    return identity


def words_of(identity: Identity) -> str:
    """An identity as people call it: where, and in which roles."""
    roles = listed(Role(role.name).label if role.name in BUILT_IN else role.name for role in identity.roles)
    place = identity.college or identity.department
    return f"{place} · {roles}" if place else roles
