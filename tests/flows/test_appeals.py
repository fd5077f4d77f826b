"""Delivery and appeal: four ways by which a decision reaches a student, ten natural days, and what a revocation does."""

from datetime import date, timedelta

import pytest

from app.kit import clock
from app.kit.calendar import end_of_term
from app.kit.flow import decide, let_in_late, submit, withdraw
from app.kit.operation import NotAllowed, NotFound, Refused
from tests.flows.test_news import number_of
from tests.flows.walk import STUDENT

WAYS = ("in_person", "post", "left", "published")


@pytest.fixture
def walk(walks, request):
    return walks(getattr(request, "param", "dismissal"))


def tenth_day(delivered: date) -> date:
    """The last day to appeal: natural days, and never a day off."""
    return end_of_term(delivered + timedelta(days=10), {})


def told(walk, case_id: int, how: object = "in_person", on: object = None, who: str = "clerk"):
    records = {"delivered_how": how, "delivered_on": on or clock.today().isoformat()}
    (outcome,) = walk.act(who, decide, [case_id], expected_step="told", records=records)
    return outcome.done, str(outcome.reason)


def appealed(walks, by: str = "student") -> tuple:
    appeal = walks("appeal", "enrolled")
    # Her state is what the decision made of it.
    appeal.behind.run("update student set status = coalesce((select new_status from roster_change where student_id = :id"
                      " order by id desc limit 1), 'withdrawn') where id = :id", id=STUDENT)  # fmt: skip
    case_id = appeal.draft(by)
    appeal.attach(case_id, "appeal_letter")
    return appeal, case_id


@pytest.mark.parametrize("how", WAYS)
def test_each_way_of_delivery_starts_the_time_to_appeal(walk, behind, how):
    case_id = walk.at("told")
    assert told(walk, case_id, how)[0]
    ends = behind.rows("select * from legal_clock where kind = 'appeal'")
    assert [(row["student_id"], row["due_on"]) for row in ends] == [(STUDENT, tenth_day(clock.today()))]
    page = walk.cast.login("clerk").get(f"/casescreen/show/{case_id}").text
    words = dict(zip(WAYS, ("直接送达", "邮寄送达", "留置送达", "公告送达"), strict=True))
    assert words[how] in page


def test_the_day_comes_from_the_page_as_a_day(walk, cast, behind):
    case_id = walk.at("told")
    form = {
        "act": "approve",
        "expected_step": "told",
        "delivered_how": "post",
        "delivered_on": clock.today().isoformat(),
    }
    answer = cast.login("clerk").post(f"/casescreen/decide/{case_id}", data=form, follow_redirects=True)
    assert answer.status_code == 200 and "alert-success" in answer.text
    assert behind.one("select delivered_on from flow_case where id = :id", id=case_id) == clock.today()


@pytest.mark.parametrize(
    ("how", "on"), [("by_owl", None), ("x" * 99, None), ("", None), ("post", "yesterday"), ("post", " ")]
)
def test_what_is_no_delivery_is_refused(walk, behind, how, on):
    case_id = walk.at("told")
    try:
        assert told(walk, case_id, how, on)[0] is False
    except Refused as refused:
        assert str(refused)
    assert walk.state(case_id) == ("open", "told")
    assert behind.one("select delivered_how from flow_case where id = :id", id=case_id) is None


def test_it_cannot_be_delivered_tomorrow_or_before_it_was_decided(walk):
    case_id = walk.at("told")
    for day in (clock.today() + timedelta(days=1), clock.today() - timedelta(days=1)):
        done, why = told(walk, case_id, on=day.isoformat())
        assert not done and why
    assert not told(walk, case_id, who="clerk2")[0]
    assert told(walk, case_id)[0]


def test_before_it_was_delivered_there_is_nothing_to_appeal(walk, walks):
    walk.at("told")
    with pytest.raises(Refused, match=r"reached|送达"):  # not even begun: it could never be handed in
        appealed(walks)


@pytest.mark.parametrize("who", ["classmate", "student2", "clerk2", "leader"])
def test_a_stranger_does_not_appeal_for_her(walk, walks, who):
    walk.at("leaving")
    with pytest.raises((NotAllowed, NotFound)):
        appealed(walks, who)


def test_ten_natural_days_and_not_one_more(walk, walks):
    walk.at("leaving")
    delivered = clock.today()
    appeal, case_id = appealed(walks)
    with clock.on(tenth_day(delivered) + timedelta(days=1)):
        with pytest.raises(Refused, match=str(tenth_day(delivered))):
            appeal.act("student", submit, case_id)
        appeal.act("registry", let_in_late, case_id, "住院")  # the registry's exception
        appeal.act("student", submit, case_id)
    assert appeal.state(case_id) == ("open", "review")


def test_a_draft_and_one_taken_back_stop_no_clock(walk, walks, behind):
    def running() -> int:
        return behind.one("select count(*) from legal_clock where kind = 'appeal'")

    walk.at("leaving")
    appeal, case_id = appealed(walks)
    assert running() == 1  # a draft is no appeal yet
    appeal.act("student", submit, case_id)
    assert running() == 0
    appeal.act("student", withdraw, case_id)
    assert running() == 1 and "/apply/appeal/101" in walk.cast.login("student").get("/").text


def test_the_review_lasts_natural_days_whatever_is_a_holiday(walk, walks, behind):
    walk.at("leaving")
    appeal, case_id = appealed(walks)
    with clock.on(delivered := clock.today() + timedelta(days=10)):
        appeal.act("student", submit, case_id)
    due = behind.one("select due_on from case_step where case_id = :id and state = 'open'", id=case_id)
    assert due == end_of_term(delivered + timedelta(days=15), {})


