"""批量操作 the actions that FAB adds to lists and pages: each on rows that are there, and in the way that it offers."""

from typing import Any

from flask import abort, redirect, request, url_for
from flask_appbuilder import expose

from app.access.actor import logged_in_user


class ActsOnRows:
    """Mixin of a screen, before FAB's. FAB hands an action whatever it finds, nothing too, and one row to what takes many."""

    # of the screen
    actions: dict[str, Any]
    appbuilder: Any
    class_permission_name: str
    datamodel: Any
    _base_filters: Any

    @expose("/action/<string:name>/<pk>", methods=["POST"])
    def action(self, name: str, pk: str):
        self._check(name, [pk], offered="single")
        return super().action(name, pk)  # type: ignore[misc]  # FAB's

    @expose("/action_post", methods=["POST"])
    def action_post(self):
        self._check(request.form.get("action", ""), request.form.getlist("rowid"), offered="multiple")
        return super().action_post()  # type: ignore[misc]  # FAB's

    def _check(self, name: str, rows: list[str], *, offered: str) -> None:
        """404 for an action that is none here, or a row that is none or somebody else's."""
        action = self.actions.get(name)
        if action is None or not getattr(action, offered) or not rows:
            abort(404)
        needed = self.get_action_permission_name(name)  # type: ignore[attr-defined]  # FAB's
        if not self.appbuilder.sm.has_access(needed, self.class_permission_name):
            user = logged_in_user()  # who is turned away need not learn which rows there are
            known = user is not None and user.is_authenticated
            abort(403) if known else abort(redirect(url_for("AuthDBView.login")))
        if any(self.datamodel.get(row, self._base_filters) is None for row in rows):
            abort(404)
