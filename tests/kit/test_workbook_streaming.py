"""Sheets that the database renders hold the cells that the row writer writes, whatever is in the rows."""

# ruff: noqa: DTZ001 (a moment in Excel has no zone)
import datetime as dt
import random
import zipfile
from decimal import Decimal

import openpyxl
import pytest
import sqlalchemy as sa
from python_calamine import CalamineWorkbook

from app.kit.sensitive import mask
from app.kit.workbook import export
from app.kit.workbook.declare import Column, Workbook
from app.kit.workbook.export import Stopped, read_groups, read_rows, write_workbook, write_zip_per_group
from app.kit.workbook.rendering import NotInSql
from app.kit.workbook.streaming import write_selected, write_selected_zip
from tests.kit.workbook_fixtures import connection, workbook_engine  # noqa: F401 (fixtures)

TABLE = sa.Table(
    "odd_row", sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True), sa.Column("place", sa.String), sa.Column("name", sa.String),
    sa.Column("secret", sa.Text), sa.Column("digits", sa.String), sa.Column("year", sa.SmallInteger),
    sa.Column("big", sa.BigInteger), sa.Column("score", sa.Numeric(12, 3)), sa.Column("born", sa.Date),
    sa.Column("seen", sa.DateTime), sa.Column("present", sa.Boolean), sa.Column("size", sa.Integer),
)  # fmt: skip
COLUMNS = [
    Column("name", "姓名 <&> name"), Column("secret", "证件", "code", needs="all", mask=mask), Column("digits", "编号", "code"),
    Column("year", "年", "integer"), Column("big", "大", "number"), Column("score", "分", "number"), Column("born", "生", "date"),
    Column("seen", "见", "datetime"), Column("present", "在", "boolean"), Column("size", "数"),
]  # fmt: skip
BOOK = Workbook("odd", "花名册: 2026/秋", COLUMNS, group="place")
LETTERS = [*"张三ab 1_x|<>&\"'\\=\t\n\r", "\x01", "\x0b", "\x1f", "\x7f", "\x85", "\xa0", "\u2003", "\u3000", "\u2028", "\ufeff",
           "\ufffe", "\uffff", "𠮷", "😀", "_x0041_", "_x00e9", "_X0041_", "$1", "\\1", "%s", ":a", "''", "{}"]  # fmt: skip
LONG = ["长" * 16384, "a" * 32767, "b" * 32768, "😀" * 16384, "c" * 32766 + "😀", " &" * 20000, "_x0041_" * 5000]


def odd_rows(count: int, seed: int) -> list[dict]:
    dice = random.Random(seed)  # noqa: S311 - the same rows each time

    def maybe(value):
        return None if dice.random() < 0.1 else value

    def some_text():
        return maybe("".join(dice.choices(LETTERS, k=dice.randint(0, 8))))

    rows = [
        {
            "id": number, "place": f"学院{number * 3 // count}<&>", "name": some_text(), "secret": some_text(), "digits": some_text(),
            "year": maybe(dice.randint(-9, 2030)), "size": maybe(dice.randint(-(10**9), 10**9)),
            "big": maybe(dice.choice([0, 10**15 - 1, 10**15, -(10**15), 10**18, dice.randint(-(10**16), 10**16)])),
            "score": maybe(dice.choice([Decimal("NaN"), Decimal("0.500"), Decimal(dice.randint(-(10**12), 10**12)) / 1000])),
            "born": maybe(dt.date(1899, 12, 25) + dt.timedelta(dice.choice([0, 5, 6, 7, 65, 66, 67, dice.randint(0, 60000)]))),
            "seen": maybe(dt.datetime(1899, 12, 30) + dt.timedelta(dice.randint(0, 60000), dice.randint(0, 86399), 123456)),
            "present": maybe(dice.random() < 0.5),
        }
        for number in range(count)
    ]  # fmt: skip
    for row, text in zip(rows, LONG, strict=False):
        row["name"] = text
    return rows


@pytest.fixture
def table(connection):  # noqa: F811 (the fixture)
    TABLE.create(connection)
    connection.execute(TABLE.insert(), odd_rows(400, seed=1))
    return connection


def select():
    return sa.select(TABLE).order_by(TABLE.c.place, TABLE.c.id)


def cells(path):
    """Every cell of every sheet as openpyxl reads it, with its look."""
    book = openpyxl.load_workbook(path)
    return [
        [(cell.coordinate, near(cell.value), cell.data_type, cell.number_format) for row in sheet.rows for cell in row]
        for sheet in book.worksheets
    ]


