"""A death that was recorded by mistake is put right by another entry, by two hands of the registry; nothing is deleted."""

from datetime import date, timedelta

import pytest

from app.access import scope_as
from app.kit import clock
from app.kit.flow import submit
from app.kit.operation import NotAllowed, NotFound, Refused
from app.models import RosterChange, as_of, db
from tests.conftest import TODAY
from tests.flows.walk import STUDENT


def entries(behind) -> list[dict]:
    return behind.rows("select * from roster_change where student_id = :id order by effective_on, id", id=STUDENT)


def standing(cast, day: date) -> str:
    with scope_as(cast.registry.scope):
        return db.session.scalar(as_of(day).where(RosterChange.student_id == STUDENT)).new_status


def test_the_entry_stays_and_another_refers_to_it(walks, behind, cast):
    died = walks("cancellation")
    before = died.roster()
    case_id = died.at("end")
    (wrong,) = entries(behind)[-1:]
    assert wrong["new_status"] == "cancelled" and standing(cast, TODAY) == "cancelled"
    walk = walks("correction", "enrolled")
    behind.run("update student set status = 'cancelled' where id = :id", id=STUDENT)
    with clock.on(TODAY + timedelta(days=20)):
        walk.at("end")
    assert walk.roster() == before
    assert entries(behind)[-2] == wrong  # as it was
    right = entries(behind)[-1]
    assert (right["undoes_id"], right["code"], right["new_status"]) == (wrong["id"], "17", before["status"])
    assert right["note"] == f"恢复学籍（更正：原死亡登记{wrong['document_no']}有误）"
    # she was never away; when it was found out is told by the day of recording
    assert right["effective_on"] == wrong["effective_on"] and right["recorded_at"].date() == TODAY + timedelta(days=20)
    assert standing(cast, wrong["effective_on"]) == standing(cast, TODAY) == before["status"]
    assert {row["mark"] for row in behind.rows("select mark from paper where case_id = :id", id=case_id)} == {
        "corrected"
    }
    page = cast.login("registry").get(f"/casescreen/show/{case_id}").text
    assert "登记已更正" in page and "（已更正）" in page
    assert behind.one("select count(*) from audit_entry where action = 'case:put_right' and subject_id = :id",
                      id=case_id) == 1  # fmt: skip
    assert behind.one("select count(*) from notice n join ab_user u on u.id = n.user_id where u.username = 'clerk'"
                      " and n.title_zh like '学籍已异动：更正%'") == 1  # fmt: skip


def test_a_leave_has_its_end_again(walks, behind):
    until = date(2027, 8, 31)
    walks("cancellation", "on_leave")
    behind.run("insert into roster_change (student_id, college_id, student_college_id, code, effective_on, until,"
               " new_status, new_college_id, new_major_id, new_grade, new_study_length, new_text)"
               " values (101, 1, 1, '11', '2026-03-01', :until, 'on_leave', 1, 1, 2024, 4, '{}')", until=until)  # fmt: skip
    died = walks("cancellation", "on_leave")
    died.at("end")
    walk = walks("correction", "on_leave")
    behind.run("update student set status = 'cancelled' where id = :id", id=STUDENT)
    walk.at("end")
    assert walk.roster()["status"] == "on_leave" and entries(behind)[-1]["until"] == until


def test_two_hands_of_the_registry(walks):
    walk = walks("correction")
    case_id = walk.at("registry")
    (outcome,) = walk.decide("registry", case_id, "registry")  # who proposed it
    assert not outcome.done and walk.roster()["status"] == "cancelled"
    (outcome,) = walk.decide("registry_b", case_id, "registry")
    assert outcome.done and walk.roster()["status"] == "enrolled"
    with pytest.raises(Refused, match=r"status|状态"):
        walk.draft()  # once


def test_only_the_clerk_of_her_college_asks_for_it(walks):
    walk = walks("correction")
    for who in ("student", "clerk2", "leader", "admin", "auditor"):
        with pytest.raises((NotAllowed, NotFound)):
            walk.draft(by=who)


def test_what_is_no_death_is_not_put_right(walks, behind):
    walk = walks("correction", "enrolled")
    behind.run("update student set status = 'cancelled' where id = :id", id=STUDENT)  # of which no entry tells
    case_id = walk.draft()
    walk.attach(case_id, "proof_of_mistake")
    with pytest.raises(Refused, match=r"no death|不是死亡"):
        walk.act("clerk", submit, case_id)
