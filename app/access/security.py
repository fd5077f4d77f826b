"""登录与权限检查 the security manager: FAB asks here who the user is and what the active identity may do."""

from collections.abc import MutableMapping
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, g, jsonify, redirect, request, session, url_for
from flask_appbuilder.security.sqla.manager import SecurityManager
from flask_babel import lazy_gettext as _
from flask_login import logout_user, user_logged_in, user_logged_out
from sqlalchemy import select

from app.access import sessions
from app.access.actor import ANONYMOUS, Actor, current_actor, load_actor, logged_in_user
from app.access.roles import BUILT_IN, GRANTS, Permission
from app.access.scope import enter_request_scope
from app.models import Identity, Password, db
from app.models.accounts.session import LoginKind

READING = ("can_list", "can_show", "can_get", "can_info", "can_download", "can_export", "menu_access")

# What FAB's own views need to be read and to be written. A view that is not here is open to nobody.
FAB_VIEWS: dict[str, tuple[Permission, Permission]] = {
    **dict.fromkeys(
        ("UserDBModelView", "RoleModelView", "List Users", "List Roles", "Security"),
        (Permission.ACCOUNT_READ, Permission.ACCOUNT_WRITE),
    ),
    "ResetPasswordView": (Permission.ACCOUNT_WRITE, Permission.ACCOUNT_WRITE),
    **dict.fromkeys(
        ("ResetMyPasswordView", "UserInfoEditView", "OpenApi", "SwaggerView", "MenuApi"),
        (Permission.HOME_READ, Permission.HOME_READ),
    ),
}
OWN_ACCOUNT = frozenset({"can_userinfo", "resetmypassword", "userinfoedit"})


class XuejiSecurityManager(SecurityManager):
    """FAB's security with permissions and scope taken from the active identity, and no query per button."""

    userstatschartview = None  # loads a script from another site

    def __init__(self, appbuilder) -> None:
        self.needs: dict[tuple[str, str], Permission] = {}
        super().__init__(appbuilder)

    def declare(self, view: str, needs: dict[str, Permission]) -> None:
        """Say which permission each FAB permission of a view needs; the screens call it when they are added."""
        for fab_permission, permission in needs.items():
            self.needs[view, fab_permission] = permission

    def need(self, permission_name: str, view_name: str) -> Permission | None:
        """The permission that an act of a view needs; None means nobody has it."""
        declared = self.needs.get((view_name, permission_name))
        if declared is not None or view_name not in FAB_VIEWS:
            return declared
        if view_name == "UserDBModelView" and permission_name in OWN_ACCOUNT:
            return Permission.HOME_READ
        reads, writes = FAB_VIEWS[view_name]
        return reads if permission_name in READING else writes

    @property
    def builtin_roles(self) -> dict[str, list[list[str]]]:
        """FAB_ROLES as FAB wants them, derived from the grants: role name → [view, permission] pairs."""
        pairs = {
            (view, permission)
            for baseview in self.appbuilder.baseviews
            for view in [baseview.class_permission_name]
            for permission in baseview.base_permissions
        } | {(item, "menu_access") for item in self.menu_names()}
        return {
            role.value: [
                [view, permission] for view, permission in sorted(pairs) if self.need(permission, view) in grants
            ]
            for role, grants in GRANTS.items()
        }

    def menu_names(self) -> set[str]:
        def walk(items):
            for item in items:
                if item.name == "-":  # a line between two entries
                    continue
                yield item.name
                yield from walk(item.childs)

        return set(walk(self.appbuilder.menu.menu))

    # what FAB asks

    def has_access(self, permission_name: str, view_name: str) -> bool:
        if view_name == "ResetMyPasswordView":  # whoever can log in may change her own, and may have to
            return current_actor() is not ANONYMOUS or is_logged_in()
        actor = self._actor()
        needed = self.need(permission_name, view_name)
        if needed is not None and actor.may(needed):
            return True
        if (view_name, permission_name) in self._custom_permissions(actor):
            return True
        if permission_name != "menu_access":
            return False
        group = self.appbuilder.menu.find(view_name)  # which is open when one of its entries is
        return group is not None and any(self.has_access("menu_access", item.name) for item in group.childs)

    def _actor(self) -> Actor:
        actor = current_actor()
        return actor if actor is not ANONYMOUS else g.get("xueji_token_actor", ANONYMOUS)

    def _custom_permissions(self, actor: Actor) -> set[tuple[str, str]]:
        """(view, permission) pairs of roles made on the role screen, in one statement a request."""
        names = sorted(name for name in actor.roles if name not in BUILT_IN)
        if not names:
            return set()
        if "xueji_custom_permissions" not in g:
            query = (
                select(self.viewmenu_model.name, self.permission_model.name)
                .select_from(self.role_model)
                .join(self.role_model.permissions)
                .join(self.permissionview_model.permission)
                .join(self.permissionview_model.view_menu)
                .where(self.role_model.name.in_(names))
            )
            g.xueji_custom_permissions = {(view, name) for view, name in db.session.execute(query)}
        return g.xueji_custom_permissions

    def is_item_public(self, permission_name: str, view_name: str) -> bool:
        return False

    def get_user_menu_access(self, menu_names: list[str] | None = None) -> set[str]:
        return {name for name in menu_names or self.menu_names() if self.has_access("menu_access", name)}

    def get_user_roles(self, user) -> list:
        identity = db.session.get(Identity, self._actor().identity_id) if user.is_authenticated else None
        return list(identity.roles) if identity else []

    # who it is: the session that a cookie or a token names says so, as long as it runs

    def load_user(self, pk):
        return sessions.find(int(pk), session.get(sessions.COOKIE), LoginKind.BROWSER)

    def load_user_jwt(self, _jwt_header, jwt_data):
        """Known inside FAB's @protect alone, long after before_request."""
        g.user = sessions.find(int(jwt_data["sub"]), jwt_data.get(sessions.CLAIM), LoginKind.API)
        return self._enter(g.user)

    def validate_api_key(self, api_key_string: str):
        return self._enter(super().validate_api_key(api_key_string))

    def create_jwt_manager(self, app: Flask):
        manager = super().create_jwt_manager(app)
        manager.additional_claims_loader(name_session)
        manager.user_lookup_error_loader(lambda _header, _claims: g.get("xueji_token_refused") or refuse_token(ENDED))
        manager.expired_token_loader(lambda _header, _claims: refuse_token(ENDED))
        manager.invalid_token_loader(lambda _reason: refuse_token(NO_TOKEN))
        manager.unauthorized_loader(lambda _reason: refuse_token(NO_TOKEN))
        return manager

    def _enter(self, user):
        if user is None:
            return None
        actor = load_actor(user)
        if actor is ANONYMOUS or must_change(user.id):  # a token does not pass by the change of a given password
            g.xueji_token_refused = refuse_token(NOBODY_YET if actor is ANONYMOUS else CHOOSE_FIRST, 403)
            return None
        g.xueji_token_actor = g.xueji_actor = actor
        enter_request_scope(actor.scope)
        return user


