"""未发送 what was written when the session had ended: kept aside, shown to whose it is, sent again when she says so."""

import re
from contextlib import ExitStack
from typing import Any, ClassVar

from flask import Flask, Response, after_this_request, flash, jsonify, redirect, request, session, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import format_datetime
from flask_babel import lazy_gettext as _
from flask_wtf.csrf import CSRFError

from app.access import Permission, current_actor
from app.access.actor import ANONYMOUS, logged_in_user
from app.kit import holding
from app.kit.operation import NotFound
from app.kit.screen import PageView

FIELD = "held"  # in a form: the name of what is sent again
KEYS = re.compile(r"[\w:.,@+/-]{0,40}", re.ASCII)  # ids, codes, days: nobody reads them
LONGEST = 4000
UNHELD = ("HeldView", "AuthDBView", "IdentityView")


class HeldView(PageView):
    """One form that waits to be sent again."""

    route_base = "/held"
    default_view = "show"
    acts: ClassVar = {"can_show": Permission.HOME_READ}

    @expose("/<name>")
    @has_access
    def show(self, name: str):
        kept = holding.held(current_actor().user_id, name)
        if kept is None:
            raise NotFound(_("Nothing is kept here for you: it was sent, it is older than a day, or another account"
                             " wrote it. Log in with that account."))  # fmt: skip
        words = [value for _key, value in kept.fields if not KEYS.fullmatch(value)]
        return self.render_template(
            "xueji/held.html", title=_("Not sent yet"), kept=kept, at=format_datetime(kept.at, "short"),
            words=[word[:LONGEST] for word in words], more=len(kept.fields) - len(words), field=FIELD,
            drop_url=url_for("HeldView.drop", name=kept.name),
        )  # fmt: skip

    @expose("/<name>/drop", methods=["POST"])
    @has_access
    @permission_name("show")
    def drop(self, name: str):
        holding.drop(current_actor().user_id, name)
        flash(_("It was thrown away; nothing was sent."), "success")
        return redirect(url_for("HomeView.index"))


def hold_for(owner: int) -> Any:
    """Keep the form that is being sent, and say where it is sent from."""
    url = url_for("HeldView.show", name=holding.hold(owner))
    said = _("Your session ended before this was sent. Log in with the same account: what you wrote is kept, and you can"
             " send it then.")  # fmt: skip
    if request.accept_mimetypes.best == "application/json":
        return jsonify(message=str(said), url=url), 401
    user = logged_in_user()
    if user is None or not user.is_authenticated:
        flash(said, "warning")
        return redirect(url_for("AuthDBView.login", next=url), 303)
    return redirect(url, 303)


def keep_refused(_error: CSRFError) -> Any:
    """A form of another session: kept if it is somebody's, else None."""
    owner = holding.owner_of_form()
    return None if owner is None or request.blueprint in UNHELD else hold_for(owner)


def keep_strange() -> Any:
    """Before each request: a form is never sent as somebody else than whose it is, nor as nobody."""
    actor = current_actor()
    if actor is not ANONYMOUS and request.endpoint and not request.endpoint.endswith("static"):
        holding.mark_owner(actor.user_id)
    if request.method != "POST" or request.blueprint in UNHELD or request.path.startswith("/api/"):
        return None
    owner = holding.owner_of_form()
    return None if owner is None or owner == actor.user_id else hold_for(owner)


def take_up() -> Any:
    """Before each request: what was kept, sent again by whose it is, stands in the place of the button's own form."""
    name, actor = request.form.get(FIELD) if request.method == "POST" else None, current_actor()
    kept = holding.held(actor.user_id, name) if name and actor is not ANONYMOUS else None
    if kept is None:
        return None
    if kept.path != request.full_path.rstrip("?"):
        return redirect(url_for("HeldView.show", name=kept.name), 303)
    files = ExitStack()
    holding.put_in_place(actor.user_id, kept, request._get_current_object(), files)  # type: ignore[attr-defined]

    @after_this_request
    def close(response: Response) -> Response:
        files.close()
        refused = any(category == "danger" for category, _text in session.get("_flashes", []))
        if (
            response.status_code < 400 and not refused
        ) or response.status_code == 422:  # 422: the form is shown filled in
            holding.drop(actor.user_id, kept.name)
        return response

    return None


def waiting() -> list[str]:
    """Where the reader finds what she has not sent yet."""
    actor = current_actor()
    if actor is ANONYMOUS or request.blueprint == "HeldView":
        return []
    return [url_for("HeldView.show", name=name) for name in holding.names(actor.user_id)]


def install(app: Flask) -> None:
    app.before_request(keep_strange)
    app.before_request(take_up)
    app.jinja_env.globals["forms_waiting"] = waiting
