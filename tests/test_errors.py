"""Errors as a browser meets them, over the real web server."""

import http.client

from tests.flows.conftest import cases as cases  # the fixture of the flows' tests
from tests.rules.test_threads import port as port  # the fixture: gunicorn as it is served

TOO_MUCH = bytes(70 * 1024 * 1024)


def test_a_file_beyond_the_bound_gets_its_page_although_it_is_still_being_sent(port: int):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/login/", TOO_MUCH, {"Content-Type": "multipart/form-data; boundary=x"})
    answer = connection.getresponse()
    assert answer.status == 413
    page = answer.read().decode()
    assert "文件过大" in page and "最多可发送 64 MB" in page
    connection.close()


def test_a_page_that_fails_before_her_part_is_known_calls_the_reader_by_her_name(app, cast, behind, monkeypatch):
    behind.run("update ab_user set first_name = '国', last_name = '袁' where username = 'student'")
    client = cast.login("student")
    assert "国 袁" not in client.get("/nothing-of-the-kind").text
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)  # the token is looked for first of all
    monkeypatch.setitem(app.config, "MAX_CONTENT_LENGTH", 10)
    page = client.post("/inbox/confirm", data={"rowid": "1" * 100})
    assert page.status_code == 413 and "袁国" in page.text and "国 袁" not in page.text


def test_what_a_step_lacks_is_one_sentence(cast, cases):
    case_id = cases.at("registry")
    page = cast.login("registry").post(
        f"/casescreen/decide/{case_id}", data={"act": "approve", "expected_step": "registry"}, follow_redirects=True
    )
    assert "已收到材料原件 (" in page.text and "。。" not in page.text
