"""选择框 pickers of rows of large tables: they ask a lookup endpoint, and never load the table into a list."""

from collections.abc import Callable
from typing import Any

from flask import url_for
from flask_appbuilder.fields import AJAXSelectField
from markupsafe import Markup
from wtforms.validators import DataRequired, Optional

from app.kit.screen.interface import XuejiInterface


class LookupWidget:
    """A select that js/fields.js turns into a search box; without script it keeps the present choice."""

    def __init__(self, endpoint: str, show: Callable[[Any], str]) -> None:
        self.endpoint = endpoint
        self.show = show

    def __call__(self, field: AJAXSelectField, **kwargs: Any) -> Markup:
        row = field.data if not isinstance(field.data, int) else field.chosen()
        option = Markup('<option value="{}" selected>{}</option>').format(row.id, self.show(row)) if row else ""
        return Markup(
            '<select id="{0}" name="{0}" class="form-control xj-lookup" data-endpoint="{1}">'
            '<option value=""></option>{2}</select>'
        ).format(field.name, url_for(self.endpoint), option)


class LookupField(AJAXSelectField):
    """A relation chosen through `endpoint`, a screen's lookup."""

    def __init__(
        self, label: Any, model: Any, relation: str, endpoint: str, *, required: bool = True,
        show: Callable[[Any], str] = str, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            label, [DataRequired() if required else Optional()], datamodel=XuejiInterface(model), col_name=relation,
            widget=LookupWidget(endpoint, show), **kwargs,
        )  # fmt: skip

    def chosen(self) -> Any:
        """The row of a stored key."""
        return self.datamodel.get_related_interface(self.col_name).get(self.data)
