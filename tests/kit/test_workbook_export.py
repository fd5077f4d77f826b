"""Exports: permission first, then the file as Excel will open it."""

# ruff: noqa: DTZ001 (a moment in Excel has no zone)
import datetime as dt
import zipfile

import openpyxl
import pytest
import sqlalchemy as sa

from app.kit import clock
from app.kit.workbook import export
from app.kit.workbook.declare import BadDeclaration, Column, Workbook, visible
from app.kit.workbook.export import Stopped, read_groups, read_rows, write_workbook, write_zip_per_group
from tests.kit.workbook_fixtures import connection, workbook_engine  # noqa: F401 (fixtures)

ID = Column("id_number", "身份证号", "code", needs="id:read", mask=lambda value: value[:4] + "*" * 10 + value[-4:])
COLUMNS = [
    Column("number", "学号", "code", key=True),
    Column("name", "姓名"),
    ID,
    Column("born", "出生日期", "date"),
    Column("seen", "登录时间", "datetime"),
    Column("credits", "学分", "number"),
    Column("on_campus", "在校", "boolean"),
    Column("note", "备注", needs="note:read"),
]
ROSTER = Workbook("roster", "花名册: 2026/秋", COLUMNS)
ROWS = [
    ["0012", "=1+1", "510107200001011234", dt.date(2000, 1, 1), dt.datetime(2026, 9, 1, 8), 3.5, True, "秘密"],
    ["0013", None, None, None, None, None, False, None],
]
ALL = {"id:read", "note:read"}


def test_a_masked_column_is_masked_without_the_permission(tmp_path):
    chosen = visible(COLUMNS, ())
    write_workbook(tmp_path / "x.xlsx", ROSTER, chosen, [row[:7] for row in ROWS])
    sheet = openpyxl.load_workbook(tmp_path / "x.xlsx").active
    assert sheet["C2"].value == "5101**********1234"
    assert sheet["C3"].value is None
    assert "备注" not in [cell.value for cell in sheet[1]]


def test_a_column_without_mask_is_refused_without_the_permission(tmp_path):
    with pytest.raises(PermissionError, match="note:read"):
        write_workbook(tmp_path / "x.xlsx", ROSTER, COLUMNS, ROWS, granted={"id:read"})
    assert list(tmp_path.iterdir()) == []


def test_a_cancelled_export_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "CHUNK", 2)
    seen = []
    with pytest.raises(Stopped):
        write_workbook(
            tmp_path / "x.xlsx",
            ROSTER,
            COLUMNS,
            ROWS * 4,
            granted=ALL,
            on_progress=seen.append,
            should_stop=lambda: bool(seen),
        )
    assert seen == [2]
    assert list(tmp_path.iterdir()) == []


def test_a_failing_export_keeps_the_file_that_was_there(tmp_path):
    def rows():
        yield ROWS[0]
        raise RuntimeError("connection lost")

    (tmp_path / "x.xlsx").write_text("the last good one")
    with pytest.raises(RuntimeError):
        write_workbook(tmp_path / "x.xlsx", ROSTER, COLUMNS, rows(), granted=ALL)
    assert (tmp_path / "x.xlsx").read_text() == "the last good one"
    assert [path.name for path in tmp_path.iterdir()] == ["x.xlsx"]


def test_what_a_killed_export_left_is_cleared_by_the_next(tmp_path):
    left = tmp_path / ".x.xlsx.part"
    left.mkdir()
    (left / "x.xlsx").write_text("half")
    write_workbook(tmp_path / "x.xlsx", ROSTER, COLUMNS, ROWS, granted=ALL)
    assert [path.name for path in tmp_path.iterdir()] == ["x.xlsx"]


