"""The review of an appeal (P32): other hands, a last day that can be moved once, and an outcome that is told."""

from datetime import timedelta

import pytest

from app.access import scope_as
from app.kit import clock
from app.kit.calendar import end_of_term
from app.kit.flow import submit, withdraw
from app.kit.operation import NotAllowed, NotFound, Refused
from app.operations.calendar.due_days import recompute
from app.operations.proceedings.appeals import extend
from tests.flows.test_appeals import appealed


@pytest.fixture
def review(walks):
    """An appeal against a dismissal that `registry` has signed, handed in; and its id."""
    walks("dismissal").at("leaving")
    appeal, case_id = appealed(walks)
    appeal.act("student", submit, case_id)
    return appeal, case_id


def due_on(behind, case_id: int):
    return behind.one("select due_on from case_step where case_id = :id and state = 'open'", id=case_id)


def notices(behind, username: str, words: str) -> int:
    return behind.one("select count(*) from notice n join ab_user u on u.id = n.user_id where u.username = :who"
                      " and n.title_zh like :words", who=username, words=f"%{words}%")  # fmt: skip


@pytest.mark.parametrize("act", ["approve", "refuse", "send_back"])
def test_whoever_had_a_hand_in_the_decision_does_not_review_it(review, act):
    appeal, case_id = review
    (outcome,) = appeal.decide("registry", case_id, "review", act=act, opinion="同前")
    assert (not outcome.done and "原处理决定" in str(outcome.reason)) or "another hand" in str(outcome.reason)
    assert appeal.state(case_id) == ("open", "review")
    page = appeal.cast.login("registry").get(f"/casescreen/show/{case_id}").text
    assert "您经办过本件所涉及的原处理决定" in page and 'value="approve"' not in page
    assert appeal.decide("registry_c", case_id, "review")[0].done


def test_the_database_names_the_same_signers_at_every_step_that_decides(review, behind):
    appeal, case_id = review
    signers = "select username from step_signer join ab_user u on u.id = user_id where case_id = :id"
    assert behind.rows(signers, id=case_id) == [{"username": "registry_c"}]
    assert appeal.decide("registry_c", case_id, "review")[0].done
    assert behind.rows(signers, id=case_id) == [{"username": "vp_b"}]
    (outcome,) = appeal.decide("vp", case_id, "school")  # who had signed the dismissal
    assert not outcome.done and ("原处理决定" in str(outcome.reason) or "another hand" in str(outcome.reason))
    assert appeal.decide("vp_b", case_id, "school")[0].done


def test_where_everybody_had_a_hand_in_the_decision_the_page_says_that_somebody_is_missing(review, behind):
    appeal, case_id = review
    behind.run("update ab_user set active = false where username = 'vp_b'")
    assert appeal.decide("registry_c", case_id, "review")[0].done
    for who in ("vp", "registry_c", "student"):
        page = appeal.cast.login(who).get(f"/casescreen/show/{case_id}").text
        assert "本环节目前无人可签" in page


@pytest.mark.parametrize(
    ("who", "step", "lacking"),
    [("registry_c", "review", "finding"), ("registry_c", "review", "meeting_id"), ("vp_b", "school", "meeting_id")],
)
def test_nobody_refuses_an_appeal_without_the_meeting_and_what_it_found(review, behind, who, step, lacking):
    appeal, case_id = review
    if step == "school":
        assert appeal.decide("registry_c", case_id, "review")[0].done
    records = {key: value for key, value in appeal.records(step).items() if key != lacking}
    (outcome,) = appeal.decide(who, case_id, step, act="refuse", opinion="维持", records=records)
    assert not outcome.done and outcome.reason and appeal.state(case_id) == ("open", step)
    other = appeal.meeting(who, "school" if step == "review" else "appeals")
    (outcome,) = appeal.decide(
        who, case_id, step, act="refuse", opinion="维持", records=appeal.records(step) | {"meeting_id": other}
    )
    assert not outcome.done
    assert appeal.decide(who, case_id, step, act="refuse", opinion="维持原处理决定")[0].done
    assert behind.one("select meeting_id from case_step where case_id = :id and key = :key", id=case_id, key=step)


