"""Which departments are told of which procedures, and what they tick: rows that the registry edits on a screen."""

import pytest
from sqlalchemy import text

from app.flows.voluntary_withdrawal import voluntary_withdrawal
from app.kit.flow import FLOWS
from app.reference import FOLDER, read_table
from tests.flows.walk import Walk

EDITED = {"name_zh": "图书馆", "name_en": "Library", "receives": ["leave", "voluntary_withdrawal"],
          "leaving_items": "图书归还\n 读者证注销 \n\n图书归还"}  # fmt: skip


def library(behind) -> dict:
    (row,) = behind.rows("select * from department where key = 'library'")
    return row


@pytest.mark.parametrize("who", ["student", "clerk", "director", "library", "auditor"])
def test_others_do_not_edit_them(cast, behind, who):
    before = library(behind)
    answer = cast.login(who).post(f"/departmentscreen/edit/{before['id']}", data=EDITED)
    assert answer.status_code in (302, 403, 404)
    assert library(behind) == before


@pytest.mark.parametrize("wrong", [
    {"receives": ["nothing"]}, {"receives": ["info_change"]}, {"leaving_items": "长" * 61},
    {"leaving_items": "\n".join(f"第{n}项" for n in range(21))}, {"name_zh": ""},
])  # fmt: skip
def test_what_does_not_fit_is_said(cast, behind, wrong):
    before = library(behind)
    answer = cast.login("registry").post(f"/departmentscreen/edit/{before['id']}", data=EDITED | wrong)
    assert answer.status_code in (200, 422)
    assert library(behind) == before


def test_edited_rows_shape_the_next_case_and_not_the_running(cast, behind):
    walk = Walk(cast, behind, voluntary_withdrawal)
    behind.run("update department set receives = '{}'")
    behind.run(
        "update department set receives = '{voluntary_withdrawal}', leaving_items = '{钥匙}' where key = 'finance'"
    )
    walk.ready()
    walk.open_window()
    with walk.days:
        before = walk.submitted()
        browser = cast.login("registry")
        page = browser.get(f"/departmentscreen/edit/{library(behind)['id']}").text
        assert "自动退学" in page and "学籍信息修改" not in page
        answer = browser.post(f"/departmentscreen/edit/{library(behind)['id']}", data=EDITED)
        assert answer.status_code == 302
        assert library(behind)["leaving_items"] == ["图书归还", "读者证注销"]
        after = Walk(cast, behind, voluntary_withdrawal, student=102)
        after.ready()
        second = after.submitted()
    steps = "select count(*) from case_step where case_id = :id and key = 'leaving'"
    assert behind.one(steps, id=before) == 1
    assert behind.one(steps, id=second) == 2
    items = behind.one("select declared from case_step where case_id = :id and key = 'leaving' and department_id = :d",
                       id=second, d=library(behind)["id"])["items"]  # fmt: skip
    assert items == ["图书归还", "读者证注销"]
    assert behind.one("select count(*) from audit_entry where action = 'department.edit'") == 1


def test_a_new_department_takes_part(cast, behind):
    answer = cast.login("registry").post("/departmentscreen/add", data=EDITED | {"key": "sports", "name_zh": "体育部"})
    assert answer.status_code == 302
    assert behind.one("select receives from department where key = 'sports'") == ["leave", "voluntary_withdrawal"]


def test_the_departments_of_every_school_name_procedures_that_there_are():
    rows = list(read_table(FOLDER / "departments.csv"))
    told = {key for key, flow in FLOWS.items() if any(step.each_department for step in flow.steps)}
    assert {key for row in rows for key in row["receives"].split()} == told
    assert all(row["leaving_items"] for row in rows)


def test_the_screen_shows_both_in_words(cast, behind):
    behind.connection.execute(text("select 1"))
    page = cast.login("registry").get("/departmentscreen/list/").text
    assert "休学" in page and "离校清单" in page
