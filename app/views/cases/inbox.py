"""待办 inbox: what waits for me across all flows; many cases decided in one act, with a result for each."""

import tempfile
from pathlib import Path
from typing import Any

from flask import abort, redirect, request, send_file, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from sqlalchemy import exists, select

from app.access import Permission, current_actor
from app.kit.flow import flow_of
from app.kit.flow.check import foreseen, hands_of, notes_records
from app.kit.jobs.job import enqueue
from app.kit.operation import Refused, audit, get
from app.kit.screen import Menu, PageView
from app.kit.screen.exporting import XLSX, files_folder
from app.kit.workbook.export import write_workbook
from app.models import Case, CaseStep, JobRun, JobState, Paper, Student, among, db, setting_int
from app.operations.cases.batches import DECIDE, decide_at_once, parse
from app.operations.transfers.rounds import waiting_in_rounds
from app.views.cases.batch_groups import Pairs, groups, parts, why_apart
from app.views.cases.batch_groups import rows as rows_of
from app.views.cases.forms import records_form, values
from app.views.cases.inbox_rows import TABS, counted, exported, filtered, flows, selects, shown_all, tabs
from app.views.cases.words import act_words
from app.workbooks.inbox import inbox_export
from app.workbooks.outcomes import outcomes, rows

PAGE = 50
SHOWN = 500
Chosen = dict[str, list[int]]  # step → ids of the cases shown at it


