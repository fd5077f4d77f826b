"""Declarations 声明: what columns a workbook has, where its rows come from and where they go."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import sqlalchemy as sa
from flask_babel import force_locale

KINDS = ("text", "name", "code", "integer", "number", "date", "datetime", "boolean")
LANGUAGES = ("zh", "en")
NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")
RESERVED = ("row_no", "faults", "change")
PLACEHOLDER = re.compile(r"\{([a-z]\w*)(\.value)?\}")

# A label is a str or a flask_babel lazy string; str() gives it in the language of the reader.
Label = Any


class BadDeclaration(Exception):
    """A workbook is declared wrongly; the sentence says how to put it right."""


@dataclass(frozen=True)
class Lookup:
    """Finds what is stored for a code or a name in a cell.

    `within` narrows the search by the value of other columns: majors of one name in two colleges are told apart by
    `within={"college": Major.college_id}`.
    """

    value: Any  # the SQL column whose value is stored
    accepts: Sequence[Any]  # the SQL columns a cell may name it by
    where: Any = None
    within: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    """A rule of the business: `bad` is SQL that is true for a bad row.

    `{birth_date}` stands for the text of that column, `{college.value}` for what its lookup found. A rule is left out
    when the file lacks one of its columns. With `skips` it is true for a row that is left out, whatever it says, and told of
    in the remarks of its import: `Staged.skipped_table` has such rows.
    """

    column: str
    code: str
    message: Label
    bad: str
    skips: bool = False

    @property
    def uses(self) -> set[str]:
        return {self.column} | {match[1] for match in PLACEHOLDER.finditer(self.bad)}


@dataclass(frozen=True)
class Column:
    """One column. `code` is text of letters and digits (numbers of people and things): spaces and width don't count.
    `name` is what a person or thing is called: 张　三 is 张三.

    `needs` names the permission that shows the value; without it the column shows `mask(value)`, or is left out when
    there is no mask, and is never read from a file. `aliases` are further headers to know the column by, `units` what
    may stand behind a number (四年 is 4 with the unit 年).
    """

    name: str
    label: Label
    kind: str = "text"
    _: KW_ONLY
    key: bool = False
    required: bool = False
    unique: bool = False
    needs: str | None = None
    mask: Callable[[Any], str] | None = None
    lookup: Lookup | None = None
    choices: Sequence[str] = ()
    pattern: str | None = None
    hint: Label = ""
    max_length: int | None = None
    minimum: Any = None
    maximum: Any = None
    width: float | None = None
    aliases: Sequence[str] = ()
    units: Sequence[str] = ()

    def __post_init__(self) -> None:
        where = f"Column {self.name!r}"
        if not NAME.fullmatch(self.name):
            raise BadDeclaration(f"{where}: name it in small letters, digits and _, beginning with a letter.")
        if self.name in RESERVED:
            raise BadDeclaration(f"{where}: imports use the names {', '.join(RESERVED)} themselves. Choose another.")
        if self.kind not in KINDS:
            raise BadDeclaration(f"{where}: there is no kind {self.kind!r}. Choose one of {', '.join(KINDS)}.")
        if self.mask and not self.needs:
            raise BadDeclaration(f"{where} has a mask but nothing that lifts it. Say needs=<permission> too.")
        if self.is_text:
            if self.minimum is not None or self.maximum is not None:
                raise BadDeclaration(f"{where} is {self.kind}: minimum and maximum are for numbers and dates.")
        elif self.max_length or self.pattern or self.choices or self.lookup:
            raise BadDeclaration(
                f"{where} is {self.kind}: max_length, pattern, choices and lookup are for kinds text and code."
            )
        if self.pattern and not self.hint:
            raise BadDeclaration(f"{where} has a pattern. Say in hint= what a right value looks like, for people.")
        if self.units and self.kind not in ("integer", "number"):
            raise BadDeclaration(f"{where} is {self.kind}: units are for numbers.")
        if self.unique and (self.lookup or not self.is_text):
            raise BadDeclaration(f"{where}: unique is for text and codes without a lookup.")
        if self.lookup and not self.lookup.accepts:
            raise BadDeclaration(f"{where}: its lookup accepts nothing. Name the columns that a cell may hold.")

    @property
    def is_text(self) -> bool:
        return self.kind in ("text", "name", "code")

    @property
    def must_be_filled(self) -> bool:
        return self.required or self.key


@dataclass(frozen=True)
class Target:
    """The table an import writes: rows are matched by the key columns, in one statement.

    `columns` maps a column of the workbook to one of the table where the names differ; `on_insert` and `on_change` are
    further table columns and the value or SQL expression they get.
    """

    table: sa.Table
    columns: Mapping[str, str] = field(default_factory=dict)
    on_insert: Mapping[str, Any] = field(default_factory=dict)
    on_change: Mapping[str, Any] = field(default_factory=dict)

    def column(self, name: str) -> sa.Column:
        return self.table.c[self.columns.get(name, name)]


@dataclass(frozen=True)
class Workbook:
    """`rows(filters)` is a select with one labelled column for each workbook column; `target` or `save` takes rows in.

    `stored` says of columns without a target, as SQL with {column}, what is stored already: a blank cell keeps it.

    With `cells` it selects a model instead, and `cells(row, columns)` gives the values of a row.

    `save(connection, saved)` is called instead of the upsert when the workbook is written by an operation: see
    importing.Typed for what it gets.
    """

    key: str
    title: Label
    columns: Sequence[Column]
    _: KW_ONLY
    rows: Callable[[Any], sa.Select] | None = None
    cells: Callable[[Any, Sequence[Column]], Sequence[Any]] | None = None
    target: Target | None = None
    save: Callable[[sa.Connection, Any], None] | None = None
    rules: Sequence[Rule] = ()
    stored: Mapping[str, str] = field(default_factory=dict)
    group: str | None = None  # label of the select's column by which an export may be split into one workbook each

    def __post_init__(self) -> None:
        where = f"Workbook {self.key!r}"
        if not self.columns:
            raise BadDeclaration(f"{where} has no columns. List at least one Column.")
        names = [column.name for column in self.columns]
        for name in names:
            if names.count(name) > 1:
                raise BadDeclaration(f"{where} declares the column {name!r} twice. Give each column its own name.")
        for column in self.columns:
            for parent in column.lookup.within if column.lookup else ():
                if parent not in names[: names.index(column.name)] or self.column(parent).lookup is None:
                    raise BadDeclaration(
                        f"{where}: column {column.name!r} is looked up within {parent!r}, which is no column with a"
                        " lookup before it."
                    )
        for rule in self.rules:
            for name in rule.uses - set(names):
                raise BadDeclaration(f"{where}: rule {rule.code} speaks of {name!r}, which is no column of it.")
            for match in PLACEHOLDER.finditer(rule.bad):
                if match[2] and not self.column(match[1]).lookup:
                    raise BadDeclaration(f"{where}: rule {rule.code} uses {match[0]}, but that column has no lookup.")
        if self.target or self.save:
            self._check_target(where)

    def _check_target(self, where: str) -> None:
        if not self.keys:
            raise BadDeclaration(f"{where} takes rows in but has no key. Mark what tells rows apart key=True.")
        if self.target is None:
            return
        table = self.target.table
        theirs = [*(self.target.columns.get(c.name, c.name) for c in self.columns)]
        for name in [*theirs, *self.target.on_insert, *self.target.on_change]:
            if name not in table.c:
                raise BadDeclaration(
                    f"{where}: table {table.name} has no column {name!r}. Map it in Target(columns={{…}})."
                )
        keys = {self.target.column(column.name).name for column in self.keys}
        if keys not in unique_sets(table):
            raise BadDeclaration(
                f"{where}: nothing makes {', '.join(sorted(keys))} unique in table {table.name}, so two imports at once"
                " could write a row twice. Add a unique constraint on exactly the key columns."
            )

    @property
    def keys(self) -> list[Column]:
        return [column for column in self.columns if column.key]

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


def unique_sets(table: sa.Table) -> list[set[str]]:
    """Sets of column names that the table keeps unique."""
    found = [{c.name for c in table.primary_key}]
    found += [{c.name for c in rule.columns} for rule in table.constraints if isinstance(rule, sa.UniqueConstraint)]
    found += [{c.name for c in index.columns} for index in table.indexes if index.unique]
    return found


def visible(columns: Iterable[Column], granted: Iterable[str]) -> list[Column]:
    """The columns somebody with these permissions may export; some of them masked."""
    granted = set(granted)
    return [column for column in columns if column.needs in granted or column.needs is None or column.mask]


def spellings(label: Label) -> set[str]:
    """A label in every language of the system, so that a header is known whoever made the file."""
    found = {str(label)}
    for language in LANGUAGES:
        with force_locale(language):
            found.add(str(label))
    return found
