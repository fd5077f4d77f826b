"""Export 导出: rows of the database into workbooks that open ready to filter and to print."""

import datetime as dt
import itertools
import os
import re
import shutil
import zipfile
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
import xlsxwriter
from flask_babel import lazy_gettext as _

from app.kit import clock

from .declare import BadDeclaration, Column, Workbook
from .sheet import FastWorksheet

CHUNK = 2_000  # rows fetched at once, and between two looks at progress and cancel
ROWS_PER_SHEET = 1_000_000  # Excel's own limit is 1,048,576
FORMATS = {"text": "@", "name": "@", "code": "@", "integer": "0", "number": "General", "boolean": "@"}
DATE_FORMATS = {"date": "yyyy-mm-dd", "datetime": "yyyy-mm-dd hh:mm:ss"}
WIDTHS = {"date": 12, "datetime": 20, "integer": 10, "number": 10, "boolean": 8, "code": 20, "text": 14, "name": 14}
# What columns of these names hold is longer than other texts.
WIDE = {"college": 22, "major": 24, "class_group": 20, "class": 20, "graduated_school": 24, "address": 40, "note": 40}
NOT_IN_SHEET_NAMES = re.compile(r"[\[\]:*?/\\]|^'|'$")
NOT_IN_FILE_NAMES = re.compile(r'[\x00-\x1f<>:"/\\|?*]')
A4 = 9

Progress = Callable[[int], None]
Row = Sequence[Any]
T = TypeVar("T")


class Stopped(Exception):
    """should_stop said so; nothing was left behind."""


def read_rows(connection: sa.Connection, statement: sa.Select, columns: Sequence[Column]) -> Iterator[Row]:
    """Stream the values of these columns, in their order; memory stays at one chunk whatever the number of rows."""
    yield from stream(connection, only(statement, [column.name for column in columns]))


def read_groups(
    connection: sa.Connection, statement: sa.Select, columns: Sequence[Column], group: str
) -> Iterator[tuple[str, Row]]:
    """As read_rows, in pairs of (value of the select's column labelled `group`, row), ordered by it first."""
    wanted = only(ordered_by(statement, group), [group, *(column.name for column in columns)])
    for found, *row in stream(connection, wanted):
        yield found, row


def ordered_by(statement: sa.Select, group: str) -> sa.Select:
    """The select in the order of one of its columns, and within it in its own."""
    order = statement._order_by_clauses  # private, but nothing public tells a select's order
    return statement.order_by(None).order_by(statement.selected_columns[group], *order)


def stream(connection: sa.Connection, statement: sa.Select) -> Iterator[Row]:
    with connection.execute(statement, execution_options={"yield_per": CHUNK}) as result:
        yield from result


def only(statement: sa.Select, names: Sequence[str]) -> sa.Select:
    """The select, of these columns alone."""
    offered = statement.selected_columns
    missing = [name for name in names if name not in offered]
    if missing:
        raise BadDeclaration(f"The workbook's rows select has no column labelled {', '.join(missing)}. Add .label(…).")
    return statement.with_only_columns(*(offered[name] for name in names), maintain_column_froms=True)


