"""Who one is: choosing among one's own identities, standing in for somebody absent, and who may say who is who."""

from datetime import date, timedelta

import pytest

from app.access import acting_for
from app.kit.operation import NotAllowed, NotFound, Refused
from app.models import db
from app.operations.accounts.delegation import as_deputy, delegate, revoke
from tests.access.test_login import NEW
from tests.access.test_tokens import ask, token
from tests.cast import PASSWORD
from tests.conftest import TODAY
from tests.flows.conftest import acting, cases  # noqa: F401 - the fixture

DAY = timedelta(days=1)


def second_identity(behind, username: str, role: str, scope: str, college: int | None = None) -> int:
    """A further identity of somebody of the cast; the other one was used later."""
    return behind.one(
        "with made as (insert into identity (user_id, scope, college_id, last_used) select id, :scope, :college,"
        " '2020-01-01' from ab_user where username = :who returning id), linked as (insert into identity_role"
        " select made.id, ab_role.id from made, ab_role where name = :role) select id from made",
        who=username, role=role, scope=scope, college=college,
    )  # fmt: skip


def students(client) -> set[str]:
    page = client.get("/studentscreen/list/").text
    return {name for name in ("学生11", "学生21") if name in page}


# the switch


def test_somebody_elses_identity_cannot_be_chosen(cast):
    client = cast.login("clerk")
    assert client.post("/identity/", data={"identity": cast.registry.identity_id}).status_code == 404
    assert client.post("/identity/", data={"identity": "x"}).status_code == 404
    assert client.post("/identity/").status_code == 404
    assert students(client) == {"学生11"}


def test_an_identity_written_into_the_session_is_not_believed(cast):
    client = cast.login("clerk")
    with client.session_transaction() as session:
        session["identity_id"] = cast.registry.identity_id
    assert students(client) == {"学生11"}


def test_the_switch_is_no_link(cast):
    assert cast.login("clerk").get("/identity/").status_code == 405


def test_ones_own_other_identity_brings_its_rows_and_its_menu(cast, behind):
    other = second_identity(behind, "clerk", "college_clerk", "college", 2)
    client = cast.login("clerk")
    assert students(client) == {"学生11"}
    assert client.post("/identity/", data={"identity": other}).status_code == 302
    assert students(client) == {"学生21"}
    assert client.get("/studentscreen/show/101").status_code in (302, 404)
    assert students(cast.login("clerk")) == {"学生21"}  # the last used is the next login's first


def test_a_switch_is_of_this_login_alone(app, cast, behind):
    """Another browser and a program's token of the same account go on as whom they were."""
    other = second_identity(behind, "clerk", "college_clerk", "college", 2)
    client, elsewhere = cast.login("clerk"), cast.login("clerk")
    given = token(app, "clerk")
    client.post("/identity/", data={"identity": other})
    assert (students(client), students(elsewhere)) == ({"学生21"}, {"学生11"})
    assert 101 in ask(app, given).json["ids"] and 201 not in ask(app, given).json["ids"]
    later = token(app, "clerk")
    assert 201 in ask(app, later).json["ids"] and 101 not in ask(app, later).json["ids"]
    assert students(elsewhere) == {"学生11"}


def test_a_new_password_leaves_one_the_identity_that_one_has(cast, behind):
    other = second_identity(behind, "clerk", "college_clerk", "college", 2)
    client, elsewhere = cast.login("clerk"), cast.login("clerk")
    client.post("/identity/", data={"identity": other})
    elsewhere.post("/identity/", data={"identity": cast.clerk.identity_id})
    client.post("/resetmypassword/form", data={"old_password": PASSWORD, "password": NEW, "conf_password": NEW})
    assert students(client) == {"学生21"}


def test_an_identity_that_ended_is_left_at_once(cast, behind):
    other = second_identity(behind, "clerk", "registry", "school")
    client = cast.login("clerk")
    client.post("/identity/", data={"identity": other})
    assert students(client) == {"学生11", "学生21"}
    behind.run("delete from identity where id = :id", id=other)
    assert students(client) == set()
    assert students(cast.login("clerk")) == {"学生11"}


def test_without_any_identity_nothing_opens(cast, behind):
    client = cast.login("clerk")
    behind.run("delete from identity where user_id = :id", id=cast.clerk.user_id)
    assert client.get("/studentscreen/list/").status_code != 200
    assert client.get("/inbox/").status_code != 200


# delegation


@pytest.fixture
def given(cast, behind) -> int:
    """The vice president, whom the settings allow to, signs for the director from tomorrow to the day after."""
    behind.run("update setting set value = 'affairs_director: vice_president' where key = 'deputy_roles'")
    director, deputy = cast.director, cast.vp.user_id
    return acting(director, lambda me: delegate(me, deputy, TODAY + DAY, TODAY + 2 * DAY, "出差").id)


