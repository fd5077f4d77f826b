"""接口 the rows of a model as JSON, read and listed within the reader's scope."""

import re
import sys
from typing import Any, ClassVar

from flask_appbuilder import ModelRestApi
from flask_appbuilder import api as fab
from flask_appbuilder.exceptions import FABException
from flask_babel import lazy_gettext as _

from app.access import Permission
from app.kit.screen.interface import XuejiInterface
from app.kit.screen.threads import RequestLocalFilters
from app.models import Model

jsonschema = fab.jsonschema


class KnownSchemas:
    """What FAB asks of jsonschema, which would examine FAB's own schemas anew at each request: a third of its time."""

    ValidationError = jsonschema.ValidationError

    def __init__(self) -> None:
        self.validators: dict[int, Any] = {}

    def validate(self, instance: Any, schema: dict[str, Any]) -> None:
        """Raise ValidationError unless the instance is as the schema says. FAB's schemas are constants of its module."""
        if id(schema) not in self.validators:
            self.validators[id(schema)] = jsonschema.validators.validator_for(schema)(schema)
        error = jsonschema.exceptions.best_match(self.validators[id(schema)].iter_errors(instance))
        if error is not None:
            raise error


fab.jsonschema = KnownSchemas()
# How FAB's own refusals begin, which are in English.
FABS_OWN = re.compile(r"\{|Not a valid|Invalid |Cannot use |Filter |Arguments |Request ")


class SaysWhy:
    """Mixin of an API: what it refuses, it refuses in the reader's language, as the pages do."""

    response: Any  # FAB's

    def response_400(self, message: Any = None):
        if not message or FABS_OWN.match(str(message)):
            message = str(
                _("This query is not understood; /swagger/v1 describes it. (%(detail)s)", detail=message or "q")
            )
        return self.response(400, message=message)

    def response_401(self):
        return self.response(401, message=str(_("Please log in")))

    def response_403(self):
        return self.response(403, message=str(_("Your role may not do this. Ask the roster registry if you should.")))

    def response_404(self):
        return self.response(404, message=str(_("There is no such record, or it is not one of yours.")))


class Api(SaysWhy, RequestLocalFilters, ModelRestApi):
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
            labels = cls.label_columns or {}
            shown = {*cls.list_columns, *cls.show_columns} - {"id"}
            cls.label_columns = {name: labels[name.partition(".")[0]] for name in shown}

    def _handle_filters_args(self, asked: dict[str, Any]) -> Any:
        for condition in asked.get("filters", []):
            if isinstance(condition.get("value"), dict | list):
                raise FABException(f"Filter {condition.get('col')}: one value")
        return super()._handle_filters_args(asked)

    def _get_fields_info(self, *_args: Any, **_kwargs: Any) -> list:
        return []  # nothing is written here, so there are no forms to describe

    def response_500(self, **kwargs):
        """Hand what FAB caught on to the application, which tells a refusal of the database from a fault of ours."""
        if sys.exc_info()[1] is not None:
            raise  # FAB calls this while it handles the exception
        return super().response_500(**kwargs)

    @classmethod
    def needs(cls) -> dict[str, Permission]:
        assert cls.reads is not None
        return dict.fromkeys(("can_get", "can_info"), cls.reads)