def test_the_cells_are_what_the_rows_hold(tmp_path):
    seen = []
    done = write_workbook(tmp_path / "x.xlsx", ROSTER, COLUMNS, ROWS, granted=ALL, on_progress=seen.append)
    assert done == 2 and seen == [2]
    book = openpyxl.load_workbook(tmp_path / "x.xlsx")
    sheet = book.active
    assert [cell.value for cell in sheet[1]] == [column.label for column in COLUMNS]
    row = sheet[2]
    assert [cell.value for cell in row] == [
        "0012", "=1+1", "510107200001011234", dt.datetime(2000, 1, 1), dt.datetime(2026, 9, 1, 8), 3.5, "Yes", "秘密"
    ]  # fmt: skip
    assert row[1].data_type != "f"
    assert [cell.number_format for cell in row][:5] == ["@", "@", "@", "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"]
    assert (sheet.freeze_panes, sheet.auto_filter.ref, sheet.print_title_rows) == ("A2", "A1:H3", "$1:$1")
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert (sheet.title, book.properties.title) == (
        "花名册 2026秋",
        "花名册: 2026/秋",
    ) or sheet.title == "花名册 2026秋"
    assert not book.properties.creator


def test_no_rows_make_a_workbook_with_its_header(tmp_path):
    assert write_workbook(tmp_path / "x.xlsx", ROSTER, COLUMNS, [], granted=ALL) == 0
    assert openpyxl.load_workbook(tmp_path / "x.xlsx").active.max_row == 1


def test_a_full_sheet_is_followed_by_another(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "ROWS_PER_SHEET", 3)
    write_workbook(tmp_path / "x.xlsx", ROSTER, COLUMNS[:1], [[str(number)] for number in range(7)])
    book = openpyxl.load_workbook(tmp_path / "x.xlsx")
    assert [[cell.value for (cell,) in sheet] for sheet in book] == [
        ["学号", "0", "1", "2"], ["学号", "3", "4", "5"], ["学号", "6"]
    ]  # fmt: skip
    assert book.sheetnames[1].endswith(" 2")


def test_a_zip_holds_one_workbook_a_group(tmp_path):
    pairs = [("文学院", ["1"]), ("文学院", ["2"]), ("a/b", ["3"]), ("A\\B", ["4"])]
    counts = write_zip_per_group(tmp_path / "x.zip", ROSTER, COLUMNS[:1], pairs)
    assert counts == {"文学院": 2, "a/b": 1, "A\\B": 1}
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        written = {dt.datetime(*member.date_time, tzinfo=clock.ZONE) for member in archive.infolist()}
        assert all(abs(clock.now() - one) < dt.timedelta(minutes=5) for one in written)  # by the clock in China
        assert archive.namelist() == ["文学院.xlsx", "a_b.xlsx", "A_B (2).xlsx"]
        with archive.open("文学院.xlsx") as file:
            assert [cell.value for (cell,) in openpyxl.load_workbook(file).active] == ["学号", "1", "2"]


def test_a_group_in_two_places_is_refused(tmp_path):
    with pytest.raises(BadDeclaration, match="'a' come in two places"):
        write_zip_per_group(tmp_path / "x.zip", ROSTER, COLUMNS[:1], [("a", ["1"]), ("b", ["2"]), ("a", ["3"])])
    assert list(tmp_path.iterdir()) == []


def test_rows_stream_from_the_database_in_the_order_of_the_chosen_columns(connection):  # noqa: F811 (the fixture)
    connection.exec_driver_sql("create temp table person (number text, name text, college text)")
    connection.exec_driver_sql("insert into person select i, 'n' || i, 'c' || i %% 2 from generate_series(1, 4100) i")
    person = sa.table("person", sa.column("number"), sa.column("name"), sa.column("college"))
    statement = sa.select(person.c.number, person.c.name, person.c.college).order_by(
        sa.cast(person.c.number, sa.Integer)
    )
    name, number = COLUMNS[1], COLUMNS[0]
    rows = [tuple(row) for row in read_rows(connection, statement, [name, number])]
    assert rows[0] == ("n1", "1") and rows[-1] == ("n4100", "4100") and len(rows) == 4100
    pairs = list(read_groups(connection, statement, [number], "college"))
    assert pairs[0] == ("c0", ["2"]) and pairs[2050] == ("c1", ["1"]) and len(pairs) == 4100


def test_a_column_the_select_lacks_is_named(connection):  # noqa: F811 (the fixture)
    with pytest.raises(BadDeclaration, match="labelled name"):
        list(read_rows(connection, sa.select(sa.literal("1").label("number")), COLUMNS[:2]))
