"""Whatever a program or a form sends as a value is answered with a sentence and never with an error of ours; and no answer
that holds somebody's data is kept by a browser or a proxy."""

import io
import json

import pytest
from flask import Flask

from app.flows.info_change import info_change
from app.flows.leave import leave
from tests.api.test_case_operations import Caller
from tests.flows.conftest import Cases
from tests.flows.conftest import cases as cases  # the fixture of the flows' tests
from tests.rules import walk

SHAPES = [
    "!(1,2)",
    "(a:1)",
    "!(!(1))",
    "!((a:!(1)))",
    "!()",
    "()",
    "!t",
    "!n",
    "1.5",
    "''",
    "99999999999999999999",
    "-1",
]
ODD = [{"a": 1}, [1], [], {}, True, 1.5, 5, [[{"a": []}]], 10**30, "x" * 5000]
UNWRITABLE = ["\0", "因病\0", "\ud800", "张\udfff三"]


def test_conditions_of_every_shape(app: Flask, cast):
    """Every column of every API with every operation that it has."""
    browser, faults, asked = cast.login("registry"), [], 0
    for view in app.appbuilder.baseviews:  # type: ignore[attr-defined]
        if not hasattr(view, "resource_name") or not getattr(view, "search_columns", None):
            continue
        for column, kinds in view._filters.get_search_filters().items():
            for kind in dict.fromkeys(kind.arg_name for kind in kinds if kind.arg_name):
                for shape in SHAPES:
                    q = f"(filters:!((col:{column},opr:{kind},value:{shape})))"
                    answer = browser.get(f"/api/v1/{view.resource_name}/", query_string={"q": q})
                    asked += 1
                    if answer.status_code >= 500:
                        faults.append(f"{view.resource_name} {column} {kind} {shape}: {answer.status_code}")
    assert asked > 500
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("shape", ["!(1,2)", "(a:1)", "!(!(1))"])
def test_a_condition_has_one_value(cast, shape):
    q = f"(filters:!((col:student_no,opr:eq,value:{shape})))"
    answer = cast.login("registry").get("/api/v1/student/", query_string={"q": q})
    assert answer.status_code == 400 and "查询" in answer.json["message"]


@pytest.mark.parametrize("flow", [leave, info_change], ids=["leave", "info_change"])
def test_fields_of_a_draft(app: Flask, cast, cases: Cases, behind, flow):
    case_id = cases.draft(flow, {"statement": "原文"} | ({"reason": "other"} if flow is leave else {}))
    call, faults = Caller(app, "student"), []
    for field in flow.fields:
        for value in [*ODD, *UNWRITABLE]:
            answer = call(
                "PUT", str(case_id), data=json.dumps({"values": {field.key: value}}), content_type="application/json"
            )
            if answer.status_code >= 500 or (answer.status_code >= 400 and not answer.json["message"]):
                faults.append(f"{field.key} {value!r:.40}: {answer.status_code}")
            if isinstance(value, dict | list | bool) and answer.status_code == 200:
                faults.append(f"{field.key} {value!r:.40}: taken")
    assert not faults, "\n".join(faults)


def test_what_a_step_records(app: Flask, cast, cases: Cases):
    case_id, call = cases.at("registry"), Caller(app, "registry")
    for value in [*ODD, *UNWRITABLE]:
        for records in ({"originals": value}, {"meeting_id": value}, {"originals": True, "opinion": value}):
            asked = {
                "cases": [{"id": case_id, "step": "registry"}],
                "act": "refuse",
                "opinion": None,
                "records": records,
            }
            answer = call("POST", "decide", data=json.dumps(asked), content_type="application/json")
            assert answer.status_code < 500, (records, answer.text)


@pytest.mark.parametrize("text", UNWRITABLE)
def test_texts_that_cannot_be_stored(app: Flask, cast, cases: Cases, behind, text):
    """In JSON, a form, an address, a file's name: read without what nobody sees; a password, which is kept as typed, is refused."""
    case_id = cases.draft()
    call, browser = Caller(app, "student"), cast.login("student")
    for body in ({"values": {"statement": text}}, {text: 1}, {"values": [text]}, {"values": {text: "x"}}):
        answer = call("PUT", str(case_id), data=json.dumps(body), content_type="application/json")
        assert answer.status_code < 500, body
    login = json.dumps({"username": text, "password": text, "provider": "db"})
    answer = browser.post("/api/v1/security/login", data=login, content_type="application/json")
    assert answer.status_code == 422 and "password" in answer.json["message"]
    asked = json.dumps({"filters": [{"col": "number", "opr": "eq", "value": text}]})
    assert browser.get("/api/v1/case/", query_string={"q": asked}).status_code < 500
    deep = "[" * 100_000 + "]" * 100_000
    assert call("PUT", str(case_id), data=deep, content_type="application/json").status_code in (400, 422)
    if "\0" in text:  # a form and an address have no halves of characters: they come as �
        assert browser.post(f"/casescreen/edit/{case_id}", data={"statement": text}).status_code < 500
        assert browser.get("/casescreen/list/", query_string={"q": text}).status_code == 200
        file = {"file": (io.BytesIO(b"x"), f"a{text}.png")}
        assert browser.post(f"/casescreen/upload/{case_id}/application", data=file).status_code < 500
        assert browser.get(f"/casescreen/show/{case_id}%00").status_code == 404
        answer = browser.post("/login/", data={"username": "student", "password": text})
        assert answer.status_code == 422 and "无法保存的字符" in answer.text
    assert "\0" not in (behind.one("select statement from flow_case where id = :id", id=case_id) or "")


def test_nothing_personal_is_kept(app: Flask, cast, cases: Cases):
    """Pages, JSON, workbooks, papers, files, refusals: every answer but the static files."""
    case_id = cases.at("registry")
    browser, kept, kinds = cast.login("registry"), [], set()
    visits = [(visit.method, visit.path) for visit in walk.visits(app) if visit.method == "GET"]
    visits += [("GET", f"/paperscreen/application/{case_id}"), ("GET", "/api/v1/student/101"), ("GET", "/inbox/export"),
               ("POST", "/studentscreen/export/roster"), ("POST", "/studentscreen/reveal/101/phone")]  # fmt: skip
    for method, path in visits:
        answer = browser.open(path, method=method, data={"columns": ["name"]} if "export" in path else None)
        kinds.add(answer.mimetype)
        if "no-store" not in answer.headers.get("Cache-Control", ""):
            kept.append(path)
    assert not kept, kept
    assert {"text/html", "application/json"} <= kinds and any("sheet" in kind for kind in kinds)
    assert "no-store" not in browser.get("/static/css/base.css").headers["Cache-Control"]
