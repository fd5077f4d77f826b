"""清单 the workbook of a list: the columns and the words that it shows, for every screen without a workbook of its own."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup
from sqlalchemy import Select, select

from app.kit.screen.present import NOTHING, local, moment
from app.kit.sensitive import mask
from app.kit.workbook.declare import Column, Workbook
from app.models.language import listed

KINDS = (
    ("is_datetime", "datetime"), ("is_date", "date"), ("is_boolean", "boolean"), ("is_integer", "integer"),
    ("is_numeric", "number"), ("is_float", "number"),
)  # fmt: skip
NUMBERS_AND_DATES = (bool, int, float, dt.date)
EMPTY = {"", NOTHING.striptags()}


def list_workbook(screen: Any) -> Workbook:
    """The list of a screen as a workbook; masked columns masked, words for codes, relations by their names."""
    names = [*screen.list_columns, *screen.more_columns]
    columns = [
        Column(name, screen.label_columns[name], kind_of(screen, name), needs=screen.masked.get(name),
               mask=mask if name in screen.masked else None)
        for name in names
    ]  # fmt: skip
    return Workbook(
        key="list", title=screen.list_title, columns=columns, rows=lambda matching: select_rows(screen, names, matching),
        cells=lambda row, chosen: cells(screen, row, chosen),
    )  # fmt: skip


def kind_of(screen: Any, name: str) -> str:
    """The kind of a column as it is shown: what a formatter made of it is text."""
    if screen.formatters_columns.get(name) is moment:
        return "datetime"
    if name in screen.formatters_columns or name not in screen.datamodel.list_columns:
        return "text"
    return next((kind for test, kind in KINDS if getattr(screen.datamodel, test)(name)), "text")


def select_rows(screen: Any, names: Sequence[str], matching: Select | None) -> Select:
    """The rows in the list's own order, their related rows with them; `matching` selects ids."""
    model, pk = screen.datamodel.obj, screen.datamodel.get_pk()
    statement = select(model).options(*screen.datamodel.together(names))
    if matching is not None:
        statement = statement.where(pk.in_(matching))
    return statement.order_by(*screen.datamodel.ordering(*(screen.base_order or (pk.key, "desc"))))


def cells(screen: Any, row: Any, columns: Sequence[Column]) -> list[Any]:
    return [cell(screen, row, column.name) for column in columns]


def cell(screen: Any, row: Any, name: str) -> Any:
    """What the list shows of a row in one column, without its dress."""
    value = getattr(row, name)
    value = value() if callable(value) else value
    formatter = None if name in screen.masked else screen.formatters_columns.get(name)
    if isinstance(value, dt.datetime):
        return local(value)
    if formatter is not None:
        value = formatter(value)
        value = value.striptags() if isinstance(value, Markup) else value
    if value is None or isinstance(value, NUMBERS_AND_DATES):
        return value
    value = listed(value) if isinstance(value, list) else value
    return None if str(value) in EMPTY else str(value)
