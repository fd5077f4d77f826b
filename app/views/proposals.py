"""账号待确认 proposals: identities and passwords that wait for a second person, and what became of the last ones."""

from typing import Any, ClassVar

from flask import flash, redirect, request, url_for
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import format_datetime
from flask_babel import lazy_gettext as _
from sqlalchemy import select

from app.access import Permission, current_actor
from app.kit.operation import Refused
from app.kit.screen import Menu
from app.models import Proposal, ProposalKind, ProposalState, db
from app.models.accounts import signature
from app.models.language import listed
from app.operations.second_hand import decide_proposal, held_words, wanted_words
from app.views.labels import SCOPES, role_label

LATEST = 20


class ProposalView(BaseView):
    """Confirm or decline; the proposer sees what waits, and may take it back."""

    route_base = "/proposals"
    default_view = "list"
    menu = Menu(_("To be confirmed"), "settings", "fa-user-check")
    base_permissions: ClassVar = ["can_list", "can_decide"]

    @classmethod
    def needs(cls) -> dict[str, Permission]:
        return dict.fromkeys(("can_list", "can_decide", "menu_access"), Permission.ACCOUNT_CONFIRM)

    @expose("/")
    @has_access
    def list(self):
        return self.page()

    @expose("/<int:proposal_id>/decide", methods=["POST"])
    @has_access
    @permission_name("decide")
    def decide(self, proposal_id: int):
        accepted = request.form.get("act") == "confirm"
        try:
            decide_proposal(current_actor(), proposal_id, accepted=accepted)
        except Refused as refused:
            return self.page(error=str(refused)), refused.status
        flash(_("Confirmed: it holds from now on.") if accepted else _("Declined: nothing has changed."), "success")
        return redirect(url_for("ProposalView.list"))

    def page(self, **more: Any) -> str:
        waiting = select(Proposal).where(Proposal.state == ProposalState.PENDING).order_by(Proposal.id)
        decided = select(Proposal).where(Proposal.state != ProposalState.PENDING).order_by(Proposal.id.desc())
        self.update_redirect()
        return self.render_template(
            "xueji/proposals.html", title=_("To be confirmed"),
            waiting=[shown(one) for one in db.session.scalars(waiting)],
            decided=[shown(one) for one in db.session.scalars(decided.limit(LATEST))], **more,
        )  # fmt: skip


def shown(one: Proposal) -> dict[str, Any]:
    me, state = current_actor().user_id, ProposalState(one.state)
    return {
        "user": signature(one.user), "kind": ProposalKind(one.kind).label,
        "before": facts(held_words(one.identity)) if state is ProposalState.PENDING else [],
        "wanted": facts(wanted_words(one)), "by": signature(one.proposer),
        "at": format_datetime(one.proposed_at, "short"), "state": state.label, "tone": state.tone,
        "decider": signature(one.decider) if one.decider else None,
        "may_confirm": me not in (one.proposed_by, one.user_id), "mine": me == one.proposed_by,
        "url": url_for("ProposalView.decide", proposal_id=one.id),
    }  # fmt: skip


def facts(words: dict[str, Any] | None) -> list[tuple[Any, Any]]:
    """An identity as a list of what it is; nothing of a password."""
    if not words or "scope" not in words:
        return []
    place = words["college"] or words["department"]
    reach = SCOPES.get(words["scope"], words["scope"])
    return [
        (_("Roles"), listed(role_label(name) for name in words["roles"])),
        (_("Reaches"), f"{reach} · {place}" if place else reach),
    ]  # fmt: skip
