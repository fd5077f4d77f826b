"""身份、代理与审计 who may be what, who signs for whom, and who did what."""

from datetime import date
from typing import Any, ClassVar

from flask import Flask, flash, g, redirect, request, session, url_for
from flask_appbuilder import expose
from flask_appbuilder.actions import action
from flask_appbuilder.models.sqla.filters import FilterNotEqual
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import lazy_gettext as _
from flask_babel import ngettext
from sqlalchemy import func, inspect, or_, select
from wtforms import SelectField
from wtforms.validators import DataRequired

from app.access import Permission, current_actor
from app.access.scope import DATABASE_ROLES, enter_request_scope
from app.kit import clock
from app.kit.flow.hands import vacant_now
from app.kit.operation import NotFound, Refused, get
from app.kit.screen import Menu, PageView, Screen
from app.kit.screen.base import Words
from app.kit.screen.interface import XuejiInterface, values_of
from app.kit.screen.lookup import LookupField
from app.models import AuditEntry, Delegation, Identity, db
from app.models.accounts.account import User, signature
from app.models.text import folded
from app.operations.accounts.delegation import as_deputy, barred_steps, delegate, deputies, revoke
from app.operations.accounts.identities import end_identity
from app.operations.accounts.second_hand import (
    Wanted,
    check_reach,
    check_running,
    needs_second_hand,
    propose_identity,
)
from app.views.accounts.acts import act_label, act_words, table_label
from app.views.accounts.audit_words import content, role_words
from app.views.accounts.vacancies import WarnsOfVacancies, newly_vacant, offices
from app.views.labels import SCOPES, role_badges

assert set(SCOPES) | {"student"} == set(DATABASE_ROLES)


PROPOSED = _("Proposed: it holds when a second person has confirmed it (page “To be confirmed”).")
ASKED_FOR = ("user", "roles", "scope", "college", "department")  # of an identity; its title reaches nobody


class ProposingInterface(XuejiInterface):
    """Saves what reaches nobody; what reaches students or accounts becomes a proposal for a second person."""

    def add(self, item: Identity, commit: bool = True) -> None:
        wanted = wanted_of(item)
        if needs_second_hand(wanted.scope, wanted.roles):
            self._propose(wanted, None)
        else:
            super().add(item)

    def edit(self, item: Identity, commit: bool = True) -> None:
        with db.session.no_autoflush:
            wanted, after = wanted_of(item), values_of(item)
        before: dict[str, Any] = inspect(item).info["before"]
        changed = any(before.get(name) != after.get(name) for name in ASKED_FOR)
        if changed and needs_second_hand(wanted.scope, wanted.roles):
            number = item.id
            db.session.rollback()  # the identity stays what it was
            self._propose(wanted, number)
        else:
            super().edit(item)

    def _propose(self, wanted: Wanted, identity_id: int | None) -> None:
        propose_identity(current_actor(), wanted, identity_id)
        g.xueji_proposed = True


def wanted_of(item: Identity) -> Wanted:
    """What the form has made of an identity."""
    roles = tuple(sorted(role.name for role in item.roles))
    college, department = (one.id if one else None for one in (item.college, item.department))
    return Wanted(item.user.id, item.scope, roles, college, department, item.title)


