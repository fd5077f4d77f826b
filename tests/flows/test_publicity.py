"""Publicity: the public reads four columns and no more; nothing passes early or past an open objection."""

from datetime import date, timedelta

import pytest

from app.kit import clock
from app.kit.operation import NotAllowed, Refused
from app.operations.proceedings.publicity import answer_objection, publish, record_objection, take_off
from app.papers import issue_document

NOTICE = "异议请向教务处提出。"
SAID = {"objector": "李某", "text": "情况不符"}


@pytest.fixture
def walk(walks):
    return walks("dismissal")


def listed(walk, *case_ids: int, **how) -> int:
    return walk.act("registry", lambda actor: publish(actor, list(case_ids), "退学公示", NOTICE, **how).id)


def objected(walk, publicity_id: int, **said) -> int:
    return walk.act("registry", lambda actor: record_objection(actor, publicity_id, **SAID | said).id)


def closing(behind, publicity_id: int) -> date:
    return behind.one("select closes_on from publicity where id = :id", id=publicity_id)


def passes(walk, case_id: int) -> tuple[bool, str]:
    (outcome,) = walk.decide("registry", case_id, "publicity", records={})
    return outcome.done, str(outcome.reason)


@pytest.mark.parametrize("who", ["clerk", "leader", "director", "vp", "student", "auditor", "admin"])
def test_only_the_registry_publishes(walk, who):
    case_id = walk.at("publicity")
    with pytest.raises(NotAllowed):
        walk.act(who, publish, [case_id], "公示", NOTICE)


def test_one_list_and_one_document_are_about_one_procedure(walks, behind):
    """Each has a form of its own on the page; nothing of two kinds goes out in one act."""
    transfer = walks("major_transfer")
    moving = transfer.at("publicity")
    dismissal = walks("dismissal", student=102)
    both = [moving, dismissal.at("publicity")]
    with pytest.raises(Refused):
        dismissal.act("registry", publish, both, "公示", NOTICE)
    registry = dismissal.cast.login("registry")
    page = registry.get("/publicities/").text
    assert page.count('action="/publicities/publish"') == 2 and "待公示：转专业" in page and "待公示：退学处理" in page
    answer = registry.post("/publicities/publish", data={"case": both, "title": "公示", "notice": NOTICE})
    assert answer.status_code == 422 and "请按事项分别公示" in answer.text
    for walk, case_id in zip((transfer, dismissal), both, strict=True):
        walk.sign(case_id, "publicity")
    with pytest.raises(Refused):
        dismissal.act("registry", issue_document, both, step="document", title="")
    assert behind.one("select count(*) from document") == 0
    dismissal.sign(both[1], "document")
    assert behind.one("select count(*) from document") == 1


def test_what_does_not_wait_is_not_published(walk, behind):
    case_id = walk.at("resolution")
    for ids in ([case_id], [], [10**9]):
        with pytest.raises(Refused):
            walk.act("registry", publish, ids, "公示", NOTICE)
    assert behind.one("select count(*) from publicity") == 0


@pytest.mark.parametrize(
    ("title", "notice", "days"),
    [
        (" ", NOTICE, None),
        ("长" * 81, NOTICE, None),
        ("公示", " ", None),
        ("公示", "长" * 2001, None),
        ("公示", NOTICE, 4),
    ],
)
def test_a_list_needs_a_title_a_text_and_its_days(walk, behind, title, notice, days):
    case_id = walk.at("publicity")
    with pytest.raises(Refused):
        walk.act("registry", publish, [case_id], title, notice, days=days)
    assert behind.one("select count(*) from publicity_entry") == 0


def test_the_public_reads_name_masked_number_and_matter_alone(walk, behind, app):
    case_id = walk.at("publicity")
    anybody = app.test_client()
    assert "学生11" not in anybody.get("/publicity/").text
    number = listed(walk, case_id)
    page = anybody.get("/publicity/")
    assert page.status_code == 200
    for word in ("学生11", "计算机学院", "退学处理", "在读 → 退学", "2024****01", NOTICE):
        assert word in page.text, word
    (student,) = behind.rows("select student_no, id_number, examinee_no, phone, address from student where id = 101")
    case = behind.one("select number from flow_case where id = :id", id=case_id)
    for secret in (*student.values(), case, "连续两周未到校"):
        assert secret not in page.text, secret
    with clock.on(closing(behind, number) + timedelta(days=1)):
        assert "学生11" not in anybody.get("/publicity/").text


