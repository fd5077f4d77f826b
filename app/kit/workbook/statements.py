"""Statements 语句: the SQL that checks and saves all staged rows at once, made of declarations alone."""

# ruff: noqa: S608 (names are quoted and conditions declared in code; what people wrote stays in the tables)
from collections.abc import Iterator

from .declare import PLACEHOLDER, Column
from .rules import DIALECT, found, literal, names, parents, quoted, row_rules, staged, tables, value
from .staging import Staged

NAMES_TOLD = 16  # of those a cell may hold
ROWS_NAMED = 5  # of those that hold the same key


def findings(work: Staged) -> Iterator[str]:
    """Selects of (row, column, code, value, detail)."""
    told = "select s.row_no, f.key, f.value ->> 0, f.value ->> 1, f.value ->> 2"
    yield f"{told} from {work.table} s, jsonb_each(s.faults) f where s.faults is not null"
    if rules := row_rules(work.workbook, work.columns):
        listed = ", ".join(
            f"({literal(rule.column)}, {literal(rule.code)}, {staged(rule.column)}, {rule.condition})" for rule in rules
        )
        # Asked twice, since a good row then costs no more than the conditions.
        anything = " or ".join(f"({rule.condition})" for rule in rules)
        yield (
            f"select s.row_no, b.name, b.code, b.value, null from {tables(work.table, work.columns)}"
            f" cross join lateral (values {listed}) b(name, code, value, bad) where ({anything}) and b.bad"
        )
    for columns in [work.workbook.keys, *([column] for column in work.columns if column.unique)]:
        yield duplicates(work, columns)
    for column in work.columns:
        if column.unique and work.workbook.target and not work.workbook.save:  # an operation has rules of its own
            yield taken(work, column)


def say_accepted(work: Staged, column: Column) -> str:
    """Beside each cell of which nothing is known, what would be: the first names among which its row may choose."""
    within = parents(column, work.columns)
    group = "".join(f", within_{i}" for i in range(len(within)))
    same = "".join(f" and l.within_{i} = {found(parent)}.value" for i, parent in enumerate(within))
    listed = (
        f"select array_agg(key order by value) as names{group} from ({names(column, within)}) n"
        f"{f' group by {group[2:]}' if group else ''}"
    )
    return (
        f"update {work.error_table} e set detail = array_to_string(l.names[1:{NAMES_TOLD}], '、')"
        f" || case when cardinality(l.names) > {NAMES_TOLD} then '…' else '' end"
        f" from {tables(work.table, work.columns)} cross join ({listed}) l"
        f" where s.row_no = e.row_no and e.name = {literal(column.name)} and e.code = 'NOT_FOUND'{same}"
    )


def duplicates(work: Staged, columns: list[Column]) -> str:
    """Rows that hold the same, told of at the first of these columns."""
    same = [f"{found(column.name)}.value" if column.lookup else staged(column.name) for column in columns]
    joined = tables(work.table, [column for column in work.columns if column.lookup])
    several = f"select {', '.join(same)} from {joined} group by {', '.join(same)} having count(*) > 1"
    first = staged(columns[0].name)
    return (
        f"select unnest(rows), {literal(columns[0].name)}, 'DUPLICATE', unnest(shown),"
        f" array_to_string(rows[1:{ROWS_NAMED}], ', ') ||"
        f" case when cardinality(rows) > {ROWS_NAMED} then ', …' else '' end"
        f" from (select array_agg(s.row_no order by s.row_no) as rows, array_agg({first} order by s.row_no) as shown"
        f" from {joined} where ({', '.join(same)}) in ({several}) group by {', '.join(same)}) d"
    )


def taken(work: Staged, column: Column) -> str:
    """Values that another record of the target holds already, as far as the person may see."""
    target = work.workbook.target
    assert target
    theirs = f"t.{quoted(target.column(column.name).name)}"
    keys = [
        (f"t.{quoted(target.column(key.name).name)}::text", f"{value(work.workbook, key)}::text")
        for key in work.workbook.keys
    ]
    other = " or ".join(f"{mine} is distinct from {yours}" for mine, yours in keys)
    return (
        f"select s.row_no, {literal(column.name)}, 'TAKEN', {staged(column.name)}, null"
        f" from {tables(work.table, work.columns)}"
        f" join {table_name(work)} t on {theirs} = {staged(column.name)} where {other}"
    )


