"""Outside its window a form says so before anybody fills it in: since when it is closed, and when it opens again."""

from datetime import timedelta

import pytest

from app.flows.leave import leave
from tests.flows.conftest import cases as cases


@pytest.fixture
def windows(behind) -> list[tuple]:
    found = behind.rows("select distinct opens_on, due_on from dated_task where key = any(:keys) order by 1",
                        keys=list(leave.window.keys))  # fmt: skip
    return [(row["opens_on"], row["due_on"]) for row in found]


@pytest.fixture
def draft(cases) -> int:
    return cases.draft()


@pytest.fixture
def between(app, draft, windows, monkeypatch):
    """The day after the first window has closed, while another is to come."""
    (_opens, closed), (again, _closes) = windows[:2]
    assert closed + timedelta(days=1) < again
    monkeypatch.setitem(app.config, "XUEJI_TODAY", str(closed + timedelta(days=1)))
    return f"已于 {closed} 截止，下次 {again} 开始"


def test_the_form_the_draft_and_handing_in_say_the_same(cast, draft, between):
    case_id, client = draft, cast.login("student")
    form = client.get("/apply/leave/101").text
    assert between in form and "不能提交" in form
    assert between in client.get(f"/casescreen/show/{case_id}").text
    assert between in client.get(f"/casescreen/edit/{case_id}").text
    answer = client.post(f"/casescreen/decide/{case_id}", data={"act": "submit"})
    assert answer.status_code == 409 and between in answer.text


def test_within_the_window_nothing_is_said(app, cast, cases, windows, monkeypatch):
    monkeypatch.setitem(app.config, "XUEJI_TODAY", str(windows[0][0]))
    case_id, client = cases.draft(), cast.login("student")
    for path in ("/apply/leave/101", f"/casescreen/show/{case_id}", f"/casescreen/edit/{case_id}"):
        assert "截止，下次" not in client.get(path).text


def test_after_the_last_window_it_says_since_when(app, cast, cases, windows, monkeypatch):
    monkeypatch.setitem(app.config, "XUEJI_TODAY", str(windows[-1][1] + timedelta(days=1)))
    assert f"已于 {windows[-1][1]} 截止" in cast.login("student").get("/apply/leave/101").text
