"""Read 读取: open an upload through the parsing process and know its columns by their headers."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from flask_babel import lazy_gettext as _

from app.models.language import listed

from . import parse
from .cells import header_key
from .declare import BadDeclaration, Column, Workbook, spellings
from .guard import DEFAULT_LIMITS, Limits, UploadFacts, check_contents, check_upload
from .reasons import Unreadable, sentence
from .sheet_xml import letters

REASON = _("Reason")  # the header of the column that a returned workbook has more
ACCEPTED_VALUES = _("Accepted values")  # the hidden sheet of a template
HEADER_ROWS = 10  # titles may stand above the header
CHUNK = 1 << 17
PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL")  # of the environment; the rest may be secret


@dataclass(frozen=True)
class Notice:
    """Something the person should know although the file can be read."""

    code: str
    params: dict[str, Any]

    @property
    def message(self) -> str:
        return sentence("warning", self.code, self.params)


@dataclass(frozen=True)
class Header:
    """What was found: the sheet, the header's (last) row from 1, and the place of each column that is read.

    Places count from the first column of the sheet that is used, `left` (from 0).
    """

    sheet: str
    row: int
    places: dict[str, int]
    notices: list[Notice]
    left: int = 0

    def cell(self, column: str, row: int) -> str:
        """The name of a cell as Excel shows it."""
        return f"{letters(self.left + self.places[column])}{row}"


@dataclass
class Parser:
    """The parsing process and what it says; `remarks`, at its end, on how it read the cells."""

    process: "subprocess.Popen[bytes]"
    lines: IO[bytes]
    limits: Limits
    late: bool = False
    remarks: dict[str, Any] = field(default_factory=dict)

    def tell(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(BrokenPipeError):  # it has ended: finish() says why
            self.process.stdin.write(json.dumps(message).encode() + b"\n")  # type: ignore[union-attr] # a pipe, as asked for
            self.process.stdin.flush()  # type: ignore[union-attr]

    def kill(self) -> None:
        self.late = True
        self.process.kill()

    def finish(self) -> None:
        """Wait for its end, and raise what was wrong, if anything."""
        told = self.process.stderr.read() if self.process.stderr else b""
        code = self.process.wait()
        if code == 0:
            self.remarks = json.loads(told) if told else {}
            return
        if code == parse.FAULT_EXIT:
            fault = json.loads(told)
            raise Unreadable(fault["code"], **fault["params"])
        if self.late or code in (-signal.SIGXCPU, -signal.SIGKILL):
            raise Unreadable("TOO_SLOW", seconds=self.limits.seconds)
        if code == -signal.SIGABRT:  # the parser could not get the memory it asked for
            raise Unreadable("TOO_MUCH_MEMORY")
        raise Unreadable("DAMAGED", part=f"parser: {code}")


@dataclass(frozen=True)
class Reading:
    """An open upload: what the guard saw of it, its header, then its rows in one of two forms."""

    facts: UploadFacts
    header: Header
    names: list[str]  # the columns of chunks(), in their order
    parser: Parser
    columns: dict[str, Column]

    @property
    def notices(self) -> list[Notice]:
        """What the person should know of the header and, once they were read, of the rows."""
        return [*self.header.notices, *on_rows(self.parser.remarks, self.columns)]

    def chunks(self) -> Iterator[bytes]:
        """The rows as COPY … (format text, null '') takes them: row number, faults, then the columns of `names`."""
        while chunk := self.parser.lines.read(CHUNK):
            yield chunk
        self.parser.finish()

    def rows(self) -> Iterator[list[Any]]:
        """The cells of each row of the sheet, when it was opened as original: text, or a date's text in a list."""
        for line in self.parser.lines:
            yield json.loads(line)
        self.parser.finish()


