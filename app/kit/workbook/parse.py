"""The process that parses an upload: a script of its own, small, with limits on memory and time, and no secrets.

It reads its task as JSON from standard input, and writes one line of JSON on the header it found. With a second line of
JSON it is told what the guard saw of that sheet; then it writes the rows: lines for COPY (row, faults, one text for each
column), or the original cells as JSON. At its end it writes to standard error what it made of the cells; on a fault of
the file {code, params}, and ends with FAULT_EXIT.
"""

import gc
import itertools
import json
import resource
import sys
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    # Run as a script, it sees this folder, and behind all others that of text.py, and not the application.
    sys.path.insert(0, str(Path(__file__).parent))
    sys.path.append(str(Path(__file__).parents[2] / "models"))
    from cells import (
        CONVERT,
        CONVERT_ALL,
        PERCENTS,
        SPECIAL,
        UNWRITABLE,
        Fault,
        Unlike,
        copy_text,
        header_key,
        header_keys,
        original,
        read_as,
        shown,
    )
    from displayed import Faulty, Marks, Sight
    from sheet_xml import SheetEvents, letters
else:
    from .cells import (
        CONVERT,
        CONVERT_ALL,
        PERCENTS,
        SPECIAL,
        UNWRITABLE,
        Fault,
        Unlike,
        copy_text,
        header_key,
        header_keys,
        original,
        read_as,
        shown,
    )
    from .displayed import Faulty, Marks, Sight
    from .sheet_xml import SheetEvents, letters

FAULT_EXIT = 3
ROWS_A_BLOCK = 500


class FileFault(Exception):
    """What is wrong with the file: a code of reasons.FILE and its params."""


Header = list[tuple[str | None, str]]  # cells of a header: name of the column or None, text


def find_header(rows: Sequence[list[Any]], task: Mapping[str, Any]) -> tuple[int, int, Header]:
    """The first and last index of the header's rows, and its cells: the row with the most known headers.

    Where that row lacks required columns, it may be one of two: what stands below a heading that spans columns is read
    with it.
    """
    texts = [[UNWRITABLE.sub("", str(cell)).strip() for cell in row] for row in rows]
    read = [[(known(text, task["names"]), text) for text in row] for row in texts]
    best = max(range(len(read)), key=lambda index: len(names_in(read[index])), default=0)
    if not read or not names_in(read[best]):
        return 0, 0, []
    needed = set(task["required"])
    if not needed <= names_in(read[best]):
        for upper in (best - 1, best):
            if 0 <= upper < len(read) - 1:
                pairs = zip(read[upper], read[upper + 1], strict=True)
                both = [below if below[0] or not above[1] else above for above, below in pairs]
                if needed <= names_in(both):
                    return upper, upper + 1, both
    return best, best, read[best]


def names_in(cells: Header) -> set[str]:
    return {name for name, _text in cells if name}


def known(text: str, names: Mapping[str, str]) -> str | None:
    """The column a header names, whatever marks, notes and translations stand beside the name."""
    for keys in header_keys(text):
        found = {names[key] for key in keys if key in names}
        if len(found) == 1:
            return found.pop()
    return None


