"""选择框 pickers of rows of large tables: they ask a lookup endpoint, and never load the table into a list."""

from collections.abc import Callable
from typing import Any

from flask import url_for
from flask_appbuilder.fields import AJAXSelectField
from markupsafe import Markup
from wtforms.validators import DataRequired, Optional

from app.kit.screen.interface import XuejiInterface
from app.kit.screen.own import own


class LookupWidget:
    """A select that js/fields.js turns into a search box; without script it keeps the present choice."""

    def __init__(self, endpoint: str, show: Callable[[Any], str]) -> None:
        self.endpoint = endpoint
        self.show = show

    def __call__(self, field: AJAXSelectField, **kwargs: Any) -> Markup:
        """`value` is the key of the present choice where the field stands for a condition and holds none itself."""
        row = field.row_of(kwargs["value"]) if "value" in kwargs else field.chosen()
        option = Markup('<option value="{}" selected>{}</option>').format(row.id, self.show(row)) if row else ""
        return Markup(
            '<select id="{0}" name="{1}" class="form-control xj-lookup" data-endpoint="{2}" {4}>'
            '<option value=""></option>{3}</select>'
        ).format(kwargs.get("id", field.name), kwargs.get("name", field.name), url_for(self.endpoint), option, own())


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
        self.show = show

    def chosen(self) -> Any:
        """The row chosen, whether the field holds it or its key."""
        return self.row_of(self.data) if isinstance(self.data, int) else self.data

    def row_of(self, key: Any) -> Any:
        """The row of a key; None where the reader reaches none."""
        return self.datamodel.get_related_interface(self.col_name).get(key)

    def named(self, key: str) -> str:
        """What the reader calls the row of a key."""
        row = self.row_of(key)
        return self.show(row) if row else key
