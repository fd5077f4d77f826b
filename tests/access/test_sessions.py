"""Logins: each is a row that ends by logout, by its owner, and by whatever makes the account another's; and is out at once."""

import pytest
from flask_jwt_extended import create_access_token
from sqlalchemy import event, text
from sqlalchemy.exc import ProgrammingError

from app.models import db
from tests.access.test_login import NEW, is_in, log_in
from tests.cast import PASSWORD

LATE = "update user_session set confirmed_at = confirmed_at - interval '16 minutes'"


def kept_cookie(client):
    return client.get_cookie("xueji").value


def with_cookie(app, value):
    client = app.test_client()
    client.set_cookie("xueji", value)
    return client


class Program:
    """The API with the tokens of one login."""

    def __init__(self, app, username: str) -> None:
        self.client = app.test_client(use_cookies=False)
        answer = self.client.post("/api/v1/security/login", json={
            "username": username, "password": PASSWORD, "provider": "db", "refresh": True})  # fmt: skip
        self.access, self.refresh = answer.json["access_token"], answer.json["refresh_token"]

    def reads(self, token: str | None = None) -> int:
        headers = {"Authorization": f"Bearer {token or self.access}"}
        return self.client.get("/api/v1/student/", headers=headers).status_code

    def renewed(self):
        return self.client.post("/api/v1/security/refresh", headers={"Authorization": f"Bearer {self.refresh}"})


# how one ends


def test_a_cookie_kept_from_before_the_logout_is_worth_nothing(app, cast):
    client = app.test_client()
    log_in(client, "clerk")
    kept = kept_cookie(client)
    assert is_in(with_cookie(app, kept))
    client.post("/logout/")
    assert not is_in(with_cookie(app, kept))


def test_a_logout_ends_no_other_login(app, cast):
    here, there = cast.login("clerk"), cast.login("clerk")
    here.post("/logout/")
    assert not is_in(here)
    assert is_in(there)


def test_a_cookie_that_names_another_s_session_is_not_believed(app, cast, behind):
    cast.login("registry")
    client = cast.login("clerk")
    with client.session_transaction() as session:
        session["session"] = behind.one("select min(id) from user_session")
    assert not is_in(client)


def test_tokens_are_known_by_their_session_and_end_with_it(app, cast, behind):
    program = Program(app, "clerk")
    assert program.reads() == 200
    assert behind.one("select count(*) from user_session where kind = 'api'") == 1
    new = program.renewed()
    assert new.status_code == 200
    assert program.reads(new.json["access_token"]) == 200
    behind.run("update user_session set ended_at = now()")
    assert program.reads() == 401
    assert program.reads(new.json["access_token"]) == 401
    assert program.renewed().status_code == 401


def test_a_token_of_before_this_was_kept_is_not_believed(app, cast):
    with app.test_request_context():
        old = create_access_token(identity=str(cast.clerk.user_id), additional_claims={"session": None})
    assert Program(app, "clerk").reads(old) == 401


