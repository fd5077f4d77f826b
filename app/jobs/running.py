"""Running one job: under its asker's scope, in one transaction, with every end written to the asker's row."""

import logging
import os
import secrets
import shutil
from collections.abc import Callable
from typing import Any

from flask_babel import force_locale
from flask_babel import gettext as _
from procrastinate import JobContext
from procrastinate.exceptions import JobAborted
from procrastinate.retry import RetryStrategy
from sqlalchemy import func, text, update
from sqlalchemy.exc import OperationalError

from app.access import Actor, actor_of, scope_as
from app.jobs.daily import make_up
from app.kit.jobs.job import (
    JOBS,
    RUN_TASK,
    UNFINISHED,
    JobKind,
    RunningJob,
    RunRecord,
    Stopped,
    expiry,
    jobs_folder,
    new_path,
    queue,
)
from app.kit.operation import NotAllowed, Told, operation
from app.logs import about
from app.models import Identity, JobRun, JobState, db

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 15  # a job that takes its worker down every time must not do so for ever


AGAIN = RetryStrategy(wait=1, retry_exceptions=(JobAborted, OperationalError))


@queue.task(name=RUN_TASK, pass_context=True, retry=AGAIN)
def run_job(context: JobContext, *, run_id: int, user_id: int, language: str) -> None:
    """The worker's entry: `context.additional_context["app"]` is the Flask application."""
    app = context.additional_context["app"]
    with app.app_context(), force_locale(language), about(f"job-{run_id}"):
        make_up(app)
        perform(RunRecord(run_id, user_id), context.should_abort, context.job.attempts)


def perform(record: RunRecord, ends: Callable[[], bool], attempts: int = 0) -> None:
    """Run the job of a record. Raises JobAborted when the worker `ends` first; the run then waits for another."""
    row = record.read()
    if row is None or row["state"] not in UNFINISHED:
        return
    if attempts >= MOST_ATTEMPTS:
        message = _("This job ended its worker %(times)s times and was given up. Ask for less at once.", times=attempts)
        end(record, JobState.FAILED, message)
        return
    run = None
    try:
        actor = asker(row)
        with scope_as(actor.scope):
            run = RunningJob(record, row | {"file_path": row["file_path"] or new_path()}, actor, ends)
            kind = JOBS[row["kind"]]
            operation(needs=kind.needs)(work_and_finish)(actor, record, run, kind)
    except OperationalError as error:
        if error.connection_invalidated:  # the database went away: the queue tries again
            raise
        write_failure(record, error, ends)
    except Exception as error:
        write_failure(record, error, ends)
    finally:
        if run is not None:
            remove_unfinished(run.path)


def asker(row: dict[str, Any]) -> Actor:
    """The actor of the run's identity as it is today. Raises NotAllowed if it is the asker's no more."""
    with scope_as(RunRecord(row["id"], row["user_id"]).scope):
        identity = db.session.get(Identity, row["identity_id"])
        held = identity is not None and identity.user_id == row["user_id"] and identity.ended_on is None
        if identity is None or not held or not identity.user.is_active:
            raise NotAllowed(_("The identity that asked for this job is no longer yours."))
        return actor_of(identity)


def work_and_finish(actor: Actor, record: RunRecord, run: RunningJob, kind: JobKind) -> None:
    """The one transaction of a job: what it changes and that it is done become true together."""
    # A worker taken for dead may still be at it: wait for the end of its transaction, then look again.
    lock = text("select pg_advisory_xact_lock(hashtextextended('job_run', :run))")
    db.session.execute(lock, {"run": run.id})
    started = record.write(among=UNFINISHED, state=JobState.RUNNING, started_at=func.now(), done=0, file_path=run.path)
    if started is None:
        return
    if started["stop_asked"]:
        raise Stopped
    result = kind.work(run)
    expires_at = None
    if result.file_name is not None:
        os.replace(run.file, jobs_folder() / run.path)
        expires_at = expiry(run.path)
    done = db.session.execute(
        update(JobRun)
        .where(JobRun.id == run.id, JobRun.state == JobState.RUNNING)
        .values(
            state=JobState.DONE,
            done=func.coalesce(JobRun.total, JobRun.done),
            result=result.figures,
            message=None if result.message is None else str(result.message),
            file_name=result.file_name,
            expires_at=expires_at,
            finished_at=func.clock_timestamp(),  # now() is the moment at which this long transaction began
        )
        .execution_options(synchronize_session=False)
    )
    if not done.rowcount:
        raise Stopped


def write_failure(record: RunRecord, error: Exception, ends: Callable[[], bool]) -> None:
    """Say on the run how it ended; give it back to the queue if it ended because the worker does."""
    row = record.read()
    if row is not None and row["stop_asked"]:
        end(record, JobState.CANCELLED)
        return
    if ends():
        record.write(among=UNFINISHED, state=JobState.QUEUED, done=0)
        raise JobAborted from error
    if isinstance(error, Told):
        message = str(error)
    else:
        reference = secrets.token_hex(4)
        log.error("job run %s failed, reference %s", record.run_id, reference, exc_info=error)
        message = _("Internal error, reference %(reference)s. Tell the IT office this reference.", reference=reference)
    end(record, JobState.FAILED, message)


def end(record: RunRecord, state: JobState, message: str | None = None) -> None:
    """Write an end without a result. Whatever this run, or an earlier one that was killed, left of a file goes."""
    row = record.write(among=UNFINISHED, state=state, message=message, finished_at=func.now())
    if row is not None and row["file_path"]:
        remove_unfinished(row["file_path"])
        (jobs_folder() / row["file_path"]).unlink(missing_ok=True)


def remove_unfinished(path: str) -> None:
    """Remove drafts of a result: what lies beside it under its name with something added."""
    result = jobs_folder() / path
    for draft in result.parent.glob(f"*{result.name}.*"):
        if draft.is_dir():
            shutil.rmtree(draft)
        else:
            draft.unlink()
