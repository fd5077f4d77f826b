"""Sheet XML 工作表: what a sheet says by the events of its XML, however it is spelled; the standard library alone.

Cells are placed as calamine places them: by their own reference, else after the cell before. Names count without their
prefix, as they do there, so nothing can be a cell to the one and not to the other.
"""

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import IO, Any
from xml.parsers import expat

PIECE = 1 << 18
REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
MOST_COLUMNS = 16_384
BUILT_IN = {9: "0%", 10: "0.00%"}  # of the formats that every workbook knows by number, those that count here


class Forbidden(Exception):
    """The part has a document type, which no spreadsheet program writes."""


def letters(place: int) -> str:
    """The name of a column (from 0) as Excel writes it."""
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = chr(65 + rest) + name
    return name


def place_of(name: str) -> int:
    place = 0
    for letter in name:
        place = place * 26 + ord(letter) - 64
    return place - 1


def parser_of(start: Any, end: Any = None) -> Any:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler = refuse
    return parser


def parse(parser: Any, file: IO[bytes]) -> None:
    while piece := file.read(PIECE):
        parser.Parse(piece)
    parser.Parse(b"", True)


def refuse(*_declaration: Any) -> None:
    raise Forbidden


class SheetEvents:
    """Reads a sheet once, and knows how far its values reach, which rows and columns are hidden, and the cells worth a second look.

    Rows and columns count from 0. `formulas` and `errors` (with the text shown) are by row, then column; `styled` are
    the plain numbers whose style is one of `styles`.
    """

    def __init__(self, styles: Iterable[int] = ()) -> None:
        self.last_row = -1  # with a value
        self.far: tuple[int, int] = (-1, -1)  # the cell with a value that is furthest to the right
        self.hidden: set[int] = set()
        self.hidden_columns: set[int] = set()
        self.formulas: dict[int, set[int]] = {}
        self.errors: dict[int, dict[int, str]] = {}
        self.styled: dict[int, dict[int, int]] = {}
        self._styles = {str(style): style for style in styles}
        self._parser = parser_of(self._start_handler())

    def read(self, file: IO[bytes]) -> "SheetEvents":
        """Raises expat.ExpatError, and Forbidden."""
        parse(self._parser, file)
        return self

    def _start_handler(self) -> Callable[[str, dict[str, str]], None]:
        """What is called for every tag that opens: one closure, since that is twice for each cell."""
        row, column, digits = -1, -1, ""  # of the row and cell that are open; the row's number as it is written
        cell_row, far, cell = -1, -1, {"": ""}
        listening = False
        columns: dict[str, int] = {}

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal row, column, digits, cell_row, far, cell, listening
            if name == "c":
                cell, cell_row, reference = attributes, row, attributes.get("r")
                if listening:
                    self._parser.CharacterDataHandler, listening = None, False
                if reference is None:
                    column += 1
                elif reference.endswith(digits) and (place := columns.get(reference[: -len(digits)])) is not None:
                    column = place
                elif found := REFERENCE.fullmatch(reference):
                    column = columns[found[1]] = place_of(found[1])
                    cell_row = int(found[2]) - 1
                else:
                    column += 1
            elif name == "v" or name == "t":
                if cell_row > self.last_row:
                    self.last_row = cell_row
                if column > far:
                    far, self.far = column, (cell_row, column)
                kind = cell.get("t", "n")
                if kind == "e":
                    self.errors.setdefault(cell_row, {})[column] = ""
                    self._parser.CharacterDataHandler, listening = partial(self._hear, cell_row, column), True
                elif self._styles and kind == "n" and (style := self._styles.get(cell.get("s", ""))) is not None:
                    self.styled.setdefault(cell_row, {})[column] = style
            elif name == "row":
                number = attributes.get("r", "")
                row = int(number) - 1 if number.isdecimal() else row + 1
                digits, column = str(row + 1), -1
                if attributes.get("hidden") in ("1", "true"):
                    self.hidden.add(row)
            elif name == "col":
                if attributes.get("hidden") in ("1", "true"):
                    self._hide(attributes.get("min", ""), attributes.get("max", ""))
            elif name == "f":
                self.formulas.setdefault(cell_row, set()).add(column)
                if attributes.get("t") in ("array", "dataTable"):
                    self._spread(attributes.get("ref", ""))
            elif ":" in name:
                start(name.rpartition(":")[2], attributes)

        return start

    def _hear(self, row: int, column: int, text: str) -> None:
        self.errors[row][column] = (self.errors[row][column] + text).strip()

    def _hide(self, first: str, last: str) -> None:
        """Columns `first` to `last`, from 1, as far as a sheet may reach."""
        if first.isdecimal() and last.isdecimal():
            self.hidden_columns.update(range(int(first) - 1, min(int(last), MOST_COLUMNS)))

    def _spread(self, area: str) -> None:
        """One formula for an area stands in its first cell alone; the others bear only its values."""
        first, _colon, last = area.partition(":")
        ends = REFERENCE.fullmatch(first), REFERENCE.fullmatch(last)
        if ends[0] and ends[1]:
            columns = range(place_of(ends[0][1]), place_of(ends[1][1]) + 1)
            for row in range(int(ends[0][2]) - 1, int(ends[1][2])):
                self.formulas.setdefault(row, set()).update(columns)


class StyleEvents:
    """Reads the styles of a workbook: the number format of each style that cells name by its index."""

    def __init__(self) -> None:
        self.formats: list[str] = []
        self._codes = dict(BUILT_IN)
        self._inside = False

    def read(self, file: IO[bytes]) -> "StyleEvents":
        """Raises expat.ExpatError, and Forbidden."""
        parse(parser_of(self._start, self._end), file)
        return self

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        number = attributes.get("numFmtId", "")
        if name == "numFmt" and number.isdecimal():
            self._codes[int(number)] = attributes.get("formatCode", "")
        elif name == "cellXfs":
            self._inside = True
        elif name == "xf" and self._inside:
            self.formats.append(self._codes.get(int(number), "") if number.isdecimal() else "")

    def _end(self, name: str) -> None:
        if name.rpartition(":")[2] == "cellXfs":
            self._inside = False
