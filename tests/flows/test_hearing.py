"""Before a decision against a student: told of its grounds, heard, its legality examined; then told the decision by letter."""

from datetime import timedelta

import pytest

from app.kit import clock
from app.kit.flow import FLOWS
from app.kit.operation import Refused

DECISIONS = ("dismissal", "admission_cancellation")


@pytest.fixture(params=DECISIONS)
def walk(walks, request):
    return walks(request.param)


def decided(walk, key: str, who: str | None = None, **changed: object) -> tuple[bool, str]:
    (outcome,) = walk.decide(who or walk.signer(key), walk.case, key, records=walk.records(key) | changed)
    return outcome.done, str(outcome.reason)


def test_a_student_has_some_days_for_her_defence(walk, behind):
    behind.run("update setting set value = '3' where key = 'defence_days'")
    walk.case = walk.at("hearing")
    today = clock.today()
    for told_on in (today - timedelta(days=400), today - timedelta(days=1), today + timedelta(days=1)):
        passed, why = decided(walk, "hearing", informed_on=told_on.isoformat())
        assert not passed, (told_on, why)  # before the declaration, or still to come
    for days, done in ((0, False), (2, False), (3, True)):
        with clock.on(today + timedelta(days=days)):
            passed, why = decided(walk, "hearing", informed_on=today.isoformat())
        assert passed is done and (done or str(today + timedelta(days=3)) in why)


def test_nobody_decides_before_she_was_heard(walk):
    walk.case = walk.at("hearing")
    for missing in ("informed_how", "informed_on", "defence"):
        assert not decided(walk, "hearing", **{missing: ""})[0]
    assert not decided(walk, "hearing", who="clerk2")[0]
    assert not decided(walk, "accept")[0]


def test_the_legality_is_examined_before_the_meeting(walk):
    walk.case = walk.at("legality")
    assert not decided(walk, "resolution")[0]
    tomorrow = clock.today() + timedelta(days=1)
    before = clock.today() - timedelta(days=400)  # she was told later
    for changed in ({"legality_opinion": ""}, {"legality_on": ""}, {"legality_on": tomorrow.isoformat()},
                    {"legality_on": before.isoformat()}):  # fmt: skip
        assert not decided(walk, "legality", **changed)[0]
    assert decided(walk, "legality")[0]


def test_the_letter_names_facts_basis_and_appeal(walk, behind):
    case_id = walk.at("told")
    (letter,) = behind.rows(
        "select number, body from paper where case_id = :id and kind = 'decision_letter'", id=case_id
    )
    (case,) = behind.rows("select statement, informed_on from flow_case where id = :id", id=case_id)
    told_on = f"{case['informed_on'].year}年{case['informed_on'].month}月{case['informed_on'].day}日"
    for words in ("学生11", case["statement"], "教育部令第41号", told_on, "10日内", "学生申诉处理委员会"):
        assert words in letter["body"], words
    assert letter["number"].startswith("JD-")


def letter_of(behind, case_id: int) -> str:
    return behind.one("select body from paper where case_id = :id and kind = 'decision_letter'", id=case_id)


@pytest.mark.parametrize("said", ["无", "没有。", "当时住院，已请假"])
def test_the_letter_says_what_she_said_or_that_she_said_nothing(walk, behind, said):
    case_id = walk.at("legality")
    behind.run("update flow_case set defence = :said where id = :id", said=said, id=case_id)
    for step in ("legality", "resolution", "publicity", "document"):
        if step == "resolution" and said == "当时住院，已请假":
            walk.case = case_id
            assert not decided(walk, step)[0]  # an answer is owed
            assert decided(walk, step, defence_taken="refused", defence_answer="未见请假手续")[0]
        elif step in {one.key for one in walk.flow.steps}:
            walk.sign(case_id, step)
    body = letter_of(behind, case_id)
    heard = f"听取了你的陈述和申辩：{said}" in body
    assert heard == (said == "当时住院，已请假") and ("未提出陈述和申辩" in body) != heard
    assert ("学校不予采纳：未见请假手续。" in body) == heard
    (meeting,) = behind.rows("select held_on, number from meeting order by id desc limit 1")
    day = meeting["held_on"]
    assert f"{day.year}年{day.month}月{day.day}日" in body and str(day) not in body
    dismissed = walk.flow.key == "dismissal"
    assert ("档案由学校退回" in body and "户口" in body and "办理退学手续离校" in body) == dismissed
    assert ("未经批准连续两周未参加学校规定的教学活动" in body) == dismissed
    notice = behind.one("select body from paper where case_id = :id and kind = 'change_notice'", id=case_id)
    assert "异动原因</th><td>其他</td>" not in notice


