"""What ends with the roster, what hinders what, grounds looked at again, lists that lose a name: cases beside each other."""

from datetime import timedelta

import pytest

from app.access import scope_as
from app.flows.info_change import info_change
from app.kit import clock
from app.kit.flow import FLOWS, decide, open_case, submit
from app.kit.operation import NotAllowed, NotFound, Refused
from app.models import db
from app.operations.proceedings.dismissals import end_absence, select_candidates
from tests.conftest import TODAY
from tests.flows.conftest import LEAVE, acting
from tests.flows.test_appeals import appealed
from tests.flows.test_publicity import closing, listed, objected
from tests.flows.walk import STUDENT


def states(behind) -> dict[str, str]:
    return {row["flow"]: row["state"] for row in behind.rows("select flow, state from flow_case order by id")}


# others' paperwork


def test_what_took_effect_is_no_rival(cases, behind, cast):
    """P20"""
    cases.at("delivery")  # the departments have not confirmed
    behind.run("update student set status = 'enrolled' where id = 101")
    behind.run("update flow_case set leave_from = leave_from - 400, leave_until = leave_until - 400")
    behind.run("update roster_change set effective_on = effective_on - 400, until = until - 400 where code = '11'")
    assert '"/apply/leave/101"' in cast.login("student").get("/").text
    case_id = cases.complete()
    with pytest.raises(Refused, match=r"already|已有"):
        cases.draft()  # undecided there is still one at a time
    acting(cast.student, submit, case_id)


# endings


def died(walks, behind, **more) -> tuple:
    walk = walks("cancellation")
    case_id = walk.draft(**more)
    walk.attach(case_id, "application", "death_certificate")
    return walk, case_id


def test_a_death_goes_through_and_ends_what_is_open_about_her(cases, walks, behind, cast):
    """P34, P09"""
    open_leave = cases.at("affairs")
    behind.run("delete from notice")
    draft = cases.draft(info_change, {"new_name": "张山", "statement": "更正"}, by="student")
    walk, case_id = died(walks, behind)
    walk.act("clerk", submit, case_id)
    for step in walk.flow.steps:
        assert [outcome.done for outcome in walk.sign(case_id, step.key)] == [True], step.key
    assert states(behind) == {"leave": "ended", "info_change": "ended", "cancellation": "done"}
    assert behind.one("select count(*) from case_step where state in ('open', 'waiting') and student_id = 101") == 0
    for ended in (open_leave, draft):
        (event,) = behind.rows(
            "select opinion, actor_name from case_event where case_id = :id and act = 'end'", id=ended
        )
        assert "学籍已终止" in event["opinion"]
        assert (
            behind.one("select count(*) from audit_entry where subject_id = :id and action = 'case:end'", id=ended) == 1
        )
    told = behind.rows("select username, title_zh from notice n join ab_user u on u.id = n.user_id")
    assert [row for row in told if row["username"] == "student"] == []  # nobody writes to the dead
    page = cast.login("clerk").get(f"/casescreen/show/{open_leave}").text
    assert "已终止：因注销学籍" in page


def test_an_effect_that_waited_for_its_day_is_annulled(cases, walks, behind):
    cases.at("end", values=LEAVE | {"leave_from": TODAY + timedelta(days=5)})
    assert behind.one("select state from dated_effect") == "waiting"
    walk, case_id = died(walks, behind)
    walk.act("clerk", submit, case_id)
    for step in walk.flow.steps:
        walk.sign(case_id, step.key)
    assert behind.one("select state from dated_effect") == "annulled"
    assert "学籍已终止" in behind.one("select opinion from case_event where act = 'end'")  # a line in its own case
    with clock.on(TODAY + timedelta(days=6)):
        assert behind.one("select status from student where id = 101") == "cancelled"


def test_others_still_wait_for_each_other(cases, walks, behind):
    cases.at("affairs")
    other = walks("voluntary_withdrawal")
    case_id = other.draft()
    other.attach(case_id, *(material.key for material in other.flow.materials))
    with pytest.raises(Refused, match=r"under way|办理中|正在"):
        other.act("student", submit, case_id)


# batches


