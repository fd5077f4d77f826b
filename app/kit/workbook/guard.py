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
from xml.parsers import expat

from .displayed import telling_format
from .reasons import Unreadable
from .sheet_xml import Forbidden, SheetEvents, StyleEvents, letters, place_of

MEGABYTE = 1 << 20
LAST_COLUMN = "CZ"
# The tags of rows and cells as nearly every program writes them, in columns to LAST_COLUMN. In a sheet where all are so
# spelled, those that are not PLAIN are an error, a formula or a hidden row; any other sheet is read by its events.
CELL = rb'c r="[A-C]?[A-Z][0-9]{1,7}"(?: s="[0-9]{1,5}")?'
ROW = rb'row r="[0-9]{1,7}"(?: (?:spans|s|customFormat|ht|customHeight|thickBot|thickTop|x14ac:dyDescent%s)="[^"<>]*")*/?>'
PLAIN = rb'/|v>|%s(?: t="(?:s|n|b|d|str|inlineStr)")?/?>|is>|t>|%s' % (CELL, ROW % b"")
SPELLED_SO = re.compile(rb'<(?:%s t="e"/?>|f[ >/]|%s)' % (CELL, ROW % b"|hidden"))
NOT_PLAIN = re.compile(rb"<(?!" + PLAIN + rb")([^\s/>]*)")
HIDDEN_COLUMN = re.compile(rb'<col [^<>]*hidden="(?:1|true)"')  # before the first row
TELLING = re.compile(rb"[!?].*|.*:.*|c|row|f", re.DOTALL)  # names of tags: of rows, cells and formulas, or prefixed
PROLOG = re.compile(rb"(?:\s|<\?[^>]*\?>|<!--.*?-->)*<[A-Za-z_]", re.DOTALL)
DECLARED_ENCODING = re.compile(rb"\s*<\?xml[^>]*encoding=[\"']([^\"']*)")
XML_DECLARATION = re.compile(rb"\s*<\?xml[^<>]*\?>")
ROW_NUMBER = re.compile(rb'\br="([0-9]{1,9})"')
ROWS_ABOVE = 20  # titles and header above the rows
LONGEST_TAG = 65_536
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
    expat.ExpatError,
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
class SheetFacts:
    name: str
    part: str = ""
    last_row: int = 0  # the last row with a value, from 1
    telling: bool = False  # it has a cell or row worth a second look
    otherwise: bool = False  # or one that is spelled otherwise than usual


@dataclass(frozen=True)
class UploadFacts:
    path: Path
    size: int
    inflated: int
    sheets: list[SheetFacts]
    formats: dict[int, str] = field(default_factory=dict)  # styles whose number format says more than the number


def check_upload(path: Path, limits: Limits = DEFAULT_LIMITS) -> UploadFacts:
    """Look through the file at some 200 MB (unpacked) a second; raises Unreadable."""
    with opened(path, limits) as archive:
        inflated, sheets = scan(archive, sheet_names(archive), limits)
        for sheet in sheets:
            if sheet.otherwise:
                measure(archive, sheet, limits)
        return UploadFacts(path, path.stat().st_size, inflated, sheets, telling_formats(archive))


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
            check_content_types(archive)
            yield archive
    except Forbidden as fault:
        raise Unreadable("FORBIDDEN_XML", part="xl") from fault
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


def check_content_types(archive: zipfile.ZipFile) -> None:
    """Whether the workbook is one with macros is said of the part that is the workbook, not of kinds it has none of."""
    types: dict[str, str] = {}
    for kind in tree(archive, "[content_types].xml"):
        part = kind.get("PartName") or f".{kind.get('Extension', '')}"
        types[part.lower()] = kind.get("ContentType", "")
    said = types.get("/xl/workbook.xml") or types.get(".xml", "")
    if "macroenabled" in said.lower():
        raise Unreadable("MACRO", part="xl/workbook.xml")


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
            if facts and not facts.otherwise:
                facts.part = part.filename
                tail = look_at(facts, tail + chunk, limits)
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


def look_at(facts: SheetFacts, seen: bytes, limits: Limits) -> bytes:
    """Note how far the values of a sheet reach, and whether it is plain; returns the tag that the piece has cut in two.

    Parsers lay out the whole area.
    """
    if not facts.last_row and (declaration := XML_DECLARATION.match(seen)):
        seen = seen[declaration.end() :]
    end = seen.rfind(b"<")
    end = len(seen) if end < 0 or b">" in seen[end:] else end
    found = [match.start() for match in NOT_PLAIN.finditer(seen, 0, end) if TELLING.fullmatch(match[1])]
    if len(seen) - end > LONGEST_TAG or not all(SPELLED_SO.match(seen, at) for at in found):
        facts.telling = facts.otherwise = True
        return b""
    facts.telling = facts.telling or bool(found) or (not facts.last_row and bool(HIDDEN_COLUMN.search(seen, 0, end)))
    last_value = max(seen.rfind(b"</v>", 0, end), seen.rfind(b"</t>", 0, end))
    if last_value >= 0 and (start := seen.rfind(b"<row ", 0, last_value)) >= 0:
        number = ROW_NUMBER.search(seen, start, start + 200)
        facts.last_row = max(facts.last_row, int(number[1]) if number else 0)
        refuse_far_row(facts, limits)
    return seen[end:]


def refuse_far_row(facts: SheetFacts, limits: Limits) -> None:
    if facts.last_row > limits.rows + ROWS_ABOVE:
        raise Unreadable("TOO_MANY_ROWS", sheet=facts.name, row=facts.last_row, limit=limits.rows)


def measure(archive: zipfile.ZipFile, facts: SheetFacts, limits: Limits) -> None:
    """How far the values of a sheet reach by the events of its XML."""
    with archive.open(facts.part) as file:
        events = SheetEvents().read(file)
    facts.last_row = events.last_row + 1
    row, column = events.far
    if column > place_of(LAST_COLUMN):
        cell = f"{letters(column)}{row + 1}"
        raise Unreadable("TOO_MANY_COLUMNS", sheet=facts.name, cell=cell, limit=LAST_COLUMN)
    refuse_far_row(facts, limits)


def telling_formats(archive: zipfile.ZipFile) -> dict[int, str]:
    """The number formats that say more than the number, by the index of the style that cells name."""
    part = next((part for part in archive.infolist() if part.filename.lower() == "xl/styles.xml"), None)
    if part is None:
        return {}
    with archive.open(part) as file:
        formats = StyleEvents().read(file).formats
    return {index: code for index, code in enumerate(map(telling_format, formats)) if code}


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
