"""Measures workbooks: export and import of 25 columns beside the libraries they stand on, each in its own process."""

import datetime as dt
import json
import re
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import xlsxwriter

from app.kit.workbook.importing import check, commit, stage
from app.kit.workbook.streaming import write_selected
from bench.bed import row
from bench.workbook_data import FOLDER, NAMES, ROOT, ROSTER, UPLOAD, cluster, fill, rows_of

RUNS = 3
ROWS = 100_000
MANY = 1_000_000
Result = dict[str, float]


def peak() -> float:
    """The largest memory this process has had, in MB; getrusage would count that of the process which started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024  # type: ignore[index]  # Linux writes it


def peak_of_children() -> float:
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def export_ours(rows: int) -> Result:
    """From PostgreSQL into a workbook; memory over what the process has when it is idle and connected."""
    with cluster() as database, database.connect() as connection:
        connection.exec_driver_sql("select 1")
        idle, start = peak(), time.perf_counter()
        assert write_selected(FOLDER / "ours.xlsx", connection, rows_of(rows), ROSTER, ROSTER.columns) == rows
        return {"seconds": time.perf_counter() - start, "memory": peak() - idle}


def export_stock(rows: int) -> Result:
    """The same cells, ready in memory, by the stock worksheet."""
    with cluster() as database, database.connect() as connection:
        cells = [tuple(row) for row in connection.execute(rows_of(rows))]
    start = time.perf_counter()
    with xlsxwriter.Workbook(FOLDER / "stock.xlsx", {"constant_memory": True, "tmpdir": str(FOLDER)}) as book:
        write_stock(book, cells)
    return {"seconds": time.perf_counter() - start}


def write_stock(book: xlsxwriter.Workbook, rows: Any) -> None:
    sheet = book.add_worksheet()
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    for index, name in enumerate(NAMES):
        sheet.write_string(0, index, name)
    for number, values in enumerate(rows, 1):
        for index, value in enumerate(values):
            if value.__class__ is str:
                sheet.write_string(number, index, value)
            elif isinstance(value, dt.date):
                sheet.write_datetime(number, index, value, moment if isinstance(value, dt.datetime) else day)
            else:
                sheet.write_number(number, index, value)


def write_upload(rows: int) -> Result:
    """The file to import, as Excel writes it: with shared strings."""
    with cluster() as database, database.connect() as connection, xlsxwriter.Workbook(UPLOAD) as book:
        write_stock(book, connection.execute(rows_of(rows)))
    return {}


def calamine(rows: int) -> Result:
    """The parser alone."""
    from python_calamine import CalamineWorkbook

    start = time.perf_counter()
    with CalamineWorkbook.from_path(UPLOAD) as book:
        assert sum(1 for _row in book.get_sheet_by_index(0).iter_rows()) == rows + 1
    return {"seconds": time.perf_counter() - start, "memory": peak()}


def import_ours(rows: int) -> Result:
    """The whole import: guard, parse, copy, check, save, commit; memory of both processes together."""
    with cluster() as database, database.connect() as connection:
        connection.exec_driver_sql("truncate bench_imported")
        connection.commit()
        idle, start = peak(), time.perf_counter()
        staged = stage(connection, ROSTER, UPLOAD)
        staged_at = time.perf_counter()
        report = check(connection, staged)
        assert (report.new, report.bad_rows) == (rows, 0), report.first[:3]
        checked_at = time.perf_counter()
        commit(connection, report)
        connection.commit()
        end = time.perf_counter()
    return {
        "seconds": end - start,
        "stage": staged_at - start,
        "check": checked_at - staged_at,
        "save": end - checked_at,
        "memory": peak() - idle + peak_of_children(),
    }


def alone(name: str, rows: int) -> Result:
    """Run one measurement in a process of its own."""
    command = [sys.executable, "-m", "bench.workbook", name, str(rows)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True)  # noqa: S603 (ourselves)
    return json.loads(done.stdout)


def by_turns(*names: str) -> list[dict[str, float]]:
    """The medians of several runs, taken by turns, so that a slow moment of the machine touches all of them."""
    runs = [[alone(name, ROWS) for name in names] for _run in range(RUNS)]
    return [{what: statistics.median(run[i][what] for run in runs) for what in runs[0][i]} for i in range(len(names))]


def measure() -> list[dict[str, Any]]:
    """Rows {name, value, bar, unit, holds}; takes about three minutes."""
    with cluster() as database:
        fill(database, ROWS)
        ours, stock = by_turns("export_ours", "export_stock")
        alone("write_upload", ROWS)  # the memory of a process counts in what it starts
        parser, imports = by_turns("calamine", "import_ours")
        fill(database, MANY)
        many = alone("export_ours", MANY)
    return [
        row("export 100,000 × 25: time over stock XlsxWriter", ours["seconds"] / stock["seconds"], "ratio", 0.12),
        row("export 100,000 × 25: time", ours["seconds"], "s"),
        row("export 100,000 × 25: peak memory over idle", ours["memory"], "MB", 80),
        row("export 1,000,000 × 25: time", many["seconds"], "s"),
        row("export 1,000,000 × 25: peak memory over idle", many["memory"], "MB", 80),
        row("import 100,000 × 25: time over calamine", imports["seconds"] / parser["seconds"], "ratio", 2.5),
        row("import 100,000 × 25: time", imports["seconds"], "s"),
        row("import 100,000 × 25: peak memory with the parser", imports["memory"], "MB", 300),
        row("import 100,000 × 25: guard, parse, copy", imports["stage"], "s"),
        row("import 100,000 × 25: check", imports["check"], "s"),
        row("import 100,000 × 25: save", imports["save"], "s"),
        row("calamine alone: time", parser["seconds"], "s"),
        row("calamine alone: peak memory", parser["memory"], "MB"),
    ]


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(globals()[sys.argv[1]](int(sys.argv[2]))))
    else:
        for found in measure():
            bar = "" if found["bar"] is None else f"≤ {found['bar']}"
            verdict = "" if found["holds"] else "does not hold"
            print(f"{found['name']:<50} {found['value']:>9.2f} {found['unit']:<6} {bar:<8} {verdict}")
