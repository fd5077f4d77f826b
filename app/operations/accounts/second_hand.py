"""第二人确认 the second hand: nobody alone opens the roster to anybody, himself least of all."""

from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import any_, func, select, true

from app.access import GRANTS, Actor, Permission, Role
from app.access.roles import BUILT_IN, HARMLESS, SCOPE_LABELS
from app.kit import clock
from app.kit.jobs.due import Due, Staff, tell
from app.kit.operation import Faulty, NotAllowed, Refused, audit, get, operation
from app.models import College, Department, Identity, Proposal, ProposalKind, ProposalState, db
from app.models.accounts.account import AccountRole, User, signature

PLACES = {"college": "college_id", "department": "department_id"}
PAGE = "/proposals/"
LONGEST_REASON = 300
ACCOUNT_SINCE = _("Name or e-mail of the account changed after this was proposed. Look at it, and propose it again.")
PASSWORD_SINCE = _("The account was given another password after this was proposed. Look at it, and propose it again.")


@dataclass(frozen=True)
class Wanted:
    """What an identity is to be."""

    user_id: int
    scope: str
    roles: tuple[str, ...]
    college_id: int | None = None
    department_id: int | None = None
    title: str | None = None


def needs_second_hand(scope: str, roles: tuple[str, ...]) -> bool:
    """Whether an identity opens more than one's own pages: rows, be it one's own alone, acts, or accounts. A role made
    on the screen may be anything."""
    return scope != "none" or not HARMLESS.issuperset(roles)


def check_reach(wanted: Wanted) -> None:
    """A role with rows of its own is held for those rows: of one college, of the school, of the freshmen. Raises Faulty."""
    faults: dict[str, Any] = {}
    built_in = [Role(name) for name in wanted.roles if name in BUILT_IN]
    reaching = {role.scope: role for role in built_in if role.scope != "none"}
    if len(reaching) > 1:
        faults["roles"] = _("These roles reach different students. Make an identity for each.")
    elif built_in and (reaching or len(built_in) == len(wanted.roles)):
        scope, role = next(iter(reaching.items()), ("none", built_in[0]))
        if wanted.scope != scope:
            faults["scope"] = _("The role “%(role)s” goes with “%(scope)s”. Choose that here, or another role.",
                                role=role.label, scope=SCOPE_LABELS[scope])  # fmt: skip
    for scope, place in PLACES.items():
        if (wanted.scope == scope) != (getattr(wanted, place) is not None):
            faults[scope] = _("An identity for a college or a department names it, and no other does.")
    if faults:
        raise Faulty(faults)


def check_running(identity: Identity | None) -> None:
    """Raises Refused for an identity that has ended."""
    if identity is not None and identity.ended_on is not None:
        raise Refused(_("This identity has ended and stays as it was. Make a new one."))


def check_not_given(role: AccountRole, *, ever: bool = False) -> None:
    """A role that somebody holds (or, if `ever`, held) or is proposed for stays what was confirmed. Raises Refused."""
    db.session.execute(select(AccountRole.id).where(AccountRole.id == role.id).with_for_update())
    holders = select(Identity.id).where(Identity.roles.any(AccountRole.id == role.id))
    if not ever:
        holders = holders.where(Identity.ended_on.is_(None))
    proposed = select(Proposal.id).where(Proposal.state == ProposalState.PENDING, any_(Proposal.roles) == role.name)
    if db.session.scalar(holders.limit(1)) is not None or db.session.scalar(proposed.limit(1)) is not None:
        raise Refused(_("Somebody holds this role or is proposed for it, so it stays as it was confirmed. Copy it, change the"
                        " copy, and propose that for its holders."))  # fmt: skip


def holds_much(user_id: int) -> bool:
    """Whether the account has an identity that needs two hands: then so does its password."""
    held = db.session.scalars(select(Identity).where(Identity.user_id == user_id, Identity.ended_on.is_(None)))
    return any(needs_second_hand(one.scope, tuple(role.name for role in one.roles)) for one in held)