def choose_sheet(book: Any, task: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
    """The first visible sheet whose header has every required column; else the fault of the one that comes nearest."""
    fault: tuple[int, FileFault] | None = None
    sheets = [(m.name, str(m.visible).endswith(".Visible")) for m in book.sheets_metadata if "WorkSheet" in str(m.typ)]
    visible = [name for name, seen in sheets if seen]
    hidden = [name for name, seen in sheets if not seen]
    for name in visible:
        sheet = book.get_sheet_by_name(name)
        top = list(itertools.islice(sheet.iter_rows(), task["header_rows"]))
        first, last, cells = find_header(top, task)
        found = names_in(cells)
        missing = [column for column in task["required"] if column not in found]
        if not missing:
            left = (sheet.start or (0, 0))[1]
            others = [other for other in visible if other != name]
            header = {"sheet": name, "first_row": first + 1, "row": last + 1, "left": left, "others": others}
            header |= {"hidden_sheets": hidden}
            return header | describe(header, cells, task), sheet
        if top and (fault is None or len(found) > fault[0]):
            params = {"sheet": name, "row": last + 1, "rows": task["header_rows"], "columns": missing}
            fault = len(found), FileFault("MISSING_COLUMNS" if found else "NO_HEADER", params)
    raise fault[1] if fault else FileFault("NO_SHEET", {})


def describe(header: Mapping[str, Any], cells: Header, task: Mapping[str, Any]) -> dict[str, Any]:
    found = [name for name, _text in cells if name]
    twice = sorted({name for name in found if found.count(name) > 1})
    if twice:
        texts = [
            f"“{text}” ({letters(header['left'] + place)}{header['row']})"
            for place, (name, text) in enumerate(cells)
            if name in twice
        ]
        params = {"sheet": header["sheet"], "row": header["row"], "columns": twice, "headers": texts}
        raise FileFault("TWICE_IN_HEADER", params)
    ours = [bool(text) and header_key(text) in task["ignore"] for _name, text in cells]
    return {
        "columns": {name: place for place, (name, _text) in enumerate(cells) if name},
        "unknown": [text for (name, text), our in zip(cells, ours, strict=True) if not name and text and not our],
        "bare": [place for place, (name, text) in enumerate(cells) if not name and not text],
        "returned": any(ours),
    }


def look_again(path: str, seen: Mapping[str, Any]) -> Marks:
    """What the events of the sheet's XML tell and the parser does not, if the guard saw that there is something."""
    if not seen["part"]:
        return Marks()
    formats = {int(style): pattern for style, pattern in seen["formats"].items()}
    with zipfile.ZipFile(path) as archive, archive.open(seen["part"]) as file:
        events = SheetEvents(formats).read(file)
    return Marks(events.formulas, events.errors, events.styled, events.hidden, formats, events.hidden_columns)


class Lines:
    """The rows below the header as COPY reads them (null ''), and by column what was made of their cells."""

    def __init__(self, header: Mapping[str, Any], task: Mapping[str, Any], sight: Sight, marks: Marks) -> None:
        self.header, self.task, self.sight, self.marks = header, task, sight, marks
        self.bare = {*header["bare"]}  # places without a header
        self.unheaded: set[int] = set()  # and those of them that have content
        self.emptied: dict[str, Counter[str]] = {}
        self.hidden_rows: list[int] = []

    def copy(self, rows: Iterator[list[Any]]) -> Iterator[str]:
        """Faulty cells come empty, and are told of in the second field."""
        header, task = self.header, self.task
        names = [name for name in task["kinds"] if name in header["columns"]]
        places = [header["columns"][name] for name in names]
        tabs, count, number = len(names) - 1, 0, header["row"]
        rows = self.sight.rows(itertools.islice(rows, number, None), number, faults=True)
        while block := list(itertools.islice(rows, ROWS_A_BLOCK)):
            faults: dict[int, dict[str, list[str]]] = {}
            columns = list(zip(*block, strict=True))
            for place in self.bare - self.unheaded:
                if any(str(value).strip() for value in columns[place]):
                    self.unheaded.add(place)
            texts = [self.texts(name, columns[place], faults) for name, place in zip(names, places, strict=True)]
            for index, cells in enumerate(zip(*texts, strict=True)):
                number += 1
                line = "\t".join(cells)
                found = faults.get(index)
                if len(line) == tabs and not found:
                    continue  # an empty row
                count += 1
                if count > task["rows"]:
                    raise FileFault("TOO_MANY_ROWS", {"sheet": header["sheet"], "row": number, "limit": task["rows"]})
                if number - 1 in self.marks.hidden:
                    self.hidden_rows.append(number)
                told = copy_text(json.dumps(found, ensure_ascii=False)) if found else ""
                yield f"{number}\t{told}\t{line}\n"
        if not count:
            raise FileFault("NO_ROWS", {"sheet": header["sheet"], "row": header["row"]})

    def texts(self, name: str, values: Sequence[Any], faults: dict[int, dict[str, list[str]]]) -> list[str]:
        said = self.emptied.setdefault(name, Counter())
        if self.task["kinds"][name] in ("number", "integer"):
            place = self.header["columns"][name]
            if told := sum(isinstance(value, str) and value.rstrip().endswith(PERCENTS) for value in values):
                self.sight.percents[place] = self.sight.percents.get(place, 0) + told
        return column_texts(self.task["kinds"][name], name, values, faults, said, self.task["units"].get(name, ()))

    def remarks(self) -> dict[str, Any]:
        """What people should know of how their cells were read, by column."""
        names = {place: name for name, place in self.header["columns"].items()}
        left = self.header["left"]
        hidden = [] if self.header["returned"] else self.hidden_rows  # our filter hides the good rows
        return {
            "emptied": {name: dict(words) for name, words in self.emptied.items() if words},
            "filled": {names[place]: count for place, count in self.sight.filled.items()},
            "percents": {names[place]: count for place, count in self.sight.percents.items()},
            "hidden": [hidden[0], len(hidden)] if hidden else [],
            "hidden_columns": {
                names[place]: letters(left + place) for place in names if left + place in self.marks.hidden_columns
            },
            "unheaded": [letters(left + place) for place in sorted(self.unheaded)],
        }


def column_texts(
    kind: str,
    name: str,
    values: Sequence[Any],
    faults: dict[int, dict[str, list[str]]],
    emptied: Counter[str] | None = None,
    units: Sequence[str] = (),
) -> list[str]:
    """One column of a block as fields of COPY: all at once while nothing is the matter, else cell by cell, noting
    faults by row, and words that say that a cell is empty."""
    try:
        texts = CONVERT_ALL[kind](values)
        if not SPECIAL.isdisjoint(texts):
            raise Unlike
    except (Unlike, TypeError):
        texts = []
        for index, value in enumerate(values):
            try:
                if value.__class__ is Faulty:
                    raise Fault(value.code, value.shown)
                bare = read_as(kind, value, units)
                if bare == "" and value != "" and emptied is not None and (word := value.strip()):
                    emptied[word] += 1
                texts.append("" if bare == "" else CONVERT[kind](bare))
            except Fault as fault:
                texts.append("")
                faults.setdefault(index, {})[name] = [
                    fault.args[0],
                    shown(*fault.args[1:2] or [value]),
                    *fault.args[2:],
                ]
    together = "".join(texts)
    # Whatever copy_text has to do something about is a backslash or cannot be printed.
    return texts if together.isprintable() and "\\" not in together else [*map(copy_text, texts)]


def original_lines(rows: Iterable[list[Any]]) -> Iterator[str]:
    """Every row of the sheet from its first, as a JSON list of texts; a date comes as [its ISO text]."""
    for row in rows:
        yield (
            json.dumps([[original(v)] if isinstance(v, date) else original(v) for v in row], ensure_ascii=False) + "\n"
        )


def limit(memory: int, seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # it writes no file
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # nor its memory, with people's data in it


def main() -> None:
    task = json.loads(sys.stdin.readline())
    gc.disable()  # rows make no cycles, and looking for some costs a tenth of the time
    limit(task["memory"], task["seconds"])
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    try:
        with CalamineWorkbook.from_path(task["path"]) as book:
            header, sheet = choose_sheet(book, task)
        out = sys.stdout.buffer
        out.write(json.dumps(header).encode() + b"\n")
        out.flush()
        marks = look_again(task["path"], json.loads(sys.stdin.readline()))
        kinds = {place: task["kinds"].get(name, "") for name, place in header["columns"].items()}
        sight = Sight(kinds, header["left"], marks, sheet.merged_cell_ranges, header["row"])
        if task["original"]:
            write(out, original_lines(sight.rows(sheet.iter_rows(), 0, faults=False)))
            return
        lines = Lines(header, task, sight, marks)
        write(out, lines.copy(sheet.iter_rows()))
        sys.stderr.write(json.dumps(lines.remarks()))
    except PasswordError:
        fail("ENCRYPTED", {})
    except FileFault as fault:
        fail(*fault.args)
    except MemoryError:
        fail("TOO_MUCH_MEMORY", {})
    except CalamineError as fault:
        fail("DAMAGED", {"part": str(fault)[:200]})


def write(out: Any, lines: Iterator[str]) -> None:
    while block := list(itertools.islice(lines, ROWS_A_BLOCK)):
        out.write("".join(block).encode())
    out.flush()


def fail(code: str, params: dict[str, Any]) -> None:
    sys.stderr.write(json.dumps({"code": code, "params": params}))
    sys.exit(FAULT_EXIT)


if __name__ == "__main__":
    main()
