"""Rendering 渲染: a select whose rows are the XML of a sheet's rows, so that the database writes the sheet itself.

The cells are those of FastWorksheet, to which a property test holds them. What SQL cannot say in the same way — values that
Python makes, masks without an SQL form, kinds of values that no workbook had so far — is left to the row writer.
"""

from collections.abc import Callable, Sequence, Set
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from xlsxwriter.utility import xl_col_to_name

from .declare import Column
from .sheet import LARGEST_NUMBER, LONGEST_TEXT

ROW = "row_no"  # the name that declarations leave to the kit
SPACE = r"[\t\n \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"  # what str.isspace() knows, as PostgreSQL writes it
# In texts joined by |: what has to be escaped, and spaces at an end. Too much found costs time, too little the workbook.
UNSAFE = rf"[\x01-\x08\x0b-\x1f&<>\ufffe\uffff]|_x[0-9A-Fa-f]{{4}}_|(^|\|){SPACE}|{SPACE}(\||$)"
SAFE_DIGITS = 15  # of a number that Excel keeps whole
IN_SQL: dict[Callable[[Any], str], Callable[[sa.ColumnElement], sa.ColumnElement]] = {}  # a mask → the same in SQL


class NotInSql(Exception):
    """These columns are written by the row writer."""


def rendered(
    statement: sa.Select, columns: Sequence[Column], styles: Sequence[str], granted: Set[str], *,
    rows_per_sheet: int, group: str | None = None,
) -> sa.Select:  # fmt: skip
    """The rows of `statement`, which has exactly these columns, as `<row>` elements in its order; the first row of a sheet
    is its second. With `group`, a further column of the statement by which it is ordered first, in pairs (group, row).

    Nothing that a person wrote is part of the SQL. Raises NotInSql.
    """
    base = statement.subquery("matching")
    part = [base.c[group]] if group else None
    number = (sa.func.row_number().over(partition_by=part) - 1) % rows_per_sheet + 2
    numbered = sa.select(base, sa.cast(number, sa.Text).label(ROW)).subquery("numbered")
    row = numbered.c[ROW]
    values = [shown(column, numbered.c[column.name], granted) for column in columns]
    texts = [value for value in values if is_text(value)]
    begins = [f'<c r="{xl_col_to_name(index)}' for index in range(len(columns))]
    heads = [own(begin) + row + own(f'"{style}') for begin, style in zip(begins, styles, strict=True)]

    def xml(text: Callable[[sa.ColumnElement], sa.ColumnElement]) -> sa.ColumnElement:
        cells = [
            cell(column, value, head, text) for column, value, head in zip(columns, values, heads, strict=True)
        ]  # fmt: skip
        return sa.func.concat(own('<row r="'), row, own('">'), *cells, own("</row>"), type_=sa.Text())

    plain = xml(lambda value: own("<t>") + value + own("</t>"))
    made = plain
    if texts:
        joined = sa.func.concat_ws(own("|"), *texts, type_=sa.Text())
        odd = sa.or_(joined.regexp_match(UNSAFE), sa.func.length(joined) > LONGEST_TEXT // 2)
        made = sa.case((odd, xml(lambda value: sa.func.sheet_text(value, type_=sa.Text()))), else_=plain)
    return sa.select(*([numbered.c[group]] if group else []), made.label("xml"))


def own(text: str) -> sa.ColumnElement:
    """A piece of markup of ours, as a constant of the SQL."""
    return sa.literal_column(f"'{text}'", sa.Text)


def is_text(value: sa.ColumnElement) -> bool:
    return isinstance(value.type, sa.String)


def shown(column: Column, value: sa.ColumnElement, granted: Set[str]) -> sa.ColumnElement:
    """What a column shows of its value: masked, or true and false in words."""
    if column.needs is not None and column.needs not in granted:
        if not column.mask:
            raise PermissionError(f"Column {column.name} needs {column.needs}. Choose columns by visible().")
        if column.mask not in IN_SQL or not is_text(value):
            raise NotInSql(f"the mask of {column.name}")
        return IN_SQL[column.mask](value)
    if column.kind == "boolean":
        if not isinstance(value.type, sa.Boolean):
            raise NotInSql(f"{column.name} is no boolean")
        yes, no = (sa.cast(sa.literal(str(word)), sa.Text) for word in (_("Yes"), _("No")))
        return sa.case((value, yes), (sa.not_(value), no))
    return value


def cell(column: Column, value: sa.ColumnElement, head: sa.ColumnElement, text: Callable) -> sa.ColumnElement:
    """The XML of one cell; null for an empty one."""
    kind, of = column.kind, value.type

    def written(value: sa.ColumnElement) -> sa.ColumnElement:
        shown = text(sa.func.nullif(value, own(""), type_=sa.Text()))
        return head + own(' t="inlineStr"><is>') + shown + own("</is></c>")

    def counted(value: Any) -> sa.ColumnElement:
        return head + own("><v>") + sa.cast(value, sa.Text) + own("</v></c>")

    if is_text(value) and not isinstance(of, sa.Enum):
        return written(value)
    if isinstance(of, sa.Integer):
        digits = sa.cast(value, sa.Text)
        if kind not in ("integer", "number"):
            return written(digits)
        if not isinstance(of, sa.BigInteger):
            return counted(value)
        return sa.case((sa.func.abs(value) < LARGEST_NUMBER, counted(value)), else_=written(digits))
    if isinstance(of, sa.Numeric) and not isinstance(of, sa.Float) and kind in ("integer", "number"):
        if not of.precision or of.precision > SAFE_DIGITS:
            raise NotInSql(f"{column.name} may have more digits than a number of Excel's")
        return sa.case((value != sa.cast(own("NaN"), sa.Numeric), counted(sa.func.trim_scale(value))))
    if isinstance(of, sa.Date) and kind != "text":
        return dated(value, value, written(sa.func.to_char(value, own("YYYY-MM-DD"), type_=sa.Text())), counted)
    if isinstance(of, sa.DateTime) and not of.timezone and kind in ("date", "datetime"):
        seconds = sa.extract("epoch", value - sa.func.date_trunc("day", value))
        part = sa.func.round(sa.cast(seconds / 86_400, sa.Numeric), 11) if kind == "datetime" else 0
        spelled = sa.func.to_char(value, own("YYYY-MM-DD HH24:MI:SS"), type_=sa.Text())
        return dated(sa.cast(value, sa.Date), value, written(spelled), lambda day: counted(day + part))
    raise NotInSql(f"{column.name}: {of!r} as {kind}")


def dated(
    day: sa.ColumnElement,
    value: sa.ColumnElement,
    spelled: sa.ColumnElement,
    counted: Callable[[Any], sa.ColumnElement],
) -> sa.ColumnElement:
    """Excel's number of a day, with its 29 February 1900 that never was; before its first day, the day in words."""
    serial = day - sa.cast(own("1899-12-30"), sa.Date)
    serial = sa.type_coerce(serial, sa.Integer)
    return sa.case(
        (value.is_(None), None), (serial > 60, counted(serial)), (serial > 1, counted(serial - 1)), else_=spelled
    )
