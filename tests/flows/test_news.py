"""Notices of cases: who applied and whose hands it comes to are told, once each; what people wrote leaves no house."""

import re
from datetime import timedelta

import pytest

from app.access import Permission, scope_as
from app.jobs.daily import run_sources
from app.kit import clock
from app.kit.flow import decide, let_in_late, submit, withdraw
from app.kit.jobs.due import machine, tell
from app.kit.operation import operation
from app.operations.accounts.vacancies import vacant_roles
from tests.conftest import TODAY
from tests.flows.conftest import LEAVE, acting
from tests.flows.test_hands import off

WHY = '理由<b onclick="x">&{number}{why}%(x)s</b>'


def told(behind, who: str) -> list[str]:
    """The titles of somebody's notices in Chinese, in the order in which they came."""
    return [row["title_zh"] for row in behind.rows(
        "select title_zh from notice n join ab_user u on u.id = n.user_id where username = :u order by n.id", u=who)]  # fmt: skip


def everybody(behind) -> set[str]:
    return {
        row["username"]
        for row in behind.rows("select distinct username from notice n join ab_user u on u.id = n.user_id")
    }


def number_of(behind, case_id: int) -> str:
    return behind.one("select number from flow_case where id = :id", id=case_id)


def test_what_comes_to_somebody_is_told_to_all_who_can_sign_it(cases, behind):
    case_id = cases.at("college")
    number = number_of(behind, case_id)
    assert told(behind, "clerk") == [f"待您办理：休学，学院受理（{number}）"] or told(behind, "clerk")[0].startswith(
        "待您办理：休学"
    )
    assert told(behind, "leader") == told(behind, "leader_b") != []
    assert everybody(behind) == {"clerk", "leader", "leader_b"}  # nobody of elsewhere, and not who did it herself


def test_whoever_has_to_sign_again_reads_why(cases, behind, cast):
    """In her notice, in her row, on the page; not in the letter, and no more when she has signed."""
    case_id = cases.at("affairs")
    behind.run("delete from mail")
    behind.run("delete from notice")
    assert cases.decide("director", case_id, "affairs", act="send_back", opinion=WHY)[0].done
    assert cases.decide("leader", case_id, "college", act="send_back", opinion=WHY)[0].done
    (notice,) = behind.rows("select n.id, n.title_zh, n.text_zh from notice n join ab_user u on u.id = n.user_id"
                            " where username = 'clerk'")  # fmt: skip
    assert notice["title_zh"].startswith("退回您重办：休学，") and WHY in notice["text_zh"]
    assert "理由<b" not in behind.one("select body from mail where notice_id = :id", id=notice["id"])
    clerk = cast.login("clerk")
    for path in ("/inbox/", f"/casescreen/show/{case_id}"):
        page = clerk.get(path).text
        assert "退回" in page and "理由&lt;b onclick" in page, path
    due = behind.one("select due_on from case_step where case_id = :id and state = 'open'", id=case_id)
    assert f"{due} ·" in clerk.get("/inbox/").text  # signed once before, it is due anew
    assert "理由" not in cast.login("clerk2").get("/inbox/").text
    cases.sign(case_id, "accept")
    assert "理由" not in clerk.get("/inbox/?tab=done").text


@pytest.mark.parametrize(("act", "to", "title"), [
    ("send_back", "applicant", "已退回"), ("refuse", "previous", "不同意"),
])  # fmt: skip
def test_the_applicant_reads_what_became_of_it_and_why(cases, behind, cast, act, to, title):
    case_id = cases.at("college")
    (outcome,) = cases.decide("leader", case_id, "college", act=act, opinion=WHY, to=to)
    assert outcome.done
    assert told(behind, "student") == [f"{title}：休学 {number_of(behind, case_id)}"]
    text = behind.one("select text_zh from notice n join ab_user u on u.id = n.user_id where username = 'student'")
    assert WHY in text
    page = cast.login("student").get("/notices/").text
    assert "<b onclick" not in page and "&lt;b onclick" in page
    letter = behind.one("select m.body from mail m join notice n on n.id = m.notice_id join ab_user u on u.id = n.user_id"
                        " where username = 'student'")  # fmt: skip
    assert "理由<b" not in letter and "学生11" not in letter
    assert number_of(behind, case_id) in letter and "What was said about it is on its page." in letter


