"""FastWorksheet writes the bytes XlsxWriter writes, but never makes anything else of text."""

# ruff: noqa: DTZ001 (a moment in Excel has no zone)
import datetime as dt
import zipfile
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from app.kit.workbook.sheet import FastWorksheet

ASTRAL = "𠮷"  # one character, two UTF-16 units
TEXTS = [
    "plain", "张三", "a & b < c > d", '"quoted"', "bell\x07and\x0bvertical\x1f", "carriage\rreturn", "line\nbreak\ttab",
    "_x0041_", "x_x00ff_y", "_x00zz_", " leading", "trailing ", "\u3000wide\u3000", "\xa0nbsp", "ends\n",
    "\x1fescaped first",
    "=1+1", "{=SUM(A1)}", "+1", "-1", "@SUM(A1)", "http://example.org", "mailto:a@example.org", "internal:Sheet1!A1",
    "0012", "510107200001011234", "1.2E+17", "TRUE", "\ufffe\uffff", ASTRAL, "a" * 32_767, "a" * 32_768,
    ASTRAL * 16_384, "a" + ASTRAL * 16_384, "&" * 40_000,
]  # fmt: skip
NUMBERS = [0, 1, -1, 123456, 999_999_999_999_999, 0.1, 1 / 3, 1e300, -2.5e-10, 1e16, True, Decimal("1.50"),
           Decimal("-7"), Decimal("0.000001")]  # fmt: skip
DATES = [dt.date(1900, 1, 1), dt.date(1900, 2, 28), dt.date(1900, 3, 1), dt.date(2000, 2, 29), dt.date(2026, 9, 1),
         dt.date(9999, 12, 31)]  # fmt: skip
MOMENTS = [dt.datetime(1901, 1, 1, 12, 0), dt.datetime(2026, 9, 1, 23, 59, 59), dt.datetime(2026, 9, 1),
           dt.datetime(2026, 9, 1, 1, 2, 3, 456_789), dt.date(2026, 9, 1)]  # fmt: skip
EMPTY = [None, "", float("nan"), float("inf"), float("-inf"), Decimal("NaN"), Decimal("Infinity")]


def open_book(path: Path):
    book = xlsxwriter.Workbook(path, {"constant_memory": True})
    book.set_properties({"created": dt.datetime(2026, 1, 1)})
    return book


def fast(path: Path, kinds: list[str], rows: list[list]) -> bytes:
    with open_book(path) as book:
        looks = [book.add_format({"num_format": "@", "bold": i % 2}) for i in range(len(kinds))]
        sheet = book.add_worksheet("s", FastWorksheet)
        sheet.write_string(0, 0, "header by a stock call")
        sheet.plan(kinds, looks)
        for number, row in enumerate(rows, 1):
            sheet.append(number, row)
    return whole(path)


def stock(path: Path, method: str, rows: list[list]) -> bytes:
    with open_book(path) as book:
        looks = [book.add_format({"num_format": "@", "bold": i % 2}) for i in range(len(rows[0]))]
        sheet = book.add_worksheet("s")
        sheet.write_string(0, 0, "header by a stock call")
        for number, row in enumerate(rows, 1):
            for index, value in enumerate(row):
                getattr(sheet, method)(number, index, value, looks[index])
    return whole(path)