def test_a_case_from_before_there_was_a_hearing_tells_of_none(walk, behind):
    case_id = walk.at("document")
    behind.run("update flow_case set informed_on = null, informed_how = null, defence = null, legality_on = null"
               " where id = :id", id=case_id)  # fmt: skip
    walk.sign(case_id, "document")
    body = letter_of(behind, case_id)
    for words in ("告知", "陈述", "无</p>", "合法性审查"):
        assert words not in body, words
    assert "研究决定，对你作如下处理" in body


def test_every_ground_has_its_basis(behind):
    grounds = {reason for key in DECISIONS for reason in FLOWS[key].reasons}
    known = {row["key"] for row in behind.rows("select key from setting where key like 'basis_%'")}
    assert {f"basis_{ground}" for ground in grounds} == known


def test_what_was_found_unlawful_goes_no_further_and_back(walk):
    walk.case = walk.at("legality")
    passed, why = decided(walk, "legality", legality_result="unlawful")
    assert not passed and why
    (outcome,) = walk.decide(walk.signer("legality"), walk.case, "legality", act="send_back", opinion="程序不合法")
    assert outcome.done and walk.state(walk.case)[1] != "resolution"


def test_whoever_lists_the_cases_does_not_examine_their_legality(walks):
    walk = walks("dismissal")
    walk.case = walk.at("legality")
    assert not decided(walk, "legality", who="registry")[0]
    assert decided(walk, "legality", who="registry_b")[0]


def test_the_letter_dates_the_absence_names_the_evidence_the_review_and_where_to_appeal(walks, behind):
    behind.run("update setting set value = '行政楼302室' where key = 'appeal_address'")
    walk = walks("dismissal")
    case_id = walk.at("told")
    body = letter_of(behind, case_id)
    for words in (
        "2026年8月1日起离校",
        "申报表",
        "为证",
        "（意见：合法）",
        "法治办公室",
        "（盖章）",
        "（地址：行政楼302室）",
    ):
        assert words in body, words
    document = behind.one("select body from document order by id desc limit 1")
    ground = behind.one("select value from setting where key = 'basis_absence'")
    assert ground in document and "校长办公会" in document and "决定对学生学生11作出" in document
    assert "日内向学生申诉处理委员会提出" in document and "等1名" not in document


def test_another_ground_is_said_in_words(walks, behind):
    walk = walks("dismissal")
    walk.filled = {"reason": "other", "other_ground": None}
    with pytest.raises(Refused):
        walk.submitted()


def test_the_letter_says_another_ground_in_its_words(walks, behind):
    walk = walks("dismissal")
    walk.filled = {"reason": "other", "other_ground": "学校学籍管理规定第十条：连续旷课"}
    body = letter_of(behind, walk.at("told"))
    assert "存在以下情形：学校学籍管理规定第十条：连续旷课" in body and "离校，至" not in body


def test_a_freshman_is_named_by_what_her_number_is(walks, behind):
    walk = walks("admission_cancellation")
    behind.run("update student set student_no = null where id = 101")
    body = letter_of(behind, walk.at("told"))
    assert "（考生号：2450001" in body and "学号" not in body


def test_the_family_reads_of_a_closed_roster_and_not_of_a_death_that_was_arranged(walks, behind, cast):
    case_id = walks("cancellation").at("end")
    notice = behind.one("select body from paper where case_id = :id", id=case_id)
    assert "现予办理<strong>注销学籍</strong>" in notice and "现予办理<strong>死亡" not in notice
    behind.run("insert into registration (student_id, college_id, student_college_id, year, season, state, since, recorded_by)"
               " select id, college_id, college_id, 2026, 'autumn', 'registered', '2026-09-01', 1 from student where id = 101")  # fmt: skip
    behind.run("update student set expected_graduation = '2028-06-30' where id = 101")
    page = cast.login("student").get("/").text
    assert "/registrationscreen/confirm/" not in page and "2028" not in page
