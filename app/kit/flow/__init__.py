"""流程 flow: procedures as declarations, and the one engine that opens, decides and shows their cases."""

from app.kit.flow.apply import applies, let_in_late, open_case, open_draft, save_draft, submit, withdraw
from app.kit.flow.batch import Outcome, decide
from app.kit.flow.declare import Field, Flow, Material, Step, When, Window, Within, hook, when
from app.kit.flow.inbox import (
    Next,
    flows_open_to,
    may,
    select_done_by,
    select_open_steps,
    select_sent_back,
    step_for,
    what_next,
)
from app.kit.flow.labels import add_labels, label
from app.kit.flow.material import add_material, material_file, remove_material
from app.kit.flow.registry import FLOWS, BrokenFlow, by_flow, check_flows, flow_of, register
from app.kit.flow.window import WindowState, why_closed, window_state, window_states

__all__ = [
    "FLOWS", "BrokenFlow", "Field", "Flow", "Material", "Next", "Outcome", "Step", "When", "Window", "WindowState",
    "Within", "add_labels", "add_material", "applies", "by_flow", "check_flows", "decide", "flow_of", "flows_open_to",
    "hook", "label", "let_in_late", "material_file", "may", "open_case", "open_draft", "register", "remove_material", "save_draft",
    "select_done_by", "select_open_steps", "select_sent_back", "step_for", "submit", "what_next", "when", "why_closed",
    "window_state", "window_states", "withdraw",
]  # fmt: skip
