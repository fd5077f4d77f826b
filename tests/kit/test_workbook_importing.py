"""Imports: what is refused and why, then what is saved, and what is left alone."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.kit.workbook.declare import Column, Lookup, Rule, Target, Workbook
from app.kit.workbook.export import Stopped
from app.kit.workbook.guard import Limits
from app.kit.workbook.importing import check, commit, stage
from app.kit.workbook.reasons import CELL, SaveRefused, Unreadable
from app.kit.workbook.rules import identity_rules
from tests.kit.test_workbook_read import save
from tests.kit.workbook_fixtures import connection, workbook_engine  # noqa: F401 (fixtures)

metadata = sa.MetaData()
college = sa.Table(
    "wb_college",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("code", sa.Text),
    sa.Column("name", sa.Text),
)
major = sa.Table(
    "wb_major",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("college_id", sa.Integer),
    sa.Column("name", sa.Text),
    sa.Column("open", sa.Boolean),
)
person = sa.Table(
    "wb_person",
    metadata,
    sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
    sa.Column("exam_no", sa.String(14), nullable=False, unique=True),
    sa.Column("name", sa.String(10), sa.CheckConstraint("name <> '禁用'", name="name_allowed"), nullable=False),
    sa.Column("id_number", sa.Text, unique=True),
    sa.Column("born", sa.Date),
    sa.Column("sex", sa.Text),
    sa.Column("college_id", sa.Integer),
    sa.Column("major_id", sa.Integer),
    sa.Column("score", sa.Numeric(4, 1)),
    sa.Column("year", sa.SmallInteger),
    sa.Column("local", sa.Boolean),
    sa.Column("origin", sa.Text),
    sa.Column("touched", sa.Integer, server_default="0"),
)
PEOPLE = Workbook(
    "people",
    "录取名单",
    [
        Column("exam_no", "考生号", "code", key=True, pattern=r"\d{4}", hint="四位数字"),
        Column("name", "姓名", required=True),
        Column("id_number", "身份证号", "code", unique=True),
        Column("born", "出生日期", "date", minimum=dt.date(1950, 1, 1)),
        Column("sex", "性别", choices=("男", "女")),
        Column("college", "学院", lookup=Lookup(college.c.id, [college.c.code, college.c.name])),
        Column(
            "major", "专业", lookup=Lookup(major.c.id, [major.c.name], major.c.open, {"college": major.c.college_id})
        ),
        Column("score", "分数", "number", minimum=0, maximum=750),
        Column("year", "年级", "integer"),
        Column("local", "本地", "boolean"),
    ],
    target=Target(
        person,
        columns={"college": "college_id", "major": "major_id"},
        on_insert={"origin": "it's 100% imported"},
        on_change={"touched": sa.literal_column("1 + 1")},
    ),
    rules=[
        *identity_rules("id_number", birth_date="born", sex="sex"),
        Rule("name", "SAME_AS_COLLEGE", "不能与学院同名", "{name} = {college} or {college.value} = 99"),
        Rule("score", "TOO_GOOD", "%d 分以上需复核", r"{score}::numeric > 700 and {name} ~ '^\w{1,2}$'"),
    ],
)
HEAD = ["考生号", "姓名", "身份证号", "出生日期", "性别", "学院", "专业", "分数", "年级", "本地"]
ID = "51010720080101123"


def number(first17: str) -> str:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return first17 + "10X98765432"[sum(int(d) * w for d, w in zip(first17, weights, strict=True)) % 11]


GOOD = ["0001", "张三", number(ID), dt.date(2008, 1, 1), "男", "文学院", "汉语", 620.5, 2026, "是"]


@pytest.fixture
def tables(connection: sa.Connection) -> Iterator[sa.Connection]:  # noqa: F811 (the fixture)
    metadata.create_all(connection)
    connection.execute(
        college.insert(),
        [
            {"id": 1, "code": "01", "name": "文学院"},
            {"id": 2, "code": "02", "name": "理学院"},
            {"id": 3, "code": "03", "name": "理学院"},
        ],
    )
    connection.execute(
        major.insert(),
        [
            {"id": 11, "college_id": 1, "name": "汉语", "open": True},
            {"id": 12, "college_id": 2, "name": "汉语", "open": True},
            {"id": 13, "college_id": 1, "name": "停办", "open": False},
        ],
    )
    yield connection


def report(connection: sa.Connection, path: Path, *rows, head=HEAD, workbook=PEOPLE):  # noqa: F811
    return check(connection, stage(connection, workbook, save(path / "x.xlsx", head, *rows)))


def but(**changes) -> list:
    """The good row, with some cells otherwise."""
    names = [column.name for column in PEOPLE.columns]
    return [changes.get(name, value) for name, value in zip(names, GOOD, strict=True)]


def people(connection: sa.Connection) -> list:  # noqa: F811
    return connection.execute(sa.select(person).order_by(person.c.exam_no)).all()


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"exam_no": None}, {("exam_no", "REQUIRED")}),
        ({"name": "  "}, {("name", "REQUIRED")}),
        ({"exam_no": "12345"}, {("exam_no", "PATTERN")}),
        ({"exam_no": 1e17}, {("exam_no", "NUMBER_LOST_DIGITS")}),
        ({"exam_no": dt.date(2026, 1, 1)}, {("exam_no", "DATE_NOT_CODE")}),
        ({"name": "一" * 11}, {("name", "TOO_LONG")}),
        ({"id_number": 510107200801011234}, {("id_number", "NUMBER_LOST_DIGITS")}),
        ({"id_number": number(ID)[:17] + "Y"}, {("id_number", "ID_NUMBER")}),
        ({"id_number": ID + str((int(number(ID)[17].replace("X", "9")) + 1) % 10)}, {("id_number", "ID_NUMBER")}),
        ({"id_number": number("51010720080230123")}, {("id_number", "ID_NUMBER")}),
        ({"born": dt.date(2008, 1, 2)}, {("id_number", "ID_BIRTH_DATE")}),
        ({"sex": "女"}, {("id_number", "ID_SEX")}),
        ({"sex": "雄"}, {("sex", "CHOICE")}),
        ({"born": "1/1/2008"}, {("born", "DATE")}),
        ({"born": dt.date(1949, 1, 1), "id_number": None}, {("born", "TOO_SMALL")}),
        ({"college": "工学院"}, {("college", "NOT_FOUND")}),
        ({"college": "理学院"}, {("college", "AMBIGUOUS")}),
        ({"major": "数学"}, {("major", "NOT_FOUND")}),
        ({"major": "停办"}, {("major", "NOT_FOUND")}),
        ({"score": "高"}, {("score", "NUMBER")}),
        ({"score": 751}, {("score", "TOO_LARGE"), ("score", "TOO_GOOD")}),
        ({"score": -1}, {("score", "TOO_SMALL")}),
        ({"score": "9" * 39, "name": "张三四"}, {("score", "TOO_LARGE"), ("score", "OVERFLOW")}),
        ({"year": 40000}, {("year", "OVERFLOW")}),
        ({"year": "2026级"}, {("year", "INTEGER")}),
        ({"local": "也许"}, {("local", "BOOLEAN")}),
        ({"name": "文学院"}, {("name", "SAME_AS_COLLEGE")}),
    ],
)
def test_a_bad_cell_is_told_with_place_value_and_reason(tables, tmp_path, changes, found):
    result = report(tables, tmp_path, but(**changes), but(exam_no="0002", id_number=None))
    assert {(error.column, error.code) for error in result.first} == found
    assert {error.row for error in result.first} == {2}
    assert all(error.message.startswith(error.label) and "%(" not in error.message for error in result.first)
    assert (result.rows, result.bad_rows, result.new) == (2, 1, 1)
    with pytest.raises(SaveRefused, match="1 rows have errors"):
        commit(tables, result)
    assert people(tables) == []


def test_the_same_key_or_number_twice_is_told_at_every_row(tables, tmp_path):
    result = report(tables, tmp_path, GOOD, but(exam_no="0002"), but(id_number=None))
    told = [(e.row, e.column, e.code, e.message) for e in result.first]
    assert [entry[:3] for entry in told] == [
        (2, "exam_no", "DUPLICATE"),
        (2, "id_number", "DUPLICATE"),
        (3, "id_number", "DUPLICATE"),
        (4, "exam_no", "DUPLICATE"),
    ]
    assert "rows 2, 4." in told[0][3]


def test_a_number_of_another_record_is_told(tables, tmp_path):
    commit(tables, report(tables, tmp_path, GOOD))
    result = report(tables, tmp_path, but(exam_no="0002"))
    assert [(e.column, e.code) for e in result.first] == [("id_number", "TAKEN")]


def test_errors_are_all_counted_and_the_first_are_shown(tables, tmp_path):
    result = report(tables, tmp_path, *(but(exam_no=f"{i:04}", name=None, id_number=None, sex="x") for i in range(300)))
    assert result.by_code == {"CHOICE": 300, "REQUIRED": 300}
    assert len(result.first) == 200
    everything = list(result.errors(tables))
    assert len(everything) == 600 and everything[:200] == result.first
    assert [(e.row, e.column) for e in everything[:3]] == [(2, "name"), (2, "sex"), (3, "name")]


def test_what_the_database_refuses_is_a_sentence_and_nothing_is_saved(tables, tmp_path):
    result = report(tables, tmp_path, GOOD, but(exam_no="0002", id_number=None, name="禁用"))
    with pytest.raises(SaveRefused, match="name_allowed"):
        commit(tables, result)
    assert people(tables) == []


def test_a_file_that_fails_half_way_leaves_the_transaction_usable(tables, tmp_path):
    path = save(tmp_path / "x.xlsx", HEAD, *(but(exam_no=str(i)) for i in range(2000)))
    with pytest.raises(Unreadable, match="TOO_MANY_ROWS"):
        stage(tables, PEOPLE, path, limits=Limits(rows=1990))
    with pytest.raises(Stopped):
        stage(tables, PEOPLE, path, should_stop=lambda: True)
    assert tables.scalar(sa.text("select count(*) from pg_class where relname like 'import\\_%'")) == 0


def test_a_row_of_another_scope_refuses_the_whole_import(tables, tmp_path):
    """Under a scope role: temporary tables work, hidden rows stay hidden, and nothing is saved."""
    commit(tables, report(tables, tmp_path, GOOD))
    tables.exec_driver_sql("create role wb_college_role nologin")
    tables.exec_driver_sql("grant select, insert, update on wb_person to wb_college_role")
    tables.exec_driver_sql("grant select on wb_college, wb_major to wb_college_role")
    tables.exec_driver_sql("alter table wb_person enable row level security")
    tables.exec_driver_sql("create policy p on wb_person to wb_college_role using (college_id = 2)")
    tables.exec_driver_sql("set local role wb_college_role")
    mine = but(exam_no="0002", id_number=None, college="02")
    result = report(tables, tmp_path, mine, but(name="改名"))
    assert (result.new, result.changed, result.bad_rows) == (2, 0, 0)
    with pytest.raises(SaveRefused, match="OUT_OF_SCOPE"):
        commit(tables, result)
    stranger = report(tables, tmp_path, but(exam_no="0003", college="02"))
    with pytest.raises(SaveRefused, match=r"TAKEN.*wb_person_id_number_key"):
        commit(tables, stranger)
    assert commit(tables, report(tables, tmp_path, mine)).new == 1
    tables.exec_driver_sql("reset role")
    assert [(row.exam_no, row.name, row.college_id) for row in people(tables)] == [
        ("0001", "张三", 1),
        ("0002", "张三", 2),
    ]


def test_a_row_that_may_be_seen_but_not_changed_refuses_the_whole_import(tables, tmp_path):
    commit(tables, report(tables, tmp_path, GOOD))
    tables.exec_driver_sql("create role wb_reader_role nologin")
    tables.exec_driver_sql("grant select, insert, update on wb_person to wb_reader_role")
    tables.exec_driver_sql("grant select on wb_college, wb_major to wb_reader_role")
    tables.exec_driver_sql("alter table wb_person enable row level security")
    tables.exec_driver_sql("create policy r on wb_person for select to wb_reader_role using (true)")
    tables.exec_driver_sql("create policy i on wb_person for insert to wb_reader_role with check (true)")
    tables.exec_driver_sql("set local role wb_reader_role")
    result = report(tables, tmp_path, but(name="改名"), but(exam_no="0002", id_number=None))
    assert (result.new, result.changed) == (1, 1)
    with pytest.raises(SaveRefused, match="NOT_WRITTEN"):
        commit(tables, result)
    assert [row.name for row in people(tables)] == ["张三"]


def test_good_rows_are_saved_typed_and_looked_up(tables, tmp_path):
    other = but(exam_no="0002", id_number=None, college="02", born="2008年1月1日", score=None, local="否")
    result = report(tables, tmp_path, GOOD, other)
    assert (result.rows, result.new, result.changed, result.unchanged, result.bad_rows) == (2, 2, 0, 0, 0)
    counts = commit(tables, result)
    assert (counts.new, counts.changed, counts.unchanged) == (2, 0, 0)
    first, second = people(tables)
    assert (first.exam_no, first.name, first.id_number, first.born) == ("0001", "张三", number(ID), dt.date(2008, 1, 1))
    assert (first.sex, first.college_id, first.major_id, first.year, first.local) == ("男", 1, 11, 2026, True)
    assert (first.origin, first.touched) == ("it's 100% imported", 2)
    assert (float(first.score), second.score, second.college_id, second.major_id, second.local) == (
        620.5,
        None,
        2,
        12,
        False,
    )


def test_the_same_file_again_touches_nothing(tables, tmp_path):
    commit(tables, report(tables, tmp_path, GOOD, but(exam_no="0002", id_number=None)))
    versions = "select array_agg(xmin::text || ctid::text order by id) from wb_person"
    before = tables.exec_driver_sql(versions).scalar()
    result = report(tables, tmp_path, GOOD, but(exam_no="0002", id_number=None))
    assert (result.new, result.changed, result.unchanged) == (0, 0, 2)
    assert commit(tables, result).unchanged == 2
    assert tables.exec_driver_sql(versions).scalar() == before


def test_a_changed_row_is_changed_and_columns_the_file_lacks_keep_their_values(tables, tmp_path):
    commit(tables, report(tables, tmp_path, GOOD, but(exam_no="0002", id_number=None)))
    result = report(tables, tmp_path, ["0001", "李四", None], ["0002", "张三", 620.5], head=["考生号", "姓名", "分数"])
    assert (result.new, result.changed, result.unchanged) == (0, 1, 1)
    counts = commit(tables, result)
    assert (counts.new, counts.changed, counts.unchanged) == (0, 1, 1)
    row = people(tables)[0]
    assert (row.name, row.score, row.id_number, row.year) == ("李四", 620.5, number(ID), 2026)


def test_blank_cells_keep_what_is_stored_and_are_counted_and_erase_when_asked(tables, tmp_path):
    """F37."""
    commit(tables, report(tables, tmp_path, GOOD, but(exam_no="0002", id_number=None, score=None)))
    blank = ["0001", "张三", None, None], ["0002", "张三", None, None], ["0003", "新人", None, None]
    path = save(tmp_path / "blank.xlsx", ["考生号", "姓名", "身份证号", "分数"], *blank)
    kept = check(tables, stage(tables, PEOPLE, path))
    assert kept.blanks == {"id_number": 1, "score": 1}
    assert (kept.new, kept.changed, kept.unchanged) == (1, 0, 2)
    erased = check(tables, stage(tables, PEOPLE, path), erase=True)
    assert (erased.new, erased.changed, erased.unchanged, erased.blanks) == (1, 1, 1, kept.blanks)
    commit(tables, erased)
    row = people(tables)[0]
    assert (row.score, row.id_number, row.year) == (None, None, 2026)


@pytest.mark.parametrize(("erase", "left"), [(False, 5), (True, None)])
def test_blank_cells_keep_what_a_workbook_without_a_target_says_is_stored(tables, tmp_path, erase, left):
    got = []

    def keep(connection, rows):  # noqa: F811
        got.extend(connection.exec_driver_sql(f"select score from {rows.table} order by row_no").scalars())

    columns = [Column("exam_no", "考生号", "code", key=True), Column("score", "分数", "number")]
    stored = {"score": "case {exam_no} when '0001' then 5 end"}
    book = Workbook("s", "s", columns, stored=stored, save=keep)
    path = save(tmp_path / "x.xlsx", ["考生号", "分数"], ["0001", None], ["0002", None], ["0003", 7])
    found = check(tables, stage(tables, book, path), erase=erase)
    assert found.blanks == {"score": 1}
    commit(tables, found)
    assert got == [left, None, 7]


def test_a_workbook_with_save_hands_over_the_typed_rows(tables, tmp_path):
    got = []

    def keep(connection, rows):  # noqa: F811
        got.extend(connection.exec_driver_sql(f"select row_no, exam_no, score, change from {rows.table}").all())

    columns = [Column("exam_no", "考生号", "code", key=True), Column("score", "分数", "number")]
    result = report(
        tables, tmp_path, ["0001", 1.5], head=["考生号", "分数"], workbook=Workbook("s", "s", columns, save=keep)
    )
    commit(tables, result)
    assert [(row_no, exam_no, float(score), change) for row_no, exam_no, score, change in got] == [
        (2, "0001", 1.5, None)
    ]


def test_the_check_of_id_numbers_agrees_with_the_standard(tables):
    rows = tables.exec_driver_sql(
        "select id_number_ok('11010519491231002X'), id_number_ok('440524188001010014'), id_number_ok(''),"
        " id_number_ok('110105194912310021'), id_number_ok('11010519491231002x'), id_number_ok(null)"
    ).one()
    assert tuple(rows) == (True, False, False, False, False, None)
    leap = [number(f"510107{year}0229123") for year in (2000, 2004, 1900, 2001)]
    assert [tables.scalar(sa.select(sa.func.id_number_ok(one))) for one in leap] == [True, True, False, False]


def test_every_code_that_can_be_found_has_its_sentence():
    assert {rule.code for rule in PEOPLE.rules if not rule.message} <= set(CELL)
