"""画面 screen: FAB's ModelView, wrapped once for scope, threads, errors and speed. Every screen derives from it."""

import copy
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from flask import abort, flash, g, has_request_context, jsonify, redirect, request, url_for
from flask_appbuilder import ModelRestApi, ModelView, expose
from flask_appbuilder.models.filters import Filters
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import lazy_gettext as _
from sqlalchemy import Select, select
from werkzeug.datastructures import MultiDict
from wtforms import SelectField

from app.access import Permission, current_actor
from app.kit.operation import Refused, audit
from app.kit.screen import preferences
from app.kit.screen.exporting import ExportsLists
from app.kit.screen.filters import ListedFilter, QuickFilter, one_of, pasted
from app.kit.screen.interface import COUNT_CAP, XuejiInterface, page_within
from app.kit.screen.present import badge_of, masked
from app.kit.workbook.declare import Workbook
from app.models import Model, db
from app.models.codes import codes_of
from app.models.language import listed

FILTER_NAME = re.compile(r"_flt_(\d)_(\w+)")
MOST_LISTED = 100_000  # values of one pasted list
LONGEST_IN_ADDRESS = 500  # characters of a pasted list; a longer one is kept, and the address names it
MISSING_SHOWN = 10
READS = ("can_list", "can_show", "menu_access")
WRITES = ("can_add", "can_edit", "can_delete")


@dataclass(frozen=True)
class Menu:
    """Where a screen stands in the sidebar: its lazy label, the key of its group, its icon."""

    label: Any
    group: str
    icon: str


@dataclass(frozen=True)
class Words:
    """A pick list of a text column: `pairs()` gives (value, label), asked whenever a form is made."""

    pairs: Callable[[], Iterable[tuple[str, Any]]]


class RequestLocalFilters:
    """FAB keeps the last request's search on the view object, which all threads share: users saw each other's terms."""

    @property
    def _filters(self):
        prototype = self.__dict__.get("_filters_prototype")
        if prototype is None or not has_request_context():
            return prototype
        mine = g.setdefault("xueji_filters", {})
        if self not in mine:
            mine[self] = copy.copy(prototype)
            mine[self].clear_filters()
        return mine[self]

    @_filters.setter
    def _filters(self, value) -> None:
        self.__dict__["_filters_prototype"] = value


