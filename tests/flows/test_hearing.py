"""Before a decision against a student: told of its grounds, heard, its legality examined; then told the decision by letter."""

from datetime import timedelta

import pytest

from app.kit import clock
from app.kit.flow import FLOWS

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
        if step in {one.key for one in walk.flow.steps}:
            walk.sign(case_id, step)
    body = letter_of(behind, case_id)
    heard = f"听取了你的陈述和申辩：{said}" in body
    assert heard == (said == "当时住院，已请假") and ("未提出陈述和申辩" in body) != heard
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
