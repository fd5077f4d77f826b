"""The forms of cases: all that is wrong is said at once, each beside its field, when a draft is saved; what was typed stays."""

import re

import pytest

from app.demo.people import check_character
from tests.flows.conftest import LEAVE
from tests.flows.conftest import cases as cases
from tests.flows.conftest import walks as walks

FORM = {key: str(value) for key, value in LEAVE.items()}


def fault(page, name: str) -> str:
    """What stands beside a field of a page; nothing where nothing is wrong."""
    found = re.search(rf'id="{name}-error">([^<]*)<', page.text)
    return found[1] if found else ""


@pytest.fixture
def student(cast):
    return cast.login("student")


def test_everything_wrong_is_said_at_once_and_what_was_typed_stays(student, cases, behind):
    """Of one field the text cannot be read, of another the flow knows that it cannot be, a third lacks."""
    wrong = FORM | {
        "reason": "illness",
        "leave_from": "yesterday",
        "evidence_date": "2026-09-03",
        "statement": "  想休息 ",
    }
    page = student.post("/apply/leave/101", data=wrong | {"leave_terms": "x"})
    assert page.status_code == 422 and behind.one("select count(*) from flow_case") == 0
    for name in ("leave_from", "leave_terms", "evidence_date"):
        assert fault(page, name), name
    assert "尚未到来" in fault(page, "evidence_date") and not fault(page, "statement")
    (told,) = re.findall('<a href="#evidence_date">.*?</li>', page.text)
    assert told.count("日期") == 2 and "该日期尚未到来" in told, told  # the field is named once
    assert 'value="yesterday"' in page.text and "想休息" in page.text


@pytest.mark.parametrize("typed", ["三", "2.5", "0", "9", "x", "٣٣"])
def test_a_number_of_terms_that_is_none_is_told_in_words(student, behind, typed):
    page = student.post("/apply/leave/101", data=FORM | {"leave_terms": typed})
    assert page.status_code == 422 and behind.one("select count(*) from flow_case") == 0
    assert fault(page, "leave_terms") == f"休学学期数：“{typed}”不是 1 至 8 的整数，请用阿拉伯数字填写。"
    assert f'value="{typed}"' in page.text


def test_what_only_some_reasons_need_is_asked_for_with_these(student, behind):
    page = student.post("/apply/leave/101", data=FORM | {"reason": "illness", "leave_terms": "9"})
    assert fault(page, "evidence_date") and "1 至 8" in fault(page, "leave_terms")
    assert student.post("/apply/leave/101", data=FORM).status_code == 302
    assert behind.one("select count(*) from flow_case") == 1


def test_a_draft_is_checked_when_it_is_saved_again(student, cases, behind):
    case_id = cases.draft()
    page = student.post(f"/casescreen/edit/{case_id}", data=FORM | {"leave_terms": "3"})
    assert page.status_code == 422 and "18" in fault(page, "leave_terms") and 'value="3"' in page.text
    assert behind.one("select leave_terms from flow_case") == 2
    assert student.post(f"/casescreen/edit/{case_id}", data=FORM | {"leave_terms": "1"}).status_code == 302
    assert behind.one("select leave_terms from flow_case") == 1


def test_a_draft_that_is_no_longer_with_its_applicant_keeps_what_was_typed(student, cases, behind, monkeypatch):
    case_id = cases.draft()
    monkeypatch.setattr("app.views.cases.screen.may", lambda actor, case: ["save"])  # as the page saw it
    behind.run("update flow_case set state = 'withdrawn', closed_at = now() where id = :id", id=case_id)
    page = student.post(f"/casescreen/edit/{case_id}", data=FORM | {"statement": "另一段话"})
    assert page.status_code == 422 and "另一段话" in page.text and "alert-danger" in page.text


def test_a_change_of_personal_data_shows_what_stands_now_and_checks_the_number(student, behind):
    (now,) = behind.rows("select name, id_number, birth_date::text, sex from student where id = 101")
    page = student.get("/apply/info_change/101").text
    assert f"现为：{now['name']}" in page and f"现为：{now['birth_date']}" in page
    assert now["id_number"] not in page and now["id_number"][:4] + "*" in page
    form = {"new_id_number": now["id_number"][:17] + "*", "statement": "更正"}
    assert "校验" in fault(student.post("/apply/info_change/101", data=form), "new_id_number")
    other = now["id_number"][:6] + "2001020311" + ("1" if now["sex"] == "1" else "2")
    form["new_id_number"] = other + check_character(other)
    assert "出生日期" in fault(student.post("/apply/info_change/101", data=form), "new_id_number")
    assert student.post("/apply/info_change/101", data=form | {"new_birth_date": "2001-02-03"}).status_code == 302
    assert behind.one("select count(*) from flow_case") == 1