class Screen(ExportsLists, RequestLocalFilters, ModelView):
    """List and forms of one model.

    Declare `model`, `menu`, `reads` (and `writes` for plain reference data) and the columns; see the README.
    Without `writes` nothing can be added, edited or deleted: such rows change through operations.
    """

    model: ClassVar[type[Model] | None] = None
    menu: ClassVar[Menu | None] = None
    reads: ClassVar[Permission | None] = None
    writes: ClassVar[Permission | None] = None
    acts: ClassVar[dict[str, Permission]] = {}  # further exposed methods: FAB permission name → what it needs
    quick: ClassVar[tuple[str, ...]] = ()  # columns of the search box
    pasted: ClassVar[str | None] = None  # column that a pasted list of numbers selects by
    picks: ClassVar[dict[str, Any]] = {}  # column → code set key, enum or Words: pick lists, and badges for enums
    more_columns: ClassVar[list[str]] = []  # columns that a reader may add to the list
    masked: ClassVar[dict[str, Permission]] = {}
    workbooks: ClassVar[list[Workbook]] = []  # what the list exports to
    exports: ClassVar[Permission | None] = None  # what an export needs
    frozen: ClassVar[int] = 1  # first columns that stay in view
    page_size = 25

    def __init_subclass__(cls, **kwargs) -> None:
        super().__init_subclass__(**kwargs)
        if cls.model is None:
            return
        if cls.reads is None:
            raise TypeError(f"{cls.__name__} says nobody may read it: set `reads` to a Permission")
        cls.datamodel = XuejiInterface(cls.model)
        if "base_permissions" not in cls.__dict__:
            exporting = ["can_export"] if cls.exports else []
            cls.base_permissions = ["can_list", "can_show", *(WRITES if cls.writes else ()), *exporting, *cls.acts]
        cls.search_form_extra_fields = {
            column: SelectField(cls.label_columns.get(column, column), choices=lambda kinds=kinds: choices(kinds))
            for column, kinds in cls.picks.items()
        }
        enums = {column: badge_of(kinds) for column, kinds in cls.picks.items() if isinstance(kinds, type)}
        masks = {column: masked(cls.__name__, column, needs) for column, needs in cls.masked.items()}
        cls.formatters_columns = enums | masks | (cls.__dict__.get("formatters_columns") or {})

    @classmethod
    def needs(cls) -> dict[str, Permission]:
        """FAB permission name → our permission, for the security manager."""
        assert cls.reads is not None  # __init_subclass__ saw to it
        needed = dict.fromkeys(READS, cls.reads)
        if cls.writes:
            needed |= dict.fromkeys(WRITES, cls.writes)
        if cls.exports:
            needed["can_export"] = cls.exports
        return needed | cls.acts

    # lists

    def filters_of(self, args: MultiDict[str, str]) -> Filters:
        """The filters that a list's address asks for, and the screen's own. Works in a request and in a job alike.

        A condition on a column that is not offered, or of a kind that the column has not, is ignored.
        """
        filters = self.datamodel.get_filters(self.search_columns)
        offered = filters.get_search_filters()
        for name in sorted(set(args)):
            asked = FILTER_NAME.fullmatch(name)
            if asked and int(asked[1]) < len(offered.get(asked[2], [])):
                values = [value for value in args.getlist(name) if value]
                if values:
                    filters.add_filter_index(asked[2], int(asked[1]), values)
        filters = filters.get_joined_filters(self._base_filters)
        text = args.get("q", "").strip()[:60]
        if text and self.quick:
            filters.add_filter(self.quick[0], QuickFilter, (self.quick, text))
        return filters

    def matching(self, args: MultiDict[str, str]) -> Select:
        """A select of the ids of all rows that a list's address asks for."""
        pk = self.datamodel.get_pk()
        return self.filters_of(args).apply_all(db.session.query(pk)).enable_eagerloads(False).statement

    def count(self, args: MultiDict[str, str]) -> int:
        """How many rows match, at most COUNT_CAP + 1."""
        return self.datamodel.query_count(db.session.query(self.datamodel.obj), self.filters_of(args))

    def _get_list_widget(self, filters, actions=None, order_column="", order_direction="", page=None, page_size=None,
                         widgets=None, **kwargs):  # fmt: skip
        if order_column not in self.order_columns:
            order_column, order_direction = self.base_order or ("", "")
        columns = self.shown_columns()
        count, rows = self.datamodel.query(
            self.filters_of(request.args) if filters is self._filters else filters.get_joined_filters(self._base_filters),
            order_column, order_direction, page=page, page_size=page_size or self.page_size, select_columns=columns,
        )  # fmt: skip
        widgets = widgets or {}
        widgets["list"] = self.list_widget(
            label_columns=self.label_columns,
            include_columns=columns,
            value_columns=self.datamodel.get_values(rows, columns),
            order_columns=self.order_columns,
            formatters_columns=self.formatters_columns,
            page=page_within(count, page, page_size or self.page_size),
            page_size=page_size or self.page_size,
            count=count,
            count_text=f"{COUNT_CAP}+" if count > COUNT_CAP else None,
            pks=[self._serialize_pk_if_composite(pk) for pk in self.datamodel.get_keys(rows)],
            actions=actions or self.actions,
            filters=filters,
            modelview_name=type(self).__name__,
            frozen=self.frozen,
            **self.list_extras(columns),
            **kwargs,
        )
        return widgets

    def shown_columns(self) -> list[str]:
        offered = [*self.list_columns, *self.more_columns]
        return (
            preferences.chosen_columns(type(self).__name__, offered, self.list_columns)
            if self.more_columns
            else (self.list_columns)
        )

    def list_extras(self, shown: list[str]) -> dict[str, Any]:
        """Further variables of the list's template: column choice, exports, batch selection."""
        extras: dict[str, Any] = {}
        actor, name = current_actor(), type(self).__name__
        if self.workbooks and self.exports and actor.may(self.exports):
            query: dict[str, Any] = request.args.to_dict(flat=False)
            extras["exports"] = [
                (book.title, url_for(f"{name}.export", key=book.key, **query)) for book in self.workbooks
            ]
        if not self.more_columns:
            return extras
        offered = [*self.list_columns, *self.more_columns]
        asked: dict[str, Any] = request.args.to_dict(flat=False)  # so that the reader comes back to the same rows
        menu = [{"name": c, "label": self.label_columns[c], "shown": c in shown} for c in offered]
        return extras | {"columns_menu": menu, "columns_url": url_for(f"{name}.choose_columns", **asked)}

    def _get_search_widget(self, form=None, exclude_cols=None, widgets=None):
        widgets = super()._get_search_widget(form, exclude_cols, widgets)
        arguments = widgets["search"].template_args
        name = type(self).__name__
        if self.quick:
            names = listed(self.label_columns[column] for column in self.quick if column in self.label_columns)
            arguments["quick"] = {"param": "q", "label": _("Search by %(columns)s", columns=names)}
        if self.pasted:
            label = _("Paste a list")
            arguments["pasted"] = {"url": url_for(f"{name}.paste"), "name": "numbers", "label": label}
        arguments["saved_filters"] = preferences.saved_filters(name, name)
        asked: dict[str, Any] = request.args.to_dict(flat=False)
        arguments["save_filter_url"] = url_for(f"{name}.keep_filter", **asked)
        return widgets

    def _get_show_widget(self, pk, item, widgets=None, actions=None, show_fieldsets=None):
        g.xueji_shown_row, g.xueji_shown_name = pk, self.name_of(item)
        return super()._get_show_widget(pk, item, widgets, actions, show_fieldsets)

    def name_of(self, item: Any) -> str | None:
        """What the page of one row is called, besides its kind; nothing where rows have no name."""
        return str(item) if type(item).__str__ is not object.__str__ else None

    def render_template(self, template, **kwargs):
        return super().render_template(template, screen=self, **kwargs)

    # a reader's own arrangements

    @expose("/columns", methods=["POST"])
    @has_access
    @permission_name("list")
    def choose_columns(self):
        offered = [*self.list_columns, *self.more_columns]
        wanted = [] if request.form.get("reset") else [c for c in request.form.getlist("columns") if c in offered]
        preferences.save_columns(type(self).__name__, wanted)
        return redirect(self.list_url())

    @expose("/filters", methods=["POST"])
    @has_access
    @permission_name("list")
    def keep_filter(self):
        name = request.form.get("label", "").strip()[:40]
        if name:
            preferences.save_filter(type(self).__name__, name, preferences.own_query())
            flash(_("The filter “%(name)s” is saved.", name=name), "success")
        return redirect(self.list_url())

    @expose("/filters/<int:filter_id>/delete", methods=["POST"])
    @has_access
    @permission_name("list")
    def forget_filter(self, filter_id: int):
        preferences.forget_filter(filter_id)
        return redirect(self.list_url())

    @expose("/paste", methods=["POST"])
    @has_access
    @permission_name("list")
    def paste(self):
        """Select by a pasted list: a filter's value, so that it can be saved, exported and decided upon."""
        if self.pasted is None:
            abort(404)
        values = pasted(request.form.get("numbers", "").replace("\0", ""))
        if not values:
            raise Refused(_("The list is empty. Paste one number a line."))
        if len(values) > MOST_LISTED:
            raise Refused(_("The list has %(n)s values, and at most %(most)s can be looked for. Paste it in parts.",
                            n=len(values), most=MOST_LISTED))  # fmt: skip
        field = getattr(self.datamodel.obj, self.pasted)
        found = set(db.session.scalars(select(field).where(one_of(field, values))))
        if missing := [value for value in values if value not in found]:
            shown = listed([*missing[:MISSING_SHOWN], *(["…"] if len(missing) > MISSING_SHOWN else [])])
            flash(
                _("%(n)s of %(all)s are not found: %(values)s", n=len(missing), all=len(values), values=shown),
                "warning",
            )
        numbers = " ".join(values)
        if len(numbers) > LONGEST_IN_ADDRESS:
            numbers = preferences.keep_list(values)
        index = [type(kind) for kind in self._filters.get_search_filters()[self.pasted]].index(ListedFilter)
        asked: dict[str, Any] = {f"_flt_{index}_{self.pasted}": numbers}
        return redirect(url_for(f"{type(self).__name__}.list", **asked))

    @expose("/reveal/<int:pk>/<column>", methods=["POST"])
    @has_access
    @permission_name("show")
    def reveal(self, pk: int, column: str):
        """One masked value of one row, for whoever may see it; each reveal is in the audit."""
        needed = self.masked.get(column)
        row = self.datamodel.get(pk, self._base_filters) if needed else None
        if needed is None or row is None:
            abort(404)
        actor = current_actor()
        if not actor.may(needed):
            abort(403)
        subject = self.datamodel.obj.__tablename__
        college = getattr(row, "college_id", None)
        audit(actor, f"{subject}.reveal", subject=subject, subject_id=pk, college_id=college, detail={"column": column})
        db.session.commit()
        return jsonify(value=getattr(row, column))

    # rows of somebody else are no rows

    @expose("/action/<string:name>/<pk>", methods=["POST"])
    def action(self, name: str, pk: str):
        if self.datamodel.get(pk, self._base_filters) is None:
            abort(404)
        return super().action(name, pk)

    @expose("/action_post", methods=["POST"])
    def action_post(self):
        rows = request.form.getlist("rowid")
        if not rows or any(self.datamodel.get(row, self._base_filters) is None for row in rows):
            abort(404)
        return super().action_post()

    def download(self, filename: str):
        abort(404)  # files are served by our own routes, which check the row they belong to

    @expose("/lookup")
    @has_access
    @permission_name("list")
    def lookup(self):
        """Rows for a picker: {results: [{id, text}]}, at most 20, those the asker may see."""
        rows = self.datamodel.lookup(self.quick or (self.list_columns[0],), request.args.get("q", "").strip()[:60])
        return jsonify(results=[{"id": row.id, "text": str(row)} for row in rows])