def near(value):
    """A moment as Excel keeps it: to the millisecond."""
    return value.replace(microsecond=value.microsecond // 1000 * 1000) if isinstance(value, dt.datetime) else value


@pytest.mark.parametrize("granted", [set(), {"all"}])
def test_the_cells_are_those_of_the_row_writer(table, tmp_path, granted):
    count = write_selected(tmp_path / "sql.xlsx", table, select(), BOOK, COLUMNS, granted=granted)
    rows = read_rows(table, select(), COLUMNS)
    assert count == write_workbook(tmp_path / "rows.xlsx", BOOK, COLUMNS, rows, granted=granted) == 400
    mine, theirs = cells(tmp_path / "sql.xlsx"), cells(tmp_path / "rows.xlsx")
    for ours, other in zip(mine[0], theirs[0], strict=True):
        assert ours == other


def test_everything_around_the_rows_is_that_of_the_row_writer(table, tmp_path):
    write_selected(tmp_path / "sql.xlsx", table, select(), BOOK, COLUMNS)
    write_workbook(tmp_path / "rows.xlsx", BOOK, COLUMNS, read_rows(table, select(), COLUMNS))
    with zipfile.ZipFile(tmp_path / "sql.xlsx") as sql, zipfile.ZipFile(tmp_path / "rows.xlsx") as rows:
        assert sql.namelist() == rows.namelist() and sql.testzip() is None
        for name in sql.namelist():
            if name not in ("xl/worksheets/sheet1.xml", "docProps/core.xml"):
                assert sql.read(name) == rows.read(name), name
        ends = [book.read("xl/worksheets/sheet1.xml").partition(b"</sheetData>")[2] for book in (sql, rows)]
        assert ends[0] == ends[1] and b"autoFilter" in ends[0]


def test_rows_beyond_one_sheet_go_on_in_the_next(table, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "CHUNK", 30)
    for most in (100, 130, 399, 400, 401):
        monkeypatch.setattr(export, "ROWS_PER_SHEET", most)
        assert write_selected(tmp_path / "sql.xlsx", table, select(), BOOK, COLUMNS) == 400
        write_workbook(tmp_path / "rows.xlsx", BOOK, COLUMNS, read_rows(table, select(), COLUMNS))
        rows = cells(tmp_path / "rows.xlsx")
        if 400 % most == 0:
            assert len(rows.pop()) == len(COLUMNS)  # the row writer begins a sheet that stays empty
        assert cells(tmp_path / "sql.xlsx") == rows


@pytest.mark.parametrize(
    "columns", [COLUMNS, [Column("place", "学院"), *COLUMNS]], ids=["group apart", "group among them"]
)
def test_one_workbook_a_group(table, tmp_path, monkeypatch, columns):
    monkeypatch.setattr(export, "CHUNK", 30)
    mine = write_selected_zip(tmp_path / "sql.zip", table, select(), BOOK, columns, "place")
    pairs = read_groups(table, select(), columns, "place")
    assert mine == write_zip_per_group(tmp_path / "rows.zip", BOOK, columns, pairs)
    with zipfile.ZipFile(tmp_path / "sql.zip") as sql, zipfile.ZipFile(tmp_path / "rows.zip") as rows:
        assert sql.namelist() == rows.namelist()
        for name in sql.namelist():
            assert cells(sql.open(name)) == cells(rows.open(name))


def test_an_empty_select_is_a_workbook_with_a_header(table, tmp_path):
    assert write_selected(tmp_path / "x.xlsx", table, select().where(sa.false()), BOOK, COLUMNS) == 0
    assert [len(sheet) for sheet in cells(tmp_path / "x.xlsx")] == [len(COLUMNS)]
    assert CalamineWorkbook.from_path(tmp_path / "x.xlsx").get_sheet_by_index(0).to_python()[0][0] == "姓名 <&> name"


def test_what_is_searched_for_is_no_part_of_the_sql(table, tmp_path):
    said = []
    sa.event.listen(table, "before_cursor_execute", lambda *about: said.append(about[2]))
    odd = "'); drop table odd_row; --"
    assert write_selected(tmp_path / "x.xlsx", table, select().where(TABLE.c.name == odd), BOOK, COLUMNS) == 0
    assert said and not any("drop table" in statement for statement in said)


def test_a_column_without_mask_is_refused_without_the_permission(table, tmp_path):
    closed = [Column("secret", "证件", needs="all")]
    with pytest.raises(PermissionError, match="secret"):
        write_selected(tmp_path / "x.xlsx", table, select(), BOOK, closed)
    assert list(tmp_path.iterdir()) == []


def test_what_sql_cannot_say_is_told_before_anything_is_written(table, tmp_path):
    for column in (Column("secret", "证件", needs="all", mask=lambda value: value[:1]), Column("present", "在")):
        with pytest.raises(NotInSql):
            write_selected(tmp_path / "x.xlsx", table, select(), BOOK, [column])
        assert list(tmp_path.iterdir()) == []


def test_a_cancelled_export_leaves_nothing_and_the_connection_is_free(table, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "CHUNK", 30)
    seen: list[int] = []
    with pytest.raises(Stopped):
        write_selected(tmp_path / "x.xlsx", table, select(), BOOK, COLUMNS, on_progress=seen.append,
                       should_stop=lambda: len(seen) == 2)  # fmt: skip
    assert seen == [30, 60]
    assert list(tmp_path.iterdir()) == []
    assert table.scalar(sa.select(sa.func.count()).select_from(TABLE)) == 400


def test_a_select_that_fails_half_way_leaves_what_was_there(table, tmp_path):
    (tmp_path / "x.xlsx").write_text("the last good one")
    failing = sa.select(sa.cast(1 / (300 - TABLE.c.id), sa.String).label("name"))
    with pytest.raises(sa.exc.DataError):
        write_selected(tmp_path / "x.xlsx", table, failing.order_by(TABLE.c.id), BOOK, COLUMNS[:1])
    assert (tmp_path / "x.xlsx").read_text() == "the last good one"
    assert [path.name for path in tmp_path.iterdir()] == ["x.xlsx"]
