"""Every list is exported as it is shown: all rows that match, the columns chosen, words for codes, masks kept."""

import io
import re
from types import SimpleNamespace

import pytest
from flask import send_file
from flask_babel import force_locale
from openpyxl import load_workbook
from werkzeug.http import parse_options_header

from app.access import Permission, scope_as
from app.headers import with_ascii_name
from app.kit.operation import operation
from app.kit.screen import interface
from app.kit.screen.exporting import EXPORT, ExportsLists, run_export
from app.kit.workbook.declare import visible
from app.kit.workbook.export import only
from app.kit.workbook.rendering import rendered
from app.models import JobRun, db
from app.views.jobs import progress
from app.workbooks.roster import roster_export
from app.workbooks.roster_changes import roster_changes
from app.workbooks.transfer_applications import transfer_applications
from tests.conftest import TODAY
from tests.flows.conftest import cases as cases  # the fixture of the flows' tests
from tests.screens.test_lists import NOBODYS
from tests.screens.test_lists import everything as everything  # the fixture: somebody in every role


def rows(answer) -> list[tuple]:
    assert answer.status_code == 200 and "spreadsheet" in answer.mimetype, answer.text[:300]
    return list(load_workbook(io.BytesIO(answer.data)).active.values)


def test_every_list_has_its_workbook(app, everything):
    exported = 0
    for view in [
        view
        for view in app.appbuilder.baseviews
        if isinstance(view, ExportsLists) and type(view).__name__ not in NOBODYS
    ]:
        (book, *_others) = view.books()
        page = everything.get(f"{view.route_base}/list/").text
        assert f"{view.route_base}/export/{book.key}" in page
        answer = everything.post(
            f"{view.route_base}/export/{book.key}", data={"columns": [column.name for column in book.columns]}
        )
        header, *body = rows(answer)
        assert len(header) == len(book.columns) and all(header)
        assert all(len(row) == len(header) for row in body)
        assert not any("<" in str(cell) and ">" in str(cell) for row in body for cell in row)
        exported += 1
    assert exported > 15


def test_it_holds_what_matches_in_words(cast, behind):
    client = cast.login("registry")
    behind.run("update class_group set grade = 2023 where id = 2")
    header, *body = rows(client.post("/classgroupscreen/export/list?_flt_0_college=1",
                                     data={"columns": ["name", "grade", "college"]}))  # fmt: skip
    assert header == ("名称", "年级", "学院")
    assert body == [("计科2024-1班", 2024, "计算机学院"), ("计科2025-1班", 2023, "计算机学院")]
    _header, *acts = rows(client.post("/auditscreen/export/list", data={"columns": ["at", "action"]}))
    assert [row[1] for row in acts] == ["导出列表"]
    assert behind.one("select detail->>'rows' from audit_entry where action = 'export' order by id limit 1") == "2"


def test_a_college_exports_its_own_rows(cast):
    _header, *body = rows(cast.login("clerk2").post("/classgroupscreen/export/list", data={"columns": ["name"]}))
    assert body == [("中文2024-1班",)]


def test_roles_and_masks_are_as_on_the_page(cast, behind):
    _header, *body = rows(cast.login("admin").post("/identityscreen/export/list", data={"columns": ["user", "roles"]}))
    assert ("clerk", "二级学院学籍管理员") in body and ("student", "学生") in body
    behind.run("update student set email = 'somebody@example.edu.cn' where id = 101")
    for username, seen in (("leader", False), ("clerk", True)):
        client = cast.login(username)
        _header, *body = rows(client.post("/studentscreen/export/roster", data={"columns": ["student_no", "email"]}))
        assert (body[0][1] == "somebody@example.edu.cn") is seen
        assert "somebody@example.edu.cn" not in client.get("/studentscreen/show/101").text


@pytest.mark.parametrize("username", ["student", "library", "admin"])
def test_what_is_not_read_is_not_exported(cast, username):
    answer = cast.login(username).post("/auditscreen/export/list", data={"columns": ["at"]})
    assert answer.status_code in (302, 403)


def test_a_large_one_is_a_job_of_whoever_reads_the_list(cast, behind):
    """The administrator of accounts may not export the roster, and exports the identities all the same."""
    behind.run("update setting set value = '3' where key = 'export_stream_rows'")
    client = cast.login("admin")
    answer = client.post("/identityscreen/export/list", data={"columns": ["user", "roles"]})
    assert answer.status_code == 302 and re.search(r"/jobs/$", answer.location)
    assert behind.one("select kind from job_run") == EXPORT
    db.session.remove()


def test_an_export_counts_beyond_what_lists_count(cast, behind, monkeypatch, tmp_path):
    monkeypatch.setattr(interface, "COUNT_CAP", 1)
    client = cast.login("clerk")
    count = behind.one("select count(*) from student where college_id = 1")
    assert count > 2 and f"共 {count} 条" in client.get("/studentscreen/export/roster").text
    said = []
    params = {"screen": "StudentScreen", "workbook": "roster", "query": "", "columns": ["name"], "grouped": False}
    run = SimpleNamespace(
        actor=cast.clerk, params=params, file=tmp_path / "x", should_stop=lambda: False,
        progress=lambda done, total=None: said.append((done, total)),
    )  # fmt: skip
    with scope_as(cast.clerk.scope):
        operation(needs=Permission.JOB_READ)(lambda actor: run_export(run))(cast.clerk)
    assert said == [(0, count), (count, None)]


