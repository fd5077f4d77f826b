"""The process that parses an upload: a script of its own, small, with limits on memory and time, and no secrets.

It reads its task as JSON from standard input, and writes one line of JSON on the header it found, then the rows: lines
for COPY (row, faults, one text for each column), or the original cells as JSON. On a fault of the file it writes
{code, params} to standard error and ends with FAULT_EXIT.
"""

import gc
import itertools
import json
import re
import resource
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))  # run as a script, it sees this folder and not the application
    from cells import CONVERT, CONVERT_ALL, Fault, Unlike, copy_text, header_key, original, shown
else:
    from .cells import CONVERT, CONVERT_ALL, Fault, Unlike, copy_text, header_key, original, shown

FAULT_EXIT = 3
ROWS_A_BLOCK = 500


class FileFault(Exception):
    """What is wrong with the file: a code of reasons.FILE and its params."""


def find_header(rows: Sequence[list[Any]], names: dict[str, str]) -> tuple[int, list[tuple[str | None, str]]]:
    """The index of the row with the most known headers, and its cells as (column name or None, text)."""
    best: tuple[int, int, list[tuple[str | None, str]]] = (0, 0, [])
    for index, row in enumerate(rows):
        texts = [str(cell).strip() for cell in row]
        found = [known(text, names) for text in texts]
        score = len({name for name in found if name})
        if score > best[0]:
            best = (score, index, list(zip(found, texts, strict=True)))
    return best[1], best[2]


def known(text: str, names: dict[str, str]) -> str | None:
    """The column a header names; what stands after it in brackets does not count."""
    key = header_key(text)
    return names.get(key) or names.get(header_key(re.sub(r"\([^()]*\)$", "", key)))


def choose_sheet(book: Any, task: dict[str, Any]) -> tuple[dict[str, Any], Iterator[list[Any]]]:
    """The first visible sheet whose header has every required column; else the fault of the one that comes nearest."""
    fault: tuple[int, FileFault] | None = None
    visible = [m.name for m in book.sheets_metadata if str(m.visible).endswith("Visible") and "WorkSheet" in str(m.typ)]
    for name in visible:
        rows = book.get_sheet_by_name(name).iter_rows()
        top = list(itertools.islice(rows, task["header_rows"]))
        index, cells = find_header(top, task["names"])
        found = [column for column, _text in cells if column]
        missing = [column for column in task["required"] if column not in found]
        if not missing:
            others = [other for other in visible if other != name]
            return {**describe(name, index, cells, task), "others": others}, itertools.chain(top, rows)
        if top and (fault is None or len(found) > fault[0]):
            params = {"sheet": name, "row": index + 1, "rows": task["header_rows"], "columns": missing}
            fault = len(found), FileFault("MISSING_COLUMNS" if found else "NO_HEADER", params)
    raise fault[1] if fault else FileFault("NO_SHEET", {})


def describe(sheet: str, index: int, cells: list[tuple[str | None, str]], task: dict[str, Any]) -> dict[str, Any]:
    found = [name for name, _text in cells if name]
    twice = sorted({name for name in found if found.count(name) > 1})
    if twice:
        raise FileFault("TWICE_IN_HEADER", {"sheet": sheet, "row": index + 1, "columns": twice})
    return {
        "sheet": sheet,
        "row": index + 1,
        "columns": {name: place for place, (name, _text) in enumerate(cells) if name},
        "unknown": [text for name, text in cells if not name and text and header_key(text) not in task["ignore"]],
    }


def copy_lines(rows: Iterator[list[Any]], header: dict[str, Any], task: dict[str, Any]) -> Iterator[str]:
    """The rows below the header as COPY reads them (null ''), faulty cells empty and told of in the second field."""
    names = [name for name in task["kinds"] if name in header["columns"]]
    kinds = [task["kinds"][name] for name in names]
    places = [header["columns"][name] for name in names]
    tabs, count, number = len(names) - 1, 0, header["row"]
    for _above in itertools.islice(rows, header["row"]):
        pass
    while block := list(itertools.islice(rows, ROWS_A_BLOCK)):
        faults: dict[int, dict[str, list[str]]] = {}
        columns = list(zip(*block, strict=True))
        texts = [
            column_texts(kind, name, columns[place], faults)
            for kind, name, place in zip(kinds, names, places, strict=True)
        ]
        for index, cells in enumerate(zip(*texts, strict=True)):
            number += 1
            line = "\t".join(cells)
            found = faults.get(index)
            if len(line) == tabs and not found:
                continue  # an empty row
            count += 1
            if count > task["rows"]:
                raise FileFault("TOO_MANY_ROWS", {"sheet": header["sheet"], "row": number, "limit": task["rows"]})
            told = copy_text(json.dumps(found, ensure_ascii=False)) if found else ""
            yield f"{number}\t{told}\t{line}\n"
    if not count:
        raise FileFault("NO_ROWS", {"sheet": header["sheet"], "row": header["row"]})


def column_texts(kind: str, name: str, values: tuple[Any, ...], faults: dict[int, dict[str, list[str]]]) -> list[str]:
    """One column of a block as fields of COPY: all at once while nothing is the matter, else cell by cell, noting
    faults by row."""
    try:
        texts = CONVERT_ALL[kind](values)
    except (Unlike, TypeError):
        texts = []
        for index, value in enumerate(values):
            try:
                texts.append("" if value == "" else CONVERT[kind](value))
            except Fault as fault:
                texts.append("")
                faults.setdefault(index, {})[name] = [fault.args[0], shown(value)]
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
    task = json.load(sys.stdin)
    gc.disable()  # rows make no cycles, and looking for some costs a tenth of the time
    limit(task["memory"], task["seconds"])
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    try:
        with CalamineWorkbook.from_path(task["path"]) as book:
            header, rows = choose_sheet(book, task)
        out = sys.stdout.buffer
        out.write(json.dumps(header).encode() + b"\n")
        lines = original_lines(rows) if task["original"] else copy_lines(rows, header, task)
        while block := list(itertools.islice(lines, ROWS_A_BLOCK)):
            out.write("".join(block).encode())
        out.flush()
    except PasswordError:
        fail("ENCRYPTED", {})
    except FileFault as fault:
        fail(*fault.args)
    except MemoryError:
        fail("TOO_MUCH_MEMORY", {})
    except CalamineError as fault:
        fail("DAMAGED", {"part": str(fault)[:200]})


def fail(code: str, params: dict[str, Any]) -> None:
    sys.stderr.write(json.dumps({"code": code, "params": params}))
    sys.exit(FAULT_EXIT)


if __name__ == "__main__":
    main()
