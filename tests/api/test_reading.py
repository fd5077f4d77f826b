"""Reading over the API: the same rows as on the screens, called by the same words, refused in the same language."""

import pytest
from flask import Flask

from app.views import DOMAINS
from tests.cast import PASSWORD


@pytest.fixture
def ask(app: Flask):
    """`ask("clerk", "student/?q=…")` reads as the clerk."""

    def get(username: str, path: str, language: str = "zh"):
        client = app.test_client(use_cookies=False)
        login = {"username": username, "password": PASSWORD, "provider": "db"}
        token = client.post("/api/v1/security/login", json=login).json["access_token"]
        headers = {"Authorization": f"Bearer {token}", "Accept-Language": language}
        return client.get(f"/api/v1/{path}", headers=headers)

    return get


READ = [api.resource_name for domain in DOMAINS for api in domain.APIS if hasattr(api, "list_columns")]


@pytest.mark.parametrize("resource", READ)
def test_every_list_is_read_and_its_columns_have_labels(ask, resource):
    answer = ask("registry", f"{resource}/")
    assert answer.status_code == 200
    columns = set(answer.json["list_columns"]) - {"id"}
    assert columns <= answer.json["label_columns"].keys()
    assert not [word for name, word in answer.json["label_columns"].items() if word.isascii() and name != "id"]
    facts = ask("registry", f"{resource}/_info").json
    assert "Project-Id-Version" not in str(facts)
    assert facts["add_columns"] == facts["edit_columns"] == []


def test_a_clerk_reads_her_own(ask):
    assert {row["id"] for row in ask("clerk", "student/").json["result"]} == {101, 102, 103, 104, 105, 106}
    assert ask("clerk", "student/?q=(filters:!((col:class_group,opr:rel_o_m,value:3)))").json["count"] == 0
    assert ask("clerk2", "student/?q=(filters:!((col:class_group,opr:rel_o_m,value:3)))").json["count"] == 6
    assert ask("clerk", "case/?q=(filters:!((col:flow,opr:eq,value:leave)))").json["count"] == 0


def test_a_refusal_is_a_sentence(ask):
    missing = ask("clerk", "student/201")
    assert (missing.status_code, missing.json["message"]) == (404, "没有这条记录，或不在您的管理范围内。")
    closed = ask("clerk", "setting/")
    assert closed.status_code == 403 and "学籍中心" in closed.json["message"]
    wrong = ask("clerk", "student/?q=(filters:!((col:id_number,opr:eq,value:x)))")
    assert (wrong.status_code, wrong.json["message"]) == (400, "“id_number”没有“eq”这种条件。")
    for query in ("(page:x)", "(order_column:password,order_direction:asc)"):
        unread = ask("clerk", f"student/?q={query}")
        assert unread.status_code == 400 and unread.json["message"].startswith("无法理解此查询"), query


def test_a_wrong_login_is_told_in_the_readers_language(app):
    login = {"username": "clerk", "password": "wrong", "provider": "db"}
    answer = app.test_client(use_cookies=False).post("/api/v1/security/login", json=login)
    assert (answer.status_code, answer.json["message"]) == (401, "用户名或密码不正确。")
