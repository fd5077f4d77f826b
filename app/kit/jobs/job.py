"""任务 job: long work done by a worker process, in the name of the user who asked, all or nothing and exactly once."""

import datetime as dt
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import procrastinate
from flask import current_app
from flask_babel import get_locale
from flask_babel import lazy_gettext as _
from sqlalchemy import func, select, text, update

from app.access import Actor, Permission, Scope
from app.access.scope import apply_scope
from app.kit.operation import NotAllowed, NotFound, Refused, audit, get, operation
from app.models import JobRun, JobState, db, setting_int

UNFINISHED = (JobState.QUEUED, JobState.RUNNING)
RUN_TASK = "run_job"

# The queue: Procrastinate's tables in the same database. It gets its own connections in a worker alone.
queue = procrastinate.App(connector=procrastinate.PsycopgConnector())


@dataclass(frozen=True)
class JobResult:
    """What a finished job leaves: a sentence, figures, and the name under which `RunningJob.file` is offered."""

    message: object = None
    figures: dict[str, Any] = field(default_factory=dict)
    file_name: str | None = None


JobFunction = Callable[["RunningJob"], JobResult]


@dataclass(frozen=True)
class JobKind:
    """One kind of job: the permission it needs, when it is asked for and again when it runs, and its function."""

    key: str
    needs: Permission
    work: JobFunction


JOBS: dict[str, JobKind] = {}


def job(key: str, *, needs: Permission) -> Callable[[JobFunction], JobFunction]:
    """Register `work(run) -> JobResult`. It runs in one transaction that also marks the run as done.

    A worker killed in the middle leaves nothing, and the run starts again: what a job does outside the database it
    must be able to do twice.
    """

    def register(work: JobFunction) -> JobFunction:
        if key in JOBS:
            raise ValueError(f"There are two jobs called {key!r}.")
        JOBS[key] = JobKind(key, needs, work)
        return work

    return register


class Stopped(Exception):
    """The job saw that it should stop. Raised by job functions; everything they did is rolled back."""


class RunRecord:
    """One run's row, read and written in short transactions of its own, scoped by the asker's id and nothing else."""

    def __init__(self, run_id: int, user_id: int) -> None:
        self.run_id = run_id
        self.scope = Scope(user_id=user_id)

    def read(self) -> dict[str, Any] | None:
        """The row as it is now; None if it is gone."""
        return self._execute(select(JobRun.__table__).where(JobRun.id == self.run_id))

    def write(self, *, among: Iterable[JobState] = (JobState.RUNNING,), **values: Any) -> dict[str, Any] | None:
        """Change the row if its state is one of `among`, and return it; None if it is not."""
        return self._execute(
            update(JobRun.__table__)
            .where(JobRun.id == self.run_id, JobRun.state.in_(list(among)))
            .values(values)
            .returning(*JobRun.__table__.columns)
        )

    def _execute(self, statement) -> dict[str, Any] | None:
        with db.engine.begin() as connection:
            apply_scope(connection, self.scope)
            row = connection.execute(statement).mappings().first()
        return dict(row) if row else None


class RunningJob:
    """What a job function works with: who asked, with what parameters, where its file goes, progress and cancel."""

    def __init__(self, record: RunRecord, row: dict[str, Any], actor: Actor, ends: Callable[[], bool]) -> None:
        self.id: int = row["id"]
        self.actor = actor
        self.params: dict[str, Any] = row["params"]
        self.path: str = row["file_path"]  # relative to jobs_folder(); offered only once the run is done
        self._record = record
        self._ends = ends

    @property
    def file(self) -> Path:
        """Where the job writes its result; offered when the job is done, removed when it is not."""
        target = jobs_folder() / self.path
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return target.with_name(f"{target.name}.new")

    def progress(self, done: int, total: int | None = None) -> None:
        """Say how far the job is: at every some 2,000 rows, seen by its owner at once."""
        self._record.write(done=done, total=func.coalesce(total, JobRun.total))

    def should_stop(self) -> bool:
        """True when the user cancelled the job, or when the worker is about to end and another run will follow."""
        return self._ends() or self.was_cancelled()

    def was_cancelled(self) -> bool:
        """True when the user cancelled the job, or when its row is gone or was ended by somebody else."""
        row = self._record.read()
        return row is None or row["stop_asked"] or row["state"] != JobState.RUNNING


def jobs_folder() -> Path:
    """Where result files lie, in one folder a day of expiry: `<day>/<random name>`."""
    return Path(current_app.config["XUEJI_FILES"]) / "jobs"


def new_path() -> str:
    """A name that cannot be guessed, in the folder of the day (UTC) on which it expires and the purge removes it."""
    day = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=setting_int("job_file_days") + 1)
    return f"{day}/{secrets.token_urlsafe(24)}"


def expiry(path: str) -> dt.datetime:
    """The moment at which a path of `new_path` expires."""
    return dt.datetime.combine(dt.date.fromisoformat(Path(path).parent.name), dt.time(), dt.UTC)


def enqueue(actor: Actor, kind: str, title: object, params: dict[str, Any]) -> JobRun:
    """Ask for a job inside the running transaction; a rollback takes it back. Returns its run."""
    if not actor.may(JOBS[kind].needs):
        raise NotAllowed(_("Your role may not do this. Ask the roster registry if you should."))
    return _enqueue(actor, kind, str(title), params)


@operation(needs=Permission.JOB_READ)
def _enqueue(actor: Actor, kind: str, title: str, params: dict[str, Any]) -> JobRun:
    run = JobRun(kind=kind, title=title[:80], user_id=actor.user_id, identity_id=actor.identity_id, params=params)
    db.session.add(run)
    db.session.flush()
    deferrer = queue.configure_task(RUN_TASK, connection=db.session.connection().connection.driver_connection)
    run.queue_id = deferrer.defer(run_id=run.id, user_id=actor.user_id, language=str(get_locale() or "zh"))
    audit(actor, "job:enqueue", subject="job_run", subject_id=run.id, detail={"kind": kind, "params": params})
    return run


@operation(needs=Permission.JOB_READ)
def cancel(actor: Actor, run_id: int) -> JobRun:
    """Cancel one's own job: at once if it waits, else at its next look. What it did so far is rolled back."""
    run = get(JobRun, run_id, lock=True)
    if run.state == JobState.QUEUED:
        run.state = JobState.CANCELLED
        run.finished_at = func.now()
    elif run.state != JobState.RUNNING:
        raise Refused(_("This job has already ended."))
    run.stop_asked = True
    audit(actor, "job:cancel", subject="job_run", subject_id=run.id)
    return run


def result_file(run_id: int) -> tuple[Path, str]:
    """The file of one's own finished job and the name to offer it under. Raises NotFound, Refused if it has expired."""
    run = get(JobRun, run_id)
    if run.state != JobState.DONE or run.file_path is None or run.file_name is None:
        raise NotFound(_("There is no such record, or it is not one of yours."))
    path = jobs_folder() / run.file_path
    if run.expires_at is None or run.expires_at <= dt.datetime.now(dt.UTC) or not path.is_file():
        raise Refused(_("This file has expired and was removed. Ask for it again."))
    return path, run.file_name


def worker_seen(seconds: int = 30) -> bool:
    """True if some worker gave a sign of life within the last seconds; /ready asks."""
    query = text(
        "select exists (select from procrastinate_workers"
        " where last_heartbeat > now() - make_interval(secs => :seconds))"
    )
    return bool(db.session.scalar(query, {"seconds": seconds}))