def choices(kinds: Any) -> list[tuple[str, Any]]:
    """(value, label) pairs of a code set, an enum or Words, a blank one first."""
    if isinstance(kinds, str):
        return [("", ""), *((code.code, str(code)) for code in codes_of(kinds))]
    if isinstance(kinds, Words):
        return [("", ""), *kinds.pairs()]
    return [("", ""), *((kind.value, kind.label) for kind in kinds)]


class Api(RequestLocalFilters, ModelRestApi):
    """The same rows as JSON: read and list. Writes go through operations, so that no API does what a screen refuses."""

    model: ClassVar[type[Model] | None] = None
    reads: ClassVar[Permission | None] = None
    allow_browser_login = True
    base_permissions = ["can_get", "can_info"]
    exclude_route_methods = {"post", "put", "delete", "related", "distinct", "bulk_delete"}

    def __init_subclass__(cls, **kwargs) -> None:
        super().__init_subclass__(**kwargs)
        if cls.model is not None:
            cls.datamodel = XuejiInterface(cls.model)

    def response_500(self, **kwargs):
        """Hand what FAB caught on to the application, which tells a refusal of the database from a fault of ours."""
        if sys.exc_info()[1] is not None:
            raise  # FAB calls this while it handles the exception
        return super().response_500(**kwargs)

    @classmethod
    def needs(cls) -> dict[str, Permission]:
        assert cls.reads is not None
        return dict.fromkeys(("can_get", "can_info"), cls.reads)