def on(app, monkeypatch, day: date) -> None:
    monkeypatch.setitem(app.config, "XUEJI_TODAY", day.isoformat())


@pytest.mark.parametrize("who", ["student", "admin", "auditor", "library", "nobody"])
def test_only_who_signs_can_be_a_deputy(cast, who):
    user_id = 10**6 if who == "nobody" else getattr(cast, who).user_id
    with pytest.raises(Refused, match=r"same role|岗位相同"):
        acting(cast.director, delegate, user_id, TODAY, TODAY, "出差")
    assert who not in str(cast.login("director").get("/delegations/colleagues", query_string={"q": who}).json)


def test_an_account_out_of_use_is_no_deputy_and_has_none(app, cast, behind, given, monkeypatch):
    on(app, monkeypatch, TODAY + DAY)
    behind.run("update ab_user set active = false where username = 'director'")
    with pytest.raises(NotAllowed):
        acting(cast.vp, as_deputy, given)
    behind.run("update ab_user set active = false where username = 'leader_b'")
    with pytest.raises(Refused):
        acting(cast.leader, delegate, cast.leader_b.user_id, TODAY + DAY, TODAY + DAY, "出差")


@pytest.mark.parametrize("day", [TODAY, TODAY + 3 * DAY], ids=["before", "after"])
def test_outside_its_dates_a_delegation_opens_nothing(app, cast, given, monkeypatch, day):
    on(app, monkeypatch, day)
    client = cast.login("vp")
    assert client.post(f"/delegations/{given}/enter").status_code == 403
    assert "您正在代" not in client.get("/").text


@pytest.mark.parametrize("who", ["clerk", "leader", "registry"])
def test_nobody_else_enters_a_delegation(app, cast, given, monkeypatch, who):
    on(app, monkeypatch, TODAY + DAY)
    assert cast.login(who).post(f"/delegations/{given}/enter").status_code in (403, 404)
    client = cast.login(who)
    with client.session_transaction() as session:
        session["delegation_id"] = given
    assert "acting" not in client.get("/").text
    with client.session_transaction() as session:
        assert "delegation_id" not in session


@pytest.mark.parametrize("who", ["vp", "clerk"])
def test_only_who_gave_it_takes_it_back(cast, given, who):
    with pytest.raises((NotAllowed, NotFound)):
        acting(getattr(cast, who), revoke, given)


def test_a_deputy_has_no_deputy_and_joins_no_chain(app, cast, given, monkeypatch):
    on(app, monkeypatch, TODAY + DAY)
    second = acting(cast.leader, lambda me: delegate(me, cast.leader_b.user_id, TODAY, TODAY + 5 * DAY, "病假").id)
    deputy, leader = acting_for(cast.vp, cast.director, cast.director.roles), cast.leader.user_id
    client = cast.login("vp")
    assert client.post(f"/delegations/{given}/enter").status_code == 302
    assert client.post("/delegations/", data={}).status_code == 403
    assert client.post(f"/delegations/{second}/enter").status_code == 403  # another's, not his
    with pytest.raises(NotAllowed):
        acting(deputy, delegate, leader, TODAY, TODAY + DAY, "x")


def test_a_deputy_acts_and_goes_back(app, cast, given, monkeypatch):
    on(app, monkeypatch, TODAY + DAY)
    client = cast.login("vp")
    client.post(f"/delegations/{given}/enter")
    page = client.get("/inbox/")
    assert page.status_code == 200
    assert "您正在代" in page.text and "director" in page.text
    assert client.get("/studentscreen/list/").status_code == 403  # signing alone
    assert client.post("/delegations/leave").status_code == 302
    assert "您正在代" not in client.get("/inbox/").text
    assert client.get("/studentscreen/list/").status_code == 200


def test_it_ends_while_the_deputy_is_at_work(app, cast, given, monkeypatch):
    on(app, monkeypatch, TODAY + 2 * DAY)
    client = cast.login("vp")
    client.post(f"/delegations/{given}/enter")
    on(app, monkeypatch, TODAY + 3 * DAY)
    assert "您正在代" not in client.get("/inbox/").text
    on(app, monkeypatch, TODAY + 2 * DAY)
    client.post(f"/delegations/{given}/enter")
    db.session.remove()
    acting(cast.director, revoke, given)
    assert "您正在代" not in client.get("/inbox/").text


def test_choosing_an_identity_ends_acting_for_another(app, cast, given, monkeypatch):
    on(app, monkeypatch, TODAY + DAY)
    client, own = cast.login("vp"), cast.vp.identity_id
    client.post(f"/delegations/{given}/enter")
    client.post("/identity/", data={"identity": own})
    assert "您正在代" not in client.get("/inbox/").text


