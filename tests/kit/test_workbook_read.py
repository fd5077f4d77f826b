"""Uploads through the parsing process: what is refused, what is understood, what is left alone."""

# ruff: noqa: DTZ001 (a moment in Excel has no zone)
import datetime as dt
import json
import re
from pathlib import Path

import openpyxl
import pytest

from app.kit.workbook import parse, read
from app.kit.workbook.cells import CONVERT, Fault
from app.kit.workbook.declare import BadDeclaration, Column, Workbook
from app.kit.workbook.guard import Limits, SheetFacts, UploadFacts
from app.kit.workbook.parse import column_texts
from app.kit.workbook.read import open_upload
from app.kit.workbook.reasons import Unreadable
from tests.kit.test_workbook_guard import package, row, sheet, text

ADMISSIONS = Workbook(
    "admissions",
    "录取名单",
    [
        Column("exam_no", "考生号", "code", key=True),
        Column("name", "姓名", required=True, aliases=["学生姓名"]),
        Column("born", "出生日期", "date"),
        Column("score", "分数", "number"),
        Column("phone", "手机", "code", needs="phone:write"),
    ],
)


def save(path: Path, *rows, title="录取") -> Path:
    book = openpyxl.Workbook()
    book.active.title = title
    for values in rows:
        book.active.append(values)
    book.save(path)
    return path


def lines(path: Path, workbook=ADMISSIONS, **rest) -> tuple[list[list[str]], object]:
    with open_upload(path, workbook, **rest) as reading:
        told = b"".join(reading.chunks()).decode()
        return [line.split("\t") for line in told.splitlines()], reading.header


def refused(path: Path, workbook=ADMISSIONS, **rest) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        lines(path, workbook, **rest)
    assert "%(" not in caught.value.message
    return caught.value


def test_a_missing_required_column_is_named(tmp_path):
    fault = refused(save(tmp_path / "x.xlsx", ["名单"], ["考生号", "性别"], ["1", "男"]))
    assert fault.code == "MISSING_COLUMNS"
    assert fault.params == {"sheet": "录取", "row": 2, "rows": 10, "columns": "姓名"}


def test_without_any_header_the_expected_one_is_told(tmp_path):
    fault = refused(save(tmp_path / "x.xlsx", ["a", "b"], [1, 2]))
    assert fault.code == "NO_HEADER" and "考生号、姓名" in fault.message


def test_a_header_below_the_tenth_row_is_not_looked_for(tmp_path):
    assert refused(save(tmp_path / "x.xlsx", *[["x"]] * 10, ["考生号", "姓名"], ["1", "张三"])).code == "NO_HEADER"


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([], "NO_SHEET"),
        ([["考生号", "姓名"]], "NO_ROWS"),
        ([["考生号", "姓名"], ["", " "], [None, "\u200b"]], "NO_ROWS"),
        ([["考生号", "姓名", "学生姓名"], ["1", "a", "b"]], "TWICE_IN_HEADER"),
    ],
)
def test_a_sheet_that_cannot_be_rows_is_refused(tmp_path, rows, code):
    assert refused(save(tmp_path / "x.xlsx", *rows)).code == code


def faults(path: Path, **rest) -> dict[int, dict[str, list[str]]]:
    return {int(line[0]): json.loads(line[1]) for line in lines(path, **rest)[0] if line[1]}


def test_formulas_are_faults_of_their_cells(tmp_path):
    path = save(
        tmp_path / "x.xlsx", ["考生号", "姓名", "分数"], ["1", "张三", "=1+1"], ["2", "=B2", 3], ["3", "李四", 4]
    )
    assert faults(path) == {2: {"score": ["FORMULA", ""]}, 3: {"name": ["FORMULA", ""]}}


def test_formulas_above_the_header_and_in_other_columns_do_not_matter(tmp_path):
    path = save(tmp_path / "x.xlsx", ["=TODAY()"], ["考生号", "姓名", "序号"], ["1", "张三", "=ROW()"])
    assert [line[2:] for line in lines(path)[0]] == [["1", "张三"]]


def spelled(cells: str) -> str:
    return sheet(row(1, text("A1", "考生号"), text("B1", "姓名"), text("C1", "分数")), cells)


