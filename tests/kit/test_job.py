"""Jobs: who may ask, whose runs they are, rights lost meanwhile, and every way a job can end."""

from datetime import date

import procrastinate
import pytest
from sqlalchemy import text

from app.access import Actor, scope_as
from app.jobs.running import MOST_ATTEMPTS, perform
from app.jobs.upkeep import purge
from app.kit.jobs.job import RunRecord, cancel, enqueue, job, jobs_folder, result_file
from app.kit.operation import NotAllowed, NotFound, Refused, operation
from app.models import JobRun, JobState, db
from tests.kit import job_worker
from tests.kit.job_fixtures import Office
from tests.kit.job_fixtures import office as office

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


@pytest.mark.parametrize("ending", ["cancelled", "given up", "refused"])
def test_what_a_killed_worker_left_goes_when_the_job_ends_without_result(office: Office, ending: str):
    """A file half written, a working folder, and a file complete but never offered."""
    clerk = office.cast.clerk
    run_id = office.ask(clerk, "test_fail" if ending == "refused" else "test_count", rows=1, refused=True)
    name = "2026-09-10/abc"
    RunRecord(run_id, clerk.user_id).write(among=list(JobState), state=JobState.RUNNING, file_path=name)
    working = jobs_folder() / "2026-09-10" / ".abc.new.part"
    working.mkdir(parents=True)
    for left in (jobs_folder() / name, jobs_folder() / f"{name}.new", working / "sheet", jobs_folder() / f"{name}d"):
        left.write_text("half")
    if ending == "cancelled":
        with scope_as(clerk.scope):
            cancel(clerk, run_id)
    office.run(clerk, run_id, attempts=MOST_ATTEMPTS if ending == "given up" else 0)
    assert [path.name for path in jobs_folder().rglob("*") if path.is_file()] == ["abcd"]  # another run's
    assert not working.exists()
