"""Wrong, hostile and huge files: each refused with its own sentence, before any parser opens it."""

import re
import zipfile
from pathlib import Path

import openpyxl
import pytest

from app.kit.workbook.guard import Limits, check_upload
from app.kit.workbook.reasons import CELL, FILE, SAVE, WARNINGS, Unreadable

XML = '<?xml version="1.0" encoding="UTF-8"?>'
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def sheet(*rows: str) -> str:
    return f"{XML}<worksheet {MAIN}><sheetData>{''.join(rows)}</sheetData></worksheet>"


def row(number: int, *cells: str) -> str:
    return f'<row r="{number}">{"".join(cells)}</row>'


def text(reference: str, value: str) -> str:
    return f'<c r="{reference}" t="inlineStr"><is><t>{value}</t></is></c>'


def package(path: Path, sheet_xml: str, extra: dict[str, str | bytes] | None = None) -> Path:
    """A minimal .xlsx written by hand, with whatever else it should carry."""
    types = f'{XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
    relation = f'<Relationship Id="rId1" Type="{LINKS}/%s" Target="%s"/>'
    relations = (
        f'{XML}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">%s</Relationships>'
    )
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": types,
        "_rels/.rels": relations % (relation % ("officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'{XML}<workbook {MAIN} xmlns:r="{LINKS}"><sheets>'
        '<sheet name="录取" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": relations % (relation % ("worksheet", "worksheets/sheet1.xml")),
        "xl/worksheets/sheet1.xml": sheet_xml,
        **(extra or {}),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


GOOD = sheet(row(1, text("A1", "学号"), text("B1", "姓名")), row(2, text("A2", "001"), text("B2", "张三")))


def refused(path: Path, **limits) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        check_upload(path, Limits(**limits))
    assert "%(" not in caught.value.message
    return caught.value


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"", "EMPTY_FILE", "empty"),
        ("学号,姓名\n001,张三\n".encode("gbk"), "TEXT_FILE", "CSV, GBK"),
        ("学号,姓名\n001,张三\n".encode(), "TEXT_FILE", "CSV, UTF-8"),
        ("\ufeff学号\t姓名\n".encode(), "TEXT_FILE", "Save as .xlsx"),
        ("学号\t姓名\n".encode("utf-16"), "TEXT_FILE", "UTF-16"),
        (b"<html><table><tr><td>1</td></tr></table></html>", "WEB_PAGE", "web page"),
        (b'<?xml version="1.0"?><Workbook/>', "WEB_PAGE", "web page"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "OLD_FORMAT", ".xls"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le"),
            "ENCRYPTED",
            "password",
        ),
        (b"%PDF-1.7\n", "OTHER_FORMAT", "PDF"),
        (b"\x00\x01\x02\x03" * 99, "NOT_A_WORKBOOK", "not an .xlsx"),
        (b"PK\x03\x04" + bytes(99), "DAMAGED", "damaged"),
    ],
)
def test_a_file_that_is_no_workbook_is_called_what_it_is(tmp_path, content, code, words):
    path = tmp_path / "admissions.xlsx"
    path.write_bytes(content)
    fault = refused(path)
    assert fault.code == code and words in fault.message


