"""Materials: the content decides, not the name; a stranger's file is no file."""

import io
import zlib
from pathlib import Path

import pytest
from PIL import Image

from app.kit.flow import add_material, material_file, remove_material, submit
from app.kit.flow.material import download_name
from app.kit.operation import NotAllowed, NotFound, Refused
from tests.flows.conftest import acting

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def picture(form: str, size: tuple[int, int] = (64, 32), mode: str = "RGB", **how) -> bytes:
    made = io.BytesIO()
    Image.new(mode, size, "red" if mode == "RGB" else 1).save(made, form, **how)
    return made.getvalue()


PNG = picture("PNG")


def attach(actor, case_id, content, name="证明.pdf", kind="application", *, files):
    def verb(me):
        return add_material(me, case_id, kind, io.BytesIO(content), name, files_root=files).id

    return acting(actor, verb)


def kept(files: Path) -> list[Path]:
    return [path for path in files.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"<script>alert(1)</script>", "a.pdf"), (b"MZ\x90\x00" + bytes(200), "photo.jpg"), (b"", "empty.png"),
        (b"PK\x03\x04" + bytes(200), "a.pdf"), (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.svg"),
        (PDF + bytes(1024 * 1024), "large.pdf"),
    ],
)  # fmt: skip
def test_what_is_no_scan_is_refused_and_not_kept(cases, cast, tmp_path, behind, content, name):
    case_id = cases.draft()
    with pytest.raises(Refused):
        attach(cast.student, case_id, content, name, files=tmp_path)
    assert kept(tmp_path) == []
    assert behind.one("select count(*) from case_material") == 0


NOISE = Image.effect_noise((480, 400), 90).convert("RGB")


def noisy(form: str) -> bytes:
    made = io.BytesIO()
    NOISE.save(made, form)
    return made.getvalue()


def claiming(wide: int, high: int) -> bytes:
    """A PNG of a few hundred bytes that says it is this large."""
    head = b"IHDR" + wide.to_bytes(4) + high.to_bytes(4) + PNG[24:29]
    return PNG[:12] + head + zlib.crc32(head).to_bytes(4) + PNG[33:]


def pdf(more: bytes) -> bytes:
    return PDF.replace(b"trailer<<", b"trailer<<" + more)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (noisy("JPEG")[:20_000], "图片不完整"), (noisy("PNG")[:20_000], "图片不完整"), (noisy("WEBP")[:20_000], "图片不完整"),
        (PNG[:40], "图片不完整"), (claiming(30_000, 30_000), "图片过大"), (claiming(12_000, 12_000), "图片过大"),
        (picture("PNG", (1, 1)), "1 × 1"), (picture("JPEG", (400, 8)), "400 × 8"),
        (picture("GIF"), "另存为 JPG"), (picture("TIFF"), "TIFF"), (picture("BMP"), "BMP"),
        (pdf(b"/Encrypt 9 0 R"), "请另存为不加密的 PDF"), (pdf(b"/Encrypt<</V 4>>"), "请另存为不加密的 PDF"),
        (pdf(b"/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>"), "脚本"), (pdf(b"/OpenAction<</S /Launch /F(a.exe)>>"), "脚本"),
        (PDF.partition(b"trailer")[0] + bytes(5000), "PDF 不完整"),
    ],
)  # fmt: skip
def test_a_scan_that_nobody_could_read_is_refused_in_words(cases, cast, tmp_path, content, said):
    with pytest.raises(Refused, match=said):
        attach(cast.student, cases.draft(), content, "扫描", files=tmp_path)
    assert kept(tmp_path) == []


@pytest.mark.parametrize(
    "content",
    [
        noisy("JPEG"), noisy("PNG"), noisy("WEBP"), picture("PNG", (5000, 7000), "1"), pdf(b"/OpenAction[3 0 R/Fit]"),
        picture("JPEG", append_images=[Image.new("RGB", (64, 32))]), PDF + b"/Encryption /JSmith",
    ],
)  # fmt: skip
def test_whole_scans_of_all_sizes_are_taken(cases, cast, tmp_path, content):
    attach(cast.student, cases.draft(), content, files=tmp_path)
    assert len(kept(tmp_path)) == 1


@pytest.mark.parametrize(
    ("sent", "kind", "saved"),
    [
        ("x.jpg.exe", "image/jpeg", "x.jpg"), ("证明.jpeg", "image/jpeg", "证明.jpeg"), ("证明", "image/png", "证明.png"),
        ("证明.png", "image/jpeg", "证明.jpg"), ("2026.11.26", "application/pdf", "2026.11.26.pdf"), ("a\x1b\u202egpj.pdf", "application/pdf", "agpj.pdf"),
        ("张三.第2页.PDF", "application/pdf", "张三.第2页.PDF"), ("a.html", "application/pdf", "a.pdf"), (".exe", "image/png", ".exe.png"),
    ],
)  # fmt: skip
def test_a_scan_is_saved_with_the_end_of_its_type(sent, kind, saved):
    assert download_name(sent, kind) == saved


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_the_list_of_scans_gets_small_pictures(app, cases, cast, form):
    files = Path(app.config["XUEJI_FILES"])
    case_id, content = cases.draft(), noisy(form)
    material_id = attach(cast.student, case_id, content, files=files)
    client, url = cast.login("student"), f"/casescreen/material/{material_id}/small"
    assert f'src="{url}"' in client.get(f"/casescreen/show/{case_id}").text
    for _time in range(2):  # the second time it lies beside the scan
        answer = client.get(url)
        assert answer.status_code == 200 and answer.content_type == "image/jpeg"
        with Image.open(io.BytesIO(answer.data)) as small:
            assert max(small.size) == 320
    assert client.get(url.removesuffix("/small")).data == content
    assert cast.login("student2").get(url).status_code == 404


