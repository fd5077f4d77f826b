"""FAB's data interface, made fit for a million rows: capped counts and pages, a total order, audit, clear errors."""

import logging
from typing import Any

from flask import request
from flask_appbuilder.exceptions import DatabaseException
from flask_appbuilder.models.sqla.interface import SQLAInterface
from flask_babel import lazy_gettext as _
from sqlalchemy import Boolean, Column, ColumnElement, String, cast, false, inspect, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Query, selectinload
from sqlalchemy.orm.exc import StaleDataError

from app.access import current_actor
from app.kit.operation import audit
from app.kit.screen.comparing import begins
from app.kit.screen.filters import OfferedFilters, XuejiFilterConverter
from app.models.accounts.account import User, signature

log = logging.getLogger(__name__)

EDITING = ("edit", "put")
COUNT_CAP = 10_000
PAGE_CAP = 200
PICKED_BY = (
    "position",
    "national_code",
    "code",
    "name",
    "name_zh",
    "key",
)  # the order of a pick list, what of it there is
# A hash is nobody's to read; who changed a row and when is told by the audit itself; a role's users are many.
HIDDEN_FROM_AUDIT = frozenset({"password", "conf_password", "changed_on", "changed_by", "changed_by_fk", "created_by",
                               "role.user"})  # fmt: skip

SENTENCES = {
    "42501": _("This row belongs to another college or is not yours to change. Nothing was saved."),
    "23505": _("Such a record exists already: a number or name must be unique. Nothing was saved."),
    "23503": _("Other records refer to this one, so it can neither be changed this way nor deleted."),
    "23502": _("A required field is empty, or its choice is not available to you. Nothing was saved."),
    "23514": _("A value is outside what is allowed. Nothing was saved."),
    "22001": _("A text is longer than its field. Nothing was saved."),
    "22P02": _("A value has the wrong form. Nothing was saved."),
    "22003": _("A number is too large. Nothing was saved."),
}


def sentence(error: BaseException) -> str:
    """What a person reads instead of a database error."""
    if isinstance(error, StaleDataError):
        return str(_("Somebody else changed this record meanwhile. Open it again and repeat your change."))
    state = getattr(getattr(error, "orig", None), "sqlstate", "") or ""
    return str(SENTENCES.get(state, _("The database refused this change. Nothing was saved.")))


def values_of(item: Any) -> dict[str, Any]:
    """What a row holds, for the audit: its columns as text, the rows that it refers to by their names."""
    mapper = inspect(type(item))
    names = [column.key for column in mapper.column_attrs if column.key not in HIDDEN_FROM_AUDIT]
    values: dict[str, Any] = {name: getattr(item, name) for name in names}
    for relation in mapper.relationships:
        key = relation.key
        if relation.viewonly or {key, f"{type(item).__name__.lower()}.{key}"} & HIDDEN_FROM_AUDIT:
            continue
        if relation.direction.name == "MANYTOONE":
            values[key] = _named(getattr(item, key))
        elif relation.direction.name == "MANYTOMANY":
            values[key] = sorted(str(_named(one)) for one in getattr(item, key))
    return {name: value if value is None or isinstance(value, list) else str(value) for name, value in values.items()}


def _named(row: Any) -> Any:
    """A row that another refers to, as its own words call it; one without words by its key."""
    if isinstance(row, User):
        return signature(row)
    plain = type(row).__str__ is object.__str__ and type(row).__repr__ is object.__repr__
    return row if row is None or not plain else inspect(row).identity


def remember(item: Any) -> None:
    """Keep what a row holds before a form is written into it: loading a relation for the form may already store half."""
    inspect(item).info["before"] = values_of(item)


