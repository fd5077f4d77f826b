"""画面 screen: FAB's ModelView, wrapped once for scope, threads, errors and speed. Every screen derives from it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from flask import abort, g, jsonify, request, url_for
from flask_appbuilder import ModelView, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import lazy_gettext as _
from wtforms import SelectField

from app.access import Permission, current_actor
from app.kit.operation import audit
from app.kit.readable import readable
from app.kit.screen import preferences
from app.kit.screen.acting import ActsOnRows
from app.kit.screen.arranging import KeepsArrangements
from app.kit.screen.exporting import ExportsLists
from app.kit.screen.filters import ConditionsWidget
from app.kit.screen.forms import KeepsForms
from app.kit.screen.interface import COUNT_CAP, XuejiInterface, page_within
from app.kit.screen.lookup import LookupField
from app.kit.screen.present import badge_of, masked, moment
from app.kit.screen.threads import RequestLocalFilters
from app.models import Model, db
from app.models.language import listed
from app.models.organisation.codes import codes_of

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


class Screen(KeepsForms, ActsOnRows, ExportsLists, KeepsArrangements, RequestLocalFilters, ModelView):
    """List and forms of one model.

    Declare `model`, `menu`, `reads` (and `writes` for plain reference data) and the columns; see the README.
    Without `writes` nothing can be added, edited or deleted: such rows change through operations.
    """

    model: ClassVar[type[Model] | None] = None
    menu: ClassVar[Menu | None] = None
    reads: ClassVar[Permission | None] = None
    writes: ClassVar[Permission | None] = None
    acts: ClassVar[dict[str, Permission]] = {}  # further exposed methods: FAB permission name → what it needs
    picks: ClassVar[dict[str, Any]] = {}  # column → code set key, enum or Words: pick lists, and badges for enums
    lookups: ClassVar[dict[str, str]] = {}  # relation of the search → endpoint of its picker, for a large table
    frozen: ClassVar[int] = 1  # first columns that stay in view
    sentences: ClassVar[tuple[str, ...]] = ()  # columns of a list that are read whole, on several lines
    page_size = 25
    search_widget = ConditionsWidget

    def __init_subclass__(cls, **kwargs) -> None:
        super().__init_subclass__(**kwargs)
        if cls.model is None:
            return
        if cls.reads is None:
            raise TypeError(f"{cls.__name__} says nobody may read it: set `reads` to a Permission")
        cls.datamodel = XuejiInterface(cls.model)
        if "base_permissions" not in cls.__dict__:
            cls.base_permissions = ["can_list", "can_show", *(WRITES if cls.writes else ()), *cls.acts]
        cls.base_permissions = list(dict.fromkeys([*cls.base_permissions, "can_export"]))
        cls.search_form_extra_fields = {
            column: SelectField(cls.label_columns.get(column, column), choices=lambda kinds=kinds: choices(kinds))
            for column, kinds in cls.picks.items()
        } | {
            column: LookupField(cls.label_columns[column], cls.model, column, endpoint, required=False)
            for column, endpoint in cls.lookups.items()
        }
        texts = [
            name for name in (*(cls.add_columns or ()), *(cls.edit_columns or ())) if cls.datamodel.is_string(name)
        ]
        cls.validators_columns = {name: [readable] for name in texts} | (cls.__dict__.get("validators_columns") or {})
        enums = {column: badge_of(kinds) for column, kinds in cls.picks.items() if isinstance(kinds, type)}
        masks = {column: masked(cls.__name__, column, needs) for column, needs in cls.masked.items()}
        moments = dict.fromkeys(filter(cls.datamodel.is_datetime, cls.datamodel.list_columns), moment)
        cls.formatters_columns = moments | enums | masks | (cls.__dict__.get("formatters_columns") or {})

    @classmethod
    def needs(cls) -> dict[str, Permission]:
        """FAB permission name → our permission, for the security manager."""
        assert cls.reads is not None  # __init_subclass__ saw to it
        needed = dict.fromkeys(READS, cls.reads)
        if cls.writes:
            needed |= dict.fromkeys(WRITES, cls.writes)
        return needed | {"can_export": cls.exports or cls.reads} | cls.acts

    # lists

    def _get_list_widget(self, filters, actions=None, order_column="", order_direction="", page=None, page_size=None,
                         widgets=None, **kwargs):  # fmt: skip
        if order_column not in self.order_columns:
            order_column, order_direction = self.base_order or ("", "")
        self.tell_what_is_missing()
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
            sentences=self.sentences,
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
        extras: dict[str, Any] = {"exports": self.export_links()}
        if not self.more_columns:
            return extras
        name = type(self).__name__
        asked: dict[str, Any] = request.args.to_dict(flat=False)  # so that the reader comes back to the same rows
        offered = [*self.list_columns, *self.more_columns]
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

    @expose("/reveal/<int:pk>/<column>", methods=["POST"])
    @has_access
    @permission_name("show")
    def reveal(self, pk: int, column: str):
        """One masked value of one row, for whoever may see it; each reveal is in the audit."""
        needed = self.masked.get(column)
        row = self.datamodel.get(pk, self._base_filters) if needed else None
        if needed is None or not hasattr(row, column):
            abort(404)
        actor = current_actor()
        if not actor.may(needed):
            abort(403)
        subject = self.datamodel.obj.__tablename__
        college = getattr(row, "college_id", None)
        audit(actor, f"{subject}.reveal", subject=subject, subject_id=pk, college_id=college, detail={"column": column})
        db.session.commit()
        return jsonify(value=getattr(row, column))

    def download(self, filename: str):
        abort(404)  # files are served by our own routes, which check the row they belong to

    @expose("/lookup")
    @has_access
    @permission_name("list")
    def lookup(self):
        """Rows for a picker: {results: [{id, text}]}, at most 20, those the asker may see."""
        rows = self.datamodel.lookup(self.quick or (self.list_columns[0],), request.args.get("q", "").strip()[:60])
        return jsonify(results=[{"id": self.datamodel.get_pk_value(row), "text": str(row)} for row in rows])


def choices(kinds: Any) -> list[tuple[str, Any]]:
    """(value, label) pairs of a code set, an enum or Words, a blank one first: whatever a row may hold."""
    if isinstance(kinds, str):
        return [("", ""), *((code.code, str(code)) for code in codes_of(kinds, retired=True))]
    if isinstance(kinds, Words):
        return [("", ""), *kinds.pairs()]
    return [("", ""), *((kind.value, kind.label) for kind in kinds)]
