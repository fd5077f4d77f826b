"""Two hands: what reaches students' rows, or accounts, is proposed by one and confirmed by another, and not held before."""

import pytest

from app.access import Role
from app.models import db
from app.operations.accounts.second_hand import needs_second_hand
from tests.access.test_identity import form, second_identity, students
from tests.access.test_login import NEW, log_in
from tests.cast import PASSWORD


def role_of(behind, name: str) -> int:
    return behind.one("select id from ab_role where name = :n", n=name)


@pytest.fixture
def fresh(behind) -> int:
    """An account without any identity, as the administrator has made it."""
    return behind.one(
        "insert into ab_user (id, first_name, last_name, username, email, password, active) select max(id) + 1, '新', '人',"
        " 'fresh', 'fresh@example.invalid', (select password from ab_user where username = 'clerk'), true from ab_user"
        " returning id"
    )  # fmt: skip


@pytest.fixture
def other_admin(cast, behind) -> str:
    """The vice president keeps accounts, too, and acts so."""
    second_identity(behind, "vp", "admin", "none")
    behind.run("update identity set last_used = now() + interval '1 day' where scope = 'none' and user_id ="
               " (select id from ab_user where username = 'vp')")  # fmt: skip
    return "vp"


def propose(cast, behind, user_id: int, role: str = "registry", **more):
    asked = form(user_id, role_of(behind, role), **({"scope": "school", "college": ""} | more))
    return cast.login("admin").post("/identityscreen/add", data=asked, follow_redirects=True)


def number(behind) -> int:
    return behind.one("select max(id) from account_proposal")


def held(behind, user_id: int) -> list[dict]:
    return behind.rows("select i.scope, i.college_id, r.name as role from identity i join identity_role t"
                       " on t.identity_id = i.id join ab_role r on r.id = t.role_id where i.user_id = :u", u=user_id)  # fmt: skip


REGISTRY = [{"scope": "school", "college_id": None, "role": "registry"}]


# alone


@pytest.mark.parametrize(("role", "scope", "college"), [
    ("registry", "school", ""), ("college_clerk", "college", 1), ("auditor", "auditor", ""), ("admin", "none", ""),
    ("admissions", "freshmen", ""), ("transfer_panel", "transfers", ""),
])  # fmt: skip
def test_one_administrator_opens_nothing(app, cast, behind, fresh, role, scope, college):
    page = propose(cast, behind, fresh, role, scope=scope, college=college)
    assert "第二人确认后生效" in page.text and "已新增" not in page.text
    assert held(behind, fresh) == []
    client = app.test_client()
    log_in(client, "fresh")
    assert students(client) == set()
    answer = cast.login("admin").post(f"/proposals/{number(behind)}/decide", data={"act": "confirm"})
    assert answer.status_code == 409
    assert held(behind, fresh) == []


def test_an_accomplice_of_his_own_making_does_not_help(app, cast, behind, fresh):
    """A second administrator is one when somebody else has confirmed it."""
    propose(cast, behind, fresh, "admin", scope="none")
    client = app.test_client()
    log_in(client, "fresh")
    assert client.post(f"/proposals/{number(behind)}/decide", data={"act": "confirm"}).status_code != 302
    assert held(behind, fresh) == []


def test_whom_it_is_for_does_not_confirm_it(cast, behind):
    propose(cast, behind, cast.registry.user_id, "college_clerk", scope="college", college=1)
    answer = cast.login("registry").post(f"/proposals/{number(behind)}/decide", data={"act": "confirm"})
    assert answer.status_code == 409
    assert "第二个人" in answer.text
    assert held(behind, cast.registry.user_id) == REGISTRY


def test_the_database_wants_two_people_itself(cast, behind, fresh):
    propose(cast, behind, fresh)
    admin, proposal = cast.admin.user_id, number(behind)
    for who in (admin, fresh, -1):
        behind.run("select set_config('app.user', :u, true)", u=str(who))
        assert behind.one("select decide_proposal(:n, true)", n=proposal) == "own"
    behind.run("select set_config('app.user', :u, true)", u=str(cast.registry.user_id))
    assert behind.one("select decide_proposal(:n, true)", n=proposal) == "done"
    assert behind.one("select decide_proposal(:n, true)", n=proposal) == "gone"


