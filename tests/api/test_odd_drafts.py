"""What the API may open and decide, and that the screens bear whatever it left: drafts without a reason, hidden steps."""

import pytest

from app.kit.flow import FLOWS
from tests.api.test_case_operations import by as by
from tests.flows.conftest import cases as cases
from tests.flows.conftest import walks as walks

WITH_REASON = sorted(key for key, flow in FLOWS.items() if "reason" in {field.key for field in flow.fields})


@pytest.mark.parametrize("key", WITH_REASON)
def test_no_draft_begins_without_the_reason_that_its_form_asks_for(by, behind, cast, walks, key):
    walk = walks(key)
    walk.ready()
    behind.run("update student set status = :s where id = 101", s=min(walk.flow.allowed_from))
    for values in ({}, {"statement": "x"}, {"reason": None}, {"reason": ""}):
        answer = by(walk.applicant)("POST", "", json={"flow": key, "student_id": 101, "values": values})
        assert answer.status_code == 422 and "reason" in answer.json["fields"], answer.json
    assert behind.one("select count(*) from flow_case") == 0


def test_a_draft_keeps_its_reason(by, behind, cases):
    case_id = cases.draft()
    answer = by("student")("PUT", str(case_id), json={"values": {"reason": None}})
    assert (answer.status_code, answer.json["message"] != "") == (422, True)
    assert behind.one("select reason from flow_case") == "other"
    assert by("student")("PUT", str(case_id), json={"values": {"statement": "改"}}).status_code == 200


def test_the_dismissals_show_a_draft_without_a_reason(cast, behind, walks):
    walk = walks("dismissal")
    walk.ready()
    case_id = walk.draft()
    behind.run("update flow_case set reason = null where id = :id", id=case_id)
    for who in ("clerk", "registry"):
        for path in ("/dismissals/", f"/casescreen/show/{case_id}", "/casescreen/list/"):
            assert cast.login(who).get(path).status_code == 200, (who, path)


@pytest.fixture
def other(cases):
    return cases.at("accept", student=102)


@pytest.fixture
def elsewhere(walks, other):
    """A transfer that waits for the new college: the old one sees the case, and none of what it waits for."""
    walk = walks("major_transfer")
    walk.ready()
    walk.open_window()
    return walk.at("placing")


@pytest.mark.parametrize("act", ["approve", "send_back", "refuse"])
def test_what_waits_at_another_college_is_refused_with_a_reason(by, cast, elsewhere, other, act):
    answer = by("clerk").decide((elsewhere, "placing"), (other, "accept"), act=act, opinion="不同意")
    rows = {row["id"]: row for row in answer.json["rows"]}
    assert answer.status_code == 200 and rows[other]["done"], answer.json
    assert not rows[elsewhere]["done"] and rows[elsewhere]["reason"]
    page = cast.login("clerk").post(f"/casescreen/decide/{elsewhere}",
                                    data={"act": act, "expected_step": "placing", "opinion": "不同意"})  # fmt: skip
    assert page.status_code == 409
