"""P01, P02, P29, B9: nobody is due before she could act, a term left is settled, a return in time is no ground."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from app.access import scope_as
from app.jobs.daily import run_sources
from app.models import LegalClock, Registration, db
from app.operations.proceedings.dismissals import select_being_decided, select_candidates

ENTRY = """
insert into roster_change (student_id, college_id, student_college_id, code, effective_on, until, recorded_at, old_status,
    new_status, new_college_id, new_major_id, new_grade, new_study_length, new_text)
select id, college_id, college_id, :code, :day, :until, :day, status, :status, college_id, major_id, grade, study_length,
    '{}' from student where id = :id
"""
BEGUN, CLOSED = date(2026, 8, 31), date(2026, 9, 13)  # the check-in of autumn
BACK = date(2026, 9, 21)


@pytest.fixture
def becomes(behind):
    def becomes(student: int, code: str, status: str, day: date, until: date | None = None) -> None:
        behind.run(ENTRY, id=student, code=code, status=status, day=day, until=until)
        behind.run("update student set status = :s where id = :id", s=status, id=student)

    return becomes


@pytest.fixture
def recorded(behind):
    """The college has begun to record: student 102 is registered."""
    behind.run("insert into registration (student_id, college_id, student_college_id, year, season, state, since)"
               " values (102, 1, 1, 2026, 'autumn', 'registered', :day)", day=BEGUN)  # fmt: skip


def missing(behind) -> dict[int, date]:
    rows = behind.rows("select student_id, due_on from registration where state = 'missing'")
    return {row["student_id"]: row["due_on"] for row in rows}


def candidates(actor, today: date) -> set[tuple[int, str]]:
    with scope_as(actor.scope):
        return {(one.student_id, one.kind) for one in db.session.scalars(select_candidates(today))}


def test_who_comes_back_after_the_check_in_has_ten_working_days(cast, behind, becomes, recorded):
    becomes(101, "11", "on_leave", date(2026, 3, 2), date(2026, 9, 20))
    becomes(101, "12", "enrolled", BACK)
    run_sources(date(2026, 9, 22))
    assert 101 not in missing(behind) and missing(behind)[103] == CLOSED
    last = date(2026, 10, 12)  # ten working days, Mid-Autumn and National Day between
    run_sources(last)
    assert 101 not in missing(behind)
    run_sources(last + timedelta(days=1))
    assert missing(behind)[101] == last
    run_sources(last + timedelta(days=1))
    assert missing(behind)[101] == last  # nothing moves it back to the end of the check-in
    assert (101, "registration") in candidates(cast.clerk, last + timedelta(days=1))


def test_a_term_that_she_left_is_settled(cast, behind, becomes, recorded):
    """Deferred until 12 November, ill from 20 October, back on 9 March."""
    behind.run("insert into registration (student_id, college_id, student_college_id, year, season, state, since, due_on)"
               " values (101, 1, 1, 2026, 'autumn', 'deferred', :day, '2026-11-12')", day=BEGUN)  # fmt: skip
    assert (101, "registration") in candidates(cast.clerk, date(2026, 11, 13))
    becomes(101, "11", "on_leave", date(2026, 10, 20), date(2027, 3, 8))
    becomes(101, "12", "enrolled", date(2027, 3, 9))
    assert candidates(cast.clerk, date(2027, 3, 9)) == set()
    assert (101, "registration") not in candidates(cast.clerk, date(2027, 3, 9))


def returning(behind, state: str, day: str) -> None:
    behind.run("insert into flow_case (flow, flow_version, number, student_id, college_id, student_college_id, state,"
               " subject, opened_by, opened_by_role, submitted_at) select 'return', 1, 'F1', 101, 1, 1, :state, 'x', id,"
               " 'student', cast(:day as timestamptz) from ab_user where username = 'student'", state=state, day=day)  # fmt: skip


@pytest.mark.parametrize(
    ("state", "day", "candidate"),
    [("open", "2026-08-30 10:00+08", False), ("sent_back", "2026-08-20 10:00+08", False),
     ("open", "2026-09-01 10:00+08", True), ("refused", "2026-08-20 10:00+08", True), ("draft", "2026-08-20 10:00+08", True)],
)  # fmt: skip
def test_a_return_handed_in_in_time_is_listed_apart(cast, behind, becomes, state, day, candidate):
    today = date(2026, 9, 2)
    becomes(101, "11", "on_leave", date(2026, 3, 2), date(2026, 8, 30))
    returning(behind, state, day)
    assert ((101, "leave") in candidates(cast.clerk, today)) == candidate
    with scope_as(cast.clerk.scope):
        apart = [one.student_id for one in db.session.scalars(select_being_decided(today))]
    assert apart == ([] if candidate else [101])
    assert ("复学办理中" in cast.login("clerk").get("/dismissals/").text) != candidate


def test_no_declaration_is_drafted_while_a_return_is_decided(cast, behind, becomes):
    becomes(101, "11", "on_leave", date(2026, 3, 2), date(2026, 8, 30))
    returning(behind, "open", "2026-08-30 10:00+08")
    answer = cast.login("clerk").post("/apply/dismissal/101", data={"reason": "leave_expired", "statement": "逾期"})
    assert "不能申报退学处理" in answer.text
    assert behind.one("select count(*) from flow_case where flow = 'dismissal'") == 0


def test_the_end_of_a_leave_and_the_registrations_are_where_staff_look(cast, behind, becomes, recorded):
    becomes(102, "11", "on_leave", date(2026, 9, 1), date(2027, 8, 31))
    clerk = cast.login("clerk")
    study = clerk.get("/studentscreen/show/102?tab=study").text
    assert "2027-08-31" in study and "2026-2027" in study and "已注册" in study
    assert "2027-08-31" not in clerk.get("/studentscreen/show/103?tab=study").text
    found = clerk.get("/studentscreen/list/?_flt_1_away_until=2027-12-31").text
    assert "学生12" in found and "学生13" not in found
    assert "2027-08-31" in cast.login("classmate").get("/").text
    with scope_as(cast.clerk.scope):
        assert list(db.session.scalars(select(LegalClock.due_on))) == [date(2027, 8, 31)]
        assert len(list(db.session.scalars(select(Registration)))) == 1
