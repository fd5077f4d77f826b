"""账号待确认 proposals: identities and passwords that wait for a second person, and what became of the last ones."""

from typing import Any, ClassVar

from flask import flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import format_datetime
from flask_babel import lazy_gettext as _
from sqlalchemy import select

from app.access import Permission, current_actor
from app.access.roles import BUILT_IN
from app.kit.operation import Refused, get
from app.kit.screen import Menu, PageView
from app.models import Password, Proposal, ProposalKind, ProposalState, db
from app.models.accounts.account import AccountRole, User, signature
from app.models.language import listed
from app.operations.accounts.second_hand import LONGEST_REASON, decide_proposal, held_words, wanted_words
from app.views.labels import SCOPES, permission_label, role_label, view_label

LATEST = 20
ACTS = {"confirm": _("Confirm"), "decline": _("Decline")}


class ProposalView(PageView):
    """Confirm or decline; the proposer sees what waits, and may take it back."""

    route_base = "/proposals"
    menu = Menu(_("To be confirmed"), "settings", "fa-user-check")
    reads = Permission.ACCOUNT_CONFIRM
    acts: ClassVar = {"can_decide": Permission.ACCOUNT_CONFIRM}

    @expose("/")
    @has_access
    def list(self):
        return self.page()

    @expose("/<int:proposal_id>/<act>", methods=["GET"])
    @has_access
    @permission_name("decide")
    def ask(self, proposal_id: int, act: str):
        """What would change, before it does; whoever declines says why."""
        one = get(Proposal, proposal_id)
        if act not in ACTS or one.state != ProposalState.PENDING:
            return redirect(url_for("ProposalView.list"))
        return self.asked(one, act)

    @expose("/<int:proposal_id>/decide", methods=["POST"])
    @has_access
    @permission_name("decide")
    def decide(self, proposal_id: int):
        accepted, reason = request.form.get("act") == "confirm", request.form.get("reason", "")
        try:
            decide_proposal(current_actor(), proposal_id, accepted=accepted, reason=reason)
        except Refused as refused:
            one = get(Proposal, proposal_id)
            if one.state != ProposalState.PENDING:
                return self.page(error=str(refused)), refused.status
            return self.asked(one, "confirm" if accepted else "decline", str(refused), reason), refused.status
        flash(_("Confirmed: it holds from now on.") if accepted else _("Declined: nothing has changed."), "success")
        return redirect(url_for("ProposalView.list"))

    def asked(self, one: Proposal, act: str, error: str | None = None, reason: str = "") -> str:
        said = shown(one)
        title = ACTS[act] if act == "confirm" or not said["mine"] else _("Take back")
        return self.render_template("xueji/proposal.html", title=title, one=said, act=act, error=error, reason=reason,
                                    roles=[what_it_may(name) for name in one.roles], password=whose_password(one),
                                    most=LONGEST_REASON)  # fmt: skip

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
        "reason": one.reason, "url": url_for("ProposalView.decide", proposal_id=one.id),
        "ask": {act: url_for("ProposalView.ask", proposal_id=one.id, act=act) for act in ACTS},
    }  # fmt: skip


def what_it_may(role: str) -> dict[str, Any]:
    """A role with what it lets one do: under each screen its acts, in words."""
    held = db.session.scalar(select(AccountRole).where(AccountRole.name == role))
    by_view: dict[str, list[str]] = {}
    for one in held.permissions if held else []:
        view = one.view_menu.name
        by_view.setdefault(view_label(view), []).append(permission_label(one.permission.name, view))
    return {
        "label": role_label(role), "built_in": role in BUILT_IN,
        "count": sum(map(len, by_view.values())),
        "may": [(view, listed(sorted(acts))) for view, acts in sorted(by_view.items())],
    }  # fmt: skip


def whose_password(proposal: Proposal) -> str:
    """Who chose the present password of the account, and when: whoever knows it acts as its owner."""
    state = db.session.get(Password, proposal.user_id)
    giver = db.session.get(User, state.given_by or 0) if state else None
    if state is None or giver is None or state.given_at is None:
        return str(_("No administrator has set its password here."))
    given = {"who": signature(giver), "when": format_datetime(state.given_at, "short")}
    if state.must_change:
        return str(_("Its password was set by %(who)s, %(when)s, and is still that one.", **given))
    return str(_("Its password was set by %(who)s, %(when)s, and changed at a login on %(since)s.",
                 since=format_datetime(state.changed_at, "short"), **given))  # fmt: skip


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
