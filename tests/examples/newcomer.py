"""Run by test_readme.py in a copy of the product that has what the README adds: the table, the flow, the workbook."""

import io

import openpyxl
import pytest

from app.kit.flow import FLOWS, decide, submit
from tests.flows.conftest import Cases, acting
from tests.flows.conftest import cases as cases  # the fixture of the flows' tests
from tests.rules.test_schema import (  # noqa: F401 - they hold for the additions as well
    owner,
    test_every_table_has_a_policy_or_is_listed_public,
    test_migrated_schema_equals_the_models,
)

FLOW = "status_certificate"


def test_a_stranger_reads_no_prizes_and_adds_none(cast, behind):
    for name in ("student", "library"):
        answer = cast.login(name).post("/prizescreen/add", data={"name": "国家奖学金"})
        assert answer.status_code in (302, 403)
    assert behind.one("select count(*) from prize") == 0


def test_prizes_are_added_listed_and_exported(cast, behind):
    registry = cast.login("registry")
    for name in ("国家奖学金", "校长奖", "校长奖"):
        registry.post("/prizescreen/add", data={"name": name})
    assert behind.one("select count(*) from prize") == 2  # the second of one name was refused
    page = registry.get("/prizescreen/list/?q=").text
    assert "国家奖学金" in page and "奖项" in page
    sent = registry.post("/prizescreen/export/prizes", data={"columns": ["name"]})
    sheet = openpyxl.load_workbook(io.BytesIO(sent.data)).worksheets[0]
    assert [row[0] for row in sheet.iter_rows(values_only=True)] == ["奖项", "国家奖学金", "校长奖"]
    assert behind.one("select count(*) from audit_entry where action = 'prize.add'") == 2


def test_the_flow_is_offered_and_walked_to_its_end(cases: Cases, cast, behind):
    assert "在读证明" in cast.login("student").get("/apply/").text
    case_id = cases.draft(FLOWS[FLOW], {"statement": "办理签证"})
    with pytest.raises(Exception, match="身份证"):
        acting(cast.student, submit, case_id)
    cases.attach(case_id, "id_card")
    acting(cast.student, submit, case_id)
    (wrong,) = acting(cast.clerk2, decide, [case_id], expected_step="accept")
    assert not wrong.done
    for step in ("accept", "college", "registry"):
        cases.sign(case_id, step)
    assert cases.state(case_id) == ("done", None)
    assert "已完成" in cast.login("student").get(f"/casescreen/show/{case_id}").text
