"""Displayed 显示: cells as people see them: the value of a merged cell in all its rows, zeros and percents of a format."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PERCENT = "%"
NUMBERS = ("number", "integer")
MOST_DIGITS = 10**15
PLACES = {"0": "0", "#": "", "?": ""}  # of digits in a format, and what stands in one that has no digit
TOKEN = re.compile(r'"[^"]*"|\\.|_.|\*.|.')
CONDITION = re.compile(r"\[[^\]]*\]")
PLAIN = re.compile(r'(?:"[^"]*"|\\.|[0#?()/+ -])*')


@dataclass(frozen=True)
class Faulty:
    """A cell that holds no value of its own: a code of reasons.CELL, and the value it shows."""

    code: str
    shown: Any


@dataclass
class Marks:
    """What a second look at a sheet found, by row and column (from 0); `formats` are those of styles."""

    formulas: Mapping[int, set[int]] = field(default_factory=dict)
    errors: Mapping[int, Mapping[int, str]] = field(default_factory=dict)
    styled: Mapping[int, Mapping[int, int]] = field(default_factory=dict)
    hidden: set[int] = field(default_factory=set)
    formats: Mapping[int, str] = field(default_factory=dict)
    hidden_columns: set[int] = field(default_factory=set)


def telling_format(code: str) -> str | None:
    """What a number format shows that the number does not say: PERCENT, or the pattern of its digits; else None."""
    first = CONDITION.sub("", code.split(";")[0]).strip()
    bare = "".join(sign for sign in TOKEN.findall(first) if len(sign) == 1)
    if PERCENT in bare:
        return PERCENT
    if PLAIN.fullmatch(first) and bare.count("0") and (bare.count("0") > 1 or first != bare):
        return first
    return None


def with_digits(pattern: str, value: float) -> str:
    """A whole number in the pattern of a format: 10010 by 000000 is 010010."""
    digits, out = str(abs(int(value))), ""
    signs = TOKEN.findall(pattern)
    leftmost = next(index for index, sign in enumerate(signs) if sign in PLACES)
    for index in range(len(signs) - 1, -1, -1):
        sign = signs[index]
        if sign in PLACES:
            taken = digits if index == leftmost else digits[-1:]
            digits = "" if index == leftmost else digits[:-1]
            out = (taken or PLACES[sign]) + out
        elif sign[0] not in "_*":
            out = sign.strip('"').removeprefix("\\") + out
    return f"-{out}" if value < 0 else out


def displayed(value: Any, pattern: str, kind: str) -> Any:
    """A number as its format shows it, where that says more: zeros in texts, percents in numbers."""
    if not isinstance(value, float | int) or isinstance(value, bool):
        return value
    if pattern == PERCENT:
        return float(f"{value * 100:.12g}") if kind in NUMBERS else value
    if kind in ("text", "name", "code") and value == int(value) and abs(value) < MOST_DIGITS:
        return with_digits(pattern, value)
    return value


class Sight:
    """Makes of the rows of a sheet what people see in it, and counts by column what it changed.

    `kinds` are by the place in a row (from 0), `first` is the column of the sheet at which rows begin.
    """

    def __init__(self, kinds: Mapping[int, str], first: int, marks: Marks, merged: Sequence[Any], above: int) -> None:
        self.filled: dict[int, int] = {}
        self.percents: dict[int, int] = {}
        self._kinds, self._first, self._marks = kinds, first, marks
        # Regions by the row they begin in, where that is below the header: (last row, place).
        self._regions: dict[int, list[tuple[int, int]]] = {}
        for (top, left), (bottom, _right) in merged:
            if top >= above and bottom > top and left - first in kinds:
                self._regions.setdefault(top, []).append((bottom, left - first))

    def rows(self, rows: Iterator[list[Any]], start: int, *, faults: bool) -> Iterator[list[Any]]:
        """The rows from number `start` on; with `faults` a formula is Faulty, without it is its last value."""
        if not (self._regions or self._marks.formulas or self._marks.errors or self._marks.styled):
            yield from rows
            return
        open_regions: dict[int, tuple[int, Any]] = {}  # place: last row, value
        for number, row in enumerate(rows, start):
            cells = list(row)
            self._mark(number, cells, faults)
            if open_regions and any(cell != "" for cell in cells):
                for place, (bottom, value) in list(open_regions.items()):
                    if number > bottom:
                        del open_regions[place]
                    elif cells[place] == "":
                        cells[place] = value
                        self.filled[place] = self.filled.get(place, 0) + 1
            for bottom, place in self._regions.get(number, ()):
                open_regions[place] = bottom, cells[place]
            yield cells

    def _mark(self, number: int, cells: list[Any], faults: bool) -> None:
        for column, style in self._marks.styled.get(number, {}).items():
            place = column - self._first
            if place in self._kinds:
                pattern = self._marks.formats[style]
                cells[place] = displayed(cells[place], pattern, self._kinds[place])
                if pattern == PERCENT and self._kinds[place] in NUMBERS:
                    self.percents[place] = self.percents.get(place, 0) + 1
        for column, text in self._marks.errors.get(number, {}).items():
            place = column - self._first
            if 0 <= place < len(cells):
                cells[place] = Faulty("ERROR_CELL", text) if faults and place in self._kinds else text
        if faults and any(cell != "" for cell in cells):
            for column in self._marks.formulas.get(number, ()):
                place = column - self._first
                if place in self._kinds and not isinstance(cells[place], Faulty):
                    cells[place] = Faulty("FORMULA", cells[place])