def test_two_cases_of_one_student_are_each_looked_at(cases, behind, cast):
    """P21"""
    first = cases.at("registry")
    behind.run("update flow_case set took_effect = true")  # so that there may be a second one
    second = cases.complete()
    behind.run("update flow_case set state = 'done' where id = :id", id=first)
    acting(cast.student, submit, second)
    for step in ("accept", "college", "affairs"):
        cases.sign(second, step)
    behind.run("update flow_case set state = 'open' where id = :id", id=first)

    def both() -> list[bool]:
        found = acting(cast.registry, decide, [first, second], expected_step="registry", records={"originals": True})
        return [outcome.done for outcome in found]

    behind.run("update student set status = 'withdrawn' where id = 101")
    assert both() == [False, False]
    behind.run("update student set status = 'enrolled' where id = 101")
    assert both() == [True, False]
    assert behind.one("select count(*) from roster_change where code = '11'") == 1


# grounds


@pytest.mark.parametrize("step", ["accept", "college", "school", "document"])
def test_grounds_are_looked_at_again_at_every_signature(walks, behind, cast, step):
    """P23"""
    walk = walks("dismissal")
    case_id = walk.at(step)
    absence = behind.one("select id from absence")
    walk.act("clerk", end_absence, absence, clock.today())
    if step == "document":
        with pytest.raises(Refused, match=r"ground|理由"):
            walk.sign(case_id, step)
    else:
        (outcome,) = walk.sign(case_id, step)
        assert not outcome.done and "理由" in str(outcome.reason)
    assert walk.state(case_id) == ("open", step)
    (outcome,) = walk.decide(walk.signer(step), case_id, step, act="refuse", opinion="已返校")
    assert outcome.done


def test_a_ground_that_never_was_is_not_handed_in(walks, behind):
    walk = walks("dismissal")
    behind.run("delete from absence")
    with pytest.raises(Refused, match=r"ground|理由"):
        walk.submitted()


def test_a_revoked_ground_is_no_ground_again(walks, behind, cast):
    """P12"""
    walk = walks("dismissal")
    walk.at("leaving")
    appeal, case_id = appealed(walks)
    appeal.act("student", submit, case_id)
    for step in appeal.flow.steps:
        appeal.sign(case_id, step.key)

    def candidates() -> list[str]:
        with scope_as(cast.registry.scope):
            return [
                one.kind for one in db.session.scalars(select_candidates(clock.today())) if one.student_id == STUDENT
            ]

    assert appeal.roster()["status"] == "enrolled"
    assert "absence" not in candidates()
    behind.run("update absence set since = since + 1, ended_on = null")  # another absence is another ground
    assert "absence" in candidates()


# moving


def move(behind, college: int, major: int, group: int) -> None:
    behind.run("update student set college_id = :c, major_id = :m, class_group_id = :g where id = 101",
               c=college, m=major, g=group)  # fmt: skip


def test_the_college_of_the_day_signs(cases, behind, cast):
    """P24"""
    case_id = cases.submitted(info_change, {"new_name": "张山", "statement": "更正"}, by="clerk")
    move(behind, 2, 3, 3)
    signs = {
        row["signing_college_id"] for row in behind.rows("select * from case_step where case_id = :id", id=case_id)
    }
    assert signs == {2}
    for who, done in (("clerk", False), ("clerk2", True)):
        (outcome,) = cases.decide(who, case_id, "accept", act="send_back", opinion="请补材料", to="applicant")
        assert outcome.done is done
    with pytest.raises((NotAllowed, NotFound)):
        acting(cast.clerk, submit, case_id)
    acting(cast.clerk2, submit, case_id)
    assert behind.one("select college_id from flow_case where id = :id", id=case_id) == 1  # under which it was made


def test_a_draft_from_before_a_move_is_handed_in_in_the_new_college(cases, behind, cast):
    """P26"""
    flow = FLOWS["voluntary_withdrawal"]
    case_id = acting(cast.clerk, lambda actor: open_case(actor, flow, 101, {"statement": "另有打算"}).id)
    cases.attach(case_id, *(material.key for material in flow.materials))
    move(behind, 2, 3, 3)
    acting(cast.clerk2, submit, case_id)
    assert cases.state(case_id) == ("open", "accept")
    assert behind.one("select college_id from flow_case where id = :id", id=case_id) == 2