def test_one_decision_is_reviewed_once(walk, walks):
    walk.at("leaving")
    appeal, case_id = appealed(walks)
    appeal.act("student", submit, case_id)
    (outcome,) = appeal.decide("registry_c", case_id, "review", act="refuse", opinion="维持原决定")
    assert outcome.done and appeal.roster()["status"] == "withdrawn"
    assert appeal.sign(case_id, "told")[0].done
    with pytest.raises(Refused, match=r"reviewed|复查"):
        appealed(walks)


@pytest.mark.parametrize("walk", ["dismissal", "admission_cancellation"], indirect=True)
def test_a_revocation_is_a_reversing_entry_and_never_a_deletion(walk, walks, behind):
    before = walk.roster()
    decided = walk.at("leaving")
    gone = walk.roster()["status"]
    appeal, case_id = appealed(walks)
    appeal.act("student", submit, case_id)
    for step in appeal.flow.steps:
        for outcome in appeal.sign(case_id, step.key):
            assert outcome.done, outcome.reason
    assert appeal.roster() == before
    entries = behind.rows("select case_id, code, old_status, new_status, note from roster_change where student_id = :id"
                          " and case_id is not null order by id", id=STUDENT)  # fmt: skip
    assert [(entry["case_id"], entry["old_status"], entry["new_status"]) for entry in entries] == [
        (decided, before["status"], gone), (case_id, gone, before["status"]),
    ]  # fmt: skip
    restored = "恢复入学资格" if before["status"] == "admitted" else "恢复学籍"
    assert entries[1]["note"] == f"{restored}（申诉成立，撤销原处理{number_of(behind, decided)}）"
    assert entries[1]["code"] == {"恢复入学资格": "15", "恢复学籍": "17"}[restored]
    # nobody has to clear a student who stays
    assert walk.state(decided) == ("done", None)
    assert behind.one("select count(*) from case_step where case_id = :id and state in ('open', 'waiting')",
                      id=decided) == 0  # fmt: skip
    page = walk.cast.login("student").get(f"/casescreen/show/{decided}").text
    assert "申诉成立，撤销" in page and "尚未办清" not in walk.cast.login("student").get("/").text


def test_what_told_of_a_revoked_decision_says_so(walk, walks, behind, cast):
    decided = walk.at("leaving")
    papers = behind.rows("select id, kind, body from paper where case_id = :id order by id", id=decided)
    document = behind.one("select max(id) from document")

    def marked() -> list[bool]:
        student, registry = cast.login("student"), cast.login("registry")
        printed = [student.get(f"/paperscreen/print?id={paper['id']}").text for paper in papers]
        pages = [registry.get(f"/casescreen/show/{decided}").text, registry.get("/paperscreen/list/").text,
                 student.get("/").text, registry.get(f"/documents/{document}/print").text]  # fmt: skip
        return ["撤销</" in page or "（撤销）" in page for page in printed + pages]

    assert {paper["kind"] for paper in papers} == {"change_notice", "decision_letter"}
    assert marked() == [False] * 6
    appeal, case_id = appealed(walks)
    appeal.act("student", submit, case_id)
    for step in appeal.flow.steps:
        appeal.sign(case_id, step.key)
    assert marked() == [True] * 6
    assert papers == behind.rows("select id, kind, body from paper where case_id = :id order by id", id=decided)
    # what the appeal itself issued holds
    assert behind.one("select count(*) from paper where case_id = :id and mark is not null", id=case_id) == 0
    told = cast.login("registry").get("/api/v1/paper/").get_json()["result"]
    assert {one["id"]: one["mark"] for one in told if one["mark"]} == {paper["id"]: "revoked" for paper in papers}
    assert "1 件已失效" in cast.login("registry").get("/documents/").text


def test_a_document_names_whose_decision_was_revoked(walk, behind, cast):
    decided = walk.at("leaving")
    document = behind.one("select max(document_id) from case_step where case_id = :id", id=decided)
    behind.run("update document set cases = 2 where id = :id", id=document)  # of two students, one was right
    behind.run("update paper set mark = 'revoked' where case_id = :id", id=decided)
    page = cast.login("registry").get(f"/documents/{document}/print").text
    assert "下列学生的处理决定不再有效：" in page and "（撤销）" in page and "paper-mark" not in page
    assert behind.one("select subject from flow_case where id = :id", id=decided) in page.split("不再有效")[1]


def test_a_leave_that_the_dismissal_ended_has_its_end_again(walks, behind):
    until = date(2027, 8, 31)
    walk = walks("dismissal", "on_leave")
    walk.filled = {"reason": "other", "other_ground": "严重违反校规（学校学籍管理规定第十条）"}
    behind.run("insert into roster_change (student_id, college_id, student_college_id, code, effective_on, until,"
               " new_status, new_college_id, new_major_id, new_grade, new_study_length, new_text)"
               " values (101, 1, 1, '11', '2026-03-01', :until, 'on_leave', 1, 1, 2024, 4, '{}')", until=until)  # fmt: skip
    walk.at("leaving")
    assert behind.rows("select * from legal_clock where kind = 'leave'") == []
    appeal, case_id = appealed(walks)
    appeal.act("student", submit, case_id)
    for step in appeal.flow.steps:
        appeal.sign(case_id, step.key)
    assert appeal.roster()["status"] == "on_leave"
    assert behind.one("select due_on from legal_clock where kind = 'leave' and student_id = 101") == until
