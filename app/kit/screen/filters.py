"""Filters that fit a million rows under row security: prefix by index, contains by LIKE, lists, ranges."""

from datetime import timedelta
from typing import Any

from flask_appbuilder.exceptions import InvalidOperationFilterFABException
from flask_appbuilder.models.filters import BaseFilter, Filters
from flask_appbuilder.models.sqla import filters as fab
from flask_appbuilder.widgets import FormWidget
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _
from sqlalchemy import false, inspect, or_, select
from sqlalchemy.orm import Query

from app.kit.pinyin import other_readings
from app.kit.screen.bounds import begin_of, days_of, moment_of, number_of
from app.kit.screen.comparing import also_known_by, begins, compared, fitting, key_of, one_of, pasted, spelled
from app.kit.screen.preferences import kept_list

NO_NUMBER = _("This is no number, so nothing is found. Write digits, like 2025.")
NO_DAY = _("This is no day, so nothing is found. Write it like 2026-09-01.")
NO_CHOICE = _("This is none of the choices, so nothing is found. Choose again.")


class OfferedFilters(Filters):
    """A condition of a kind that the column has not is no condition on a page, and refused by an API; FAB fails on it."""

    def add_filter_index(self, column_name: str, filter_instance_index: int, value: Any) -> None:
        if filter_instance_index < len(self._all_filters.get(column_name, [])):
            super().add_filter_index(column_name, filter_instance_index, value)

    def rest_add_filters(self, data: list[Any]) -> None:
        """Conditions as an API's query says them: {col, opr, value}. FAB would apply kinds of its own to some."""
        for asked in data if isinstance(data, list) else [data]:
            said = asked if isinstance(asked, dict) else {}
            column, operation = str(said.get("col")), str(said.get("opr"))
            kinds = [kind for kind in self._search_filters.get(column, []) if kind.arg_name == operation]
            if not kinds or "value" not in said:
                raise InvalidOperationFilterFABException(
                    gettext(
                        "There is no condition “%(opr)s” on “%(column)s”.",
                        opr=f"{operation:.40}",
                        column=f"{column:.40}",
                    )
                )
            asked_wrongly = getattr(kinds[0], "wrong", None)
            if asked_wrongly and (why := asked_wrongly(said["value"])):
                raise InvalidOperationFilterFABException(f"{column:.40}: {why}")
            self._add_filter(kinds[0], said["value"])


class PrefixFilter(fab.FilterStartsWith):
    """`^@` is leakproof, so the index serves under row security (LIKE does not), and has no wildcards to escape."""

    def apply(self, query: Query, value) -> Query:
        query, field = fab.get_field_setup_query(query, self.model, self.column_name)
        return query.filter(begins(field, str(value)))


class ContainsFilter(fab.FilterContains):
    """LIKE costs a fraction of ILIKE, and Chinese has no case."""

    def apply(self, query: Query, value) -> Query:
        query, field = fab.get_field_setup_query(query, self.model, self.column_name)
        column, wanted = compared(field, str(value))
        return query.filter(column.contains(wanted, autoescape=True) if wanted else false())


class EqualFilter(fab.FilterEqual):
    """The same text, however it was typed."""

    def apply(self, query: Query, value) -> Query:
        query, field = fab.get_field_setup_query(query, self.model, self.column_name)
        column, wanted = compared(field, str(value))
        return query.filter(column == wanted)


class AmongFilter(fab.FilterRelationManyToManyEqual):
    """Has a related row among several; one that there is not, or is not the reader's to see, nobody has."""

    def rows(self, value: Any) -> list[Any]:
        values = value if isinstance(value, list) else [value]
        return [self.datamodel.get_related_obj(self.column_name, one) for one in values]

    def wrong(self, value: Any) -> Any | None:
        return NO_CHOICE if None in self.rows(value) else None

    def apply(self, query: Query, value) -> Query:
        relation, wanted = getattr(self.model, self.column_name), self.rows(value)
        pk = inspect(relation.property.mapper.class_).primary_key[0]
        keys = [None if one is None else inspect(one).identity[0] for one in wanted]
        return query.filter(*(false() if key is None else relation.any(pk == key) for key in keys))


class ListedFilter(fab.FilterIn):
    """One of a pasted list of values."""

    name = _("is one of")

    def apply(self, query: Query, value) -> Query:
        query, field = fab.get_field_setup_query(query, self.model, self.column_name)
        parts = value if isinstance(value, list) else [value]
        listed = [one for part in parts for one in self.values(str(part))]
        same = [
            one_of(
                compared(one, "")[0], [wanted for _column, wanted in (compared(one, text) for text in listed) if wanted]
            )
            for one in also_known_by(field)
        ]
        return query.filter(or_(*same))

    @staticmethod
    def values(text: str) -> list[str]:
        """What the text lists, or what the kept list that it names does."""
        kept = kept_list(text)
        return pasted(text) if kept is None else kept

    def shown(self, text: str) -> str:
        """The list as a reader sees it among the conditions: itself when short, else how long it is."""
        count = len(self.values(text))
        return ngettext("%(num)s value", "%(num)s values", count) if count > 3 or kept_list(text) is not None else text


class BooleanFilter(fab.FilterEqual):
    """Yes or no; any other value finds nothing."""

    WORDS = {"y": True, "true": True, "1": True, "n": False, "false": False, "0": False}

    def wrong(self, value: Any) -> Any | None:
        return NO_CHOICE if str(value).strip().lower() not in self.WORDS else None

    def apply(self, query: Query, value) -> Query:
        wanted = self.WORDS.get(str(value).strip().lower())
        query, field = fab.get_field_setup_query(query, self.model, self.column_name)
        return query.filter(false() if wanted is None else field == wanted)