def test_a_workbook_cut_short_or_altered_is_damaged(tmp_path):
    whole = package(tmp_path / "x.xlsx", GOOD).read_bytes()
    (tmp_path / "cut.xlsx").write_bytes(whole[: len(whole) // 2])
    assert refused(tmp_path / "cut.xlsx").code == "DAMAGED"
    at = whole.index(b"sheet1.xml") + 40
    (tmp_path / "bad.xlsx").write_bytes(whole[:at] + bytes(30) + whole[at + 30 :])
    assert refused(tmp_path / "bad.xlsx").code == "DAMAGED"


@pytest.mark.parametrize(
    ("extra", "code"),
    [
        ({"xl/vbaProject.bin": "x"}, "MACRO"),
        ({"xl/externalLinks/externalLink1.xml": f"{XML}<a/>"}, "EXTERNAL_LINKS"),
        ({"xl/connections.xml": f"{XML}<a/>"}, "EXTERNAL_LINKS"),
        ({"xl/embeddings/oleObject1.bin": "x"}, "ACTIVE_CONTENT"),
        ({"word/document.xml": f"{XML}<a/>"}, "OTHER_FORMAT"),
        ({"xl/workbook.bin": "x"}, "OTHER_FORMAT"),
        ({f"xl/media/image{i}.png": "x" for i in range(600)}, "TOO_MANY_PARTS"),
        ({"XL/Worksheets/Sheet1.xml": GOOD}, "DAMAGED"),
        ({"xl/workbook.xml": f'{XML}<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}, "FORBIDDEN_XML"),
        ({"xl/sharedStrings.xml": f'{XML}<!-- a --><!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'}, "FORBIDDEN_XML"),
        ({"xl/sharedStrings.xml": f"{XML}<!DOCTYPE a><a/>".encode("utf-16")}, "FORBIDDEN_XML"),
        ({"xl/sharedStrings.xml": '<?xml version="1.0" encoding="UTF-7"?><a/>'}, "FORBIDDEN_XML"),
        ({"xl/sharedStrings.xml": " " * (2 << 20)}, "FORBIDDEN_XML"),
        ({"xl/workbook.xml": f"{XML}<workbook"}, "DAMAGED"),
        ({"xl/media/image1.png": bytes(9 << 20)}, "BOMB"),
    ],
)
def test_what_a_plain_workbook_does_not_carry_is_refused(tmp_path, extra, code):
    assert refused(package(tmp_path / "x.xlsx", GOOD, extra)).code == code


def test_sizes_are_counted_while_inflating_not_believed(tmp_path):
    path = package(tmp_path / "x.xlsx", GOOD, {"xl/media/a.png": bytes(3 << 20)})
    lying = path.read_bytes().replace((3 << 20).to_bytes(4, "little"), (300).to_bytes(4, "little"))
    path.write_bytes(lying)
    assert refused(path).code in ("BOMB", "DAMAGED")
    path = package(tmp_path / "y.xlsx", GOOD, {"xl/media/a.png": bytes(range(256)) * 8192})
    assert refused(path, inflated_bytes=1 << 20).code in ("TOO_BIG_INSIDE", "BOMB")
    assert refused(path, file_bytes=1000).code == "TOO_BIG"


def test_one_cell_in_the_last_corner_is_named(tmp_path):
    fault = refused(package(tmp_path / "x.xlsx", sheet(row(1, text("A1", "a")), row(1048576, text("XFD1048576", "b")))))
    assert (fault.code, fault.params["cell"], fault.params["sheet"]) == ("TOO_MANY_COLUMNS", "XFD1048576", "录取")


def test_a_value_far_below_is_named(tmp_path):
    fault = refused(package(tmp_path / "x.xlsx", sheet(row(1, text("A1", "a")), row(1000000, text("A1000000", " ")))))
    assert (fault.code, fault.params["row"]) == ("TOO_MANY_ROWS", 1000000)


def test_half_a_million_empty_rows_are_no_rows(tmp_path):
    empty = (
        f'<row r="{i}" spans="1:3" ht="14.25"><c r="A{i}" s="1"/><c r="XFD{i}" s="1"/></row>' for i in range(3, 500_000)
    )
    facts = check_upload(package(tmp_path / "x.xlsx", GOOD.replace("</sheetData>", "".join(empty) + "</sheetData>")))
    assert facts.sheets[0].last_row == 2


def test_a_sheet_with_anything_telling_is_known_even_across_pieces(tmp_path):
    plain = [row(i, f'<c r="A{i}"><v>1</v></c>', f'<c r="B{i}" s="3" t="s"><v>2</v></c>') for i in range(1, 40_001)]
    assert not check_upload(package(tmp_path / "x.xlsx", sheet(*plain))).sheets[0].telling
    for at in (0, 13_000, 26_001, 39_999):
        for telling in (
            "<f>1</f>",
            '<c r="C1" t="e"><v>#N/A</v></c>',
            "<c><v>1</v></c>",
            "<x:c/>",
            '<row r="9" hidden="1"/>',
        ):
            rows = [*plain[:at], telling, *plain[at:]]
            xml = sheet(*rows).replace(f"<worksheet {MAIN}", f'<worksheet {MAIN} xmlns:x="y"')
            assert check_upload(package(tmp_path / "x.xlsx", xml)).sheets[0].telling, (at, telling)


def test_only_a_sheet_that_is_spelled_otherwise_is_measured_by_its_events(tmp_path):
    usual = [row(1, '<c r="A1" t="e"><v>#N/A</v></c>', '<c r="B1" s="2"><f t="shared" si="0"/><v>1</v></c>')]
    usual.append('<row r="2" spans="1:3" hidden="1">' + text("A2", "a") + "</row>")
    facts = check_upload(package(tmp_path / "x.xlsx", sheet(*usual))).sheets[0]
    assert (facts.telling, facts.otherwise, facts.last_row) == (True, False, 2)
    for odd in ("<c t='e'><v>1</v></c>", "<x:f/>", '<row hidden="1" r="3"/>', '<c t="e" r="C1"/>', "<!-- -->"):
        xml = sheet(*usual, odd).replace(f"<worksheet {MAIN}", f'<worksheet {MAIN} xmlns:x="y"')
        facts = check_upload(package(tmp_path / "x.xlsx", xml)).sheets[0]
        assert (facts.telling, facts.otherwise) == (True, True), odd
    far = row(1, '<c r="XFD1" t="e"><v>#N/A</v></c>')
    assert refused(package(tmp_path / "x.xlsx", sheet(far))).params["cell"] == "XFD1"


@pytest.mark.parametrize("respell", [lambda xml: xml.replace("<c r=", "<c  r="), lambda xml: xml.replace('"', "'")])
def test_far_cells_are_named_however_they_are_spelled(tmp_path, respell):
    far = respell(row(1, text("A1", "a"), text("XFD1", "b")))
    assert refused(package(tmp_path / "x.xlsx", sheet(far))).params["cell"] == "XFD1"
    low = respell(row(1000000, text("A1000000", "b")))
    assert refused(package(tmp_path / "x.xlsx", sheet(low))).params["row"] == 1000000


SHEETJS = '<Default Extension="bin" ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/>'
KINDS = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">%s<Override PartName="/xl/workbook.xml"'
    ' ContentType="application/vnd.%s.main+xml"/></Types>'
)


def test_the_part_that_is_the_workbook_says_whether_it_has_macros(tmp_path):
    """F03."""
    plain = {"[Content_Types].xml": XML + KINDS % (SHEETJS, "openxmlformats-officedocument.spreadsheetml.sheet")}
    assert check_upload(package(tmp_path / "x.xlsx", GOOD, plain)).sheets[0].last_row == 2
    macros = {"[Content_Types].xml": XML + KINDS % ("", "ms-excel.sheet.macroEnabled")}
    assert refused(package(tmp_path / "y.xlsx", GOOD, macros)).code == "MACRO"


def test_a_plain_workbook_passes(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "录取"
    book.active.append(["学号", "姓名"])
    book.create_sheet("说明")
    book.save(tmp_path / "x.xlsx")
    facts = check_upload(tmp_path / "x.xlsx")
    assert [(s.name, s.last_row, s.telling) for s in facts.sheets] == [("录取", 1, False), ("说明", 0, False)]


def test_every_sentence_ends_and_takes_only_what_is_given():
    for sentences in (FILE, CELL, SAVE, WARNINGS):
        for code, sentence in sentences.items():
            assert str(sentence).endswith((".", "%(hint)s")), code
            assert not re.search(r"%(?!\()", str(sentence)), code