def test_a_transfer_sent_back_after_the_round_comes_again(walks, behind, cast):
    """P15"""
    walk = walks("major_transfer")
    case_id = walk.at("placing")
    (outcome,) = walk.decide(walk.signer("placing"), case_id, "placing", act="send_back", opinion="请补成绩单",
                             to="applicant")  # fmt: skip
    assert outcome.done
    behind.run("update flow_case set first_major_id = 2 where id = :id", id=case_id)
    with pytest.raises(Refused, match=r"choices stay|志愿不能再改"):
        walk.act("student", submit, case_id)
    behind.run("update flow_case set first_major_id = 3 where id = :id", id=case_id)
    walk.act("student", submit, case_id)
    for step in ("accept", "college"):
        assert walk.sign(case_id, step)[0].done
    (outcome,) = walk.decide("panel", case_id, "panel")
    assert outcome.done, str(outcome.reason)
    assert walk.state(case_id)[1] == "placing"


@pytest.mark.parametrize("state", ["ranking", "decided"])
def test_a_transfer_sent_back_is_filled_in_anew_though_its_round_is_not_open(walks, behind, cast, state):
    """P15, through the form: it offers what the application's own round does."""
    walk = walks("major_transfer")
    case_id = walk.at("placing" if state == "decided" else "college")
    if state == "ranking":
        behind.run("update transfer_round set state = 'ranking'")
    who, step = ("clerk2", "placing") if state == "decided" else ("leader", "college")
    (outcome,) = walk.decide(who, case_id, step, act="send_back", opinion="请写明理由", to="applicant")
    assert outcome.done, outcome.reason
    client, form = cast.login("student"), {"first_major_id": "3", "statement": "理由已写明"}
    assert '<option value="3" selected>' in client.get(f"/casescreen/edit/{case_id}").text
    assert client.post(f"/casescreen/edit/{case_id}", data=form).status_code == 302
    assert behind.one("select statement from flow_case where id = :id", id=case_id) == "理由已写明"
    wrong = client.post(f"/casescreen/edit/{case_id}", data=form | {"first_major_id": "1"})
    assert wrong.status_code != 302  # no major of the round
    walk.act("student", submit, case_id)
    assert walk.state(case_id) == ("open", "accept")


# lists


@pytest.mark.parametrize("act", ["send_back", "refuse"])
def test_what_leaves_its_way_leaves_the_list_and_is_published_anew(walks, behind, app, act):
    """P10, P11"""
    walk = walks("dismissal")
    case_id = walk.at("publicity")
    number = listed(walk, case_id)
    objected(walk, number, case_id=case_id)
    assert "学生11" in app.test_client().get("/publicity/").text
    (outcome,) = walk.decide("registry", case_id, "publicity", act=act, opinion="异议成立，理由须改")
    assert outcome.done
    assert "学生11" not in app.test_client().get("/publicity/").text
    (entry,) = behind.rows("select removed, removed_why from publicity_entry")
    assert entry == {"removed": True, "removed_why": "异议成立，理由须改"}
    assert behind.one("select count(*) from audit_entry where action = 'publicity:take_off'") == 1
    assert "异议成立，理由须改" in walk.cast.login("registry").get(f"/publicities/{number}").text
    if act == "refuse":
        return
    walk.sign(case_id, "resolution")
    with clock.on(closing(behind, number) + timedelta(days=1)):
        (outcome,) = walk.decide("registry", case_id, "publicity", records={})
        assert not outcome.done and "尚未公示" in str(outcome.reason)


def test_a_refused_appeal_names_the_next_instance(walks, cast):
    """P13"""
    walks("dismissal").at("leaving")
    appeal, case_id = appealed(walks)
    appeal.act("student", submit, case_id)
    appeal.decide("registry_c", case_id, "review", act="refuse", opinion="理由不成立")
    page = cast.login("student").get(f"/casescreen/show/{case_id}").text
    assert "15 日内向学校所在地省级教育行政部门" in page and "学生申诉处理委员会提出" not in page
