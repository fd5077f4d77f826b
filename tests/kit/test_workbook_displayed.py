"""Cells are read as people see them: merged, by their number format, hidden, or with a word for nothing."""

from pathlib import Path

import openpyxl
import pytest

from app.kit.workbook.displayed import PERCENT, telling_format, with_digits
from app.kit.workbook.read import open_upload
from tests.kit.test_workbook_read import ADMISSIONS


def book(path: Path, *rows, change) -> Path:
    made = openpyxl.Workbook()
    made.active.append(["考生号", "姓名", "出生日期", "分数", "备注"])
    for values in rows:
        made.active.append(values)
    change(made.active)
    made.save(path)
    return path


def seen(path: Path) -> tuple[list[list[str]], dict[str, dict]]:
    with open_upload(path, ADMISSIONS) as reading:
        rows = [line.split("\t")[2:] for line in b"".join(reading.chunks()).decode().splitlines()]
        return rows, {notice.code: notice.params for notice in reading.notices if notice.code != "UNKNOWN_COLUMNS"}


def original(path: Path) -> list[list]:
    with open_upload(path, ADMISSIONS, original=True) as reading:
        return list(reading.rows())


def test_a_merged_cell_counts_for_all_its_rows(tmp_path):
    """F09: filled down, and said; not into rows that are empty besides."""
    rows = [["1", "甲", None, 5], ["2", None, None, None], ["3", None, None, None], ["4", "乙", None, 6]]

    def merge(sheet):
        sheet.merge_cells("B2:B4")
        sheet.merge_cells("D2:D3")
        sheet.merge_cells("B5:B900")

    path = book(tmp_path / "x.xlsx", *rows, change=merge)
    assert seen(path) == (
        [["1", "甲", "", "5"], ["2", "甲", "", "5"], ["3", "甲", "", ""], ["4", "乙", "", "6"]],
        {"FILLED": {"columns": "姓名 (2)、分数 (1)"}},
    )
    assert [row[1] for row in original(path)[1:5]] == ["甲", "甲", "甲", "乙"]


def test_zeros_that_the_format_shows_are_kept(tmp_path):
    """F32."""

    def dress(sheet):
        sheet["A2"].number_format, sheet["B2"].number_format = "00000000", '"K"000'
        sheet["D2"].number_format = "00000"

    path = book(tmp_path / "x.xlsx", [12, 7, None, 5], [12, 7, None, 5], change=dress)
    assert seen(path)[0] == [["00000012", "K007", "", "5"], ["12", "7", "", "5"]]
    assert original(path)[1][:2] == ["00000012", "K007"]


def test_percents_are_read_as_they_are_shown_and_said(tmp_path):
    """F27."""

    def dress(sheet):
        sheet["D2"].number_format = "0.00%"

    path = book(tmp_path / "x.xlsx", ["1", "甲", None, 0.865], ["2", "乙", None, 0.865], change=dress)
    rows, told = seen(path)
    assert [row[3] for row in rows] == ["86.5", "0.865"]
    assert told == {"PERCENTS": {"columns": "分数 (1)"}}
    assert [row[3] for row in original(path)[1:]] == ["86.5", "0.865"]


def test_a_percent_as_text_is_read_as_one_by_its_format(tmp_path):
    path = book(tmp_path / "x.xlsx", ["1", "甲", None, "86.50%"], ["2", "乙", None, "７ ％"], ["3", "丙", None, "8"],
                change=lambda _sheet: None)  # fmt: skip
    rows, told = seen(path)
    assert [float(row[3]) for row in rows] == [86.5, 7, 8]
    assert told == {"PERCENTS": {"columns": "分数 (2)"}}


def test_hidden_rows_are_counted(tmp_path):
    """F13."""

    def hide(sheet):
        sheet.row_dimensions[3].hidden = sheet.row_dimensions[4].hidden = sheet.row_dimensions[9].hidden = True

    path = book(tmp_path / "x.xlsx", ["1", "甲"], ["2", "乙"], ["3", "丙"], change=hide)
    rows, told = seen(path)
    assert len(rows) == 3 and told == {"HIDDEN_ROWS": {"first": 3, "count": 2}}


