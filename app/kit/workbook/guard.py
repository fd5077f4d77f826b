"""Guard 上传检查: look into an uploaded workbook without parsing it, and refuse what is wrong, hostile or too large.

It gives the clear message; what it does not catch meets the memory and time limits of the process that parses. Every
upload is looked through as it arrives; when it is read, the contents are checked before the parser starts, and the rest
while it works.
"""

import codecs
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from .reasons import Unreadable

MEGABYTE = 1 << 20
BEYOND_LAST_COLUMN = re.compile(rb'<c r="((?:[D-Z][A-Z]|[A-Z]{3})[0-9]+)"[^>]*[^/>]>')
LAST_COLUMN = "CZ"  # what the pattern above is made for
FORMULA = re.compile(rb'<c [^>]*?\br="([A-Z]{1,3})([0-9]+)"[^>]*>\s*<f[ >/]')
ERROR = re.compile(rb'<c (?=[^>]*\bt="e")[^>]*?\br="([A-Z]{1,3})([0-9]+)"')
PROLOG = re.compile(rb"(?:\s|<\?[^>]*\?>|<!--.*?-->)*<[A-Za-z_]", re.DOTALL)
DECLARED_ENCODING = re.compile(rb"\s*<\?xml[^>]*encoding=[\"']([^\"']*)")
ROW_NUMBER = re.compile(rb'\br="([0-9]{1,9})"')
ROWS_ABOVE = 20  # titles and header above the rows
TAIL = 512  # bytes carried over, so that a tag cut in two by a chunk is seen
HEAD = 65_536
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # the container of .xls, and of .xlsx with a password
ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
UNZIP_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    ValueError,
    NotImplementedError,
    struct.error,
    ElementTree.ParseError,
)
OTHER_MAIN_PARTS = {
    "xl/workbook.bin": ".xlsb",
    "word/document.xml": ".docx",
    "ppt/presentation.xml": ".pptx",
    "content.xml": ".ods",
}
OTHER_MAGIC = {b"%PDF": "PDF", b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"Rar!": "RAR", b"7z\xbc\xaf": "7z"}


@dataclass(frozen=True)
class Limits:
    """What one import takes; seconds and memory are those of the process that parses."""

    file_bytes: int = 50 * MEGABYTE
    inflated_bytes: int = 400 * MEGABYTE
    ratio: int = 200
    parts: int = 500
    rows: int = 200_000
    seconds: int = 120
    memory_bytes: int = 1_500 * MEGABYTE


DEFAULT_LIMITS = Limits()


@dataclass
class Faults:
    """Cells of one kind of fault in a column: the first, how many, and the row of the last."""

    first: str
    count: int = 0
    last_row: int = 0


@dataclass
class SheetFacts:
    name: str
    last_row: int = 0  # the last row with a value
    formulas: dict[str, Faults] = field(default_factory=dict)  # by column letters
    errors: dict[str, Faults] = field(default_factory=dict)


@dataclass(frozen=True)
class UploadFacts:
    path: Path
    size: int
    inflated: int
    sheets: list[SheetFacts]


def check_upload(path: Path, limits: Limits = DEFAULT_LIMITS) -> UploadFacts:
    """Look through the file at some 200 MB (unpacked) a second; raises Unreadable."""
    with opened(path, limits) as archive:
        inflated, sheets = scan(archive, sheet_names(archive), limits)
        return UploadFacts(path, path.stat().st_size, inflated, sheets)


def check_contents(path: Path, limits: Limits = DEFAULT_LIMITS) -> None:
    """What the first bytes and the table of contents tell, in milliseconds; raises Unreadable."""
    with opened(path, limits):
        pass