@pytest.mark.parametrize("who", ["student", "clerk", "leader", "auditor", "library"])
def test_nobody_else_confirms(cast, behind, fresh, who):
    propose(cast, behind, fresh)
    assert cast.login(who).post(f"/proposals/{number(behind)}/decide", data={"act": "confirm"}).status_code in (
        302,
        403,
    )
    assert held(behind, fresh) == []


@pytest.mark.parametrize(("role", "scope", "college"), [
    ("college_leader", "none", ""), ("college_clerk", "none", ""), ("college_clerk", "school", ""), ("registry", "college", 1),
    ("auditor", "none", ""), ("admissions", "none", ""), ("transfer_panel", "none", ""), ("teacher", "none", ""),
    ("registry", "none", ""), ("president_office", "school", ""), ("student", "none", ""), ("department", "none", ""),
])  # fmt: skip
def test_a_role_without_its_rows_is_refused_beside_the_field(cast, behind, fresh, role, scope, college):
    page = propose(cast, behind, fresh, role, scope=scope, college=college)
    assert "的数据范围是" in page.text.partition('name="scope"')[2][:3000]
    assert held(behind, fresh) == []
    assert behind.one("select count(*) from account_proposal") == 0


def test_roles_of_different_rows_are_two_identities(cast, behind, fresh):
    both = [role_of(behind, "registry"), role_of(behind, "auditor")]
    page = propose(cast, behind, fresh, roles=both)
    assert "请分别建立身份" in page.text and behind.one("select count(*) from account_proposal") == 0
    both = [role_of(behind, "college_leader"), role_of(behind, "college_clerk")]
    assert "第二人确认" in propose(cast, behind, fresh, roles=both, scope="college", college=2).text


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.STUDENT])
def test_every_role_that_opens_more_than_ones_own_pages_needs_two_hands(role):
    alone = {"president_office", "degree_committee"}
    assert needs_second_hand(role.scope, (role.value,)) is (role.value not in alone)
    assert needs_second_hand("none", (role.value,)) is (role.value not in alone)


def test_a_proposal_of_before_whose_role_lacks_its_rows_is_not_confirmed(cast, behind, fresh):
    propose(cast, behind, fresh)
    behind.run("update account_proposal set scope = 'none'")
    answer = cast.login("registry").post(f"/proposals/{number(behind)}/decide", data={"act": "confirm"})
    assert answer.status_code == 422 and "全校" in answer.text
    assert held(behind, fresh) == []


@pytest.mark.parametrize(("role", "path"), [
    ("auditor", "/auditscreen/list/"), ("admissions", "/imports/admissions/"), ("transfer_panel", "/meetingscreen/list/"),
    ("college_leader", "/meetingscreen/list/"),
])  # fmt: skip
def test_a_role_that_reaches_no_rows_opens_no_page(app, cast, behind, fresh, role, path):
    """An identity of before, saved without its scope; the scope alone makes the difference."""
    second_identity(behind, "fresh", role, "none")
    behind.run("insert into password_state (user_id, must_change) values (:u, false)", u=fresh)
    client = app.test_client()
    log_in(client, "fresh")
    assert client.get(path).status_code in (302, 403)
    assert Role(role).scope != "none"
    scope, college = Role(role).scope, 1 if Role(role).scope == "college" else None
    behind.run("update identity set scope = :s, college_id = :c where user_id = :u", s=scope, c=college, u=fresh)
    log_in(client, "fresh")
    assert client.get(path).status_code == 200


# whoever gave an account its password is that account, too


def confirm(cast, behind, who: str, proposal: int | None = None) -> int:
    path = f"/proposals/{proposal or number(behind)}/decide"
    return cast.login(who).post(path, data={"act": "confirm"}).status_code


def given(behind, whose: str, by: str, days: int = 0) -> None:
    behind.run("update password_state p set given_by = g.id, given_at = now() - make_interval(days => :d) from ab_user o,"
               " ab_user g where o.username = :o and g.username = :g and p.user_id = o.id", o=whose, g=by, d=days)  # fmt: skip