def test_sent_to_the_step_before_its_hands_are_told_again(cases, behind):
    case_id = cases.at("college")
    before = len(told(behind, "clerk"))
    cases.decide("leader", case_id, "college", act="send_back", opinion="重新核对")
    assert len(told(behind, "clerk")) == before + 1
    assert told(behind, "student") == []


def test_decided_and_handed_over_to_the_departments(cases, behind):
    cases.at("delivery")
    assert [title[:3] for title in told(behind, "student")] == ["已批准"]
    assert [title[:4] for title in told(behind, "library")] == ["待您办理"]
    count = behind.one("select count(*) from notice")
    cases.decide("library", behind.one("select max(id) from flow_case"), "delivery")
    assert behind.one("select count(*) from notice") == count  # the other department's step was open before


def test_taken_back_it_waits_for_nobody(cases, behind, cast):
    case_id = cases.at("college")
    acting(cast.student, withdraw, case_id)
    assert told(behind, "leader")[-1] == f"已撤回：休学 {number_of(behind, case_id)}"
    assert told(behind, "student") == []


def test_what_waits_no_more_is_no_news(cases, behind, cast):
    """Taken back, or signed by one of two who could: who was told of it has nothing left to open."""
    case_id = cases.submitted()
    browser, title = cast.login("clerk"), told(behind, "clerk")[-1]
    assert title.startswith("待您办理：") and f"<strong>{title}</strong>" in browser.get("/notices/").text
    assert "1 条未读通知" in browser.get("/notices/").text and title in browser.get("/").text
    acting(cast.student, withdraw, case_id)
    page = browser.get("/notices/").text
    assert f"<strong>{title}" not in page and re.search(rf"<span>{re.escape(title)} <span[^>]*>已无须办理<", page)
    assert "1 条未读通知" in page, "that it was taken back is news"
    assert title not in browser.get("/").text
    other = cases.at("college")
    waits = told(behind, "leader")[-1]
    assert number_of(behind, other) in waits and waits in cast.login("leader").get("/").text
    cases.sign(other, "college")
    assert waits not in cast.login("leader").get("/").text


def test_what_the_college_does_for_a_student_she_is_told(cases, behind, cast):
    case_id = cases.submitted(by="clerk", student=101)
    acting(cast.clerk, withdraw, case_id, "报错了人")
    assert [title[:2] for title in told(behind, "student")] == ["已代", "已撤"]


def test_let_in_late(cases, behind, cast):
    case_id = cases.complete()
    acting(cast.registry, let_in_late, case_id, "住院")
    assert [title[:4] for title in told(behind, "student")] == ["准予逾期"]
    acting(cast.student, submit, case_id)


def test_many_at_once_are_one_notice(cases, behind, cast):
    ids = [cases.submitted(student=student, by="clerk") for student in (102, 103, 104)]
    behind.run("delete from notice")
    assert all(one.done for one in acting(cast.clerk, decide, ids, expected_step="accept"))
    assert told(behind, "leader") == ["3 件待您办理：休学，学院意见"]
    assert all(
        one.done for one in acting(cast.leader, decide, ids, expected_step="college", act="refuse", opinion="材料有误")
    )
    (notice,) = behind.rows("select title_zh, text_zh, path from notice n join ab_user u on u.id = n.user_id"
                            " where username = 'clerk'")  # fmt: skip
    assert "共 3 件" in notice["text_zh"] and "材料有误" in notice["text_zh"]
    assert cast.login("clerk").get(notice["path"]).status_code == 200


