"""What measurements stand on: a PostgreSQL of their own, applications on its databases, and rows of results."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from flask import Flask
from psycopg.errors import DuplicateDatabase

from app import cluster, create_app
from config import load

ROOT = Path(__file__).parents[1]
TODAY = date(2026, 9, 2)


def row(name: str, value: float, unit: str, bar: float | None = None) -> dict[str, Any]:
    """A result; what has no bar is told for its own sake and always holds."""
    return {"name": name, "value": round(value, 3), "bar": bar, "unit": unit, "holds": bar is None or value <= bar}


@contextmanager
def own_cluster(name: str, *, kept: bool = False) -> Iterator[cluster.Cluster]:
    """A cluster under var/; removed afterwards, unless it is kept for the next run."""
    folder = ROOT / "var" / (f"bench-{name}" if kept else f"bench-{name}-{os.getpid()}")
    home = cluster.Cluster(folder / "data")
    home.start()
    try:
        home.ensure_roles()
        yield home
    finally:
        home.stop()
        if not kept:
            shutil.rmtree(folder)


def application(home: cluster.Cluster, database: str) -> Flask:
    """An application on a database, made where there is none, migrated, with reference data and roles."""
    with suppress(DuplicateDatabase):
        cluster.create_database(home.url(cluster.SUPERUSER, "postgres"), database)
    owner = home.url(cluster.OWNER, database)
    config = Config(str(ROOT / "alembic.ini"))
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.attributes["url"] = owner
    command.upgrade(config, "head")
    env = {"XUEJI_MODE": "test", "DATABASE_URL": owner, "XUEJI_WEB_DATABASE_URL": home.url(cluster.WEB, database)}
    settings = {"XUEJI_TODAY": TODAY.isoformat(), "WTF_CSRF_ENABLED": False, "TESTING": True}
    app = create_app(load(env) | settings)
    with app.app_context():
        result = app.test_cli_runner().invoke(args=["xueji", "sync"])
        if result.exit_code:
            raise RuntimeError(result.output)
    return app
