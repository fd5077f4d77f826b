"""Import 导入: check every staged row by set-based SQL, and write all rows or none.

stage, check and commit run in one transaction. What a dry run staged goes with its transaction, and the import proper
reads the file again, against the data of that moment.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from app.models.language import listed

from .declare import Column, Workbook
from .reasons import SaveRefused, sentence
from .rules import literal, longest, look_up, run, skipped
from .staging import Staged, stage
from .statements import blanks, findings, insert, kept, say_accepted, typed, update

__all__ = ["CellError", "Counts", "Report", "Staged", "Typed", "check", "commit", "stage"]

SHOWN = 200  # errors a report carries to be shown; report.errors() gives all


@dataclass(frozen=True)
class CellError:
    row: int
    column: str
    label: str
    value: str
    code: str
    message: str


@dataclass(frozen=True)
class Report:
    """What an import would do. new, changed and unchanged count rows without errors.

    `blanks` counts by column the stored values where the file has a blank cell; they stay unless blanks erase.
    """

    staged: Staged
    rows: int
    new: int
    changed: int
    unchanged: int
    bad_rows: int
    by_code: dict[str, int]
    first: list[CellError]
    blanks: dict[str, int]

    def errors(self, connection: sa.Connection) -> Iterator[CellError]:
        """Every error in the order of rows and columns, streamed."""
        places = ", ".join(f"({literal(name)}, {place})" for name, place in self.staged.header.places.items())
        sql = (
            f"select e.row_no, e.name, e.value, e.code, e.detail from {self.staged.error_table} e"  # noqa: S608 (names of our own)
            f" join (values {places}) p(name, place) using (name) order by e.row_no, p.place, e.code"
        )
        options = {"no_parameters": True, "yield_per": 2_000}
        with connection.exec_driver_sql(sql, execution_options=options) as result:
            for row_no, name, shown, code, detail in result:
                column = self.staged.workbook.column(name)
                message = explain(self.staged.workbook, column, code, detail)
                yield CellError(row_no, name, str(column.label), shown or "", code, message)


@dataclass(frozen=True)
class Counts:
    new: int
    changed: int
    unchanged: int


@dataclass(frozen=True)
class Typed:
    """What a workbook's own `save` gets: a table of all rows, with row_no, a typed column for each of `columns`, and
    change ('new', 'changed' or 'unchanged'; null without a target)."""

    table: str
    columns: list[Column]


def check(connection: sa.Connection, work: Staged, *, erase: bool = False) -> Report:
    """Find every bad cell, and what saving the others would do; the number of statements is that of the columns.

    With `erase`, a blank cell empties what is stored; without it, it keeps it.
    """
    run(
        connection,
        f"create temp table {work.error_table} (row_no integer, name text, code text, value text, detail text)"
        " on commit drop",
    )
    if left_out := skipped(work.workbook, work.columns):
        made = f"create temp table {work.skipped_table} on commit drop as"
        run(connection, f"{made} select * from {work.table} s where {left_out}")  # noqa: S608 (names of our own)
        run(connection, f"delete from {work.table} where row_no in (select row_no from {work.skipped_table})")  # noqa: S608 (names of our own)
    for column in work.columns:
        if column.lookup:
            run(connection, look_up(work.table, column, work.columns))
    for sql in findings(work):
        run(connection, f"insert into {work.error_table} (row_no, name, code, value, detail) {sql}")
    for column in work.columns:
        if column.lookup:
            run(connection, say_accepted(work, column))
    run(connection, f"analyze {work.error_table}")
    counting = blanks(work)
    counted_blanks = run(connection, counting).one() if counting else ()
    run(connection, typed(work, erase))
    changes = {change: count for change, count in run(connection, counted(work.typed_table, "change"))}
    codes = {code: count for code, count in run(connection, counted(work.error_table, "code"))}
    bad_rows = run(connection, f"select count(distinct row_no) from {work.error_table}").scalar_one()  # noqa: S608 (names of our own)
    report = Report(
        work,
        work.rows,
        changes.get("new", 0),
        changes.get("changed", 0),
        changes.get("unchanged", 0),
        bad_rows,
        codes,
        [],
        {name: count for name, count in zip(kept(work), counted_blanks, strict=True) if count},
    )
    for error in report.errors(connection):
        report.first.append(error)
        if len(report.first) == SHOWN:
            break
    return report


def counted(table: str, column: str) -> str:
    return f"select {column}, count(*) from {table} group by {column} order by {column}"  # noqa: S608 (names of our own)


def commit(connection: sa.Connection, report: Report) -> Counts:
    """Write all rows or none; the caller's transaction makes it last. Raises SaveRefused."""
    if report.bad_rows:
        raise SaveRefused("HAS_ERRORS", count=report.bad_rows)
    work = report.staged
    try:
        with connection.begin_nested():
            if work.workbook.save:
                work.workbook.save(connection, Typed(work.typed_table, work.columns))
                return Counts(report.new, report.changed, report.unchanged)
            run(connection, insert(work))
            if report.changed and run(connection, update(work)).rowcount != report.changed:
                raise SaveRefused("NOT_WRITTEN")
            return Counts(report.new, report.changed, report.unchanged)
    except sa.exc.DBAPIError as fault:
        raise refused(fault) from fault


def refused(fault: sa.exc.DBAPIError) -> Exception:
    """The database's refusal in words; what is no refusal stays what it is."""
    state = getattr(fault.orig, "sqlstate", None) or ""
    rule = getattr(getattr(fault.orig, "diag", None), "constraint_name", None) or state
    if state == "42501":
        return SaveRefused("OUT_OF_SCOPE")
    if state == "23505":
        return SaveRefused("TAKEN", rule=rule)
    if state in ("40001", "40P01", "55P03"):
        return SaveRefused("CHANGED_MEANWHILE")
    if state.startswith(("22", "23")):
        return SaveRefused("CONSTRAINT", rule=rule)
    return fault


def explain(workbook: Workbook, column: Column, code: str, detail: str | None) -> str:
    """What is wrong with a cell, in the language of the reader."""
    for rule in workbook.rules:
        if rule.message and (rule.column, rule.code) == (column.name, code):
            return f"{column.label}: {rule.message}"
    params = {
        "label": column.label,
        "limit": longest(workbook, column),
        "hint": column.hint,
        "choices": listed(column.choices),
        "minimum": column.minimum,
        "maximum": column.maximum,
        "detail": detail,
    }
    return sentence("cell", "NOT_AMONG" if code == "NOT_FOUND" and detail else code, params)
