"""The test bed: a PostgreSQL built by the migrations once a worker, a standing cast, a rollback after each test."""

import gc
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from flask import Flask, g, request_started
from flask.testing import FlaskClient
from sqlalchemy import Connection, Engine, create_engine, select, text
from werkzeug.test import TestResponse

from app import cluster, create_app
from app.access import Actor, actor_of, sessions
from app.jobs.daily import MADE_UP
from app.models import Identity, db
from app.models.accounts.account import User
from app.models.accounts.session import LoginKind
from config import load
from tests.cast import build_cast
from tests.watching import every_commit_watched, watch_cases

ROOT = Path(__file__).parent.parent
TODAY = date(2026, 9, 2)  # the Wednesday of the first week of autumn 2026: leave and return are open
TEMPLATE = "cast"
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@dataclass(frozen=True)
class Bed:
    """The worker's cluster. `cast` is the template database that every other one is copied from."""

    cluster: cluster.Cluster
    numbers: Iterator[int]

    @property
    def admin(self) -> str:
        return self.cluster.url(cluster.SUPERUSER, "postgres")

    def copy(self, template: str = TEMPLATE) -> str:
        """A new database with the cast in it, or a copy of another one that nobody is connected to; its name."""
        name = f"test_{next(self.numbers)}"
        cluster.create_database(self.admin, name, template)
        return name


def settings_for(bed: Bed, database: str, files: Path) -> dict[str, object]:
    env = {
        "XUEJI_MODE": "test",
        "DATABASE_URL": bed.cluster.url(cluster.OWNER, database),
        "XUEJI_WEB_DATABASE_URL": bed.cluster.url(cluster.WEB, database),
        "XUEJI_FILES": str(files),
    }
    return dict(load(env)) | {"XUEJI_TODAY": TODAY.isoformat(), "TESTING": True, "WTF_CSRF_ENABLED": False}


@pytest.fixture(scope="session")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    home = cluster.Cluster(tmp_path_factory.mktemp("pg") / "data")
    home.start(cluster.VOLATILE)
    home.ensure_roles()
    made = Bed(home, count(1))
    cluster.create_database(made.admin, TEMPLATE)
    owner = home.url(cluster.OWNER, TEMPLATE)
    config = Config(str(ROOT / "alembic.ini"))
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.attributes["url"] = owner
    command.upgrade(config, "head")
    settings = settings_for(made, TEMPLATE, tmp_path_factory.mktemp("files"))
    app = create_app(settings)
    with app.app_context():
        result = app.test_cli_runner().invoke(args=["xueji", "sync"])
        assert result.exit_code == 0, result.output
        db.engine.dispose()
    engine = create_engine(owner)
    with engine.begin() as connection:
        build_cast(connection, TODAY)
    engine.dispose()
    gc.collect()
    gc.freeze()  # what is imported by now stays, and need not be looked through for garbage again and again
    yield made
    home.stop()


class Browser(FlaskClient):
    """A test client whose requests share nothing, as when served: Flask would let them all use the context, and so the
    user, of the test around them."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        with self.application.app_context():
            return super().open(*args, **kwargs)


@pytest.fixture(scope="session")
def shared_app(bed: Bed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application on this worker's database, which every test leaves as it found it."""
    database = bed.copy()
    app = create_app(settings_for(bed, database, tmp_path_factory.mktemp("files")))
    app.test_client_class = Browser
    with create_engine(bed.cluster.url(cluster.SUPERUSER, database)).begin() as connection:
        connection.execute(text("grant xueji_owner to xueji_web with inherit false, set true"))  # for `behind`
        watch_cases(connection)
    yield app
    with app.app_context():
        db.engine.dispose()


def forget(_app: Flask, **_more: object) -> None:
    """A test's application context outlives its requests: what one left in `g` (who is logged in!) is not the next's."""
    g.__dict__.clear()
    db.session.remove()


@pytest.fixture
def app(shared_app: Flask) -> Iterator[Flask]:
    """The application, every commit of the test a savepoint of one transaction that is rolled back."""
    shared_app.extensions.pop(MADE_UP, None)
    with shared_app.app_context(), request_started.connected_to(forget, shared_app):
        engines = db._app_engines[shared_app]
        engine: Engine = engines[None]
        connection = engine.connect()
        transaction = connection.begin()
        engines[None] = connection  # type: ignore[assignment]  # sessions bind to it as to an engine
        db.session.session_factory.configure(join_transaction_mode="create_savepoint")
        try:
            with every_commit_watched(connection):
                yield shared_app
        finally:
            db.session.remove()
            db.session.session_factory.configure(join_transaction_mode="conditional_savepoint")
            engines[None] = engine
            transaction.rollback()
            connection.close()


