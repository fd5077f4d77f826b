"""审计内容 what an audit row holds, in the reader's language: the rows keep keys, the pages say words."""

from collections.abc import Iterator
from typing import Any

from flask import current_app
from flask_babel import lazy_gettext as _

from app.access.roles import BUILT_IN, Role
from app.kit.flow import FLOWS
from app.kit.flow.labels import LABELS
from app.kit.screen.present import yes_no
from app.kit.sensitive import seen_by
from app.models import CaseState, RegistrationState, RosterStatus
from app.models.language import in_chinese, listed
from app.views.labels import SCOPES

INDENT = "  "
# What operations call the parts of what they did; columns of tables are called as their screen calls them.
KEYS: dict[str, Any] = {
    "admitted": _("Admitted"),
    "answer": _("Answer"),
    "assigned_to": _("Handed to"),
    "case_id": _("Case"),
    "cases": _("Cases"),
    "changed": _("Changed"),
    "choices": _("Choices"),
    "cleared": _("Cleared items"),
    "closes_on": _("Last day"),
    "column": _("Column"),
    "columns": _("Columns"),
    "count": _("Number"),
    "decided": _("Decided"),
    "deputy": _("Deputy"),
    "discharged_on": _("Discharged on"),
    "document_id": _("Document"),
    "due_on": _("Due"),
    "ended_on": _("Ended on"),
    "entry_year": _("Entry year"),
    "fields": _("Fields"),
    "file_name": _("File"),
    "filter": _("Conditions"),
    "first": _("First number"),
    "for_all": _("For all colleges"),
    "from": _("From"),
    "ground": _("Ground"),
    "groups": _("Classes"),
    "held_on": _("Held on"),
    "key": _("Key"),
    "kind": _("Kind"),
    "last": _("Last number"),
    "mark": _("Holds no more"),
    "meeting": _("Meeting"),
    "meeting_id": _("Number of the meeting"),
    "moved": _("Dates moved"),
    "new": _("New"),
    "not_handed_in": _("Not handed in again"),
    "number": _("Number"),
    "numbers": _("Numbers"),
    "on_behalf_of": _("On behalf of"),
    "opens_on": _("Opens on"),
    "opinion": _("Opinion"),
    "originals": _("Originals at hand"),
    "outside": _("Cases outside the window"),
    "paper": _("Printed for the case"),
    "params": _("Asked for"),
    "passed": _("Passed"),
    "path": _("Stored as"),
    "places": _("Places"),
    "proposed_by": _("Proposed by"),
    "reason": _("Reason"),
    "records": _("Recorded"),
    "refused": _("Refused"),
    "remark": _("Remark"),
    "resolution": _("Resolution"),
    "rows": _("Rows"),
    "rule": _("Rule"),
    "scores": _("Scores"),
    "sensitive": _("Sensitive columns"),
    "sessions": _("Logins"),
    "sha256": _("Checksum"),
    "since": _("Since"),
    "state": _("State"),
    "step": _("Step"),
    "students": _("Students"),
    "tasks": _("Tasks"),
    "title": _("Title"),
    "to": _("Until"),
    "unchanged": _("Unchanged"),
    "version": _("Version"),
}
STATES: dict[str, Any] = {
    item.value: item.label for kinds in (CaseState, RegistrationState, RosterStatus) for item in kinds
}
WORDS = {  # key → what says the values of that key in words
    "scope": lambda value: SCOPES.get(value, value),
    "roles": lambda value: Role(value).label if value in BUILT_IN else value,
    "flow": lambda value: FLOWS[value].title if value in FLOWS else value,
    "reason": lambda value: LABELS.get(f"reason.{value}", value),
    "ground": lambda value: LABELS.get(f"reason.{value}", value),
    "state": lambda value: STATES.get(value, value),
    "status": lambda value: STATES.get(value, value),
    "step": lambda value: LABELS.get(f"step.{value}", value),
    "step_key": lambda value: LABELS.get(f"step.{value}", value),
    "told_how": lambda value: LABELS.get(f"told_how.{value}", value),
    "delivered_how": lambda value: LABELS.get(f"delivered_how.{value}", value),
}


def role_words(roles: str | None) -> str:
    """The roles of an audit row, which holds their keys with commas between."""
    return listed(Role(name).label if name in BUILT_IN else name for name in (roles or "").split(",") if name) or "—"


def content(value: dict[str, Any] | None) -> str:
    """Old, new or detail of an audit row: a line a part, parts of parts indented."""
    return "\n".join(_lines(value or {}, "")) or "—"


def key_word(key: str) -> str:
    """A part in words: as the audit calls it, a flow its field or a screen its column; else the key as it stands."""
    word = KEYS.get(key) or LABELS.get(f"field.{key}") or _column(key) or _column(key.removesuffix("_id"))
    return str(word or key)


def _column(key: str) -> Any:
    pages = current_app.appbuilder.baseviews  # type: ignore[attr-defined]  # FAB hangs itself on the application
    named = (page.label_columns for page in pages if getattr(page, "menu", None) and hasattr(page, "label_columns"))
    return next((labels[key] for labels in named if key in labels), None)


def _lines(parts: dict[str, Any], indent: str) -> Iterator[str]:
    mark = "：" if in_chinese() else ": "
    for key, value in parts.items():
        if isinstance(value, dict) and value:
            yield f"{indent}{key_word(key)}{mark}"
            yield from _lines(value, indent + INDENT)
        else:
            yield f"{indent}{key_word(key)}{mark}{_word(key, value)}"


def _word(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return yes_no(value)
    if value in (None, "", [], {}):
        return "—"
    if isinstance(value, list):
        return listed(_word(key, one) for one in value)
    if isinstance(value, dict):
        return listed(f"{key_word(part)} {_word(part, one)}" for part, one in value.items())
    if key in ("column", "columns", "fields", "sensitive"):
        return key_word(str(value))
    word = WORDS[key](value) if key in WORDS else value
    return str(word if key == "email" else seen_by(None, key, word))  # an e-mail of the audit is an account's