FORMULA, ERROR = "<c r='C2'><f>1+2</f><v>3</v></c>", '<c r="C3" t="e"><v>#N/A</v></c>'
ROWS = f"""{row(2, text("A2", "1"), text("B2", "甲"), FORMULA)}{row(3, text("A3", "2"), text("B3", "乙"), ERROR)}"""
NAMED = {2: {"score": ["FORMULA", "3"]}, 3: {"score": ["ERROR_CELL", "#N/A"]}}


@pytest.mark.parametrize(
    "respell",
    [
        lambda xml: xml,
        lambda xml: re.sub(r"<(/?)(?=[a-z])", r"<\1x:", xml).replace("xmlns=", "xmlns:x="),
        lambda xml: re.sub(r"""<(c|row) r=['"][A-Z0-9]+['"]""", r"<\1", xml),
        lambda xml: xml.replace('t="e"', "t = 'e'").replace("<f>", "<f\n>"),
        lambda xml: re.sub(r"<c r=(\S+?)( t=\S+?)?>", r"<c\n\2\n r=\1>", xml),
        lambda xml: xml.replace("<v>#N/A</v>", "<v><![CDATA[#N/A]]></v>"),
        lambda xml: xml.replace("<row r", "<!-- <row> --><row r"),
        lambda xml: xml.replace("<f>1+2</f>", '<f t="array" ref="C2:C2">1+2</f>'),
    ],
    ids=["control", "prefixed", "unplaced", "quotes", "lines", "cdata", "comment", "array"],
)
def test_formulas_and_errors_are_seen_however_the_sheet_is_spelled(tmp_path, respell):
    """F01."""
    assert faults(package(tmp_path / "x.xlsx", respell(spelled(ROWS)))) == NAMED


def test_one_formula_for_many_cells_is_seen_in_each(tmp_path):
    cells = row(2, text("A2", "1"), text("B2", "甲"), '<c r="C2"><f t="array" ref="C2:C3">D1</f><v>3</v></c>')
    cells += row(3, text("A3", "2"), text("B3", "乙"), '<c r="C3"><v>4</v></c>')
    assert faults(package(tmp_path / "x.xlsx", spelled(cells))) == {
        2: {"score": ["FORMULA", "3"]},
        3: {"score": ["FORMULA", "4"]},
    }


def test_errors_pasted_as_text_are_errors(tmp_path):
    path = save(tmp_path / "x.xlsx", ["考生号", "姓名", "分数"], ["1", "#N/A", "#REF!"])
    assert faults(path)[2].keys() == {"name", "score"}


def test_a_table_may_begin_in_another_column(tmp_path):
    """F02: cells are those that Excel names; what stands in a column that is not read does not matter."""
    cells = row(2, text("B2", "序号"), text("C2", "考生号"), text("D2", "姓名"), text("E2", "分数"))
    cells += row(
        3, '<c r="B3"><f>ROW()</f><v>1</v></c>', text("C3", "1"), text("D3", "甲"), "<c r='E3' t='e'><v>#N/A</v></c>"
    )
    rows, header = lines(package(tmp_path / "x.xlsx", sheet(cells)))
    assert [(line[0], json.loads(line[1]), *line[2:]) for line in rows] == [
        ("3", {"score": ["ERROR_CELL", "#N/A"]}, "1", "甲", "")
    ]
    assert header.row == 2 and header.cell("score", 3) == "E3"


def test_a_column_without_permission_is_not_read_and_told_of(tmp_path):
    path = save(tmp_path / "x.xlsx", ["考生号", "姓名", "手机", "备注"], ["1", "张三", "13800000000", "x"])
    rows, header = lines(path)
    assert rows == [["2", "", "1", "张三"]]
    assert [notice.code for notice in header.notices] == ["UNKNOWN_COLUMNS", "NOT_PERMITTED"]
    assert "备注" in header.notices[0].message and "手机" in header.notices[1].message
    assert lines(path, granted={"phone:write"})[0] == [["2", "", "1", "张三", "13800000000"]]


def test_a_required_column_without_permission_refuses_the_import(tmp_path):
    closed = Workbook("x", "x", [Column("exam_no", "考生号", "code", key=True, needs="exam:write")])
    assert refused(save(tmp_path / "x.xlsx", ["考生号"], ["1"]), closed).code == "NOT_PERMITTED"


