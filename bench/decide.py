"""Measures deciding ten thousand leaves, step by step, against one bulk UPDATE of the same cases."""

import os
import shutil
import statistics
import time
from datetime import date
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from flask import Flask
from sqlalchemy import create_engine, event, select, text

from app import cluster, create_app
from app.access import Actor, actor_of, scope_as
from app.access.roles import Role
from app.kit.flow import decide
from app.models import Identity, db
from app.models.accounts import AccountRole, User
from config import load
from tests.cast import build_cast
from tests.flows.many import make_leaves

ROOT = Path(__file__).parents[1]
CASES = 10_000
BAR = 25.0
TODAY = date(2026, 9, 2)
STEPS = {"accept": "clerk", "college": "leader", "affairs": "director", "registry": "registry"}
# what deciding would be without checks, events, ledger and papers: the cases' state set, and set back
UPDATE = text("update flow_case set state = :state, closed_at = now(), version = version + 1")


def measure() -> list[dict[str, Any]]:
    """Rows {name, value, bar, unit, holds}: each step's time over the bulk UPDATE's, and its number of statements."""
    home = cluster.Cluster(ROOT / "var" / f"bench-decide-{os.getpid()}" / "data")
    home.start()
    try:
        home.ensure_roles()
        app = _fill(home)
        with app.app_context():
            try:
                return _decide_all()
            finally:
                db.session.remove()
                db.engine.dispose()
    finally:
        home.stop()
        shutil.rmtree(home.folder.parent)


def _fill(home: cluster.Cluster) -> Flask:
    """An application on a new database with the cast and a leave of each of ten thousand students."""
    owner = home.url(cluster.OWNER)
    config = Config(str(ROOT / "alembic.ini"))
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.attributes["url"] = owner
    command.upgrade(config, "head")
    env = {"XUEJI_MODE": "test", "DATABASE_URL": owner, "XUEJI_WEB_DATABASE_URL": home.url(cluster.WEB)}
    app = create_app(dict(load(env)) | {"XUEJI_TODAY": TODAY.isoformat(), "TESTING": True})
    engine = create_engine(owner)
    with engine.begin() as connection:
        connection.execute(AccountRole.__table__.insert(), [{"name": role.value} for role in Role])
        build_cast(connection, TODAY)
        make_leaves(connection, CASES)
    engine.dispose()
    return app


def _actor(name: str) -> Actor:
    identity = db.session.scalars(select(Identity).join(User).where(User.username == name)).one()
    return actor_of(identity)


def _decide_all() -> list[dict[str, Any]]:
    actors = {step: _actor(name) for step, name in STEPS.items()}
    seen: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *told: seen.append(told[2]))
    rows, updates = [], []
    for step, actor in actors.items():
        around = [_update(actors["registry"])]  # beside each step, so that a slow moment of the machine touches both
        with scope_as(actor.scope):
            ids = list(db.session.scalars(text("select id from flow_case")))
            db.session.rollback()
            seen.clear()
            begun = time.perf_counter()
            outcomes = decide(actor, ids, expected_step=step, records={"originals": True})
            seconds = time.perf_counter() - begun
        count = len(seen)
        around.append(_update(actors["registry"]))
        updates += around
        if len(outcomes) != CASES or not all(outcome.done for outcome in outcomes):
            raise RuntimeError(f"{step}: {next(str(outcome.reason) for outcome in outcomes if not outcome.done)}")
        rows.append(
            _row(
                f"decide {CASES:,} cases ({step}): time over one bulk UPDATE",
                seconds / statistics.mean(around),
                BAR,
                "ratio",
            )
        )
        rows.append(_row(f"decide {CASES:,} cases ({step}): statements", count, None, "count"))
    return [*rows, _row(f"bulk UPDATE of {CASES:,} cases", statistics.median(updates), None, "s")]


def _update(actor: Actor) -> float:
    """Seconds of one plain UPDATE and its commit, the mean of there and back."""
    with scope_as(actor.scope):
        begun = time.perf_counter()
        for state in ("done", "open"):
            db.session.execute(UPDATE, {"state": state})
            db.session.commit()
        return (time.perf_counter() - begun) / 2


def _row(name: str, value: float, bar: float | None, unit: str) -> dict[str, Any]:
    return {"name": name, "value": round(value, 2), "bar": bar, "unit": unit, "holds": bar is None or value <= bar}


if __name__ == "__main__":
    for found in measure():
        print(found)
