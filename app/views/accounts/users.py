"""账号 FAB's screens of users and roles, read and written like every other list: audited, in clear sentences, no files."""

import re

from flask import abort, flash, jsonify, redirect, request, session, url_for
from flask_appbuilder import BaseView, expose
from flask_appbuilder.actions import action
from flask_appbuilder.fieldwidgets import BS3PasswordFieldWidget
from flask_appbuilder.forms import DynamicForm
from flask_appbuilder.security import api
from flask_appbuilder.security import views as fab
from flask_appbuilder.security.decorators import has_access, no_cache, permission_name
from flask_appbuilder.validators import PasswordComplexityValidator
from flask_babel import lazy_gettext as _
from flask_jwt_extended import get_jwt, get_jwt_identity, jwt_required
from flask_login import current_user
from sqlalchemy import inspect
from wtforms import PasswordField
from wtforms.validators import DataRequired, EqualTo, Length

from app.access import NO_SCOPE, current_actor, sessions
from app.access.actor import own_actor
from app.access.attempts import begin_attempt
from app.access.roles import BUILT_IN
from app.access.scope import enter_request_scope
from app.access.security import XuejiSecurityManager, renew_session
from app.kit.operation import Refused
from app.kit.screen import RequestLocalFilters, XuejiInterface
from app.kit.screen.acting import ActsOnRows
from app.kit.screen.api import SaysWhy
from app.kit.screen.exporting import ExportsLists
from app.kit.screen.filters import ConditionsWidget
from app.kit.screen.forms import KeepsForms
from app.kit.screen.present import moment
from app.models import db
from app.models.accounts.account import LONGEST_ACCOUNT, AccountRole, User, signature
from app.models.language import listed
from app.operations.accounts.own import (
    WrongPassword,
    change_own_password,
    check_address,
    check_name_free,
    check_name_unused,
    check_unused,
    namesakes,
    note_first_password,
    set_password,
    settle_attempt,
    tell_of_change,
)
from app.operations.accounts.second_hand import check_not_given
from app.views.accounts.identities import PROPOSED
from app.views.accounts.vacancies import WarnsOfVacancies
from app.views.labels import BUILT_IN_ROLE, role_label


class Guarded(KeepsForms, ActsOnRows, ExportsLists, RequestLocalFilters):
    """What FAB's screens lack: a filter of one's own in every thread, the list as a workbook, and no way to files."""

    search_widget = ConditionsWidget

    def download(self, filename: str):
        abort(404)

    def _get_list_widget(self, filters, actions=None, order_column="", order_direction="", **kwargs):
        if order_column not in self.order_columns:
            order_column = order_direction = ""
        widgets = super()._get_list_widget(filters, actions, order_column, order_direction, **kwargs)  # type: ignore[misc]
        widgets["list"].template_args["exports"] = self.export_links()
        return widgets


BY_IDENTITY = ("roles", "groups")  # FAB's: here a user holds roles by identities alone


def account_first(columns: list[str]) -> list[str]:
    """The account, then the name as it is said here, then the rest."""
    first = ["username", "last_name", "first_name"]
    return first + [column for column in columns if column not in (*first, *BY_IDENTITY)]


def account_name(typed: str) -> str:
    """A user name in one alphabet, so that no two look alike. Raises Refused."""
    name = typed.strip().lower()
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name):
        raise Refused(_("A user name has the letters a to z, digits, dots, hyphens and underscores alone, and begins with a"
                        " letter or a digit."))  # fmt: skip
    return name


def check_changeable(role: AccountRole | None) -> None:
    """Raises Refused for a built-in role."""
    if role is not None and role.name in BUILT_IN:
        raise Refused(BUILT_IN_ROLE)


def warn_of_namesakes(user: User) -> None:
    """Two people may bear one name; that somebody borrows an officer's is worth a look."""
    if others := namesakes(user):
        flash(_("Others of the staff bear this name: %(who)s. Their signatures differ by the account alone. Look whether that is"
                " meant.", who=listed(signature(one) for one in others)), "warning")  # fmt: skip