def test_columns_that_go_by_one_name_are_a_wrong_declaration(tmp_path):
    twins = Workbook("x", "x", [Column("a", "号", key=True), Column("b", "名", aliases=["号*"])])
    with pytest.raises(BadDeclaration, match="both go by"):
        lines(save(tmp_path / "x.xlsx", ["号"], ["1"]), twins)


def test_a_parser_that_wants_too_much_memory_dies_alone(tmp_path, monkeypatch):
    # What a guard that was fooled would let pass: the parser wants some hundred gigabytes for this.
    cells = sheet(row(1, text("A1", "考生号")), row(1048576, text("XFD1048576", "b")))
    path = package(tmp_path / "x.xlsx", cells)
    monkeypatch.setattr(read, "check_upload", lambda path, _limits: UploadFacts(path, 1, 1, [SheetFacts("录取")]))
    with (
        pytest.raises(Unreadable, match="TOO_MUCH_MEMORY"),
        open_upload(path, ADMISSIONS, limits=Limits(memory_bytes=1 << 29)),
    ):
        raise AssertionError("not reached")


def test_what_the_guard_refuses_is_refused_whatever_the_parser_makes_of_it(tmp_path):
    cells = sheet(row(1, text("A1", "考生号")), row(1048576, text("XFD1048576", "b")))
    fault = refused(package(tmp_path / "x.xlsx", cells), limits=Limits(memory_bytes=1 << 29))
    assert fault.code == "TOO_MANY_COLUMNS"


def test_a_parser_that_takes_too_long_is_stopped(tmp_path):
    path = save(tmp_path / "x.xlsx", ["考生号", "姓名"], ["1", "张三"])
    with (
        pytest.raises(Unreadable, match="TOO_SLOW"),
        open_upload(path, ADMISSIONS, limits=Limits(seconds=0)),
    ):
        raise AssertionError("not reached")


def test_too_many_rows_are_refused(tmp_path):
    path = save(tmp_path / "x.xlsx", ["考生号", "姓名"], *(["1", "a"] for _row in range(5)))
    assert refused(path, limits=Limits(rows=4)).params["row"] == 6


def test_a_reader_that_gives_up_leaves_no_process(tmp_path):
    path = save(tmp_path / "x.xlsx", ["考生号", "姓名"], *([str(i), "a" * 99] for i in range(20_000)))
    with open_upload(path, ADMISSIONS) as reading:
        next(reading.chunks())
    assert reading.parser.process.returncode is not None


def test_columns_are_known_whatever_their_order_width_and_marks(tmp_path):
    path = save(
        tmp_path / "x.xlsx",
        ["某大学2026年录取名单"],
        [None],
        ["出生日期（必填）", "＊考生号", None, "学 生\n姓名", "Reason"],
        [dt.datetime(2008, 9, 1), "001", None, " 张三 ", "old reason"],
    )
    rows, header = lines(path)
    assert rows == [["4", "", "001", "张三", "2008-09-01"]]
    assert (header.sheet, header.row, header.places) == ("录取", 3, {"born": 0, "exam_no": 1, "name": 3})
    assert header.notices == []


@pytest.mark.parametrize(
    "header",
    ["【必填】考生号", "考生号【必填】", "*考生号", "＊ 考生号：", "考生号 Number", "Number/考生号", "考生号\nExam number", "考生号(14位)",
     "[1] 考生号", "考生号Number"],
)  # fmt: skip
def test_a_header_is_known_beside_marks_notes_and_translations(tmp_path, header):
    """F34."""
    _rows, found = lines(save(tmp_path / "x.xlsx", [header, "姓名"], ["1", "甲"]))
    assert found.places == {"exam_no": 0, "name": 1} and not found.notices


@pytest.mark.parametrize("header", ["考生号Number码", "新考生号", "考生号 姓名", "考生号B"])
def test_a_header_of_another_meaning_is_not_known(tmp_path, header):
    assert refused(save(tmp_path / "x.xlsx", [header, "姓名"], ["1", "甲"])).code == "MISSING_COLUMNS"


