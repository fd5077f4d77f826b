"""角色与权限的名称 what the role and account screens call roles, screens and permissions, in words."""

from collections.abc import Iterable
from typing import Any

from flask import Flask, current_app
from flask_babel import lazy_gettext as _
from markupsafe import Markup

from app.access.roles import BUILT_IN, SCOPE_LABELS, Role
from app.kit.screen.present import badge

ACTS = {
    "can_annul": _("Annul"),
    "can_add": _("New"),
    "can_chart": _("Chart"),
    "can_delete": _("Delete"),
    "can_discharge": _("Record the discharge"),
    "can_download": _("Download"),
    "can_edit": _("Edit"),
    "can_examine": _("Examine choices of transfers"),
    "can_export": _("Export"),
    "can_get": _("Read over the API"),
    "can_info": _("Description of the API"),
    "can_confirm": _("Confirm own data"),
    "can_decide": _("Decide"),
    "can_contact": _("Change contact data"),
    "can_declare": _("Declare dismissals"),
    "can_issue": _("Issue the document"),
    "can_leave": _("Act as myself again"),
    "can_list": _("List"),
    "can_open": _("Apply"),
    "can_publish": _("Publish"),
    "can_reassign": _("Hand a step on"),
    "can_record": _("Record"),
    "can_settle": _("Decide a round of transfers"),
    "can_show": _("Show"),
    "can_switch": _("Switch"),
    "can_this_form_get": _("Open the form"),
    "can_reorganise": _("Move majors"),
    "can_this_form_post": _("Send the form"),
    "can_userinfo": _("Own account"),
    "copyrole": _("Copy"),
    "decide": _("Decide the selected"),
    "end": _("End this identity"),
    "menu_access": _("Menu entry"),
    "resetmypassword": _("Change own password"),
    "resetpasswords": _("Reset passwords"),
    "userinfoedit": _("Change own account"),
}
# What stands in no menu; everything else is called as the sidebar calls it.
VIEWS = {
    "CalendarFeedView": _("Calendar subscription"),
    "CaseOperationApi": _("Operations on cases (API)"),
    "HeldView": _("Forms not sent"),
    "DischargeView": _("Record the discharge"),
    "IdentityView": _("Identities"),
    "RosterChangeApi": _("Roster changes (API)"),
    "MenuApi": _("Menu as data"),
    "OpenApi": _("API documentation"),
    "ResetMyPasswordView": _("Own password"),
    "ResetPasswordView": _("Passwords of others"),
    "RankingImportView": _("Import of the ranking sheet"),
    "RoleModelView": _("Roles"),
    "SwaggerView": _("API documentation"),
    "TransferApplicationScreen": _("Applications for a change of major"),
    "UserDBModelView": _("Users"),
    "UserGroupModelView": _("List Groups"),
    "AccountView": _("My account"),
    "UserInfoEditView": _("Own account"),
    "UserStatsChartView": _("User's Statistics"),
}


# What an identity reaches.
SCOPES: dict[str, Any] = {name: words for name, words in SCOPE_LABELS.items() if name != "student"}

# A day is written one way everywhere, as it stands in the columns of lists and workbooks; papers have their own words.
DAYS = {
    "date.short": "yyyy-MM-dd",
    "date.medium": "yyyy-MM-dd",
    "datetime.short": "yyyy-MM-dd HH:mm",
    "datetime.medium": "yyyy-MM-dd HH:mm:ss",
}


BUILT_IN_ROLE = _("This role is built in: what it may do is part of the product and is written anew at every start. To give"
                  " other permissions, make a role of your own, or copy this one and change the copy.")  # fmt: skip


def role_label(name: str) -> str:
    """A role of ours or of the framework in words; any other bears the name it was given."""
    if name in BUILT_IN:
        return str(Role(name).label)
    manager = current_app.appbuilder.sm  # type: ignore[attr-defined]  # FAB hangs itself on the application
    own = {manager.auth_role_public: _("Visitor who has not logged in"), manager.auth_role_admin: _("Not in use")}
    return str(own.get(name, name))


def role_badges(roles: Iterable[Any]) -> Markup:
    return Markup(" ").join(badge(role_label(role.name), "plain") for role in roles)


def view_label(name: str) -> str:
    """The screen, API or group of the menu that FAB calls `name`."""
    if name in VIEWS:
        return str(VIEWS[name])
    item = current_app.appbuilder.menu.find(name)  # type: ignore[attr-defined]  # as above
    if item is not None and item.label:
        return str(item.label)
    api = _api_of(name)
    return str(_("%(what)s (API)", what=api)) if api else name


def permission_label(act: str, _view: str) -> str:
    """What a permission lets one do on its screen. An act that is new here shows its plain name until ACTS has it."""
    return str(ACTS.get(act) or act.removeprefix("can_").replace("_", " "))


def _api_of(name: str) -> Any:
    """The label of the screen that shows the rows of the API `name`."""
    pages = current_app.appbuilder.baseviews  # type: ignore[attr-defined]  # as above
    model = next((getattr(page, "model", None) for page in pages if page.class_permission_name == name), None)
    screens = [page for page in pages if getattr(page, "menu", None) and getattr(page, "model", None) is model]
    return screens[0].menu.label if model is not None and screens else None


def install(app: Flask) -> None:
    app.extensions["babel"].instance.date_formats |= DAYS
    app.jinja_env.globals.update(role_label=role_label, view_label=view_label, permission_label=permission_label,
                                 built_in_role=BUILT_IN_ROLE)  # fmt: skip