WAYS = {
    "password": "update ab_user set password = 'x' where username = 'clerk'",
    "out of use": "update ab_user set active = false where username = 'clerk'",
    "other rows": "update identity set college_id = 2 where user_id = (select id from ab_user where username = 'clerk')",
    "no identity": "delete from identity where user_id = (select id from ab_user where username = 'clerk')",
    "another role": "insert into identity_role select i.id, r.id from identity i, ab_role r where r.name = 'teacher'"
                    " and i.user_id = (select id from ab_user where username = 'clerk')",
    "a role less": "delete from identity_role where identity_id in (select id from identity where user_id ="
                   " (select id from ab_user where username = 'clerk'))",
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_whatever_makes_the_account_another_ends_its_logins(app, cast, behind, way):
    client, other, program = cast.login("clerk"), cast.login("leader"), Program(app, "clerk")
    behind.run(WAYS[way])
    assert behind.one("select count(*) from user_session where ended_at is null and user_id ="
                      " (select id from ab_user where username = 'clerk')") == 0  # fmt: skip
    assert not is_in(client)
    assert program.reads() == 401
    assert program.renewed().status_code == 401
    assert is_in(other)


def test_logging_in_and_switching_identity_end_nothing(app, cast, behind):
    first = cast.login("clerk")
    log_in(app.test_client(), "clerk")
    first.post("/identity/", data={"identity": cast.clerk.identity_id})
    assert is_in(first)


def test_a_changed_password_leaves_this_browser_in_alone(app, cast):
    here, elsewhere, program = cast.login("clerk"), cast.login("clerk"), Program(app, "clerk")
    kept = kept_cookie(here)
    here.post("/resetmypassword/form", data={"old_password": PASSWORD, "password": NEW, "conf_password": NEW})
    assert is_in(here)
    assert not is_in(elsewhere)
    assert not is_in(with_cookie(app, kept))
    assert (program.reads(), program.renewed().status_code) == (401, 401)


def test_an_administrator_who_puts_an_account_out_of_use_logs_it_out(app, cast, behind):
    client, clerk = cast.login("clerk"), cast.clerk
    role = behind.one("select id from ab_role where name = 'college_clerk'")
    form = {
        "username": "clerk",
        "first_name": "clerk",
        "email": "clerk@example.invalid",
        "roles": role,
        "last_name": "x",
    }
    cast.login("admin").post(f"/users/edit/{clerk.user_id}", data=form)
    assert behind.one("select active from ab_user where username = 'clerk'") is False
    assert not is_in(client)


def test_it_ends_hours_after_it_was_last_seen_whatever_the_cookie_says(app, cast, behind):
    client = cast.login("clerk")
    behind.run("update user_session set seen_at = now() - interval '7 hours'")
    assert is_in(client)  # and is seen again
    behind.run("update user_session set seen_at = now() - interval '9 hours'")
    assert not is_in(client)


def test_last_seen_is_written_once_a_minute(app, cast, behind):
    client = cast.login("clerk")
    before = "update user_session set seen_at = now() - interval '%s seconds' returning xmin, seen_at"
    behind.run(before % 50)
    kept = behind.one("select seen_at from user_session")
    client.get("/account/")
    assert behind.one("select seen_at from user_session") == kept
    behind.run(before % 70)
    client.get("/account/")
    assert behind.one("select seen_at = now() from user_session")


# the page


def test_my_account_lists_my_logins_and_ends_them(app, cast, behind):
    here, there = cast.login("clerk"), app.test_client()
    firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"
    there.post("/login/", data={"username": "clerk", "password": PASSWORD}, headers={"User-Agent": firefox},
               environ_base={"REMOTE_ADDR": "2001:db8::7"})  # fmt: skip
    page = here.get("/account/").text
    assert "Firefox · Windows" in page and "2001:db8::/64" in page
    number = behind.one("select max(id) from user_session")
    assert here.post(f"/account/sessions/{number}/end").status_code == 302
    assert is_in(here) and not is_in(there)
    assert "Firefox" not in here.get("/account/").text
    assert behind.one("select count(*) from audit_entry where action = 'session:end'") == 1


def test_nobody_sees_or_ends_another_s_login(app, cast, behind):
    victim = app.test_client()
    victim.post("/login/", data={"username": "leader", "password": PASSWORD}, environ_base={"REMOTE_ADDR": "10.9.8.7"})
    number = behind.one("select max(id) from user_session")
    for who in ("clerk", "registry", "admin"):
        client = cast.login(who)
        assert "10.9.8.7" not in client.get("/account/").text, who
        assert client.post(f"/account/sessions/{number}/end").status_code == 404, who
        client.post("/account/sessions/end")
    assert is_in(victim)


def test_all_others_end_at_once(app, cast):
    here, there, program = cast.login("clerk"), cast.login("clerk"), Program(app, "clerk")
    here.post("/account/sessions/end")
    assert is_in(here) and not is_in(there)
    assert program.reads() == 401


@pytest.mark.parametrize("scope", ["school", "college", "student", "department", "auditor"])
def test_a_scope_reads_its_own_logins_writes_none_and_reads_no_password(cast, behind, scope):
    held = behind.rows("select privilege_type p from information_schema.role_table_grants where grantee = :g"
                       " and table_name = 'user_session'", g=f"xueji_{scope}")  # fmt: skip
    assert [row["p"] for row in held] == ["SELECT"]
    for who in ("leader", "clerk"):
        cast.login(who)
    seen = "select set_config('role', :r, true), set_config('app.user', :u, true)"
    mine = cast.clerk.user_id
    db.session.remove()
    behind.connection.execute(text(seen), {"r": f"xueji_{scope}", "u": str(mine)})
    assert list(behind.connection.scalars(text("select distinct user_id from user_session"))) == [mine]
    with pytest.raises(ProgrammingError), behind.connection.begin_nested():
        behind.connection.execute(text("select password from ab_user limit 1"))
    behind.connection.execute(text(seen), {"r": "none", "u": "-1"})


# the password once more


def test_a_sensitive_act_asks_for_the_password_after_a_quarter_of_an_hour(cast, behind):
    client = cast.login("registry")
    address = "/settingscreen/edit/class_size"
    behind.run(LATE)
    for given in ({}, {"password_again": "wrong"}):
        asked = client.post(address, data={"value": "44"} | given)
        assert asked.status_code == 403
        assert "再次输入密码" in asked.text
        assert 'name="value" value="44"' in asked.text  # nothing is lost
        assert 'value="wrong"' not in asked.text
        assert behind.one("select value from setting where key = 'class_size'") == "40"
    assert client.post(address, data={"value": "44", "password_again": PASSWORD}).status_code == 302
    assert behind.one("select value from setting where key = 'class_size'") == "44"
    assert client.post(address, data={"value": "45"}).status_code == 302  # not twice in a quarter of an hour
    assert behind.one("select value from setting where key = 'class_size'") == "45"


def test_soon_after_the_login_nothing_is_asked(cast, behind):
    client = cast.login("registry")
    behind.run("update user_session set confirmed_at = confirmed_at - interval '14 minutes'")
    client.post("/settingscreen/edit/class_size", data={"value": "44"})
    assert behind.one("select value from setting where key = 'class_size'") == "44"


def test_the_school_sets_after_how_many_minutes(cast, behind):
    behind.run("update setting set value = '60' where key = 'password_again_minutes'")
    client = cast.login("registry")
    behind.run(LATE)
    assert client.post("/settingscreen/edit/class_size", data={"value": "44"}).status_code == 302


def test_accounts_identities_and_documents_ask(cast, behind):
    clerk = cast.clerk
    acts = {
        "admin": ["/users/add", f"/users/edit/{clerk.user_id}", f"/resetpassword/form?pk={clerk.user_id}",
                  "/identityscreen/add", f"/identityscreen/edit/{clerk.identity_id}", "/roles/add"],
        "registry": ["/documents/issue"],
        "clerk": ["/account/letters"],
    }  # fmt: skip
    for who, paths in acts.items():
        client = cast.login(who)
        behind.run(LATE)
        for path in paths:
            answer = client.post(path, data={"email": "x@example.invalid"})
            assert answer.status_code == 403 and "再次输入密码" in answer.text, path
            answer = client.post(path, data={}, headers={"Accept": "application/json"})
            assert answer.status_code == 403 and answer.json["message"], path


def test_an_export_of_masked_columns_asks_and_one_of_others_does_not(cast, behind):
    client = cast.login("registry")
    behind.run(LATE)
    plain = client.post("/studentscreen/export/roster", data={"columns": ["student_no", "name"]})
    assert plain.status_code == 200, plain.text
    asked = client.post("/studentscreen/export/roster", data={"columns": ["student_no", "id_number"]})
    assert asked.status_code == 403
    assert asked.text.count('name="columns"') == 2
    given = {"columns": ["student_no", "id_number"], "password_again": PASSWORD}
    assert client.post("/studentscreen/export/roster", data=given).status_code == 200


def test_a_login_costs_no_statement_more_a_request(app, cast):
    """The session is looked up with its user."""
    client = cast.login("clerk")
    client.get("/notices/")
    seen: list[str] = []
    connection = db._app_engines[app][None]

    def count(_conn, _cursor, statement, *_more):
        if "user_session" in statement or "ab_user" in statement:
            seen.append(statement)

    event.listen(connection, "before_cursor_execute", count)
    try:
        client.get("/notices/")
    finally:
        event.remove(connection, "before_cursor_execute", count)
    assert len([one for one in seen if "user_session" in one]) == 1, seen