def test_headers_that_mean_the_same_are_named_as_they_stand(tmp_path):
    """F11."""
    path = save(tmp_path / "x.xlsx", ["考生号", "姓名", "学生姓名（必填）"], ["1", "a", "b"])
    assert refused(path).params["headers"] == "“姓名” (B1)、“学生姓名（必填）” (C1)"


def test_a_header_in_two_rows_is_read(tmp_path):
    """F10."""
    path = save(tmp_path / "x.xlsx", ["名单"], ["考生号", "基本情况", None], [None, "姓名", "分数"], ["1", "甲", 5])
    rows, header = lines(path)
    assert rows == [["4", "", "1", "甲", "5"]]
    assert (header.row, header.places) == (3, {"exam_no": 0, "name": 1, "score": 2})
    assert [(notice.code, notice.params) for notice in header.notices] == [("TWO_ROWS", {"first": 2, "last": 3})]


def test_the_sheet_with_the_columns_is_found_and_filled_others_are_told_of(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "说明"
    book.active.append(["请勿修改表头"])
    book.create_sheet("空")
    book.create_sheet("名单").append(["考生号", "姓名"])
    book["名单"].append(["1", "张三"])
    hidden = book.create_sheet("隐藏", 0)
    hidden.append(["考生号", "姓名"])
    hidden.sheet_state = "hidden"
    book.save(tmp_path / "x.xlsx")
    rows, header = lines(tmp_path / "x.xlsx")
    assert header.sheet == "名单" and len(rows) == 1
    assert [notice.params for notice in header.notices] == [{"sheet": "名单", "others": "说明"}, {"sheets": "隐藏"}]


def test_text_that_copy_would_stumble_over_arrives_whole(tmp_path):
    path = save(tmp_path / "x.xlsx", ["考生号", "姓名"], ["1", "a\\b\tc\nd\ufeff"], ["2", "\\."], ["3", "\\N"])
    assert [line[3] for line in lines(path)[0]] == ["a\\\\b c d", "\\\\.", "\\\\N"]


def test_a_faulty_cell_is_told_with_what_it_showed(tmp_path):
    path = save(tmp_path / "x.xlsx", ["考生号", "姓名", "出生日期"], [510107200001011234, "张三", "1/2/2026"])
    ((number, faults, *cells),), _header = lines(path)
    assert number == "2" and cells == ["", "张三", ""]
    assert json.loads(faults) == {"exam_no": ["NUMBER_LOST_DIGITS", "5.10107E+17"], "born": ["DATE", "1/2/2026"]}


def test_original_rows_are_every_cell_of_the_sheet(tmp_path):
    path = save(tmp_path / "x.xlsx", ["标题"], ["考生号", "姓名", "备注"], [1.0, " 张三 ", dt.datetime(2026, 9, 1)])
    with open_upload(path, ADMISSIONS, original=True) as reading:
        assert list(reading.rows()) == [["标题", "", ""], ["考生号", "姓名", "备注"], ["1", " 张三 ", ["2026-09-01"]]]


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("code", 5.1e17, "NUMBER_LOST_DIGITS"),
        ("text", 1e15, "NUMBER_LOST_DIGITS"),
        ("code", "5.10107E+17", "NUMBER_LOST_DIGITS"),
        ("text", float("inf"), "NUMBER_LOST_DIGITS"),
        ("code", dt.date(2026, 1, 1), "DATE_NOT_CODE"),
        ("number", 1e15, "NUMBER_LOST_DIGITS"),
        ("integer", 1.5, "INTEGER"),
        ("integer", "a", "INTEGER"),
        ("integer", True, "INTEGER"),
        ("integer", dt.date(2026, 1, 1), "INTEGER"),
        ("number", "1,5", "NUMBER"),
        ("number", "0x1F", "NUMBER"),
        ("number", "95%", "NUMBER"),
        ("number", "NaN", "NUMBER"),
        ("date", "1/2/2026", "DATE"),
        ("date", "2026-13-01", "DATE"),
        ("date", "2026-2-30", "DATE"),
        ("date", 46000.0, "DATE"),
        ("date", "26-9-1", "DATE"),
        ("date", "2026-9/1", "DATE"),
        ("date", "today", "DATE"),
        ("date", "2026-09-01 08:00:00", "DATE"),
        ("date", dt.time(8), "DATE"),
        ("date", "2026年9", "DATE"),
        ("datetime", "2026-09-01 25:00", "DATETIME"),
        ("datetime", "yesterday", "DATETIME"),
        ("boolean", "maybe", "BOOLEAN"),
    ],
)
def test_an_unclear_cell_is_a_fault(kind, value, code):
    with pytest.raises(Fault, match=code):
        CONVERT[kind](value)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("text", 2026.0, "2026"),
        ("text", 3.5, "3.5"),
        ("text", 0.1 + 0.2, "0.3"),
        ("text", " 张 三\u3000", "张 三"),
        ("text", dt.datetime(2026, 9, 1, 8, 30), "2026-09-01 08:30:00"),
        ("code", "５１０ １０７", "510107"),
        ("code", "'0012", "0012"),
        ("code", 20260101.0, "20260101"),
        ("code", "51010720000101123x", "51010720000101123X"),
        ("code", "abx", "abx"),
        ("integer", "１２", "12"),
        ("integer", 7.0, "7"),
        ("integer", "7.0", "7"),
        ("integer", "-3", "-3"),
        ("number", "1.50", "1.50"),
        ("number", 2.5, "2.5"),
        ("number", ".5", ".5"),
        ("date", dt.date(2026, 9, 1), "2026-09-01"),
        ("date", dt.datetime(2026, 9, 1, 8), "2026-09-01"),
        ("date", "2026/9/1", "2026-09-01"),
        ("date", "2026.09.01", "2026-09-01"),
        ("date", "20260901", "2026-09-01"),
        ("date", 20260901.0, "2026-09-01"),
        ("date", "2026-09-01 00:00:00", "2026-09-01"),
        ("date", "2026年9月1日", "2026-09-01"),
        ("date", "2026/9/1 0:00:00", "2026-09-01"),
        ("date", "2026/9/1 0:00", "2026-09-01"),
        ("date", "2026-09-01T00:00:00.000", "2026-09-01"),
        ("datetime", "2026/9/1 0:00", "2026-09-01 00:00:00"),
        ("date", "２０２６－９－１", "2026-09-01"),
        ("datetime", dt.datetime(2026, 9, 1, 8, 30), "2026-09-01 08:30:00"),
        ("datetime", "2026/9/1 8:30", "2026-09-01 08:30:00"),
        ("datetime", "2026-09-01T08:30:05", "2026-09-01 08:30:05"),
        ("datetime", "20260901", "2026-09-01 00:00:00"),
        ("boolean", "是", "true"),
        ("boolean", False, "false"),
        ("boolean", 1.0, "true"),
        ("boolean", "No", "false"),
    ],
)
def test_a_clear_cell_becomes_the_one_text_for_it(kind, value, text):
    assert CONVERT[kind](value) == text


