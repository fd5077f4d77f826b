"""转专业批次 rounds of transfers: the registry opens them, target colleges examine, the panel ranks and decides."""

from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import lazy_gettext as _
from flask_babel import ngettext
from wtforms import IntegerField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange

from app.access import Permission, current_actor
from app.kit.operation import Refused, get
from app.kit.screen import Menu, Screen
from app.models import RoundState, TransferRound
from app.models.transfers.rounds import MOST_CHOICES
from app.operations.transfers.decision import decide_round
from app.operations.transfers.preparing import Offer, offer_majors
from app.operations.transfers.rounds import confirm, examine, move_round
from app.views.transfers import round_page

MOVED = {
    RoundState.OPEN: _("The round is open for applications."),
    RoundState.RANKING: _("The round is closed. Its applications are being examined and ranked."),
}


def round_fields() -> dict[str, Any]:
    return {
        "choices": IntegerField(_("Choices"), [InputRequired(), NumberRange(1, MOST_CHOICES)], default=2,
                                description=_("How many majors a student may name, in turn.")),
        "notice": TextAreaField(_("Notice"), [Length(max=2000)], render_kw={"rows": 6},
                                description=_("Who may apply, by when, and how it is decided. Applicants read it.")),
    }  # fmt: skip


class TransferRoundScreen(Screen):
    """The rounds. Title and notice are plain data; everything else that happens to a round is an operation."""

    model = TransferRound
    menu = Menu(_("Transfer rounds"), "proceedings", "fa-right-left")
    reads, writes = Permission.TRANSFER_READ, Permission.TRANSFER_WRITE
    base_permissions = ["can_list", "can_show", "can_add", "can_edit", "can_examine", "can_settle"]
    acts = {"can_examine": Permission.TRANSFER_EXAMINE, "can_settle": Permission.TRANSFER_DECIDE}
    label_columns = {
        "title": _("Round"), "choices": _("Choices"), "notice": _("Notice"), "state": _("State"),
        "decided_at": _("Decided at"),
    }  # fmt: skip
    picks = {"state": RoundState}
    list_columns = ["title", "state", "choices", "decided_at"]
    add_columns = edit_columns = ["title", "choices", "notice"]
    show_columns = [*list_columns, "notice"]
    add_form_extra_fields = edit_form_extra_fields = round_fields()
    search_columns = ["title", "state"]
    order_columns = ["title", "decided_at"]
    base_order = ("title", "desc")
    list_title, add_title = _("Transfer rounds"), _("New round of transfers")
    edit_title, show_title = _("Edit the round"), _("Round of transfers")

    @expose("/show/<pk>")
    @has_access
    def show(self, pk: str):
        one = self.datamodel.get(pk, self._base_filters)
        if one is None:
            abort(404)
        self.update_redirect()
        return self._page(one)

    def _page(self, one: TransferRound, error: Any = None):
        page = self.render_template(
            "xueji/transfer_round.html", title=one.title, error=error, form=request.form,
            **round_page.page(one, current_actor()),
        )  # fmt: skip
        return (page, 422) if error else page

    @expose("/move/<int:round_id>", methods=["POST"])
    @has_access
    @permission_name("edit")
    def move(self, round_id: int):
        to = request.form.get("to", "")
        return self._do(round_id, MOVED.get(to), move_round, to)  # type: ignore[call-overload]  # a StrEnum's key

    @expose("/offers/<int:round_id>", methods=["GET", "POST"])
    @has_access
    @permission_name("edit")
    def offers(self, round_id: int):
        """The places of every major on one page; a major without places is not offered."""
        one, error = get(TransferRound, round_id), None
        rows = round_page.offer_rows(one, request.form if request.method == "POST" else None)
        if request.method == "POST":
            try:
                offers = {
                    row.major_id: Offer.read(row.major, *(row.typed[name] for name in round_page.TYPED))
                    for row in rows if row.typed["places"]
                }  # fmt: skip
                offer_majors(current_actor(), round_id, offers)
                flash(ngettext("%(num)s major is offered.", "%(num)s majors are offered.", len(offers)), "success")
                return redirect(url_for("TransferRoundScreen.show", pk=round_id))
            except Refused as refused:
                error = str(refused)
        page = self.render_template(
            "xueji/transfer_offers.html", title=_("Places of each major"), round=one, rows=rows, error=error
        )
        return (page, 422) if error else page

    @expose("/examine/<int:round_id>", methods=["POST"])
    @has_access
    @permission_name("examine")
    def examine(self, round_id: int):
        """The target college's clerk says which choices pass."""
        chosen = [int(one) for one in request.form.getlist("choice") if one.isdecimal() and len(one) < 19]
        passed, remark = request.form.get("act") == "pass", request.form.get("remark", "")
        return self._do(round_id, _("Examined. The leader of the college confirms it."), lambda actor, _round: examine(
            actor, chosen, passed=passed, remark=remark))  # fmt: skip

    @expose("/confirm/<int:round_id>", methods=["POST"])
    @has_access
    @permission_name("examine")
    def confirm(self, round_id: int):
        """Its leader signs what was examined, with the meeting that agreed."""
        return self._do(round_id, _("Confirmed."), confirm, request.form.get("meeting_id", ""))

    @expose("/ranking/<int:round_id>")
    @has_access
    @permission_name("show")
    def ranking(self, round_id: int):
        """Who is admitted to which major as things stand, major by major, with the ties."""
        one = get(TransferRound, round_id)
        if not round_page.sees_ranking(current_actor()) or one.state != RoundState.RANKING:
            abort(404)
        self.update_redirect()
        return self.render_template(
            "xueji/transfer_ranking.html", title=_("Ranking"), round=one, **round_page.ranking(one)
        )

    @expose("/settle/<int:round_id>", methods=["POST"])
    @has_access
    @permission_name("settle")
    def settle(self, round_id: int):
        """The panel decides the whole list in one act."""
        return self._do(
            round_id, _("The round is decided. The colleges place the admitted in classes; then it is published."),
            lambda actor, number: decide_round(actor, number, meeting_id=request.form.get("meeting_id", ""),
                                               expected=request.form.get("expected", "")),
        )  # fmt: skip

    def _do(self, round_id: int, done: Any, verb: Any, *args: Any):
        """Act upon a round; a refusal is said on its page and changes nothing."""
        try:
            verb(current_actor(), round_id, *args)
        except Refused as refused:
            return self._page(get(TransferRound, round_id), str(refused))
        if done:
            flash(done, "success")
        return redirect(url_for("TransferRoundScreen.show", pk=round_id))
