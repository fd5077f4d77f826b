"""身份 the switch of identity in the header."""

from typing import ClassVar

from flask import Flask, abort, redirect, request, session, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access
from flask_babel import gettext
from sqlalchemy import func, update

from app.access import Permission, Role, current_actor, identities_of
from app.access.actor import logged_in_user, own_identities
from app.access.roles import BUILT_IN
from app.access.sessions import act_as, this_login
from app.kit.screen import PageView
from app.models import Identity, db
from app.models.accounts.account import person_name
from app.views.accounts.notices import select_unread


def label_of(identity: Identity) -> str:
    """e.g. 计算机学院 · 学籍管理员."""
    roles = "、".join(str(Role(role.name).label) if role.name in BUILT_IN else role.name for role in identity.roles)
    place = identity.college or identity.department
    return f"{place} · {roles}" if place else roles


class IdentityView(PageView):
    """POST /identity chooses one of one's own identities for this login; others of the account go on as they were."""

    route_base = "/identity"
    default_view = "switch"
    acts: ClassVar = {"can_switch": Permission.HOME_READ}

    @expose("/", methods=["POST"])
    @has_access
    def switch(self):
        wanted = request.form.get("identity", type=int)
        if wanted not in {identity.id for identity in identities_of(current_actor().user_id)}:
            abort(404)
        if (login := this_login()) is not None:
            act_as(login.id, wanted)
        session.pop("delegation_id", None)  # who chooses to be somebody is nobody's deputy any more
        db.session.execute(update(Identity).where(Identity.id == wanted).values(last_used=func.now()))
        db.session.commit()
        return redirect(url_for("HomeView.index"))


def own_name() -> str:
    """The name of who is logged in, where a page fails before it is known as whom she acts."""
    user = logged_in_user()
    return person_name(user) if user is not None and user.is_authenticated else ""


def unread_count(user_id: int) -> int:
    """How many notices this person has not opened."""
    return db.session.scalar(select_unread(user_id).with_only_columns(func.count())) or 0


def install(app: Flask) -> None:
    @app.context_processor
    def header() -> dict[str, object]:
        """What the header shows: the reader's identities and the active one."""
        actor = current_actor()
        choices = [{"id": row.id, "label": label_of(row)} for row in own_identities()]
        active = next((choice for choice in choices if choice["id"] == actor.identity_id), None)
        return {
            "identities": choices,
            "identity": active,
            "identity_url": url_for("IdentityView.switch"),
            "acting": actor.on_behalf_of,
            "person": actor.person or own_name(),
            "unread": unread_count(actor.user_id) if actor.may(Permission.HOME_READ) else None,
            "product": gettext("Xueji"),
        }