def table_name(work: Staged) -> str:
    assert work.workbook.target
    return DIALECT.identifier_preparer.format_table(work.workbook.target.table)


def good_rows(work: Staged) -> str:
    """The rows without errors with their values, as v."""
    fields = ", ".join(f"{value(work.workbook, column)} as {quoted(column.name)}" for column in work.columns)
    good = f"not exists (select from {work.error_table} e where e.row_no = s.row_no)"
    # The offset is a fence: no value is cast before the rows with errors are gone.
    return f"(select s.row_no, {fields} from {tables(work.table, work.columns)} where {good} offset 0) v"


def kept(work: Staged) -> dict[str, str]:
    """By column, what is stored of a value already, as SQL beside v; of the columns that a cell may leave blank."""
    columns = [column for column in work.columns if not column.must_be_filled]
    if target := work.workbook.target:
        return {column.name: f"t.{quoted(target.column(column.name).name)}" for column in columns}
    return {
        column.name: PLACEHOLDER.sub(lambda match: f"v.{quoted(match[1])}", work.workbook.stored[column.name])
        for column in columns
        if column.name in work.workbook.stored
    }


def blanks(work: Staged) -> str | None:
    """How many stored values of each column stand where the file has a blank cell: one row, a figure for each of kept()."""
    stored = kept(work)
    if not stored:
        return None
    counts = (
        f"count(*) filter (where v.{quoted(name)} is null and ({theirs}) is not null)"
        for name, theirs in stored.items()
    )
    return f"select {', '.join(counts)} from {good_rows(work)}{beside(work, 'join')}"


def beside(work: Staged, join: str) -> str:
    """The target's rows as t, beside v by its key."""
    target = work.workbook.target
    if not target:
        return ""
    same = " and ".join(
        f"t.{quoted(target.column(column.name).name)} = v.{quoted(column.name)}" for column in work.workbook.keys
    )
    return f" {join} {table_name(work)} t on {same}"


def typed(work: Staged, erase: bool = False) -> str:
    """The rows without errors as they will be stored, each with what saving it means.

    A blank cell says nothing: what is stored stays, unless blanks are to erase it.
    """
    stored = {} if erase else kept(work)
    values = {column.name: f"v.{quoted(column.name)}" for column in work.columns}
    values |= {name: f"coalesce({values[name]}, {theirs})" for name, theirs in stored.items()}
    change = "null::text"
    if target := work.workbook.target:
        others = [column.name for column in work.columns if not column.key]
        theirs = ", ".join(f"t.{quoted(target.column(name).name)}" for name in others)
        mine = ", ".join(values[name] for name in others)
        differs = f"when row({theirs}) is distinct from row({mine}) then 'changed'" if mine else ""
        first_key = f"t.{quoted(target.column(work.workbook.keys[0].name).name)}"
        change = f"case when {first_key} is null then 'new' {differs} else 'unchanged' end"
    fields = ", ".join(f"{sql} as {quoted(name)}" for name, sql in values.items())
    made = f"create temp table {work.typed_table} on commit drop as"
    return f"{made} select v.row_no, {fields}, {change} as change from {good_rows(work)}{beside(work, 'left join')}"


def insert(work: Staged) -> str:
    target = work.workbook.target
    assert target
    given = {**target.on_insert, **target.on_change}
    values = {name: literal(value, target.table.c[name]) for name, value in given.items()}
    values |= {target.column(column.name).name: f"v.{quoted(column.name)}" for column in work.columns}
    return (
        f"insert into {table_name(work)} ({', '.join(map(quoted, values))})"
        f" select {', '.join(values.values())} from {work.typed_table} v where v.change = 'new' order by v.row_no"
    )


def update(work: Staged) -> str:
    """Rows that say what the table says already are not touched."""
    target = work.workbook.target
    assert target
    pairs = [(quoted(target.column(c.name).name), f"v.{quoted(c.name)}", c.key) for c in work.columns]
    sets = [f"{theirs} = {ours}" for theirs, ours, key in pairs if not key]
    sets += [f"{quoted(name)} = {literal(v, target.table.c[name])}" for name, v in target.on_change.items()]
    same = " and ".join(f"t.{theirs} = {ours}" for theirs, ours, key in pairs if key)
    return (
        f"update {table_name(work)} t set {', '.join(sets)} from {work.typed_table} v"
        f" where v.change = 'changed' and {same}"
    )
