"""再次输入密码 the password once more: before an act that an open browser should not give away to whoever passes by.

The page carries the form that was being sent; with the password it goes on to where it was going.
"""

from typing import Any

from flask import Flask, current_app, jsonify, render_template, request
from flask_babel import lazy_gettext as _

from app.access import ANONYMOUS, current_actor
from app.access.actor import logged_in_user
from app.access.sessions import note, this_login
from app.kit.holding import TOKEN
from app.kit.screen.exporting import sensitive
from app.kit.workbook.declare import visible
from app.models import setting_int
from app.operations.accounts.own import knows_password

FIELD = "password_again"
CHANGES = ("add", "edit", "delete")
# Accounts and who may do what, the settings of the school, what takes effect for many at once and cannot be undone.
ASKED = frozenset({
    *(f"{view}.{act}" for view in ("UserDBModelView", "RoleModelView", "UserGroupModelView") for act in CHANGES),
    "ResetPasswordView.this_form_post", "IdentityScreen.add", "IdentityScreen.edit", "IdentityScreen.action",
    "RoleModelView.action", "RoleModelView.action_post",
    "ProposalView.decide", "SettingScreen.edit", "DocumentView.issue", "AccountView.letters",
})  # fmt: skip


def ask_again() -> Any:
    """Before each request: a sensitive act goes on only if the password was given a short while ago."""
    login, actor = this_login(), current_actor()
    if request.method != "POST" or login is None or actor is ANONYMOUS or not is_sensitive():
        return None
    minutes = setting_int("password_again_minutes")
    if login.unconfirmed <= minutes * 60:
        return None
    given, wrong = request.form.get(FIELD), None
    if given:
        if knows_password(actor.user_id, given):
            note(login.id, "confirmed_at")
            return None
        wrong = _("This is not your present password.")
    said = _(
        "This act asks for your password again, as you gave it more than %(minutes)s minutes ago.", minutes=minutes
    )
    if request.accept_mimetypes.best == "application/json":
        return jsonify(message=str(said)), 403
    appbuilder = current_app.extensions["appbuilder"]
    page = render_template(
        "xueji/password_again.html", title=_("Your password, please"), said=said, error=wrong, field=FIELD,
        fields=[(key, value) for key, value in request.form.items(multi=True) if key not in (FIELD, TOKEN)],
        action=request.full_path.rstrip("?"), user=logged_in_user(), appbuilder=appbuilder,
        base_template=appbuilder.base_template,
    )  # fmt: skip
    return page, 403


def is_sensitive() -> bool:
    """Whether the request is one of those acts, or exports columns that others see masked."""
    view, _dot, act = (request.endpoint or "").rpartition(".")
    if act != "export":
        return request.endpoint in ASKED
    screen = next((one for one in current_app.extensions["appbuilder"].baseviews if type(one).__name__ == view), None)
    if screen is None:
        return False
    actor, chosen = current_actor(), request.form.getlist("columns")
    offered = visible(screen.workbook((request.view_args or {})["key"]).columns, actor.permissions)
    return bool(sensitive([column for column in offered if column.name in chosen], actor))


def install(app: Flask) -> None:
    unknown = ASKED - set(app.view_functions)
    assert not unknown, f"no page is called {unknown}"
    app.before_request(ask_again)