def test_the_accounts_that_an_administrator_made_confirm_nothing_of_his(app, cast, behind):
    """He made it, a second hand gave it an identity, he chose its password "as its owner": it is his second account."""
    made = {"username": "second", "first_name": "二", "last_name": "第", "email": "s@example.invalid", "active": "y",
            "password": PASSWORD, "conf_password": PASSWORD}  # fmt: skip
    cast.login("admin").post("/users/add", data=made)
    second = behind.one("select id from ab_user where username = 'second'")
    propose(cast, behind, second)
    assert confirm(cast, behind, "director") == 302
    client = app.test_client()
    log_in(client, "second")
    client.post("/resetmypassword/form", data={"old_password": PASSWORD, "password": NEW, "conf_password": NEW})
    leader, before = cast.leader.user_id, held(behind, cast.leader.user_id)
    propose(cast, behind, leader)
    answer = client.post(f"/proposals/{number(behind)}/decide", data={"act": "confirm"})
    assert answer.status_code == 409 and "同一人之手" in answer.text and held(behind, leader) == before
    assert confirm(cast, behind, "registry") == 302


@pytest.mark.parametrize(("links", "barred"), [
    ([("registry", "admin")], True), ([("admin", "registry")], True), ([("registry", "vp"), ("admin", "vp")], True),
    ([("registry", "clerk"), ("clerk", "admin")], True), ([("registry", "vp")], False), ([("registry", "admin", 181)], False),
    ([("registry", "registry")], False),
])  # fmt: skip
def test_two_accounts_of_one_hand_are_one(cast, behind, fresh, links, barred):
    for link in links:
        given(behind, *link)
    propose(cast, behind, fresh)
    assert confirm(cast, behind, "registry") == (409 if barred else 302)


def test_a_confirmed_owner_chooses_another_password(app, cast, behind, fresh):
    behind.run("insert into password_state (user_id, must_change) values (:u, false)", u=fresh)
    propose(cast, behind, fresh)
    confirm(cast, behind, "registry")
    state = "select must_change from password_state where user_id = :u"
    assert behind.one(state, u=fresh) is False  # the proposer had no hand in it
    given(behind, "fresh", "admin")
    propose(cast, behind, fresh, "college_clerk", scope="college", college=2)
    page = cast.login("vp").get("/proposals/").text
    assert page
    shown = cast.login("registry").get(f"/proposals/{number(behind)}/confirm").text
    assert "由 admin 于" in shown and "登录后已更改" in shown
    confirm(cast, behind, "registry")
    assert behind.one(state, u=fresh) is True


# what was confirmed stays so


@pytest.fixture
def own_role(cast, behind) -> int:
    one = behind.one("select id from ab_permission_view order by id limit 1")
    cast.login("admin").post("/roles/add", data={"name": "R0", "permissions": one})
    return behind.one("select id from ab_role where name = 'R0'")


def permissions(behind, role: int) -> int:
    return behind.one("select count(*) from ab_permission_view_role where role_id = :r", r=role)


@pytest.mark.parametrize("state", ["proposed", "held", "ended"])
def test_a_role_that_is_given_does_not_change(cast, behind, fresh, own_role, state):
    admin, more = cast.login("admin"), [row["id"] for row in behind.rows("select id from ab_permission_view")]
    propose(cast, behind, fresh, "R0", scope="none")
    if state != "proposed":
        confirm(cast, behind, "registry")
    if state == "ended":
        behind.run("update identity set ended_on = current_date where user_id = :u", u=fresh)
    answer = admin.post(f"/roles/edit/{own_role}", data={"name": "R1", "permissions": more}, follow_redirects=True)
    assert ("已有人持有" in answer.text) == (state != "ended")
    assert permissions(behind, own_role) == (len(more) if state == "ended" else 1)
    admin.post(f"/roles/delete/{own_role}")
    assert behind.one("select count(*) from ab_role where id = :r", r=own_role) == 1
    admin.post("/roles/action_post", data={"action": "copyrole", "rowid": own_role})
    copy = behind.one("select max(id) from ab_role")
    assert copy != own_role
    admin.post(f"/roles/edit/{copy}", data={"name": "R2", "permissions": more})
    assert permissions(behind, copy) == len(more)


