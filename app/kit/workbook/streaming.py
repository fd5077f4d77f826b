"""Streaming 写出: workbooks whose rows the database renders; XlsxWriter makes all around them, and Python only deflates."""

import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from isal import isal_zlib

from . import export
from .declare import Column, Workbook
from .export import Progress, Stopped, add_sheet, file_name, new_book, new_file, number_format, only, ordered_by, put
from .rendering import rendered

SHEET = re.compile(r"xl/worksheets/sheet\d+\.xml")
DIMENSION = re.compile(rb"<dimension [^>]*>")  # it knows of the header alone, and some readers believe it
END_OF_ROWS = b"</sheetData>"
WHOLE_PLAN = sa.text("set local cursor_tuple_fraction = 1")  # every row is wanted, not the first ones soon
RAW_DEFLATE = -15
Lines = list[str]  # rows as XML


class Watch:
    """Looks at cancel, and says how many rows are written, at every chunk."""

    def __init__(self, on_progress: Progress | None, should_stop: Callable[[], bool] | None) -> None:
        self.on_progress, self.should_stop, self.done = on_progress, should_stop, 0

    def over(self, chunks: Iterable[Lines]) -> Iterator[Lines]:
        for lines in chunks:
            yield lines
            self.done += len(lines)
            if self.should_stop and self.should_stop():
                raise Stopped
            if self.on_progress:
                self.on_progress(self.done)


def write_selected(
    target: Path, connection: sa.Connection, statement: sa.Select, workbook: Workbook, columns: Sequence[Column], *,
    granted: Iterable[str] = (), on_progress: Progress | None = None, should_stop: Callable[[], bool] | None = None,
) -> int:  # fmt: skip
    """As write_workbook, of the rows of a select in the caller's transaction, so of those that the reader may see.

    Raises NotInSql before anything is written.
    """
    wanted = only(statement, [column.name for column in columns])
    watch = Watch(on_progress, should_stop)
    with new_file(target) as (part, folder):
        total = connection.scalar(sa.select(sa.func.count()).select_from(wanted.order_by(None).subquery())) or 0
        frame, styles = make_frame(folder, workbook, columns, total)
        xml = rendered(wanted, columns, styles, set(granted), rows_per_sheet=export.ROWS_PER_SHEET)
        fill_frame(part, frame, watch.over([row[0] for row in rows] for rows in ahead(connection, xml)))
    return watch.done


def write_selected_zip(
    target: Path, connection: sa.Connection, statement: sa.Select, workbook: Workbook, columns: Sequence[Column],
    group: str, *, granted: Iterable[str] = (), on_progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> dict[str, int]:  # fmt: skip
    """As write_zip_per_group, of the rows of a select with a column labelled `group`. Returns rows by group."""
    names = dict.fromkeys([group, *(column.name for column in columns)])  # the group may be one of the columns
    wanted = only(ordered_by(statement, group), [*names])
    counted = wanted.order_by(None).subquery().c[group]
    watch, counts = Watch(on_progress, should_stop), dict[str, int]()
    with new_file(target) as (part, folder), zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        totals = {
            name: rows for name, rows in connection.execute(sa.select(counted, sa.func.count()).group_by(counted))
        }
        _frame, styles = make_frame(folder, workbook, columns, 0)
        xml = rendered(wanted, columns, styles, set(granted), rows_per_sheet=export.ROWS_PER_SHEET, group=group)
        one = folder / "group.xlsx"
        for name, members in groupby(pieces(ahead(connection, xml)), key=lambda piece: piece[0]):
            frame, _styles = make_frame(folder, workbook, columns, totals.get(name, 0))
            before = watch.done
            fill_frame(one, frame, watch.over(lines for _name, lines in members))
            counts[name] = watch.done - before
            put(archive, one, file_name(name, archive.namelist()))
            one.unlink()
    return counts


def pieces(chunks: Iterable[Sequence[Any]]) -> Iterator[tuple[str, Lines]]:
    """Chunks of pairs (group, row), cut where the group changes."""
    for pairs in chunks:
        for group, members in groupby(pairs, key=lambda pair: pair[0]):
            yield group, [xml for _group, xml in members]


def ahead(connection: sa.Connection, statement: sa.Select) -> Iterator[Sequence[sa.Row]]:
    """The rows in chunks. While one is deflated the database makes the next: nothing else uses the connection then."""
    connection.execute(WHOLE_PLAN)
    with (
        ThreadPoolExecutor(1) as pool,
        connection.execute(statement, execution_options={"yield_per": export.CHUNK}) as result,
    ):
        chunks = result.partitions()
        coming = pool.submit(next, chunks, None)
        try:
            while rows := coming.result():
                coming = pool.submit(next, chunks, None)
                yield rows
        finally:
            coming.exception()  # the cursor is closed by one thread, when the other has left it


def make_frame(folder: Path, workbook: Workbook, columns: Sequence[Column], rows: int) -> tuple[Path, list[str]]:
    """A workbook with as many sheets as these rows take, all as they will be but empty; and the styles of its columns."""
    path, title = folder / "frame.xlsx", str(workbook.title)
    with new_book(path, folder, title) as book:
        looks = [book.add_format({"num_format": number_format(one.kind), "valign": "top"}) for one in columns]
        number, most = 0, export.ROWS_PER_SHEET
        while number == 0 or number * most < rows:
            number += 1
            sheet = add_sheet(book, title, number, columns, looks)
            sheet.autofilter(0, 0, min(rows - (number - 1) * most, most), len(columns) - 1)
        styles = sheet.styles
    return path, styles


def fill_frame(target: Path, frame: Path, chunks: Iterator[Lines]) -> None:
    """Write the frame anew with the rows in its sheets."""
    left: Lines = []
    with zipfile.ZipFile(frame) as made, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as book:
        for name in made.namelist():
            if not SHEET.fullmatch(name):
                book.writestr(name, made.read(name))
                continue
            head, tail = made.read(name).split(END_OF_ROWS)
            with book.open(name, "w", force_zip64=True) as sheet:
                # private: zipfile offers no other way to a faster deflate; a test looks at what it makes
                sheet._compressor = isal_zlib.compressobj(1, isal_zlib.DEFLATED, RAW_DEFLATE)  # type: ignore[attr-defined]
                sheet.write(DIMENSION.sub(b"", head))
                room = export.ROWS_PER_SHEET
                while room and (lines := left or next(chunks, [])):
                    sheet.write("".join(lines[:room]).encode())
                    left, room = lines[room:], room - len(lines[:room])
                sheet.write(END_OF_ROWS + tail)
        if left or next(chunks, []):
            raise RuntimeError("rows were added while they were written")  # a job is tried again
