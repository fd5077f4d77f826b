"""关口 gates: what a step asks for beyond a signature. A domain registers the word by which its steps ask for it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask_babel import format_date
from flask_babel import lazy_gettext as _
from sqlalchemy import select

from app.kit import clock
from app.kit.flow.declare import BrokenFlow
from app.models import Case, among, db
from app.models.language import listed

Steps = dict[int, Any]  # case → its open step
Reasons = dict[int, Any]  # case → why it may not pass


@dataclass(frozen=True)
class Found:
    """What a gate found: the cases that it holds back, and what is noted beside what the decision records."""

    reasons: Reasons = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)

    def __or__(self, other: "Found") -> "Found":
        return Found(self.reasons | other.reasons, self.notes | other.notes)


Gate = Callable[[dict[str, Any], Steps], Found]  # (what the decision records, the steps that ask for it)
GATES: dict[str, Gate] = {}  # in the order in which they are asked
RECORDED: set[str] = set()  # gates that what is recorded opens


def gate(word: str, *, recorded: bool = False) -> Callable[[Gate], Gate]:
    """Register what a word of a `Step` asks for. `recorded`: nothing is known of it before the decision records it.
    Raises BrokenFlow if the word has a gate."""

    def declare(find: Gate) -> Gate:
        if GATES.setdefault(word, find) is not find:
            raise BrokenFlow(f"two gates are called {word}")
        if recorded:
            RECORDED.add(word)
        return find

    return declare


def ask_gates(records: dict[str, Any] | None, steps: Steps) -> Found:
    """What the gates of these steps find; a fixed number of statements for any number of cases. Without records: what
    holds back whatever will be recorded with the decision."""
    found = Found()
    for word, find in GATES.items():
        asked = {key: step for key, step in steps.items() if step.declared.get(word) and key not in found.reasons}
        if asked and (records is not None or word not in RECORDED):
            found |= find({} if records is None else records, asked)
    return found


@gate("checklist")
def cleared(records: dict[str, Any], steps: Steps) -> Found:
    """Every leaving item of the department is ticked."""
    reasons: Reasons = {}
    for case_id, step in steps.items():
        left = [item for item in step.declared["items"] if item not in step.cleared]
        if left:
            reasons[case_id] = _("Not cleared yet: %(items)s.", items=listed(left))
    return Found(reasons)


@gate("timed")
def day_has_come(records: dict[str, Any], steps: Steps) -> Found:
    """The day has come for which the case says that this happens."""
    query = select(Case.__table__).where(among(Case.__table__.c.id, list(steps)))
    days = {row.id: getattr(row, steps[row.id].declared["timed"]) for row in db.session.execute(query)}
    return Found(
        {
            case_id: _("It is for %(day)s and cannot be signed before.", day=format_date(day))
            for case_id, day in days.items()
            if day is not None and day > clock.today()
        }
    )
