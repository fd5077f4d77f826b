"""The admissions import over HTTP: strangers, every kind of bad file, then check, return, import, and again."""

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text
from xlsxwriter import Workbook as Xlsx

from app.jobs.running import perform
from app.jobs.upkeep import purge
from app.kit.jobs.job import RunRecord
from app.kit.workbook.read import header_names
from app.kit.workbook.upload import imports_folder
from app.workbooks.admissions import COLUMNS, admissions
from tests.conftest import Cast
from tests.workbooks.test_admissions import GOOD, OTHER, write

HOME = "/imports/admissions/"


class Desk:
    """The admissions office's browser on a database of its own, and a worker that works when told to."""

    def __init__(self, app: Flask) -> None:
        self.app, self.cast = app, Cast(app)
        self.folder = Path(app.config["XUEJI_FILES"]) / "imports"
        self.owner = create_engine(app.config["XUEJI_OWNER_URL"])
        with app.app_context():  # requests get contexts of their own, as they do when served
            self.user_id = self.cast.admissions.user_id
        self.browser = self.login("admissions")

    def login(self, username: str) -> FlaskClient:
        with self.app.app_context():
            return self.cast.login(username)

    def upload(self, content: bytes, name: str = "录取名单.xlsx", year: int = 2026, by: FlaskClient | None = None):
        data = {"file": (io.BytesIO(content), name), "subject": str(year)}
        return (by or self.browser).post(HOME, data=data, content_type="multipart/form-data")

    def work(self, answer) -> str:
        """Do the job that an answer leads to, and return the address of its page."""
        assert answer.status_code == 302, answer.text
        with self.app.app_context():
            perform(RunRecord(int(answer.location.rpartition("/")[2]), self.user_id), lambda: False)
        return answer.location

    def students(self) -> int:
        return self.one("select count(*) from student where entry_year = 2026")

    def one(self, statement: str):
        with self.owner.begin() as connection:
            return connection.scalar(text(statement))

    def files(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]


@pytest.fixture
def desk(own_app: Flask) -> Iterator[Desk]:
    made = Desk(own_app)
    yield made
    made.owner.dispose()


def book(*rows: dict, path: Path) -> bytes:
    return write(path / "book.xlsx", *rows).read_bytes()


def sheet(path: Path, fill, **options) -> bytes:
    with Xlsx(str(path / "sheet.xlsx"), options) as made:
        fill(made.add_worksheet())
    return (path / "sheet.xlsx").read_bytes()


