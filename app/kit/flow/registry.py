"""All flows by key, and the checks that stop the application from starting with a broken one."""

import functools
from collections.abc import Container, Iterable
from typing import Any

from flask_babel import force_locale
from sqlalchemy import Date, select

from app.access import Permission, Role
from app.access.roles import GRANTS
from app.kit.flow.declare import HOOKS, BrokenFlow, Field, Flow, Material, hook_name
from app.kit.flow.gates import GATES
from app.kit.flow.labels import LABELS
from app.models import Case, FlowVersion, db

FLOWS: dict[str, Flow] = {}
KINDS_OF_DAYS = ("fact", "plan", "decision")
LONGEST_STEP = 60  # working days
ASKING = ("checklist", "meeting", "publicity", "document", "timed")  # words of a step that ask for a gate


def register(flow: Flow) -> Flow:
    """Add a flow to the application."""
    if flow.key in FLOWS:
        raise BrokenFlow(f"two flows are called {flow.key}")
    FLOWS[flow.key] = flow
    return flow


def flow_of(case: Any) -> Flow:
    """The flow of a case (or of a row with `flow` and `flow_version`), in the version in which the case began."""
    return version_of(case.flow, case.flow_version)


def version_of(key: str, version: int) -> Flow:
    """A flow as this version of it was published; its title is that of today."""
    current = FLOWS[key]
    return current if current.version == version else _earlier(key, version)


@functools.cache  # what is published never changes
def _earlier(key: str, version: int) -> Flow:
    wanted = (FlowVersion.flow == key, FlowVersion.version == version)
    definition = db.session.scalar(select(FlowVersion.definition).where(*wanted))
    if definition is None:  # begun before versions were published: these cases follow the flow of today
        return FLOWS[key]
    return Flow.from_json(definition, FLOWS[key].title)


def by_flow(cases: Iterable[Any]) -> list[tuple[Flow, list[int]]]:
    """Cases (or rows with `id`, `flow` and `flow_version`) by flow and version."""
    found: dict[tuple[str, int], list[int]] = {}
    for case in cases:
        found.setdefault((case.flow, case.flow_version), []).append(case.id)
    return [(version_of(*key), ids) for key, ids in found.items()]


def check_flows(windows: Container[str]) -> None:
    """Put the flows into their order. Raises BrokenFlow with everything that is wrong with them; asked when they are
    imported, so at every start."""
    in_order = sorted(FLOWS.items(), key=lambda item: item[1].place)
    FLOWS.clear()
    FLOWS.update(in_order)
    wrong = [f"{flow.key}: {problem}" for flow in FLOWS.values() for problem in problems(flow)]
    wrong += [f"{flow.key}: no row of the time-table has the key {key}; add it to app/reference/task_rules.csv"
              for flow in FLOWS.values() for key in (flow.window.keys if flow.window else ()) if key not in windows]  # fmt: skip
    if wrong:
        raise BrokenFlow("; ".join(wrong))


def check_words() -> None:
    """Raise BrokenFlow for every name of a flow, or of a word of theirs, that is the same in Chinese and in English."""
    named = {f"flow {flow.key}": flow.title for flow in FLOWS.values()} | LABELS
    texts = {}
    for language in ("zh", "en"):
        with force_locale(language):
            texts[language] = {word: str(text) for word, text in named.items()}
    plain = [f"{word} ({text})" for word, text in texts["en"].items() if texts["zh"][word] == text]
    if len(plain) == len(named):
        raise BrokenFlow("the catalogue of translations is not there: run `make translations`")
    if plain:
        raise BrokenFlow(f"no Chinese for {', '.join(plain)}: add it to a file of translations/zh/parts/")


def problems(flow: Flow) -> list[str]:
    """What in one flow refers to nothing."""
    found: list[str] = []
    if flow.key not in Case.__mapper__.polymorphic_map:
        return [f"no model of cases has the polymorphic identity {flow.key!r}"]
    columns = set(flow.model.__mapper__.columns.keys())
    keys = [step.key for step in flow.steps]
    if len(set(keys)) < len(keys) or not keys:
        found.append("step keys repeat or there is no step")
    if [step.takes_effect for step in flow.steps].count(True) != 1:
        found.append("one step, and only one, must take effect")
    words = {f"step.{key}" for key in keys} | {f"reason.{key}" for key in flow.reasons}
    words |= {f"material.{material.key}" for material in flow.materials}
    words |= {f"window.{key}" for key in (flow.window.keys if flow.window else ())}
    words |= {f"field.{name}" for name in _columns_named(flow)}
    found += [f"no label for {word}" for word in sorted(words - LABELS.keys())]
    found += [f"no column {name}" for name in sorted(_columns_named(flow) - columns)]
    days = {name: flow.model.__mapper__.columns[name] for name in _columns_named(flow) & columns}
    found += [f"nobody says whether {name} is a fact, a plan or a decision" for name, column in sorted(days.items())
              if isinstance(column.type, Date) and column.info.get("day") not in KINDS_OF_DAYS]  # fmt: skip
    found += [f"the role {role} may open no case; grant it {Permission.CASE_OPEN.name} in app/access/roles.py"
              for role in sorted(flow.applicants) if Permission.CASE_OPEN not in GRANTS[role]]  # fmt: skip
    done: set[str] = {"submit", "about"}
    for step in flow.steps:
        if step.role not in set(Role):
            found.append(f"step {step.key}: no role {step.role}")
        elif Permission.CASE_DECIDE not in GRANTS[Role(step.role)]:
            found.append(
                f"step {step.key}: the role {step.role} may decide nothing; grant it {Permission.CASE_DECIDE.name}"
            )
        found += [f"step {step.key}: nobody has registered a gate called {word}; import the module with @gate"
                  for word in ASKING if getattr(step, word) and word not in GATES]  # fmt: skip
        if not 0 < step.days <= LONGEST_STEP:
            found.append(f"step {step.key}: {step.days} days")
        found += [f"step {step.key}: no earlier step {key}" for key in step.hands_differ_from if key not in done]
        done.add(step.key)
    used = [
        flow.effect,
        flow.paper,
        flow.refused_paper,
        flow.rule,
        flow.grounds,
        flow.prepare,
        flow.check,
        flow.concerns,
        *(step.rule for step in flow.steps),
        *(step.fills for step in flow.steps),
    ]
    found += [f"{hook_name(item)} is not a hook: put @hook above it" for item in used
              if item and hook_name(item) not in HOOKS]  # fmt: skip
    found += [f"{hook_name(item)} issues no kind of paper: put @issues(KIND) above it"
              for item in (flow.paper, flow.refused_paper) if item and not hasattr(item, "kind")]  # fmt: skip
    return found


def _columns_named(flow: Flow) -> set[str]:
    asked: list[Field | Material] = [*flow.fields, *flow.materials]
    names = {field.key for field in flow.fields} | {item.when.column for item in asked if item.when}
    names |= {*flow.derived, *([flow.dated] if flow.dated else [])}
    names |= {step.due_by for step in flow.steps if step.due_by}
    return names | {name for step in flow.steps for name in step.records}