def test_what_the_meeting_decided_is_carried_out_and_not_refused(review):
    appeal, case_id = review
    for key in ("review", "school"):
        assert appeal.sign(case_id, key)[0].done
    (outcome,) = appeal.decide("registry_c", case_id, "registry", act="refuse", opinion="不同意")
    assert not outcome.done and appeal.state(case_id) == ("open", "registry")
    page = appeal.cast.login("registry_c").get(f"/casescreen/show/{case_id}").text
    assert 'value="refuse"' not in page and 'value="send_back"' in page


def test_the_page_refuses_with_the_meeting_and_gives_more_time_without_one(review, behind):
    appeal, case_id = review
    page = appeal.cast.login("registry_c").get(f"/casescreen/show/{case_id}").text
    button = {act: page.split(f'value="{act}"')[1].split(">")[0] for act in ("approve", "refuse", "send_back")}
    assert ["formnovalidate" in button[act] for act in ("approve", "refuse", "send_back")] == [False, False, True]
    form = {"act": "refuse", "expected_step": "review", "opinion": "维持", "finding": "", "meeting_id": ""}
    post = appeal.cast.login("registry_c").post
    assert post(f"/casescreen/decide/{case_id}", data=form).status_code == 422
    form |= {"finding": "事实清楚", "meeting_id": str(appeal.meeting("registry_c", "appeals"))}
    assert post(f"/casescreen/decide/{case_id}", data=form).status_code == 302
    body = behind.one("select body from paper where kind = 'review_decision' and case_id = :id", id=case_id)
    assert "经复查：事实清楚" in body and "学生申诉处理委员会第" in body and "维持原处理决定" in body
    assert "校长办公会" not in body and "学生申诉处理委员会（盖章）" in body


def test_the_letter_prints_the_finding_of_the_review_and_every_meeting_that_was_held(review, behind):
    appeal, case_id = review
    appeal.sign(case_id, "review")
    appeal.decide("vp_b", case_id, "school", opinion="准予")
    appeal.decide("registry", case_id, "registry", opinion="办理")
    body = behind.one("select body from paper where kind = 'review_decision' and case_id = :id", id=case_id)
    assert "经复查：请假手续齐全，原处理依据不足" in body and "办理" not in body and "准予" not in body
    today = clock.today()
    assert body.count(f"经{today.year}年{today.month}月{today.day}日") == 2
    assert "学生申诉处理委员会第" in body and "校长办公会第" in body


def test_where_the_presidents_meeting_does_not_follow_the_committee_the_letter_says_why(review, behind):
    appeal, case_id = review
    appeal.sign(case_id, "review")
    assert appeal.decide("vp_b", case_id, "school", act="refuse", opinion="程序并无不当")[0].done
    body = behind.one("select body from paper where kind = 'review_decision' and case_id = :id", id=case_id)
    assert "学校研究认为：程序并无不当" in body and "维持原处理决定" in body


def test_every_step_is_due_by_the_last_day_of_the_review(review, behind):
    appeal, case_id = review
    last = end_of_term(clock.today() + timedelta(days=15), {})
    assert due_on(behind, case_id) == last
    with clock.on(last - timedelta(days=1)):
        assert appeal.decide("registry_c", case_id, "review")[0].done
        assert due_on(behind, case_id) == last  # and not five working days more


def test_the_last_day_follows_a_day_off_that_becomes_known(review, behind):
    appeal, case_id = review
    last = due_on(behind, case_id)
    behind.run("insert into calendar_day (day, working, name) values (:day, false, '放假')", day=last)
    with scope_as(appeal.cast.registry.scope):
        recompute(appeal.cast.registry, clock.today())
    assert due_on(behind, case_id) > last
    assert due_on(behind, case_id) == behind.one("select review_until from flow_case where id = :id", id=case_id)