def test_who_confirms_sees_what_the_role_may_do(cast, behind, fresh, own_role):
    propose(cast, behind, fresh, "R0", scope="none")
    page = cast.login("registry").get(f"/proposals/{number(behind)}/confirm").text
    assert "“R0”的权限：共 1 项" in page and "密码未曾由管理员" in page


@pytest.mark.parametrize(
    "change", [{"first_name": "旧"}, {"email": "other@example.invalid"}, {"username": "fresher"}, None]
)
def test_a_proposal_for_an_account_that_changed_is_void(cast, behind, fresh, change):
    propose(cast, behind, fresh)
    admin, pending = cast.login("admin"), number(behind)
    if change is None:
        admin.post(f"/resetpassword/form?pk={fresh}", data={"password": NEW, "conf_password": NEW})
    else:
        same = {
            "username": "fresh",
            "first_name": "新",
            "last_name": "人",
            "email": "fresh@example.invalid",
            "active": "y",
        }
        admin.post(f"/users/edit/{fresh}", data=same)
        assert behind.one("select state from account_proposal where id = :n", n=pending) == "pending"
        admin.post(f"/users/edit/{fresh}", data=same | change)
    if change and "username" in change:  # who is proposed for an identity is used: the name stays
        assert behind.one("select username from ab_user where id = :u", u=fresh) == "fresh"
        return
    assert behind.one("select state from account_proposal where id = :n", n=pending) == "declined"
    assert behind.one("select count(*) from notice where key = :k", k=f"proposal:{pending}:void") == 1
    assert confirm(cast, behind, "registry", pending) == 409 and held(behind, fresh) == []


# together


def test_the_registry_confirms_and_it_holds(app, cast, behind, fresh):
    propose(cast, behind, fresh, "college_clerk", scope="college", college=2)
    client = cast.login("registry")
    page = client.get("/proposals/").text
    assert "人新 (fresh)" in page and "文学院" in page and "admin" in page
    assert client.post(f"/proposals/{number(behind)}/decide", data={"act": "confirm"}).status_code == 302
    assert held(behind, fresh) == [{"scope": "college", "college_id": 2, "role": "college_clerk"}]
    assert "已确认" in client.get("/proposals/").text


def test_another_administrator_confirms_as_well(cast, behind, fresh, other_admin):
    propose(cast, behind, fresh)
    assert (
        cast.login(other_admin).post(f"/proposals/{number(behind)}/decide", data={"act": "confirm"}).status_code == 302
    )
    assert held(behind, fresh) == REGISTRY


def test_before_it_is_confirmed_the_page_says_what_would_change(cast, behind):
    """A page of its own for each act, to those who may; asking changes nothing."""
    leader = cast.leader
    asked = form(leader.user_id, role_of(behind, "registry"), scope="school", college="")
    cast.login("admin").post(f"/identityscreen/edit/{leader.identity_id}", data=asked)
    path = f"/proposals/{number(behind)}"
    client = cast.login("registry")
    page = client.get("/proposals/").text
    assert f'href="{path}/confirm"' in page and f'href="{path}/decline"' in page and 'value="confirm"' not in page
    page = client.get(f"{path}/confirm").text
    assert "二级学院学籍分管院领导" in page and "学籍中心" in page and 'value="confirm"' in page
    assert "reason" not in page and 'name="reason"' in client.get(f"{path}/decline").text
    assert held(behind, leader.user_id) == [{"scope": "college", "college_id": 1, "role": "college_leader"}]
    assert client.get(f"{path}/burn").status_code == 302
    assert cast.login("clerk").get(f"{path}/confirm").status_code in (302, 403)