ODDITIES = ["", "x", "00x", " 7", "٣", 7.0, -0.0, 2.5, 1e-7, 1e15, -1e16, float("nan"), float("inf"), True, False]
ODDITIES += [
    dt.date(2026, 9, 1),
    dt.datetime(2026, 9, 1, 8, 30),
    dt.time(8),
    dt.timedelta(1),
    "a\\b",
    "a\tb",
    "\ufeffa",
    "张\u3000三",
    "马\ue863",
    "买•买",
]
ORDINARY = {
    "text": "张三",
    "name": "张三",
    "code": "2026X",
    "integer": 7.0,
    "number": 2.5,
    "date": dt.date(2026, 9, 1),
    "datetime": dt.datetime(2026, 9, 1, 8),
    "boolean": "是",
}


@pytest.mark.parametrize("kind", CONVERT)
@pytest.mark.parametrize("odd", [*ODDITIES, *ORDINARY.values()], ids=repr)
def test_a_column_at_once_is_what_its_cells_are_one_by_one(kind, odd):
    together, one_by_one = {}, {}
    column = (ORDINARY[kind], odd, ORDINARY[kind])
    texts = column_texts(kind, "c", column, together)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(parse.CONVERT_ALL, kind, int)  # raises the TypeError of a column that is not alike
        assert texts == column_texts(kind, "c", column, one_by_one)
    assert together == one_by_one
