"""Rules 校验: what makes a staged row bad, as SQL over the whole set; bad conditions are true only for bad rows."""

# ruff: noqa: S608 (names are quoted and conditions declared in code; what people wrote stays in the tables)
import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from .declare import PLACEHOLDER, Column, Lookup, Rule, Workbook

# Literals are written into the SQL, and nothing is escaped for a driver's placeholders: run() sends it as it stands.
DIALECT = postgresql.dialect(paramstyle="named")
STORED_AS = {"integer": "bigint", "number": "numeric", "date": "date", "datetime": "timestamp", "boolean": "boolean"}
COMPARED_AS = {"integer": "numeric", "number": "numeric", "date": "date", "datetime": "timestamp"}


@dataclass(frozen=True)
class Bad:
    column: str
    code: str
    condition: str


def run(connection: sa.Connection, sql: str) -> sa.CursorResult:
    return connection.exec_driver_sql(sql, execution_options={"no_parameters": True})


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(value: Any, column: sa.Column | None = None) -> str:
    """A Python value or an SQL expression, as SQL."""
    if not isinstance(value, sa.ClauseElement):
        value = sa.literal(value, column.type if column is not None else None)
    return str(value.compile(dialect=DIALECT, compile_kwargs={"literal_binds": True}))


def staged(name: str) -> str:
    """The text of a column of the file, in the statements below."""
    return f"s.{quoted(name)}"


def found(name: str) -> str:
    """The table of what a column's lookup found."""
    return quoted(f"{name}__found")


def stored_type(workbook: Workbook, column: Column) -> str:
    """The SQL type a value becomes: that of the target's column, so that what it cannot hold is seen beforehand."""
    if workbook.target:
        return workbook.target.column(column.name).type.compile(dialect=DIALECT)
    return STORED_AS.get(column.kind, "text")


def longest(workbook: Workbook, column: Column) -> int | None:
    """The most characters a text may have: as declared, or as the target's column holds."""
    if column.max_length or not workbook.target or column.lookup:
        return column.max_length
    return getattr(workbook.target.column(column.name).type, "length", None)


def value(workbook: Workbook, column: Column) -> str:
    """What is stored for a row without errors."""
    if column.lookup:
        return f"{found(column.name)}.value"
    return f"{staged(column.name)}::{stored_type(workbook, column)}"


def found_table(table: str, column: Column) -> str:
    return f"{table}_{column.name}"


def tables(table: str, columns: Sequence[Column]) -> str:
    """The FROM clause: the staged rows, beside what each lookup found."""
    parts = [f"{table} s"]
    for column in columns:
        if column.lookup:
            name = found(column.name)
            on = [f"{name}.key = {staged(column.name)}"]
            on += [f"{name}.within_{i} = {found(parent)}.value" for i, parent in enumerate(parents(column, columns))]
            parts.append(f"left join {found_table(table, column)} {name} on {' and '.join(on)}")
    return " ".join(parts)


def parents(column: Column, columns: Sequence[Column]) -> list[str]:
    """The columns that narrow a lookup, as far as the file has them."""
    present = {other.name for other in columns}
    return [parent for parent in column.lookup.within if parent in present] if column.lookup else []


def look_up(table: str, column: Column, columns: Sequence[Column]) -> str:
    """Create the table of what the codes and names in a column mean: key (the cell), value, and how many bear it.

    Each of the different cells is folded once, and not again in every row.
    """
    within = "".join(f", within_{i}" for i in range(len(parents(column, columns))))
    name = quoted(column.name)
    return (
        f"create temp table {found_table(table, column)} on commit drop as"
        f" with wanted as materialized (select cell, folded(cell) as key from (select distinct {name} as cell"
        f" from {table}) d)"
        f" select cell as key{within}, (array_agg(value))[1] as value, count(*) as hits"
        f" from ({lookup_rows(column, parents(column, columns))}) r join wanted using (key) group by cell{within}"
    )


def lookup_rows(column: Column, within: Sequence[str]) -> str:
    assert column.lookup
    wanted = sa.text("select key from wanted")
    rows = [named(column.lookup, accepted, within).subquery() for accepted in column.lookup.accepts]
    keys = [sa.func.folded(one.c.key) for one in rows]
    narrowed = [[column for column in one.c if column.key != "key"] for one in rows]
    return literal(sa.union(*(
        sa.select(key.label("key"), *others).where(key.in_(wanted)) for key, others in zip(keys, narrowed, strict=True)
    )))  # fmt: skip


