"""自定义 what a reader arranges for herself on a list: its columns, named filters, a pasted list of numbers."""

from collections.abc import Callable
from typing import Any, ClassVar

from flask import abort, flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import lazy_gettext as _
from sqlalchemy import select

from app.kit.operation import Refused
from app.kit.screen import preferences
from app.kit.screen.comparing import also_known_by, one_of, pasted
from app.kit.screen.filters import ListedFilter
from app.models import db
from app.models.language import listed

MOST_LISTED = 100_000  # values of one pasted list
LONGEST_IN_ADDRESS = 500  # characters of a pasted list; a longer one is kept, and the address names it
MISSING_SHOWN = 10


class KeepsArrangements:
    """Mixin of a screen: each reader's own choice of columns, saved filters and pasted lists."""

    pasted: ClassVar[str | None] = None  # column that a pasted list of numbers selects by
    # of the screen
    list_columns: list[str]
    more_columns: ClassVar[list[str]]
    list_url: Callable[[], str]
    datamodel: Any
    _filters: Any

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
        numbers = " ".join(values)
        if len(numbers) > LONGEST_IN_ADDRESS:
            numbers = preferences.keep_list(values)
        asked: dict[str, Any] = {self.listing_condition(): numbers}
        return redirect(url_for(f"{type(self).__name__}.list", **asked))

    def listing_condition(self) -> str:
        """How an address calls the condition that the numbers of a list are asked by."""
        index = [type(kind) for kind in self._filters.get_search_filters()[self.pasted]].index(ListedFilter)
        return f"_flt_{index}_{self.pasted}"

    def tell_what_is_missing(self) -> None:
        """On the first page of a list by numbers: which of them there are none of, however the list was given."""
        asked = [*request.args] if self.pasted else []
        if (
            not asked
            or self.listing_condition() not in asked
            or any(name.startswith(("page_", "_oc_")) for name in asked)
        ):
            return
        values = ListedFilter.values(request.args[self.listing_condition()])
        field = getattr(self.datamodel.obj, self.pasted or "")
        found = {
            number
            for one in also_known_by(field)
            for number in db.session.scalars(select(one).where(one_of(one, values)))
        }
        if missing := [value for value in values if value not in found]:
            shown = listed([*missing[:MISSING_SHOWN], *(["…"] if len(missing) > MISSING_SHOWN else [])])
            flash(
                _("%(n)s of %(all)s are not found: %(values)s", n=len(missing), all=len(values), values=shown),
                "warning",
            )