@pytest.fixture(scope="session")
def spare_app(bed: Bed, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """An application that waits for a database: to make one takes longer than to copy the database."""
    app = create_app(settings_for(bed, TEMPLATE, tmp_path_factory.mktemp("files")))
    app.test_client_class = Browser
    return app


@pytest.fixture
def own_app(bed: Bed, spare_app: Flask, tmp_path: Path) -> Iterator[Flask]:
    """An application on a database of its own, for tests that commit for real: threads, jobs, killed processes."""
    database = bed.copy()
    config, kept = spare_app.config, dict(spare_app.config)
    config.update(settings_for(bed, database, tmp_path / "files"))
    engine = create_engine(config["SQLALCHEMY_DATABASE_URI"], **config["SQLALCHEMY_ENGINE_OPTIONS"])
    db._app_engines[spare_app][None] = engine
    yield spare_app
    engine.dispose()
    config.clear()
    config.update(kept)
    cluster.drop_database(bed.admin, database)


class Behind:
    """What is really in the database, whoever may see it: `behind.rows("select …")`, `behind.run("update …")`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def run(self, statement: str, **values: object):
        db.session.remove()
        switch = text("select current_setting('role'), set_config('role', 'xueji_owner', true)")
        role, _owner = self.connection.execute(switch).one()
        try:
            result = self.connection.execute(text(statement), values)
            return list(result.mappings()) if result.returns_rows else result.rowcount
        finally:
            self.connection.execute(text("select set_config('role', :r, true)"), {"r": role})

    def rows(self, statement: str, **values: object) -> list[dict]:
        return [dict(row) for row in self.run(statement, **values)]

    def one(self, statement: str, **values: object):
        """The single value of a query."""
        ((value,),) = [tuple(row.values()) for row in self.rows(statement, **values)]
        return value


@pytest.fixture
def behind(app: Flask) -> Behind:
    return Behind(db._app_engines[app][None])  # type: ignore[arg-type]


class Cast:
    """The standing cast of tests/cast.py: `cast.clerk` is an actor, as she was when first asked for in this test;
    `cast.login("clerk")` is her browser."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.users: dict[str, int] = {}  # who has logged in, whatever the account is called by now

    def __getattr__(self, username: str) -> Actor:
        query = select(Identity).join(User).where(User.username == username).order_by(Identity.id)
        identity = db.session.scalars(query).first()
        assert identity is not None, f"nobody in the cast is called {username}"
        actor = actor_of(identity)
        db.session.remove()
        setattr(self, username, actor)
        return actor

    def login(self, username: str) -> FlaskClient:
        """A browser in which this person has logged in, as the login would leave it, without the work of the password."""
        client = self.app.test_client()
        with self.app.app_context():  # of its own, as a request has: a test may have none
            if username not in self.users:
                self.users[username] = db.session.scalars(select(User.id).where(User.username == username)).one()
            user_id = self.users[username]
            number = sessions.begin(user_id, LoginKind.BROWSER, sessions.place_of("127.0.0.1"), "Werkzeug")
        signer = self.app.session_interface.get_signing_serializer(self.app)  # type: ignore[attr-defined]
        kept = {"_user_id": str(user_id), "_fresh": True, "_permanent": True, sessions.COOKIE: number}
        client.set_cookie(self.app.config["SESSION_COOKIE_NAME"], signer.dumps(kept))
        return client


@pytest.fixture
def cast(app: Flask) -> Cast:
    return Cast(app)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """One Chromium a process: a second would be refused."""
    path = os.environ.get("XUEJI_CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.skip("no Chromium here: `make test` brings one, or set XUEJI_CHROMIUM to its path")
    libraries = os.environ.get("XUEJI_CHROMIUM_LIBS")
    environment = dict(os.environ) | ({"LD_LIBRARY_PATH": libraries} if libraries else {})
    from playwright.sync_api import sync_playwright  # only where a browser is asked for

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*QUIET], env=environment)
        yield browser
        browser.close()
