"""Real worker processes: seen, stopped, cancelled, and killed at random points; nothing is lost or done twice."""

import random
import signal
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text

from app.access import Actor, scope_as
from app.kit.jobs.job import cancel, jobs_folder, result_file, worker_seen
from app.models import JobState, db
from tests.kit.job_fixtures import PATIENCE, Office, Workers
from tests.kit.job_fixtures import office as office


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


@pytest.mark.parametrize("kills", [3, pytest.param(10, marks=pytest.mark.kills)])
def test_killed_workers_lose_nothing_and_double_nothing(office: Office, workers: Workers, kills: int):
    """kill -9 of one of two workers at random points; every job ends done, and its effect is there once."""
    clerk, chance = office.cast.clerk, random.Random(20260902)  # noqa: S311 - points in time, not secrets
    runs = [office.ask(clerk, "test_count", rows=800, pause=0.001) for _ in range(kills)]
    crew = [workers.start(), workers.start()]
    for _ in range(kills):
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
    assert lost >= kills // 3, "the workers were killed between jobs, never in the middle: this test proved nothing"


def worker_is_at_it(office: Office, actor: Actor, runs: list[int]) -> Callable[[], bool]:
    """True once some run has started since now, or all are done."""
    before = {run: office.row(actor, run)["started_at"] for run in runs}

    def seen() -> bool:
        rows = [office.row(actor, run) for run in runs]
        return any(row["started_at"] != before[row["id"]] for row in rows) or all(
            row["state"] == JobState.DONE for row in rows
        )

    return seen
