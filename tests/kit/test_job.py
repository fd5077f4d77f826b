"""Jobs: strangers and refusals first, then a worker that is stopped, killed and started again."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date

import procrastinate
import pytest
from flask import Flask
from sqlalchemy import text

from app.access import Actor, scope_as
from app.jobs.running import MOST_ATTEMPTS, perform
from app.jobs.upkeep import purge
from app.kit.job import RunRecord, cancel, enqueue, job, jobs_folder, result_file, worker_seen
from app.kit.operation import NotAllowed, NotFound, Refused, operation
from app.models import JobRun, JobState, db
from tests.conftest import ROOT, Cast
from tests.kit import job_worker

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


# asking


def test_a_role_without_the_permission_cannot_ask(office: Office):
    with pytest.raises(NotAllowed):
        office.ask(office.cast.student, "test_count", rows=1)
    assert office.queued() == 0


def test_rollback_takes_run_and_queue_row_back(office: Office):
    clerk = office.cast.clerk

    @operation(needs=job_worker.Permission.JOB_READ)
    def ask_and_fail(actor: Actor) -> None:
        enqueue(actor, "test_count", "A test", {"rows": 1})
        raise Refused("no")

    with scope_as(clerk.scope), pytest.raises(Refused):
        ask_and_fail(clerk)
    assert office.queued() == 0
    with scope_as(clerk.scope):
        assert db.session.query(JobRun).count() == 0


def test_asking_works_under_every_scope_that_may(office: Office):
    for name in ("registry", "clerk", "admissions", "auditor"):
        office.ask(getattr(office.cast, name), "test_count", rows=1)
    assert office.queued() == 4


def test_two_jobs_cannot_share_a_key():
    with pytest.raises(ValueError, match="test_count"):
        job("test_count", needs=job_worker.Permission.JOB_READ)(job_worker.count)


# strangers


def test_a_run_is_its_owners_alone(office: Office):
    run_id = office.ask(office.cast.clerk, "test_count", rows=1)
    office.run(office.cast.clerk, run_id)
    for stranger in (office.cast.clerk2, office.cast.registry, office.cast.admin):
        assert RunRecord(run_id, stranger.user_id).read() is None
        with scope_as(stranger.scope):
            with pytest.raises(NotFound):
                cancel(stranger, run_id)
            with pytest.raises(NotFound):
                result_file(run_id)


def test_a_run_whose_owner_is_forged_in_the_queue_does_nothing(office: Office):
    run_id = office.ask(office.cast.clerk, "test_count", rows=1)
    perform(RunRecord(run_id, office.cast.registry.user_id), lambda: False)
    assert office.row(office.cast.clerk, run_id)["state"] == JobState.QUEUED


@pytest.mark.parametrize(
    "change",
    [
        "update ab_user set active = false where id = :user",
        "update identity set user_id = (select id from ab_user where username = 'clerk2') where id = :identity",
        "delete from identity_role where identity_id = :identity",
    ],
    ids=["account closed", "identity given away", "role taken away"],
)
def test_rights_lost_since_asking_stop_the_job(office: Office, change: str):
    clerk = office.cast.clerk
    run_id = office.ask(clerk, "test_count", rows=1)
    with db.engine.begin() as connection:
        connection.execute(text(change), {"user": clerk.user_id, "identity": clerk.identity_id})
    row = office.run(clerk, run_id)
    assert row["state"] == JobState.FAILED
    assert row["message"] and "Internal" not in row["message"]
    assert office.effects(office.cast.registry) == 0


def test_a_job_reaches_the_rows_of_its_asker(office: Office):
    seen = {}
    for name in ("clerk", "clerk2", "registry"):
        actor = getattr(office.cast, name)
        seen[name] = office.run(actor, office.ask(actor, "test_see"))["result"]["colleges"]
    assert seen == {"clerk": [1], "clerk2": [2], "registry": [1, 2]}


# ends


def test_a_refusal_is_shown_and_leaves_nothing(office: Office):
    clerk = office.cast.clerk
    row = office.run(clerk, office.ask(clerk, "test_fail", refused=True))
    assert (row["state"], row["message"]) == (JobState.FAILED, "This term has no window.")
    assert office.effects(office.cast.registry) == 0
    assert [path for path in jobs_folder().rglob("*") if path.is_file()] == []


def test_an_error_shows_a_reference_and_no_detail(office: Office, caplog: pytest.LogCaptureFixture):
    clerk = office.cast.clerk
    row = office.run(clerk, office.ask(clerk, "test_fail"))
    assert row["state"] == JobState.FAILED
    assert "secret" not in row["message"]
    reference = caplog.records[-1].args[1]
    assert reference in row["message"]
    assert office.effects(office.cast.registry) == 0


def test_a_job_that_keeps_ending_its_worker_is_given_up(office: Office):
    clerk = office.cast.clerk
    row = office.run(clerk, office.ask(clerk, "test_count", rows=1), attempts=MOST_ATTEMPTS)
    assert row["state"] == JobState.FAILED
    assert str(MOST_ATTEMPTS) in row["message"]


def test_cancel_before_it_starts(office: Office):
    clerk = office.cast.clerk
    run_id = office.ask(clerk, "test_count", rows=1)
    with scope_as(clerk.scope):
        cancel(clerk, run_id)
    assert office.run(clerk, run_id)["state"] == JobState.CANCELLED
    with scope_as(clerk.scope), pytest.raises(Refused):
        cancel(clerk, run_id)


def test_a_worker_that_ends_gives_the_job_back(office: Office):
    clerk = office.cast.clerk
    run_id = office.ask(clerk, "test_count", rows=40)
    with pytest.raises(procrastinate.exceptions.JobAborted):
        office.run(clerk, run_id, ends=lambda: True)
    assert office.row(clerk, run_id)["state"] == JobState.QUEUED
    assert office.run(clerk, run_id)["state"] == JobState.DONE
    assert office.effects(office.cast.registry) == 1


def test_done_with_file_figures_and_expiry(office: Office):
    clerk = office.cast.clerk
    run_id = office.ask(clerk, "test_count", rows=45)
    row = office.run(clerk, run_id)
    assert (row["state"], row["done"], row["total"], row["result"]) == (JobState.DONE, 45, 45, {"rows": 45})
    with scope_as(clerk.scope):
        path, name = result_file(run_id)
        assert (path.read_text().count("\n"), name) == (45, "count.txt")
    assert path.is_relative_to(jobs_folder())
    assert len(path.name) >= 32
    assert path.parent.stat().st_mode & 0o077 == 0
    office.run(clerk, run_id)  # a second delivery of the same queue row
    assert office.effects(office.cast.registry) == 1


def test_purge_removes_expired_files_only(office: Office):
    clerk = office.cast.clerk
    run_id = office.ask(clerk, "test_count", rows=1)
    row = office.run(clerk, run_id)
    day = row["expires_at"].date()
    assert purge(date.fromordinal(day.toordinal() - 1)) == []
    assert purge(day) == [str(day)]
    with scope_as(clerk.scope), pytest.raises(Refused):
        result_file(run_id)


# real worker processes


class Workers:
    """Real worker processes on the office's database, quick to notice a dead one."""

    def __init__(self, office: Office) -> None:
        kept = ("SQLALCHEMY_DATABASE_URI", "SECRET_KEY", "LANGUAGES")
        config = office.app.config.items()
        values = {key: value for key, value in config if key in kept or key.startswith(("FAB_", "XUEJI_"))}
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
def workers(office: Office) -> Iterator[Workers]:
    crew = Workers(office)
    yield crew
    for process in crew.processes:
        process.kill()
        process.wait()