class IdentityScreen(WarnsOfVacancies, Screen):
    """The identities of staff: a user in some roles, for some rows. Students' own come with their accounts."""

    model = Identity
    menu = Menu(_("Identities"), "settings", "fa-id-badge")
    reads, writes = Permission.ACCOUNT_READ, Permission.ACCOUNT_WRITE
    acts = {"end": Permission.ACCOUNT_WRITE}
    base_permissions = ["can_list", "can_show", "can_add", "can_edit", "end"]  # what was done in its name refers to it
    label_columns = {
        "user": _("User"), "roles": _("Roles"), "scope": _("Reaches"), "college": _("College"),
        "department": _("Department"), "title": _("Title"), "last_used": _("Last used"), "ended_on": _("Ended on"),
    }  # fmt: skip
    formatters_columns: ClassVar[dict[str, Any]] = {
        "scope": lambda value: _("Oneself") if value == "student" else SCOPES.get(value, value),
        "user": lambda user: signature(user) if user else "—",
        "roles": role_badges,
    }
    list_columns = ["user", "title", "roles", "scope", "college", "department", "ended_on"]
    sentences = ("title", "roles")
    show_columns = [*list_columns, "last_used"]
    add_columns = edit_columns = ["user", "title", "roles", "scope", "college", "department"]
    search_columns = ["title", "college", "department", "ended_on"]
    add_form_extra_fields = edit_form_extra_fields = {
        "user": LookupField(_("User"), Identity, "user", "UserDBModelView.lookup", show=signature),
        "scope": SelectField(_("Reaches"), [DataRequired()], choices=[("", ""), *SCOPES.items()]),
    }
    # the framework's own two roles are nobody's: for who has not logged in, and for an administrator that there is not
    add_form_query_rel_fields = edit_form_query_rel_fields = {
        "roles": [["name", FilterNotEqual, "Admin"], ["name", FilterNotEqual, "Public"]]
    }
    list_title, add_title = _("Identities"), _("New identity")
    edit_title, show_title = _("Edit identity"), _("Identity")

    @property
    def add_row_message(self) -> Any:
        return PROPOSED if g.get("xueji_proposed") else Screen.add_row_message

    @property
    def edit_row_message(self) -> Any:
        return PROPOSED if g.get("xueji_proposed") else Screen.edit_row_message

    def name_of(self, item: Identity) -> str:
        return signature(item.user)

    def pre_add(self, item: Identity) -> None:
        """Nobody grants himself anything: neither a new identity nor more in one that he has."""
        own = current_actor().user_id
        before: int | None = inspect(
            item
        ).attrs.user_id.value  # the user as it was stored; the form sets the relationship
        if own in (before, item.user.id if item.user else None):
            raise Refused(_("Nobody changes his own identities. Another administrator of accounts can."))
        with db.session.no_autoflush:
            check_reach(wanted_of(item))

    def pre_update(self, item: Identity) -> None:
        self.pre_add(item)
        super().pre_update(item)

    def _get_show_widget(self, pk, item, *args, **kwargs):
        widgets = super()._get_show_widget(pk, item, *args, **kwargs)
        if item.ended_on is not None:
            widgets["show"].template_args.update(actions={}, settled=True)
        return widgets

    def _edit(self, pk):
        check_running(self.datamodel.get(pk, self._base_filters))
        return super()._edit(pk)

    @action("end", _("End this identity"), _("End this identity today? It opens nothing from now on, and its owner's logins"
            " end. What was done in it stays."), "fa-user-times", multiple=False)  # fmt: skip
    def end(self, item: Identity):
        before = vacant_now()
        try:
            end_identity(current_actor(), item.id)
        except Refused as refused:
            flash(str(refused), "danger")
            return redirect(url_for("IdentityScreen.show", pk=item.id))
        flash(_("The identity has ended. Its owner is told."), "success")
        if left := newly_vacant(before):
            flash(ngettext("%(num)s case now waits for a signature that nobody can give (%(where)s). Give somebody else the role.",
                           "%(num)s cases now wait for signatures that nobody can give (%(where)s). Give somebody else the role.",
                           len(left), where=offices(left)), "warning")  # fmt: skip
        return redirect(url_for("IdentityScreen.show", pk=item.id))


IdentityScreen.datamodel = ProposingInterface(Identity)


class AuditScreen(Screen):
    """审计: every operation, reveal and export. Nobody changes it, the database sees to that."""

    model = AuditEntry
    menu = Menu(_("Audit"), "settings", "fa-clipboard-list")
    reads = Permission.AUDIT_READ
    label_columns = {
        "at": _("When"), "user_name": _("Who"), "roles": _("Roles"), "action": _("Act"), "subject": _("Table"),
        "subject_id": _("Row"), "request_id": _("Request"), "old": _("Old"), "new": _("New"), "detail": _("Details"),
    }  # fmt: skip
    quick = ("user_name",)
    formatters_columns: ClassVar[dict[str, Any]] = {
        "action": act_label,
        "subject": table_label,
        "roles": role_words,
        **dict.fromkeys(("old", "new", "detail"), content),
    }
    picks = {"action": Words(act_words)}
    list_columns = ["at", "user_name", "action", "subject", "subject_id"]
    show_columns = ["at", "user_name", "roles", "action", "subject", "subject_id", "old", "new", "detail", "request_id"]
    search_columns = ["at", "user_name", "action", "subject", "subject_id"]
    order_columns = ["at"]
    list_title, show_title = _("Audit"), _("Audit entry")


