"""Handing an open step on: only who may, only to one who may sign, only while it is open; logged, shown and told."""

import pytest

from app.access import Actor, scope_as
from app.kit.operation import NotAllowed, NotFound, Refused
from app.operations.accounts.delegation import as_deputy, delegate
from app.operations.cases.reassigning import reassign
from tests.conftest import TODAY
from tests.flows.conftest import Cases, cases  # noqa: F401 - the fixture


class Desk:
    """A leave that waits for the college's leader, and the people around it."""

    def __init__(self, cast, behind, made: Cases) -> None:
        self.cast, self.behind, self.cases = cast, behind, made
        self.case_id = made.at("college")

    @property
    def step_id(self) -> int:
        return self.behind.one("select id from case_step where case_id = :c and key = 'college'", c=self.case_id)

    def user(self, name: str) -> int:
        return getattr(self.cast, name).user_id

    def hand(self, by: str | Actor, to: str | None, reason: str = "出差"):
        actor = getattr(self.cast, by) if isinstance(by, str) else by
        with scope_as(actor.scope):
            return reassign(actor, self.step_id, self.user(to) if to else None, reason)

    def assigned(self) -> int | None:
        return self.behind.one("select assigned_to from case_step where id = :id", id=self.step_id)


@pytest.fixture
def desk(cast, behind, cases: Cases) -> Desk:  # noqa: F811
    return Desk(cast, behind, cases)


@pytest.mark.parametrize("who", ["student", "clerk", "director", "library", "auditor", "admin"])
def test_other_roles_may_not(desk, who):
    with pytest.raises((NotAllowed, NotFound)):
        desk.hand(who, "leader_b")
    assert desk.assigned() is None
    answer = desk.cast.login(who).post(
        f"/casescreen/reassign/{desk.case_id}",
        data={"holder": f"{desk.step_id}:{desk.user('leader_b')}", "reason": "x"},
    )
    assert answer.status_code in (302, 403, 404)
    assert desk.assigned() is None


def test_the_leader_of_another_college_does_not_reach_it(desk):
    with pytest.raises(NotFound):
        desk.hand("leader2", "leader2")


def test_a_leader_hands_on_what_her_college_signs_alone(desk):
    desk.cases.sign(desk.case_id, "college")
    step = desk.behind.one("select id from case_step where case_id = :c and key = 'affairs'", c=desk.case_id)
    leader = desk.cast.leader
    with scope_as(leader.scope), pytest.raises(NotAllowed):
        reassign(leader, step, desk.user("director"), "x")


@pytest.mark.parametrize("to", ["leader2", "clerk", "registry", "student"])
def test_only_who_holds_the_role_gets_it(desk, to):
    with pytest.raises(Refused, match=r"offered|所列"):
        desk.hand("registry", to)


def test_nobody_unknown_or_out_of_use_gets_it(desk):
    registry = desk.cast.registry
    with scope_as(registry.scope), pytest.raises(Refused):
        reassign(registry, desk.step_id, 999_999, "x")
    desk.behind.run("update ab_user set active = false where username = 'leader_b'")
    with pytest.raises(Refused):
        desk.hand("registry", "leader_b")


def test_whose_hands_must_differ_does_not_get_it(desk):
    desk.behind.run("update case_event set actor_id = :u where case_id = :c and step_key = 'accept'",
                    u=desk.user("leader_b"), c=desk.case_id)  # fmt: skip
    with pytest.raises(Refused, match=r"cannot sign|不能办理"):
        desk.hand("registry", "leader_b")


@pytest.mark.parametrize("reason", ["", "   ", "长" * 301])
def test_a_reason_is_needed(desk, reason):
    with pytest.raises(Refused):
        desk.hand("registry", "leader_b", reason)


@pytest.mark.parametrize("end", ["refuse", "approve"])
def test_what_is_signed_or_closed_is_not_handed_on(desk, end):
    step = desk.step_id
    desk.cases.decide("leader", desk.case_id, "college", act=end, opinion="x")
    registry = desk.cast.registry
    with scope_as(registry.scope), pytest.raises(Refused, match=r"not open|不在办理"):
        reassign(registry, step, desk.user("leader_b"), "x")