def write_workbook(
    target: Path,
    workbook: Workbook,
    columns: Sequence[Column],
    rows: Iterable[Row],
    *,
    granted: Iterable[str] = (),
    on_progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> int:
    """Write one .xlsx and return its number of rows. `target` appears complete or not at all."""
    with new_file(target) as (part, folder):
        count = fill(part, folder, workbook, columns, watched(rows, on_progress, should_stop), granted)
    return count


def write_zip_per_group(
    target: Path,
    workbook: Workbook,
    columns: Sequence[Column],
    rows: Iterable[tuple[str, Row]],
    *,
    granted: Iterable[str] = (),
    on_progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> dict[str, int]:
    """Write one zip with a workbook for each group; rows are (group, row), ordered by group. Returns rows by group."""
    counts: dict[str, int] = {}
    granted = set(granted)
    with new_file(target) as (part, folder), zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        pairs = watched(rows, on_progress, should_stop)
        for group, members in itertools.groupby(pairs, key=lambda pair: pair[0]):
            if group in counts:
                raise BadDeclaration(f"Rows of group {group!r} come in two places. Order them by the group first.")
            one = folder / "group.xlsx"
            counts[group] = fill(one, folder, workbook, columns, (row for _group, row in members), granted)
            put(archive, one, file_name(group, archive.namelist()))
            one.unlink()
    return counts


def put(archive: zipfile.ZipFile, path: Path, name: str) -> None:
    """Add a file to a zip, which knows no zones: with the time of the clock in China."""
    member = zipfile.ZipInfo(name, clock.now().timetuple()[:6])
    member.compress_type, member.external_attr, member.file_size = archive.compression, 0o600 << 16, path.stat().st_size
    with path.open("rb") as file, archive.open(member, "w") as written:
        shutil.copyfileobj(file, written, 1 << 20)


@contextmanager
def new_file(target: Path) -> Generator[tuple[Path, Path]]:
    """A working folder beside the target, and a file in it that becomes the target when all went well.

    Its name follows from the target's, so a job that was killed clears up after itself when it runs again.
    """
    folder = target.with_name(f".{target.name}.part")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    try:
        part = folder / target.name
        yield part, folder
        os.replace(part, target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def watched(rows: Iterable[T], on_progress: Progress | None, should_stop: Callable[[], bool] | None) -> Iterator[T]:
    """The rows, with a look at cancel and a word on progress at every chunk and at the end."""
    done = 0
    for done, row in enumerate(rows, 1):
        yield row
        if done % CHUNK == 0:
            if should_stop and should_stop():
                raise Stopped
            if on_progress:
                on_progress(done)
    if on_progress:
        on_progress(done)


def fill(
    path: Path, folder: Path, workbook: Workbook, columns: Sequence[Column], rows: Iterable[Row], granted: Iterable[str]
) -> int:
    """Write the workbook's sheets into path, which nobody reads yet."""
    with new_book(path, folder, str(workbook.title)) as book:
        looks = [book.add_format({"num_format": number_format(c.kind), "valign": "top"}) for c in columns]
        changes = conversions(columns, set(granted))
        rows = iter(rows)
        total, sheets = 0, 0
        while True:
            sheets += 1
            sheet = add_sheet(book, str(workbook.title), sheets, columns, looks)
            row = 0
            for row, values in enumerate(itertools.islice(rows, ROWS_PER_SHEET), 1):
                if changes:
                    values = list(values)
                    for index, change in changes:
                        if values[index] is not None:
                            values[index] = change(values[index])
                sheet.append(row, values)
            sheet.autofilter(0, 0, row, len(columns) - 1)
            total += row
            if row < ROWS_PER_SHEET:
                return total


def number_format(kind: str) -> str:
    return DATE_FORMATS.get(kind) or FORMATS[kind]


def conversions(columns: Sequence[Column], granted: set[str]) -> list[tuple[int, Callable[[Any], str]]]:
    """By index, what is done to a value before it is written: masks, and words for true and false."""
    yes, no = str(_("Yes")), str(_("No"))
    found: list[tuple[int, Callable[[Any], str]]] = []
    for index, column in enumerate(columns):
        if column.needs is not None and column.needs not in granted:
            if not column.mask:
                raise PermissionError(f"Column {column.name} needs {column.needs}. Choose columns by visible().")
            found.append((index, column.mask))
        elif column.kind == "boolean":
            found.append((index, lambda value: yes if value else no))
    return found


@contextmanager
def new_book(path: Path, folder: Path, title: str) -> Generator[xlsxwriter.Workbook]:
    """A workbook on the fast path whose files are closed even when the writing fails half-way."""
    book = xlsxwriter.Workbook(path, {"constant_memory": True, "use_zip64": True, "tmpdir": str(folder)})
    # The title and the time, and no word on who or which machine made it.
    book.set_properties({"title": title, "created": dt.datetime.now(dt.UTC).replace(tzinfo=None)})
    try:
        yield book
        book.close()
    finally:
        book.fileclosed = True
        for sheet in book.worksheets():
            sheet._opt_close()


def add_sheet(
    book: xlsxwriter.Workbook, title: str, number: int, columns: Sequence[Column], looks: Sequence[Any]
) -> FastWorksheet:
    """A sheet with its header written, frozen, ready to print on A4 across."""
    sheet: FastWorksheet = book.add_worksheet(sheet_name(title, number), FastWorksheet)
    header = book.add_format(
        {"bold": True, "bg_color": "#E8EEF7", "bottom": 1, "text_wrap": True, "valign": "vcenter", "num_format": "@"}
    )
    for index, (column, look) in enumerate(zip(columns, looks, strict=True)):
        label = str(column.label)
        # A Chinese character is as wide as two digits; 3 leaves room for the filter's button.
        usual = WIDE.get(column.name.removeprefix("old_").removeprefix("new_"), WIDTHS[column.kind])
        width = column.width or max(usual, sum(1 + (ord(letter) > 0x2E7F) for letter in label) + 3)
        sheet.set_column(index, index, width, look)
        sheet.write_string(0, index, label, header)
    sheet.plan([column.kind for column in columns], looks)
    print_on_a4(sheet, header_row=0)
    return sheet


def print_on_a4(sheet: FastWorksheet, header_row: int) -> None:
    """Freeze what stands above the rows, and repeat the header on every printed page."""
    sheet.freeze_panes(header_row + 1, 0)
    sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(header_row)
    sheet.set_header("&C&A")
    sheet.set_footer("&C&P / &N")


def sheet_name(title: str, number: int) -> str:
    """A title as Excel takes it for a sheet: at most 31 characters, some not among them."""
    suffix = f" {number}" if number > 1 else ""
    return (NOT_IN_SHEET_NAMES.sub("", title).strip()[: 31 - len(suffix)] or "Sheet") + suffix


def file_name(group: str, taken: Sequence[str]) -> str:
    """A group's name as every system takes it for a file, different from those taken."""
    name = NOT_IN_FILE_NAMES.sub("_", str(group)).strip(" .")[:80] or "_"
    for number in itertools.count(1):
        candidate = f"{name}.xlsx" if number == 1 else f"{name} ({number}).xlsx"
        if candidate.casefold() not in {other.casefold() for other in taken}:
            return candidate
    raise AssertionError("count never ends")