class DelegationView(PageView):
    """代理: name a deputy while absent, and act as one."""

    route_base = "/delegations"
    menu = Menu(_("Delegation"), "own", "fa-user-clock")
    reads = Permission.DELEGATION_WRITE
    acts: ClassVar = {"can_leave": Permission.HOME_READ}

    @expose("/", methods=["GET", "POST"])
    @has_access
    def list(self):
        actor, error = current_actor(), None
        if request.method == "POST":
            try:
                starts, ends = (date.fromisoformat(request.form.get(key, "")) for key in ("starts_on", "ends_on"))
                deputy = request.form.get("deputy", 0, int)
                delegate(actor, deputy, starts, ends, request.form.get("reason", ""))
                flash(_("Your deputy may sign for you in this time."), "success")
                if number := barred_steps(actor, deputy):
                    flash(ngettext("%(num)s case that waits for you now cannot be signed by this deputy, who has had a"
                                   " hand in it before.",
                                   "%(num)s cases that wait for you now cannot be signed by this deputy, who has had a"
                                   " hand in them before.", number), "warning")  # fmt: skip
                return redirect(url_for("DelegationView.list"))
            except ValueError:
                error = _("Give both days.")
            except Refused as refused:
                error = str(refused)
        mine = select(Delegation).where(Delegation.absent_user_id == actor.user_id).order_by(Delegation.id.desc())
        received = select(Delegation).where(Delegation.deputy_user_id == actor.user_id, ~Delegation.revoked)
        self.update_redirect()
        offered = deputies(get(Identity, actor.identity_id))
        page = self.render_template(
            "xueji/delegations.html", title=_("Delegation"), error=error, given=[*db.session.scalars(mine)],
            received=[*db.session.scalars(received.order_by(Delegation.id.desc()))], signature=signature,
            lookup_url=url_for("DelegationView.colleagues"), form=request.form, today=clock.today(),
            chosen=db.session.scalar(offered.where(User.id == request.form.get("deputy", 0, int))) if error else None,
            nobody=db.session.scalar(offered.with_only_columns(User.id).limit(1)) is None,
        )  # fmt: skip
        return page, 422 if error else 200

    @expose("/colleagues")
    @has_access
    @permission_name("list")
    def colleagues(self):
        """Those who may stand in for the reader, by name or account."""
        words = request.args.get("q", "").strip()[:40]
        colleagues = deputies(get(Identity, current_actor().identity_id))
        if words:
            name = func.folded(User.last_name + User.first_name).op("^@", is_comparison=True)(folded(words) or words)
            colleagues = colleagues.where(or_(name, User.username.op("^@", is_comparison=True)(words)))
        rows = db.session.scalars(colleagues.order_by(User.username).limit(20))
        return {"results": [{"id": row.id, "text": signature(row)} for row in rows]}

    @expose("/<int:delegation_id>/revoke", methods=["POST"])
    @has_access
    @permission_name("list")
    def revoke(self, delegation_id: int):
        revoke(current_actor(), delegation_id)
        return redirect(url_for("DelegationView.list"))

    @expose("/<int:delegation_id>/enter", methods=["POST"])
    @has_access
    @permission_name("list")
    def enter(self, delegation_id: int):
        """From now on this session signs in the name of the absent, until it leaves or the delegation ends."""
        as_deputy(current_actor(), delegation_id)
        session["delegation_id"] = delegation_id
        return redirect(url_for("InboxView.list"))

    @expose("/leave", methods=["POST"])
    @has_access
    @permission_name("leave")
    def leave(self):
        session.pop("delegation_id", None)
        return redirect(url_for("HomeView.index"))


def enter_delegation() -> None:
    """Before each request: a deputy's session acts as the absent, as long as the delegation holds."""
    chosen = session.get("delegation_id")
    if chosen is None or request.endpoint is None or request.endpoint.endswith("static"):
        return
    try:
        actor = as_deputy(current_actor(), chosen)
    except (Refused, NotFound):
        session.pop("delegation_id", None)
        return
    g.xueji_actor = actor
    enter_request_scope(actor.scope)


def install(app: Flask) -> None:
    app.before_request(enter_delegation)
