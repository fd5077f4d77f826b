"""学籍异动 the ledger as a list: every change of the roster by category and day, and the workbook to upload it by."""

from flask_babel import lazy_gettext as _

from app.access import Permission
from app.kit.screen import Menu, Screen
from app.models import RosterChange, RosterStatus
from app.workbooks.roster_changes import roster_changes


class RosterChangeScreen(Screen):
    """Entries of the ledger. Only operations write them, and nothing changes them."""

    model = RosterChange
    menu = Menu(_("Roster changes"), "roster", "fa-clock-rotate-left")
    reads = Permission.HISTORY_READ
    exports = Permission.ROSTER_EXPORT
    base_permissions = ["can_list", "can_export"]
    workbooks = [roster_changes]
    label_columns = {
        "effective_on": _("Effective on"), "student": _("Student"), "change_code": _("Category of the change"),
        "code": _("Category of the change"), "reason_code": _("Reason"), "new_status": _("Status after"),
        "was": _("Before"), "became": _("After"), "document_no": _("Document number"), "new_college": _("College after"),
        "new_major": _("Major after"), "until": _("Until"), "recorded_at": _("Recorded at"), "approved_on": _("Approved on"),
    }  # fmt: skip
    picks = {"new_status": RosterStatus, "code": "roster_change"}
    list_columns = [
        "effective_on",
        "student",
        "change_code",
        "reason_code",
        "new_status",
        "was",
        "became",
        "document_no",
    ]
    more_columns = ["until", "approved_on", "recorded_at"]
    search_columns = [
        "code",
        "effective_on",
        "until",
        "recorded_at",
        "document_no",
        "new_status",
        "new_college",
        "new_major",
    ]
    order_columns = ["effective_on", "document_no", "until", "recorded_at"]
    base_order = ("effective_on", "desc")
    frozen = 2
    list_title = _("Roster changes")
