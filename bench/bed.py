"""A PostgreSQL of the measurement's own, and applications on its databases."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from alembic import command
from alembic.config import Config
from flask import Flask

from app import cluster, create_app
from config import load

ROOT = Path(__file__).parents[1]
TODAY = date(2026, 9, 2)


@contextmanager
def own_cluster(name: str) -> Iterator[cluster.Cluster]:
    """A cluster under var/, removed afterwards."""
    home = cluster.Cluster(ROOT / "var" / f"bench-{name}-{os.getpid()}" / "data")
    home.start()
    try:
        home.ensure_roles()
        yield home
    finally:
        home.stop()
        shutil.rmtree(home.folder.parent)


def application(home: cluster.Cluster, database: str) -> Flask:
    """An application on a new, migrated database with reference data and roles."""
    cluster.create_database(home.url(cluster.SUPERUSER, "postgres"), database)
    owner = home.url(cluster.OWNER, database)
    config = Config(str(ROOT / "alembic.ini"))
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.attributes["url"] = owner
    command.upgrade(config, "head")
    env = {"XUEJI_MODE": "test", "DATABASE_URL": owner, "XUEJI_WEB_DATABASE_URL": home.url(cluster.WEB, database)}
    app = create_app(load(env) | {"XUEJI_TODAY": TODAY.isoformat(), "WTF_CSRF_ENABLED": False})
    with app.app_context():
        result = app.test_cli_runner().invoke(args=["xueji", "sync"])
        if result.exit_code:
            raise RuntimeError(result.output)
    return app
