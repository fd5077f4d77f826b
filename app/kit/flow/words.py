"""The values of a case in words: what a form offers, what a page and a paper show; derived from columns and labels."""

from collections.abc import Callable
from datetime import date
from typing import Any

from app.access import Actor
from app.kit.flow.declare import Flow
from app.kit.flow.labels import LABELS
from app.kit.sensitive import seen_by
from app.models import Case
from app.models.organisation.codes import codes_of


def choices(flow: Flow, key: str, case: Case | None = None, student: Any = None) -> list[tuple[str, Any]] | None:
    """What a pick list of this column offers for a case, a blank one first; None where the column is no pick list.

    A column is one if it is the reason, if its `info` names a code set or what offers its values, or if its values have labels of their own.
    """
    if key == "reason":
        found = [(reason, LABELS[f"reason.{reason}"]) for reason in flow.reasons]
    elif set_key := column(flow, key).info.get("codes"):
        found = [(code.code, str(code)) for code in codes_of(set_key)]
    elif offers := column(flow, key).info.get("offers"):
        return [("", ""), *((str(value), name) for value, name in offers(case, student))]
    else:
        found = [(word.removeprefix(f"{key}."), text) for word, text in LABELS.items() if word.startswith(f"{key}.")]
    return [("", ""), *found] if found else None


def shown(flow: Flow, case: Case, key: str, on_day: Callable[[date], str]) -> Any:
    """A column of a case in words, days written by `on_day`; None for an empty one."""
    value = getattr(case, key)
    if value in (None, ""):
        return None
    if isinstance(value, date):
        return on_day(value)
    if key.endswith("_id"):
        return str(getattr(case, key.removesuffix("_id")) or value)
    offered = choices(flow, key)
    return dict(offered).get(value, value) if offered else value


def shown_change(flow: Flow, case: Case, key: str, on_day: Callable[[date], str], reader: Actor | None = None) -> Any:
    """The same as `reader` sees it, and for a `new_…` value the student's before it: the present one, or, once the change
    has taken effect, the one that stood then."""
    new, now = shown(flow, case, key, on_day), former_value(flow, case, key, on_day)
    after = seen_by(reader, key, new)
    return after if new is None or now is None or now == new else f"{seen_by(reader, key, now)} → {after}"


def former_value(flow: Flow, case: Case, key: str, on_day: Callable[[date], str]) -> Any:
    """What stands, or stood, in the place of a `new_…` value of a case, in words."""
    was = getattr(case, "was", None)
    if was is None:
        return present_value(flow, case.student, key, on_day)
    old = was.get(key.removeprefix("new_"))
    if old is not None and column(flow, key).type.python_type is date:
        return on_day(date.fromisoformat(old))
    return dict(choices(flow, key) or ()).get(old, old)


def present_value(flow: Flow, student: Any, key: str, on_day: Callable[[date], str]) -> Any:
    """What stands now in the place of a `new_…` value, in words; None for any other column, and where nothing stands."""
    now = getattr(student, key.removeprefix("new_"), None) if key.startswith("new_") and student else None
    if now in (None, ""):
        return None
    return on_day(now) if isinstance(now, date) else dict(choices(flow, key) or ()).get(now, now)


# What a department is told of a case, as its notice says it: from when, until when, where. Not why.
TOLD = frozenset({
    "class_group_id", "deferred_until", "grade", "leave_from", "leave_terms", "leave_until", "return_on",
})  # fmt: skip


def told_alone(reader: Actor) -> bool:
    """Whether the reader is told of cases, and is none of those who apply or decide: she reads no reasons or opinions."""
    return reader.scope.kind == "department"


def keys_told(flow: Flow, reader: Actor) -> list[str]:
    """The columns of a case that this reader may read, in order."""
    keys = [*keys_of(flow), *flow.derived]
    return [key for key in keys if key in TOLD] if told_alone(reader) else keys


def keys_of(flow: Flow) -> list[str]:
    """The columns that the application and the steps of a flow fill in, in order."""
    asked = [item.key for item in flow.fields] + [key for step in flow.steps for key in step.records]
    return list(dict.fromkeys(asked))


def column(flow: Flow, key: str) -> Any:
    return flow.model.__mapper__.columns[key]
