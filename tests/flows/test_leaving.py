"""The leaving checklist: each department ticks its own items, nobody else's; the student sees what is missing."""

import pytest

from app.kit.operation import NotAllowed, NotFound, Refused
from app.models import Case, db
from app.operations.cases.leaving import checklist, tick

ITEMS = {"library": ["图书归还", "借阅权限注销"], "finance": ["学杂费结清"]}


@pytest.fixture
def leaving(walks, behind):
    """A withdrawal whose student has to leave: (walk, case id)."""
    walk = walks("voluntary_withdrawal")
    for key, items in ITEMS.items():
        behind.run("update department set leaving_items = :items where key = :key", items=items, key=key)
    return walk, walk.at("leaving")


def missing(walk, case_id: int) -> set[str]:
    def look(_actor) -> set[str]:
        found = checklist(db.session.get(Case, case_id))
        return {item for _step, items in found for item, cleared in items if not cleared}

    return walk.act("student", look)


def signed(walk, case_id: int, who: str) -> tuple[bool, str]:
    (outcome,) = walk.decide(who, case_id, "leaving", records={})
    return outcome.done, str(outcome.reason)


def test_a_department_ticks_its_own_items_alone(leaving):
    walk, case_id = leaving
    assert missing(walk, case_id) == {"图书归还", "借阅权限注销", "学杂费结清"}
    for who in ("student", "clerk", "leader", "registry", "admin"):
        with pytest.raises((NotAllowed, NotFound)):
            walk.act(who, tick, case_id, ["图书归还"])
    with pytest.raises(Refused):
        walk.act("finance", tick, case_id, ["图书归还"])
    walk.act("library", tick, case_id, ["图书归还"])
    assert missing(walk, case_id) == {"借阅权限注销", "学杂费结清"}
    walk.act("library", tick, case_id, [])  # ticked by mistake
    assert "图书归还" in missing(walk, case_id)


def test_a_department_signs_when_all_its_items_are_ticked(leaving, behind):
    walk, case_id = leaving
    walk.act("library", tick, case_id, ["图书归还"])
    done, why = signed(walk, case_id, "library")
    assert not done and "借阅权限注销" in why and "学杂费结清" not in why
    walk.act("library", tick, case_id, ITEMS["library"])
    assert signed(walk, case_id, "library")[0]
    with pytest.raises(NotAllowed):  # what is signed stays
        walk.act("library", tick, case_id, [])
    assert walk.state(case_id) == ("open", "leaving")
    walk.act("finance", tick, case_id, ITEMS["finance"])
    assert signed(walk, case_id, "finance")[0]
    assert walk.state(case_id) == ("done", None)
    assert behind.one("select count(*) from audit_entry where action = 'leaving:tick'") == 3


def test_the_student_sees_on_her_page_what_is_missing(leaving, cast):
    walk, case_id = leaving
    walk.act("library", tick, case_id, ["图书归还"])
    student = cast.login("student").get(f"/casescreen/show/{case_id}").text
    assert all(item in student for item in ("图书归还", "借阅权限注销", "学杂费结清"))
    assert f"/casescreen/checklist/{case_id}" not in student
    assert cast.login("classmate").get(f"/casescreen/show/{case_id}").status_code == 404


def test_a_department_ticks_on_the_notice_sent_to_it(leaving, cast):
    walk, case_id = leaving
    library = cast.login("library")
    assert f"/casescreen/checklist/{case_id}" in library.get(f"/casescreen/show/{case_id}").text
    library.post(f"/casescreen/checklist/{case_id}", data={"item": ITEMS["library"]})
    assert missing(walk, case_id) == {"学杂费结清"}
    answer = library.post(f"/casescreen/checklist/{case_id}", data={"item": ["学杂费结清"]}, follow_redirects=True)
    assert answer.status_code == 200 and "alert-danger" in answer.text
    assert missing(walk, case_id) == {"学杂费结清"}


def test_items_added_later_do_not_reach_a_case_under_way(leaving, behind):
    walk, case_id = leaving
    behind.run("update department set leaving_items = '{新项目}' where key = 'library'")
    assert "新项目" not in missing(walk, case_id)
