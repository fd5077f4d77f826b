"""What holds for every flow, walked from its declaration: strangers, wrong states and hands first, then the whole way."""

from contextlib import nullcontext
from datetime import date

import pytest
from sqlalchemy import text

from app.access import Role
from app.kit import clock
from app.kit.flow import decide, open_case, submit, withdraw
from app.kit.operation import NotAllowed, NotFound, Refused
from tests.flows.many import prepare
from tests.flows.walk import ANSWERS, CLASSMATE, FILLED, STUDENT, Walk, all_flows

pytestmark = pytest.mark.parametrize("flow", all_flows(), ids=lambda flow: flow.key)


@pytest.fixture
def walk(cast, behind, flow):
    behind.connection.execute(text("set local role xueji_owner"))
    prepare(behind.connection)
    for key, item in ANSWERS.items():
        behind.connection.execute(text("update department set receives = receives || :f, leaving_items = :i"
                                       " where key = :k"), {"f": [flow.key], "i": [item], "k": key})  # fmt: skip
    behind.connection.execute(text("set local role none"))
    made = Walk(cast, behind, flow)
    with made.days:
        made.open_window()
        made.ready()
        yield made


def test_strangers_do_not_apply(walk, flow):
    for who in ("student2", "clerk2", "leader", "director", "admin", "auditor", "library", "classmate"):
        with pytest.raises((NotAllowed, NotFound)):
            walk.act(who, open_case, flow, STUDENT, FILLED[flow.key])


def test_a_wrong_state_is_refused(walk, flow):
    walk.ready(next(status for status in ("graduated", "withdrawn") if status not in flow.allowed_from))
    with pytest.raises(Refused, match=r"status|状态"):
        walk.draft()


def test_a_second_running_case_is_refused(walk):
    walk.draft()
    with pytest.raises(Refused):
        walk.draft()


def test_missing_materials_and_fields_are_named(walk, flow):
    case_id = walk.draft()
    if any(material.when is None for material in flow.materials):
        with pytest.raises(Refused, match=r"[Aa]ttach|附|上传"):
            walk.act(walk.applicant, submit, case_id)
    assert walk.state(case_id) == ("draft", None)


@pytest.mark.parametrize("day", [date(2025, 1, 1), date(2028, 1, 1)])
def test_outside_the_window_it_is_not_handed_in(walk, flow, day):
    if flow.window is None or flow.window.keys[0] in ("voluntary_withdrawal", "cancellation"):
        pytest.skip("open at any time")
    case_id = walk.draft()
    walk.attach(case_id, *(material.key for material in flow.materials))
    with clock.on(day), pytest.raises(Refused):
        walk.act(walk.applicant, submit, case_id)


def test_other_roles_and_colleges_do_not_sign(walk, flow):
    case_id = walk.submitted()
    for step in flow.steps:
        if step.document:
            break
        records = walk.records(step.key)
        allowed = {
            walk.signer(step.key),
            "finance" if step.role == Role.DEPARTMENT else "",
            "registry_b",
            "registry_c",
            "vp_b",
            "leader_b",
        }
        for who in {"clerk2", "leader2", "clerk", "leader", "director", "registry", "library", "admin"} - allowed:
            try:
                (outcome,) = walk.decide(who, case_id, step.key, records=records)
            except (NotAllowed, NotFound):
                continue
            assert not outcome.done, f"{who} signed {step.key}"
        for outcome in walk.sign(case_id, step.key):
            assert outcome.done, f"{step.key}: {outcome.reason}"


def test_what_a_step_must_record_is_asked_for(walk, flow, behind):
    case_id = walk.submitted()
    for step in flow.steps:
        empty = [name for name in step.records  # what an earlier step has proposed need not be said again
                 if behind.one(f"select {name} from flow_case where id = :id", id=case_id) is None]  # fmt: skip
        if empty or step.originals or step.meeting or step.publicity or step.document or step.checklist:
            (outcome,) = walk.decide(walk.signer(step.key), case_id, step.key, records={})
            assert not outcome.done and str(outcome.reason), step.key
        walk.sign(case_id, step.key)