def of_changes(behind) -> dict[str, str]:
    """Who was told of a change on the roster → of what; each once."""
    rows = behind.rows("select u.username, n.title_zh from notice n join ab_user u on u.id = n.user_id"
                       " where n.key like 'changed:%'")  # fmt: skip
    assert len(rows) == len({row["username"] for row in rows})
    return {row["username"]: row["title_zh"] for row in rows}


def test_a_change_on_the_roster_is_told_to_the_college(cases, behind, cast):
    case_id = cases.at("delivery")
    assert of_changes(behind) == dict.fromkeys(
        ("clerk", "leader", "leader_b"), f"学籍已异动：休学 {number_of(behind, case_id)}"
    )
    (notice,) = behind.rows("select n.text_zh, n.path, m.body from notice n join ab_user u on u.id = n.user_id"
                            " left join mail m on m.notice_id = n.id"
                            " where n.key like 'changed:%' and username = 'clerk'")  # fmt: skip
    assert "学生11" in notice["text_zh"] and "2026-09-02" in notice["text_zh"]
    assert "学生11" not in (notice["body"] or "")
    assert cast.login("clerk").get(notice["path"]).status_code == 200


def test_one_of_a_day_to_come_is_told_on_that_day(cases, behind):
    day = TODAY + timedelta(days=12)
    cases.at("delivery", values=LEAVE | {"leave_from": day})
    assert of_changes(behind) == {}
    with clock.on(day):
        for _twice in range(2):
            run_sources(day)
    assert {*of_changes(behind)} == {"clerk", "leader", "leader_b"}


def test_a_move_is_told_to_both_colleges(walks, behind, cast):
    walk = walks("major_transfer")
    case_id = walk.at("end")
    told_of = of_changes(behind)
    assert {"clerk", "leader", "clerk2", "leader2"} <= told_of.keys()
    assert not told_of.keys() & {"student", "registry", "director", "student2"}
    for who in ("clerk", "clerk2", "leader2"):
        assert cast.login(who).get(f"/casescreen/show/{case_id}").status_code == 200


def test_several_changes_at_once_are_one_notice(cases, behind, cast):
    ids = [cases.at("registry", student=student) for student in (102, 103)]
    records = {"originals": True}
    assert all(one.done for one in acting(cast.registry, decide, ids, expected_step="registry", records=records))
    assert of_changes(behind)["clerk"] == "学籍异动 2 件：休学"


@pytest.mark.parametrize("who", ["student", "clerk", "leader", "registry", "director", "library", "admin", "auditor"])
def test_the_header_counts_what_is_unread(cases, cast, behind, who):
    browser = cast.login(who)
    assert "条未读通知" not in browser.get("/notices/").text
    user = getattr(cast, who).user_id
    for n in range(3):
        behind.run("insert into notice (user_id, key, title_zh, title_en, text_zh, text_en) values (:u, :k, 'a', 'a', 'b', 'b')",
                   u=user, k=str(n))  # fmt: skip
    assert "3 条未读通知" in browser.get("/notices/").text
    browser.get("/lang/en")
    assert "3 unread notices" in browser.get("/notices/").text
    browser.post("/notices/read")
    assert "unread notices" not in browser.get("/notices/").text


def test_her_own_page_says_why_it_came_back(cases, cast):
    case_id = cases.at("college")
    cases.decide("leader", case_id, "college", act="send_back", opinion="诊断证明不清晰", to="applicant")
    page = cast.login("student").get("/").text
    assert "诊断证明不清晰" in page


def test_a_vacancy_is_told_once_a_week(cases, behind):
    cases.at("college")
    off(behind, "leader", "leader_b")
    behind.run("delete from notice")

    @operation(needs=Permission.HOME_READ)
    def ask(actor):
        return tell(vacant_roles(actor, TODAY))

    for expected in (5, 0):  # three of the registry, the clerk, the administrator
        with scope_as(machine().scope):
            assert ask(machine()) == expected
    assert everybody(behind) == {"registry", "registry_b", "registry_c", "clerk", "admin"}
