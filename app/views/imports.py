"""录取导入 the admissions import: choose the file, see the check, import all rows or none."""

import tempfile
from pathlib import Path
from typing import Any

from flask import jsonify, redirect, request, send_file, url_for
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import format_datetime, get_locale
from flask_babel import gettext as translated
from flask_babel import lazy_gettext as _
from sqlalchemy import select

from app.access import Permission, current_actor
from app.kit import clock
from app.kit.job import UNFINISHED, enqueue
from app.kit.operation import NotFound, Refused, get
from app.kit.screen import Menu
from app.kit.screen.exporting import XLSX, files_folder
from app.kit.upload import keep, kept_findings, limits
from app.kit.workbook import export
from app.kit.workbook.reasons import Unreadable
from app.models import JobRun, JobState, db
from app.views.jobs import LABELS, TONES
from app.workbooks.admissions import CHECK, COLUMNS, IMPORT, TITLE, admissions, examples

RECENT = 8
LONGEST_NAME = 120  # of a file
SPRING = 3  # from this month on, the autumn to come is meant
# What a wrong cell is, in few words, for the count of each kind.
KINDS = {
    "REQUIRED": _("missing"), "INTEGER": _("no number"), "NUMBER": _("no number"), "DATE": _("no clear date"),
    "NUMBER_LOST_DIGITS": _("digits lost"), "DATE_NOT_CODE": _("turned into a date"), "TOO_LONG": _("too long"),
    "PATTERN": _("wrongly written"), "TOO_SMALL": _("too small"), "TOO_LARGE": _("too large"),
    "OVERFLOW": _("too large"), "NOT_FOUND": _("unknown"), "AMBIGUOUS": _("ambiguous"), "DUPLICATE": _("twice in the file"),
    "ID_NUMBER": _("check character wrong"), "ID_BIRTH_DATE": _("disagrees with the birth date"),
    "ID_SEX": _("disagrees with the sex"), "PAST_ADMISSION": _("past admission"),
    "KNOWN_PERSON": _("known with another number"), "AGE": _("age not possible"),
    "NOT_OF_MAJOR": _("not that of the major"), "PLACED": _("has a class already"),
}  # fmt: skip
TYPES = {"text": _("text"), "code": _("digits as text"), "date": _("date"), "number": _("number")}


class AdmissionsImportView(BaseView):
    """Three pages of one import. Its state is that of its jobs: a check, then the import that follows it."""

    route_base = "/imports/admissions"
    default_view = "upload"
    menu = Menu(_("Admissions import"), "roster", "fa-file-import")
    base_permissions = ["can_list"]

    @classmethod
    def needs(cls) -> dict[str, Permission]:
        return {"can_list": Permission.ADMISSION_IMPORT, "menu_access": Permission.ADMISSION_IMPORT}

    @expose("/", methods=["GET", "POST"])
    @has_access
    @permission_name("list")
    def upload(self):
        if request.method == "GET":
            self.update_redirect()
            return self._first_page()
        year, file = request.form.get("entry_year", type=int), request.files.get("file")
        if year not in years():
            return self._first_page(translated("Choose the entry year of these freshmen."))
        if file is None or not file.filename:
            return self._first_page(translated("Choose the workbook first."), year)
        try:
            name = keep(file.stream)
        except Unreadable as fault:
            return self._first_page(fault.message, year)
        shown = file.filename[-LONGEST_NAME:]
        title = translated("Check of %(file)s", file=shown)
        run = enqueue(current_actor(), CHECK, title, {
            "file": name, "file_name": shown, "entry_year": year, "pages": url_for("AdmissionsImportView.upload"),
            "returned_name": translated("%(file)s with reasons.xlsx", file=Path(shown).stem),
        })  # fmt: skip
        return redirect(url_for("AdmissionsImportView.show", run_id=run.id))

    @expose("/template")
    @has_access
    @permission_name("list")
    def template(self):
        """An empty workbook with the columns."""
        book = admissions(current_actor(), default_year())
        with tempfile.TemporaryDirectory(dir=files_folder()) as folder:
            path = Path(folder) / "template.xlsx"
            export.write_workbook(path, book, COLUMNS, [])
            return send_file(path.open("rb"), XLSX, as_attachment=True, download_name=f"{book.title}.xlsx")

    @expose("/<int:run_id>")
    @has_access
    @permission_name("list")
    def show(self, run_id: int):
        run = own_run(run_id)
        if run.state in UNFINISHED:
            return self._page(run, poll_url=url_for("AdmissionsImportView.state", run_id=run.id),
                              done=run.done, total=run.total, message=LABELS[JobState(run.state)])  # fmt: skip
        if run.state != JobState.DONE:
            nothing = translated("This was stopped; nothing was saved.")
            return self._first_page(run.message or nothing, run.params["entry_year"])
        return self._checked(run) if run.kind == CHECK else self._imported(run)

    @expose("/<int:run_id>/state")
    @has_access
    @permission_name("list")
    def state(self, run_id: int):
        run = own_run(run_id)
        ended = run.state not in UNFINISHED
        url = url_for("AdmissionsImportView.show", run_id=run.id) if ended else None
        # A failed check has a page of its own, with the reason: for the page that waits, that is an end like any other.
        state = JobState.DONE if ended else run.state
        return jsonify(state=state, done=run.done, total=run.total, message=str(LABELS[JobState(run.state)]), url=url)

    @expose("/<int:run_id>/commit", methods=["POST"])
    @has_access
    @permission_name("list")
    def commit(self, run_id: int):
        check = get(JobRun, run_id, lock=True)
        if check.kind != CHECK or check.state != JobState.DONE or check.result["bad_rows"]:
            raise Refused(_("Only a file that was checked without an error can be imported. Choose it again."))
        run = import_of(check)
        if run is None:
            title = translated("Import of %(file)s", file=check.params["file_name"])
            run = enqueue(current_actor(), IMPORT, title, check.params | {"check": check.id})
        return redirect(url_for("AdmissionsImportView.show", run_id=run.id))

    def _first_page(self, error: str | None = None, year: int | None = None):
        page = self.render_template(
            "xueji/import_upload.html",
            workbook={"title": TITLE, "intro": _("The list of admitted freshmen, one row each. Who is on it already is"
                                                 " brought up to date; who is past admission is not touched.")},
            columns=[described(column) for column in COLUMNS],
            template_url=url_for("AdmissionsImportView.template"), accept=".xlsx", max_bytes=limits().file_bytes,
            action_url=url_for("AdmissionsImportView.upload"), years=years(), year=year or default_year(),
            error=error, recent=recent(),
        )  # fmt: skip
        return (page, 422) if error else page

    def _page(self, run: JobRun, **facts: Any):
        template = "xueji/import_check.html" if run.kind == CHECK else "xueji/import_result.html"
        name = f"{run.params['file_name']} · {run.params['entry_year']}"
        return self.render_template(template, workbook={"title": TITLE}, file_name=name, **facts)

    def _checked(self, run: JobRun):
        if (done := import_of(run)) is not None:
            return redirect(url_for("AdmissionsImportView.show", run_id=done.id))
        try:
            found = kept_findings(run.params["file"])
        except Refused as gone:
            return self._first_page(str(gone), run.params["entry_year"])
        figures = run.result
        wrong = {"number": figures["bad_rows"], "label": _("Rows with errors"), "note": "",
                 "icon": "fa-triangle-exclamation", "tone": "bad" if figures["bad_rows"] else "ok"}  # fmt: skip
        language = str(get_locale()).partition("_")[0]
        return self._page(
            run,
            counts=[*counts(figures), wrong],
            errors=found["errors"][language], errors_total=figures["cells"], notices=found["notices"][language],
            by_reason=[(f"{label_of(column)}: {KINDS.get(code, code)}", number) for column, code, number in found["kinds"]],
            fixed_url=url_for("JobsView.file", run_id=run.id) if run.file_name else None,
            commit_url=None if figures["bad_rows"] else url_for("AdmissionsImportView.commit", run_id=run.id),
            again_url=url_for("AdmissionsImportView.upload"),
        )  # fmt: skip

    def _imported(self, run: JobRun):
        students = url_for("StudentScreen.list", _flt_0_entry_year=run.params["entry_year"])
        again = url_for("AdmissionsImportView.upload")
        return self._page(run, counts=counts(run.result), next=[
            (_("Students"), students, True), (_("Another file"), again, False),
        ])  # fmt: skip


