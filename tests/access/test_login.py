"""The door: who is let in, how often one may try, what a session is worth, and what it tells those who stay outside."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.models import db
from config import load
from tests.cast import PASSWORD
from tests.conftest import Bed, settings_for

NEW = "Another-password-2"


def log_in(client: FlaskClient, username: str, password: str = PASSWORD, **headers: str):
    return client.post("/login/", data={"username": username, "password": password}, headers=headers)


def api_log_in(client: FlaskClient, username: str, password: str = PASSWORD):
    return client.post("/api/v1/security/login", json={"username": username, "password": password, "provider": "db"})


def is_in(client: FlaskClient) -> bool:
    return client.get("/account/").status_code == 200


@pytest.fixture(scope="module")
def strict(bed: Bed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, object]]:
    """Settings for an application of its own, on a database of its own."""
    database = bed.copy()
    settings = settings_for(bed, database, tmp_path_factory.mktemp("files"))
    yield settings


def strict_app(settings: dict[str, object], **changed: object) -> Flask:
    return create_app(settings | changed)


# who is not let in


@pytest.mark.parametrize("username", ["clerk", "nobody-of-this-name", "clerk@example.invalid", "clerk'--", ""])
def test_a_wrong_login_does_not_tell_whether_there_is_such_an_account(app, username):
    client = app.test_client()
    refused = log_in(client, username, "wrong")
    page = client.get("/login/").text
    if refused.status_code == 302:  # an empty name is told at the field
        assert refused.location.startswith("/login/")
        assert "用户名或密码" in page
    assert not is_in(client)
    answers = {(api := api_log_in(app.test_client(), name, "wrong")).status_code: api.json["message"]
               for name in ("clerk", "nobody-of-this-name")}  # fmt: skip
    assert list(answers) == [401]


def test_both_answers_are_alike_letter_by_letter(app):
    bodies = set()
    for username in ("clerk", "nobody-of-this-name"):
        client = app.test_client()
        log_in(client, username, "wrong")
        page = client.get("/login/").text
        bodies.add(page[page.index("alert") :].split("</div>")[0])
    assert len(bodies) == 1


def test_beside_a_wrong_password_the_user_name_stays(app):
    browser = app.test_client()
    name = '"><b>clerk'
    again = browser.post("/login/", data={"username": name, "password": "wrong"}, follow_redirects=True).text
    assert 'value="&#34;&gt;&lt;b&gt;clerk"' in again
    assert "clerk" not in browser.get("/login/").text, "once, and not for whoever comes next"


def test_an_account_that_was_closed_is_out_at_once(app, cast, behind):
    client = cast.login("clerk")
    behind.run("update ab_user set active = false where username = 'clerk'")
    assert not is_in(client)
    assert log_in(app.test_client(), "clerk").location.startswith("/login/")


def test_the_address_to_go_on_to_is_one_of_ours(app):
    client = app.test_client()
    answer = client.post("/login/?next=https://elsewhere.invalid/", data={"username": "clerk", "password": PASSWORD})
    assert answer.status_code == 302
    assert "elsewhere" not in answer.location


# passwords


@pytest.mark.parametrize("weak", ["short-1A", "onlysmallletters", "smalland1234", ""])
def test_a_weak_password_is_refused_at_its_field(app, cast, behind, weak):
    client, before = cast.login("clerk"), behind.one("select password from ab_user where username = 'clerk'")
    page = client.post(
        "/resetmypassword/form", data={"old_password": PASSWORD, "password": weak, "conf_password": weak}
    )
    assert page.status_code in (200, 422)
    assert behind.one("select password from ab_user where username = 'clerk'") == before


def test_two_that_differ_are_refused(app, cast, behind):
    client, before = cast.login("clerk"), behind.one("select password from ab_user where username = 'clerk'")
    client.post("/resetmypassword/form", data={"old_password": PASSWORD, "password": NEW, "conf_password": NEW + "x"})
    assert behind.one("select password from ab_user where username = 'clerk'") == before


def test_a_given_password_opens_nothing_but_its_own_change(app, cast, behind):
    behind.run("update password_state set must_change = true where user_id = :id", id=cast.clerk.user_id)
    client = cast.login("clerk")
    for path in ("/", "/inbox/", "/studentscreen/list/", "/account/", "/api/v1/student/"):
        answer = client.get(path)
        assert (answer.status_code, answer.location) == (302, "/resetmypassword/form"), path
    for path in ("/resetmypassword/form", "/lang/en"):
        assert client.get(path).location != "/resetmypassword/form", path
    client.post("/resetmypassword/form", data={"old_password": PASSWORD, "password": NEW, "conf_password": NEW})
    assert client.get("/inbox/").status_code == 200
    assert log_in(app.test_client(), "clerk").location.startswith("/login/")
    assert log_in(app.test_client(), "clerk", NEW).location == "/"


def test_a_token_does_not_pass_by_the_change_of_password(app, cast, behind):
    behind.run("update password_state set must_change = true where user_id = :id", id=cast.clerk.user_id)
    bare = app.test_client(use_cookies=False)
    token = api_log_in(bare, "clerk").json.get("access_token")
    answer = bare.get("/api/v1/student/", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code in (401, 403)


def test_an_account_made_on_the_screen_must_choose_its_own(app, cast, behind):
    admin = cast.login("admin")
    role = behind.one("select id from ab_role where name = 'college_clerk'")
    made = {"first_name": "新", "last_name": "人", "username": "fresh", "email": "f@example.invalid", "active": "y",
            "roles": role, "password": PASSWORD, "conf_password": PASSWORD}  # fmt: skip
    answer = admin.post("/users/add", data=made)
    assert answer.status_code == 302, answer.text
    user = behind.one("select id from ab_user where username = 'fresh'")
    client = app.test_client()
    log_in(client, "fresh")
    assert client.get("/").status_code == 403  # without an identity it is nobody yet
    behind.run("insert into identity (user_id, scope, college_id) values (:id, 'college', 1)", id=user)
    assert client.get("/").location == "/resetmypassword/form"


def test_a_password_that_somebody_else_set_must_be_changed(app, cast, behind):
    admin, clerk = cast.login("admin"), cast.clerk
    answer = admin.post(
        f"/resetpassword/form?pk={clerk.user_id}",
        data={"old_password": PASSWORD, "password": NEW, "conf_password": NEW},
    )
    assert answer.status_code == 302
    proposal = behind.one("select max(id) from account_proposal")  # as the clerk reaches students: test_second_hand.py
    cast.login("registry").post(f"/proposals/{proposal}/decide", data={"act": "confirm"})
    client = app.test_client()
    log_in(client, "clerk", NEW)
    assert client.get("/").location == "/resetmypassword/form"
    rows = behind.rows(
        "select action, user_name, subject_id from audit_entry where action like 'password:%' order by id"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("password:propose", "admin", clerk.user_id), ("password:confirm", "registry", clerk.user_id),
    ]  # fmt: skip


def test_a_changed_password_ends_the_other_sessions(app, cast):
    here, elsewhere = cast.login("clerk"), cast.login("clerk")
    here.post("/resetmypassword/form", data={"old_password": PASSWORD, "password": NEW, "conf_password": NEW})
    assert is_in(here)
    assert not is_in(elsewhere)


# sessions


def test_the_cookie_is_for_this_site_alone_and_hidden_from_scripts(app):
    cookie = log_in(app.test_client(), "clerk").headers["Set-Cookie"]
    assert cookie.startswith("xueji=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert "Expires=" in cookie


@pytest.mark.parametrize(("mode", "secure"), [("production", True), ("demo", False)])
def test_production_sends_its_cookies_over_https_alone(mode, secure, strict):
    env = {"XUEJI_MODE": mode, "XUEJI_WEB_DATABASE_URL": "postgresql://xueji_web@db.invalid/x"}
    settings = load(env)
    assert settings["SESSION_COOKIE_SECURE"] is settings["REMEMBER_COOKIE_SECURE"] is secure
    app = strict_app(strict, SESSION_COOKIE_SECURE=settings["SESSION_COOKIE_SECURE"])
    cookie = log_in(app.test_client(), "clerk").headers["Set-Cookie"]
    assert ("Secure" in cookie) is secure
    with app.app_context():
        db.engine.dispose()


def test_a_session_ends_some_hours_after_its_last_request(app, monkeypatch):
    client = app.test_client()
    log_in(client, "clerk")
    assert is_in(client)
    monkeypatch.setitem(app.config, "PERMANENT_SESSION_LIFETIME", timedelta(seconds=-1))
    assert not is_in(client)


def test_a_login_begins_a_session_anew(app, cast):
    client = app.test_client()
    with client.session_transaction() as session:
        session |= {"identity_id": 1, "delegation_id": 1, "csrf_token": "planted", "locale": "en"}
    log_in(client, "clerk")
    with client.session_transaction() as session:
        assert session["locale"] == "en"
        assert session.get("csrf_token") != "planted"
        assert {"identity_id", "delegation_id"}.isdisjoint(session)


def test_a_logout_leaves_nothing_behind(app, cast):
    client = cast.login("clerk")
    with client.session_transaction() as session:
        session["delegation_id"] = 1
    client.post("/logout/")
    assert not is_in(client)
    with client.session_transaction() as session:
        assert not set(session) & {"_user_id", "delegation_id", "identity_id"}


def test_opening_the_address_of_the_logout_ends_nothing(app, cast):
    """As a picture in a page of another site would; the page has the button."""
    client = cast.login("clerk")
    for referrer in (None, "https://elsewhere.invalid/"):
        page = client.get("/logout/", headers={"Referer": referrer} if referrer else {})
        assert page.status_code == 200 and 'method="post" action="/logout/"' in page.text
        assert is_in(client)
    assert client.post("/logout/").status_code == 302
    assert not is_in(client)
    assert client.get("/logout/").location == "/"


def test_another_site_cannot_send_the_logout_either(strict):
    app = strict_app(strict, WTF_CSRF_ENABLED=True)
    client = app.test_client()
    signed = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/login/").text)
    assert signed is not None
    client.post("/login/", data={"username": "clerk", "password": PASSWORD, "csrf_token": signed[1]})
    assert is_in(client)
    client.post("/logout/")
    assert is_in(client)  # without the token
    own = re.search(
        r'action="/logout/"[^>]*><input type="hidden" name="csrf_token" value="([^"]+)"', client.get("/").text
    )
    assert own is not None
    client.post("/logout/", data={"csrf_token": own[1]})
    assert not is_in(client)
    with app.app_context():
        db.engine.dispose()


# forged forms


@pytest.mark.parametrize(("language", "words"), [("zh", "重新打开"), ("en", "Open the page again")])
def test_a_form_without_its_token_gets_a_clear_page_and_does_nothing(strict, language, words):
    app = strict_app(strict, WTF_CSRF_ENABLED=True)
    client = app.test_client()
    client.get(f"/lang/{language}")
    refused = log_in(client, "clerk")
    assert refused.status_code == 400
    assert words in refused.text
    assert not is_in(client)
    with app.app_context():
        db.engine.dispose()
