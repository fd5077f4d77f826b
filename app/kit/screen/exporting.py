"""导出 export of a list: all rows that match its filter, through the workbook kit; at once when few, else as a job."""

import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from flask import abort, current_app, flash, redirect, request, send_file, url_for
from flask_appbuilder import expose
from flask_appbuilder.models.filters import Filters
from flask_appbuilder.security.decorators import has_access
from flask_babel import format_decimal
from flask_babel import lazy_gettext as _
from sqlalchemy import Select, func, select
from werkzeug.datastructures import MultiDict

from app.access import Actor, Permission, current_actor
from app.kit import clock
from app.kit.jobs.job import JobResult, RunningJob, Stopped, enqueue
from app.kit.operation import NotAllowed, audit
from app.kit.screen.filters import QuickFilter
from app.kit.screen.listed import list_workbook
from app.kit.workbook import export
from app.kit.workbook.declare import Column, Workbook, visible
from app.kit.workbook.rendering import NotInSql
from app.kit.workbook.streaming import write_selected, write_selected_zip
from app.models import db, setting_int
from app.models.text import clean

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FILTER_NAME = re.compile(r"_flt_(\d)_(\w+)")
EXPORT = "export"  # the kind of the job


class ExportsLists:
    """Mixin of a screen: the page to choose columns on, and the file or job. Without `workbooks` it is the list itself."""

    datamodel: Any  # these three are the screen's
    search_columns: list[str]
    order_columns: list[str]
    _base_filters: Any
    workbooks: ClassVar[list[Workbook]] = []
    exports: ClassVar[Permission | None] = None  # what an export needs; none: what reading does
    quick: ClassVar[tuple[str, ...]] = ()  # columns of the search box
    more_columns: ClassVar[list[str]] = []  # columns that a reader may add to the list
    masked: ClassVar[dict[str, Permission]] = {}

    @classmethod
    def offer(cls, book: Workbook, needs: Permission) -> None:
        """Let the screen export to a workbook that is declared elsewhere; before the screen is added."""
        cls.workbooks, cls.exports = [*cls.workbooks, book], needs

    @expose("/export/<key>", methods=["GET", "POST"])
    @has_access
    def export(self, key: str):
        book = self.workbook(key)
        actor = current_actor()
        offered = visible(book.columns, actor.permissions)
        if request.method == "GET":
            count = self.count_all(request.args)
            return self.render_template(  # type: ignore[attr-defined]
                "xueji/export.html", title=book.title, columns=offered, count=count, back_url=self.list_url(),
                grouped=book.group is not None, plain=actor.permissions, as_job=count > setting_int("export_stream_rows"),
            )  # fmt: skip
        names = [column.name for column in offered if column.name in request.form.getlist("columns")]
        params = {
            "screen": type(self).__name__, "workbook": key, "query": request.query_string.decode(), "columns": names,
            "grouped": request.form.get("grouped") == "1" and book.group is not None,
        }  # fmt: skip
        if not names:
            flash(_("Choose at least one column."), "warning")
            return redirect(request.full_path)
        if self.count(request.args) > setting_int("export_stream_rows") or params["grouped"]:
            enqueue(actor, EXPORT, book.title, params)
            db.session.commit()
            flash(_("The export runs in the background. Its file appears here when it is ready."), "info")
            return redirect(url_for("JobsView.list"))
        with tempfile.TemporaryDirectory(dir=files_folder()) as folder:
            path = Path(folder) / "export.xlsx"
            write(self, book, actor, params, path)
            db.session.commit()
            return send_file(
                path.open("rb"), XLSX, as_attachment=True, download_name=f"{book.title} {clock.today()}.xlsx"
            )

    def books(self) -> list[Workbook]:
        return self.workbooks or [list_workbook(self)]

    def workbook(self, key: str) -> Workbook:
        for book in self.books():
            if book.key == key:
                return book
        abort(404)

    def export_links(self) -> list[tuple[Any, str]]:
        """(title, address) of each workbook, for those who may have it."""
        name = type(self).__name__
        if not current_app.extensions["appbuilder"].sm.has_access("can_export", name):
            return []
        asked: dict[str, Any] = request.args.to_dict(flat=False)  # so that the reader comes back to the same rows
        return [(book.title, url_for(f"{name}.export", key=book.key, **asked)) for book in self.books()]

    def filters_of(self, args: MultiDict[str, str]) -> Filters:
        """The filters that a list's address asks for, and the screen's own. Works in a request and in a job alike.

        A condition on a column that is not offered, or of a kind that the column has not, is ignored.
        """
        filters = self.datamodel.get_filters(self.search_columns)
        offered = filters.get_search_filters()
        for name in sorted(set(args)):
            asked = FILTER_NAME.fullmatch(name)
            if asked and int(asked[1]) < len(offered.get(asked[2], [])):
                values = [value for value in args.getlist(name) if value]
                if values:
                    filters.add_filter_index(asked[2], int(asked[1]), values)
        filters = filters.get_joined_filters(self._base_filters)
        text = clean(args.get("q", ""))[:60]
        if text and self.quick:
            filters.add_filter(self.quick[0], QuickFilter, (self.quick, text))
        return filters

    def matching(self, args: MultiDict[str, str]) -> Select:
        """A select of the ids of all rows that a list's address asks for."""
        pk = self.datamodel.get_pk()
        return self.filters_of(args).apply_all(db.session.query(pk)).enable_eagerloads(False).statement

    def in_order_of(self, args: MultiDict[str, str], statement: Select) -> Select:
        """The rows of a workbook in the order in which the list's address shows them; in the workbook's own where in none."""
        name = type(self).__name__
        column, direction = args.get(f"_oc_{name}", ""), args.get(f"_od_{name}", "asc")
        if column not in self.order_columns or column not in self.datamodel.list_columns:
            return statement
        return statement.order_by(None).order_by(*self.datamodel.ordering(column, direction))

    def count(self, args: MultiDict[str, str]) -> int:
        """How many rows match, at most COUNT_CAP + 1."""
        return self.datamodel.query_count(db.session.query(self.datamodel.obj), self.filters_of(args))

    def count_all(self, args: MultiDict[str, str]) -> int:
        """How many rows match, all of them: what an export holds."""
        return db.session.execute(select(func.count()).select_from(self.matching(args).subquery())).scalar_one()

    def list_url(self) -> str:
        return url_for(f"{type(self).__name__}.list", **request.args.to_dict(flat=False))  # type: ignore[arg-type]


