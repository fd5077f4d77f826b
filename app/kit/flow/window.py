"""办理时间窗 windows: whether a flow may be handed in today, and if not, when. The academic calendar says."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import and_, or_, select

from app.kit.calendar import end_of_term
from app.kit.flow.declare import Flow
from app.models import Case, DatedTask, TaskRule, db


@dataclass(frozen=True)
class WindowState:
    """The window that is open, else the next to open, else the last that closed; no dates when there is none, or when
    it is open at any time. `closed_on` is the end of the last one where a next is known."""

    open: bool
    opens_on: date | None = None
    closes_on: date | None = None
    closed_on: date | None = None


Days = tuple[date, date]
ALWAYS: Days = (date.min, date.max)


def window_state(keys: str | tuple[str, ...], today: date, college_id: int | None = None) -> WindowState:
    """The state of one window, or of several that serve the same flow: for one 学院, or for all that the reader sees.

    The windows are the tasks of the calendar with these keys.
    """
    wanted = (keys,) if isinstance(keys, str) else keys
    return _state({days for key_days in _windows(wanted, college_id).values() for days in key_days}, today)


def window_states(flows: Iterable[Flow], today: date, college_id: int | None = None) -> dict[str, WindowState]:
    """Flow → the state of its window for one 学院, or for all that the reader sees, in one statement; a flow without a
    window is always open."""
    listed = list(flows)
    found = _windows({key for flow in listed if flow.window for key in flow.window.keys}, college_id)
    return {
        flow.key: _state({days for key in flow.window.keys for days in found.get(key, ())}, today)
        if flow.window else WindowState(True)
        for flow in listed
    }  # fmt: skip


def _windows(keys: Iterable[str], college_id: int | None) -> dict[str, set[Days]]:
    """Key → its days. What may happen at any time does so whether or not the next year is open, unless it was moved."""
    standing = and_(TaskRule.opens == "any", DatedTask.moved.is_(None))
    query = select(DatedTask.key, DatedTask.opens_on, DatedTask.due_on, standing).join(
        TaskRule, TaskRule.id == DatedTask.rule_id
    )
    query = query.where(DatedTask.key.in_(keys)).distinct()
    if college_id is not None:
        query = query.where(or_(DatedTask.college_id.is_(None), DatedTask.college_id == college_id))
    found: dict[str, set[Days]] = {}
    for key, opens_on, closes_on, always in db.session.execute(query):
        found.setdefault(key, set()).add(ALWAYS if always else (opens_on, closes_on))
    return found


def _state(days: set[Days], today: date) -> WindowState:
    if ALWAYS in days:
        return WindowState(True)
    windows = sorted(days)
    now = [one for one in windows if one[0] <= today <= one[1]]
    if now:
        return WindowState(True, *now[-1])
    coming = [one for one in windows if one[0] > today]
    past = [one for one in windows if one[1] < today]
    if coming:
        return WindowState(False, *coming[0], closed_on=max(last for _first, last in past) if past else None)
    return WindowState(False, *(past[-1] if past else ()))


def why_closed(flow: Flow, case: Case, today: date) -> Any | None:
    """Why this case may not be handed in today, in words that say when it may; None if it may."""
    if flow.window is None or case.late_reason:
        return None
    state = window_state(flow.window.keys, today, case.student_college_id)
    if state.open or proof_is_fresh(flow, case, today):
        return None
    proof = flow.window.unless
    if proof and proof.when.holds(case) and getattr(case, proof.of):
        return _why_outside(getattr(case, proof.of), proof.days, state, today)
    return why_outside(state, today)


def why_outside(state: WindowState, today: date) -> Any | None:
    """When a window that is not open opens, and since when it has been closed; None of one that is open."""
    if state.open:
        return None
    if state.opens_on is None:
        return _("No window is set for this procedure. Ask the roster registry when it opens.")
    if state.opens_on > today and state.closed_on:
        return _("Closed since %(closed)s; it opens again on %(opens)s. The roster registry can let a case in outside the"
                 " window, with a reason.", closed=state.closed_on, opens=state.opens_on)  # fmt: skip
    if state.opens_on > today:
        return _("Not open yet: it opens on %(opens)s and closes on %(closes)s.",
                 opens=state.opens_on, closes=state.closes_on)  # fmt: skip
    return _("Closed since %(closes)s. The roster registry can let a case in late, with a reason.",
             closes=state.closes_on)  # fmt: skip


def proof_is_fresh(flow: Flow, case: Case, today: date) -> bool:
    """Whether what proves the case's reason is so recent that it may be handed in outside the window as well."""
    proof = flow.window.unless if flow.window else None
    if proof is None or not proof.when.holds(case):
        return False
    dated = getattr(case, proof.of)
    return dated is not None and dated <= today <= _last_day(dated, proof.days)


def _last_day(dated: date, days: int) -> date:
    return end_of_term(dated + timedelta(days=days))


def _why_outside(dated: date, days: int, state: WindowState, today: date) -> Any:
    last = _last_day(dated, days)
    if state.opens_on and state.opens_on > today:
        return _("The diagnosis or notice is dated %(dated)s: the case had to be handed in by %(last)s, or when the window"
                 " opens on %(opens)s. The roster registry can let it in late, with a reason.", dated=dated, last=last,
                 opens=state.opens_on)  # fmt: skip
    return _("The diagnosis or notice is dated %(dated)s: the case had to be handed in by %(last)s."
             " The roster registry can let it in late, with a reason.", dated=dated, last=last)  # fmt: skip