def test_a_deputy_hands_nothing_on(desk):
    leader, other = desk.cast.leader, desk.cast.leader_b
    with scope_as(leader.scope):
        given = delegate(leader, other.user_id, TODAY, TODAY, "出差").id
    with scope_as(other.scope):
        deputy = as_deputy(other, given)
    with pytest.raises(NotAllowed):
        desk.hand(deputy, "leader_b")


def test_it_is_handed_on_once(desk):
    desk.hand("leader", "leader_b")
    with pytest.raises(Refused, match=r"already|已由其"):
        desk.hand("leader", "leader_b")


def test_from_then_on_she_alone_signs(desk):
    desk.hand("leader", "leader_b")
    inbox = {who: desk.cast.login(who).get("/inbox/").text for who in ("leader", "leader_b")}
    assert f"/casescreen/show/{desk.case_id}" in inbox["leader_b"]
    assert f"/casescreen/show/{desk.case_id}" not in inbox["leader"]
    (outcome,) = desk.cases.decide("leader", desk.case_id, "college")
    assert not outcome.done
    assert "handed to somebody else" in str(outcome.reason) or "改派" in str(outcome.reason)
    (outcome,) = desk.cases.decide("leader_b", desk.case_id, "college")
    assert outcome.done


def test_her_deputy_signs_for_her(desk):
    desk.hand("registry", "leader_b")
    leader_b, other = desk.cast.leader_b, desk.cast.leader
    (outcome,) = desk.cases.decide(other, desk.case_id, "college")
    assert not outcome.done  # it is leader_b's
    with scope_as(leader_b.scope):
        given = delegate(leader_b, other.user_id, TODAY, TODAY, "出差").id
    with scope_as(other.scope):
        deputy = as_deputy(other, given)
    (outcome,) = desk.cases.decide(deputy, desk.case_id, "college")
    assert outcome.done


def test_it_can_be_given_back_to_all_of_the_role(desk):
    desk.hand("registry", "leader_b")
    desk.hand("registry", None, "已回")
    (outcome,) = desk.cases.decide("leader", desk.case_id, "college")
    assert outcome.done


def test_over_the_page_it_is_logged_shown_and_told(desk):
    browser = desk.cast.login("leader")
    page = browser.get(f"/casescreen/show/{desk.case_id}").text
    assert f'value="{desk.step_id}:{desk.user("leader_b")}"' in page
    assert f'value="{desk.step_id}:{desk.user("leader2")}"' not in page
    answer = browser.post(
        f"/casescreen/reassign/{desk.case_id}",
        data={"holder": f"{desk.step_id}:{desk.user('leader_b')}", "reason": "临时出差"},
        follow_redirects=True,
    )
    assert "已改派" in answer.text and "leader_b: 临时出差" in answer.text
    assert desk.assigned() == desk.user("leader_b")
    (entry,) = desk.behind.rows("select * from audit_entry where action = 'case:reassign'")
    assert entry["new"] == {"assigned_to": desk.user("leader_b")} and entry["detail"]["reason"] == "临时出差"
    (notice,) = desk.behind.rows("select * from notice where key like 'reassign:%'")
    assert notice["user_id"] == desk.user("leader_b") and notice["path"] == f"/casescreen/show/{desk.case_id}"
    assert "改派" in desk.cast.login("leader_b").get("/").text


@pytest.mark.parametrize("holder", ["", "x", "1:y", "9" * 30, "7001:1"])
def test_bad_input_is_a_sentence(desk, holder):
    answer = desk.cast.login("registry").post(
        f"/casescreen/reassign/{desk.case_id}", data={"holder": holder, "reason": "x"}, follow_redirects=True
    )
    assert answer.status_code in (200, 404)
    assert desk.assigned() is None


def test_the_form_is_not_offered_to_who_may_not(desk):
    for who in ("clerk", "director", "student"):
        assert "reassign-reason" not in desk.cast.login(who).get(f"/casescreen/show/{desk.case_id}").text
