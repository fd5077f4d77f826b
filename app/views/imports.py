"""导入 imports: choose the file, see the check, import all rows or none. A page of an import is a subclass that names it."""

import tempfile
from pathlib import Path
from typing import Any, ClassVar

from flask import jsonify, redirect, request, send_file, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import format_datetime, get_locale
from flask_babel import gettext as translated
from flask_babel import lazy_gettext as _
from sqlalchemy import select

from app.access import current_actor
from app.kit.jobs.job import UNFINISHED, enqueue
from app.kit.operation import NotFound, Refused, get
from app.kit.screen import PageView
from app.kit.screen.exporting import XLSX, files_folder
from app.kit.workbook.declare import Column
from app.kit.workbook.imports import Import
from app.kit.workbook.reasons import Unreadable
from app.kit.workbook.template import accepted_values, write_template
from app.kit.workbook.upload import keep, kept_findings, limits
from app.models import JobRun, JobState, db
from app.models.language import listed
from app.views.jobs import LABELS, TONES, progress

RECENT = 8
LONGEST_NAME = 120  # of a file
# What a wrong cell is, in few words, for the count of each kind.
KINDS = {
    "REQUIRED": _("missing"), "INTEGER": _("no number"), "NUMBER": _("no number"), "DATE": _("no clear date"),
    "DATETIME": _("no clear date"), "BOOLEAN": _("neither yes nor no"), "CHOICE": _("none of the choices"),
    "UNKNOWN_CHARACTER": _("unknown character"), "NOT_AMONG": _("unknown"), "TAKEN": _("belongs to another record"),
    "FORMULA": _("formula"), "ERROR_CELL": _("error of Excel's"),
    "NUMBER_LOST_DIGITS": _("digits lost"), "DATE_NOT_CODE": _("turned into a date"), "TOO_LONG": _("too long"),
    "PATTERN": _("wrongly written"), "TOO_SMALL": _("too small"), "TOO_LARGE": _("too large"),
    "OVERFLOW": _("too large"), "NOT_FOUND": _("unknown"), "AMBIGUOUS": _("ambiguous"), "DUPLICATE": _("twice in the file"),
    "ID_NUMBER": _("check character wrong"), "ID_BIRTH_DATE": _("disagrees with the birth date"),
    "ID_SEX": _("disagrees with the sex"),
}  # fmt: skip
TYPES = {"text": _("text"), "name": _("text"), "code": _("digits as text"), "date": _("date"),
         "datetime": _("date and time"), "number": _("number"), "integer": _("number"), "boolean": _("yes or no")}  # fmt: skip
FIGURES = {
    "rows": (_("Rows"), "fa-table-list", "info"), "new": (_("New"), "fa-user-plus", "ok"),
    "changed": (_("Changed"), "fa-user-pen", "warn"), "unchanged": (_("Unchanged"), "fa-equals", "muted"),
}  # fmt: skip


