"""基础数据 reference data: the code sets, settings, departments and time-table of every school, from CSV files."""

import csv
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from app.models import Code, CodeSet, Department, Setting, TaskRule

FOLDER = Path(__file__).parent


def load_reference(connection: Connection) -> None:
    """Bring code sets, settings, departments and the time-table to the edition of the files; repeating it is harmless.

    What the school has edited stays: setting values, departments and rules always, codes until a set's version changes.
    Codes that a new version no longer has stay readable and can no longer be chosen.
    """
    _load_code_sets(connection)
    _load_settings(connection)
    _load_departments(connection)
    _load_task_rules(connection)


def read_table(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a CSV file in UTF-8 as dictionaries."""
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def task_keys() -> set[str]:
    """The keys of the time-table: what the windows of flows are called."""
    return {row["key"] for row in read_table(FOLDER / "task_rules.csv")}


def _load_code_sets(connection: Connection) -> None:
    versions = {key: version for key, version in connection.execute(select(CodeSet.key, CodeSet.version))}
    for row in read_table(FOLDER / "code_sets.csv"):
        key = row["key"]
        codes = [
            {
                "set_key": key, "code": code["code"], "name_zh": code["zh"], "name_en": code["en"],
                "position": position, "national": code["national"] == "yes", "aliases": code["aliases"],
            }
            for position, code in enumerate(read_table(FOLDER / "codes" / f"{key}.csv"), 1)
        ]  # fmt: skip
        if versions.get(key) == row["version"]:
            # Codes from before there were aliases get theirs; whoever empties them on the screen leaves ''.
            statement = insert(Code)
            new = {"aliases": statement.excluded.aliases}
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["set_key", "code"], set_=new, where=Code.aliases.is_(None)
                ),
                codes,
            )
            continue
        gone = Code.set_key == key, Code.code.not_in([code["code"] for code in codes]), Code.valid_until.is_(None)
        connection.execute(Code.__table__.update().where(*gone).values(valid_until=func.current_date()))
        values = {name: row[name] for name in ("key", "version", "source")}
        _upsert(connection, CodeSet, ["key"], [values | {"title_zh": row["zh"], "title_en": row["en"]}])
        _upsert(connection, Code, ["set_key", "code"], codes)


def _load_settings(connection: Connection) -> None:
    rows = [
        {
            "key": row["key"], "kind": row["kind"], "value": row["value"], "title_zh": row["zh"], "title_en": row["en"],
            "note": row["note"] or None,
            "minimum": int(row["minimum"]) if row["minimum"] else None,
            "maximum": int(row["maximum"]) if row["maximum"] else None,
        }
        for row in read_table(FOLDER / "settings.csv")
    ]  # fmt: skip
    _upsert(connection, Setting, ["key"], rows, keep=["value"])


def _load_departments(connection: Connection) -> None:
    rows = [
        {
            "key": row["key"], "name_zh": row["zh"], "name_en": row["en"], "receives": row["receives"].split(),
            "leaving_items": row["leaving_items"].split(),
        }
        for row in read_table(FOLDER / "departments.csv")
    ]  # fmt: skip
    connection.execute(insert(Department).on_conflict_do_nothing(), rows)


def _load_task_rules(connection: Connection) -> None:
    texts = ("requirement_zh", "requirement_en", "note_zh", "note_en")
    rows = [
        {name: row[name] for name in ("key", "opens", "duration", "kind", "flow")}
        | {name: row[name] or None for name in texts}
        | {"title_zh": row["zh"], "title_en": row["en"], "owners": row["owners"].split(), "position": position * 10}
        | {"students": row["students"] == "yes"}
        for position, row in enumerate(read_table(FOLDER / "task_rules.csv"), 1)
    ]
    connection.execute(insert(TaskRule).on_conflict_do_nothing(), rows)


def _upsert(connection: Connection, model: Any, keys: list[str], rows: list[dict], keep: Collection[str] = ()) -> None:
    statement = insert(model)
    changed = {name: statement.excluded[name] for name in rows[0] if name not in keys and name not in keep}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), rows)
