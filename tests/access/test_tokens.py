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


def test_a_program_logs_out_and_its_tokens_open_nothing(app: Flask, cast, behind):
    client = app.test_client(use_cookies=False)
    mine, other = (
        client.post("/api/v1/security/login", json={"username": "clerk", "password": PASSWORD, "provider": "db",
                                                    "refresh": True}).json for _n in range(2)
    )  # fmt: skip
    assert client.post("/api/v1/security/logout").status_code == 401
    assert client.get("/api/v1/security/logout").status_code == 405
    assert ask(app, mine["access_token"]).status_code == 200
    out = client.post("/api/v1/security/logout", headers={"Authorization": f"Bearer {mine['access_token']}"})
    assert out.status_code == 200 and "已退出" in out.json["message"]
    assert ask(app, mine["access_token"]).status_code == 401
    renewed = client.post("/api/v1/security/refresh", headers={"Authorization": f"Bearer {mine['refresh_token']}"})
    assert renewed.status_code == 401
    assert ask(app, other["access_token"]).status_code == 200  # the other login goes on
    assert behind.one("select count(*) from user_session where ended_at is not null") == 1