@contextmanager
def open_upload(
    path: Path,
    workbook: Workbook,
    *,
    granted: Iterable[str] = (),
    original: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> Generator[Reading]:
    """Look a file over and start reading it. Raises Unreadable, here or while the rows are read.

    The guard works while the parser lays out the sheet: nothing is taken from the one before the other is content.
    """
    granted = set(granted)
    closed = [column for column in workbook.columns if column.needs is not None and column.needs not in granted]
    if refused := [column for column in closed if column.must_be_filled]:
        raise Unreadable("NOT_PERMITTED", columns=labels(refused))
    kinds = {column.name: column.kind for column in workbook.columns if column not in closed}
    task = {
        "path": str(path),
        "original": original,
        "names": header_names(workbook),
        "kinds": kinds,
        "units": {column.name: list(column.units) for column in workbook.columns if column.units},
        "required": [column.name for column in workbook.columns if column.must_be_filled],
        "ignore": [header_key(label) for label in spellings(REASON)],
        "header_rows": HEADER_ROWS,
        "rows": limits.rows,
        "memory": limits.memory_bytes,
        "seconds": limits.seconds,
    }
    check_contents(path, limits)
    with parsing(task, limits) as parser:
        facts = check_upload(path, limits)
        try:
            first = parser.lines.readline()
            if not first.endswith(b"\n"):
                parser.finish()
                raise Unreadable("DAMAGED", part="parser")
            found = json.loads(first)
            places = {name: place for name, place in found["columns"].items() if name in kinds}
            header = Header(found["sheet"], found["row"], places, notices(found, closed, facts), found["left"])
            sheet = next((sheet for sheet in facts.sheets if sheet.name == header.sheet), None)
            telling = sheet is not None and (sheet.telling or facts.formats)
            parser.tell({"part": sheet.part if sheet and telling else "", "formats": facts.formats})
            columns = {column.name: column for column in workbook.columns}
            yield Reading(facts, header, [name for name in kinds if name in places], parser, columns)
        except Unreadable as fault:
            raise in_words(fault, workbook) from fault


@contextmanager
def parsing(task: dict[str, Any], limits: Limits) -> Generator[Parser]:
    """The parsing process with its task, ended when it takes too long or is no longer wanted."""
    process = subprocess.Popen(  # noqa: S603 (our own script; the path of the file is data on its standard input)
        [sys.executable, "-I", str(Path(parse.__file__))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
    )
    with process:  # closes the pipes and waits
        parser = Parser(process, process.stdout, limits)  # type: ignore[arg-type] # a pipe, as asked for
        timer = threading.Timer(limits.seconds, parser.kill)
        timer.daemon = True
        timer.start()
        try:
            parser.tell(task)
            yield parser
        finally:
            timer.cancel()
            process.kill()
            with contextlib.suppress(BrokenPipeError):  # what it no longer read
                process.stdin.close()  # type: ignore[union-attr] # a pipe, as asked for


def header_names(workbook: Workbook) -> dict[str, str]:
    """Every header a column may bear, as compared, and the column's name."""
    found: dict[str, str] = {}
    for column in workbook.columns:
        for text in {column.name, *column.aliases, *spellings(column.label)}:
            key = header_key(text)
            if found.setdefault(key, column.name) != column.name:
                raise BadDeclaration(
                    f"Workbook {workbook.key!r}: columns {found[key]!r} and {column.name!r} both go by {text!r}."
                )
    return found


def notices(found: dict[str, Any], closed: list[Column], facts: UploadFacts) -> list[Notice]:
    told = []
    if found["first_row"] < found["row"]:
        told.append(Notice("TWO_ROWS", {"first": found["first_row"], "last": found["row"]}))
    if found["unknown"]:
        told.append(Notice("UNKNOWN_COLUMNS", {"columns": listed(found["unknown"])}))
    if unread := [column for column in closed if column.name in found["columns"]]:
        told.append(Notice("NOT_PERMITTED", {"columns": labels(unread)}))
    filled = {sheet.name for sheet in facts.sheets if sheet.last_row}
    if others := [name for name in found["others"] if name in filled]:
        told.append(Notice("OTHER_SHEETS", {"sheet": found["sheet"], "others": listed(others)}))
    ours = spellings(ACCEPTED_VALUES)  # of our template, with the values to choose from
    if hidden := [name for name in found["hidden_sheets"] if name in filled and name not in ours]:
        told.append(Notice("HIDDEN_SHEETS", {"sheets": listed(hidden)}))
    return told


def on_rows(remarks: dict[str, Any], columns: dict[str, Column]) -> Iterator[Notice]:
    """What the parser made of cells, with the columns in their order."""
    emptied = {
        name: (f"{column.label} {listed(f'“{word}”' for word in sorted(words))}", sum(words.values()))
        for name, column in columns.items()
        if (words := remarks.get("emptied", {}).get(name))
    }
    counted = {
        "EMPTIED": emptied,
        "FILLED": {name: (columns[name].label, count) for name, count in remarks.get("filled", {}).items()},
        "PERCENTS": {name: (columns[name].label, count) for name, count in remarks.get("percents", {}).items()},
    }
    for code, found in counted.items():
        if told := [f"{words} ({found[name][1]})" for name in columns if name in found for words in found[name][:1]]:
            yield Notice(code, {"columns": listed(told)})
    if hidden := remarks.get("hidden"):
        yield Notice("HIDDEN_ROWS", {"first": hidden[0], "count": hidden[1]})
    if hidden := remarks.get("hidden_columns"):
        told = [f"{column.label} ({hidden[name]})" for name, column in columns.items() if name in hidden]
        yield Notice("HIDDEN_COLUMNS", {"columns": listed(told)})
    if unheaded := remarks.get("unheaded"):
        yield Notice("UNHEADED", {"columns": listed(unheaded)})


def in_words(fault: Unreadable, workbook: Workbook) -> Unreadable:
    """The fault, with columns by their labels where the parser knew only their names."""
    names = fault.params.get("columns")
    if isinstance(names, list):
        words = {"columns": labels(workbook.column(name) for name in names)}
        if "headers" in fault.params:
            words["headers"] = listed(fault.params["headers"])
        return Unreadable(fault.code, **{**fault.params, **words})
    return fault


def labels(columns: Iterable[Column]) -> str:
    return listed(column.label for column in columns)
