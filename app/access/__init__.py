"""权限 access: roles, permissions, identities and row scope."""

from app.access.actor import ANONYMOUS, Actor, acting_for, actor_of, current_actor, identities_of
from app.access.roles import GRANTS, Permission, Role
from app.access.scope import NO_SCOPE, Scope, scope_as

__all__ = [
    "ANONYMOUS", "GRANTS", "NO_SCOPE", "Actor", "Permission", "Role", "Scope", "acting_for", "actor_of", "current_actor",
    "identities_of", "scope_as",
]  # fmt: skip
