"""Cells 单元格: what people write in a cell, as the one text the database understands; the standard library alone."""

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from typing import Any

if not __package__:  # in the process that parses, which sees the folder of that module and not the application
    from text import clean, clean_lines, clean_name, id_number, unknown_characters
else:
    from app.models.text import clean, clean_lines, clean_name, id_number, unknown_characters

MOST_DIGITS = 10**15  # Excel keeps 15 digits of a number; what is longer has lost some
COPY_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\t": "\\t"})
INTEGER = re.compile(r"([+-]?\d{1,40})(?:\.0*)?", re.ASCII)
NUMBER = re.compile(r"[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})", re.ASCII)
SCIENTIFIC = re.compile(r"\d(?:\.\d+)?E\+\d+", re.ASCII | re.IGNORECASE)
DATE = re.compile(r"(\d{4})([-/.年])(\d{1,2})([-/.月])(\d{1,2})日?", re.ASCII)
DIGITS_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.0+)?)?", re.ASCII)
MIDNIGHT = re.compile(r"[ T]0?0:00(:00(\.0+)?)?$", re.ASCII)
# What people and systems write where there is nothing to say; a whole cell, in exactly this spelling.
NOTHING = {"NULL", "null", "None", "none", "nan", "NaN", "N/A", "n/a", "/", "\\", "-", "--", "—", "——", "无"}
ERRORS = {"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#GETTING_DATA"}
SPECIAL = NOTHING | ERRORS
NUMERALS = {numeral: str(value) for value, numeral in enumerate("零一二三四五六七八九十")} | {"两": "2"}
BRACKETED = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】|〔[^〔〕]*〕|<[^<>]*>")
LATIN, OTHER = r"[A-Za-z][\x20-\x7e]{2,}", r"[^\x00-\x7f][^\x00-\x7f\s]*(?:\s+[^\x00-\x7f]+)*"
TWO_LANGUAGES = re.compile(rf"({OTHER})[\s/|:*-]*({LATIN})|({LATIN}?)[\s/|:*-]*({OTHER})")
TRUE = {"是", "有", "y", "yes", "true", "1", "√"}
FALSE = {"否", "无", "n", "no", "false", "0", "×"}


UNWRITABLE = re.compile(r"[\x00\ud800-\udfff]")  # no database and no workbook takes them


class Fault(Exception):
    """What is wrong with a cell: a code of reasons.CELL, what the cell shows where that is not its value, and what the
    sentence names of it."""


class Unlike(Exception):
    """A column has a cell that is not like most cells of its kind."""


PERCENTS = ("%", "％")


def read_as(kind: str, value: Any, units: Sequence[str] = ()) -> Any:
    """A cell before it is converted: empty where its word says so, a number without its unit."""
    if not isinstance(value, str):
        return value
    bare = value.strip()
    if bare in ERRORS:
        raise Fault("ERROR_CELL")
    if not bare or (bare in NOTHING and kind != "boolean"):
        return ""
    if kind in ("number", "integer") and bare.endswith(PERCENTS):
        bare = value = bare[:-1].strip()  # 86.5 % by its format is read as 86.5, and so is the same as text
    if units:
        unit = next((unit for unit in units if bare.endswith(unit) and bare != unit), "")
        bare = bare.removesuffix(unit).strip()
        return NUMERALS.get(bare, bare)
    return value


def strange(text: str) -> list[str]:
    """Characters that a cell must not have: those of one program alone, and the one that the database cannot take."""
    return [*unknown_characters(text), *(["U+0000"] if "\x00" in text else [])]


def to_text(value: Any) -> str:
    if isinstance(value, str):
        if unknown := strange(value):
            raise Fault("UNKNOWN_CHARACTER", value, ", ".join(unknown))
        return clean(value)
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float | int):
        if not -MOST_DIGITS < value < MOST_DIGITS:
            raise Fault("NUMBER_LOST_DIGITS")
        if value == int(value):
            return str(int(value))
        return f"{value:.15g}"
    if isinstance(value, dt.datetime):
        return value.isoformat(" ", "seconds")
    return str(value)


def to_name(value: Any) -> str:
    return clean_name(to_text(value))


def to_code(value: Any) -> str:
    if value.__class__ is str and value.isalnum() and value.isascii() and not value.endswith("x"):
        return value  # nearly every cell
    if isinstance(value, dt.date | dt.time | dt.timedelta):
        raise Fault("DATE_NOT_CODE")
    text = id_number(to_text(value))
    if SCIENTIFIC.fullmatch(text):
        raise Fault("NUMBER_LOST_DIGITS")
    return text


def to_integer(value: Any) -> str:
    match = INTEGER.fullmatch(to_number(value, "INTEGER"))
    if not match:
        raise Fault("INTEGER")
    return str(int(match[1]))


def to_number(value: Any, code: str = "NUMBER") -> str:
    if value.__class__ is float and -MOST_DIGITS < value < MOST_DIGITS:
        return f"{value:.15g}"  # nearly every cell
    if isinstance(value, bool) or not isinstance(value, str | float | int):
        raise Fault(code)
    text = unicodedata.normalize("NFKC", to_text(value)).strip()
    if isinstance(value, str) and not NUMBER.fullmatch(text):
        raise Fault(code)
    return text