def test_progress_is_told_in_words(app):
    with app.test_request_context():
        for language, words in (("en", "28,000 of 29,934"), ("zh", "共 29,934，已完成 28,000")):
            with force_locale(language):
                assert progress(JobRun(done=28_000, total=29_934))["count"] == words


def test_the_inbox_is_exported_as_it_is_narrowed(cast, cases, behind):
    case_id = cases.at("college")
    header, *body = rows(cast.login("leader").get("/inbox/export?tab=open"))
    assert header == ("办件", "学生", "流程", "环节", "期限", "状态")
    number = behind.one("select number from flow_case where id = :id", id=case_id)
    assert [row[0] for row in body] == [number] and body[0][4].date() >= TODAY
    assert rows(cast.login("leader").get("/inbox/export?tab=open&flow=return"))[1:] == []
    assert rows(cast.login("leader2").get("/inbox/export"))[1:] == []
    assert rows(cast.login("clerk").get("/inbox/export?tab=done"))[1][4] is None
    assert behind.one("select count(*) from audit_entry where action = 'export'") == 4


def test_identities_are_exported_with_their_roles_in_words(cast):
    _header, *body = rows(cast.login("admin").post("/identityscreen/export/list", data={"columns": ["user", "roles"]}))
    assert ("clerk", "二级学院学籍管理员") in body
    assert cast.login("registry").get("/users/export/list").status_code in (302, 403)


@pytest.mark.parametrize(
    ("name", "fallback"),
    [("录取名单.xlsx", "xueji.xlsx"), ("录取名单 with reasons.xlsx", "xueji-with-reasons.xlsx"), ("2026级.zip", "xueji-2026.zip"),
     ('a"新;.pdf', "xueji-a.pdf"), ("a.xlsx", "a.xlsx")],
)  # fmt: skip
def test_a_download_has_a_name_for_programs_that_read_ascii_alone(app, name, fallback):
    """F29."""
    with app.test_request_context():
        answer = send_file(io.BytesIO(b"x"), as_attachment=True, download_name=name)
    said = with_ascii_name(answer.headers["Content-Disposition"])
    assert re.search(r'filename="?([^";]*)', said)[1] == fallback
    assert parse_options_header(said)[1]["filename"] == name


def test_every_download_goes_through_it(cast):
    answer = cast.login("admissions").get("/imports/admissions/template")
    assert 'filename="xueji.xlsx"' in answer.headers["Content-Disposition"]


def test_a_workbook_is_named_with_its_day_and_long_texts_have_room(cast):
    answer = cast.login("registry").post(
        "/studentscreen/export/roster", data={"columns": ["student_no", "sex", "college"]}
    )
    name = parse_options_header(answer.headers["Content-Disposition"])[1]["filename"]
    assert str(TODAY) in name
    widths = load_workbook(io.BytesIO(answer.data)).active.column_dimensions
    assert widths["C"].width > 20 > widths["B"].width


@pytest.mark.parametrize(("language", "sex", "group", "entry", "college"), [
    ("zh", "男", "汉族", "入学注册", "计算机学院"), ("en", "Male", "Han", "Enrolled", "Computing"),
])  # fmt: skip
def test_codes_and_names_are_in_the_readers_language(cast, behind, language, sex, group, entry, college):
    behind.run("update student set ethnic_group = '01', political_status = '13' where id = 101")
    client = cast.login("registry")
    client.get(f"/lang/{language}")
    wanted = {"columns": ["sex", "ethnic_group", "political_status", "college", "status"]}
    _header, first, *_others = rows(client.post("/studentscreen/export/roster?q=2024010100", data=wanted))
    changes = {"columns": ["category", "new_college", "new_major"]}
    _header, change, *_others = rows(client.post("/rosterchangescreen/export/roster_changes", data=changes))
    told = [*first, *change]
    assert told[:2] == [sex, group] and college in told and change[0] == entry, told
    if language == "en":
        assert not re.search("[\u3400-\u9fff]", " ".join([*first, change[0], change[1]])), told


@pytest.mark.parametrize("book", [roster_export, roster_changes, transfer_applications], ids=lambda book: book.key)
def test_the_large_workbooks_are_rendered_by_the_database(app, book):
    """Not slowly, by the row writer, because a column came in that SQL cannot say."""
    styles = [""] * len(book.columns)
    wanted = only(book.rows(None), [column.name for column in book.columns])
    for granted in (frozenset(), frozenset(Permission)):
        columns = visible(book.columns, granted)
        rendered(
            only(wanted, [one.name for one in columns]), columns, styles[: len(columns)], granted, rows_per_sheet=9
        )