NO_TOKEN = _("Log in at /api/v1/security/login and send the token that it gives: “Authorization: Bearer …”.")
ENDED = _("The login of this token has ended. Log in again.")
CHOOSE_FIRST = _("Somebody else chose your password. Log in on the pages and choose your own, then log in here again.")
NOBODY_YET = _("Your account has no identity yet, so it opens nothing. Ask the administrator of accounts for one.")


def refuse_token(why: Any, status: int = 401):
    """A token that opens nothing says why, as other refusals do."""
    return jsonify(message=str(why), reference=g.get("request_id")), status


def name_session(user_id: str) -> dict[str, int]:
    """What every token carries: the session that its login began; that of the token which asks for a new one."""
    _header_and_claims = g.get("_jwt_extended_jwt")
    if _header_and_claims:
        return {sessions.CLAIM: _header_and_claims[sessions.CLAIM]}
    if "xueji_new_session" not in g:
        g.xueji_new_session = sessions.begin(int(user_id), LoginKind.API, sessions.here(), str(request.user_agent))
    return {sessions.CLAIM: g.xueji_new_session}


def must_change(user_id: int) -> bool:
    """Whether somebody else chose the password of this account."""
    state = db.session.get(Password, user_id)
    return state is None or state.must_change


def is_logged_in() -> bool:
    """Whether somebody is, who may be nobody by an identity yet."""
    user = logged_in_user()
    return user is not None and user.is_authenticated


def keep_next_here(endpoint: str, values: dict[str, Any]) -> None:
    """Whoever has logged in goes on to a page of ours: FAB would write down the host that the request named."""
    if endpoint == "AuthDBView.login" and values.get("next"):
        parts = urlsplit(str(values["next"]))
        path = "/" + parts.path.lstrip("/\\")
        values["next"] = f"{path}?{parts.query}" if parts.query else path


def renew_session() -> None:
    """Go on in this browser after a change that has ended every session of the account."""
    sessions.begin_here(logged_in_user().id, current_actor().identity_id if current_actor() is not ANONYMOUS else None)


def enter_request() -> None:
    """Before each request: find the actor, give the session its scope."""
    if request.endpoint is None or request.endpoint.endswith("static"):
        return
    user = logged_in_user()
    if "_user_id" in session and (user is None or not user.is_authenticated):
        logout_user()  # the session has ended; nothing of it stays in the cookie
        user = None
    actor = load_actor(user)
    g.xueji_actor = actor
    enter_request_scope(actor.scope)


PASSWORD_ENDPOINTS = frozenset({"ResetMyPasswordView.this_form_get", "ResetMyPasswordView.this_form_post"})


def require_own_password():
    """Before each request: an account with a given password goes nowhere until it has chosen its own."""
    actor = current_actor()
    if (
        actor is ANONYMOUS
        or request.endpoint in PASSWORD_ENDPOINTS
        or request.blueprint in ("AuthDBView", "LocaleView")
    ):
        return None
    if request.endpoint is None or request.endpoint.endswith("static") or request.blueprint == "health":
        return None
    return redirect(url_for("ResetMyPasswordView.this_form_get")) if must_change(actor.user_id) else None


KEPT_BY_LOGIN = frozenset({"_user_id", "_fresh", "_id", "_permanent", "locale"})


def _begin_session(_app: Flask, user) -> None:
    _forget(session)
    sessions.begin_here(user.id)


def _end_session(_app: Flask, user=None, **_more: object) -> None:
    number = session.get(sessions.COOKIE)
    if isinstance(number, int) and user is not None and user.is_authenticated:
        sessions.end(number, user.id)
    _forget(session)


def _forget(kept: MutableMapping[str, Any]) -> None:
    """Nothing that an earlier visitor of this browser chose speaks for the next one."""
    for key in set(kept) - KEPT_BY_LOGIN:
        kept.pop(key)


def renew_sessions(app: Flask) -> None:
    """Each login and each logout begins a session anew."""
    app.url_defaults(keep_next_here)
    user_logged_in.connect(_begin_session, app)
    user_logged_out.connect(_end_session, app)
