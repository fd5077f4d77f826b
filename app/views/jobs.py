"""我的任务 my jobs: what runs in the background for me, how far it is, and its files."""

import datetime as dt
from typing import Any

from flask import flash, jsonify, redirect, send_file, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import format_datetime, format_decimal, gettext
from flask_babel import lazy_gettext as _
from sqlalchemy import select

from app.access import Permission, current_actor
from app.kit.jobs.job import cancel, result_file
from app.kit.operation import get
from app.kit.screen import Menu, PageView
from app.models import JobRun, JobState, db
from app.operations.cases.batches import DECIDE

LABELS = {
    JobState.QUEUED: _("Waiting"),
    JobState.RUNNING: _("Running"),
    JobState.DONE: _("Finished"),
    JobState.FAILED: _("Failed"),
    JobState.CANCELLED: _("Cancelled"),
}
TONES = {JobState.DONE: "ok", JobState.FAILED: "bad", JobState.CANCELLED: "muted"}
SHOWN = 50


class JobsView(PageView):
    """The reader's own jobs; the policy on job_run sees to it that they are his own."""

    route_base = "/jobs"
    menu = Menu(_("My jobs"), "own", "fa-gears")
    reads = Permission.JOB_READ

    @expose("/")
    @has_access
    def list(self):
        runs = db.session.scalars(select(JobRun).order_by(JobRun.id.desc()).limit(SHOWN))
        self.update_redirect()
        return self.render_template("xueji/jobs.html", title=_("My jobs"), jobs=[shown(run) for run in runs])

    @expose("/<int:run_id>/state")
    @has_access
    @permission_name("list")
    def state(self, run_id: int):
        run = get(JobRun, run_id)
        label, tone = standing(run)
        message = str(run.message or label)
        return jsonify(state=run.state, message=message, label=str(label), tone=tone, **progress(run))

    @expose("/<int:run_id>/cancel", methods=["POST"])
    @has_access
    @permission_name("list")
    def cancel(self, run_id: int):
        if cancel(current_actor(), run_id).state == JobState.RUNNING:
            flash(_("The task is being stopped; what it did so far is undone."), "info")
        return redirect(url_for("JobsView.list"))

    @expose("/<int:run_id>/file")
    @has_access
    @permission_name("list")
    def file(self, run_id: int):
        path, name = result_file(run_id)
        return send_file(path, as_attachment=True, download_name=name)


def standing(run: JobRun) -> tuple[Any, str]:
    """How a job stands, in a word and its tone; one that runs on until its next look for a stop is being stopped."""
    state = JobState(run.state)
    if state == JobState.RUNNING and run.stop_asked:
        return _("Being stopped"), "warn"
    return LABELS[state], TONES.get(state, "info")


def progress(run: JobRun) -> dict[str, Any]:
    """How far a job is, in figures and in words, as page.js asks for it."""
    done, total = format_decimal(run.done), format_decimal(run.total or 0)
    return {"done": run.done, "total": run.total, "count": gettext("%(done)s of %(total)s", done=done, total=total)}


def result_url(run: JobRun) -> str | None:
    """The page of what a job has done, where there is one: of a batch, of a check or an import."""
    return url_for("InboxView.result", run_id=run.id) if run.kind == DECIDE else run.result.get("url")


def shown(run: JobRun) -> dict[str, Any]:
    """One job as xueji/jobs.html shows it."""
    state, (label, tone) = JobState(run.state), standing(run)
    runs = state in (JobState.QUEUED, JobState.RUNNING)
    kept = run.expires_at is not None and run.expires_at > dt.datetime.now(dt.UTC)
    return {
        "title": run.title,
        "state": state.value,
        "label": label,
        "tone": tone,
        "note": format_datetime(run.asked_at, "short"),
        "done": run.done,
        "total": run.total,
        "message": run.message,
        "poll_url": url_for("JobsView.state", run_id=run.id) if runs else None,
        "cancel_url": url_for("JobsView.cancel", run_id=run.id) if runs and not run.stop_asked else None,
        "download_url": url_for("JobsView.file", run_id=run.id) if run.file_name and kept else None,
        "result_url": None if runs else result_url(run),
        "expires": format_datetime(run.expires_at, "short") if run.file_name and kept and run.expires_at else None,
    }
