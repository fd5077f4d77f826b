"""What stands in the inbox: the queries of its tabs, their numbers, and a row as the page and the workbook show it."""

from collections.abc import Sequence
from typing import Any

from flask import request, url_for
from flask_babel import format_date, gettext, ngettext
from flask_babel import lazy_gettext as _
from sqlalchemy import Select, func, or_, select

from app.access import current_actor
from app.kit import clock
from app.kit.flow import FLOWS, flow_of, label
from app.kit.flow.check import hands_of
from app.kit.flow.inbox import select_done_by, select_open_steps, select_sent_back, sent_back_whys
from app.kit.flow.words import told_alone
from app.kit.screen.present import TONES
from app.models import Case, CaseState, StepState, db
from app.models.text import folded, number

BACK = (CaseState.OPEN, CaseState.SENT_BACK)
TABS = {"open": _("Waiting for me"), "back": _("Sent back to me"), "done": _("Done by me")}


def selects() -> dict[str, Select]:
    actor = current_actor()
    return {
        "open": select_open_steps(actor), "back": select_sent_back(actor), "done": select_done_by(actor),
    }  # fmt: skip


def filtered(query: Select) -> Select:
    """The query with the filter of the request's address: flow and words."""
    flow, words = request.args.get("flow", ""), request.args.get("q", "").strip()[:60]
    if flow in FLOWS:
        query = query.where(Case.flow == flow)
    if words:
        numbered, named = number(words) or words, folded(words) or words  # signs alone find nobody
        begins = Case.number.op("^@", is_comparison=True)(numbered)
        query = query.where(or_(begins, func.folded(Case.subject).contains(named, autoescape=True)))
    return query


def counted(query: Select) -> int:
    return (
        db.session.scalar(select(func.count()).select_from(query.with_only_columns(Case.id).order_by(None).subquery()))
        or 0
    )


def tabs() -> list[dict[str, Any]]:
    return [
        {"key": key, "label": TABS[key], "url": url_for("InboxView.list", tab=key),
         "count": counted(query) if key != "done" else None}
        for key, query in selects().items()
    ]  # fmt: skip


def flows(tab: str) -> list[dict[str, Any]]:
    """How many of each flow, as links that narrow the list."""
    query = selects()[tab].with_only_columns(Case.flow, func.count()).order_by(None).group_by(Case.flow)
    numbers = {flow: number for flow, number in db.session.execute(query)}
    made = [
        {"key": "", "label": _("All flows"), "url": url_for("InboxView.list", tab=tab), "count": sum(numbers.values())}
    ]
    made += [
        {"key": key, "label": flow.title, "url": url_for("InboxView.list", tab=tab, flow=key), "count": numbers[key]}
        for key, flow in FLOWS.items() if key in numbers
    ]  # fmt: skip
    return made


def shown(row: Any) -> dict[str, Any]:
    """A row of the list; `row` is (step, case) or (case,)."""
    step, case = row if len(row) == 2 else (None, row[0])
    state = CaseState(case.state)
    due = step.due_on if step is not None and step.state == StepState.OPEN else None
    days = (due - clock.today()).days if due else 0
    return {
        "value": f"{case.id}:{step.key}" if step is not None else None,
        "number": case.number,
        "title": flow_of(case).title,
        "subject": case.subject,
        "step": label("step", step.key) if step is not None else None,
        "due": format_date(due, "short") if due else None,
        "left": left(days) if due else None,
        "overdue": bool(due and days < 0),
        "state": state.label,
        "tone": TONES.get(state, "muted"),
        "url": url_for("CaseScreen.show", pk=case.id),
    }


def shown_all(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """The rows of a page, those that were sent back to the reader or her step with the reason; a department gets none."""
    ids = [] if told_alone(current_actor()) else [row[-1].id for row in rows if row[-1].state in BACK]
    whys = sent_back_whys(ids)
    hands = hands_of(current_actor().user_id, [row[-1].id for row in rows if len(row) == 2 and _waits(row)])
    return [
        shown(row)
        | {
            "sent_back": whys.get(row[-1].id) if _waits(row) else None,
            "barred": hands.why_not(row[1], row[0]) if len(row) == 2 and _waits(row) else None,
        }
        for row in rows
    ]


def _waits(row: Any) -> bool:
    """Whether it is still with the reader, and not only done by her."""
    return len(row) == 1 or row[0].state == StepState.OPEN


def exported(row: Any) -> tuple:
    """The same row in the workbook."""
    said = shown(row)
    due = row[0].due_on if len(row) == 2 and said["due"] else None
    return (
        said["number"],
        said["subject"],
        str(said["title"]),
        said["step"] and str(said["step"]),
        due,
        str(said["state"]),
    )


def left(days: int) -> str:
    if days < 0:
        return ngettext("%(num)s day overdue", "%(num)s days overdue", -days)
    return gettext("today") if days == 0 else ngettext("%(num)s day left", "%(num)s days left", days)
