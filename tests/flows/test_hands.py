"""Who can sign: a deputy of the same role and office, a step that falls back to its role, a step that nobody can sign."""

import pytest

from app.access import acting_for, scope_as
from app.flows.leave import leave
from app.jobs.daily import run_sources
from app.kit.flow.hands import select_vacant
from app.kit.operation import NotAllowed, Refused
from app.models import db
from app.operations.accounts.delegation import allowed_deputies, as_deputy, barred_steps, delegate
from app.operations.cases.reassigning import reassign
from tests.conftest import TODAY
from tests.flows.conftest import acting


def second(behind, username: str, role: str, college: int | None = None) -> None:
    """One more identity of somebody in the cast."""
    behind.run(
        "with who as (insert into identity (user_id, scope, college_id) select id, :s, :c from ab_user where username = :u"
        " returning id) insert into identity_role select who.id, ab_role.id from who, ab_role where name = :r",
        u=username, r=role, c=college, s="college" if college else "school",
    )  # fmt: skip


def off(behind, *usernames: str) -> None:
    for username in usernames:
        behind.run("update ab_user set active = false where username = :u", u=username)


def waiting_for_nobody(cast) -> list[int]:
    with scope_as(cast.registry.scope):
        return [case.id for _step, case in db.session.execute(select_vacant())]


STORED = "select value from setting where key = 'deputy_roles'"

# deputies


@pytest.mark.parametrize("who", ["clerk", "clerk2", "leader2", "director", "registry"])
def test_a_deputy_of_a_leader_is_another_leader_of_the_college(cast, who):
    with pytest.raises(Refused, match=r"same role|岗位相同"):
        acting(cast.leader, delegate, getattr(cast, who).user_id, TODAY, TODAY, "出差")
    found = cast.login("leader").get("/delegations/colleagues").json["results"]
    assert [one["text"] for one in found] == ["leader_b"]
    acting(cast.leader, delegate, cast.leader_b.user_id, TODAY, TODAY, "出差")


def test_a_setting_allows_another_role_in_the_same_college(cast, behind):
    behind.run("update setting set value = '二级学院学籍分管院领导：College clerk' where key = 'deputy_roles'")
    acting(cast.leader, delegate, cast.clerk.user_id, TODAY, TODAY, "出差")
    with pytest.raises(Refused):
        acting(cast.leader, delegate, cast.clerk2.user_id, TODAY, TODAY, "出差")


@pytest.mark.parametrize("text", ["院长：副院长", "student: teacher", "二级学院学籍分管院领导", "leader=clerk"])
def test_the_setting_takes_roles_that_sign_and_says_which_is_none(app, cast, text):
    with pytest.raises(ValueError, match=r"no role that signs|不是有签批权的岗位"):
        allowed_deputies(text)
    answer = cast.login("registry").post(
        "/settingscreen/edit/deputy_roles", data={"value": text}, follow_redirects=True
    )
    assert "不是有签批权的岗位" in answer.text


@pytest.mark.parametrize("text", ["二级学院学籍分管院领导：二级学院学籍管理员", "college_leader: college_clerk",
                                  "college_leader=college_leader,college_clerk"])  # fmt: skip
def test_nobody_else_stands_in_for_the_leader_of_a_college(cast, behind, text):
    """Note 3 of the manual."""
    registry = cast.login("registry")
    answer = registry.post("/settingscreen/edit/deputy_roles", data={"value": text})
    assert "只由分管院领导签字" in answer.text and behind.one(STORED) == ""
    registry.post("/settingscreen/edit/deputy_roles", data={"value": "affairs_director: vice_president"})
    assert behind.one(STORED) == "affairs_director: vice_president"


@pytest.mark.parametrize("lost", ["role", "college", "account"])
def test_a_deputy_is_asked_again_when_he_acts(cast, cases, behind, lost):
    case_id = cases.at("college")
    given = acting(cast.leader, lambda me: delegate(me, cast.leader_b.user_id, TODAY, TODAY, "出差").id)
    deputy = acting(cast.leader_b, as_deputy, given)
    assert cases.decide(deputy, case_id, "college", act="send_back", opinion="重填")[0].done
    cases.sign(case_id, "accept")
    behind.run({
        "role": "delete from identity_role where identity_id = :i", "account": "update ab_user set active = false where id = :u",
        "college": "update identity set college_id = 2 where id = :i and :u > 0",
    }[lost], **{k: v for k, v in {"i": cast.leader_b.identity_id, "u": cast.leader_b.user_id}.items()
                if f":{k}" in {"role": ":i", "account": ":u", "college": ":i :u"}[lost]})  # fmt: skip
    with pytest.raises(NotAllowed):
        acting(cast.leader_b, as_deputy, given)