class InboxView(PageView):
    """My open steps, the longest overdue first."""

    route_base = "/inbox"
    menu = Menu(_("To do"), "cases", "fa-inbox")
    reads = Permission.CASE_READ

    @expose("/")
    @has_access
    def list(self):
        tab = request.args.get("tab", "open") if request.args.get("tab") in TABS else "open"
        query = filtered(selects()[tab])
        count = counted(query)
        pages = max((count - 1) // PAGE + 1, 1)
        page = min(max(request.args.get("page", 0, type=int), 0), pages - 1)
        found = db.session.execute(query.offset(page * PAGE).limit(PAGE)).all()
        self.update_redirect()
        return self.render_template(
            "xueji/inbox.html", title=_("To do"), tab=tab, tabs=tabs(), flow=request.args.get("flow", ""),
            flows=flows(tab), q=request.args.get("q", ""), rows=shown_all(found), count=count, page=page,
            pages=pages, batch_url=url_for("InboxView.confirm") if tab == "open" else None,
            export_url=url_for("InboxView.export", **dict[str, Any](request.args.to_dict())),
            rounds=waiting_in_rounds(current_actor()) if tab == "open" else [],
        )  # fmt: skip

    @expose("/export")
    @has_access
    @permission_name("list")
    def export(self):
        """The tab as it is narrowed, all of it, as a workbook."""
        tab = request.args.get("tab", "open") if request.args.get("tab") in TABS else "open"
        found = [exported(row) for row in db.session.execute(filtered(selects()[tab]))]
        with tempfile.TemporaryDirectory(dir=files_folder()) as folder:
            path = Path(folder) / "inbox.xlsx"
            write_workbook(path, inbox_export, inbox_export.columns, found)
            asked = {"screen": type(self).__name__, "query": request.query_string.decode(), "rows": len(found)}
            audit(current_actor(), "export", detail=asked)
            db.session.commit()
            return send_file(path.open("rb"), XLSX, as_attachment=True, download_name=f"{TABS[tab]}.xlsx")

    @expose("/confirm", methods=["POST"])
    @has_access
    @permission_name("list")
    def confirm(self):
        """What a batch would decide, before it does."""
        return self.confirm_page(self._chosen())

    def confirm_page(self, steps: Chosen, filled: Any = None, error: Any = None):
        """The page before the batch: how many, which not and why, and what the steps record; `filled` and `error` are of a
        decision that could not be taken as it was sent."""
        ids = [number for numbers in steps.values() for number in numbers]
        if not ids:
            raise Refused(_("Select at least one case."))
        query = selects()["open"].where(among(Case.id, ids))
        now = {(case.id, step.key): (step, case) for step, case in db.session.execute(query)}
        hands = hands_of(current_actor().user_id, ids)  # who signed before may not sign this, whatever she decides
        barred = {at: why for at, (step, case) in now.items() if (why := hands.why_not(case, step))}
        asked = [(number, key) for key, numbers in steps.items() for number in numbers]
        fitting = [now[at] for at in asked if at in now and at not in barred]
        gone = [number for key, numbers in steps.items() for number in numbers if (number, key) not in now]
        if len(apart := groups(fitting)) > 1:
            return self.render_template(
                "xueji/batch_groups.html", title=_("Confirm the batch"), why=why_apart(), parts=parts(apart),
                action_url=url_for("InboxView.confirm"), cancel_url=url_for("InboxView.list"),
            )  # fmt: skip
        cases = {case.id: case for _step, case in fitting}
        unready = foreseen(cases, {case.id: step for step, case in fitting})
        form = filled or self._form(fitting)
        acts = ["approve"] if any(step.declared.get("after_effect") for step, _case in fitting) else [
            "approve", "send_back", "refuse",
        ]  # fmt: skip
        return self.render_template(
            "xueji/batch_confirm.html", title=_("Confirm the batch"), count=len(fitting), form=form,
            acts=[{"key": key} | act_words(key, fitting[0][0] if fitting else None) for key in acts], opinion="optional",
            rows=rows_of(fitting[:SHOWN]), error=error, typed=request.form if error else {},
            exceptions=[{"subject": subject, "url": None, "reason": gettext("It no longer waits at this step for you.")}
                        for subject in subjects(gone)] + [excepted(now[at][1], why) for at, why in barred.items()],
            unready=[excepted(cases[number], why) for number, why in unready.items()],
            hidden=[("rowid", f"{case.id}:{step.key}") for step, case in fitting],
            action_url=url_for("InboxView.decide"), cancel_url=url_for("InboxView.list"),
            as_job=len(fitting) > setting_int("batch_job_rows"),
        )  # fmt: skip

    @expose("/decide", methods=["POST"])
    @has_access
    @permission_name("list")
    def decide(self):
        """Decide the batch: at once when small, else as a job; either way the result page tells row by row."""
        actor, act = current_actor(), request.form.get("act", "")
        if act not in ("approve", "send_back", "refuse"):
            raise Refused(_("There is no such decision."))
        steps = parse(request.form.getlist("rowid"))
        total = sum(map(len, steps.values()))
        if not total:
            raise Refused(_("Select at least one case."))
        opinion, form = request.form.get("opinion", "").strip() or None, self._records(steps)
        noting = form is not None and self._notes(steps, act)
        if noting and not form.validate():
            return self.confirm_page(steps, form, _("Fill in what this step records.")), 422
        if act != "approve" and not opinion:
            return self.confirm_page(steps, form, _("Give a reason: the applicant reads it.")), 422
        decision: dict[str, Any] = {"act": act, "opinion": opinion,
                                    "records": recorded(form) if noting else None}  # fmt: skip
        first = db.session.execute(selects()["open"].where(among(Case.id, next(iter(steps.values()))))).first()
        title = gettext("%(act)s: %(n)s cases", act=act_words(act, first and first[0])["label"], n=total)
        if total > setting_int("batch_job_rows"):
            run = enqueue(actor, DECIDE, title, {"steps": steps, **decision})
            db.session.commit()
        else:
            run = decide_at_once(actor, title, steps, **decision)
        return redirect(url_for("InboxView.result", run_id=run.id))

    @expose("/result/<int:run_id>")
    @has_access
    @permission_name("list")
    def result(self, run_id: int):
        run = own_batch(run_id)
        running = run.state in (JobState.QUEUED, JobState.RUNNING)
        stored = run.result.get("rows", [])
        decided = among(Paper.case_id, [row[0] for row in stored if row[3]])
        noticed = run.params.get("act") == "approve" and db.session.scalar(exists().where(decided).select())
        return self.render_template(
            "xueji/batch_result.html", title=run.title, message=run.message,
            poll_url=url_for("JobsView.state", run_id=run.id) if running else None,
            done=run.result.get("decided", 0), refused=run.result.get("refused", 0), total=run.total,
            rows=[{"subject": f"{number} {subject}", "ok": ok, "reason": reason,
                   "url": url_for("CaseScreen.show", pk=number_) if number else None}
                  for number_, number, subject, ok, reason in stored[:SHOWN]],
            more=max(len(stored) - SHOWN, 0),
            download_url=url_for("InboxView.download", run_id=run.id), back_url=url_for("InboxView.list"),
            papers=[(_("Print the notices"), url_for("PaperScreen.print_batch", run_id=run.id))]
            if current_actor().may(Permission.PAPER_PRINT) and noticed else [],
        )  # fmt: skip

    @expose("/result/<int:run_id>/file")
    @has_access
    @permission_name("list")
    def download(self, run_id: int):
        run = own_batch(run_id)
        with tempfile.TemporaryDirectory(dir=files_folder()) as folder:
            path = Path(folder) / "outcomes.xlsx"
            write_workbook(path, outcomes, outcomes.columns, rows(run.result.get("rows", [])))
            return send_file(path.open("rb"), XLSX, as_attachment=True, download_name=f"{run.title}.xlsx")

    def _chosen(self) -> Chosen:
        """The ticks, or everything that the filter in the address matches."""
        if request.form.get("scope") != "filter":
            return parse(request.form.getlist("rowid"))
        query = filtered(selects()["open"]).with_only_columns(Case.id, CaseStep.key).order_by(None)
        return parse(f"{number}:{key}" for number, key in db.session.execute(query))

    def _form(self, pairs: Pairs):
        """The form of what the steps record. Raises Refused where the cases would need different answers."""
        if len(groups(pairs)) > 1:
            raise Refused(why_apart())
        declared = {(case.flow, step.key): step.declared for step, case in pairs}
        asked = [one for one in declared.values() if one["records"] or one["originals"] or one.get("meeting")]
        if not asked:
            return None
        step, case = next((pair for pair in pairs if pair[0].declared in asked), pairs[0])
        return records_form(flow_of(case), step.declared, case, db.session.get(Student, case.student_id))

    def _records(self, steps: Chosen) -> Any:
        """The form of what the steps of a decision record, as it was sent."""
        return self._form(self._waiting(steps))

    def _notes(self, steps: Chosen, act: str) -> bool:
        """Whether this act upon the chosen cases notes what their steps record."""
        return any(notes_records(act, step) for step, _case in self._waiting(steps))

    def _waiting(self, steps: Chosen) -> Pairs:
        ids = [number for numbers in steps.values() for number in numbers]
        waiting = db.session.execute(selects()["open"].where(among(Case.id, ids)))
        return [(row[0], row[1]) for row in waiting]


def recorded(form: Any) -> dict[str, Any]:
    """What was filled in, as a job's parameters hold it."""
    return {key: value if isinstance(value, bool | int | None) else str(value) for key, value in values(form).items()}


def excepted(case: Case, reason: Any) -> dict[str, Any]:
    return {"subject": f"{case.number} {case.subject}", "reason": reason, "url": url_for("CaseScreen.show", pk=case.id)}


def subjects(ids: list[int]) -> list[str]:
    """What the cases are about, those that the reader may see; a number for the others."""
    found = {
        row.id: f"{row.number} {row.subject}" for row in db.session.scalars(select(Case).where(among(Case.id, ids)))
    }
    return [found.get(number, f"#{number}") for number in ids]


def own_batch(run_id: int) -> JobRun:
    run = get(JobRun, run_id)
    if run.kind != DECIDE:
        abort(404)
    return run
