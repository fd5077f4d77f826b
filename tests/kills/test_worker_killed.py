"""kill -9 of the worker within import, batch decision and export: all or nothing, and the job ends by itself."""

import random
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from app.models import JobState
from tests.kills.conftest import Open
from tests.kills.house import House
from tests.kills.scenes import JOBS, Batch, Export, Import

KILLS = 10
LAST_WRITE = "audit_entry"  # whoever comes to it has done all but the end


def ends_well(house: House, scene) -> None:
    """A new worker does what the dead one did not, once, and leaves nothing lying about."""
    row = house.run_ends(scene.run_id)
    assert row["state"] == JobState.DONE, row["message"]
    assert scene.is_done(house)
    scene.check(house, row)
    unfinished = "select count(*) from procrastinate_jobs where status in ('todo', 'doing')"
    house.wait(lambda: house.one(unfinished) == 0, "the queue is empty")
    house.holds_nothing()
    named = {path for (path,) in house.rows("select file_path from job_run where file_name is not null")}
    assert {str(path.relative_to(house.files / "jobs")) for path in house.paths("jobs")} <= named


def test_the_last_moment_of_each_job(open_house: Open):
    """Each is killed when all is written but not committed, held there by a lock; the worker after it takes it up."""
    cases = open_house("cases")
    victim = cases.workers.start()
    for scene in (Batch(), Export()):
        scene.ask(cases)
        with cases.stopped_at(LAST_WRITE):
            cases.wait(cases.blocked, "the job is at its last statement")
            cases.kill_worker(victim)
            victim = cases.workers.start()
        ends_well(cases, scene)
    university, scene = open_house("university", freshmen=200), Import(students=200)
    scene.ask(university)
    with university.stopped_at(LAST_WRITE):
        victim = university.workers.start()
        university.wait(university.blocked, "the import is at its last statement")
        university.kill_worker(victim)
    university.quiet()
    assert not scene.is_done(university)
    university.holds_nothing()
    university.workers.start()
    ends_well(university, scene)


@pytest.mark.kills
def test_killed_between_its_end_and_the_queues_knowledge_of_it(open_house: Open):
    """What was committed stays as it is: the job starts again, sees that it is done, and does nothing."""
    house, scene = open_house("cases"), Batch()
    scene.ask(house)
    with ExitStack() as held:
        held.enter_context(house.stopped_at(LAST_WRITE))
        victim = house.workers.start()
        house.wait(house.blocked, "the job is at its last statement")
        with house.stopped_at("procrastinate_events"):
            held.close()
            house.wait(lambda: house.state(scene.run_id) == JobState.DONE, "the job is done")
            house.wait(house.blocked, "the worker is about to tell the queue")
            house.kill_worker(victim)
    house.quiet()
    assert scene.is_done(house)
    house.workers.start()
    ends_well(house, scene)
    assert house.one("select count(*) from procrastinate_events where type = 'deferred_for_retry'") == 1


@pytest.mark.kills
@pytest.mark.parametrize("kind", JOBS, ids=lambda kind: kind.key)
def test_ten_random_moments(open_house: Open, kind, told: Callable[..., None]):
    """Moments spread over the time that the job takes when nobody disturbs it."""
    size = {"cases": {"students": 40_000}, "university": {}}[kind.template]
    chance = random.Random(20260902)  # noqa: S311 - points in time, not secrets
    whole = undisturbed(open_house(kind.template, **size), kind())
    for number in range(KILLS):
        house, scene = open_house(kind.template, **size), kind()
        moment = (number + chance.random()) / KILLS * whole * 1.1  # and a little beyond the end
        at, already = killed(house, scene, moment)
        house.workers.start()
        ends_well(house, scene)
        told(kind.key, "worker", moment, whole, at, "all" if already else "nothing")
        house.close()


def undisturbed(house: House, scene) -> float:
    """The seconds that the job takes from its start."""
    scene.ask(house)
    house.workers.start()
    house.wait(lambda: house.state(scene.run_id) != JobState.QUEUED, "the run has started")
    start = time.monotonic()
    house.run_ends(scene.run_id)
    house.close()
    return time.monotonic() - start


def killed(house: House, scene, moment: float) -> tuple[list[tuple], bool]:
    """Kill the worker so many seconds into the job; what it was at, and whether it had done all already."""
    scene.ask(house)
    victim = house.workers.start()
    house.wait(lambda: house.state(scene.run_id) != JobState.QUEUED, "the run has started")
    time.sleep(moment)  # the point of death; nothing is waited for
    at = house.at_work()
    house.kill_worker(victim)
    house.quiet()
    return at, scene.is_done(house)
