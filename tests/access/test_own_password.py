"""Whoever can log in may choose a password of her own; who is turned away is told to log in, or that it is not hers."""

import pytest
from flask import url_for

from tests.access.test_login import NEW, is_in, log_in
from tests.access.test_second_hand import fresh, role_of  # noqa: F401 - the fixture
from tests.cast import PASSWORD

CHANGE = {"old_password": PASSWORD, "password": NEW, "conf_password": NEW}


@pytest.mark.parametrize("kind", ["a role made here", "no role", "no identity"])
def test_everybody_who_can_log_in_may_change_her_password(app, cast, behind, fresh, kind):  # noqa: F811
    """Who must change a given password would else come to no page at all."""
    if kind != "no identity":
        identity = behind.one("insert into identity (user_id, scope) values (:u, 'none') returning id", u=fresh)
    if kind == "a role made here":
        cast.login("admin").post("/roles/add", data={"name": "R0"})
        behind.run("insert into identity_role values (:i, :r)", i=identity, r=role_of(behind, "R0"))
    client = app.test_client()
    log_in(client, "fresh")
    if kind != "no identity":
        assert client.get("/").location == "/resetmypassword/form"
    assert client.get("/resetmypassword/form").status_code == 200
    assert client.post("/resetmypassword/form", data=CHANGE | {"old_password": "wrong"}).status_code == 422
    assert client.post("/resetmypassword/form", data=CHANGE).status_code == 302
    assert "/resetmypassword" not in (client.get("/").location or "")
    assert log_in(app.test_client(), "fresh", NEW).location == "/"
    (row,) = behind.rows("select user_id, action from audit_entry where action like 'password:%'")
    assert row == {"user_id": fresh, "action": "password:change"}


def test_nobody_changes_no_password(app, cast):
    client = app.test_client()
    for answer in (client.get("/resetmypassword/form"), client.post("/resetmypassword/form", data=CHANGE)):
        assert answer.status_code == 302 and answer.location.startswith("/login/")


@pytest.mark.parametrize("path", ["/identityscreen/action/end/1", "/users/action/resetpasswords/1"])
def test_an_action_sends_nobody_to_the_login_and_a_stranger_away(app, cast, path):
    answer = app.test_client().post(path)
    assert answer.status_code == 302 and answer.location.startswith("/login/")
    assert cast.login("clerk").post(path).status_code == 403


@pytest.mark.parametrize("path", ["/studentscreen/list/?q=1", "//evil.invalid/x"])
def test_after_the_login_one_goes_on_to_a_page_of_ours(app, cast, path):
    answer = app.test_client().get("/studentscreen/list/?q=1", headers={"Host": "evil.invalid"})
    assert answer.location == "/login/?next=/studentscreen/list/?q%3D1" or "evil" not in answer.location
    assert "next=" in answer.location and "%2F%2F" not in answer.location and "next=//" not in answer.location
    with app.test_request_context("/"):
        assert "evil.invalid%2Fx" not in url_for("AuthDBView.login", next="http://evil.invalid/x")
        assert url_for("AuthDBView.login", next=path).partition("next=")[2].replace("%2F", "/")[:2] != "//"
    assert is_in(cast.login("clerk"))