@pytest.mark.parametrize("word", ["NULL", "None", "nan", "/", "无", "-", " — "])
def test_words_for_nothing_are_empty_and_said(tmp_path, word):
    """F33."""
    path = book(tmp_path / "x.xlsx", ["1", word, word, word, word], ["2", "乙", None, 5], change=lambda sheet: None)
    rows, told = seen(path)
    assert rows == [["1", "", "", ""], ["2", "乙", "", "5"]]
    assert told["EMPTIED"] == {
        "columns": "、".join(f"{name} “{word.strip()}” (1)" for name in ("姓名", "出生日期", "分数"))
    }


@pytest.mark.parametrize("name", ["无名", "南null", "-1", "N"])
def test_words_that_only_hold_one_for_nothing_stay(tmp_path, name):
    path = book(tmp_path / "x.xlsx", ["1", name], change=lambda sheet: None)
    assert seen(path) == ([["1", name, "", ""]], {})


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("General", None), ("", None), ("0", None), ("0.00", None), ("#,##0", None), ("yyyy-mm-dd", None), ("@", None),
        ("0.0E+00", None), ("000000", "000000"), ("000000;[Red]-000000", "000000"), ("[$-804]00", "00"),
        ('"K"0', '"K"0'), ("0%", PERCENT), ("0.00%;-0.00%", PERCENT), ('0"%"', '0"%"'),
    ],
)  # fmt: skip
def test_a_format_that_says_more_than_the_number_is_known(code, found):
    assert telling_format(code) == found


@pytest.mark.parametrize(
    ("pattern", "value", "shown"),
    [("000000", 10010.0, "010010"), ("00", 123, "123"), ('"K"000-00', 1234, "K012-34"), ("\\A##00", 7, "A07"),
     ("000", -7, "-007"), ("000", 0, "000")],
)  # fmt: skip
def test_digits_stand_in_the_places_of_the_format(pattern, value, shown):
    assert with_digits(pattern, value) == shown


def test_columns_without_a_header_or_hidden_are_told_of(tmp_path):
    """Empty or merged into its neighbour, beyond the table, hidden by hand: nothing is dropped without a word."""

    def change(sheet):
        sheet["E1"], sheet["E2"], sheet["G3"], sheet["C1"] = None, "说明", "边上", "出生日期"
        sheet.merge_cells("A1:B1")  # which takes the header of the names
        sheet["A1"], sheet["F1"] = "考生号", "姓名"
        sheet.column_dimensions["D"].hidden = True

    path = book(tmp_path / "x.xlsx", ["1", "甲", None, 5], ["2", "乙", None, 6], change=change)
    rows, told = seen(path)
    assert len(rows) == 2
    assert told == {"UNHEADED": {"columns": "B、E、G"}, "HIDDEN_COLUMNS": {"columns": "分数 (D)"}}
    path = book(tmp_path / "y.xlsx", ["1", "甲", None, 5], change=lambda sheet: sheet.__setitem__("H1", " "))
    assert seen(path)[1] == {}


def test_a_hidden_sheet_with_rows_is_told_of_and_our_own_is_not(tmp_path):
    def change(sheet):
        for name in ("去年", "Accepted values", "空"):
            other = sheet.parent.create_sheet(name)
            other.sheet_state = "hidden" if name != "去年" else "veryHidden"
            if name != "空":
                other.append(["考生号", "姓名"])

    assert seen(book(tmp_path / "x.xlsx", ["1", "甲"], change=change))[1] == {"HIDDEN_SHEETS": {"sheets": "去年"}}


@pytest.mark.parametrize("place", range(4))
def test_a_nul_in_any_kind_of_cell_is_a_fault_that_can_be_stored(tmp_path, place):
    """A word processor writes _x0000_; neither the database's text nor its JSON takes the character."""
    cells = ["1", "甲", "2026-09-01", "5"]
    cells[place] += "_x0000_"
    path = book(tmp_path / "x.xlsx", cells, change=lambda sheet: sheet.__setitem__("E1", "备_x0000_注"))
    with open_upload(path, ADMISSIONS) as reading:
        (line,) = b"".join(reading.chunks()).decode().splitlines()
    assert "UNKNOWN_CHARACTER" in line and "U+0000" in line and "\\u0000" not in line and "\x00" not in line
    assert "\x00" not in str(original(path))
