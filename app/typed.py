"""What people type: every text of a request comes clean to whoever reads it, be it a form, an address or JSON."""

from typing import Any

from flask import Request
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.formparser import FormDataParser
from werkzeug.utils import cached_property

from app.models.text import cleaned

FILE_FIELDS = {"file", "minutes"}  # what a page or the interface may send a file as


def cleaned_form(sent: MultiDict[str, str]) -> ImmutableMultiDict[str, str]:
    return ImmutableMultiDict([(name, cleaned(name, text)) for name, text in sent.items(multi=True)])


def cleaned_json(value: Any, name: str = "") -> Any:
    """The same of what JSON holds; `name` is that of the field that the value stands in."""
    if isinstance(value, str):
        return cleaned(name, value)
    if isinstance(value, list):
        return [cleaned_json(one, name) for one in value]
    if isinstance(value, dict):
        return {cleaned("", key): cleaned_json(one, key) for key, one in value.items()}
    return value


class CleanForm(FormDataParser):
    def parse(self, *args: Any, **kwargs: Any):
        stream, form, files = super().parse(*args, **kwargs)
        # A form takes files for values: one in place of a text would be a text to nobody who reads it.
        sent = [(name, file) for name, file in files.items(multi=True) if name in FILE_FIELDS]
        return stream, cleaned_form(form), ImmutableMultiDict(sent)


class CleanRequest(Request):
    """A request in which nothing stands that nobody sees, nor a name in another spelling than it is stored in."""

    form_data_parser_class = CleanForm

    @cached_property
    def args(self) -> ImmutableMultiDict[str, str]:
        # Whatever it is called, a condition may hold a list of values.
        return ImmutableMultiDict([(name, cleaned("", text)) for name, text in super().args.items(multi=True)])

    def get_json(self, *args: Any, **kwargs: Any) -> Any:
        return cleaned_json(super().get_json(*args, **kwargs))