def own_run(run_id: int) -> JobRun:
    """One's own check or import. Raises NotFound."""
    run = get(JobRun, run_id)
    if run.kind not in (CHECK, IMPORT):
        raise NotFound(_("There is no such record, or it is not one of yours."))
    return run


def import_of(check: JobRun) -> JobRun | None:
    """The import that followed a check, if it is done or under way: a file is imported once."""
    followed = JobRun.params["check"].as_integer() == check.id
    state = JobRun.state.in_([*UNFINISHED, JobState.DONE])
    return db.session.scalars(select(JobRun).where(JobRun.kind == IMPORT, followed, state)).first()


def default_year() -> int:
    """The autumn that is, or the next one from spring on."""
    today = clock.today()
    return today.year if today.month >= SPRING else today.year - 1


def years() -> list[int]:
    return [default_year() + distance for distance in (1, 0, -1)]


def described(column) -> dict[str, Any]:
    return {"label": column.label, "required": column.must_be_filled, "type": TYPES[column.kind],
            "example": examples().get(column.name)}  # fmt: skip


def label_of(name: str) -> Any:
    return next(column.label for column in COLUMNS if column.name == name)


def counts(figures: dict[str, int]) -> list[dict[str, Any]]:
    shown = [
        ("rows", _("Rows"), "fa-table-list", "info"), ("new", _("New"), "fa-user-plus", "ok"),
        ("changed", _("Changed"), "fa-user-pen", "warn"), ("unchanged", _("Unchanged"), "fa-equals", "muted"),
    ]  # fmt: skip
    return [
        {"number": figures[key], "label": label, "note": "", "icon": icon, "tone": tone}
        for key, label, icon, tone in shown
    ]


def recent() -> list[dict[str, Any]]:
    """The reader's last checks and imports, the newest first."""
    query = select(JobRun).where(JobRun.kind.in_([CHECK, IMPORT])).order_by(JobRun.id.desc()).limit(RECENT)
    return [
        {
            "name": run.title, "when": format_datetime(run.asked_at, "short"),
            "who": translated("entry year %(year)s", year=run.params["entry_year"]),
            "state": run.message or LABELS[JobState(run.state)] if run.state == JobState.DONE else LABELS[JobState(run.state)],
            "tone": "bad" if run.result.get("bad_rows") else TONES.get(JobState(run.state), "info"),
            "url": url_for("AdmissionsImportView.show", run_id=run.id),
        }
        for run in db.session.scalars(query)
    ]  # fmt: skip