def whole(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return b"".join(name.encode() + archive.read(name) for name in archive.namelist())


@pytest.mark.parametrize(
    ("kind", "method", "values"),
    [
        ("text", "write_string", TEXTS),
        ("code", "write_string", TEXTS),
        ("number", "write_string", TEXTS),  # a masked number is text
        ("integer", "write_number", NUMBERS),
        ("number", "write_number", NUMBERS),
        ("date", "write_datetime", DATES),
        ("datetime", "write_datetime", MOMENTS),
        ("boolean", "write_boolean", [True, False]),
    ],
)
def test_it_writes_the_bytes_of_the_stock_worksheet(tmp_path, kind, method, values):
    rows = [[value, value] for value in values]
    assert fast(tmp_path / "fast.xlsx", [kind, kind], rows) == stock(tmp_path / "stock.xlsx", method, rows)


def test_marked_and_hidden_rows_are_those_of_the_stock_worksheet(tmp_path):
    def write(name, kind):
        with open_book(tmp_path / name) as book:
            plain, mark = book.add_format({"num_format": "@"}), book.add_format({"bold": True})
            sheet = book.add_worksheet("s", FastWorksheet if kind == "fast" else None)
            if kind == "fast":
                sheet.plan(["text"] * 3, [plain] * 3)
                sheet.append_marked(0, ["a", "b", None], {1: mark, 2: mark})
                sheet.append_hidden(1, ["c", "", "d"])
            else:
                sheet.write_row(0, 0, ["a"], plain)
                sheet.write_row(0, 1, ["b", None], mark)
                sheet.set_row(1, options={"hidden": True})
                sheet.write_string(1, 0, "c", plain)
                sheet.write_string(1, 2, "d", plain)
        return whole(tmp_path / name)

    assert write("fast.xlsx", "fast") == write("stock.xlsx", "stock")


def test_it_leaves_the_cells_empty_that_have_no_value(tmp_path):
    """A stock worksheet raises on NaN and infinity, and writes '' as an empty string."""
    fast(tmp_path / "fast.xlsx", ["number"] * len(EMPTY), [EMPTY, [1] * len(EMPTY)])
    cells = openpyxl.load_workbook(tmp_path / "fast.xlsx").active
    assert [cell.value for cell in cells[2]] == [None] * len(EMPTY)
    assert [cell.value for cell in cells[3]] == [1] * len(EMPTY)


def test_rich_text_markup_stays_the_text_it_is(tmp_path):
    """A stock worksheet passes such a string through as XML: a name could bring markup into the file."""
    markup = "<r><t>1</t></r>"
    assert b"<is><r>" in stock(tmp_path / "stock.xlsx", "write_string", [[markup]])
    fast(tmp_path / "fast.xlsx", ["text"], [[markup]])
    assert openpyxl.load_workbook(tmp_path / "fast.xlsx").active["A2"].value == markup


def test_numbers_that_excel_would_round_are_text(tmp_path):
    long = [2**53 + 1, -(10**15), 510107200001011234, Decimal("1234567890123456.5")]
    fast(tmp_path / "fast.xlsx", ["integer"] * 3 + ["number"], [long])
    cells = openpyxl.load_workbook(tmp_path / "fast.xlsx").active[2]
    assert [cell.value for cell in cells] == [str(value) for value in long]


def test_other_types_in_a_text_column_become_text(tmp_path):
    values = [20260101, 3.0, 2.5, dt.date(2026, 9, 1), dt.datetime(2026, 9, 1, 8, 30), True, Decimal("1.50")]
    fast(tmp_path / "fast.xlsx", ["text"] * len(values), [values])
    cells = openpyxl.load_workbook(tmp_path / "fast.xlsx").active[2]
    assert [cell.value for cell in cells] == [
        "20260101", "3", "2.5", "2026-09-01", "2026-09-01 08:30:00", "True", "1.50"
    ]  # fmt: skip


def test_days_that_excel_does_not_know_are_text(tmp_path):
    fast(tmp_path / "fast.xlsx", ["date", "datetime"], [[dt.date(1899, 12, 31), dt.datetime(1850, 1, 1, 1, 2, 3)]])
    cells = openpyxl.load_workbook(tmp_path / "fast.xlsx").active[2]
    assert [cell.value for cell in cells] == ["1899-12-31", "1850-01-01 01:02:03"]


def test_a_moment_keeps_its_wall_clock_time(tmp_path):
    shanghai = dt.timezone(dt.timedelta(hours=8))
    fast(tmp_path / "fast.xlsx", ["datetime"], [[dt.datetime(2026, 9, 1, 8, 30, tzinfo=shanghai)]])
    with zipfile.ZipFile(tmp_path / "fast.xlsx") as archive:
        assert b"<v>46266.35416666666</v>" in archive.read("xl/worksheets/sheet1.xml")


def test_it_refuses_a_row_that_is_already_written(tmp_path):
    with open_book(tmp_path / "x.xlsx") as book:
        sheet = book.add_worksheet("s", FastWorksheet)
        sheet.plan(["text"], [None])
        sheet.append(5, ["a"])
        with pytest.raises(ValueError, match="Row 3"):
            sheet.append(3, ["b"])
        with pytest.raises(ValueError, match="beyond"):
            sheet.append(1_048_576, ["b"])


def test_it_refuses_a_workbook_that_keeps_everything_in_memory(tmp_path):
    with xlsxwriter.Workbook(tmp_path / "x.xlsx") as book, pytest.raises(ValueError, match="constant_memory"):
        book.add_worksheet("s", FastWorksheet).plan(["text"], [None])
