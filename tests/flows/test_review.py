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
    assert appeal.decide("registry_b", case_id, "review")[0].done


def test_the_database_names_the_same_signers_and_the_meeting_may_decide_again(review, behind):
    appeal, case_id = review
    signers = "select username from step_signer join ab_user u on u.id = user_id where case_id = :id"
    assert behind.rows(signers, id=case_id) == [{"username": "registry_b"}]
    assert appeal.decide("registry_b", case_id, "review")[0].done
    assert {"username": "vp"} in behind.rows(signers, id=case_id)  # who had signed the dismissal
    assert appeal.decide("vp", case_id, "school")[0].done


def test_every_step_is_due_by_the_last_day_of_the_review(review, behind):
    appeal, case_id = review
    last = end_of_term(clock.today() + timedelta(days=15), {})
    assert due_on(behind, case_id) == last
    with clock.on(last - timedelta(days=1)):
        assert appeal.decide("registry_b", case_id, "review")[0].done
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
    for who in ("registry_b", "director", "clerk", "student"):
        with pytest.raises((NotAllowed, NotFound, Refused)):
            appeal.act(who, extend, case_id, "案情复杂")
    with pytest.raises(Refused):
        appeal.act("vp", extend, case_id, "  ")
    appeal.act("vp", extend, case_id, "案情复杂")
    last = end_of_term(clock.today() + timedelta(days=30), {})
    assert (
        due_on(behind, case_id) == last == behind.one("select review_until from flow_case where id = :id", id=case_id)
    )
    assert notices(behind, "student", "复查期限延长") == 1 == notices(behind, "registry_b", "期限延长")
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
    assert 'value="extend"' not in appeal.cast.login("registry_b").get(f"/casescreen/show/{case_id}").text
    form = {"act": "extend", "expected_step": "review", "opinion": "案情复杂"}
    assert browser.post(f"/casescreen/decide/{case_id}", data=form).status_code == 302
    assert behind.one("select extended_reason from flow_case where id = :id", id=case_id) == "案情复杂"
    assert 'value="extend"' not in browser.get(f"/casescreen/show/{case_id}").text


def test_a_refusal_is_told_before_the_case_ends_and_the_next_instances_time_runs(review, behind):
    appeal, case_id = review
    assert appeal.decide("registry_b", case_id, "review", act="refuse", opinion="维持原决定")[0].done
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
    assert appeal.decide("registry_b", case_id, "review")[0].done
    assert appeal.decide("vp", case_id, "school", act="refuse", opinion="维持原决定")[0].done
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
    for who in ("vp", "student", "clerk", "registry_b"):
        assert cast.login(who).get(f"/casescreen/show/{case_id}").status_code == 200
    recompute_steps(appeal)
    if act == "refuse":
        assert appeal.decide("registry_b", case_id, "review", act=act, opinion="维持原决定")[0].done
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
        (outcome,) = appeal.decide("registry_b", case_id, "review", act="refuse", opinion="事实清楚，理由不成立")
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
