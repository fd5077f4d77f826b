"""How a text that somebody types or pastes is compared with a column: by what it says, however it is written."""

import re
import unicodedata
from typing import Any

from sqlalchemy import ColumnElement, Text, any_, bindparam, false, func, inspect
from sqlalchemy.dialects.postgresql import ARRAY

from app.models.text import clean_lines, clean_name, folded, number

SEPARATORS = re.compile(r"[\s,，;；、'\"‘’“”]+")
OF_NUMBERS = ("_no", "number", "code", "phone", "postcode")  # how columns of numbers end


def spelled(text: str) -> str:
    """A name as columns of pinyin hold it: Zhang San → zhangsan, Lü → lv. What is no spelling finds nobody."""
    return re.sub(r"[^a-z0-9]", "", folded(unicodedata.normalize("NFD", text.lower()).replace("u\u0308", "v")))


def pasted(text: str) -> list[str]:
    """The numbers of a list pasted from anywhere: one a line, or between commas, semicolons, quotes or spaces; each once."""
    values = map(number, SEPARATORS.split(clean_lines(text)))
    return list(dict.fromkeys(value for value in values if value))


def compared(field: Any, text: str) -> tuple[Any, str]:
    """What is compared where a text is looked for in a column: names by what they say, numbers without their dress."""
    info = getattr(field, "info", {})
    if info.get("spelled"):
        return field, spelled(text)
    if key := info.get("compared_by"):
        return getattr(field.class_, key), folded(text)
    if info.get("compared"):
        return func.folded(field), folded(text)
    return field, number(text) if (getattr(field, "key", None) or "").endswith(OF_NUMBERS) else clean_name(text)


def begins(field: Any, text: str) -> ColumnElement[bool]:
    """The column begins with the text; nothing that is left empty begins a name."""
    column, wanted = compared(field, text)
    return column.op("^@", is_comparison=True)(wanted) if wanted else false()


def one_of(field: Any, values: list[str]) -> ColumnElement[bool]:
    """The field is one of any number of texts, sent as one parameter."""
    return field == any_(bindparam(None, values, ARRAY(Text)))


def also_known_by(field: Any) -> list[Any]:
    """The column of numbers, and another by whose numbers the same row is known: of a freshman, who has no other yet."""
    info = getattr(field, "info", {})
    return [field, getattr(field.class_, info["also_known_by"])] if "also_known_by" in info else [field]


def key_of(model: type, relation: str) -> Any:
    """The column of `model` that holds the primary key of its related row."""
    pairs: Any = inspect(model).relationships[relation].local_remote_pairs
    local = next((local for local, remote in pairs if remote.primary_key), pairs[0][0])
    return getattr(model, inspect(model).get_property_by_column(local).key)


def fitting(column: Any, value: Any) -> Any | None:
    """The value in the type of the column; None when it is none."""
    try:
        fits = column.type.python_type(value)
    except (TypeError, ValueError):
        return None
    return None if isinstance(fits, int) and abs(fits) >= 2**31 else fits
