"""当前身份 actor: the person who acts, in one identity, with what it may do and reach."""

from dataclasses import dataclass, field, replace
from datetime import date

from flask import g
from flask_login import current_user
from sqlalchemy import select

from app.access.roles import BUILT_IN, Permission, Role, granted
from app.access.scope import NO_SCOPE, NOBODY, Scope
from app.access.sessions import this_login
from app.models import Delegation, Identity, db
from app.models.accounts.account import person_name, signature


@dataclass(frozen=True)
class Actor:
    """Who acts. Operations get it as their first argument; nothing below the views reads a global user."""

    user_id: int
    name: str  # with the account, as it is written down: see `signature`
    identity_id: int
    roles: frozenset[str]
    scope: Scope
    title: str = ""
    person: str = ""  # the name alone, for a greeting
    permissions: frozenset[Permission] = field(default_factory=frozenset)
    on_behalf_of: str = ""  # the absent person in whose name a deputy acts
    absent_user_id: int = NOBODY  # and her user

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    def has(self, role: Role) -> bool:
        return role in self.roles

    @property
    def signs_as(self) -> int:
        """The user whose work this is: the actor's own, or that of the absent in whose name he signs."""
        return self.absent_user_id if self.on_behalf_of else self.user_id


ANONYMOUS = Actor(NOBODY, "", NOBODY, frozenset(), NO_SCOPE)


def actor_of(identity: Identity) -> Actor:
    """The actor that an identity makes of its user."""
    user = identity.user
    name = signature(user)
    scope = Scope(
        identity.scope,
        user.id,
        name,
        identity.college_id or NOBODY,
        identity.student_id or NOBODY,
        identity.department_id or NOBODY,
    )
    roles = frozenset(role.name for role in identity.roles if counts(role.name, identity.scope))
    return Actor(user.id, name, identity.id, roles, scope, str(identity), person_name(user), granted(roles))


def counts(role: str, scope: str) -> bool:
    """Whether a role says anything here: one with rows of its own is none in an identity that reaches others, or none."""
    return role not in BUILT_IN or Role(role).scope in ("none", scope)


def identities_of(user_id: int) -> list[Identity]:
    """A user's identities that have not ended, the last used first."""
    running = select(Identity).where(Identity.user_id == user_id, Identity.ended_on.is_(None))
    return list(db.session.scalars(running.order_by(Identity.last_used.desc(), Identity.id)))


def own_identities() -> list[Identity]:
    """The identities of who is logged in, read once a request; as they were before it found its scope."""
    return g.get("xueji_identities", [])


def active_identity(user_id: int) -> Identity | None:
    """The identity as which this login acts, if it is the user's own still; else the one last used."""
    g.xueji_identities = own = identities_of(user_id)
    login = this_login()
    chosen = login.identity_id if login else None
    return next((identity for identity in own if identity.id == chosen), own[0] if own else None)


def current_actor() -> Actor:
    """The actor of this request; ANONYMOUS when nobody is logged in."""
    if "xueji_actor" not in g:
        return ANONYMOUS
    return g.xueji_actor


def load_actor(user) -> Actor:
    """Find out, before any scope exists, who `user` is in this request."""
    identity = active_identity(user.id) if user is not None and user.is_authenticated else None
    return actor_of(identity) if identity else ANONYMOUS


def own_actor() -> Actor:
    """Who is logged in, for what is everybody's own: by an identity, or as the account alone, which may be nobody yet."""
    actor, user = current_actor(), logged_in_user()
    if actor is ANONYMOUS and user is not None and user.is_authenticated:
        name = signature(user)
        scope = replace(NO_SCOPE, user_id=user.id, user_name=name)
        actor = Actor(user.id, name, NOBODY, frozenset(), scope, person=person_name(user))
    return replace(actor, permissions=actor.permissions | OWN) if actor is not ANONYMOUS else actor


OWN = frozenset({Permission.HOME_READ})


def logged_in_user():
    """The user of the login session; the proxy is unwrapped so that it can be compared and kept."""
    return current_user._get_current_object() if current_user else None


def delegations_to(user_id: int, today: date) -> list[Delegation]:
    """The delegations under which `user_id` may sign for somebody absent today."""
    query = select(Delegation).where(
        Delegation.deputy_user_id == user_id,
        Delegation.starts_on <= today,
        Delegation.ends_on >= today,
        ~Delegation.revoked,
    )
    return list(db.session.scalars(query))


DEPUTY_MAY = frozenset({Permission.HOME_READ, Permission.CASE_READ, Permission.CASE_DECIDE})


def acting_for(actor: Actor, absent: Actor, roles: frozenset[str]) -> Actor:
    """The deputy while he signs in the name of somebody absent: those of her roles that he may take, her rows, his own
    name, signing alone."""
    return replace(
        actor,
        roles=absent.roles & roles,
        scope=replace(absent.scope, user_id=actor.user_id, user_name=actor.name),
        permissions=granted(absent.roles & roles) & DEPUTY_MAY,
        on_behalf_of=absent.name,
        absent_user_id=absent.user_id,
    )
