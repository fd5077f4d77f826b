"""法定期限 legal clocks: what is about to end, or has ended, for the students of each 学院; absences."""

from datetime import timedelta
from typing import Any

from flask import url_for
from flask_babel import lazy_gettext as _

from app.access import Permission
from app.kit import clock
from app.kit.screen import Menu, Screen
from app.models import ClockKind, LegalClock, setting_int


class LegalClockScreen(Screen):
    """Everything that ends on a day; rows of a view, so nobody can write them."""

    model = LegalClock
    menu = Menu(_("Legal clocks"), "proceedings", "fa-hourglass-half")
    reads = Permission.HISTORY_READ
    base_permissions = ["can_list"]
    label_columns = {
        "student": _("Student"), "college": _("College"), "kind": _("What ends"), "since": _("Since"),
        "due_on": _("Ends on"), "follows": _("What follows"),
    }  # fmt: skip
    picks = {"kind": ClockKind}
    list_columns = ["due_on", "kind", "student", "college", "since", "follows"]
    sentences = ("follows",)
    search_columns = ["kind", "due_on", "college"]
    order_columns = ["due_on", "since"]
    base_order = ("due_on", "asc")
    list_title = _("Legal clocks")
    list_template = "xueji/legal_clocks.html"

    def render_template(self, template: str, **kwargs):
        """With links to what is about to end, in as many days as notices go out before, and to what is over."""
        today, days = clock.today(), setting_int("clock_notice_days")
        over: dict[str, Any] = {"_flt_1_due_on": today - timedelta(days=1)}
        soon: dict[str, Any] = {"_flt_0_due_on": today, "_flt_1_due_on": today + timedelta(days=days)}
        kwargs["shortcuts"] = [
            (_("About to end: within %(n)s days", n=days), url_for("LegalClockScreen.list", **soon)),
            (_("Ended already"), url_for("LegalClockScreen.list", **over)),
            (_("All"), url_for("LegalClockScreen.list")),
        ]
        return super().render_template(template, **kwargs)