def test_strangers_neither_attach_nor_read_nor_remove(cases, cast, tmp_path):
    case_id = cases.draft()
    for stranger in (cast.classmate, cast.student2, cast.clerk2):
        with pytest.raises(NotFound):
            attach(stranger, case_id, PDF, files=tmp_path)
    material_id = attach(cast.student, case_id, PDF, files=tmp_path)
    for stranger in (cast.classmate, cast.student2, cast.clerk2, cast.library):
        with pytest.raises((NotFound, NotAllowed)):
            acting(stranger, material_file, material_id, files_root=tmp_path)
        with pytest.raises((NotFound, NotAllowed)):
            acting(stranger, remove_material, material_id)
    with pytest.raises(NotAllowed):
        attach(cast.director, case_id, PDF, files=tmp_path)


@pytest.mark.parametrize(("content", "suffix"), [(PDF, ".pdf"), (PNG, ".png")])
def test_a_scan_is_kept_under_a_random_name(cases, cast, tmp_path, behind, content, suffix):
    case_id = cases.draft()
    material_id = attach(cast.student, case_id, content, "..\\..\\证明\n.exe", files=tmp_path)
    (path,) = kept(tmp_path)
    assert path.suffix == suffix and path.read_bytes() == content and "证明" not in str(path)
    for reader in (cast.student, cast.clerk, cast.director):
        found, name = acting(reader, lambda me: (lambda p, m: (p, m.file_name))(
            *material_file(me, material_id, files_root=tmp_path)))  # fmt: skip
        assert (found, name) == (path, "证明.exe")


@pytest.mark.parametrize("name", ["证明.jpeg", "证明.JFIF", "证明", "证明.png"])
def test_a_picture_is_taken_by_its_content(cases, cast, tmp_path, behind, name):
    """F15."""
    attach(cast.student, cases.draft(), picture("JPEG"), name, files=tmp_path)
    assert behind.rows("select file_name, content_type from case_material") == [
        {"file_name": name, "content_type": "image/jpeg"}
    ]


@pytest.mark.parametrize("name", ["IMG_1.HEIC", "IMG_1.jpg", "IMG_1"])
def test_a_photo_of_a_phone_becomes_a_jpg(cases, cast, tmp_path, behind, name):
    """F16, also where the phone calls it .jpg; the place that the camera noted does not come along."""
    exif = Image.Exif()
    exif[0x010F] = "Phone of somebody"
    attach(cast.student, cases.draft(), picture("HEIF", exif=exif), name, files=tmp_path)
    assert behind.rows("select file_name, content_type from case_material") == [
        {"file_name": "IMG_1.jpg", "content_type": "image/jpeg"}
    ]
    (path,) = kept(tmp_path)
    with Image.open(path) as made:
        assert (made.format, made.size) == ("JPEG", (64, 32))
    assert b"Phone of somebody" not in path.read_bytes()


def test_a_photo_that_cannot_be_opened_says_what_to_set_on_the_phone(cases, cast, tmp_path):
    broken = b"\0\0\0\x18ftypheic" + bytes(200)
    with pytest.raises(Refused, match="兼容性最佳"):
        attach(cast.student, cases.draft(), broken, "IMG_1.jpg", files=tmp_path)
    assert kept(tmp_path) == []


def test_only_kinds_that_the_flow_asks_for(cases, cast, tmp_path):
    with pytest.raises(Refused):
        attach(cast.student, cases.draft(), PDF, kind="passport", files=tmp_path)


def test_handed_in_it_can_neither_be_added_nor_removed(cases, cast, tmp_path):
    case_id = cases.complete()
    material_id = attach(cast.student, case_id, PDF, files=tmp_path)
    acting(cast.student, submit, case_id)
    with pytest.raises(Refused):
        attach(cast.student, case_id, PDF, files=tmp_path)
    with pytest.raises(Refused):
        acting(cast.student, remove_material, material_id)
    cases.decide("clerk", case_id, "accept", act="send_back", opinion="重新扫描")
    acting(cast.student, remove_material, material_id)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_file_that_is_missing_is_said_and_logged(app, cases, cast, caplog, language):
    case_id, files = cases.draft(), Path(app.config["XUEJI_FILES"])
    material_id = attach(cast.student, case_id, PDF, files=files)
    client = cast.login("student")
    client.get(f"/lang/{language}")
    assert client.get(f"/casescreen/material/{material_id}").status_code == 200
    assert not caplog.records
    path, _row = acting(cast.student, material_file, material_id, files_root=files)
    path.unlink()
    page = client.get(f"/casescreen/material/{material_id}")
    assert page.status_code == 404
    assert {"zh": "告知学籍中心", "en": "Tell the roster registry"}[language] in page.text
    assert 'class="request-id"' in page.text
    (record,) = [one for one in caplog.records if one.levelname == "ERROR"]
    assert path.name in record.getMessage()
    caplog.clear()
    assert (
        cast.login("student2").get(f"/casescreen/material/{material_id}").status_code == 404
    )  # no row of hers: no error
    assert not [one for one in caplog.records if one.levelname == "ERROR"]