class ImportView(PageView):
    """Three pages of one import. Its state is that of its jobs: a check, then the import that follows it."""

    what: ClassVar[Import]
    default_view = "upload"

    def __init_subclass__(cls, **kwargs) -> None:
        cls.reads = cls.what.needs
        super().__init_subclass__(**kwargs)

    def after(self, subject: int) -> list[tuple[Any, str, bool]]:
        """What one does when the file is imported: (label, address, whether it comes first)."""
        return []

    def url(self, page: str, **arguments: Any) -> str:
        return url_for(f"{type(self).__name__}.{page}", **arguments)

    @expose("/", methods=["GET", "POST"])
    @has_access
    @permission_name("list")
    def upload(self):
        if request.method == "GET":
            self.update_redirect()
            return self._first_page()
        subject, file = request.form.get("subject", type=int), request.files.get("file")
        known = subject in dict(self.what.subjects())
        missing = [] if known else [self.what.subject]
        if file is None or not file.filename:
            missing.append(_("Workbook"))
        if subject is None or file is None or not file.filename or missing:
            return self._first_page(
                translated("Choose first: %(what)s.", what=listed(missing)), subject if known else None
            )
        try:
            name = keep(file.stream)
        except Unreadable as fault:
            return self._first_page(fault.message, subject)
        shown = file.filename[-LONGEST_NAME:]
        title = translated("Check of %(file)s", file=shown)
        run = enqueue(current_actor(), self.what.check, title, {
            "file": name, "file_name": shown, "subject": subject, "pages": self.url("upload"),
            "returned_name": translated("%(file)s with reasons.xlsx", file=Path(shown).stem),
        })  # fmt: skip
        return redirect(self.url("show", run_id=run.id))

    @expose("/template")
    @has_access
    @permission_name("list")
    def template(self):
        """An empty workbook with the columns."""
        book = self.what.workbook(current_actor(), self.what.usual() or 0)
        with tempfile.TemporaryDirectory(dir=files_folder()) as folder:
            path = Path(folder) / "template.xlsx"
            choices = accepted_values(db.session.connection(), self.what.columns)
            write_template(path, book, self.what.columns, choices)
            return send_file(path.open("rb"), XLSX, as_attachment=True, download_name=f"{book.title}.xlsx")

    @expose("/<int:run_id>")
    @has_access
    @permission_name("list")
    def show(self, run_id: int):
        run = self._own_run(run_id)
        if run.state in UNFINISHED:
            return self._page(run, poll_url=self.url("state", run_id=run.id),
                              done=run.done, total=run.total, message=LABELS[JobState(run.state)])  # fmt: skip
        if run.state != JobState.DONE:
            nothing = translated("This was stopped; nothing was saved.")
            return self._first_page(run.message or nothing, run.params["subject"])
        return self._checked(run) if run.kind == self.what.check else self._imported(run)

    @expose("/<int:run_id>/state")
    @has_access
    @permission_name("list")
    def state(self, run_id: int):
        run = self._own_run(run_id)
        ended = run.state not in UNFINISHED
        url = self.url("show", run_id=run.id) if ended else None
        # A failed check has a page of its own, with the reason: for the page that waits, that is an end like any other.
        state = JobState.DONE if ended else run.state
        return jsonify(state=state, message=str(LABELS[JobState(run.state)]), url=url, **progress(run))

    @expose("/<int:run_id>/commit", methods=["POST"])
    @has_access
    @permission_name("list")
    def commit(self, run_id: int):
        check = get(JobRun, run_id, lock=True)
        if check.kind != self.what.check or check.state != JobState.DONE or check.result["bad_rows"]:
            raise Refused(_("Only a file that was checked without an error can be imported. Choose it again."))
        run = self._import_of(check)
        if run is None:
            title = translated("Import of %(file)s", file=check.params["file_name"])
            erase = "erase" in request.form
            run = enqueue(current_actor(), self.what.commit, title, check.params | {"check": check.id, "erase": erase})
        return redirect(self.url("show", run_id=run.id))

    def _first_page(self, error: str | None = None, subject: int | None = None):
        what = self.what
        page = self.render_template(
            "xueji/import_upload.html", workbook={"title": what.title, "intro": what.intro},
            columns=[self._described(column) for column in what.columns], template_url=self.url("template"), accept=".xlsx",
            max_bytes=limits().file_bytes, action_url=self.url("upload"), subject_label=what.subject,
            subjects=what.subjects(), subject=subject or request.args.get("subject", type=int) or what.usual(),
            error=error, recent=self._recent(),
        )  # fmt: skip
        return (page, 422) if error else page

    def _page(self, run: JobRun, **facts: Any):
        template = "xueji/import_check.html" if run.kind == self.what.check else "xueji/import_result.html"
        name = f"{run.params['file_name']} · {self._about(run)}"
        return self.render_template(template, workbook={"title": self.what.title}, file_name=name, **facts)

    def _checked(self, run: JobRun):
        if (done := self._import_of(run)) is not None:
            return redirect(self.url("show", run_id=done.id))
        try:
            found = kept_findings(run.params["file"])
        except Refused as gone:
            return self._first_page(str(gone), run.params["subject"])
        figures = run.result
        wrong = {"number": figures["bad_rows"], "label": _("Rows with errors"), "note": "",
                 "icon": "fa-triangle-exclamation", "tone": "bad" if figures["bad_rows"] else "ok"}  # fmt: skip
        language = str(get_locale()).partition("_")[0]
        labels, kinds = {column.name: column.label for column in self.what.columns}, KINDS | dict(self.what.kinds)
        return self._page(
            run,
            counts=[*self._counts(figures), wrong],
            errors=found["errors"][language], errors_total=figures["cells"], notices=found["notices"][language],
            by_reason=[(f"{labels[column]}: {kinds.get(code, code)}", number) for column, code, number in found["kinds"]],
            blanks=[(labels[column], number) for column, number in found["blanks"].items()],
            fixed_url=url_for("JobsView.file", run_id=run.id) if run.file_name else None,
            commit_url=None if figures["bad_rows"] else self.url("commit", run_id=run.id),
            again_url=self.url("upload", subject=run.params["subject"]),
        )  # fmt: skip

    def _imported(self, run: JobRun):
        again = (_("Another file"), self.url("upload", subject=run.params["subject"]), False)
        return self._page(run, counts=self._counts(run.result), next=[*self.after(run.params["subject"]), again])

    def _own_run(self, run_id: int) -> JobRun:
        """One's own check or import. Raises NotFound."""
        run = get(JobRun, run_id)
        if run.kind not in (self.what.check, self.what.commit):
            raise NotFound(_("There is no such record, or it is not one of yours."))
        return run

    def _import_of(self, check: JobRun) -> JobRun | None:
        """The import that followed a check, if it is done or under way: a file is imported once."""
        followed = JobRun.params["check"].as_integer() == check.id
        state = JobRun.state.in_([*UNFINISHED, JobState.DONE])
        return db.session.scalars(select(JobRun).where(JobRun.kind == self.what.commit, followed, state)).first()

    def _about(self, run: JobRun) -> str:
        subject: int = run.params.get("subject", 0)
        return dict(self.what.subjects()).get(subject, str(subject or ""))

    def _described(self, column: Column) -> dict[str, Any]:
        return {"label": column.label, "required": column.must_be_filled, "type": TYPES[column.kind],
                "example": self.what.examples.get(column.name)}  # fmt: skip

    def _counts(self, figures: dict[str, int]) -> list[dict[str, Any]]:
        return [
            {"number": figures[key], "label": label, "note": "", "icon": icon, "tone": tone}
            for key in self.what.figures
            for label, icon, tone in [FIGURES[key]]
        ]

    def _recent(self) -> list[dict[str, Any]]:
        """The reader's last checks and imports, the newest first."""
        mine = select(JobRun).where(JobRun.kind.in_([self.what.check, self.what.commit]))
        return [
            {
                "name": run.title, "when": format_datetime(run.asked_at, "short"), "who": self._about(run),
                "state": run.message or LABELS[JobState(run.state)]
                if run.state == JobState.DONE else LABELS[JobState(run.state)],
                "tone": "bad" if run.result.get("bad_rows") else TONES.get(JobState(run.state), "info"),
                "url": self.url("show", run_id=run.id),
            }
            for run in db.session.scalars(mine.order_by(JobRun.id.desc()).limit(RECENT))
        ]  # fmt: skip
