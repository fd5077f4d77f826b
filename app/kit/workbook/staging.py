"""Staging 暂存: copy an upload into the database as text.

Staged rows live in temporary tables that go with the transaction: COPY FROM is refused under row security and temporary
tables have none; nobody else can read them; and a killed worker leaves no personal data behind.
"""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from .declare import Column, Workbook
from .export import Stopped
from .guard import DEFAULT_LIMITS, Limits, UploadFacts
from .read import Header, Notice, Reading, open_upload
from .rules import quoted, run


@dataclass(frozen=True)
class Staged:
    """A file in the database as text, until the transaction ends."""

    workbook: Workbook
    facts: UploadFacts
    header: Header
    columns: list[Column]  # those the file has and the person may write
    table: str
    rows: int
    notices: list[Notice]

    @property
    def error_table(self) -> str:
        return f"{self.table}_error"

    @property
    def skipped_table(self) -> str:
        return f"{self.table}_skipped"

    @property
    def typed_table(self) -> str:
        return f"{self.table}_typed"


def stage(
    connection: sa.Connection,
    workbook: Workbook,
    path: Path,
    *,
    granted: Iterable[str] = (),
    limits: Limits = DEFAULT_LIMITS,
    should_stop: Callable[[], bool] | None = None,
) -> Staged:
    """Look the file over, parse it elsewhere, and copy its rows in. Raises Unreadable."""
    table = f"import_{uuid.uuid4().hex[:12]}"
    with connection.begin_nested(), open_upload(path, workbook, granted=granted, limits=limits) as reading:
        columns = [workbook.column(name) for name in reading.names]
        fields = ", ".join(f"{quoted(column.name)} text" for column in columns)
        run(connection, f"create temp table {table} (row_no integer, faults jsonb, {fields}) on commit drop")
        rows = copy(connection, table, reading, should_stop)
    run(connection, f"analyze {table} ({', '.join(quoted(column.name) for column in workbook.keys)})")
    return Staged(workbook, reading.facts, reading.header, columns, table, rows, reading.notices)


def copy(connection: sa.Connection, table: str, reading: Reading, should_stop: Callable[[], bool] | None) -> int:
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:
        # Frozen rows are not written a second time when they are first read.
        with cursor.copy(f"copy {table} from stdin (format text, null '', freeze)") as stream:
            for chunk in reading.chunks():
                if should_stop and should_stop():
                    raise Stopped
                stream.write(chunk)
        return cursor.rowcount
