"""What an entry of the ledger undoes says so wherever it is read; a revocation works back; no death before a later change."""

from datetime import date, timedelta

import pytest

from app.access import scope_as
from app.kit import clock
from app.kit.flow import submit
from app.kit.operation import Faulty, Refused
from app.models import RosterChange, as_of, db
from app.operations.proceedings.dismissals import select_candidates
from app.operations.roster.registration import not_reported
from app.workbooks.roster_changes import roster_changes
from tests.api.test_reading import ask as ask  # a reader of the API
from tests.conftest import TODAY
from tests.flows.walk import STUDENT
from tests.screens.test_exports import rows as exported

RECORDED = "insert into registration (student_id, college_id, student_college_id, year, season, state, since)" \
           " values (102, 1, 1, 2026, 'autumn', 'registered', '2026-08-31')"  # fmt: skip
COLUMNS = [column.name for column in roster_changes.columns]


def entries(behind) -> list[dict]:
    return behind.rows("select * from roster_change where student_id = :id order by id", id=STUDENT)


def standing(cast, day: date) -> str:
    with scope_as(cast.registry.scope):
        return db.session.scalar(as_of(day).where(RosterChange.student_id == STUDENT)).new_status


def test_a_revoked_dismissal_was_never_one(walks, behind, cast):
    walk = walks("appeal")
    dismissed = entries(behind)[-1]
    with clock.on(clock.today() + timedelta(days=5)):
        assert standing(cast, clock.today()) == "withdrawn"
        walk.at("told")
        restored = entries(behind)[-1]
        assert restored["undoes_id"] == dismissed["id"] and restored["effective_on"] == dismissed["effective_on"]
        assert restored["recorded_at"].astimezone(clock.ZONE).date() == clock.today() != dismissed["effective_on"]
        for days in range(6):
            assert standing(cast, dismissed["effective_on"] + timedelta(days=days)) == "enrolled"


def test_a_check_in_that_she_could_not_come_to_makes_her_no_candidate(walks, behind, cast):
    """Dismissed before the term began and restored in it, she still has some days to register."""
    term = behind.rows("select opens_on, due_on from dated_task where key = 'returning_checkin' and college_id = 1")[0]
    behind.run(RECORDED)
    behind.run("insert into roster_change (student_id, college_id, student_college_id, code, effective_on, old_status,"
               " new_status, new_college_id, new_major_id, new_grade, new_study_length, new_text, undoes_id, recorded_at)"
               " select student_id, 1, 1, '17', '2026-08-20', 'withdrawn', 'enrolled', 1, 1, 2024, 4, '{}', id, :when"
               " from roster_change where student_id = :id order by id limit 1", id=STUDENT,
               when=term["due_on"] + timedelta(days=2))  # fmt: skip
    day = term["due_on"] + timedelta(days=4)
    with clock.on(day), scope_as(cast.registry.scope):
        list(not_reported(cast.registry, day))
        found = {one.student_id for one in db.session.scalars(select_candidates(day))}
    assert STUDENT not in found and 103 in found


def test_the_undone_entry_says_so_wherever_it_is_read(walks, behind, cast, ask):
    walks("appeal").at("told")
    dismissed, restored = entries(behind)[-2:]
    number = restored["document_no"]
    registry = cast.login("registry")
    assert f"已撤销，见 {number}" in registry.get("/rosterchangescreen/list/").text
    page = registry.get(f"/studentscreen/show/{STUDENT}?tab=changes").text
    assert f"已撤销，见 {number}" in page and "未请假离校连续两周" in page and "其他" not in page
    answer = ask("registry", f"roster_change/{dismissed['id']}").json["result"]
    assert (answer["undone_by"], answer["why"]) == (number, "absence")
    _header, *rows = exported(registry.post("/rosterchangescreen/export/roster_changes", data={"columns": COLUMNS}))
    (row,) = [row for one in rows if "已撤销" in str((row := dict(zip(COLUMNS, one, strict=True)))["note"])]
    assert row["note"] == f"已撤销，见 {number}" and row["reason"] == "未请假离校连续两周"


def test_a_change_of_the_schools_own_has_a_word_and_no_code(behind, cast):
    behind.run("insert into roster_change (student_id, college_id, student_college_id, code, effective_on, new_status,"
               " new_college_id, new_major_id, new_grade, new_study_length, new_text, note)"
               " values (101, 1, 1, 'D1', '2026-08-25', 'retained', 1, 1, 2024, 4, '{}', '退役')")  # fmt: skip
    registry = cast.login("registry")
    _header, *rows = exported(registry.post("/rosterchangescreen/export/roster_changes", data={"columns": COLUMNS}))
    (row,) = [row for one in rows if (row := dict(zip(COLUMNS, one, strict=True)))["category"] == "退役"]
    assert row["code"] is None


@pytest.mark.parametrize("late", [False, True])
def test_nobody_dies_before_a_change_of_her_roster(walks, behind, late):
    walk = walks("cancellation")
    case_id = walk.draft(died_on="2026-08-20") if late else None
    behind.run("insert into roster_change (student_id, college_id, student_college_id, code, effective_on, new_status,"
               " new_college_id, new_major_id, new_grade, new_study_length, new_text)"
               " values (101, 1, 1, '12', '2026-08-25', 'enrolled', 1, 1, 2024, 4, '{}')")  # fmt: skip
    if case_id is None:
        with pytest.raises(Faulty, match=r"2026-08-25|8月25日"):
            walk.draft(died_on="2026-08-20")
        return
    walk.attach(case_id, *(material.key for material in walk.flow.materials))
    with pytest.raises(Refused, match=r"2026-08-25|8月25日"):
        walk.act("clerk", submit, case_id)


def test_a_change_after_the_death_that_came_meanwhile_stops_the_case(walks, behind):
    walk = walks("cancellation")
    case_id = walk.at("registry")
    behind.run("insert into roster_change (student_id, college_id, student_college_id, code, effective_on, new_status,"
               " new_college_id, new_major_id, new_grade, new_study_length, new_text)"
               " values (101, 1, 1, '12', '2026-08-25', 'enrolled', 1, 1, 2024, 4, '{}')")  # fmt: skip
    (outcome,) = walk.decide("registry", case_id, "registry")
    assert not outcome.done and "2026" in str(outcome.reason)


def test_the_notice_bears_the_day_of_the_death(walks, behind):
    case_id = walks("cancellation").at("end")
    body = behind.one("select body from paper where case_id = :id", id=case_id)
    assert "生效日期</th><td>2026年8月20日" in body and date(2026, 8, 20) < TODAY
