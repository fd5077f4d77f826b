"""The workbook that comes back: every cell where it was, reasons beside the bad rows, ready to be sent again."""

# ruff: noqa: DTZ001 (a moment in Excel has no zone)
import datetime as dt

import openpyxl
import pytest

from app.kit.workbook.importing import check, commit, stage
from app.kit.workbook.returned import write_returned
from tests.kit.test_workbook_importing import HEAD, PEOPLE, but, people, tables  # noqa: F401 (fixture)
from tests.kit.test_workbook_read import save
from tests.kit.workbook_fixtures import connection, workbook_engine  # noqa: F401 (fixtures)


@pytest.fixture
def returned(tables, tmp_path):  # noqa: F811 (the fixture)
    """Two bad rows among four, under a title and with a column of the person's own."""
    rows = [
        [*but(), "自"],
        [*but(exam_no="0002", id_number="51010720080101123 4", name=None), dt.datetime(2026, 9, 1, 8, 30)],
        [*but(exam_no="0003", id_number=None, born=dt.date(1949, 1, 1)), "注"],
        [*but(exam_no=4, id_number=510107200801011234), 12.5],
    ]
    path = save(tmp_path / "sent.xlsx", ["录取名单"], [*HEAD, "备注"], *rows)
    report = check(tables, stage(tables, PEOPLE, path))
    assert write_returned(tmp_path / "returned.xlsx", tables, report) == 3
    return tmp_path / "returned.xlsx"


def test_reasons_stand_beside_bad_rows_and_bad_cells_are_marked(returned):
    sheet = openpyxl.load_workbook(returned).active
    assert (sheet["A1"].value, sheet["B1"].value) == (None, "录取名单")
    assert [cell.value for cell in sheet[2]] == ["Reason", *HEAD, "备注"]
    assert sheet["A3"].value is None
    assert "姓名: must be filled in." in sheet["A4"].value and "身份证号: is no valid ID" in sheet["A4"].value
    assert sheet["A5"].value.startswith("出生日期: must not be below 1950-01-01.")
    assert "has lost digits" in sheet["A6"].value
    marked = {cell.coordinate for row in sheet for cell in row if cell.fill.fgColor.rgb == "FFFFC7CE"}
    assert marked == {"C4", "D4", "E5", "B6", "D6"}


def test_cells_come_back_as_they_were_sent(returned):
    sheet = openpyxl.load_workbook(returned).active
    assert [cell.value for cell in sheet[4]][1:5] == ["0002", None, "51010720080101123 4", dt.datetime(2008, 1, 1)]
    assert [sheet.cell(row, 12).value for row in (3, 4, 5, 6)] == ["自", dt.datetime(2026, 9, 1, 8, 30), "注", "12.5"]
    assert sheet["E5"].value == dt.datetime(1949, 1, 1) and sheet["E5"].number_format == "yyyy-mm-dd"
    assert sheet["D6"].value == "5.10107200801011E+17" and sheet["D6"].number_format == "@"


def test_a_filter_shows_the_bad_rows_alone(returned):
    sheet = openpyxl.load_workbook(returned).active
    assert [sheet.row_dimensions[row].hidden for row in range(1, 7)] == [False, False, True, False, False, False]
    assert sheet.auto_filter.ref == "A2:L6" and sheet.freeze_panes == "B3"
    assert len(sheet.auto_filter.filterColumn) == 1


def test_corrected_and_sent_again_it_is_imported(returned, tables, tmp_path):  # noqa: F811 (the fixture)
    book = openpyxl.load_workbook(returned)
    sheet = book.active
    sheet["C4"], sheet["D4"], sheet["E5"], sheet["B6"], sheet["D6"] = "李四", None, "2008/1/1", "0004", None
    book.save(returned)
    staged = stage(tables, PEOPLE, returned)
    assert [notice.code for notice in staged.header.notices] == ["UNKNOWN_COLUMNS"]
    report = check(tables, staged)
    assert report.bad_rows == 0, report.first
    assert commit(tables, report).new == 4
    assert [row.exam_no for row in people(tables)] == ["0001", "0002", "0003", "0004"]


def test_returned_twice_it_carries_the_new_reasons_alone(returned, tables, tmp_path):  # noqa: F811 (the fixture)
    report = check(tables, stage(tables, PEOPLE, returned))
    write_returned(tmp_path / "again.xlsx", tables, report)
    sheet = openpyxl.load_workbook(tmp_path / "again.xlsx").active
    assert [cell.value for cell in sheet[2]] == ["Reason", *HEAD, "备注"]
    assert sheet["A4"].value.startswith("姓名: must be filled in.")
