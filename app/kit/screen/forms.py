"""表单 the generated forms of a screen: what is typed stays until it is saved, a stale form says what changed meanwhile, and
whoever saves comes back to the list that she left."""

import json
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from flask import abort, flash, redirect, request, url_for
from flask_appbuilder.exceptions import DatabaseException
from flask_appbuilder.urltools import get_filter_args
from flask_babel import gettext
from flask_babel import lazy_gettext as _

from app.kit.operation import Faulty, Told
from app.models import Model, db
from app.models.language import listed

SEEN, BACK = (
    "_seen",
    "_back",
)  # hidden fields: marks of the values as the form showed them, and where it was opened from
CANNOT = (Told, DatabaseException, ValueError)  # of which a person reads the sentence


class KeepsForms:
    """Mixin of a screen, before FAB's: adding and editing rows by its generated forms."""

    # of the screen
    datamodel: Any
    add_form: Any
    edit_form: Any
    edit_columns: list[str]
    label_columns: dict[str, Any]

    def _add(self):
        form, excluded = self.add_form.refresh(), self._outer()
        if request.method == "POST":
            self._fill_form_exclude_cols(excluded, form)  # type: ignore[attr-defined]  # FAB's
            if form.validate() and self._written(form, self.datamodel.obj(), created=True):
                return None
        return self._drawn(self._get_add_widget(form=form, exclude_cols=excluded), "add")  # type: ignore[attr-defined]

    def _edit(self, pk: Any):
        item = self.datamodel.get(pk, self._base_filters)  # type: ignore[attr-defined]
        if item is None:
            abort(404)
        excluded, key = self._outer(), self.datamodel.get_pk_value(item)
        seen = marks(item, [name for name in self.edit_columns if hasattr(item, name)])
        if request.method == "POST":
            form = self.edit_form.refresh(request.form)
            self._fill_form_exclude_cols(excluded, form)  # type: ignore[attr-defined]
            form._id = key  # by which FAB's check of uniqueness knows the row itself
            sound = form.validate()
            if not self._merged(form, item, seen) and sound and self._written(form, item, created=False):
                return None
        else:
            form = self.edit_form.refresh(obj=item)
            form._id = key
            self.prefill_form(form, key)  # type: ignore[attr-defined]
        widgets = self._drawn(self._get_edit_widget(form=form, exclude_cols=excluded), "edit", json.dumps(seen))  # type: ignore[attr-defined]
        return self._get_related_views_widgets(item, filters={}, orders={}, pages={}, page_sizes={}, widgets=widgets)  # type: ignore[attr-defined]

    def _outer(self) -> list[str]:
        get_filter_args(self._filters, disallow_if_not_in_search=False)  # type: ignore[attr-defined]
        return self._filters.get_relation_cols()  # type: ignore[attr-defined]

    def _written(self, form: Any, item: Any, *, created: bool) -> bool:
        """Save the row; else the form says why not, and keeps what was typed."""
        before, save, after = (
            (self.pre_add, self.datamodel.add, self.post_add)  # type: ignore[attr-defined]
            if created
            else (self.pre_update, self.datamodel.edit, self.post_update)  # type: ignore[attr-defined]
        )
        try:
            self.process_form(form, created)  # type: ignore[attr-defined]
            form.populate_obj(item)
            before(item)
            save(item)
            after(item)
        except CANNOT as error:
            db.session.rollback()
            beside = error.faults if isinstance(error, Faulty) and error.faults.keys() <= form._fields.keys() else {}
            for name, why in beside.items():
                form[name].errors = [str(why)]
            if not beside:
                form.form_errors = [*form.form_errors, str(error)]
            return False
        # asked for now: what is said may depend on what saving has come to
        flash(self.add_row_message if created else self.edit_row_message, "success")  # type: ignore[attr-defined]
        return True

    def _merged(self, form: Any, item: Any, now: dict[str, str]) -> bool:
        """Whether others changed the row since the form was opened. Then their values stand in the fields that the reader
        left alone; those that both changed say what stands now."""
        seen = seen_of(request.form.get(SEEN, ""))
        others = [name for name in now if name in seen and seen[name] != now[name] and name in form]
        others = [name for name in others if mark(form[name].data) != now[name]]
        for name in others:
            value = getattr(item, name)
            if mark(form[name].data) == seen[name]:
                form[name].data = form[name].raw_data = None
                form[name].process(None, value)
                form[name].errors = []
            else:
                form[name].errors = [*form[name].errors, gettext("Somebody else entered: %(value)s", value=word(value))]
        if others:
            words = listed(str(self.label_columns.get(name, name)) for name in others)
            form.form_errors = [*form.form_errors, gettext(
                "Somebody else changed this record meanwhile: %(fields)s. Nothing was saved. The form shows the new values"
                " beside yours: look at them and save again.", fields=words)]  # fmt: skip
        return bool(others)

    def _drawn(self, widgets: dict[str, Any], kind: str, seen: str = "") -> dict[str, Any]:
        widgets[kind].template_args.update(cancel_url=self.back_url(), hidden={BACK: self.back_url(), SEEN: seen})
        return widgets

    # where the reader came from, told by the form itself: other tabs are elsewhere

    def back_url(self) -> str:
        """The list or the page of this screen from which the form was opened, with its filter; else the list."""
        own = url_for(f"{type(self).__name__}.list")
        shows = own.removesuffix("list/") + "show/"
        for asked in (request.form.get(BACK), request.referrer):
            parts = urlsplit(asked or "")
            ours = not parts.netloc or parts.netloc == request.host
            if ours and (parts.path == own or parts.path.startswith(shows)):
                return f"{parts.path}?{parts.query}" if parts.query else parts.path
        return own

    def post_add_redirect(self):
        return redirect(self.back_url())

    def post_edit_redirect(self):
        return redirect(self.back_url())

    def post_delete_redirect(self):
        back = self.back_url()
        return redirect(back if "/show/" not in back else url_for(f"{type(self).__name__}.list"))


def mark(value: Any) -> str:
    """A short mark of a value, alike for alike ones: of a row its key, of several theirs, nothing and no text the same."""
    return sha256(plain(value).encode()).hexdigest()[:16]


def plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple | set):
        return "\n".join(sorted(plain(one) for one in value))
    if isinstance(value, Model):
        return str(next(iter(value.__mapper__.primary_key_from_instance(value))))
    return str(value).replace("\r\n", "\n").strip()


def marks(item: Any, names: list[str]) -> dict[str, str]:
    return {name: mark(getattr(item, name)) for name in names}


def seen_of(text: str) -> dict[str, str]:
    """The marks that a form brings back; none from one that has been tampered with."""
    try:
        found = json.loads(text[:20_000]) if text else {}
    except ValueError:
        return {}
    return {str(name): str(one) for name, one in found.items()} if isinstance(found, dict) else {}


def word(value: Any) -> str:
    if isinstance(value, bool):
        return str(_("Yes") if value else _("No"))
    return listed(map(str, value)) if isinstance(value, list | tuple) else "—" if value in (None, "") else str(value)
