"""画面 screen: FAB's ModelView, wrapped once for scope, threads, errors and speed. Every screen derives from it."""

import copy
from dataclasses import dataclass
from typing import Any, ClassVar

from flask import abort, g, has_request_context, jsonify, request
from flask_appbuilder import ModelRestApi, ModelView, expose
from flask_appbuilder.security.decorators import has_access, permission_name

from app.access import Permission, current_actor
from app.kit.screen.filters import QuickFilter
from app.kit.screen.interface import COUNT_CAP, XuejiInterface
from app.models import Model

READS = ("can_list", "can_show", "menu_access")
WRITES = ("can_add", "can_edit", "can_delete")


@dataclass(frozen=True)
class Menu:
    """Where a screen stands in the sidebar. `group` names the heading; labels are lazy texts."""

    label: Any
    group: str
    icon: str


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


class Screen(RequestLocalFilters, ModelView):
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
    picks: ClassVar[dict[str, Any]] = {}  # column → code set key or enum: filters and badges
    masked: ClassVar[dict[str, Permission]] = {}
    page_size = 25

    def __init_subclass__(cls, **kwargs) -> None:
        super().__init_subclass__(**kwargs)
        if cls.model is None:
            return
        if cls.reads is None:
            raise TypeError(f"{cls.__name__} says nobody may read it: set `reads` to a Permission")
        if "datamodel" not in cls.__dict__:
            cls.datamodel = XuejiInterface(cls.model)
        if "base_permissions" not in cls.__dict__:
            cls.base_permissions = [
                "can_list", "can_show", *(WRITES if cls.writes else ()), *cls.acts,
            ]  # fmt: skip

    @classmethod
    def needs(cls) -> dict[str, Permission]:
        """FAB permission name → our permission, for the security manager."""
        assert cls.reads is not None  # __init_subclass__ saw to it
        needed = dict.fromkeys(READS, cls.reads)
        if cls.writes:
            needed |= dict.fromkeys(WRITES, cls.writes)
        return needed | cls.acts

    # lists

    def _get_list_widget(self, filters, actions=None, order_column="", order_direction="", page=None, page_size=None,
                         widgets=None, **kwargs):  # fmt: skip
        text = request.args.get("q", "").strip()[:60] if has_request_context() else ""
        if text and self.quick:
            filters = filters.copy()
            filters.add_filter(self.quick[0], QuickFilter, (self.quick, text))
        if order_column not in self.order_columns:
            order_column, order_direction = "", ""
        return super()._get_list_widget(
            filters, actions, order_column, order_direction, page, page_size, widgets, **kwargs
        )

    def render_template(self, template, **kwargs):
        return super().render_template(
            template, screen=self, count_cap=COUNT_CAP, may=current_actor().may, Permission=Permission, **kwargs
        )

    # rows of somebody else are no rows

    @expose("/action/<string:name>/<pk>", methods=["POST"])
    def action(self, name: str, pk: str):
        if name not in self.actions or self.datamodel.get(pk, self._base_filters) is None:
            abort(404)
        return super().action(name, pk)

    @expose("/action_post", methods=["POST"])
    def action_post(self):
        rows = request.form.getlist("rowid")
        if request.form.get("action") not in self.actions:
            abort(404)
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

    @classmethod
    def needs(cls) -> dict[str, Permission]:
        assert cls.reads is not None
        return dict.fromkeys(("can_get", "can_info"), cls.reads)