def test_a_deputy_takes_only_the_roles_that_he_may(cast, behind):
    second(behind, "leader", "college_clerk", 1)
    roles = acting_for(cast.leader_b, cast.leader, frozenset({"college_clerk"})).roles
    assert roles == frozenset()


def test_who_has_nobody_is_warned(cast, behind):
    assert "目前无人可以代理您" not in cast.login("leader").get("/delegations/").text
    off(behind, "leader_b")
    assert "目前无人可以代理您" in cast.login("leader").get("/delegations/").text


def test_a_deputy_who_had_a_hand_in_the_case_is_told_and_the_absent_warned(cast, cases, behind):
    """F25"""
    behind.run("update setting set value = 'college_leader: college_clerk' where key = 'deputy_roles'")
    case_id = cases.at("college")  # accepted by the clerk
    filled = {"deputy": cast.clerk.user_id, "starts_on": str(TODAY), "ends_on": str(TODAY), "reason": "外出"}
    page = cast.login("leader").post("/delegations/", data=filled, follow_redirects=True)
    assert "目前待您办理的有 1 件代理人不能签批" in page.text
    assert acting(cast.leader, barred_steps, cast.leader_b.user_id) == 0
    given = behind.one("select max(id) from delegation")
    clerk = cast.login("clerk")
    clerk.post(f"/delegations/{given}/enter")
    page = clerk.get(f"/casescreen/show/{case_id}").text
    assert "您不能签批本环节" in page and 'value="approve"' not in page
    assert "您不能签批本环节" not in cast.login("leader").get(f"/casescreen/show/{case_id}").text


# falling back


@pytest.mark.parametrize("how", [
    "update ab_user set active = false where username = 'leader_b'",
    "delete from identity_role where identity_id = (select i.id from identity i join ab_user u on u.id = i.user_id"
    " where username = 'leader_b')",
    "update identity set college_id = 2 where user_id = (select id from ab_user where username = 'leader_b')",
    "delete from identity where user_id = (select id from ab_user where username = 'leader_b')",
], ids=["switched off", "role lost", "moved", "identity gone"])  # fmt: skip
def test_a_step_falls_back_to_its_role(cast, cases, behind, how):
    """P22"""
    case_id = cases.at("college")
    step = behind.one("select id from case_step where case_id = :id and state = 'open'", id=case_id)
    acting(cast.registry, reassign, step, cast.leader_b.user_id, "分工")
    assert not cases.decide("leader", case_id, "college")[0].done
    behind.run(how)
    assert behind.one("select assigned_to from case_step where id = :id", id=step) is None
    assert behind.one("select count(*) from case_event where case_id = :id and act = 'release'", id=case_id) == 1
    assert (
        behind.one("select count(*) from audit_entry where subject_id = :id and action = 'case:release'", id=case_id)
        == 1
    )
    behind.run("delete from notice")
    for _twice in range(2):
        run_sources(TODAY)
    told = behind.rows("select username from notice n join ab_user u on u.id = n.user_id where key like 'fallen:%'")
    assert [row["username"] for row in told] == ["leader"]
    assert cases.decide("leader", case_id, "college")[0].done


def test_what_was_never_handed_to_one_person_falls_to_nobody(cast, cases, behind):
    cases.at("college")
    run_sources(TODAY)
    assert behind.one("select count(*) from notice where key like 'fallen:%'") == 0


def test_the_hint_of_the_setting_names_no_clerk_for_a_leader(cast, behind):
    """Note 3 of the manual: only the leader in charge signs for a college."""
    assert behind.one("select value from setting where key = 'deputy_roles'") == ""
    note = behind.one("select note from setting where key = 'deputy_roles'")
    example = note.split("；")[0].removeprefix("例：")
    assert allowed_deputies(example) == {"affairs_director": frozenset({"vice_president"})}


def test_what_has_nothing_to_do_with_it_leaves_the_step_with_her(cast, cases, behind):
    case_id = cases.at("college")
    step = behind.one("select id from case_step where case_id = :id and state = 'open'", id=case_id)
    acting(cast.registry, reassign, step, cast.leader_b.user_id, "分工")
    off(behind, "leader", "clerk")
    second(behind, "leader_b", "college_clerk", 2)
    assert behind.one("select assigned_to from case_step where id = :id", id=step) == cast.leader_b.user_id


# nobody