def files_folder() -> Path:
    folder = Path(current_app.config["XUEJI_FILES"]) / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write(
    screen: Any,
    book: Workbook,
    actor: Actor,
    params: dict[str, Any],
    path: Path,
    on_progress: Callable[[int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> int:
    """Write the rows that `params` ask for within the actor's scope, audit it, and return how many they are."""
    if book.rows is None:
        raise TypeError(f"workbook {book.key} has no rows to export")
    columns = [column for column in visible(book.columns, actor.permissions) if column.name in params["columns"]]
    asked = MultiDict(query_pairs(params["query"]))
    statement: Select = screen.in_order_of(asked, book.rows(screen.matching(asked)))
    connection, granted = db.session.connection(), actor.permissions
    how: dict[str, Any] = {"granted": granted, "on_progress": on_progress, "should_stop": should_stop}
    if params["grouped"] and book.group:
        try:
            made = write_selected_zip(path, connection, statement, book, columns, book.group, **how)
        except NotInSql:
            pairs = export.read_groups(connection, statement, columns, book.group)
            made = export.write_zip_per_group(path, book, columns, pairs, **how)
        count = sum(made.values())
    elif book.cells:
        count = export.write_workbook(path, book, columns, read_objects(book, statement, columns), **how)
    else:
        try:
            count = write_selected(path, connection, statement, book, columns, **how)
        except NotInSql:
            count = export.write_workbook(path, book, columns, export.read_rows(connection, statement, columns), **how)
    audit(actor, "export", detail=params | {"rows": count, "sensitive": sensitive(columns, actor)})
    return count


def read_objects(book: Workbook, statement: Select, columns: Sequence[Column]) -> Iterator[Sequence[Any]]:
    """As export.read_rows, of a workbook whose rows are objects of a model."""
    assert book.cells is not None
    for row in db.session.scalars(statement.execution_options(yield_per=export.CHUNK)):
        yield book.cells(row, columns)


def query_pairs(query: str) -> Sequence[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=False)


def sensitive(columns: Sequence[Column], actor: Actor) -> list[str]:
    """The columns that went out unmasked although they are masked for others."""
    return [column.name for column in columns if column.needs and column.needs in actor.permissions]


def run_export(run: RunningJob) -> JobResult:
    """The job: the same file, in the background, with progress."""
    screens = current_app.extensions["appbuilder"].baseviews
    screen = next(view for view in screens if type(view).__name__ == run.params["screen"])
    if not run.actor.may(screen.needs()["can_export"]):
        raise NotAllowed(_("Your role may not do this. Ask the roster registry if you should."))
    book = screen.workbook(run.params["workbook"])
    run.progress(0, screen.count_all(MultiDict(query_pairs(run.params["query"]))))
    try:
        count = write(screen, book, run.actor, run.params, run.file, run.progress, run.should_stop)
    except export.Stopped as stopped:
        raise Stopped from stopped
    ending = "zip" if run.params["grouped"] else "xlsx"
    return JobResult(
        _("%(count)s rows", count=format_decimal(count)), {"rows": count}, f"{book.title} {clock.today()}.{ending}"
    )
