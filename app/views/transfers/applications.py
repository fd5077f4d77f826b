"""转专业申请 the applications of all rounds as a list, with the workbook for ranking; the import of the ranking sheet."""

from typing import Any

from flask import url_for
from flask_babel import lazy_gettext as _

from app.access import Permission
from app.kit.screen import Screen
from app.kit.screen.base import Words
from app.models import CaseState, TransferCase
from app.views.cases.words import LABELS, step_name, step_words
from app.views.imports import ImportView
from app.workbooks.transfer_applications import transfer_applications
from app.workbooks.transfer_scores import transfer_scores_import


class TransferApplicationScreen(Screen):
    """Applications for a change of major, with choices, score and result. They change through the round."""

    model = TransferCase
    reads = exports = Permission.TRANSFER_READ
    base_permissions = ["can_list", "can_export"]
    label_columns = LABELS | {
        "round": _("Round"), "first_major": _("First choice"), "second_major": _("Second choice"),
        "third_major": _("Third choice"), "score": _("Score"), "second_score": _("Second score"),
        "major": _("Admitted to"), "class_group": _("Class"),
    }  # fmt: skip
    quick = ("number", "subject")
    picks = {"state": CaseState, "step_key": Words(step_words)}
    formatters_columns = {"step_key": step_name}
    workbooks = [transfer_applications]
    list_columns = ["subject", "college", "first_major", "second_major", "score", "major", "step_key", "state"]
    more_columns = ["number", "round", "third_major", "second_score", "class_group", "submitted_at"]
    order_columns = ["subject", "score", "state"]
    search_columns = ["round", "subject", "college", "first_major", "major", "step_key", "state", "score"]
    base_order = ("subject", "asc")
    list_title = _("Applications for a change of major")


class RankingImportView(ImportView):
    """The sheet with the scores by which a round is ranked."""

    what = transfer_scores_import
    route_base = "/imports/ranking"

    def after(self, subject: int) -> list[tuple[Any, str, bool]]:
        return [(_("Round of transfers"), url_for("TransferRoundScreen.show", pk=subject), True)]
