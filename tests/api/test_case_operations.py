"""The API's operations: strangers, wrong states, bad bodies, late, twice; then a leave from its draft to the ledger."""

import io

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.cast import PASSWORD
from tests.flows.conftest import ILL, Cases
from tests.flows.conftest import cases as cases  # the fixture of the flows' tests
from tests.flows.test_material import PNG

ILLNESS = {key: value if isinstance(value, int | str) else value.isoformat() for key, value in ILL.items()}
DRAFT = {"flow": "leave", "student_id": 101, "values": ILLNESS}


class Caller:
    """A program that acts for one person by her token; without a name, for nobody."""

    def __init__(self, app: Flask, username: str | None) -> None:
        self.client: FlaskClient = app.test_client(use_cookies=False)
        self.headers = {}
        if username:
            login = {"username": username, "password": PASSWORD, "provider": "db"}
            token = self.client.post("/api/v1/security/login", json=login).json["access_token"]
            self.headers = {"Authorization": f"Bearer {token}"}

    def __call__(self, method: str, path: str, **sent: object) -> TestResponse:
        return self.client.open(f"/api/v1/case/{path}", method=method, headers=self.headers, **sent)

    def attach(self, case_id: int, kind: str, content: bytes = PNG) -> TestResponse:
        return self("POST", f"{case_id}/material/{kind}", data={"file": (io.BytesIO(content), "scan.png")})

    def decide(self, *cases: tuple[int, str], act: str = "approve", **more: object) -> TestResponse:
        asked = {"cases": [{"id": number, "step": step} for number, step in cases], "act": act}
        return self("POST", "decide", json=asked | more)


@pytest.fixture
def by(app: Flask, cast, cases: Cases):
    """`by("clerk")` calls as the clerk."""
    return lambda username=None: Caller(app, username)


# strangers


def test_nobody_without_a_token_and_a_cookie_is_none(by, cast, behind):
    browser = cast.login("student")
    for answer in (by()("POST", "", json=DRAFT), browser.post("/api/v1/case/", json=DRAFT)):
        assert answer.status_code == 401
    assert behind.one("select count(*) from flow_case") == 0


@pytest.mark.parametrize("username", ["clerk2", "classmate", "admin", "auditor", "library"])
def test_a_stranger_neither_opens_nor_changes_nor_decides(by, cases, behind, username):
    case_id, caller = cases.submitted(), by(username)
    before = behind.rows("select state, step_key, version from flow_case")
    asked = [
        caller("POST", "", json=DRAFT),
        caller("PUT", str(case_id), json={"values": {"statement": "x"}}),
        caller("POST", f"{case_id}/submit"),
        caller("POST", f"{case_id}/withdraw", json={"reason": "x"}),
        caller.attach(case_id, "diagnosis"),
    ]
    assert {answer.status_code for answer in asked} <= {403, 404}
    decided = caller.decide((case_id, "accept"))
    assert decided.status_code == 403 or [row["done"] for row in decided.json["rows"]] == [False]
    assert behind.rows("select state, step_key, version from flow_case") == before


def test_the_result_of_somebody_else_is_not_found(by, cases):
    run_id = by("clerk").decide((cases.submitted(), "accept")).json["id"]
    assert by("clerk")("GET", f"decide/{run_id}").status_code == 200
    assert by("leader")("GET", f"decide/{run_id}").status_code == 404


# wrong bodies


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"data": b"{", "content_type": "application/json"}, "JSON"),
        ({"json": [1]}, "JSON"),
        ({"json": {}}, "flow"),
        ({"json": DRAFT | {"flow": "no_such"}}, "no_such"),
        ({"json": DRAFT | {"student_id": "101"}}, "student_id"),
        ({"json": DRAFT | {"student_id": True}}, "student_id"),
        ({"json": DRAFT | {"student_id": 10**30}}, "student_id"),
        ({"json": DRAFT | {"values": [1]}}, "values"),
        ({"json": DRAFT | {"state": "done"}}, "state"),
    ],
)  # fmt: skip
def test_a_body_that_is_not_understood_says_where(by, behind, body, word):
    answer = by("student")("POST", "", **body)
    assert (answer.status_code, word in answer.json["message"]) == (422, True), answer.json
    assert behind.one("select count(*) from flow_case") == 0