@operation(needs=Permission.ACCOUNT_WRITE)
def propose_identity(actor: Actor, wanted: Wanted, identity_id: int | None = None) -> Proposal:
    """Propose an identity, or that one becomes another. It is not held before somebody else has confirmed it."""
    check_reach(wanted)
    identity = get(Identity, identity_id) if identity_id is not None else None
    if actor.user_id in (wanted.user_id, identity.user_id if identity else None):
        raise Refused(_("Nobody changes his own identities. Another administrator of accounts can."))
    check_running(identity)
    waiting = select(Proposal.id).where(
        Proposal.state == ProposalState.PENDING, Proposal.kind == ProposalKind.IDENTITY,
        Proposal.user_id == wanted.user_id,
        Proposal.identity_id == identity_id if identity_id else Proposal.scope == wanted.scope,
        true() if identity_id else Proposal.college_id.is_not_distinct_from(wanted.college_id),
    )  # fmt: skip
    if db.session.scalar(waiting.limit(1)) is not None:
        raise Refused(_("Such a proposal waits already. Let it be confirmed or declined first."))
    proposal = Proposal(
        kind=ProposalKind.IDENTITY, user_id=wanted.user_id, identity_id=identity_id, scope=wanted.scope,
        college_id=wanted.college_id, department_id=wanted.department_id, title=wanted.title, roles=list(wanted.roles),
        proposed_by=actor.user_id,
    )  # fmt: skip
    _put(proposal)
    audit(actor, "identity:propose", subject="ab_user", subject_id=wanted.user_id, old=held_words(identity),
          new=wanted_words(proposal))  # fmt: skip
    _tell_of(actor, proposal)
    return proposal


@operation(needs=Permission.ACCOUNT_WRITE)
def propose_password(actor: Actor, user_id: int, hashed: str) -> Proposal:
    """Propose a password for an account that reaches much: whoever sets it could log in as its owner."""
    proposal = Proposal(
        kind=ProposalKind.PASSWORD, user_id=user_id, roles=[], secret=hashed, proposed_by=actor.user_id
    )  # fmt: skip
    _put(proposal)
    audit(actor, "password:propose", subject="ab_user", subject_id=user_id)
    _tell_of(actor, proposal)
    tell([Due(
        key=f"proposal:{proposal.id}:owner", users=(user_id,), title=_("A new password is proposed for your account"),
        text=_("%(who)s wants to give your account another password. It holds when a second person has confirmed it. If you"
               " did not ask for it, tell the roster registry at once.", who=actor.name),
        path="/account/",
    )])  # fmt: skip
    return proposal


def void_proposals(actor: Actor, user_id: int, why: Any) -> int:
    """Decline what waits for an account that is not any more what was proposed for; its proposers are told. How many."""
    pending = select(Proposal).where(Proposal.user_id == user_id, Proposal.state == ProposalState.PENDING)
    waiting = db.session.scalars(pending.order_by(Proposal.id)).all()
    for proposal in waiting:
        db.session.scalar(select(func.decide_proposal(proposal.id, False, str(why))))
        audit(actor, "password:decline" if proposal.kind == ProposalKind.PASSWORD else "identity:decline",
              subject="ab_user", subject_id=user_id, new=wanted_words(proposal),
              detail={"proposed_by": signature(proposal.proposer), "reason": str(why)})  # fmt: skip
        tell([Due(
            key=f"proposal:{proposal.id}:void", users=(proposal.proposed_by,),
            title=_("Declined: an account of %(name)s", name=signature(proposal.user)), text=why, path=PAGE,
        )])  # fmt: skip
        db.session.expire(proposal)
    return len(waiting)


def tell_of_password(actor: Actor, user_id: int, giver: str) -> None:
    """The owner of an account knows at once that another has given it a password."""
    tell([Due(
        key=f"account:{user_id}:password:{clock.now().isoformat()}", users=(user_id,),
        title=_("Your account was given another password"),
        text=_("%(giver)s has given your account another password, and %(who)s let it hold. Your logins have ended; at the next"
               " one you choose your own. If you did not ask for it, tell the roster registry at once.",
               giver=giver, who=actor.name),
        path="/account/",
    )])  # fmt: skip