def test_a_step_that_nobody_can_sign_is_shown_to_those_whom_it_concerns(cast, cases, behind):
    """F24"""
    case_id, other = cases.at("college"), cases.at("college", student=102)
    off(behind, "leader")
    assert waiting_for_nobody(cast) == []
    off(behind, "leader_b")
    assert waiting_for_nobody(cast) == [case_id, other]
    for who in ("student", "clerk", "registry"):
        browser = cast.login(who)
        assert "本环节目前无人可签" in browser.get(f"/casescreen/show/{case_id}").text, who
        assert "无人可" in browser.get("/").text, who
    assert "无人可" not in cast.login("clerk2").get("/").text
    second(behind, "director", "college_leader", 1)
    assert waiting_for_nobody(cast) == []
    assert "本环节目前无人可签" not in cast.login("student").get(f"/casescreen/show/{case_id}").text


def test_hands_that_must_differ_make_a_vacancy_too(cast, cases, behind):
    case_id = cases.at("college", leave)
    second(behind, "clerk", "college_leader", 1)  # she accepted it
    off(behind, "leader", "leader_b")
    assert waiting_for_nobody(cast) == [case_id]
    with scope_as(cast.student.scope):
        assert db.session.execute(select_vacant()).all()


def test_switching_off_the_only_leader_is_warned_of_before(cast, cases, behind):
    """F24"""
    cases.at("college")
    off(behind, "leader_b")
    admin = cast.login("admin")
    leader = cast.leader.user_id
    role = behind.one("select id from ab_role where name = 'Public'")
    filled = {"first_name": "leader", "last_name": "x", "username": "leader", "email": "l@e.invalid", "roles": role}
    warned = admin.post(f"/users/edit/{leader}", data=filled)  # without `active`
    assert behind.one("select active from ab_user where id = :id", id=leader) is True
    assert "将无人可签" in warned.text
    admin.post(f"/users/edit/{leader}", data=filled)
    assert behind.one("select active from ab_user where id = :id", id=leader) is False


def test_an_identity_is_not_taken_from_the_only_leader_without_a_word(cast, cases, behind):
    cases.at("college")
    off(behind, "leader_b")
    admin, leader = cast.login("admin"), cast.leader
    role = behind.one("select id from ab_role where name = 'college_leader'")
    filled = {"user": leader.user_id, "roles": role, "scope": "college", "college": 2}
    warned = admin.post(f"/identityscreen/edit/{leader.identity_id}", data=filled)
    assert behind.one("select college_id from identity where id = :id", id=leader.identity_id) == 1
    assert "将无人可签" in warned.text
    off(behind, "leader2")  # somebody who has nothing waiting
    behind.run("update ab_user set active = true where username = 'leader_b'")
    admin.post(f"/identityscreen/edit/{leader.identity_id}", data=filled)
    proposal = behind.one("select max(id) from account_proposal")
    cast.login("registry").post(f"/proposals/{proposal}/decide", data={"act": "confirm"})
    assert behind.one("select college_id from identity where id = :id", id=leader.identity_id) == 2


# whose college


def test_a_college_role_without_a_college_is_of_none(cast, cases, behind):
    """Neither told of the colleges' cases nor counted as one who could sign them."""
    stranger = behind.one("select id from ab_user where username = 'library'")
    behind.run(
        "with who as (insert into identity (user_id, scope) values (:u, 'none') returning id) insert into identity_role"
        " select who.id, ab_role.id from who, ab_role where name in ('college_leader', 'college_clerk', 'registry')",
        u=stranger,
    )  # fmt: skip
    case_id = cases.at("college")
    told = "select count(*) from notice n where user_id = :u and n.key like 'waits:%'"
    signers = "select u.username from step_signer g join ab_user u on u.id = g.user_id where case_id = :c order by 1"
    assert [row["username"] for row in behind.rows(signers, c=case_id)] == ["leader", "leader_b"]
    assert behind.one("select count(*) from role_holder where user_id = :u", u=stranger) == 1
    assert (behind.one(told, u=stranger), behind.one(told, u=cast.leader.user_id)) == (0, 1)
    off(behind, "leader", "leader_b")
    assert waiting_for_nobody(cast) == [case_id]


def test_whoever_may_not_sign_because_of_her_own_hand_reads_why(cast, cases, behind):
    """F25."""
    case_id = cases.at("college", leave)
    behind.run("insert into identity_role (identity_id, role_id) select i.id, r.id from identity i, ab_role r, ab_user u"
               " where u.id = i.user_id and u.username = 'clerk' and r.name = 'college_leader'")  # fmt: skip
    client = cast.login("clerk")
    assert "不能签批本环节" in client.get(f"/casescreen/show/{case_id}").text
    assert "您不能签批" in client.get("/inbox/?tab=open").text
    other = cast.login("leader")
    assert "您不能签批" not in other.get("/inbox/?tab=open").text