def test_a_worker_is_seen_and_stops_on_sigterm(office: Office, workers: Workers):
    clerk = office.cast.clerk
    assert not worker_seen()
    process = workers.start()
    workers.until(clerk, office.ask(clerk, "test_count", rows=1), JobState.DONE)
    assert worker_seen()
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0
    assert not worker_seen()


def test_cancel_while_it_runs(office: Office, workers: Workers):
    clerk = office.cast.clerk
    run_id = office.ask(clerk, "test_count", rows=100_000, pause=0.001)
    workers.start()
    workers.until(clerk, run_id, JobState.RUNNING)
    with scope_as(clerk.scope):
        cancel(clerk, run_id)
    workers.until(clerk, run_id, JobState.CANCELLED)
    assert office.effects(office.cast.registry) == 0


def test_sigterm_in_the_middle_and_another_worker_finishes(office: Office, workers: Workers):
    clerk = office.cast.clerk
    run_id = office.ask(clerk, "test_count", rows=1000, pause=0.001)
    first = workers.start()
    workers.wait(lambda: office.row(clerk, run_id)["done"] > 0, "the run has progressed")
    first.send_signal(signal.SIGTERM)
    assert first.wait(PATIENCE) == 0
    assert office.row(clerk, run_id)["state"] == JobState.QUEUED
    workers.start()
    workers.until(clerk, run_id, JobState.DONE)
    assert office.effects(office.cast.registry) == 1


def test_killed_workers_lose_nothing_and_double_nothing(office: Office, workers: Workers):
    """kill -9 of one of two workers at ten random points; every job ends done, and its effect is there once."""
    clerk, chance = office.cast.clerk, random.Random(20260902)  # noqa: S311 - points in time, not secrets
    runs = [office.ask(clerk, "test_count", rows=800, pause=0.001) for _ in range(10)]
    crew = [workers.start(), workers.start()]
    for _ in range(10):
        workers.wait(worker_is_at_it(office, clerk, runs), "a run has started")
        time.sleep(chance.random() * 0.8)  # the point of death; nothing is waited for
        victim = crew.pop(chance.randrange(2))
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        crew.append(workers.start())
    for run_id in runs:
        row = workers.until(clerk, run_id, JobState.DONE)
        with scope_as(clerk.scope):
            assert result_file(run_id)[0].read_text().count("\n") == 800
        assert row["result"] == {"rows": 800}
    assert office.effects(office.cast.registry) == len(runs)
    assert list(jobs_folder().rglob("*.new")) == []
    with db.engine.begin() as connection:
        starts_lost = "select count(*) from procrastinate_events where type = 'deferred_for_retry'"
        lost = connection.scalar(text(starts_lost))
    assert lost >= 3, "the workers were killed between jobs, never in the middle: this test proved nothing"


def worker_is_at_it(office: Office, actor: Actor, runs: list[int]) -> Callable[[], bool]:
    """True once some run has started since now, or all are done."""
    before = {run: office.row(actor, run)["started_at"] for run in runs}

    def seen() -> bool:
        rows = [office.row(actor, run) for run in runs]
        return any(row["started_at"] != before[row["id"]] for row in rows) or all(
            row["state"] == JobState.DONE for row in rows
        )

    return seen