# The names stay FAB's: its pages link to each other by them.
class UserDBModelView(WarnsOfVacancies, Guarded, fab.UserDBModelView):
    list_columns = account_first(fab.UserDBModelView.list_columns)
    search_columns = account_first(fab.UserDBModelView.search_columns)
    add_columns = account_first(fab.UserDBModelView.add_columns)
    edit_columns = account_first(fab.UserDBModelView.edit_columns)
    show_fieldsets = [
        (title, parts | {"fields": [name for name in parts["fields"] if name not in BY_IDENTITY]})
        for title, parts in fab.UserDBModelView.show_fieldsets
    ]
    formatters_columns = dict.fromkeys(("last_login", "created_on", "changed_on"), moment)
    validators_columns = {"username": [Length(max=LONGEST_ACCOUNT)]}
    add_row_message = _(
        "The account is made. It opens nothing until it has an identity: give it one on the page “Identities”."
    )

    def pre_add(self, item) -> None:
        item.username = account_name(item.username)
        check_name_free(item.username)
        check_address(item.email or "", None)
        super().pre_add(item)

    def post_add(self, item) -> None:
        note_first_password(current_actor(), item.id)
        warn_of_namesakes(item)

    def post_update(self, item) -> None:
        warn_of_namesakes(item)
        super().post_update(item)

    def pre_delete(self, item) -> None:
        check_unused(item.id)
        super().pre_delete(item)

    def pre_update(self, item) -> None:
        """A name stands for its person in every signature: nobody gives himself one."""
        if item.id == current_actor().user_id:
            raise Refused(_("Nobody changes his own name and account. Another administrator of accounts can."))
        before = inspect(item).info["before"]
        if item.username != before["username"]:
            check_name_unused(item.id)
            item.username = account_name(item.username)
            check_name_free(item.username)
        if item.email != before["email"]:
            check_address(item.email or "", item.id)
        tell_of_change(current_actor(), item, before)
        super().pre_update(item)

    @expose("/userinfo/")
    @has_access
    def userinfo(self):
        return redirect(url_for("AccountView.show"))

    @expose("/lookup")
    @has_access
    @permission_name("list")
    def lookup(self):
        """Users for a picker, by account or family name."""
        rows = self.datamodel.lookup(("username", "last_name"), request.args.get("q", "").strip()[:60])
        return jsonify(results=[{"id": row.id, "text": signature(row)} for row in rows])


class RoleModelView(Guarded, fab.RoleModelView):
    list_title, show_title = _("Roles"), _("Role")
    label_columns = fab.RoleModelView.label_columns | {"name": _("Role")}
    list_columns = search_columns = ["name"]
    formatters_columns = {"name": role_label}
    # FAB hangs the users to whom its own form gave the role on its page: here identities have it
    related_views = property(lambda self: [], lambda self, _views: None)

    def _edit(self, pk):
        role = self.datamodel.get(pk, self._base_filters)
        check_changeable(role)
        if role is not None:
            check_not_given(role)
        return super()._edit(pk)

    def pre_delete(self, item) -> None:
        check_changeable(item)
        check_not_given(item, ever=True)
        super().pre_delete(item)

    @action("copyrole", _("Copy Role"), _("Copy the selected roles?"), icon="fa-copy", single=False)
    def copy_role(self, items):
        """FAB's own gives copies of one role the same name."""
        for item in items:
            copied = type(item)(name=f"{item.name} copy"[:64], permissions=item.permissions)
            self.datamodel.add(copied)
        return redirect(self.get_redirect())


class PresentPassword(DynamicForm):
    """Whoever finds a browser open does not get the account."""

    old_password = PasswordField(
        _("Present password"),
        description=_("The one with which you have logged in."),
        validators=[DataRequired()],
        widget=BS3PasswordFieldWidget(),
    )


class PasswordForm(DynamicForm):
    """FAB's, which says that nobody checks the password; here somebody does."""

    password = PasswordField(
        _("New password"),
        description=_("Use at least ten characters, of three kinds: small and capital letters, digits, other signs."),
        validators=[DataRequired(), PasswordComplexityValidator()],
        widget=BS3PasswordFieldWidget(),
    )
    conf_password = PasswordField(
        _("New password again"),
        description=_("The same once more."),
        validators=[EqualTo("password", message=_("Passwords must match"))],
        widget=BS3PasswordFieldWidget(),
    )


class OwnPasswordForm(PresentPassword, PasswordForm):
    """One's own, new."""