def named(lookup: Lookup, accepted: Any, within: Sequence[str] = ()) -> sa.Select:
    """Every value with one of the words for it, key, and what narrows it."""
    narrowed = [lookup.within[parent].label(f"within_{i}") for i, parent in enumerate(within)]
    rows = sa.select(sa.cast(accepted, sa.Text).label("key"), lookup.value.label("value"), *narrowed)
    return rows if lookup.where is None else rows.where(lookup.where)


def names(column: Column, within: Sequence[str] = ()) -> str:
    """Select the names a cell of this column is best filled with, in the order of what they stand for."""
    assert column.lookup
    group = ", ".join(["key", *(f"within_{i}" for i in range(len(within)))])
    rows = literal(named(column.lookup, column.lookup.accepts[0], within))
    return f"select {group}, min(value) as value from ({rows}) n group by {group} order by min(value)"


def row_rules(workbook: Workbook, columns: Sequence[Column]) -> list[Bad]:
    """Every rule that looks at one row, for the columns that the file has."""
    bad = [Bad(column.name, *one) for column in columns for one in column_rules(workbook, column, columns)]
    names = {column.name for column in columns}
    bad += [
        Bad(rule.column, rule.code, filled_in(rule)) for rule in workbook.rules if rule.uses <= names and not rule.skips
    ]
    return bad


def skipped(workbook: Workbook, columns: Sequence[Column]) -> str:
    """True for the rows that are left out: a condition on the text of the row alone. Empty where there is none."""
    names = {column.name for column in columns}
    return " or ".join(filled_in(rule) for rule in workbook.rules if rule.skips and rule.uses <= names)


def filled_in(rule: Rule) -> str:
    return PLACEHOLDER.sub(lambda m: f"{found(m[1])}.value" if m[2] else staged(m[1]), f"({rule.bad})")


def column_rules(workbook: Workbook, column: Column, columns: Sequence[Column]) -> Iterator[tuple[str, str]]:
    text = staged(column.name)
    if column.must_be_filled:
        # A faulty cell was staged empty; it is told of as what it is.
        yield "REQUIRED", f"{text} is null and (s.faults is null or not s.faults ? {literal(column.name)})"
    if (most := longest(workbook, column)) is not None:
        yield "TOO_LONG", f"char_length({text}) > {most}"
    if column.pattern:
        yield "PATTERN", f"{text} !~ {literal(f'^(?:{column.pattern})$')}"
    if column.choices:
        yield "CHOICE", f"{text} not in ({', '.join(literal(choice) for choice in column.choices)})"
    if column.lookup:
        hits = f"{found(column.name)}.hits"
        known = "".join(f" and {found(parent)}.hits = 1" for parent in parents(column, columns))
        yield "NOT_FOUND", f"{text} is not null and {hits} is null{known}"
        yield "AMBIGUOUS", f"{hits} > 1"
    if column.kind in ("integer", "number"):
        fits = f"pg_input_is_valid({text}, {literal(stored_type(workbook, column))})"
        yield "OVERFLOW", f"not {fits}"
    if column.minimum is not None:
        yield "TOO_SMALL", f"{text}::{COMPARED_AS[column.kind]} < {bound(column.minimum)}"
    if column.maximum is not None:
        yield "TOO_LARGE", f"{text}::{COMPARED_AS[column.kind]} > {bound(column.maximum)}"


def bound(limit: int | float | Decimal | dt.date) -> str:
    return f"'{limit}'"


def identity_rules(number: str, *, birth_date: str = "", sex: str = "", when: str = "true") -> list[Rule]:
    """The rules of an ID number by GB 11643 and its agreement with other columns; `when` is SQL as in Rule.bad.

    Needs the function id_number_ok of functions.sql. Sex may be written 男/女 or by its code 1/2.
    """
    ok = f"id_number_ok({{{number}}})"
    rules = [Rule(number, "ID_NUMBER", "", f"({when}) and not {ok}")]
    # Agreement first: the costly function is then asked for the few that disagree.
    if birth_date:
        differs = f"substr({{{number}}}, 7, 8) <> replace({{{birth_date}}}, '-', '')"
        rules.append(Rule(number, "ID_BIRTH_DATE", "", f"({when}) and {differs} and {ok}"))
    if sex:
        male = f"substr({{{number}}}, 17, 1) in ('1', '3', '5', '7', '9')"
        differs = f"case when {{{sex}}} in ('男', '1') then not {male} when {{{sex}}} in ('女', '2') then {male} end"
        rules.append(Rule(number, "ID_SEX", "", f"({when}) and {differs} and {ok}"))
    return rules