@pytest.mark.parametrize(
    "values", [{"state": "done"}, {"leave_from": "yesterday"}, {"leave_terms": "many"}, {"reason": "whim"},
               {"statement": "x" * 2001}, {"leave_terms": {"a": 1}}],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_refused_whole(by, behind, values):
    answer = by("student")("POST", "", json=DRAFT | {"values": ILLNESS | values})
    assert answer.status_code == (409 if "state" in values else 422)  # no field of the form, or what none may hold
    assert answer.json["message"]
    assert list(answer.json.get("fields", {"state": ""})) == list(values)
    assert behind.one("select count(*) from flow_case") == 0


@pytest.mark.parametrize(
    "body",
    [
        {"cases": [], "act": "approve"},
        {"cases": [1], "act": "approve"},
        {"cases": [{"id": "1", "step": "accept"}], "act": "approve"},
        {"cases": [{"id": -1, "step": "accept"}], "act": "approve"},
        {"cases": [{"id": 1, "step": "accept"}], "act": "bless"},
        {"cases": [{"id": 1, "step": "accept"}], "act": "approve", "records": {"document_id": 1}},
    ],
)
def test_a_decision_that_is_not_understood_is_refused(by, body):
    answer = by("clerk")("POST", "decide", json=body)
    assert answer.status_code == 422
    assert answer.json["message"]


def test_a_file_is_known_by_its_content(by, cases):
    case_id, student = cases.draft(), by("student")
    assert student("POST", f"{case_id}/material/diagnosis").status_code == 422
    assert student.attach(case_id, "diagnosis", b"MZ" + bytes(60)).status_code == 409
    assert student.attach(case_id, "love_letter").status_code == 409
    assert student.attach(case_id, "diagnosis", PNG + bytes(1 << 20)).status_code == 413


# wrong states


def test_too_early_too_late_twice(by, cases, behind):
    student = by("student")
    opened = student("POST", "", json=DRAFT)
    assert opened.status_code == 201
    case_id = opened.json["id"]
    assert student("POST", "", json=DRAFT).status_code == 409  # she has one already
    missing = student("POST", f"{case_id}/submit")
    assert missing.status_code == 409
    assert missing.json["message"]
    assert student("POST", f"{case_id}/withdraw", json={}).status_code == 200
    assert student("POST", f"{case_id}/withdraw", json={}).status_code == 409
    assert student("PUT", str(case_id), json={"values": {}}).status_code == 409
    case_id = cases.submitted()
    (wrong,) = by("leader").decide((case_id, "accept")).json["rows"]
    assert not wrong["done"]
    (early,) = by("leader").decide((case_id, "college")).json["rows"]
    assert not early["done"]
    clerk = by("clerk")
    assert [clerk.decide((case_id, "accept")).json["decided"] for _time in range(2)] == [1, 0]


def test_a_refusal_needs_its_reason(by, cases):
    case_id = cases.submitted()
    assert by("clerk").decide((case_id, "accept"), act="refuse").status_code == 409
    assert by("clerk").decide((case_id, "accept"), act="refuse", opinion="材料不实").json["decided"] == 1


# success


def test_a_leave_from_its_draft_to_the_ledger(by, behind):
    student = by("student")
    case_id = student("POST", "", json=DRAFT | {"values": {"reason": "illness"}}).json["id"]
    assert student("PUT", str(case_id), json={"values": ILLNESS}).status_code == 200
    wrong = student.attach(case_id, "application").json["id"]
    assert student("DELETE", f"material/{wrong}").status_code == 200
    for kind in ("application", "id_copies", "diagnosis"):
        assert student.attach(case_id, kind).status_code == 201
    assert student("POST", f"{case_id}/submit").json["step_key"] == "accept"
    for who, step in (("clerk", "accept"), ("leader", "college"), ("director", "affairs")):
        assert by(who).decide((case_id, step)).json["decided"] == 1
    registry = by("registry")
    (row,) = registry.decide((case_id, "registry")).json["rows"]
    assert not row["done"]
    assert registry.decide((case_id, "registry"), records={"originals": True}).json["decided"] == 1
    assert behind.one("select status from student where id = 101") == "on_leave"
    assert behind.one("select count(*) from roster_change where case_id = :id", id=case_id) == 1
    shown = registry("GET", str(case_id)).json["result"]
    assert shown["step_key"] == "delivery"


def test_many_are_a_job(by, cases, behind):
    first, second = cases.submitted(), cases.submitted(by="clerk", student=102)
    behind.run("insert into setting (key, kind, value, title_zh, title_en) values"
               " ('batch_job_rows', 'integer', '1', '', '') on conflict (key) do update set value = '1'")  # fmt: skip
    answer = by("clerk").decide((first, "accept"), (second, "accept"))
    assert (answer.status_code, answer.json["state"]) == (202, "queued")
    assert answer.json["url"].endswith(f"/decide/{answer.json['id']}")
    assert behind.one("select count(*) from job_run where kind = 'decide'") == 1


def test_every_operation_is_documented(by, app):
    paths = by("student").client.get("/api/v1/_openapi", headers=by("student").headers).json["paths"]
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("CaseOperationApi."):
            path = rule.rule.replace("<int:", "{").replace("<", "{").replace(">", "}")
            described = paths[path][next(iter(rule.methods - {"HEAD", "OPTIONS"})).lower()]
            assert described["responses"].keys() & {"200", "201"}, path


def test_more_cases_than_a_statement_takes_parameters_are_decided(by, behind):
    """PostgreSQL takes 65,535 parameters of one statement; a batch may have 100,000 cases."""
    asked = [(number, "accept") for number in range(1, 70_001)]
    answer = by("clerk").decide(*asked)
    assert answer.status_code == 202
    assert behind.one("select jsonb_array_length(params->'steps'->'accept') from job_run") == 70_000


def test_the_page_before_such_a_batch_opens(cast):
    rows = [f"{number}:accept" for number in range(1, 70_001)]
    answer = cast.login("clerk").post("/inbox/confirm", data={"rowid": rows})
    assert answer.status_code == 200 and "70000" not in answer.text.partition("<main")[0]
