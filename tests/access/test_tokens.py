"""Tokens of programs: what opens nothing says why, and a program logs out as a browser does."""

import pytest
from flask import Flask

from tests.cast import PASSWORD


def token(app: Flask, username: str) -> str:
    answer = app.test_client(use_cookies=False).post(
        "/api/v1/security/login", json={"username": username, "password": PASSWORD, "provider": "db"}
    )
    return answer.json["access_token"]


def ask(app: Flask, given: str | None, language: str = "zh"):
    headers = {"Accept-Language": language} | ({"Authorization": f"Bearer {given}"} if given else {})
    return app.test_client(use_cookies=False).get("/api/v1/student/", headers=headers)


def test_a_token_that_opens_nothing_says_why(app: Flask, cast, behind):
    given = token(app, "clerk")
    assert ask(app, given).status_code == 200
    behind.run("update password_state set must_change = true where user_id = :u", u=cast.clerk.user_id)
    answer = ask(app, given)
    assert answer.status_code == 403 and "自己的密码" in answer.json["message"]
    behind.run("delete from identity where user_id = :u", u=cast.clerk.user_id)  # which ends its logins
    answer = ask(app, given)
    assert answer.status_code == 401 and "重新登录" in answer.json["message"]
    answer = ask(app, token(app, "clerk"))
    assert answer.status_code == 403 and "尚无身份" in answer.json["message"]
    assert str(cast.clerk.user_id) not in answer.json["message"]


@pytest.mark.parametrize("given", [None, "", "x", "a.b.c"])
def test_what_is_no_token_is_told_where_to_get_one(app: Flask, cast, given):
    answer = ask(app, given)
    assert answer.status_code == 401 and "/api/v1/security/login" in answer.json["message"]