def test_declined_it_never_holds(cast, behind, fresh):
    propose(cast, behind, fresh)
    client = cast.login("registry")
    unsaid = client.post(f"/proposals/{number(behind)}/decide", data={"act": "decline", "reason": " "})
    assert unsaid.status_code == 409 and "说明理由" in unsaid.text and number(behind)
    said = {"act": "decline", "reason": "该岗位已有两人<b>"}
    assert client.post(f"/proposals/{number(behind)}/decide", data=said).status_code == 302
    told = behind.one("select text_zh from notice n join ab_user u on u.id = n.user_id where username = 'admin'"
                      " and key like '%decided'")  # fmt: skip
    assert "该岗位已有两人" in told and "该岗位已有两人&lt;b&gt;" in cast.login("admin").get("/proposals/").text
    assert client.post(f"/proposals/{number(behind)}/decide", data={"act": "confirm"}).status_code == 409
    assert held(behind, fresh) == []


def test_a_changed_identity_stays_what_it_was_until_then(cast, behind):
    leader = cast.leader
    client = cast.login("leader")
    asked = form(leader.user_id, role_of(behind, "registry"), scope="school", college="")
    page = cast.login("admin").post(f"/identityscreen/edit/{leader.identity_id}", data=asked, follow_redirects=True)
    assert "第二人确认后生效" in page.text and "修改已保存" not in page.text
    assert held(behind, leader.user_id) == [{"scope": "college", "college_id": 1, "role": "college_leader"}]
    assert students(client) == {"学生11"}
    cast.login("registry").post(f"/proposals/{number(behind)}/decide", data={"act": "confirm"})
    assert held(behind, leader.user_id) == REGISTRY
    assert students(client) == set()  # that login ended with what the identity had been
    (row,) = behind.rows("select old, new from audit_entry where action = 'identity:confirm'")
    assert (row["old"]["roles"], row["old"]["scope"], row["old"]["college"]) == (
        ["college_leader"],
        "college",
        "计算机学院",
    )
    assert (row["new"]["roles"], row["new"]["scope"], row["new"]["college"]) == (["registry"], "school", None)


def test_a_title_or_what_reaches_nobody_needs_one_hand(cast, behind, fresh):
    leader = cast.leader
    same = form(leader.user_id, role_of(behind, "college_leader"), title="副院长")
    cast.login("admin").post(f"/identityscreen/edit/{leader.identity_id}", data=same)
    assert behind.one("select title from identity where id = :i", i=leader.identity_id) == "副院长"
    propose(cast, behind, fresh, "president_office", scope="none")
    assert held(behind, fresh) == [{"scope": "none", "college_id": None, "role": "president_office"}]
    (row,) = behind.rows("select new from audit_entry where action = 'identity.add'")
    assert row["new"]["roles"] == ["president_office"] and row["new"]["scope"] == "none"
    assert behind.one("select count(*) from account_proposal") == 0


def test_the_audit_names_role_scope_and_college_and_both_people(cast, behind, fresh):
    propose(cast, behind, fresh, "college_clerk", scope="college", college=2)
    cast.login("registry").post(f"/proposals/{number(behind)}/decide", data={"act": "confirm"})
    rows = behind.rows(
        "select action, user_name, new, detail from audit_entry where action like 'identity:%' order by id"
    )
    assert [(row["action"], row["user_name"]) for row in rows] == [
        ("identity:propose", "admin"),
        ("identity:confirm", "registry"),
    ]
    for row in rows:
        assert row["new"] | {"title": None} == {
            "user": "人新 (fresh)", "roles": ["college_clerk"], "scope": "college", "college": "文学院", "department": None,
            "title": None,
        }  # fmt: skip
    assert rows[1]["detail"] == {"proposed_by": "admin"}


def test_the_registry_is_told_of_the_proposal_and_of_what_became_of_it(cast, behind, fresh):
    propose(cast, behind, fresh)
    names = "select u.username from notice n join ab_user u on u.id = n.user_id where n.key like :k order by 1"
    told = {row["username"] for row in behind.rows(names, k="proposal:%")}
    assert {"registry", "registry_b"} <= told and not told & {"admin", "clerk", "student"}
    cast.login("registry").post(f"/proposals/{number(behind)}/decide", data={"act": "confirm"})
    told = {row["username"] for row in behind.rows(names, k="proposal:%:decided")}
    assert told == {"admin", "registry_b", "registry_c", "fresh"}  # who is of the registry by now
    assert "第二人确认" in cast.login("registry_b").get("/notices/").text


