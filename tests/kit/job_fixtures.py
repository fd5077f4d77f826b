"""What the tests of jobs share: the cast asking for jobs on a database of its own, where commits are real."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import text

from app.access import Actor, scope_as
from app.jobs.running import perform
from app.kit.job import RunRecord, enqueue
from app.models import db
from tests.conftest import Cast


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
