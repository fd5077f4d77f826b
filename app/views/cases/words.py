"""办件用语 what pages call the acts upon a case, its columns, flows, steps and reasons."""

from typing import Any

from flask_babel import lazy_gettext as _

from app.access import current_actor
from app.kit.flow import FLOWS, label
from app.kit.flow.words import told_alone
from app.models import CaseStep

ACTS: dict[str, dict[str, Any]] = {
    "submit": {"label": _("Hand in"), "tone": "ok", "icon": "fa-paper-plane"},
    "approve": {"label": _("Approve"), "tone": "ok", "icon": "fa-check"},
    "send_back": {"label": _("Send back"), "tone": "warn", "icon": "fa-reply", "needs_opinion": True},
    "refuse": {"label": _("Refuse"), "tone": "bad", "icon": "fa-xmark", "needs_opinion": True,
               "confirm": _("Refuse this application? The case ends with it.")},
    "let_in_late": {"label": _("Let in outside the window"), "tone": "warn", "icon": "fa-door-open",
                    "needs_opinion": True},
    "extend": {"label": _("Give the review more time"), "tone": "warn", "icon": "fa-clock", "needs_opinion": True,
               "confirm": _("Give the review more time? That is possible once.")},
    "withdraw": {"label": _("Take back"), "tone": "warn", "icon": "fa-rotate-left",
                 "confirm": _("Take this application back? The case ends with it.")},
}  # fmt: skip
SEEN_TO = _("Confirm as seen to")  # what follows a decision is no longer agreed to
LABELS = {
    "number": _("Case"), "subject": _("Student"), "flow": _("Flow"), "state": _("State"), "step_key": _("Step"),
    "opened_at": _("Opened"), "college": _("College"), "reason": _("Reason"), "submitted_at": _("Handed in"),
    "running": _("Under way"), "due_on": _("Due"),
}  # fmt: skip


def act_words(act: str, step: CaseStep | None) -> dict[str, Any]:
    """The button of an act upon a case that waits at this step."""
    after = act == "approve" and step is not None and step.declared.get("after_effect")
    return ACTS[act] | ({"label": SEEN_TO} if after else {})


def event_name(act: str, after_effect: bool) -> Any:
    """What an act is called in the course of a case: a receipt that follows the decision approves of nothing."""
    return label("act", "seen_to" if act == "approve" and after_effect else act)


def flow_words() -> list[tuple[str, Any]]:
    return [(key, flow.title) for key, flow in FLOWS.items()]


def step_words() -> list[tuple[str, Any]]:
    return [(key, label("step", key)) for key in dict.fromkeys(s.key for flow in FLOWS.values() for s in flow.steps)]


def flow_name(key: Any) -> Any:
    return FLOWS[str(key)].title if str(key) in FLOWS else key


def step_name(key: Any) -> Any:
    return label("step", key or None)


def reason_name(key: Any) -> Any:
    """A department reads of no reason, in a list or its workbook."""
    return label("reason", str(key)) if key and not told_alone(current_actor()) else "—"
