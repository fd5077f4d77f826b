"""Returned workbook 退回: the file a person sent, with the reasons beside every bad row and the bad cells marked."""

import datetime as dt
import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import xlsxwriter

from .cells import header_key
from .declare import spellings
from .export import DATE_FORMATS, FORMATS, new_book, new_file, print_on_a4, sheet_name
from .guard import DEFAULT_LIMITS, Limits
from .importing import Report
from .read import REASON, Reading, open_upload
from .sheet import FastWorksheet

LOOKED_AT = 50  # rows that decide what a column holds and how wide it is
NARROWEST, WIDEST, REASON_WIDTH = 8, 40, 60
BAD = {"bg_color": "#FFC7CE", "font_color": "#9C0006"}
HEADER = {"num_format": "@", "bold": True, "bg_color": "#E8EEF7", "bottom": 1, "text_wrap": True, "valign": "vcenter"}


def write_returned(target: Path, connection: sa.Connection, report: Report, *, limits: Limits = DEFAULT_LIMITS) -> int:
    """Write the workbook of an import with errors and return its number of bad rows; `target` appears complete or not.

    Every row keeps its number, and the reasons stand in a column before the first. A filter shows the bad rows alone
    until it is lifted; corrected there, the same file can be imported again. Needs the transaction of the report.
    """
    work = report.staged
    # People get back what they sent, whatever they may read of it elsewhere.
    granted = {column.needs for column in work.workbook.columns if column.needs}
    title = str(work.workbook.title)
    with (
        open_upload(work.facts.path, work.workbook, granted=granted, original=True, limits=limits) as reading,
        new_file(target) as (part, folder),
        new_book(part, folder, title) as book,
    ):
        return fill(book, sheet_name(title, 1), reading, bad_rows(connection, report))


def bad_rows(connection: sa.Connection, report: Report) -> Iterator[tuple[int, str, set[str]]]:
    """Number, reasons, and columns of each bad row, in order."""
    for row, errors in itertools.groupby(report.errors(connection), key=lambda error: error.row):
        found = list(errors)
        yield row, " ".join(error.message for error in found), {error.column for error in found}


def fill(book: xlsxwriter.Workbook, name: str, reading: Reading, bad: Iterator[tuple[int, str, set[str]]]) -> int:
    header_row, rows = reading.header.row, reading.rows()
    top = list(itertools.islice(rows, header_row + LOOKED_AT))
    # A workbook that was returned before has its old reasons; they give way to the new ones.
    ours = {header_key(label) for label in spellings(REASON)}
    kept = [index for index, cell in enumerate(top[header_row - 1]) if header_key(cell) not in ours]
    places = {column: kept.index(place) + 1 for column, place in reading.header.places.items()}

    sheet: FastWorksheet = book.add_worksheet(name, FastWorksheet)
    kinds, looks, marks = dress(book, sheet, [[row[index] for index in kept] for row in top[header_row:]])
    bold = book.add_format(HEADER)
    for number, cells in enumerate(top[:header_row], 1):
        texts = [str(REASON) if number == header_row else "", *(str(value_of(cells[index])) for index in kept)]
        for index, text in enumerate(texts):
            if text:
                sheet.write_string(number - 1, index, text, bold if number == header_row else None)
    sheet.plan(kinds, looks)

    count, number = 0, header_row
    following = next(bad, None)
    for number, cells in enumerate(itertools.chain(top[header_row:], rows), header_row + 1):
        values = [value_of(cells[index]) for index in kept]
        if following and following[0] == number:
            _number, reasons, columns = following
            sheet.append_marked(number - 1, [reasons, *values], {places[c]: marks[places[c]] for c in columns})
            count += 1
            following = next(bad, None)
        else:
            sheet.append_hidden(number - 1, ["", *values])
    print_on_a4(sheet, header_row - 1)
    sheet.freeze_panes(header_row, 1)
    sheet.autofilter(header_row - 1, 0, number - 1, len(kept))
    sheet.filter_column(0, "x == NonBlanks")
    return count


def dress(
    book: xlsxwriter.Workbook, sheet: FastWorksheet, sample: Sequence[Sequence[Any]]
) -> tuple[list[str], list[Any], Mapping[int, Any]]:
    """Kind, look, and look when bad of each column, the reasons first; text columns stay text when typed into."""
    columns = list(zip(*sample, strict=True))
    kinds = ["text", *(kind_of(cells) for cells in columns)]
    formats = [{"num_format": DATE_FORMATS.get(kind) or FORMATS[kind], "valign": "top"} for kind in kinds]
    looks = [book.add_format(form) for form in formats]
    looks[0] = book.add_format({**formats[0], "font_color": BAD["font_color"], "text_wrap": True})
    for index, cells in enumerate(columns, 1):
        longest = max((sum(1 + (ord(letter) > 0x2E7F) for letter in str(value_of(cell))) for cell in cells), default=0)
        sheet.set_column(index, index, min(max(longest + 2, NARROWEST), WIDEST), looks[index])
    sheet.set_column(0, 0, REASON_WIDTH, looks[0])
    return kinds, looks, {index: book.add_format({**form, **BAD}) for index, form in enumerate(formats)}


def kind_of(cells: Sequence[Any]) -> str:
    dates = [cell[0] for cell in cells if isinstance(cell, list)]
    if not dates:
        return "text"
    return "datetime" if any("T" in date for date in dates) else "date"


def value_of(cell: Any) -> str | dt.date:
    """A cell as the parsing process gives it: text, or a date's text in a list."""
    if not isinstance(cell, list):
        return cell
    return dt.datetime.fromisoformat(cell[0]) if "T" in cell[0] else dt.date.fromisoformat(cell[0])
