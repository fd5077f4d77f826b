"""F17: what is sent when the session has ended, or is another's, waits for its writer and is sent again by her alone."""

import io
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from app.jobs.upkeep import remove_strays
from app.kit import holding
from app.views.held import UNHELD
from tests.cast import PASSWORD
from tests.flows.conftest import LEAVE
from tests.flows.conftest import cases as cases
from tests.flows.test_material import PNG

FORM = {key: str(value) for key, value in LEAVE.items()} | {"statement": "家中有事，请假一学期"}


@pytest.fixture(autouse=True)
def strict(app, monkeypatch):
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)


def token(page) -> str:
    return re.search(r'name="csrf-token" content="([^"]+)"', page.text)[1]


def log_in(client: FlaskClient, username: str, url: str = "/login/"):
    given = {"username": username, "password": PASSWORD, "csrf_token": token(client.get(url))}
    return client.post(url, data=given)


@pytest.fixture
def student(app) -> FlaskClient:
    client = app.test_client()
    log_in(client, "student")
    return client


def written(client: FlaskClient, path: str = "/apply/leave/101") -> dict[str, str]:
    """The application, filled in by who is logged in."""
    return FORM | {"csrf_token": token(client.get(path))}


def end_session(client: FlaskClient) -> None:
    client.delete_cookie("xueji")


def send_again(client: FlaskClient, url: str, follow: bool = True):
    page = client.get(url)
    action = re.search(r'<form method="post" action="([^"]+)">.*?name="held"', page.text)[1].replace("&amp;", "&")
    kept = re.search(r'name="held" value="([^"]+)"', page.text)[1]
    return client.post(action, data={"held": kept, "csrf_token": token(page)}, follow_redirects=follow)


def test_after_the_login_what_was_written_is_sent_again(student, behind):
    form = written(student)
    end_session(student)
    refused = student.post("/apply/leave/101", data=form)
    assert refused.status_code == 303 and refused.location.startswith("/login/")
    url = parse_qs(urlsplit(refused.location).query)["next"][0]
    assert "您填写的内容已保留" in student.get(refused.location).text
    assert log_in(student, "student", refused.location).location == url
    assert FORM["statement"] in student.get(url).text
    assert behind.one("select count(*) from flow_case") == 0, "nothing is sent by itself"
    assert send_again(student, url).status_code == 200
    assert behind.one("select statement from flow_case") == FORM["statement"]
    assert student.get(url).status_code == 404, "it is sent once"


def test_a_session_renewed_in_another_tab_takes_it_up(student, behind):
    form = written(student)
    end_session(student)
    log_in(student, "student")
    refused = student.post("/apply/leave/101", data=form)
    assert refused.location.startswith("/held/")
    assert "尚未提交" in student.get(refused.location).text
    send_again(student, refused.location)
    assert behind.one("select count(*) from flow_case") == 1


def test_a_file_is_kept_as_well(student, cases, behind):
    case_id = cases.draft()
    form = {"csrf_token": token(student.get(f"/casescreen/show/{case_id}")), "file": (io.BytesIO(PNG), "扫描.png")}
    end_session(student)
    url = parse_qs(urlsplit(student.post(f"/casescreen/upload/{case_id}/application", data=form).location).query)[
        "next"
    ][0]
    log_in(student, "student")
    assert "扫描.png" in student.get(url).text
    send_again(student, url)
    assert behind.rows("select file_name, size from case_material") == [{"file_name": "扫描.png", "size": len(PNG)}]


def test_nobody_else_sees_it_or_sends_it(app, student, behind):
    form = written(student)
    end_session(student)
    log_in(student, "clerk")
    refused = student.post("/apply/leave/101", data=form)
    assert refused.location.startswith("/held/"), "a form of one is never sent as another"
    assert (page := student.get(refused.location)).status_code == 404 and FORM["statement"] not in page.text
    name = refused.location.rpartition("/")[2]
    student.post("/apply/leave/101", data={"held": name, "csrf_token": token(student.get("/"))})
    student.post(f"/held/{name}/drop", data={"csrf_token": token(student.get("/"))})
    assert behind.one("select count(*) from flow_case") == 0
    owner = app.test_client()
    log_in(owner, "student")
    assert refused.location in owner.get("/").text, "its writer is told on every page"
    assert owner.get(refused.location).status_code == 200


def test_a_session_that_the_server_ended_keeps_it_too(student, behind):
    """The cookie is there still, and its token fits; the account's session is not."""
    form = written(student)
    behind.run("update ab_user set password = password || 'x' where username = 'student'")
    assert "next=" in student.post("/apply/leave/101", data=form).location


def test_what_is_refused_waits_on_and_what_is_shown_again_does_not(student, behind):
    form = written(student) | {"leave_from": "1999-13-45"}
    end_session(student)
    log_in(student, "student")
    url = student.post("/apply/leave/101", data=form).location
    answer = send_again(student, url)
    assert answer.status_code == 422 and FORM["statement"] in answer.text
    assert student.get(url).status_code == 404


def test_a_forged_form_and_a_password_are_not_kept(app, student):
    assert app.test_client().post("/apply/leave/101", data=FORM).status_code == 400
    assert app.test_client().post("/apply/leave/101", data=FORM | {"csrf_token": "x.y.z"}).status_code == 400
    form = {"csrf_token": token(student.get("/")), "password": PASSWORD, "conf_password": PASSWORD}
    end_session(student)
    student.post("/resetmypassword/form", data=form)
    kept = Path(app.config["XUEJI_FILES"], "held")
    assert PASSWORD not in "".join(one.read_text() for one in kept.rglob("form.json"))


def test_it_goes_after_a_day(app, student, cast):
    form = written(student)
    end_session(student)
    student.post("/apply/leave/101", data=form)
    (name, *_more) = holding.names(cast.student.user_id)
    place = f"held/{cast.student.user_id}/{name}"
    at = (Path(app.config["XUEJI_FILES"]) / place).stat().st_mtime
    assert place not in remove_strays(at + 23 * 3600)
    assert place in remove_strays(at + 25 * 3600)


def test_every_page_that_posts_keeps_what_was_written(app, student):
    """Also one that is added later."""
    form = {"csrf_token": token(student.get("/")), "note": "写好的话"}
    nobody, asked = app.test_client(), 0
    for rule in app.url_map.iter_rules():
        view = rule.endpoint.partition(".")[0]
        if "POST" not in rule.methods or rule.rule.startswith("/api/") or view in UNHELD:
            continue
        path = rule.build({name: 1 for name in rule.arguments}, append_unknown=False)[1]
        answer = nobody.post(path, data=form)
        assert "next=/held/" in (answer.location or "").replace("%2F", "/"), (path, answer.status_code)
        asked += 1
    assert asked > 60


def test_a_script_is_told_where_it_waits(student):
    form = {"csrf_token": token(student.get("/"))}
    end_session(student)
    answer = student.post("/casescreen/upload/1/application", data=form, headers={"Accept": "application/json"})
    assert answer.status_code == 401 and answer.json["url"].startswith("/held/")


def test_a_login_page_that_stood_open_is_opened_anew(app):
    client = app.test_client()
    form = {"username": "clerk", "password": PASSWORD, "csrf_token": token(client.get("/login/"))}
    end_session(client)
    answer = client.post("/login/?next=/inbox/", data=form)
    assert (answer.status_code, answer.location) == (303, "/login/?next=/inbox/")
    assert "页面打开时间过长" in client.get(answer.location).text
