"""流程图 the diagram of a flow or of one case: server-rendered SVG without style or script, themed by its classes."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from markupsafe import Markup, escape
from sqlalchemy import select

from app.access import Role
from app.kit.flow import Flow, flow_of, label
from app.models import Case, CaseEvent, CaseState, CaseStep, StepState, db
from app.models.accounts.account import signature

WIDTH, HEIGHT, GAP, PAD, LANE = 136, 74, 20, 14, 30
TALL_WIDTH, TALL_HEIGHT, TALL_GAP = 258, 52, 20
IN_ROW, BETWEEN = 6, 40  # boxes side by side; room between two rows
STATES = {
    "done": _("Done"), "current": _("In progress"), "todo": _("Not yet"), "returned": _("Sent back"),
    "refused": _("Refused"), "unreached": _("Not reached"),
}  # fmt: skip
ENDED = frozenset({CaseState.REFUSED, CaseState.WITHDRAWN, CaseState.ENDED})
FIRST_WIDE = "\u2e80"  # Chinese letters begin here; they are twice as wide
MARKS = {"done": "✓", "current": "●", "returned": "↩", "refused": "✕"}


@dataclass(frozen=True)
class Node:
    """One box. `state` is a key of STATES; `ends` marks the round first and last boxes."""

    key: str
    title: str
    actor: str = ""
    when: str = ""
    state: str = "todo"
    ends: bool = False


def flow_diagram(flow: Flow, *, tall: bool = False) -> Markup:
    """The flow as it is declared."""
    nodes = [Node("apply", gettext("Application"), str(Role.STUDENT.label), ends=True)]
    nodes += _declared(flow)
    return draw(nodes, title=str(flow.title), tall=tall, name=f"flow-{flow.key}")


def _declared(flow: Flow, case: Case | None = None) -> list[Node]:
    """The steps of a flow, or of a case that has none of its own yet."""
    state = "unreached" if case is not None and case.state in ENDED else "todo"
    return [Node(step.key, str(label("step", step.key)), str(step.role.label), state=state) for step in flow.steps]


def case_diagram(case: Case, *, tall: bool = False) -> Markup:
    """Where a case is: what was signed by whom and when, what waits, and every time it was sent back."""
    steps = db.session.scalars(
        select(CaseStep).where(CaseStep.case_id == case.id).order_by(CaseStep.position, CaseStep.id)
    )
    positions: dict[int, list[CaseStep]] = {}
    for step in steps:
        positions.setdefault(step.position, []).append(step)
    begun = {CaseState.DRAFT: "current", CaseState.SENT_BACK: "returned"}.get(CaseState(case.state), "done")
    applied = case.submitted_at.strftime("%m-%d") if case.submitted_at else ""
    nodes = [Node("apply", gettext("Application"), signature(case.opener), applied, begun, ends=True)]
    refused = _refusing_step(case)
    nodes += [_node(group, refused) for group in positions.values()] or _declared(flow_of(case), case)
    returned = _returns(case, [node.key for node in nodes])
    return draw(nodes, returned, title=str(case), tall=tall, name=f"case-{case.id}")


def _refusing_step(case: Case) -> str | None:
    """The key of the step that refused the case; a step that sent it back was decided as well."""
    refused = select(CaseEvent.step_key).where(CaseEvent.case_id == case.id, CaseEvent.act == "refuse")
    return db.session.scalar(refused.order_by(CaseEvent.id.desc()).limit(1))


def _node(steps: list[CaseStep], refused_at: str | None) -> Node:
    first, states = steps[0], {step.state for step in steps}
    title = str(label("step", first.key))
    if states <= {StepState.DONE, StepState.SKIPPED}:
        signed = max(step.decided_at for step in steps if step.decided_at)
        who = signature(first.decider) if len(steps) == 1 and first.decider else str(Role(first.role).label)
        return Node(first.key, title, who, signed.strftime("%m-%d"), "done")
    role = str(Role(first.role).label)
    if StepState.OPEN in states:
        due = min((step.due_on for step in steps if step.state == StepState.OPEN and step.due_on), default=None)
        return Node(first.key, title, role, gettext("by %(day)s", day=f"{due:%m-%d}") if due else "", "current")
    refused = next((step for step in steps if step.state == StepState.CLOSED and step.decided_at), None)
    if refused is not None and refused.key == refused_at:
        who = signature(refused.decider) if refused.decider else role
        return Node(first.key, title, who, f"{STATES['refused']} {refused.decided_at:%m-%d}", "refused")
    return Node(first.key, title, role, state="unreached" if StepState.CLOSED in states else "todo")


def _returns(case: Case, keys: list[str]) -> list[tuple[str, str]]:
    """The ways back that this case took, each once."""
    events = db.session.scalars(
        select(CaseEvent).where(CaseEvent.case_id == case.id, CaseEvent.step_key.is_not(None)).order_by(CaseEvent.id)
    )
    found: list[tuple[str, str]] = []
    sent: str | None = None
    later = [*events]
    for place, event in enumerate(later):
        if event.act != "send_back" or event.step_key not in keys:
            continue
        # whoever signs after it shows where it went to; nobody yet: where it waits
        following = later[place + 1].step_key if place + 1 < len(later) else case.step_key
        sent = following if following in keys[: keys.index(event.step_key)] else "apply"
        if case.state == CaseState.SENT_BACK and place == len(later) - 1:
            sent = "apply"
        if (event.step_key, sent) not in found:
            found.append((event.step_key, sent))
    return found


def draw(
    nodes: list[Node], returned: Iterable[tuple[str, str]] = (), *, title: str, name: str, tall: bool = False
) -> Markup:
    """Boxes in rows (or, `tall`, in a column) with arrows, and a lane below (or beside) for each way back."""
    ways = list(returned)
    name = f"{name}-tall" if tall else name  # a page may hold both: their ids must differ
    if tall:
        corners = [(PAD, PAD + place * (TALL_HEIGHT + TALL_GAP)) for place in range(len(nodes))]
        lanes = len(ways) * LANE + (32 if ways else 0)
        total = (TALL_WIDTH + 2 * PAD + lanes, corners[-1][1] + TALL_HEIGHT + PAD)
        joints = [f"M{x + TALL_WIDTH / 2} {y + TALL_HEIGHT}v{TALL_GAP - 1}" for x, y in corners[:-1]]
    else:
        rows = -(-len(nodes) // IN_ROW)
        each, pitch = -(-len(nodes) // rows), HEIGHT + BETWEEN + len(ways) * LANE
        corners = [
            (PAD + place % each * (WIDTH + GAP), PAD + place // each * pitch) for place in range(len(nodes))
        ]  # fmt: skip
        lanes = len(ways) * LANE + (8 if ways else 0)
        total = (each * (WIDTH + GAP) - GAP + 2 * PAD, corners[-1][1] + HEIGHT + PAD + lanes)
        joints = [_joint(start, end) for start, end in itertools.pairwise(corners)]
    told = "; ".join(f"{place}. {node.title} ({STATES[node.state]})" for place, node in enumerate(nodes, start=1))
    parts = [
        f'<svg class="sr-flow sr-flow-{"tb" if tall else "lr"}" viewBox="0 0 {total[0]} {total[1]}" width="{total[0]}"'
        f' height="{total[1]}" role="img" aria-labelledby="{name}-t {name}-d">',
        f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape(told)}</desc>',
        _arrow(name, ""),
        _arrow(name, "-ret"),
    ]
    for node, path in zip(nodes[:-1], joints, strict=True):
        kind = "done" if node.state == "done" else "todo"
        parts.append(f'<path class="sr-edge {kind}" d="{path}" marker-end="url(#{name}-a)"/>')
    places = {node.key: corner for node, corner in zip(nodes, corners, strict=True)}
    for lane, (start, end) in enumerate(ways):
        parts.append(_way_back(places[start], places[end], lane, tall, name))
    for place, node in enumerate(nodes):
        parts.append(_box(place + 1, node, corners[place], tall))
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704  (every text in it went through escape)


def _joint(start: tuple[int, int], end: tuple[int, int]) -> str:
    """To the next box: beside, or the first of the next row."""
    (x1, y1), (x2, y2) = start, end
    if y1 == y2:
        return f"M{x1 + WIDTH} {y1 + HEIGHT / 2}h{GAP - 1}"
    return f"M{x1 + WIDTH / 2} {y1 + HEIGHT}V{y2 - 20}H{x2 + WIDTH / 2}V{y2 - 1}"


def _arrow(name: str, kind: str) -> str:
    return (
        f'<defs><marker id="{name}-a{kind}" class="sr-flow-arrow{kind}" viewBox="0 0 8 8" refX="7" refY="4"'
        ' markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">'
        '<path d="M0 0 8 4 0 8z"/></marker></defs>'
    )


def _way_back(start: tuple[int, int], end: tuple[int, int], lane: int, tall: bool, name: str) -> str:
    (x1, y1), (x2, y2) = start, end
    text, shift = str(STATES["returned"]), lane * 14
    if tall:
        side = PAD + TALL_WIDTH + 22 + lane * LANE
        top, bottom = y2 + TALL_HEIGHT / 2 + shift, y1 + TALL_HEIGHT / 2 - shift
        path = f"M{x1 + TALL_WIDTH} {bottom}H{side - 8}q8 0 8-8V{top + 8}q0-8-8-8H{x2 + TALL_WIDTH + 1}"
        spot = (float(side), (top + bottom) / 2)
    else:
        low = y1 + HEIGHT + 26 + lane * LANE
        left, right = x2 + WIDTH / 2 + shift, x1 + WIDTH / 2 - shift
        path = f"M{right} {y1 + HEIGHT}V{low - 8}q0 8-8 8H{left + 8}q-8 0-8-8V{y2 + HEIGHT + 1}"
        if y1 != y2:  # round the left end of the rows between
            over = y2 + HEIGHT + 14 + lane * LANE
            path = f"M{right} {y1 + HEIGHT}V{low}H{4 + lane * 3}V{over}H{left}V{y2 + HEIGHT + 1}"
            left = PAD + WIDTH / 2
        spot = ((left + right) / 2, float(low))
    wide = sum(12 if letter > FIRST_WIDE else 7 for letter in text) + 14
    return (
        f'<path class="sr-edge ret" d="{path}" marker-end="url(#{name}-a-ret)"/>'
        f'<rect class="sr-edge-lab" x="{spot[0] - wide / 2}" y="{spot[1] - 10}" width="{wide}" height="20" rx="10"/>'
        f'<text class="sr-edge-txt" x="{spot[0]}" y="{spot[1] + 4}" text-anchor="middle">{escape(text)}</text>'
    )


def _box(place: int, node: Node, corner: tuple[int, int], tall: bool) -> str:
    (x, y), (width, height) = corner, (TALL_WIDTH, TALL_HEIGHT) if tall else (WIDTH, HEIGHT)
    round_ = height / 2 if node.ends else 10
    room = {"t": 32 if tall else 18, "s": 36 if tall else 22}
    title = _lines(f"{MARKS.get(node.state, str(place))} {node.title}", room["t"])
    told = (
        [" · ".join(part for part in (node.actor, node.when) if part)]
        if tall
        else [node.actor, node.when or STATES[node.state]]
    )
    lines: list[tuple[str, Any]] = [*(("t", part) for part in title), *(("s", part) for part in told)]
    middle = ' text-anchor="middle"'
    ring = f'<rect class="ring" x="{x - 4}" y="{y - 4}" width="{width + 8}" height="{height + 8}" rx="{round_ + 4}"/>'
    line = (19 if tall else 17) if len(title) == 1 else (15 if tall else 16)
    first = (height - (len(lines) - 1) * line) / 2 + 4.5
    words = "".join(
        f'<text class="{kind}" x="{x + (18 if tall else width / 2)}" y="{y + first + row * line}"'
        f"{'' if tall else middle}>{escape(_short(str(text), room[kind]))}</text>"
        for row, (kind, text) in enumerate(lines)
    )
    return (
        f'<g class="sr-node {node.state}"><title>{escape(node.title)} · {escape(node.actor)}</title>'
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="{round_}"/>'
        f"{ring if node.state == 'current' else ''}{words}</g>"
    )


def _lines(text: str, room: int) -> list[str]:
    """The text on one line, or broken once between two words where it is longer than that."""
    words = text.split(" ")
    for many in range(len(words), 1, -1):
        first = " ".join(words[:many])
        if _short(first, room) == first:
            return [first, " ".join(words[many:])] if words[many:] else [first]
    return [text]


def _short(text: str, room: int) -> str:
    """As much of the text as fits into `room` narrow letters."""
    used = 0
    for place, letter in enumerate(text):
        used += 2 if letter > FIRST_WIDE else 1
        if used > room:
            return text[:place].rstrip() + "…"
    return text
