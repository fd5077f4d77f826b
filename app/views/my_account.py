"""我的账号 my account: what a person sees and changes of her own account."""

from typing import Any, ClassVar

from flask import flash, redirect, request, url_for
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import lazy_gettext as _

from app.access import Permission, current_actor
from app.access.actor import logged_in_user, own_identities
from app.kit.operation import Refused
from app.models.accounts import person_name
from app.operations.accounts import change_letter_address
from app.views.identity import label_of


class AccountView(BaseView):
    """Name and roles as the administrator of accounts set them; password, language, letters and deputies as one likes."""

    route_base = "/account"
    default_view = "show"
    menu: ClassVar[None] = None
    base_permissions: ClassVar = ["can_show"]

    @classmethod
    def needs(cls) -> dict[str, Permission]:
        return {"can_show": Permission.HOME_READ}

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

    def page(self, **more: Any) -> str:
        user = logged_in_user()
        self.update_redirect()
        return self.render_template(
            "xueji/account.html", title=_("My account"), user=user, name=person_name(user),
            identities_held=[label_of(one) for one in own_identities()],
            email=request.form.get("email", user.email),
            deputies_url=url_for("DelegationView.list") if current_actor().may(Permission.DELEGATION_WRITE) else None,
            **more,
        )  # fmt: skip
