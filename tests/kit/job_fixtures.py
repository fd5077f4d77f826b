"""What the tests of jobs share: the cast asking for jobs on a database of its own, where commits are real."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import text

from app.access import Actor, scope_as
from app.jobs.running import perform
from app.kit.jobs.job import RunRecord, enqueue
from app.models import JobState, db
from tests.conftest import ROOT, Cast
from tests.kit import job_worker  # noqa: F401 - the jobs that tests ask for

PATIENCE = 60  # seconds until a test says that a worker does nothing


class Office:
    """The application on a database of its own, with the cast, and what is really in its tables."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.cast = Cast(app)

    def ask(self, actor: Actor, kind: str, **params: object) -> int:
        with scope_as(actor.scope):
            return enqueue(actor, kind, "A test", params).id

    def run(self, actor: Actor, run_id: int, ends: Callable[[], bool] = lambda: False, attempts: int = 0) -> dict:
        """Run it here, as a worker would, and return its row."""
        perform(RunRecord(run_id, actor.user_id), ends, attempts)
        return self.row(actor, run_id)

    def row(self, actor: Actor, run_id: int) -> dict:
        row = RunRecord(run_id, actor.user_id).read()
        assert row is not None
        return row

    def effects(self, actor: Actor) -> int:
        with scope_as(actor.scope):
            return db.session.scalar(text("select count(*) from audit_entry where action = 'test.effect'"))

    def queued(self) -> int:
        with db.engine.begin() as connection:
            return connection.scalar(text("select count(*) from procrastinate_jobs where status = 'todo'"))


class Workers:
    """Real worker processes on the office's database, quick to notice a dead one."""

    def __init__(self, office: Office) -> None:
        kept = ("SQLALCHEMY_DATABASE_URI", "SECRET_KEY", "LANGUAGES")
        config = office.app.config.items()
        values = {key: value for key, value in config if key in kept or key.startswith(("FAB_", "XUEJI_", "BABEL_"))}
        quick = {"BABEL_DEFAULT_LOCALE": "zh", "WORKER_HEARTBEAT_SECONDS": 0.3, "WORKER_STOP_SECONDS": 0.2}
        self.settings = json.dumps(values | quick, default=str)
        self.office = office
        self.processes: list[subprocess.Popen] = []

    def start(self) -> subprocess.Popen:
        command = [sys.executable, "-m", "tests.kit.job_worker", self.settings]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(command, cwd=ROOT, env=environment)
        self.processes.append(process)
        return process

    def wait(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain until {what}"
            time.sleep(0.02)

    def until(self, actor: Actor, run_id: int, state: JobState) -> dict:
        self.wait(lambda: self.office.row(actor, run_id)["state"] == state, f"the run is {state}")
        return self.office.row(actor, run_id)


@pytest.fixture
def office(own_app: Flask) -> Iterator[Office]:
    with own_app.app_context(), db.engine.begin() as connection:
        connection.execute(text("set local role xueji_school"))
        connection.execute(text(
            "insert into setting (key, kind, value, title_zh, title_en) values ('job_file_days', 'integer', '7', 'x',"
            " 'x') on conflict do nothing"
        ))  # fmt: skip
    with own_app.app_context():
        yield Office(own_app)
