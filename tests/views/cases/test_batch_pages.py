"""The pages before a batch: every case with its facts, a selection that stays when its steps ask for different things."""

import re

import pytest

from app.flows.return_ import return_
from tests.flows.conftest import LEAVE
from tests.flows.conftest import cases as cases


@pytest.fixture
def clerk(cast):
    return cast.login("clerk")


def rowids(page) -> list[str]:
    return re.findall(r'name="rowid" value="([^"]+)"', page.text)


def test_every_case_is_named_with_what_it_applies_for(clerk, cases):
    ids = [
        cases.submitted(student=student, by="clerk", values=LEAVE | {"statement": f"理由{student}"})
        for student in (102, 103)
    ]
    page = clerk.post("/inbox/confirm", data={"rowid": [f"{one}:accept" for one in ids]})
    assert page.status_code == 200 and "理由102" in page.text and "理由103" in page.text
    assert "2026-09-02" in page.text and page.text.count("/casescreen/show/") >= 2


def test_a_selection_of_different_steps_stays_and_is_decided_part_by_part(clerk, cast, cases, behind):
    """One waits for its class, the other for nothing but a signature: each part is offered, and none of them is lost."""
    leave = cases.submitted(student=102, by="clerk")
    behind.run("update student set status = 'on_leave' where id = 103")
    behind.run("update dated_task set opens_on = '2026-01-01', due_on = '2027-12-31' where key like '%return'")
    back = cases.submitted(return_, student=103, by="clerk")
    chosen = [f"{leave}:accept", f"{back}:accept"]
    page = clerk.post("/inbox/confirm", data={"rowid": chosen})
    assert page.status_code == 200 and sorted(rowids(page)) == sorted(chosen)
    assert page.text.count('action="/inbox/confirm"') == 2
    part = clerk.post("/inbox/confirm", data={"rowid": [f"{back}:accept"]})
    assert 'name="class_group_id"' in part.text and rowids(part) == [f"{back}:accept"]
    refused = clerk.post("/inbox/decide", data={"rowid": chosen, "act": "approve"})
    assert refused.status_code == 409, "sent past the page it is refused whole"
    assert behind.one("select count(*) from case_step where state = 'done'") == 0


def test_a_batch_that_cannot_be_decided_as_it_was_sent_keeps_it(clerk, cases, behind):
    one = cases.submitted(student=102, by="clerk")
    sent = {"rowid": f"{one}:accept", "act": "send_back", "opinion": " "}
    page = clerk.post("/inbox/decide", data=sent)
    assert page.status_code == 422 and rowids(page) == [f"{one}:accept"] and "alert-danger" in page.text
    assert cases.state(one) == ("open", "accept")


def test_declarations_outside_their_window_are_told_before_anything_is_attached(clerk, behind):
    behind.run("delete from dated_task where key like '%dismissal'")
    page = clerk.get("/dismissals/").text
    assert "目前不能提交申报" in page