def test_the_head_of_the_school_gives_more_time_once(review, behind):
    appeal, case_id = review
    for who in ("registry_c", "director", "clerk", "student"):
        with pytest.raises((NotAllowed, NotFound, Refused)):
            appeal.act(who, extend, case_id, "案情复杂")
    with pytest.raises(Refused):
        appeal.act("vp", extend, case_id, "  ")
    appeal.act("vp", extend, case_id, "案情复杂")
    last = end_of_term(clock.today() + timedelta(days=30), {})
    assert (
        due_on(behind, case_id) == last == behind.one("select review_until from flow_case where id = :id", id=case_id)
    )
    assert notices(behind, "student", "复查期限延长") == 1 == notices(behind, "registry_c", "期限延长")
    assert (
        behind.one("select count(*) from audit_entry where action = 'case:extend' and subject_id = :id", id=case_id)
        == 1
    )
    page = appeal.cast.login("student").get(f"/casescreen/show/{case_id}").text
    assert "案情复杂" in page and "延长复查期限" in page and str(last) in page
    with pytest.raises(Refused, match=r"once|一次"):
        appeal.act("vp", extend, case_id, "仍复杂")


def test_it_is_extended_on_its_page_and_not_after_its_last_day(review, behind):
    appeal, case_id = review
    with clock.on(end_of_term(clock.today() + timedelta(days=15), {}) + timedelta(days=1)), pytest.raises(Refused):
        appeal.act("vp", extend, case_id, "案情复杂")
    browser = appeal.cast.login("vp")
    assert 'value="extend"' in browser.get(f"/casescreen/show/{case_id}").text
    assert 'value="extend"' not in appeal.cast.login("registry_c").get(f"/casescreen/show/{case_id}").text
    form = {"act": "extend", "expected_step": "review", "opinion": "案情复杂"}
    assert browser.post(f"/casescreen/decide/{case_id}", data=form).status_code == 302
    assert behind.one("select extended_reason from flow_case where id = :id", id=case_id) == "案情复杂"
    assert 'value="extend"' not in browser.get(f"/casescreen/show/{case_id}").text


def test_a_refusal_is_told_before_the_case_ends_and_the_next_instances_time_runs(review, behind):
    appeal, case_id = review
    assert appeal.decide("registry_c", case_id, "review", act="refuse", opinion="维持原决定")[0].done
    assert appeal.state(case_id) == ("open", "told")
    assert notices(behind, "clerk", "申诉") == 1  # it waits for her
    page = appeal.cast.login("student").get(f"/casescreen/show/{case_id}").text
    assert "维持原决定" in page and "省级教育行政部门" in page
    with pytest.raises(Refused):
        appeal.act("student", withdraw, case_id)  # it has been decided
    with pytest.raises(Refused):
        appeal.act("vp", extend, case_id, "案情复杂")
    early = {"told_how": "post", "told_on": (clock.today() - timedelta(days=1)).isoformat()}
    late = early | {"told_on": (clock.today() + timedelta(days=1)).isoformat()}
    for records in (early, late, {}):
        assert not appeal.decide("clerk", case_id, "told", records=records)[0].done
    for act in ("refuse", "send_back"):
        assert not appeal.decide("clerk", case_id, "told", act=act, opinion="不")[0].done
    assert appeal.sign(case_id, "told")[0].done
    assert appeal.state(case_id) == ("refused", None) and appeal.roster()["status"] == "withdrawn"
    until = behind.one("select next_appeal_until from flow_case where id = :id", id=case_id)
    assert until == end_of_term(clock.today() + timedelta(days=15), {})
    assert str(until) in appeal.cast.login("student").get(f"/casescreen/show/{case_id}").text
    assert (
        behind.one("select count(*) from case_step where case_id = :id and state in ('open', 'waiting')", id=case_id)
        == 0
    )


