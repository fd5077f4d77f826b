"""发布 publishing: each version of a flow is kept as it was declared, and never declared otherwise."""

from typing import Any

from sqlalchemy import Connection, insert, select

from app.kit.flow.declare import BrokenFlow, Flow
from app.kit.flow.registry import FLOWS
from app.models import FlowVersion

TABLE: Any = FlowVersion.__table__


def publish(connection: Connection) -> list[str]:
    """Keep every version that is declared and not published yet; their names. Raises BrokenFlow as `refuse_changed`."""
    published = refuse_changed(connection)
    new = [flow for flow in FLOWS.values() if (flow.key, flow.version) not in published]
    if new:
        rows = [{"flow": one.key, "version": one.version, "definition": one.to_json()} for one in new]
        connection.execute(insert(TABLE), rows)
    return [f"{flow.key} {flow.version}" for flow in new]


def refuse_changed(connection: Connection) -> dict[tuple[str, int], dict[str, Any]]:
    """The definitions that are published. Raises BrokenFlow if one is declared otherwise now, or cannot be read any more:
    its cases would run by what they did not begin with."""
    rows = connection.execute(select(TABLE.c.flow, TABLE.c.version, TABLE.c.definition))
    published = {(row.flow, row.version): row.definition for row in rows}
    wrong = []
    for (key, version), kept in published.items():
        flow = FLOWS.get(key)
        if flow is None:
            wrong.append(f"{key}: published, with cases perhaps, and declared no more; keep its declaration")
        elif flow.version == version and (places := differing(kept, flow.to_json())):
            wrong.append(
                f"{key}: version {version} is published and declared otherwise now ({', '.join(places[:3])}); call the"
                f" changed declaration version {version + 1}, and running cases keep theirs"
            )
        elif flow.version != version and (why := _unreadable(kept, flow)):
            wrong.append(f"{key}: its published version {version} cannot be read any more: {why}")
    if wrong:
        raise BrokenFlow("; ".join(wrong))
    return published


def differing(kept: Any, now: Any, place: str = "") -> list[str]:
    """Where two definitions differ, e.g. `steps.1.days`."""
    if isinstance(kept, dict) and isinstance(now, dict):
        keys = sorted(kept.keys() | now.keys())
        return [found for key in keys for found in differing(kept.get(key), now.get(key), f"{place}.{key}")]
    if isinstance(kept, list) and isinstance(now, list) and len(kept) == len(now):
        pairs = enumerate(zip(kept, now, strict=True))
        return [found for number, (old, new) in pairs for found in differing(old, new, f"{place}.{number}")]
    return [] if kept == now else [place.lstrip(".")]


def _unreadable(kept: dict[str, Any], flow: Flow) -> str | None:
    try:
        Flow.from_json(kept, flow.title)
    except (KeyError, TypeError, ValueError) as error:
        return f"{type(error).__name__} {error}"
    return None