def changed_values(item: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """(old, new) of what has changed since the row was remembered."""
    before, after = inspect(item).info.get("before", {}), values_of(item)
    changed = [name for name in after if before.get(name) != after[name]]
    return {name: before.get(name) for name in changed}, {name: after[name] for name in changed}


def page_within(count: int, page: int | None, page_size: int | None) -> int:
    """The page asked for, from 0, or the last of so many rows where there is none so far back."""
    return min(max(page or 0, 0), (max(count, 1) - 1) // rows_a_page(page_size))


def rows_a_page(asked: int | None) -> int:
    return min(max(asked or PAGE_CAP, 1), PAGE_CAP)


class XuejiInterface(SQLAInterface):
    """What every screen and API reads and writes through."""

    filter_converter_class = XuejiFilterConverter
    remembers = True  # what a row held before it is edited, for the audit

    # columns that are reckoned by an expression: never written, so free of what a form would ask of a stored one

    def _is_reckoned(self, column: str) -> bool:
        return column in self.list_columns and not isinstance(self.list_columns[column], Column)

    def _is_box(self, column: str) -> bool:
        found = self.list_columns.get(column)
        return isinstance(getattr(found, "type", None), Boolean)

    def is_nullable(self, col_name: str) -> bool:
        """A box that is not ticked is an answer."""
        return self._is_box(col_name) or self._is_reckoned(col_name) or super().is_nullable(col_name)

    def is_unique(self, col_name: str) -> bool:
        return not self._is_reckoned(col_name) and super().is_unique(col_name)

    def is_pk(self, col_name: str) -> bool:
        return not self._is_reckoned(col_name) and super().is_pk(col_name)

    # reading

    def get_filters(self, search_columns=None, search_filters=None) -> OfferedFilters:
        return OfferedFilters(
            self.filter_converter_class, self, search_columns=search_columns, search_filters=search_filters
        )

    def query_count(self, query: Query, filters=None, select_columns=None) -> int:
        """At most COUNT_CAP + 1, which means "more": counting a million rows at every page would cost seconds."""
        pk = self.get_pk()
        counted = self.apply_filters(query.with_entities(pk), self.get_inner_filters(filters))
        return counted.limit(COUNT_CAP + 1).count()

    def query(self, filters=None, order_column="", order_direction="", page=None, page_size=None,
              select_columns=None, outer_default_load=False):  # fmt: skip
        """The number of rows and one page of them: ids by index first, so that a deep page joins only what it shows."""
        if self.is_pk_composite():
            return super().query(
                filters, order_column, order_direction, page, page_size, select_columns, outer_default_load
            )
        pk = self.get_pk()
        count = self.query_count(self.session.query(self.obj), filters)
        ordered = self.apply_order_by(
            self.apply_filters(self.session.query(pk), filters), order_column, order_direction
        )
        ids = [row[0] for row in self.apply_pagination(ordered, page_within(count, page, page_size), page_size)]
        shown = self.session.query(self.obj).options(*self.together(select_columns or [])).filter(pk.in_(ids))
        found = {getattr(row, pk.key): row for row in shown} if ids else {}
        return count, [found[one] for one in ids if one in found]

    def together(self, columns: list[str]) -> list[Any]:
        """Options that load each relation among the columns with one statement for all rows, not one a row."""
        relations = inspect(self.obj).relationships
        lazy = [name for name in columns if name in relations and relations[name].lazy == "select"]
        return [selectinload(getattr(self.obj, name)) for name in lazy]

    def apply_pagination(self, query: Query, page: int | None, page_size: int | None) -> Query:
        size = rows_a_page(page_size)
        deepest = COUNT_CAP // size
        return super().apply_pagination(query, min(max(page or 0, 0), deepest), size)

    def apply_order_by(self, query: Query, order_column: str, order_direction: str, **kwargs) -> Query:
        if not order_column or not self._can_order(order_column):
            pk = self.get_pk()
            return query.order_by(pk.desc()) if pk is not None else query
        if order_column in self.list_columns:
            return query.order_by(*self.ordering(order_column, order_direction))
        return super().apply_order_by(query, order_column, order_direction, **(kwargs | {"add_pk": True}))

    def ordering(self, column: str, direction: str) -> list[ColumnElement]:
        """What rows are sorted by for one of their own columns: names by their pinyin; the key decides between equals."""
        own = getattr(self.obj, column)
        fields = [*(getattr(self.obj, name) for name in own.info.get("sorted_by", [column])), self.get_pk()]
        return [field.asc() if direction == "asc" else field.desc() for field in dict.fromkeys(fields)]

    def _can_order(self, column: str) -> bool:
        root = column.split(".")[0]
        return hasattr(self.obj, root) and (root in self.list_columns or root in self.list_properties)

    def get(self, id: Any, filters=None, select_columns=None, outer_default_load=False):
        try:
            wanted = self.get_pk().type.python_type(id) if not self.is_pk_composite() else id
        except (TypeError, ValueError):
            return None  # /show/abc is a page that does not exist, not an error
        if isinstance(wanted, int) and abs(wanted) >= 2**31:
            return None
        row = super().get(wanted, filters, select_columns, outer_default_load)
        if row is not None and self.remembers and (request.endpoint or "").rpartition(".")[2] in EDITING:
            remember(row)
        return row

    def get_related_interface(self, col_name: str) -> "PickedRows":
        """What FAB fills pick lists of related rows from."""
        return PickedRows(self.get_related_model(col_name))

    def get_related_obj(self, col_name: str, value: Any):
        """The row of a relation by its key; None for what is no key, where FAB lets the database fail."""
        return self.get_related_interface(col_name).get(value)

    # writing: FAB's own save is for plain reference data; it is audited here, in the same transaction

    def add(self, item, commit: bool = True) -> None:
        self._save("add", item, lambda: self.session.add(item))

    def edit(self, item, commit: bool = True) -> None:
        self._save("edit", item, lambda: self.session.merge(item))

    def delete(self, item, commit: bool = True) -> None:
        self._save("delete", item, lambda: self.session.delete(item))

    def _save(self, act: str, item, change) -> None:
        try:
            old: dict[str, Any] | None = values_of(item) if act == "delete" else None
            new: dict[str, Any] | None = None
            change()
            self.session.flush()
            if act == "add":
                new = values_of(item)
            elif act == "edit":
                old, new = changed_values(item)
            key = inspect(item).identity
            number = key[0] if key and isinstance(key[0], int) else None
            audit(
                current_actor(),
                f"{self.obj.__tablename__}.{act}",
                subject=self.obj.__tablename__,
                subject_id=number,
                old=old,
                new=new,
                detail=None if number or not key else {"key": list(map(str, key))},
            )
            self.session.commit()
        except SQLAlchemyError as error:
            self.session.rollback()
            log.info("refused %s of %s: %s", act, self.obj.__tablename__, type(error).__name__)
            clear = DatabaseException(sentence(error))
            raise clear from clear  # the API prints the cause, the forms the exception: both get the sentence

    # pickers

    def lookup(self, columns: tuple[str, ...], text: str, limit: int = 20) -> list:
        """Rows of which one of their own `columns` begins with `text`; the first rows when it is empty."""
        own = [getattr(self.obj, column) for column in columns if column in inspect(self.obj).columns]
        query = select(self.obj)
        if text:
            texts = [field if isinstance(field.type, String) else cast(field, String) for field in own]
            query = query.where(or_(false(), *(begins(field, text) for field in texts)))
        return list(self.session.scalars(query.order_by(*own[:1], self.get_pk()).limit(limit)))


class PickedRows(XuejiInterface):
    """The rows of a pick list: all of them, in their own order. Of a large table nobody picks so, but by lookup."""

    remembers = False

    def query(self, filters=None, *args: Any, **kwargs: Any):
        own = [getattr(self.obj, name) for name in PICKED_BY if name in inspect(self.obj).columns]
        rows = self.apply_filters(self.session.query(self.obj), filters).order_by(*own, self.get_pk()).all()
        return len(rows), rows