def to_date(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    return clear_date(value, "DATE").isoformat()


def to_datetime(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.isoformat(" ")
    if isinstance(value, dt.date):
        return f"{value.isoformat()} 00:00:00"
    day, _space, time = to_text(value).replace("T", " ").partition(" ")
    match = TIME.fullmatch(time.strip() or "00:00")
    if not match:
        raise Fault("DATETIME")
    hour, minute, second = (int(part or 0) for part in match.groups())
    try:
        moment = dt.time(hour, minute, second)
    except ValueError as wrong:
        raise Fault("DATETIME") from wrong
    return f"{clear_date(day, 'DATETIME').isoformat()} {moment.isoformat()}"


def clear_date(value: Any, code: str) -> dt.date:
    """A date that can be read in one way only: year, month, day; never 1/2/2026, nor Excel's bare day number."""
    if isinstance(value, bool) or not isinstance(value, str | float | int):
        raise Fault(code)
    text = MIDNIGHT.sub("", unicodedata.normalize("NFKC", to_text(value))).replace(" ", "")
    if match := DATE.fullmatch(text):
        year, first, month, second, day = match.groups()
        if first != second and (first, second) != ("年", "月"):
            raise Fault(code)
    elif match := DIGITS_DATE.fullmatch(text):
        year, month, day = match.groups()
    else:
        raise Fault(code)
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError as wrong:
        raise Fault(code) from wrong


def to_boolean(value: Any) -> str:
    text = to_text(value).casefold()
    if text in TRUE:
        return "true"
    if text in FALSE:
        return "false"
    raise Fault("BOOLEAN")


CONVERT: dict[str, Callable[[Any], str]] = {
    "text": to_text,
    "name": to_name,
    "code": to_code,
    "integer": to_integer,
    "number": to_number,
    "date": to_date,
    "datetime": to_datetime,
    "boolean": to_boolean,
}


# Whole columns 整列: as CONVERT makes every cell, in a fraction of the time, when all cells are what nearly all are.
# A TypeError says the same as Unlike.


def to_texts(values: Sequence[Any]) -> list[str]:
    together = "".join(values)
    if strange(together):
        raise Unlike
    return [*values] if clean(together) is together else [*map(clean, values)]


def to_names(values: Sequence[Any]) -> list[str]:
    together = "".join(values)
    if strange(together):
        raise Unlike
    return [*values] if clean_name(together) is together else [*map(clean_name, values)]


def to_codes(values: Sequence[Any]) -> list[str]:
    together = "".join(values)
    if together.isascii() and together.isalnum() and "x" not in together:
        return [*values]
    raise Unlike


def to_integers(values: Sequence[Any]) -> list[str]:
    if all(map(float.is_integer, values)) and sum(map(abs, values)) < MOST_DIGITS:
        return [*map(str, map(int, values))]
    raise Unlike


def to_numbers(values: Sequence[Any]) -> list[str]:
    if sum(map(abs, values)) < MOST_DIGITS:  # hence each of them; and none is NaN
        return [*map(float.__format__, values, repeat(".15g"))]
    raise Unlike


def to_dates(values: Sequence[Any]) -> list[str]:
    return [*map(dt.date.isoformat, values)]


def to_datetimes(values: Sequence[Any]) -> list[str]:
    return [*map(dt.datetime.isoformat, values, repeat(" "))]


def to_booleans(values: Sequence[Any]) -> list[str]:
    raise Unlike


CONVERT_ALL: dict[str, Callable[[Sequence[Any]], list[str]]] = {
    "text": to_texts,
    "name": to_names,
    "code": to_codes,
    "integer": to_integers,
    "number": to_numbers,
    "date": to_dates,
    "datetime": to_datetimes,
    "boolean": to_booleans,
}


def header_key(text: Any) -> str:
    """A header as it is compared: width, case, spaces, line breaks and the star of required columns don't count."""
    return "".join(unicodedata.normalize("NFKC", str(text)).split()).strip("*:").casefold()


def header_keys(text: str) -> Iterator[list[str]]:
    """The keys a header may be known by, the nearest first: as it stands, without notes in brackets, and as a name with
    its translation (two keys that must not name different things)."""
    yield [header_key(text)]
    bare = BRACKETED.sub("", unicodedata.normalize("NFKC", text)).strip(" \t\r\n*:")
    yield [header_key(bare)]
    if match := TWO_LANGUAGES.fullmatch(bare):
        yield [header_key(part) for part in match.groups() if part]


def copy_text(text: str) -> str:
    """A text as a field of COPY, without what nobody can see in it."""
    return clean_lines(text).strip().translate(COPY_ESCAPES)


def shown(value: Any) -> str:
    """A faulty cell about as the person sees it."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < MOST_DIGITS else f"{value:.6G}"
    return UNWRITABLE.sub("\ufffd", str(value))[:200]


def original(value: Any) -> str:
    """A cell as it goes back into a workbook: nothing tidied, a number as Excel shows it in full."""
    if isinstance(value, bool):
        return to_text(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < MOST_DIGITS else f"{value:.15G}"
    if isinstance(value, dt.date):
        return value.isoformat()
    return UNWRITABLE.sub("\ufffd", value) if isinstance(value, str) else str(value)