def test_a_change_that_changes_nothing_is_not_saved(student, cases, behind):
    """Neither an empty form nor one that says again what the roster says; a draft cannot become so."""
    name = behind.one("select name from student where id = 101")
    assert "没有任何变化" in fault(student.post("/apply/info_change/101", data={"statement": "更正"}), "new_name")
    page = student.post("/apply/info_change/101", data={"new_name": name, "statement": "更正"})
    assert page.status_code == 422 and "没有任何变化" in fault(page, "new_name")
    assert behind.one("select count(*) from flow_case") == 0
    assert student.post("/apply/info_change/101", data={"new_name": "张山", "statement": "更正"}).status_code == 302
    draft = behind.one("select id from flow_case")
    page = student.post(f"/casescreen/edit/{draft}", data={"new_name": name, "statement": "更正"})
    assert "没有任何变化" in fault(page, "new_name")
    assert behind.one("select new_name from flow_case") == "张山"
    cases.attach(draft, "application", "police_certificate")
    behind.run("update student set name = '张山' where id = 101")  # what it asked for has come about meanwhile
    answer = student.post(f"/casescreen/decide/{draft}", data={"act": "submit"})
    assert answer.status_code == 422 and "没有任何变化" in answer.text


def test_a_name_that_nobody_can_read_to_us_is_told_beside_it(student, behind):
    """F05: it is stored as it is, and form and page say by what it is found."""
    assert student.post("/apply/info_change/101", data={"new_name": "张㐂", "statement": "更正"}).status_code == 302
    draft = behind.one("select id from flow_case")
    form = student.get(f"/casescreen/edit/{draft}").text
    assert re.search(r'id="new_name-help"[^>]*>[^<]*不知道 㐂 的读音', form), form
    assert "不知道 㐂 的读音" in student.get(f"/casescreen/show/{draft}").text
    student.post(f"/casescreen/edit/{draft}", data={"new_name": "张山", "statement": "更正"})
    assert "的读音" not in student.get(f"/casescreen/show/{draft}").text


def test_a_day_of_a_fact_is_not_still_to_come(cast, behind):
    behind.run("update dated_task set opens_on = '2026-01-01', due_on = '2027-12-31' where key = 'cancellation'")
    clerk = cast.login("clerk")
    page = clerk.post("/apply/cancellation/101", data={"died_on": "2026-09-03"})
    assert "尚未到来" in fault(page, "died_on")
    assert clerk.post("/apply/cancellation/101", data={"died_on": "2026-09-02"}).status_code == 302


def test_a_decision_that_is_refused_loses_nothing_of_what_was_typed(cast, cases, behind):
    """What a step records lacks; the opinion and the choice stay on the page, which says what to do beside the field."""
    case_id = cases.at("registry")
    registry = cast.login("registry")
    sent = {"act": "approve", "expected_step": "registry", "opinion": "材料齐全，同意"}
    page = registry.post(f"/casescreen/decide/{case_id}", data=sent)
    assert page.status_code == 422 and fault(page, "originals") and "材料齐全，同意</textarea>" in page.text
    back = registry.post(
        f"/casescreen/decide/{case_id}", data=sent | {"act": "refuse", "opinion": " ", "to": "applicant"}
    )
    assert back.status_code == 409 and 'value="applicant" selected' in back.text and "alert-danger" in back.text
    assert cases.state(case_id) == ("open", "registry")
    assert registry.post(f"/casescreen/decide/{case_id}", data=sent | {"originals": "y"}).status_code == 302


def test_a_departments_ticks_are_saved_with_its_signature_and_when_it_is_refused(cast, walks, behind):
    walk = walks("voluntary_withdrawal")
    case_id = walk.at("leaving")
    behind.run(
        "update case_step set declared = jsonb_set(declared, '{items}', '[\"图书\", \"借书证\"]') where department_id is not null"
    )
    library = cast.login("library")
    shown = library.get(f"/casescreen/show/{case_id}").text
    assert shown.count('form="decide-form"') == 3, "two ticks and their own button"
    sent = {"act": "approve", "expected_step": "leaving", "items_shown": "y", "opinion": "尚欠一本", "item": ["图书"]}
    page = library.post(f"/casescreen/decide/{case_id}", data=sent)
    assert page.status_code == 409 and "尚欠一本" in page.text
    cleared = "select cleared from case_step s join department d on d.id = s.department_id where d.key = 'library'"
    assert behind.one(cleared) == ["图书"]
    assert library.post(f"/casescreen/decide/{case_id}", data=sent | {"item": ["图书", "借书证"]}).status_code == 302
    assert behind.one(cleared) == ["图书", "借书证"]
    assert behind.one(cleared.replace("cleared", "s.state")) == "done"


@pytest.mark.parametrize("name", ["12345", "=1+1", "李<b>", "2008-03-01"])
def test_what_is_nobodys_name_is_refused_at_its_field(cast, behind, name):
    page = cast.login("student").post("/apply/info_change/101", data={"new_name": name, "statement": "更正"})
    assert page.status_code == 422 and "不是姓名" in fault(page, "new_name")
    assert behind.one("select count(*) from flow_case") == 0
    clerk = cast.login("clerk")
    version = behind.one("select version from student where id = 101")
    answer = clerk.post("/studentscreen/contact/101", data={"version": version, "guardian_name": name})
    assert "不是姓名" in answer.text and behind.one("select guardian_name from student where id = 101") != name
