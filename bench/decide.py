"""Measures deciding ten thousand leaves, step by step, against one bulk UPDATE of the same cases."""

import statistics
import time
from typing import Any

from sqlalchemy import create_engine, event, select, text

from app import cluster
from app.access import Actor, actor_of, scope_as
from app.kit.flow import decide
from app.models import Identity, db
from app.models.accounts.account import User
from bench.bed import TODAY, application, own_cluster, row
from tests.cast import build_cast
from tests.flows.many import make_leaves

FEW, CASES, ROUNDS = 100, 10_000, 3
BAR = 25.0
STEPS = {"accept": "clerk", "college": "leader", "affairs": "director", "registry": "registry"}
# what deciding would be without checks, events, ledger and papers: the cases' state set, and set back
UPDATE = text("update flow_case set state = :state, closed_at = now(), version = version + 1 where id = any(:ids)")


def measure() -> list[dict[str, Any]]:
    """Rows {name, value, bar, unit, holds}: each step's time over the bulk UPDATE's, and its number of statements."""
    with own_cluster("decide") as home:
        app = application(home, "decide")
        engine = create_engine(home.url(cluster.OWNER, "decide"))
        with engine.begin() as connection:
            build_cast(connection, TODAY)
            make_leaves(connection, FEW + ROUNDS * CASES)
        engine.dispose()
        with app.app_context():
            try:
                return decide_all()
            finally:
                db.session.remove()
                db.engine.dispose()


def decide_all() -> list[dict[str, Any]]:
    actors = {step: actor_named(name) for step, name in STEPS.items()}
    seen: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *told: seen.append(told[2]))
    with scope_as(actors["registry"].scope):
        ids = list(db.session.scalars(text("select id from flow_case order by id")))
        db.session.rollback()
    few, slices = ids[:FEW], [ids[place : place + CASES] for place in range(FEW, len(ids), CASES)]
    rows, updates = [], []
    for step, actor in actors.items():
        seen.clear()
        seconds_of(actor, few, step)  # warms, too
        told = [len(seen)]
        ratios = []
        for part in slices:
            before = update(actors["registry"], part)  # beside each, so that a slow moment of the machine touches both
            seen.clear()
            seconds = seconds_of(actor, part, step)
            told.append(len(seen))
            updates += [before, update(actors["registry"], part)]
            ratios.append(seconds / statistics.mean(updates[-2:]))
        what = f"decide {CASES:,} cases ({step})"
        rows.append(row(f"{what}: time over one bulk UPDATE", statistics.median(ratios), "ratio", BAR))
        rows.append(row(f"{what}: statements", max(told), "count"))
        rows.append(row(f"{what}: statements more than for {FEW}", max(told) - told[0], "count", 0))
    return [*rows, row(f"bulk UPDATE of {CASES:,} cases", statistics.median(updates), "s")]


def actor_named(name: str) -> Actor:
    return actor_of(db.session.scalars(select(Identity).join(User).where(User.username == name)).one())


def seconds_of(actor: Actor, ids: list[int], step: str) -> float:
    with scope_as(actor.scope):
        begun = time.perf_counter()
        outcomes = decide(actor, ids, expected_step=step, records={"originals": True})
        seconds = time.perf_counter() - begun
    failed = [outcome for outcome in outcomes if not outcome.done]
    if failed or len(outcomes) != len(ids):
        raise RuntimeError(f"{step}: {failed[:1]}")
    return seconds


def update(actor: Actor, ids: list[int]) -> float:
    """Seconds of one plain UPDATE and its commit, the mean of there and back."""
    with scope_as(actor.scope):
        begun = time.perf_counter()
        for state in ("done", "open"):
            db.session.execute(UPDATE, {"state": state, "ids": ids})
            db.session.commit()
        return (time.perf_counter() - begun) / 2
