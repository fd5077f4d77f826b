"""每日任务 the daily job: every source of what has come due, and the letters that tell of it.

It runs every hour, so that a worker that was stopped makes its day up as soon as it is back.
"""

import logging
from datetime import date

from procrastinate import JobContext
from sqlalchemy import text

from app.access import Actor, Permission, scope_as
from app.kit import clock
from app.kit.due import SOURCES, Source, machine, tell
from app.kit.job import queue
from app.kit.letter import send_waiting
from app.kit.operation import operation
from app.models import db
from app.operations import escalation, legal_clocks, registration  # noqa: F401  (importing them registers their sources)

log = logging.getLogger(__name__)


class SourcesFailed(Exception):
    """Some sources failed; what the others found is told. The next hour tries again."""


@queue.periodic(cron="7 * * * *")
@queue.task(name="daily", queueing_lock="daily", pass_context=True)
def daily(context: JobContext, timestamp: int) -> None:
    """Find what has come due and tell it."""
    with context.additional_context["app"].app_context():
        run_sources(clock.today())


@queue.periodic(cron="*/5 * * * *")
@queue.task(name="send_letters", queueing_lock="send_letters", pass_context=True)
def send_letters(context: JobContext, timestamp: int) -> None:
    """Send the letters that wait."""
    with context.additional_context["app"].app_context(), scope_as(machine().scope):
        if counts := send_waiting():
            log.info("letters: %s", counts)


def run_sources(today: date) -> dict[str, int]:
    """Ask every source, each in a transaction of its own; how many people each told something new.

    One that fails does not keep the others from being heard. Raises SourcesFailed in the end.
    """
    told: dict[str, int] = {}
    failed = []
    actor = machine()
    for key, source in SOURCES.items():
        try:
            with scope_as(actor.scope):
                told[key] = _ask(actor, key, source, today)
        except Exception:
            log.exception("the source %s of the daily job failed", key)
            failed.append(key)
    if failed:
        raise SourcesFailed(", ".join(failed))
    return told


@operation(needs=Permission.HOME_READ)
def _ask(actor: Actor, key: str, source: Source, today: date) -> int:
    # Two workers at once: the second finds what the first has told, and tells nothing.
    lock = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")
    db.session.execute(lock, {"name": f"daily:{key}"})
    return tell(source(actor, today))