class ByKey:
    """Mixin of a condition on a related row: a value that is no key is told."""

    model: type
    column_name: str

    def wrong(self, value: Any) -> Any | None:
        return NO_CHOICE if fitting(key_of(self.model, self.column_name), value) is None else None


class OfFilter(ByKey, fab.FilterRelationOneToManyEqual):
    """Belongs to a row, by its key alone: FAB would read that row, of which the reader may see a few columns only."""

    def apply(self, query: Query, value) -> Query:
        key = key_of(self.model, self.column_name)
        wanted = fitting(key, value)
        return query.filter(false() if wanted is None else key == wanted)


class NotOfFilter(ByKey, fab.FilterRelationOneToManyNotEqual):
    """Belongs to another row, or to none."""

    def apply(self, query: Query, value) -> Query:
        key = key_of(self.model, self.column_name)
        wanted = fitting(key, value)
        return query.filter(false() if wanted is None else key.is_distinct_from(wanted))


class _Bound(BaseFilter):
    """A bound of a range. What the column's type cannot be finds nothing, and `wrong` says why."""

    def bound(self, text: str) -> Any:
        """The value in the column's type. Raises ValueError."""
        raise NotImplementedError(self)  # each bound reads its own end of a day or month

    def wrong(self, value: Any) -> Any | None:
        try:
            self.bound(str(value))
        except (ValueError, OverflowError):
            return NO_DAY if self.of_days() else NO_NUMBER
        return None

    def of_days(self) -> bool:
        return self.datamodel.is_date(self.column_name) or self.of_moments()

    def of_moments(self) -> bool:
        return self.datamodel.is_datetime(self.column_name)

    def apply(self, query: Query, value) -> Query:
        query, field = fab.get_field_setup_query(query, self.model, self.column_name)
        return query.filter(false() if self.wrong(value) else self.compare(field, self.bound(str(value))))

    def compare(self, field, bound):
        raise NotImplementedError(self)  # each bound says its own


class FromFilter(_Bound):
    """From the beginning of a day, a month, a year; from a number."""

    name = _("From")
    arg_name = "ge"

    def bound(self, text: str) -> Any:
        if not self.of_days():
            return number_of(text)
        if self.of_moments():
            return moment_of(text) or begin_of(days_of(text)[0])
        return days_of(text)[0]

    def compare(self, field, bound):
        return field >= bound


class ToFilter(_Bound):
    """To the end of a day, a month, a year: the last moment of it is within; to a number."""

    name = _("To")
    arg_name = "le"

    def bound(self, text: str) -> Any:
        if not self.of_days():
            return number_of(text)
        _first, last = days_of(text) if not (at := moment_of(text)) else (at.date(), at.date())
        if not self.of_moments():
            return last
        return at + timedelta(microseconds=1) if at else begin_of(last + timedelta(days=1))

    def compare(self, field, bound):
        return field < bound if self.of_moments() else field <= bound


class QuickFilter(BaseFilter):
    """The search box: any of the given columns begins with the text. `value` is (columns, text)."""

    name = _("Search")

    def apply(self, query: Query, value) -> Query:
        columns, text = value
        fields = [getattr(self.model, column) for column in columns]
        found = [(compared(field, text)[0], begins(field, text)) for field in fields]
        if any(field.info.get("spelled") for field in fields):
            for reading in other_readings(spelled(text)):
                surname, field = begins(self.model.name, reading.surname), getattr(self.model, reading.column)
                found.append((field, surname & field.op("^@", is_comparison=True)(reading.begins)))
        # Each index is asked first whether it knows the text; usually one does. Of several joined by OR none bounds
        # the walk along the list's order: 250 ms of a million rows.
        first = (select(f).where(b).order_by(f).limit(1).scalar_subquery() for f, b in found)
        known = query.session.execute(select(*first)).one()
        true_of = [condition for (_field, condition), one in zip(found, known, strict=True) if one is not None]
        return query.filter(or_(false(), *true_of))


class XuejiFilterConverter(fab.SQLAFilterConverter):
    """Which filters each type of column offers. The first one is what a plain form field means."""

    TEXT = [PrefixFilter, ContainsFilter, EqualFilter, ListedFilter]
    RANGE = [FromFilter, ToFilter]
    RELATION = [OfFilter, NotOfFilter]
    conversion_table = (
        ("is_relation_many_to_one", RELATION),
        ("is_relation_one_to_one", RELATION),
        ("is_relation_many_to_many", [AmongFilter]),
        ("is_relation_one_to_many", [AmongFilter]),
        ("is_text", TEXT),
        ("is_string", TEXT),
        ("is_boolean", [BooleanFilter]),
        ("is_integer", RANGE),
        ("is_float", RANGE),
        ("is_numeric", RANGE),
        ("is_date", RANGE),
        ("is_datetime", RANGE),
    )

    def convert(self, col_name: str) -> list | None:
        """The filters of a column; None for a list or JSON, which is simply not searched by."""
        kinds = next((kinds for test, kinds in self.conversion_table if getattr(self.datamodel, test)(col_name)), None)
        return kinds and [kind(col_name, self.datamodel) for kind in kinds]


class ConditionsWidget(FormWidget):
    """The search of a list. FAB's own draws every field beforehand, which our template does not ask for: a quarter of
    the time of a list."""

    template = "appbuilder/general/widgets/search.html"

    def __call__(self, **kwargs):
        fields, names = self.template_args["form"], self.template_args["include_cols"]
        return super().__call__(label_columns={name: str(fields[name].label.text) for name in names}, **kwargs)
