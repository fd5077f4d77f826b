"""What keeps the queue in order: jobs of dead workers start again, expired files and old queue rows go."""

import asyncio
import datetime as dt
import logging
import shutil
from pathlib import Path

from flask import current_app
from procrastinate import JobContext
from procrastinate.exceptions import ConnectorException

from app.access import Scope, scope_as
from app.access.attempts import forget_attempts
from app.kit.filing import A_DAY, settle_pending
from app.kit.holding import drop_old
from app.kit.jobs.job import jobs_folder, queue
from app.operations.accounts.own import forget_sessions

log = logging.getLogger(__name__)

OLD_HOURS = 24 * 30


async def requeue_for_ever(every: float, stalled_after: float) -> None:
    """Give the jobs of workers without a heartbeat back to the queue, again and again."""
    while True:
        try:
            for job in await queue.job_manager.get_stalled_jobs(seconds_since_heartbeat=stalled_after):
                log.warning("job %s lost its worker and starts again", job.call_string)
                await queue.job_manager.retry_job(job)
        except ConnectorException:  # the database is away, or another worker was first
            log.warning("lost jobs could not be given back to the queue", exc_info=True)
        await asyncio.sleep(every)


@queue.periodic(cron="17 3 * * *")
@queue.task(name="purge_files", pass_context=True)
def purge_files(context: JobContext, timestamp: int) -> None:
    """Remove the result files of every day of expiry that has come, unfinished ones of killed workers among them."""
    with context.additional_context["app"].app_context():
        purge(dt.datetime.fromtimestamp(timestamp, dt.UTC).date())


def purge(today: dt.date, folder: Path | None = None) -> list[str]:
    """Remove the folders of days up to `today` (of result files, if no folder is said), and return their names."""
    folder = folder or jobs_folder()
    expired = sorted(day.name for day in folder.iterdir() if day.name <= str(today)) if folder.is_dir() else []
    for day in expired:
        shutil.rmtree(folder / day)
    return expired


@queue.periodic(cron="32 3 * * *")
@queue.task(name="remove_strays", pass_context=True)
def remove_strays_daily(context: JobContext, timestamp: int) -> None:
    """Remove what killed requests left behind."""
    with context.additional_context["app"].app_context():
        remove_strays(timestamp)


def remove_strays(now: float) -> list[str]:
    """Remove scans that no transaction came to name, unfinished downloads and forms not sent, a day old or more; their places."""
    files = Path(current_app.config["XUEJI_FILES"])
    with scope_as(Scope(kind="auditor")):
        removed = settle_pending(files, now=now)
    removed += drop_old(now)
    for folder in sorted((files / "tmp").glob("*")):
        if now - folder.stat().st_mtime >= A_DAY:
            shutil.rmtree(folder)
            removed.append(f"tmp/{folder.name}")
    return removed


@queue.periodic(cron="37 3 * * *")
@queue.task(name="forget_sessions", pass_context=True)
def forget_sessions_daily(context: JobContext, timestamp: int) -> None:
    """Forget logins of long ago."""
    with context.additional_context["app"].app_context():
        forget_sessions()
        forget_attempts()


@queue.periodic(cron="27 3 * * *")
@queue.task(name="remove_old_queue_rows")
async def remove_old_queue_rows(timestamp: int) -> None:
    """Forget queue rows that ended a month ago; the users' own `job_run` rows stay."""
    await queue.job_manager.delete_old_jobs(
        nb_hours=OLD_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
    )