class ResetMyPasswordView(fab.ResetMyPasswordView):
    form, form_title = OwnPasswordForm, _("Change own password")

    def form_post(self, form: DynamicForm):
        actor = own_actor()
        enter_request_scope(actor.scope)  # of who is nobody by an identity, there is none yet
        try:
            change_own_password(actor, form.old_password.data, form.password.data)
        except WrongPassword as wrong:
            form.old_password.errors = [str(wrong)]
            widgets = self._get_edit_widget(form=form)
            return self.render_template(
                self.form_template, title=self.form_title, widgets=widgets, appbuilder=self.appbuilder
            ), 422
        renew_session()
        flash(self.message, "success")


class ResetPasswordView(fab.ResetPasswordView):
    form, form_title = PasswordForm, _("Set a password")

    def form_post(self, form: DynamicForm):
        user_id = request.args.get("pk", 0, int)
        if db.session.get(User, user_id) is None:
            abort(404)
        done = set_password(current_actor(), user_id, form.password.data)
        flash(self.message if done else PROPOSED, "success")


class UserInfoEditView(BaseView):
    """Where FAB let people rename themselves; its address leads to what they may change."""

    route_base = "/userinfoeditview"
    default_view = "this_form_get"
    base_permissions = ["can_this_form_get"]

    @expose("/form")
    @has_access
    def this_form_get(self):
        return redirect(url_for("AccountView.show"))


class AuthDBView(fab.AuthDBView):
    """The sign-in page; beside a wrong password the user name stays as it was typed."""

    @expose("/login/", methods=["GET", "POST"])
    @no_cache
    def login(self):
        answer = super().login()
        if request.method == "POST" and not current_user.is_authenticated:
            session["tried_as"] = request.form.get("username", "")[:64]
        return answer

    @expose("/logout/", methods=["GET", "POST"])
    @no_cache
    def logout(self):
        """A picture or a link of another site asks by GET, and logs nobody out: it gets a page with the button."""
        if request.method == "POST":
            return super().logout()
        if not current_user.is_authenticated:
            return redirect(self.appbuilder.get_url_for_index)
        return super().render_template("xueji/logout.html", title=_("Logout"))

    def render_template(self, template, **kwargs):
        name = kwargs["form"].username
        name.data = name.data or session.pop("tried_as", None)
        return super().render_template(template, **kwargs)


class UserGroupModelView(Guarded, fab.UserGroupModelView):
    pass


class SecurityApi(SaysWhy, api.SecurityApi):
    """The login of programs."""

    @expose("/login", methods=["POST"])
    def login(self):
        return api.SecurityApi.login.__wrapped__(self)  # without FAB's catch of every error: ours say what is wrong

    login.__doc__ = api.SecurityApi.login.__doc__  # which describes it on /swagger/v1

    @expose("/logout", methods=["POST"])
    @jwt_required()
    def logout(self):
        """End the login of the token
        ---
        post:
          description: >-
            End the login that gave this token. Its access and refresh tokens, all that came of it, open nothing from then on.
          responses:
            200:
              description: The login has ended
              content:
                application/json:
                  schema:
                    type: object
                    properties:
                      message:
                        type: string
            401:
              $ref: '#/components/responses/401'
        """
        sessions.end(get_jwt()[sessions.CLAIM], int(get_jwt_identity()))
        return self.response(200, message=str(_("This login has ended.")))

    def response_401(self):
        return self.response(401, message=str(_("User name or password is wrong.")))


class AccountManager(XuejiSecurityManager):
    """The security manager with these screens."""

    security_api = SecurityApi

    authdbview = AuthDBView
    userdbmodelview = UserDBModelView
    userinfoeditview = UserInfoEditView
    resetmypasswordview = ResetMyPasswordView
    resetpasswordview = ResetPasswordView
    rolemodelview = RoleModelView
    groupmodelview = UserGroupModelView

    def auth_user_db(self, username, password):
        """Form and API alike: a try is counted before it is looked at, and its owner told of many wrong ones."""
        enter_request_scope(NO_SCOPE)  # who logs in is nobody yet, whatever another cookie says
        attempt = begin_attempt(username or "")
        user = super().auth_user_db(username, password)
        settle_attempt(attempt, right=user is not None)
        return user

    def __init__(self, appbuilder) -> None:
        super().__init__(appbuilder)
        for view in (UserDBModelView, RoleModelView, UserGroupModelView):
            view.datamodel = XuejiInterface(view.datamodel.obj)