def test_a_refusal_by_the_meeting_is_told_too(review):
    appeal, case_id = review
    assert appeal.decide("registry_c", case_id, "review")[0].done
    assert appeal.decide("vp_b", case_id, "school", act="refuse", opinion="维持原决定")[0].done
    assert appeal.state(case_id) == ("open", "told")
    assert appeal.sign(case_id, "told")[0].done
    assert appeal.state(case_id) == ("refused", None)


def test_a_granted_appeal_is_told_and_done(review):
    appeal, case_id = review
    for key in ("review", "school", "registry"):
        assert appeal.sign(case_id, key)[0].done
    assert appeal.state(case_id) == ("open", "told") and appeal.roster()["status"] == "enrolled"
    assert appeal.sign(case_id, "told")[0].done
    assert appeal.state(case_id) == ("done", None)


@pytest.mark.parametrize("act", ["approve", "refuse"])
def test_an_appeal_from_before_keeps_its_steps_and_ends(review, behind, cast, act):
    """Its steps know nothing of what was declared later: no step to tell the outcome, no last day of the review."""
    appeal, case_id = review
    behind.run("delete from case_step where case_id = :id and key = 'told'", id=case_id)
    behind.run("update case_step set declared = declared - '{due_by,tells_refusal,fills,timed}'::text[] ||"
               " jsonb_build_object('hands_differ_from', '[]'::jsonb) where case_id = :id", id=case_id)  # fmt: skip
    behind.run("update flow_case set review_until = null where id = :id", id=case_id)
    for who in ("vp", "student", "clerk", "registry_c"):
        assert cast.login(who).get(f"/casescreen/show/{case_id}").status_code == 200
    recompute_steps(appeal)
    if act == "refuse":
        assert appeal.decide("registry_c", case_id, "review", act=act, opinion="维持原决定")[0].done
        assert appeal.state(case_id) == ("refused", None) and appeal.roster()["status"] == "withdrawn"
        return
    for key in ("review", "school", "registry"):
        assert appeal.sign(case_id, key)[0].done
    assert appeal.state(case_id) == ("done", None) and appeal.roster()["status"] == "enrolled"
    assert notices(behind, "student", "已批准：申诉") == 1  # she is told by notice


def recompute_steps(appeal) -> None:
    with scope_as(appeal.cast.registry.scope):
        recompute(appeal.cast.registry, clock.today())


@pytest.mark.parametrize("granted", [True, False])
def test_the_outcome_is_a_paper_of_its_own(walks, behind, cast, granted):
    decided = walks("dismissal").at("leaving")
    appeal, case_id = appealed(walks)
    appeal.act("student", submit, case_id)
    if granted:
        for step in appeal.flow.steps:
            appeal.sign(case_id, step.key)
    else:
        found = appeal.records("review") | {"finding": "事实清楚，理由不成立"}
        (outcome,) = appeal.decide("registry_c", case_id, "review", act="refuse", opinion="维持", records=found)
        assert outcome.done, outcome.reason
    (paper,) = behind.rows("select id, number, body from paper where case_id = :id and kind = 'review_decision'",
                           id=case_id)  # fmt: skip
    letter = behind.one("select number from paper where case_id = :id and kind = 'decision_letter'", id=decided)
    assert paper["number"].startswith("FC-") and letter in paper["body"] and "退学处理决定" in paper["body"]
    said = ("申诉成立，撤销原处理决定",) if granted else ("维持原处理决定", "事实清楚，理由不成立", "15日内")
    for words in said:
        assert words in paper["body"], words
    assert ("省级教育行政部门" in paper["body"]) != granted
    assert "申诉复查决定书" in cast.login("student").get(f"/paperscreen/print?id={paper['id']}").text


def test_the_student_reads_of_her_appeal_and_not_of_a_decision_of_hers(walks):
    walks("dismissal").at("leaving")
    appeal, case_id = appealed(walks)
    page = appeal.cast.login("student").get(f"/casescreen/show/{case_id}").text
    assert "我的申诉" in page and "您的决定" not in page
    appeal.act("student", submit, case_id)
    assert "您的决定" in appeal.cast.login("registry_c").get(f"/casescreen/show/{case_id}").text