def repacked(content: bytes, **parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            new.writestr(part.filename, old.read(part))
        for name, data in parts.items():
            new.writestr(name.replace("__", "/").replace("_bin", ".bin"), data)
    return out.getvalue()


# strangers


@pytest.mark.parametrize("name", ["registry", "clerk", "student", "admin", "auditor", "director"])
def test_strangers_neither_see_nor_send(cast, behind, tmp_path, name):
    browser = cast.login(name)
    for answer in (browser.get(HOME), browser.get(f"{HOME}template"), browser.post(f"{HOME}1/commit"),
                   browser.get(f"{HOME}1"), Desk.upload(None, book(GOOD, path=tmp_path), by=browser)):  # fmt: skip
        assert answer.status_code in (302, 403, 404)
        assert not (answer.location or "").startswith(HOME)
    assert behind.one("select count(*) from job_run") == 0


def test_the_anonymous_are_sent_to_the_login(app):
    assert "/login" in app.test_client().get(HOME).location


def test_a_check_is_its_owners_alone(desk, tmp_path):
    page = desk.work(desk.upload(book(GOOD, path=tmp_path)))
    with desk.owner.begin() as connection:
        connection.execute(text(
            "update identity set scope = 'freshmen' where user_id in (select id from ab_user where username = 'registry_b')"
        ))  # fmt: skip
        connection.execute(text(
            "update identity_role set role_id = (select id from ab_role where name = 'admissions') where identity_id ="
            " (select i.id from identity i join ab_user u on u.id = i.user_id where username = 'registry_b')"
        ))  # fmt: skip
    colleague = desk.login("registry_b")
    assert colleague.get(HOME).status_code == 200
    assert colleague.get(page).status_code == 404
    assert colleague.post(f"{page}/commit").status_code == 404
    assert desk.students() == 0


# bad files: a sentence, nothing saved, nothing kept


@pytest.fixture
def refuses(cast, behind, app, tmp_path):
    browser = cast.login("admissions")

    def send(content: bytes, name: str = "a.xlsx") -> str:
        answer = browser.post(HOME, data={"file": (io.BytesIO(content), name), "subject": "2026"})
        assert answer.status_code == 422, answer.status_code
        assert behind.one("select count(*) from job_run") == 0
        assert [path for path in imports_folder().rglob("*") if path.is_file()] == []
        (alert,) = re.findall(r'role="alert">\s*<i[^>]*></i><div>([^<]+)', answer.text)
        return alert

    return send


def bomb(path: Path) -> bytes:
    return repacked(book(GOOD, path=path), xl__worksheets__more=b" " * (60 << 20))


BAD_FILES = {
    "empty": lambda path: b"",
    "picture": lambda path: b"\x89PNG\r\n\x1a\n" + bytes(500),
    "gbk csv": lambda path: "考生号,姓名\n1,张三\n".encode("gbk"),
    "old xls": lambda path: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    "cut off": lambda path: book(GOOD, path=path)[:3000],
    "macro": lambda path: repacked(book(GOOD, path=path), xl__vbaProject_bin=b"x"),
    "bomb": bomb,
    "too big": lambda path: b"PK\x03\x04" + bytes(21 << 20),
    "far cell": lambda path: sheet(path, lambda s: s.write(1_048_575, 16_383, "x")),
    "half a million rows": lambda path: sheet(
        path, lambda s: [s.write_string(n, 0, "x") for n in (*range(300), 500_000)]
    ),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_is_refused_with_a_sentence(refuses, tmp_path, kind):
    assert len(refuses(BAD_FILES[kind](tmp_path))) > 20


def test_no_file_or_no_year_is_asked_for(cast):
    browser = cast.login("admissions")
    assert "请先选择：工作簿。" in browser.post(HOME, data={"subject": "2026"}).text
    answer = browser.post(HOME, data={})
    assert answer.status_code == 422 and "请先选择：入学年份、工作簿。" in answer.text
    assert browser.post(HOME, data={"subject": "1066", "file": (io.BytesIO(b"x"), "a.xlsx")}).status_code == 422


def empty_rows(made) -> None:
    made.write_row(0, 0, list(GOOD))
    for row in range(1, 100_000):
        made.set_row(row, 15)


WRONG_CONTENT = {
    "other columns": lambda path: sheet(path, lambda s: s.write_row(0, 0, ["甲", "乙"])),
    "a column lacks": lambda path: sheet(path, lambda s: s.write_row(0, 0, list(GOOD)[1:])),
    "a column twice": lambda path: sheet(path, lambda s: s.write_row(0, 0, [*GOOD, "姓名"])),
    "only empty rows": lambda path: sheet(path, empty_rows),
}


def test_a_file_that_cannot_be_read_is_told_of_on_the_first_page(desk, tmp_path):
    for kind, make in WRONG_CONTENT.items():
        page = desk.browser.get(desk.work(desk.upload(make(tmp_path))))
        assert page.status_code == 422, kind
        assert 'role="alert"' in page.text, kind
    assert desk.students() == 0


# the way through


def test_bad_cells_are_shown_and_returned_and_cannot_be_imported(desk, tmp_path):
    bad = OTHER | {"录取学院": "计算机学校", "证件号码": "1.2E+17"}
    page = desk.work(desk.upload(book(GOOD, bad, path=tmp_path)))
    shown = desk.browser.get(page)
    assert shown.status_code == 200
    assert "计算机学校" in shown.text and "1.2E+17" in shown.text
    assert f"{page}/commit" not in shown.text
    assert desk.browser.post(f"{page}/commit").status_code == 409
    (file,) = re.findall(r'href="(/jobs/\d+/file)"', shown.text)
    returned = openpyxl.load_workbook(io.BytesIO(desk.browser.get(file).data))
    values = [[cell.value for cell in row] for row in returned.active.iter_rows()]
    assert values[2][0] and "计算机学校" in values[2]
    assert not values[1][0]
    assert desk.students() == 0


def test_formulas_and_errors_are_told_by_cell_beside_all_else_that_is_wrong(desk, tmp_path):
    def fill(made) -> None:
        made.write_row(0, 0, list(GOOD))
        for at in (1, 2):
            made.write_row(at, 0, list(GOOD.values()))
        made.write_formula(1, 14, "=1+2", None, 3)
        made.write_formula(2, 14, "=NA()", None, "#N/A")
        made.write(2, 17, "4000")

    page = desk.work(desk.upload(sheet(tmp_path, fill)))
    shown = desk.browser.get(page).text
    assert all(words in shown for words in ("是公式", "#N/A 一类的错误", "请填写 6 位数字"))
    (file,) = re.findall(r'href="(/jobs/\d+/file)"', shown)
    returned = openpyxl.load_workbook(io.BytesIO(desk.browser.get(file).data)).active
    assert [returned.cell(row, 16).value for row in (2, 3)] == ["3", "#N/A"]


def test_a_good_file_is_checked_then_imported_once(desk, tmp_path):
    content = book(GOOD, OTHER, path=tmp_path)
    page = desk.work(desk.upload(content))
    shown = desk.browser.get(page)
    assert f"{page}/commit" in shown.text
    assert desk.students() == 0
    first = desk.browser.post(f"{page}/commit")
    second = desk.browser.post(f"{page}/commit")  # a double click
    assert first.location == second.location
    waiting = desk.browser.get(first.location)
    assert "data-poll-url" in waiting.text
    result = desk.browser.get(desk.work(first))
    assert result.status_code == 200 and desk.students() == 2
    assert desk.files() == []
    assert desk.browser.get(page).location == first.location
    state = desk.browser.get(f"{first.location}/state").json
    assert state["state"] == "done" and state["url"] == first.location
    jobs = desk.browser.get("/jobs/").text
    assert f'href="{page}"' in jobs and f'href="{first.location}"' in jobs

    again = desk.work(desk.upload(content))
    done = desk.work(desk.browser.post(f"{again}/commit"))
    assert desk.students() == 2
    assert desk.one("select count(*) from roster_change where code = 'A1'") == 2
    assert desk.one(f"select result ->> 'unchanged' from job_run where id = {done.rpartition('/')[2]}") == "2"


def test_blank_cells_keep_what_is_stored_unless_they_are_to_erase_it(desk, tmp_path):
    """F37."""
    stored = "select coalesce(phone, '') || coalesce(address, '') from student where entry_year = 2026"
    blank = GOOD | {"手机": "", "家庭住址": ""}
    desk.work(desk.browser.post(f"{desk.work(desk.upload(book(GOOD, path=tmp_path)))}/commit"))
    page = desk.work(desk.upload(book(blank, path=tmp_path)))
    shown = desk.browser.get(page).text
    assert "把这 2 处已有内容清空" in shown
    desk.work(desk.browser.post(f"{page}/commit"))
    assert desk.one(stored) == "13800000000某路 1 号"
    again = desk.work(desk.upload(book(blank, path=tmp_path)))
    result = desk.work(desk.browser.post(f"{again}/commit", data={"erase": "1"}))
    assert desk.one(stored) == ""
    assert desk.one(f"select result ->> 'changed' from job_run where id = {result.rpartition('/')[2]}") == "1"
    assert "处已有内容清空" not in desk.browser.get(desk.work(desk.upload(book(blank, path=tmp_path)))).text


def test_what_became_wrong_after_the_check_saves_nothing(desk, tmp_path):
    page = desk.work(desk.upload(book(GOOD, OTHER, path=tmp_path)))
    with desk.owner.begin() as connection:
        connection.execute(text("update college set active = false where id = 1"))
    answer = desk.browser.get(desk.work(desk.browser.post(f"{page}/commit")))
    assert answer.status_code == 422 and 'role="alert"' in answer.text
    assert desk.students() == 0


def test_an_upload_nobody_imports_expires(desk, tmp_path):
    page = desk.work(desk.upload(book(GOOD, path=tmp_path)))
    kept, _findings = sorted(desk.files())
    assert kept.stat().st_mode & 0o077 == 0
    purge(date.fromisoformat(kept.parent.name), desk.folder)
    assert desk.files() == []
    assert desk.browser.get(page).status_code == 422
    assert desk.browser.get(desk.work(desk.browser.post(f"{page}/commit"))).status_code == 422
    assert desk.students() == 0


def test_the_empty_workbook_is_one_that_the_import_knows(desk):
    answer = desk.browser.get(f"{HOME}template")
    page = desk.browser.get(desk.work(desk.upload(answer.data)))
    assert page.status_code == 422  # no rows, but every column
    assert desk.one("select message from job_run order by id desc limit 1").count("1") >= 1


def test_the_empty_workbook_offers_what_is_accepted_and_is_read_when_filled(desk, tmp_path):
    made = openpyxl.load_workbook(io.BytesIO(desk.browser.get(f"{HOME}template").data))
    rows, (lists,) = made.active, [sheet for sheet in made if sheet.sheet_state == "hidden"]
    offered = {}
    for rule in rows.data_validations.dataValidation:
        column = next(iter(rule.sqref.ranges)).min_col
        area = rule.formula1.rpartition("!")[2].replace("$", "")
        offered[rows.cell(1, column).value] = [cell.value for (cell,) in lists[area]]
    assert offered["性别"][:3] == ["未知的性别", "男", "女"] and len(offered["民族"]) > 50
    assert {"学院", "专业", "证件类型", "政治面貌"} <= offered.keys() and len(offered) == 7
    columns = {column.name: place for place, column in enumerate(COLUMNS, 1)}
    known = header_names(admissions(None, 2026))
    for name, value in GOOD.items():
        rows.cell(2, columns[known[name]], value)
    made.save(tmp_path / "filled.xlsx")
    page = desk.work(desk.upload((tmp_path / "filled.xlsx").read_bytes()))
    assert f"{page}/commit" in desk.browser.get(page).text
