"""Documents: all the cases of one take effect together, or none of them; numbers without gaps."""

import re

import pytest

from app.kit.operation import NotAllowed, Refused
from app.papers import issue_document
from app.papers.document import preview_document
from tests.conftest import TODAY

STUDENTS = (101, 102, 103)


@pytest.fixture
def waiting(walks, behind):
    """Three dismissals that wait for their document: (walks, case ids)."""
    made = [walks("dismissal", student=student) for student in STUDENTS]
    ids = []
    for walk in made:
        ids.append(walk.at("publicity"))
    made[0].publish(*ids)
    for walk, case_id in zip(made, ids, strict=True):
        (outcome,) = walk.decide("registry", case_id, "publicity")
        assert outcome.done, outcome.reason
    return made, ids


def issue(walk, ids: list[int], title: str = "关于退学处理的决定", who: str = "registry"):
    return walk.act(who, lambda actor: issue_document(actor, ids, step="document", title=title).number)


def nothing_happened(behind) -> bool:
    counts = ("select count(*) from document", "select count(*) from roster_change where case_id is not null",
              "select count(*) from paper where kind = 'change_notice'",
              "select count(*) from student where status = 'withdrawn'")  # fmt: skip
    return [behind.one(count) for count in counts] == [0, 0, 0, 0]


def test_only_the_registry_issues(waiting, behind):
    (walk, *_others), ids = waiting
    for who in ("clerk", "leader", "director", "vp", "student", "auditor", "admin"):
        with pytest.raises(NotAllowed):
            issue(walk, ids, who=who)
        assert nothing_happened(behind), who


@pytest.mark.parametrize("title", ["长" * 81, "关于学生12等3名学生退学的决定"])
def test_a_title_that_does_not_fit_is_refused(waiting, behind, title):
    """The list begins with 学生11."""
    (walk, *_others), ids = waiting
    with pytest.raises(Refused):
        issue(walk, ids, title)
    assert nothing_happened(behind)


def test_without_a_title_it_names_whom_the_text_names(waiting, behind):
    (walk, *_others), ids = waiting
    issue(walk, ids, " ")
    (document,) = behind.rows("select title, body from document")
    assert document["title"] == "关于对学生11等3名学生作出退学处理决定的通知"
    assert "决定对学生11等3名学生" in document["body"]


# looking at it first


def preview(walk, ids: list[int], who: str = "registry", title: str = "关于退学处理的决定"):
    return walk.act(who, lambda actor: preview_document(actor, ids, step="document", title=title))


def test_looking_at_it_changes_nothing_and_shows_what_will_be_issued(waiting, behind):
    (walk, *_others), ids = waiting
    made = [preview(walk, ids) for _again in range(2)]
    assert made[0] == made[1] and nothing_happened(behind)
    assert behind.one("select count(*) from audit_entry where action = 'document:issue'") == 0
    number = walk.act("registry", lambda actor: issue_document(
        actor, ids, step="document", title="关于退学处理的决定", seen=made[0].seen).number)  # fmt: skip
    assert number == made[0].page.number
    assert behind.one("select body from document") == made[0].page.body


def test_what_was_not_looked_at_is_not_issued(waiting, behind):
    (walk, *_others), ids = waiting
    seen = preview(walk, ids).seen
    for chosen, title in ((ids[:2], "关于退学处理的决定"), (ids, "另一个标题")):
        with pytest.raises(Refused):
            walk.act("registry", issue_document, chosen, step="document", title=title, seen=seen)
    behind.run("update student set name = '改名' where id = 102")
    with pytest.raises(Refused):
        walk.act("registry", issue_document, ids, step="document", title="关于退学处理的决定", seen=seen)
    assert nothing_happened(behind)


def test_nobody_else_looks_and_what_cannot_be_issued_is_said(waiting, behind):
    (walk, *_others), ids = waiting
    for who in ("clerk", "leader", "director", "vp", "student", "auditor", "admin"):
        with pytest.raises(NotAllowed):
            preview(walk, ids, who)
    behind.run("update student set status = 'transferred_out' where id = 103")
    with pytest.raises(Refused):
        preview(walk, ids)
    assert nothing_happened(behind)


def test_the_pages_show_it_first(waiting, behind, cast):
    _walks, ids = waiting
    registry, data = cast.login("registry"), {"case": ids, "step": "document", "title": ""}
    refused = registry.post("/documents/issue", data=data)
    assert refused.status_code == 422 and nothing_happened(behind)
    page = registry.post("/documents/preview", data=data).text
    assert "〔2026〕1号" in page and "决定对学生11等3名学生" in page and nothing_happened(behind)
    said = {name: re.search(f'name="{name}" value="([^"]*)"', page)[1] for name in ("seen", "title")}
    assert cast.login("clerk").post("/documents/preview", data=data).status_code in (302, 403)
    assert registry.post("/documents/issue", data=data | said).status_code == 302
    assert behind.one("select title from document") == "关于对学生11等3名学生作出退学处理决定的通知"


@pytest.mark.parametrize("state", ["withdrawn", "refused", "sent_back"])
def test_a_withdrawn_case_in_it_stops_the_whole_and_is_named(waiting, behind, state):
    (walk, *_others), ids = waiting
    behind.run("update flow_case set state = :s, step_key = null where id = :id", s=state, id=ids[1])
    number = behind.one("select number from flow_case where id = :id", id=ids[1])
    with pytest.raises(Refused, match=number):
        issue(walk, ids)
    assert nothing_happened(behind)
    assert issue(walk, [ids[0], ids[2]]).endswith("1号")  # the refusal took no number
    assert walk.state(ids[1])[0] == state


def test_a_student_whose_roster_changed_meanwhile_stops_the_whole(waiting, behind):
    (walk, *_others), ids = waiting
    behind.run("update student set status = 'transferred_out' where id = 103")
    with pytest.raises(Refused):
        issue(walk, ids)
    assert nothing_happened(behind)


def test_an_empty_list_and_one_with_strangers_is_no_document(waiting, behind):
    (walk, *_others), ids = waiting
    for wrong in ([], [10**9], [*ids, 10**9]):
        with pytest.raises(Refused):
            issue(walk, wrong)
    assert nothing_happened(behind)


def test_the_cases_of_one_document_take_effect_together(waiting, behind, cast):
    (walk, *_others), ids = waiting
    number = issue(walk, ids)
    entries = behind.rows("select student_id, document_no, effective_on, new_status, code from roster_change"
                          " where case_id = any(:ids)", ids=ids)  # fmt: skip
    assert {entry["student_id"] for entry in entries} == set(STUDENTS) and len(entries) == 3
    assert {(entry["document_no"], entry["new_status"], entry["code"]) for entry in entries} == {
        (number, "withdrawn", "31")
    }
    assert len({entry["effective_on"] for entry in entries}) == 1 and entries[0]["effective_on"] > TODAY
    assert behind.one("select count(*) from student where status = 'withdrawn'") == 3
    (document,) = behind.rows("select * from document")
    assert (document["number"], document["cases"]) == (number, 3)
    assert all(name in document["body"] for name in ("学生11", "学生12", "学生13", "退学处理", "10日内"))
    notices = behind.rows("select body from paper where kind = 'change_notice'")
    assert len(notices) == 3 and all(number in notice["body"] for notice in notices)
    with pytest.raises(Refused):  # issued once
        issue(walk, ids)
    printed = cast.login("registry").get(f"/documents/{document['id']}/print").text
    assert number in printed and "学生13" in printed
    assert behind.one("select count(*) from audit_entry where action = 'document:print'") == 1