def test_working_days_are_counted(walk, behind):
    case_id = walk.at("publicity")
    with clock.on(date(2026, 9, 28)):  # a Monday; National Day is 1–7 October, Saturday the 10th is worked
        assert closing(behind, listed(walk, case_id)) == date(2026, 10, 10)


def test_it_does_not_pass_before_its_time(walk, behind):
    case_id = walk.at("publicity")
    assert passes(walk, case_id)[0] is False
    last = closing(behind, listed(walk, case_id))
    for day in (clock.today(), last):
        with clock.on(day):
            done, why = passes(walk, case_id)
            assert not done and why
    with clock.on(last + timedelta(days=1)):
        assert passes(walk, case_id)[0] is True


def test_an_open_objection_holds_it_until_it_is_answered(walk, behind):
    case_id = walk.at("publicity")
    number = listed(walk, case_id)
    objection = objected(walk, number, case_id=case_id)
    with clock.on(closing(behind, number) + timedelta(days=1)):
        assert passes(walk, case_id)[0] is False
        with pytest.raises(Refused):
            walk.act("registry", answer_objection, objection, " ")
        with pytest.raises(NotAllowed):
            walk.act("clerk", answer_objection, objection, "经核查，情况属实。")
        walk.act("registry", answer_objection, objection, "经核查，情况属实。")
        with pytest.raises(Refused):  # answered once
            walk.act("registry", answer_objection, objection, "再答")
        assert passes(walk, case_id)[0] is True


def test_an_objection_to_one_case_holds_that_case_and_one_to_the_list_all(walk, walks, behind):
    other = walks("dismissal", student=102)
    first, second = walk.at("publicity"), other.at("publicity")
    number = listed(walk, first, second)
    objection = objected(walk, number, case_id=second)
    with clock.on(closing(behind, number) + timedelta(days=1)):
        assert passes(walk, second)[0] is False
        assert passes(walk, first)[0] is True
        walk.act("registry", answer_objection, objection, "已答复")
    objected(walk, number)
    with clock.on(closing(behind, number) + timedelta(days=1)):
        assert passes(walk, second)[0] is False


def test_objections_come_within_the_time_and_about_the_list(walk, behind):
    case_id = walk.at("publicity")
    number, today = listed(walk, case_id), clock.today()
    wrong = [{"received_on": today - timedelta(days=1)}, {"received_on": today + timedelta(days=1)},
             {"case_id": 10**9}, {"objector": " "}, {"text": ""}, {"objector": "长" * 81}]  # fmt: skip
    for said in wrong:
        with pytest.raises(Refused):
            objected(walk, number, **said)
    with clock.on(closing(behind, number) + timedelta(days=1)), pytest.raises(Refused):
        objected(walk, number)
    assert behind.one("select count(*) from objection") == 0


def test_published_twice_is_refused_and_taken_off_it_waits_anew(walk, behind, app):
    case_id = walk.at("publicity")
    number = listed(walk, case_id)
    with pytest.raises(Refused):
        listed(walk, case_id)
    entry = behind.one("select id from publicity_entry where case_id = :id", id=case_id)
    with pytest.raises(Refused):
        walk.act("registry", take_off, entry, " ")
    walk.act("registry", take_off, entry, "名单有误")
    assert "学生11" not in app.test_client().get("/publicity/").text
    with clock.on(closing(behind, number) + timedelta(days=1)):
        assert passes(walk, case_id)[0] is False
        listed(walk, case_id)
        assert passes(walk, case_id)[0] is False


def test_what_stood_on_a_list_to_its_end_stays(walk, behind):
    case_id = walk.at("publicity")
    number = listed(walk, case_id)
    entry = behind.one("select id from publicity_entry where case_id = :id", id=case_id)
    registry = walk.cast.login("registry")
    with clock.on(closing(behind, number)):
        assert f"/publicities/entry/{entry}/remove" in registry.get(f"/publicities/{number}").text
    with clock.on(closing(behind, number) + timedelta(days=1)):
        assert f"/publicities/entry/{entry}/remove" not in registry.get(f"/publicities/{number}").text
        with pytest.raises(Refused, match="期满"):
            walk.act("registry", take_off, entry, "名单有误")
    assert behind.one("select removed from publicity_entry where id = :id", id=entry) is False


def test_the_page_before_a_batch_foresees_that_it_still_runs(walk):
    case_id = walk.at("publicity")
    ask = {"rowid": f"{case_id}:publicity"}
    registry = walk.cast.login("registry")
    assert "尚未公示" in registry.post("/inbox/confirm", data=ask).text
    listed(walk, case_id)
    page = registry.post("/inbox/confirm", data=ask).text
    assert "目前不能通过" in page and "公示至" in page