@contextmanager
def opened(path: Path, limits: Limits) -> Iterator[zipfile.ZipFile]:
    size = path.stat().st_size
    if size == 0:
        raise Unreadable("EMPTY_FILE")
    if size > limits.file_bytes:
        raise Unreadable("TOO_BIG", megabytes=-(-size // MEGABYTE), limit=limits.file_bytes // MEGABYTE)
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head.startswith(b"PK\x03\x04"):
        raise other_format(path, head)
    try:
        with zipfile.ZipFile(path) as archive:
            check_parts(archive, limits)
            yield archive
    except UNZIP_FAULTS as fault:
        raise Unreadable("DAMAGED", part=type(fault).__name__) from fault


def other_format(path: Path, head: bytes) -> Unreadable:
    """What a file is that is no zip, in words that help."""
    if head.startswith(OLE):
        return Unreadable("ENCRYPTED" if ENCRYPTED_STREAM in path.read_bytes() else "OLD_FORMAT")
    for magic, kind in OTHER_MAGIC.items():
        if head.startswith(magic):
            return Unreadable("OTHER_FORMAT", kind=kind)
    for encoding, name in (("utf-8-sig", "UTF-8"), ("utf-16", "UTF-16"), ("gb18030", "GBK")):
        if encoding == "utf-16" and not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            continue
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(head)
        except UnicodeDecodeError:
            continue
        if re.search(r"[\x00-\x08\x0e-\x1f]", text):
            continue
        if re.match(r"\s*<(\?xml|!doctype|html|table|meta|head)", text, re.IGNORECASE):
            return Unreadable("WEB_PAGE")
        return Unreadable("TEXT_FILE", encoding=name)
    return Unreadable("NOT_A_WORKBOOK")


def check_parts(archive: zipfile.ZipFile, limits: Limits) -> None:
    """What the table of contents tells alone."""
    parts = archive.infolist()
    names = [part.filename.lower() for part in parts]
    if len(parts) > limits.parts:
        raise Unreadable("TOO_MANY_PARTS", count=len(parts), limit=limits.parts)
    for main, kind in OTHER_MAIN_PARTS.items():
        if main in names:
            raise Unreadable("OTHER_FORMAT", kind=kind)
    if "xl/workbook.xml" not in names:
        raise Unreadable("NOT_A_WORKBOOK")
    if sum(part.file_size for part in parts) > limits.inflated_bytes:  # as declared; scan counts what comes out
        raise Unreadable("TOO_BIG_INSIDE", limit=limits.inflated_bytes // MEGABYTE)
    for part, name in zip(parts, names, strict=True):
        if part.flag_bits & 1:
            raise Unreadable("ENCRYPTED")
        if names.count(name) > 1 or part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Unreadable("DAMAGED", part=part.filename)
        if "vbaproject" in name or name.startswith(("xl/macrosheets/", "xl/dialogsheets/")):
            raise Unreadable("MACRO", part=part.filename)
        if name.startswith(("xl/activex/", "xl/embeddings/", "xl/ctrlprops/")):
            raise Unreadable("ACTIVE_CONTENT", part=part.filename)
        if name.startswith("xl/externallinks/") or name == "xl/connections.xml":
            raise Unreadable("EXTERNAL_LINKS", part=part.filename)


def scan(archive: zipfile.ZipFile, names: dict[str, str], limits: Limits) -> tuple[int, list[SheetFacts]]:
    """Inflate every part in pieces, counting what really comes out, since sizes in the headers can lie."""
    total = 0
    sheets = {name: SheetFacts(shown) for name, shown in names.items()}
    for part in archive.infolist():
        name = part.filename.lower()
        facts = sheets.get(name)
        largest = max(MEGABYTE, limits.ratio * part.compress_size)
        size, tail = 0, b""
        for chunk in pieces(archive, part):
            if not size and name.endswith((".xml", ".rels", ".vml")):
                check_prolog(part.filename, chunk)
            total += len(chunk)
            size += len(chunk)
            if total > limits.inflated_bytes:
                raise Unreadable("TOO_BIG_INSIDE", limit=limits.inflated_bytes // MEGABYTE)
            if size > largest:
                raise Unreadable("BOMB", part=part.filename, limit=limits.ratio)
            if name == "[content_types].xml" and b"macroEnabled" in chunk:
                raise Unreadable("MACRO", part=part.filename)
            if facts:
                seen = tail + chunk
                look_at(facts, seen, len(tail), limits)
                tail = seen[-TAIL:]
    return total, list(sheets.values())


def pieces(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(part) as file:
        while chunk := file.read(MEGABYTE):
            yield chunk


def check_prolog(part: str, start: bytes) -> None:
    """No document type, hence no entities, before the root; and UTF-8 alone, or one could hide in another encoding."""
    start = start.removeprefix(codecs.BOM_UTF8)
    declared = DECLARED_ENCODING.match(start)
    if not PROLOG.match(start) or (declared and declared[1].lower() != b"utf-8"):
        raise Unreadable("FORBIDDEN_XML", part=part)


def look_at(facts: SheetFacts, seen: bytes, carried: int, limits: Limits) -> None:
    """Note how far the values of a sheet reach, and its formulas and error cells. Parsers lay out the whole area."""
    if far := BEYOND_LAST_COLUMN.search(seen):
        raise Unreadable("TOO_MANY_COLUMNS", sheet=facts.name, cell=far[1].decode(), limit=LAST_COLUMN)
    last_value = max(seen.rfind(b"</v>"), seen.rfind(b"</t>"))
    if last_value >= 0 and (start := seen.rfind(b"<row ", 0, last_value)) >= 0:
        number = ROW_NUMBER.search(seen, start, start + 200)
        facts.last_row = max(facts.last_row, int(number[1]) if number else 0)
        if facts.last_row > limits.rows + ROWS_ABOVE:
            raise Unreadable("TOO_MANY_ROWS", sheet=facts.name, row=facts.last_row, limit=limits.rows)
    # One byte is found at memory speed, and sheets without formulas and errors rarely have these two.
    if b"f" in seen and b"<f" in seen:
        note(facts.formulas, FORMULA, seen, carried)
    if b"#" in seen and b't="e"' in seen:
        note(facts.errors, ERROR, seen, carried)


def note(faults: dict[str, Faults], pattern: re.Pattern[bytes], seen: bytes, carried: int) -> None:
    for match in pattern.finditer(seen):
        if match.end() <= carried:  # found with the chunk before
            continue
        column, row = match[1].decode(), match[2].decode()
        found = faults.setdefault(column, Faults(column + row))
        found.count += 1
        found.last_row = int(row)


def sheet_names(archive: zipfile.ZipFile) -> dict[str, str]:
    """The names people see, by the part that holds the sheet, in their order."""
    relations = tree(archive, "xl/_rels/workbook.xml.rels")
    parts = {relation.get("Id"): relation.get("Target", "").lower().removeprefix("/xl/") for relation in relations}
    found = {}
    for sheet in tree(archive, "xl/workbook.xml").iterfind(".//{*}sheet"):
        relation = next((value for key, value in sheet.items() if key.endswith("}id")), None)
        found[f"xl/{parts.get(relation, '')}"] = sheet.get("name", "")
    return found


def tree(archive: zipfile.ZipFile, name: str) -> ElementTree.Element:
    part = next((part for part in archive.infolist() if part.filename.lower() == name), None)
    if part is None:
        raise Unreadable("DAMAGED", part=name)
    with archive.open(part) as file:
        text = file.read(MEGABYTE + 1)
    if len(text) > MEGABYTE:
        raise Unreadable("TOO_BIG_INSIDE", limit=1)
    check_prolog(name, text)
    return ElementTree.fromstring(text)  # noqa: S314 (check_prolog saw that it has no document type)
