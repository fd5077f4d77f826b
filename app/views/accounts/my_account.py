"""我的账号 my account: what a person sees and changes of her own account."""

from typing import Any, ClassVar

from flask import flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import format_datetime, ngettext
from flask_babel import lazy_gettext as _

from app.access import Permission, current_actor
from app.access.actor import logged_in_user, own_identities
from app.access.sessions import this_login
from app.kit.operation import Refused
from app.kit.screen import PageView
from app.models.accounts.account import person_name
from app.models.accounts.session import LoginKind, UserSession
from app.operations.accounts.own import change_letter_address, end_other_sessions, end_session, running_sessions
from app.views.accounts.switch import label_of


class AccountView(PageView):
    """Name and roles as the administrator of accounts set them; password, language, letters and deputies as one likes."""

    route_base = "/account"
    default_view = "show"
    acts: ClassVar = {"can_show": Permission.HOME_READ}

    @expose("/")
    @has_access
    def show(self):
        return self.page()

    @expose("/letters", methods=["POST"])
    @has_access
    @permission_name("show")
    def letters(self):
        """Where letters go to."""
        try:
            change_letter_address(current_actor(), request.form.get("email", ""))
        except Refused as refused:
            return self.page(error=str(refused)), 422
        flash(_("Letters go to this address from now on."), "success")
        return redirect(url_for("AccountView.show"))

    @expose("/sessions/<int:number>/end", methods=["POST"])
    @has_access
    @permission_name("show")
    def end(self, number: int):
        """Log out somewhere else."""
        end_session(current_actor(), number)
        flash(_("This login has ended."), "success")
        return redirect(url_for("AccountView.show"))

    @expose("/sessions/end", methods=["POST"])
    @has_access
    @permission_name("show")
    def end_others(self):
        """Log out everywhere but here."""
        login = this_login()
        ended = end_other_sessions(current_actor(), login.id if login else None)
        flash(ngettext("%(num)s other login has ended.", "%(num)s other logins have ended.", ended), "success")
        return redirect(url_for("AccountView.show"))

    def page(self, **more: Any) -> str:
        user = logged_in_user()
        self.update_redirect()
        return self.render_template(
            "xueji/account.html", title=_("My account"), user=user, name=person_name(user),
            identities_held="\n".join(label_of(one) for one in own_identities()),
            sessions=[session_words(one) for one in running_sessions(current_actor())],
            email=request.form.get("email", user.email),
            deputies_url=url_for("DelegationView.list") if current_actor().may(Permission.DELEGATION_WRITE) else None,
            **more,
        )  # fmt: skip


# As browsers call themselves, the more particular first: most of them claim to be several others.
BROWSERS = ("MicroMessenger", "DingTalk", "Edg", "OPR", "Firefox", "Chrome", "Safari")
SYSTEMS = ("HarmonyOS", "Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux")
CALLED = {"MicroMessenger": "WeChat", "Edg": "Edge", "OPR": "Opera", "Mac OS": "macOS"}


def session_words(one: UserSession) -> dict[str, Any]:
    """A login as its owner knows it again."""
    login = this_login()
    found = [next((name for name in names if name in one.agent), "") for names in (BROWSERS, SYSTEMS)]
    words = " · ".join(CALLED.get(name, name) for name in found if name)
    return {
        "id": one.id, "here": login is not None and one.id == login.id, "place": one.place,
        "what": words or one.agent[:40] or LoginKind(one.kind).label,
        "program": one.kind == LoginKind.API,
        "begun": format_datetime(one.begun_at, "short"), "seen": format_datetime(one.seen_at, "short"),
        "url": url_for("AccountView.end", number=one.id),
    }  # fmt: skip