def test_an_identity_without_its_place_is_refused_with_a_sentence(cast, behind, fresh):
    page = propose(cast, behind, fresh, "college_clerk", scope="college", college="")
    assert "学院" in page.text and "scope_complete" not in page.text
    assert behind.one("select count(*) from account_proposal") == 0


def test_the_same_is_not_proposed_twice(cast, behind, fresh):
    propose(cast, behind, fresh)
    assert "已有同样的提议" in propose(cast, behind, fresh).text
    assert behind.one("select count(*) from account_proposal") == 1


# passwords: whoever sets one could log in as its owner


def test_a_password_for_an_account_that_reaches_much_waits_too(app, cast, behind):
    registry = cast.registry.user_id
    page = cast.login("admin").post(f"/resetpassword/form?pk={registry}", data={"password": NEW, "conf_password": NEW},
                                    follow_redirects=True)  # fmt: skip
    assert "第二人确认" in page.text
    assert log_in(app.test_client(), "registry", NEW).location.startswith("/login/")
    assert log_in(app.test_client(), "registry").location == "/"
    assert cast.login("admin").post(f"/proposals/{number(behind)}/decide", data={"act": "confirm"}).status_code == 409
    assert (
        cast.login("registry_b").post(f"/proposals/{number(behind)}/decide", data={"act": "confirm"}).status_code == 302
    )
    client = app.test_client()
    assert log_in(client, "registry", PASSWORD).location.startswith("/login/")
    log_in(client, "registry", NEW)
    assert client.get("/").location == "/resetmypassword/form"
    assert behind.one("select secret from account_proposal") is None
    assert "scrypt" not in str(behind.rows("select old, new, detail from audit_entry"))


@pytest.mark.parametrize("way", ["/resetpassword/form?pk={}", "/users/action/resetpasswords/{}"])
def test_nobody_alone_takes_over_a_student(app, cast, behind, way):
    """Who knows a student's password is she: her row, her applications, her ID number in the clear."""
    admin, path = cast.login("admin"), way.format(cast.student.user_id)
    answer = admin.post(path, data={"password": NEW, "conf_password": NEW})
    if "resetpasswords" in way:
        admin.post(answer.location, data={"password": NEW, "conf_password": NEW})
    assert log_in(app.test_client(), "student", NEW).location.startswith("/login/")
    assert log_in(app.test_client(), "student").location == "/"
    told = "select count(*) from notice n join mail m on m.notice_id = n.id where n.user_id = :u and n.key like :k"
    assert behind.one(told, u=cast.student.user_id, k="proposal:%:owner") == 1
    assert confirm(cast, behind, "admin") == 409 and confirm(cast, behind, "registry") == 302
    client = app.test_client()
    log_in(client, "student", NEW)
    assert client.get("/").location == "/resetmypassword/form"
    assert behind.one(told, u=cast.student.user_id, k="account:%:password:%") == 1


def test_an_account_that_reaches_nobody_is_told_as_well(app, cast, behind, fresh):
    cast.login("admin").post(f"/resetpassword/form?pk={fresh}", data={"password": NEW, "conf_password": NEW})
    assert behind.one("select count(*) from account_proposal") == 0
    assert log_in(app.test_client(), "fresh", NEW).location == "/"
    assert (
        behind.one("select count(*) from notice where user_id = :u and key like 'account:%:password:%'", u=fresh) == 1
    )


def test_no_scope_reads_the_hash_of_a_proposed_password(cast, behind):
    for scope in ("school", "auditor"):
        columns = behind.rows("select column_name from information_schema.column_privileges where grantee = :g"
                              " and table_name = 'account_proposal'", g=f"xueji_{scope}")  # fmt: skip
        assert columns and "secret" not in {row["column_name"] for row in columns}
    db.session.remove()
