"""学籍异动 the ledger as a list: every change of the roster by category and day, and the workbook to upload it by."""

from typing import Any, ClassVar

from flask import g
from flask_babel import lazy_gettext as _

from app.access import Permission
from app.kit.flow.labels import LABELS
from app.kit.screen import Menu, Screen
from app.models import RosterChange, RosterStatus
from app.models.organisation.codes import codes_of
from app.workbooks.roster_changes import roster_changes


def reason_words(why: str | None) -> Any:
    """Why an entry was made: the national code in words, or the reason that the case gave where there is no such code."""
    if not why:
        return ""
    if "change_reasons" not in g:
        g.change_reasons = {code.code: str(code) for code in codes_of("change_reason", retired=True)}
    return g.change_reasons.get(why) or LABELS.get(f"reason.{why}", why)


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
        "code": _("Category of the change"), "why": _("Reason"), "undone": _("Holds no more"), "new_status": _("Status after"),
        "was": _("Before"), "became": _("After"), "document_no": _("Document number"), "new_college": _("College after"),
        "new_major": _("Major after"), "until": _("Until"), "recorded_at": _("Recorded at"), "approved_on": _("Approved on"),
    }  # fmt: skip
    picks = {"new_status": RosterStatus, "code": "roster_change"}
    list_columns = [
        "effective_on",
        "student",
        "change_code",
        "why",
        "new_status",
        "was",
        "became",
        "document_no",
        "undone",
    ]
    formatters_columns: ClassVar[dict[str, Any]] = {"why": reason_words}
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