def test_the_audit_names_the_deputy_and_the_absent(app, cast, cases, behind, given, monkeypatch):  # noqa: F811
    case_id = cases.at("affairs")
    on(app, monkeypatch, TODAY + DAY)
    deputy = acting_for(cast.vp, cast.director, cast.director.roles)
    (outcome,) = cases.decide(deputy, case_id, "affairs", opinion="同意")
    assert outcome.done, str(outcome.reason)
    (row,) = behind.rows("select user_name, user_id, detail->>'on_behalf_of' as absent from audit_entry"
                         " where action = 'case:approve' order by id desc limit 1")  # fmt: skip
    assert row == {"user_name": "vp", "user_id": cast.vp.user_id, "absent": "director"}
    (event,) = behind.rows("select actor_name, on_behalf_of from case_event order by id desc limit 1")
    assert event == {"actor_name": "vp", "on_behalf_of": "director"}


def test_two_hands_are_two_people_whoever_they_sign_for(app, cast, cases, behind):  # noqa: F811
    """A leader who signed himself does not sign a later step of other hands in the director's name."""
    case_id = cases.at("affairs")
    behind.run("update case_step set declared = declared || '{\"hands_differ_from\": [\"college\"]}'"
               " where case_id = :id and key = 'affairs'", id=case_id)  # fmt: skip
    (outcome,) = cases.decide(
        acting_for(cast.leader, cast.director, cast.director.roles), case_id, "affairs", opinion="同意"
    )
    assert not outcome.done
    assert "须由他人签署" in str(outcome.reason)


# who says who is who


def form(user_id: int, role_id: int, **more) -> dict:
    return {"user": user_id, "roles": role_id, "scope": "college", "college": 1, "title": "x"} | more


@pytest.mark.parametrize("who", ["student", "clerk", "registry", "auditor", "director"])
def test_only_the_administrator_of_accounts_gives_identities(cast, behind, who):
    client, before = cast.login(who), behind.one("select count(*) from identity")
    role = behind.one("select id from ab_role where name = 'registry'")
    given = form(getattr(cast, who).user_id, role, scope="school")
    for path in ("/identityscreen/add", f"/identityscreen/edit/{getattr(cast, who).identity_id}"):
        assert client.post(path, data=given).status_code in (302, 403), path
    assert behind.one("select count(*) from identity") == before
    held = behind.one("select count(*) from identity_role where identity_id = :id and role_id = :role",
                      id=getattr(cast, who).identity_id, role=role)  # fmt: skip
    assert held == (1 if who == "registry" else 0)


@pytest.mark.parametrize("path", ["add", "edit"])
def test_nobody_grants_himself(cast, behind, path):
    admin, other = cast.admin, cast.clerk
    role = behind.one("select id from ab_role where name = 'registry'")
    client = cast.login("admin")
    what = form(admin.user_id, role, scope="school", college="")
    before = behind.rows("select user_id, scope from identity order by id")
    where = {"add": ["add"], "edit": [f"edit/{admin.identity_id}", f"edit/{other.identity_id}"]}[path]
    for address in where:
        answer = client.post(f"/identityscreen/{address}", data=what)
        assert "不能变更自己的身份" in answer.text, address
    client.post(f"/identityscreen/edit/{admin.identity_id}", data=form(other.user_id, role))
    assert behind.rows("select user_id, scope from identity order by id") == before
    held = "select count(*) from identity_role where role_id = :r"
    assert behind.one(held, r=role) == 3  # the registries of the cast


def test_an_identity_without_its_place_is_told_in_a_sentence(cast, behind):
    role = behind.one("select id from ab_role where name = 'college_clerk'")
    client, before = cast.login("admin"), behind.one("select count(*) from identity")
    answer = client.post("/identityscreen/add", data=form(cast.leader.user_id, role, college=""), follow_redirects=True)
    assert answer.status_code < 500
    assert "scope_complete" not in answer.text
    assert behind.one("select count(*) from identity") == before


def test_a_delegation_that_is_refused_keeps_what_was_filled_in(app, cast):
    deputy = cast.leader_b.user_id
    filled = {"deputy": deputy, "starts_on": "2026-09-10", "ends_on": "2026-09-01", "reason": "外出"}
    answer = cast.login("leader").post("/delegations/", data=filled)
    assert answer.status_code == 422
    assert f'<option value="{deputy}" selected>' in answer.text
    for number in ("x", "9" * 30):
        assert cast.login("leader").post("/delegations/", data=filled | {"deputy": number}).status_code in (400, 422)