def test_the_same_hand_does_not_sign_twice(walk, flow, behind):
    step = next((step for step in flow.steps if "submit" in step.hands_differ_from), None)
    if step is None:
        pytest.skip("no step asks for another hand")
    case_id = walk.at(step.key)
    behind.run("update case_event set actor_id = :me where case_id = :id and act = 'submit'", id=case_id,
               me=getattr(walk.cast, walk.signer(step.key)).user_id)  # fmt: skip
    (outcome,) = walk.decide(walk.signer(step.key), case_id, step.key)
    assert not outcome.done


def test_sent_back_it_keeps_what_was_filled_in_and_is_handed_in_again(walk, flow):
    first = flow.steps[0].key
    case_id = walk.submitted()
    (outcome,) = walk.decide(walk.signer(first), case_id, first, act="send_back", opinion="请补正", to="applicant")
    assert outcome.done and walk.state(case_id) == ("sent_back", None)
    walk.act(walk.applicant, submit, case_id)
    assert walk.state(case_id) == ("open", first)


def test_refused_it_ends_and_changes_nothing(walk, flow):
    before, first = walk.roster(), flow.steps[0].key
    case_id = walk.submitted()
    (outcome,) = walk.decide(walk.signer(first), case_id, first, act="refuse", opinion="条件不符")
    assert outcome.done
    for step in (step for step in flow.steps if step.tells_refusal):
        assert walk.state(case_id) == ("open", step.key)
        assert all(told.done for told in walk.sign(case_id, step.key))
    assert walk.state(case_id) == ("refused", None)
    assert walk.roster() == before
    page = walk.cast.login(walk.applicant).get(f"/casescreen/show/{case_id}").text
    if flow.remedy:
        assert "不同意：条件不符。如有异议，可自收到之日起" in page and "日内向" in page
    else:  # no decision that the law lets her appeal
        assert "不同意：条件不符。可在办理时段内补正后重新申请；如有异议，可向教务处学籍中心反映" in page
        assert "申诉" not in page.split("不同意：条件不符")[1].split("</div>")[0]


def test_taken_back_it_ends_and_nobody_decides_it_any_more(walk, flow):
    first = flow.steps[0].key
    case_id = walk.submitted()
    walk.act(walk.applicant, withdraw, case_id, "不再申请")
    (outcome,) = walk.decide(walk.signer(first), case_id, first)
    assert not outcome.done and walk.state(case_id) == ("withdrawn", None)


def test_decided_twice_it_is_decided_once(walk, flow):
    first = flow.steps[0].key
    case_id = walk.submitted()
    records = walk.records(first)
    outcomes = [walk.decide(walk.signer(first), case_id, first, records=records)[0].done for _again in range(2)]
    assert outcomes == [True, False]


def test_a_roster_that_changed_meanwhile_stops_the_change(walk, flow):
    effective = next(step for step in flow.steps if step.takes_effect)
    case_id = walk.at(effective.key)
    walk.ready("transferred_out")
    with pytest.raises(Refused) if effective.document else nullcontext():
        for outcome in walk.sign(case_id, effective.key):
            assert not outcome.done
    assert walk.state(case_id) == ("open", effective.key)


def test_approved_by_all_it_changes_the_roster_and_says_so_on_paper(walk, flow, behind):
    before = walk.roster()
    case_id = walk.at("end")
    assert walk.state(case_id) == ("done", None)
    assert (walk.roster() != before) == bool(flow.effect)
    papers = behind.rows("select kind, count(*) as n from paper where case_id = :id group by kind", id=case_id)
    assert bool(papers) == bool(flow.paper) and {row["n"] for row in papers} <= {1}  # one of each kind
    if getattr(flow.effect, "changes", None):
        (entry,) = behind.rows("select * from roster_change where case_id = :id", id=case_id)
        assert entry["document_no"] and entry["new_status"] == walk.roster()["status"]


def test_two_cases_are_decided_in_one_act(walk, flow, cast, behind):
    other = Walk(cast, behind, flow, CLASSMATE)
    other.days = walk.days
    other.ready()
    behind.run("update flow_case set delivered_on = :day where delivered_on is not null", day=clock.today())
    first = flow.steps[0]
    ids = [walk.submitted(), other.submitted()]
    outcomes = walk.act(walk.signer(first.key), decide, ids, expected_step=first.key, records=walk.records(first.key))
    assert [outcome.done for outcome in outcomes] == [True, True]
