"""每日任务 the daily job: every source of what has come due, and the letters that tell of it.

It runs every hour, so that a worker that was stopped makes its day up as soon as it is back.
"""

import logging
from datetime import date
from typing import Any

from flask import Flask
from procrastinate import JobContext
from sqlalchemy import text

from app.access import Actor, Permission, scope_as
from app.kit import clock
from app.kit.jobs.due import SOURCES, Source, machine, tell
from app.kit.jobs.job import queue
from app.kit.jobs.letter import send_waiting
from app.kit.operation import operation
from app.models import db
from app.operations.accounts import vacancies
from app.operations.calendar import due_days, escalation
from app.operations.cases import reassigning
from app.operations.roster import dated_effects, legal_clocks, registration, reorganisation

log = logging.getLogger(__name__)
# Whose import registers what comes due.
FOUND_BY = (dated_effects, due_days, escalation, legal_clocks, reassigning, registration, reorganisation, vacancies)
MADE_UP = "xueji_made_up"  # the day for which this process has made what takes effect
TODAY = (reorganisation.SOURCE, dated_effects.SOURCE)  # what makes the roster that of the day, in this order
APART = ("/static/", "/health", "/ready")  # read nobody's rows


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
    # what takes effect today comes first: the others look at the roster as it is today
    for key in sorted(SOURCES, key=lambda key: TODAY.index(key) if key in TODAY else len(TODAY)):
        try:
            with scope_as(actor.scope):
                told[key] = _ask(actor, key, SOURCES[key], today)
        except Exception:
            log.exception("the source %s of the daily job failed", key)
            failed.append(key)
    if failed:
        raise SourcesFailed(", ".join(failed))
    return told


def make_up(app: Flask) -> None:
    """Before the first reader of a day in this process: what takes effect on it does so now, unless the hourly job has
    seen to it. A failure is the job's to repeat; nobody is kept from reading."""
    today = clock.today()
    if app.extensions.get(MADE_UP) == today:
        return
    app.extensions[MADE_UP] = today
    for key in TODAY:  # each by itself: one that fails keeps the other from nothing
        try:
            with scope_as(machine().scope):
                _ask(machine(), key, SOURCES[key], today)
        except Exception:
            log.exception("what takes effect today could not be made before the first reader: %s", key)


class BeforeReaders:
    """A WSGI application whose first request of a day sees what takes effect on it."""

    def __init__(self, app: Flask) -> None:
        self.app, self.served = app, app.wsgi_app

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if not environ.get("PATH_INFO", "").startswith(APART):
            with self.app.app_context():
                make_up(self.app)
        return self.served(environ, start_response)


@operation(needs=Permission.HOME_READ)
def _ask(actor: Actor, key: str, source: Source, today: date) -> int:
    # Two workers at once: the second finds what the first has told, and tells nothing.
    lock = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")
    db.session.execute(lock, {"name": f"daily:{key}"})
    return tell(source(actor, today))
