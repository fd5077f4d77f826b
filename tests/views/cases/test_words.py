"""What pages say of a case at each of its ends: asked for again, ended on the way, seen to after the decision."""

import re

import pytest

from app.kit.flow import withdraw
from tests.flows.conftest import ILL, Cases, acting
from tests.flows.conftest import cases as cases
from tests.flows.conftest import walks as walks
from tests.flows.test_leaving import leaving as leaving

WHY = "诊断书不清晰，请重新拍照上传。"


def diagram(page: str) -> str:
    """What is read aloud of the wide diagram of a page."""
    return re.search(r"<desc[^>]*>([^<]*)<", page)[1]


def send_back(cases: Cases, case_id: int) -> None:
    (outcome,) = cases.decide("clerk", case_id, "accept", act="send_back", opinion=WHY, records=None)
    assert outcome.done


def test_who_is_asked_to_put_something_right_reads_what(cast, cases):
    case_id = cases.submitted(values=ILL)
    student = cast.login("student")
    assert "需要你办理的事" in student.get("/").text and "按退回意见修改" not in student.get("/").text
    send_back(cases, case_id)
    home, page = student.get("/").text, student.get(f"/casescreen/show/{case_id}").text
    errands = home.split("需要你办理的事")[1].split("</section>")[0]
    assert f"请按退回意见修改：{WHY}" in errands and "材料已齐" not in errands
    assert "等待按要求修改后重新提交" in home and "等待按要求修改后重新提交" in page and f"退回：{WHY}" in page


def test_a_case_that_ended_on_the_way_was_never_at_its_later_steps(cast, cases):
    case_id = cases.submitted(values=ILL)
    send_back(cases, case_id)
    acting(cast.student, withdraw, case_id, None)
    page = cast.login("student").get(f"/casescreen/show/{case_id}").text
    assert "未开始" not in page and "不同意" not in diagram(page) and diagram(page).count("未经过") == 5
    assert "不同意：" not in page, "a case that was sent back and taken back was not refused"


def test_a_refused_case_names_the_step_that_refused_it(cast, cases):
    case_id = cases.at("affairs")
    (outcome,) = cases.decide("director", case_id, "affairs", act="send_back", opinion="请核实", records=None)
    (again,) = cases.decide("leader", case_id, "college", act="refuse", opinion="不符合条件", records=None)
    assert outcome.done and again.done
    said = diagram(cast.login("student").get(f"/casescreen/show/{case_id}").text)
    assert re.findall(r"(\S+) \(不同意\)", said) == ["学院意见"] and said.count("未经过") == 3, said


@pytest.mark.parametrize("who", ["library", "student"])
def test_a_receipt_is_seen_to_and_not_approved(cast, cases, who):
    case_id = cases.at("delivery", values=ILL)
    library = cast.login("library")
    page = library.get(f"/casescreen/show/{case_id}").text
    assert re.search(r'value="approve"[^>]*>.*?确认办理', page, re.S) and ">通过<" not in page
    sent = {"act": "approve", "expected_step": "delivery"}
    assert "确认办理：" in library.post(f"/casescreen/decide/{case_id}", data=sent, follow_redirects=True).text
    course = cast.login(who).get(f"/casescreen/show/{case_id}").text
    assert "送达部门 · 已办理" in course or "· 已办理" in course
    assert "送达部门 · 通过" not in course


def test_who_saw_the_originals_is_told_on_the_page(cast, cases):
    case_id = cases.at("registry", values=ILL)
    assert "原件已核</dt>" not in cast.login("student").get(f"/casescreen/show/{case_id}").text
    cases.sign(case_id, "registry")
    for who in ("student", "clerk", "registry"):
        page = cast.login(who).get(f"/casescreen/show/{case_id}").text
        assert re.search(r"原件已核</dt><dd>registry[^<]*，2026-09-0\d", page), who
    assert "原件已核</dt>" not in cast.login("library").get(f"/casescreen/show/{case_id}").text