@operation(needs=Permission.ACCOUNT_CONFIRM)
def decide_proposal(actor: Actor, proposal_id: int, *, accepted: bool, reason: str = "") -> Proposal:
    """Confirm what another has proposed, or decline it with a reason that its proposer reads; who proposed it may take it
    back without one."""
    if actor.on_behalf_of:
        raise NotAllowed(_("Nobody confirms accounts in another's name."))
    proposal = get(Proposal, proposal_id)
    why = " ".join(reason.split())[:LONGEST_REASON] or None
    if not accepted and why is None and actor.user_id != proposal.proposed_by:
        raise Refused(_("Give a reason: whoever proposed it reads it."))
    if accepted and proposal.kind == ProposalKind.IDENTITY:
        check_reach(Wanted(proposal.user_id, proposal.scope or "", tuple(proposal.roles), proposal.college_id,
                           proposal.department_id))  # fmt: skip
    old, new = held_words(proposal.identity), wanted_words(proposal)
    outcome = db.session.scalar(select(func.decide_proposal(proposal_id, accepted, None if accepted else why)))
    if outcome == "own":
        raise Refused(_("It takes a second person: neither who proposed this nor whom it is for confirms it."))
    if outcome == "given":
        raise Refused(_("You and whoever proposed this have a password from the same hand: one gave it to the other, or one"
                        " person gave it to both, not long ago. Somebody else confirms it."))  # fmt: skip
    if outcome != "done":
        raise Refused(_("This proposal has been decided already."))
    db.session.expire(proposal)
    password = proposal.kind == ProposalKind.PASSWORD
    audit(
        actor,
        ("password:confirm" if accepted else "password:decline") if password
        else ("identity:confirm" if accepted else "identity:decline"),
        subject="ab_user", subject_id=proposal.user_id, old=old, new=new,
        detail={"proposed_by": signature(proposal.proposer)} | ({"reason": why} if why and not accepted else {}),
    )  # fmt: skip
    if accepted and password:
        tell_of_password(actor, proposal.user_id, signature(proposal.proposer))
        void_proposals(actor, proposal.user_id, PASSWORD_SINCE)
    told = set(Staff().holding(Role.REGISTRY)) | {proposal.proposed_by}
    name, people = signature(proposal.user), {"who": actor.name, "proposer": signature(proposal.proposer)}
    done = _("Confirmed: an account of %(name)s", name=name)
    tell([Due(
        key=f"proposal:{proposal.id}:decided", users=tuple(sorted(told - {actor.user_id})),
        title=done if accepted else _("Declined: an account of %(name)s", name=name),
        text=_("%(who)s has declined what %(proposer)s had proposed: %(why)s", why=why, **people) if why and not accepted
        else _("%(who)s has decided what %(proposer)s had proposed. The audit has the particulars.", **people),
        path=PAGE,
    )])  # fmt: skip
    return proposal


def wanted_words(proposal: Proposal) -> dict[str, Any]:
    """What is proposed, in words for the audit and the page; nothing of a password."""
    if proposal.kind == ProposalKind.PASSWORD:
        return {"user": signature(proposal.user)}
    places = (
        db.session.get(College, proposal.college_id or 0),
        db.session.get(Department, proposal.department_id or 0),
    )
    return _words(proposal.user, proposal.roles, proposal.scope or "", *places, proposal.title)


def held_words(identity: Identity | None) -> dict[str, Any] | None:
    """What an identity is before it is changed."""
    if identity is None:
        return None
    roles = sorted(role.name for role in identity.roles)
    return _words(identity.user, roles, identity.scope, identity.college, identity.department, identity.title)


def _words(
    user: User, roles: list[str], scope: str, college: Any, department: Any, title: str | None
) -> dict[str, Any]:
    return {
        "user": signature(user), "roles": roles, "scope": scope, "college": str(college) if college else None,
        "department": str(department) if department else None, "title": title,
    }  # fmt: skip


def _put(proposal: Proposal) -> None:
    if db.session.get(User, proposal.user_id) is None:
        raise Refused(_("There is no such account."))
    named = select(AccountRole.name).where(AccountRole.name.in_(proposal.roles))
    known = set(db.session.scalars(named.with_for_update(read=True, key_share=True)))  # none changes meanwhile
    if proposal.kind == ProposalKind.IDENTITY and (not proposal.roles or known != set(proposal.roles)):
        raise Refused(_("An identity has at least one role."))
    db.session.add(proposal)
    db.session.flush()


def _tell_of(actor: Actor, proposal: Proposal) -> None:
    """The registry and whoever may confirm know of it, and of nothing secret."""
    roles = [role for role, granted in GRANTS.items() if Permission.ACCOUNT_CONFIRM in granted]
    told = set(Staff().holding(*roles)) - {actor.user_id, proposal.user_id}
    tell([Due(
        key=f"proposal:{proposal.id}", users=tuple(sorted(told)), title=_("Accounts: a proposal waits for a second hand"),
        text=_("%(who)s proposes an identity or a password for %(whom)s. Look at what it reaches before you confirm it.",
               who=actor.name, whom=signature(db.session.get_one(User, proposal.user_id))),
        path=PAGE,
    )])  # fmt: skip
