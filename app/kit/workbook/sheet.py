"""FastWorksheet: an XlsxWriter worksheet that writes a whole row in one call, byte for byte as XlsxWriter would."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

from xlsxwriter.format import Format
from xlsxwriter.utility import _utf16_len, _utf16_truncate, xl_col_to_name
from xlsxwriter.worksheet import Worksheet

UNSAFE = re.compile("[\x00-\x08\x0b-\x1f&<>\ufffe\uffff]|_x[0-9A-Fa-f]{4}_")
ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
LONGEST_TEXT = 32_767  # in UTF-16 units: Excel's limit
LARGEST_NUMBER = 10**15  # Excel keeps 15 digits of a number; anything longer is written as text
INFINITY = float("inf")
DAY_ZERO = dt.date(1899, 12, 30).toordinal()


def escape(match: re.Match[str]) -> str:
    found = match[0]
    return ENTITIES.get(found) or (f"_x005F{found}" if len(found) > 1 else f"_x{ord(found):04X}_")


def as_text(value: Any) -> str:
    """What a text cell shows for a value of another type; digits stay digits."""
    if isinstance(value, dt.datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def serial_day(value: dt.date) -> int:
    """Excel's number of a day, with its 29 February 1900 that never was; below 1 it has none."""
    day = value.toordinal() - DAY_ZERO
    return day if day > 60 else day - 1


def part_of_day(value: dt.date) -> float:
    """Wall-clock time, as the database session's time zone gave it; Excel knows no zones."""
    if not isinstance(value, dt.datetime):
        return 0
    return (value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6) / 86_400


class FastWorksheet(Worksheet):
    """Use with `Workbook(…, {"constant_memory": True}).add_worksheet(name, FastWorksheet)`.

    Leans on XlsxWriter's private row stream: the version is pinned and a test compares the bytes.
    """

    previous_row: int

    def plan(self, kinds: Sequence[str], formats: Sequence[Format | None]) -> None:
        """Say once what the columns hold (declare.KINDS) and how they look; then call append for each row."""
        if not self.constant_memory:
            raise ValueError("FastWorksheet needs a Workbook with constant_memory on and in_memory off.")
        self._cells = [
            (kind, f'<c r="{xl_col_to_name(index)}', self._style(look))
            for index, (kind, look) in enumerate(zip(kinds, formats, strict=True))
        ]

    @property
    def styles(self) -> list[str]:
        """What the cells of each column say of their look: ` s="3"`."""
        return [style for _kind, _head, style in self._cells]

    def append(self, row: int, values: Sequence[Any]) -> None:
        """Write the zero-based row, which must come after all rows written so far. None and '' leave a cell empty."""
        self._write_cells(row, values, self._cells, "")

    def append_marked(self, row: int, values: Sequence[Any], looks: Mapping[int, Format]) -> None:
        """As append, with the cells of some columns in another look, which shows even where they are empty."""
        cells, shown = list(self._cells), list(values)
        for index, look in looks.items():
            kind, head, _style = cells[index]
            empty = shown[index] is None or shown[index] == ""
            cells[index] = ("blank" if empty else kind, head, self._style(look))
            shown[index] = 0 if empty else shown[index]
        self._write_cells(row, shown, cells, "")

    def append_hidden(self, row: int, values: Sequence[Any]) -> None:
        """As append, in a row that the filter hides."""
        self._write_cells(row, values, self._cells, ' hidden="1"')

    @staticmethod
    def _style(look: Format | None) -> str:
        return f' s="{look._get_xf_index()}"' if look else ""

    def _write_cells(self, row: int, values: Sequence[Any], cells: list[tuple[str, str, str]], attributes: str) -> None:
        if row > self.previous_row:
            self._write_single_row(row)  # what stock calls left in the buffer
        if self._check_dimensions(row, 0) or self._check_dimensions(row, len(cells) - 1):
            raise ValueError(f"Row {row} is already written or beyond the sheet.")
        number = str(row + 1)
        out = [f'<row r="{number}"{attributes}>']
        unsafe = UNSAFE.search
        for (kind, head, style), value in zip(cells, values, strict=True):
            if value is None:
                continue
            if value.__class__ is not str:
                if kind == "integer" or kind == "number":
                    if value != value or not -INFINITY < value < INFINITY:
                        continue
                    if value.__class__ is float or -LARGEST_NUMBER < value < LARGEST_NUMBER:
                        out.append(f'{head}{number}"{style}><v>{value:.16G}</v></c>')
                        continue
                elif kind == "boolean":
                    out.append(f'{head}{number}"{style} t="b"><v>{int(value)}</v></c>')
                    continue
                elif kind == "blank":
                    out.append(f'{head}{number}"{style}/>')
                    continue
                elif kind != "text" and isinstance(value, dt.date):
                    day: float = serial_day(value)
                    if day > 0:
                        if kind == "datetime":
                            day += part_of_day(value)
                        out.append(f'{head}{number}"{style}><v>{day:.16G}</v></c>')
                        continue
                value = as_text(value)
            if not value:
                continue
            if len(value) > LONGEST_TEXT // 2 and _utf16_len(value) > LONGEST_TEXT:
                value = _utf16_truncate(value, LONGEST_TEXT)
            if unsafe(value):
                value = UNSAFE.sub(escape, value)
            space = ' xml:space="preserve"' if value[0].isspace() or value[-1].isspace() else ""
            out.append(f'{head}{number}"{style} t="inlineStr"><is><t{space}>{value}</t></is></c>')
        out.append("</row>")
        self.fh.write("".join(out))
        self.previous_row = row
