"""What a form says once it was handed in: the same of its student whatever becomes of her, and more of who signed."""

import pytest

from app.kit.flow import submit
from app.kit.operation import NotFound
from app.papers import print_application
from tests.flows.conftest import walks as walks
from tests.flows.walk import STUDENT


def without_signatures(body: str) -> str:
    return body.split("学生本人签名")[0]


@pytest.mark.parametrize("flow", ["major_transfer", "voluntary_downgrade", "info_change"])
def test_a_form_says_after_the_change_what_it_said_when_it_was_handed_in(walks, cast, flow):
    walk = walks(flow)
    case_id = walk.at(walk.flow.steps[-1].key if walk.flow.steps[-1].takes_effect else "registry")
    readers = ("registry", "clerk", "leader")  # those of the college that she leaves too
    before = {who: without_signatures(walk.act(who, print_application, case_id).body) for who in readers}
    walk.sign(case_id, next(step.key for step in walk.flow.steps if step.takes_effect))
    assert {who: without_signatures(walk.act(who, print_application, case_id).body) for who in readers} == before
    assert f"/paperscreen/application/{case_id}" in cast.login("clerk").get(f"/casescreen/show/{case_id}").text
    with pytest.raises(NotFound):
        walk.act("classmate", print_application, case_id)


def test_the_college_that_she_goes_to_does_not_print_her_form(walks):
    walk = walks("major_transfer")
    with pytest.raises(NotFound):
        walk.act("clerk2", print_application, walk.at("placing"))


def test_a_form_is_filled_in_anew_until_it_is_handed_in(walks, behind):
    walk = walks("leave")
    case_id = walk.draft()
    behind.run("update student set name = '新名' where id = :id", id=STUDENT)
    assert "新名" in walk.act("student", print_application, case_id).body
    walk.attach(case_id, *(material.key for material in walk.flow.materials))
    walk.act("student", submit, case_id)
    behind.run("update student set name = '又名', phone = '13911112222' where id = :id", id=STUDENT)
    body = walk.act("student", print_application, case_id).body
    assert "新名" in body and "又名" not in body and "13911112222" not in body
    assert "13800000000" in body


def test_opinions_and_refusals_stand_on_the_form_without_login_names(walks, behind):
    walk = walks("leave")
    behind.run("update ab_user set last_name = '江', first_name = '环' where username in ('leader', 'director')")
    case_id = walk.at("college")
    walk.decide("leader", case_id, "college", opinion="材料齐全，情况属实")
    walk.decide("director", case_id, "affairs", act="refuse", opinion="休学理由不充分")
    body = walk.act("student", print_application, case_id).body
    assert "材料齐全，情况属实" in body and "不同意：休学理由不充分" in body
    assert "江环" in body and "(leader)" not in body and "(director)" not in body


def test_a_signature_without_an_opinion_agrees(walks):
    walk = walks("leave")
    body = walk.act("student", print_application, walk.at("college")).body
    assert "同意　二级学院学籍管理员签名：clerk" in body


def test_who_has_no_student_number_yet_is_named_by_that_of_her_examination(walks, behind):
    walk = walks("admission_deferral")
    behind.run("update student set student_no = null where id = :id", id=STUDENT)
    body = behind.one("select body from paper where case_id = :id limit 1", id=walk.at("end"))
    assert "学号：尚无（考生号24500010000" in body and "学号：，" not in body


def test_the_notice_of_a_transfer_names_each_body_by_its_part(walks, behind):
    body = behind.one("select body from paper where case_id = :id limit 1", id=walks("major_transfer").at("end"))
    assert "经转出学院审核、转专业工作小组审定、转入学院审核、公示" in body
