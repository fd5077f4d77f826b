"""导入 the jobs of every import: the dry run, and the import that saves all rows or none."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import Any

from flask_babel import force_locale, format_decimal
from flask_babel import lazy_gettext as _
from procrastinate import JobContext
from sqlalchemy import event, text

import app.workbooks  # noqa: F401 - declares the imports
from app.jobs.upkeep import purge
from app.kit.jobs.job import JobResult, RunningJob, Stopped, job, queue
from app.kit.operation import Refused
from app.kit.workbook import importing
from app.kit.workbook.declare import LANGUAGES
from app.kit.workbook.export import Stopped as ReadingStopped
from app.kit.workbook.importing import Report
from app.kit.workbook.imports import IMPORTS, Import
from app.kit.workbook.reasons import Refusal
from app.kit.workbook.returned import write_returned
from app.kit.workbook.upload import forget, imports_folder, keep_findings, kept, limits
from app.models import db


def check(what: Import, run: RunningJob) -> JobResult:
    """Find every bad cell and say what an import would do; nothing is saved."""
    with in_words():
        report = read(what, run)
        keep_findings(run.params["file"], findings(what, report))
        figures = {
            "rows": report.rows, "new": report.new, "changed": report.changed, "unchanged": report.unchanged,
            "bad_rows": report.bad_rows, "cells": sum(report.by_code.values()), "url": page_of(run),
        }  # fmt: skip
        if not report.bad_rows:
            return JobResult(_("%(rows)s rows, no errors", rows=format_decimal(report.rows)), figures)
        write_returned(run.file, db.session.connection(), report, limits=limits())
        bad, rows = format_decimal(report.bad_rows), format_decimal(report.rows)
        message = _("%(bad)s of %(rows)s rows have errors", bad=bad, rows=rows)
        return JobResult(message, figures, run.params["returned_name"])


def save(what: Import, run: RunningJob) -> JobResult:
    """Check the file again, against the data of this moment, and save all of it."""
    # One import of a kind at a time: the second then sees what the first has saved.
    db.session.execute(text("select pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": what.key})
    with in_words():
        report = read(what, run)
        counts = importing.commit(db.session.connection(), report)
    event.listen(db.session(), "after_commit", lambda session: forget(run.params["file"]), once=True)
    figures = {
        "rows": report.rows, "new": counts.new, "changed": counts.changed, "unchanged": counts.unchanged,
        "url": page_of(run),
    }  # fmt: skip
    if "new" not in what.figures:
        return JobResult(_("%(count)s rows", count=format_decimal(report.rows)), figures)
    words = {name: format_decimal(figures[name]) for name in ("new", "changed", "unchanged")}
    return JobResult(_("%(new)s new, %(changed)s changed, %(unchanged)s unchanged", **words), figures)


for one in IMPORTS.values():
    job(one.check, needs=one.needs)(partial(check, one))
    job(one.commit, needs=one.needs)(partial(save, one))


def read(what: Import, run: RunningJob) -> Report:
    """Read and check the run's file within its transaction."""
    connection = db.session.connection()
    workbook = what.workbook(run.actor, run.params["subject"])
    staged = importing.stage(
        connection, workbook, kept(run.params["file"]),
        granted=run.actor.permissions, limits=limits(), should_stop=run.should_stop,
    )  # fmt: skip
    rows = connection.exec_driver_sql(f"select count(*) from {staged.table}").scalar_one()  # noqa: S608 (our own table)
    run.progress(0, rows)
    report = importing.check(connection, staged, erase=run.params.get("erase", False))
    run.progress(rows)
    if run.should_stop():
        raise Stopped
    return report


def page_of(run: RunningJob) -> str:
    return f"{run.params['pages']}{run.id}"


def findings(what: Import, report: Report) -> dict[str, Any]:
    """The first errors in each language, how many there are of each kind, and what was not read."""
    connection = db.session.connection()
    errors: dict[str, list[dict[str, Any]]] = {}
    notices: dict[str, list[str]] = {}
    kinds: Counter[tuple[str, str]] = Counter()
    for language in LANGUAGES:
        with force_locale(language):
            errors[language] = [
                {
                    "row": error.row,
                    "cell": report.staged.header.cell(error.column, error.row),
                    "column": error.label,
                    "value": error.value,
                    "reason": error.message,
                }
                for error in islice(report.errors(connection), importing.SHOWN)
            ]
            notices[language] = [notice.message for notice in report.staged.notices] + what.remarks(
                connection, report.staged
            )
    kinds.update((error.column, error.code) for error in report.errors(connection))
    kinds_found = [[*kind, count] for kind, count in kinds.most_common()]
    return {"errors": errors, "notices": notices, "kinds": kinds_found, "blanks": report.blanks}


@contextmanager
def in_words() -> Iterator[None]:
    """What is wrong with a file ends the job with its sentence."""
    try:
        yield
    except Refusal as refusal:
        raise Refused(refusal.message) from refusal
    except ReadingStopped as stopped:
        raise Stopped from stopped


@queue.periodic(cron="22 3 * * *")
@queue.task(name="purge_uploads", pass_context=True)
def purge_uploads(context: JobContext, timestamp: int) -> None:
    """Remove uploads that nobody imported, when their day of expiry has come."""
    with context.additional_context["app"].app_context():
        purge(dt.datetime.fromtimestamp(timestamp, dt.UTC).date(), imports_folder())
