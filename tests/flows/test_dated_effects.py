"""Decided changes count from the day that their case names: made on that day, never before, once, and looked at again."""

import json
from datetime import date, timedelta

import pytest
from sqlalchemy import event, select, text

from app.access import scope_as
from app.flows.leave import leave
from app.flows.return_ import return_
from app.flows.voluntary_withdrawal import voluntary_withdrawal
from app.jobs.daily import run_sources
from app.kit import clock
from app.kit.flow import submit
from app.kit.jobs.due import SOURCES
from app.kit.operation import NotAllowed, Refused
from app.models import DatedEffect, RosterChange, as_of, db
from app.operations.roster.dated_effects import SOURCE, annul
from tests.conftest import TODAY
from tests.flows.conftest import ILL, LEAVE, acting

START = TODAY + timedelta(days=12)  # before the window of returns is over
LATER = LEAVE | {"leave_from": START}


@pytest.fixture
def waiting(cases) -> int:
    """The student's leave from a day to come, decided, its notice with the departments."""
    return cases.at("delivery", values=LATER)


def status(behind, student: int = 101) -> str:
    return behind.one("select status from student where id = :id", id=student)


def entries(behind, case_id: int) -> list[dict]:
    return behind.rows("select * from roster_change where case_id = :id", id=case_id)


def standing(cast, day: date) -> str:
    with scope_as(cast.registry.scope):
        return db.session.scalar(as_of(day).where(RosterChange.student_id == 101)).new_status


def test_until_its_day_nothing_has_changed_but_the_notice_says_both_days(behind, waiting):
    assert status(behind) == "enrolled" and entries(behind, waiting) == []
    (effect,) = behind.rows("select state, effective_on from dated_effect where case_id = :id", id=waiting)
    assert effect == {"state": "waiting", "effective_on": START}
    body = behind.one("select body from paper where case_id = :id", id=waiting)
    assert "生效日期</th><td>2026年9月14日" in body and "登记日期</th><td>2026年9月2日" in body


def test_the_day_before_nothing_happens_and_on_its_day_the_job_makes_it_once(cast, behind, waiting):
    run_sources(START - timedelta(days=1))
    assert status(behind) == "enrolled"
    for _twice in range(2):
        with clock.on(START):
            run_sources(START)
        (entry,) = entries(behind, waiting)
        assert (entry["effective_on"], entry["recorded_at"].date(), entry["until"]) == (START, TODAY, date(2027, 8, 29))
        assert entry["recorded_by"] == cast.registry.user_id
    assert status(behind) == "on_leave"
    assert behind.one("select count(*) from paper where case_id = :id", id=waiting) == 1
    assert behind.one("select count(*) from case_event where case_id = :id and act = 'take_effect'", id=waiting) == 1
    assert behind.one("select state from dated_effect") == "applied"


def test_as_of_follows_the_day_from_which_it_counts(cast, behind, waiting):
    with clock.on(START + timedelta(days=3)):  # a worker that was stopped
        run_sources(clock.today())
    assert standing(cast, START - timedelta(days=1)) == "enrolled"
    assert standing(cast, START) == "on_leave"


def test_the_first_reader_of_the_day_sees_it_without_any_job(cast, behind, waiting):
    assert "在读" in cast.login("clerk").get("/studentscreen/show/101").text
    with clock.on(START):
        page = cast.login("clerk").get("/studentscreen/show/101").text
        assert "休学" in page.split("student-head")[1].split("</h2>")[0]
    assert len(entries(behind, waiting)) == 1


def test_a_failure_keeps_nobody_from_reading(cast, behind, waiting, monkeypatch):
    def broken(_actor, _today):
        raise RuntimeError("broken")

    monkeypatch.setitem(SOURCES, SOURCE, broken)
    with clock.on(START):
        assert cast.login("clerk").get("/studentscreen/show/101").status_code == 200
    assert entries(behind, waiting) == []


def test_old_values_are_those_of_its_day(behind, waiting):
    behind.run("update student set class_group_id = null where id = 101")
    with clock.on(START):
        run_sources(START)
    assert entries(behind, waiting)[0]["old_class_group_id"] is None


def test_what_the_roster_no_longer_allows_lapses_and_is_told(cast, behind, waiting):
    behind.run("update student set status = 'withdrawn' where id = 101")
    with clock.on(START):
        run_sources(START)
        run_sources(START)
    assert entries(behind, waiting) == [] and status(behind) == "withdrawn"
    (effect,) = behind.rows("select id, state, reason from dated_effect")
    assert effect["state"] == "lapsed" and "退学" in effect["reason"]
    assert behind.one("select state from flow_case where id = :id", id=waiting) == "refused"
    assert behind.one("select count(*) from case_step where state in ('open', 'waiting')") == 0
    told = behind.rows("select u.username from notice n join ab_user u on u.id = n.user_id"
                       " where n.key = :key order by 1", key=f"effect:{effect['id']}:lapsed")  # fmt: skip
    assert {row["username"] for row in told} == {"registry", "registry_b", "registry_c", "clerk", "student"}
    assert len(told) == 5


def test_an_entry_of_a_later_day_stops_it(behind, waiting):
    behind.run("insert into roster_change (student_id, college_id, student_college_id, code, effective_on, new_status,"
               " new_college_id, new_major_id, new_grade, new_study_length, new_text) select id, 1, 1, 'I1', :day,"
               " status, 1, 1, 2024, 4, '{}' from student where id = 101", day=START + timedelta(days=1))  # fmt: skip
    with clock.on(START + timedelta(days=1)):
        run_sources(clock.today())
    assert behind.one("select state from dated_effect") == "lapsed"


def test_one_that_lapses_keeps_no_other_from_taking_effect(cases, behind, waiting):
    other = cases.at("delivery", values=LATER, student=102)
    behind.run("update student set status = 'cancelled' where id = 101")
    with clock.on(START):
        run_sources(START)
    assert status(behind, 102) == "on_leave" and len(entries(behind, other)) == 1
    assert entries(behind, waiting) == []


def test_while_one_waits_no_other_change_is_handed_in(cases, cast, behind, waiting):
    cases.sign(waiting, "delivery")  # the departments' paperwork is done, the day has not come
    case_id = cases.draft(voluntary_withdrawal, {"statement": "另有打算"})
    cases.attach(case_id, "application", "id_copies")
    with pytest.raises(Refused, match="2026-09-14"):
        acting(cast.student, submit, case_id)
    with clock.on(START):
        run_sources(START)
        acting(cast.student, submit, case_id)


def test_the_registry_annuls_it_with_a_reason_before_its_day(cases, cast, behind, waiting):
    effect = behind.one("select id from dated_effect")
    for nobody in (cast.clerk, cast.leader, cast.student):
        with pytest.raises(NotAllowed):
            acting(nobody, annul, effect, "学生撤回")
    with pytest.raises(Refused):
        acting(cast.registry, annul, effect, " ")
    with clock.on(START), pytest.raises(Refused):
        acting(cast.registry, annul, effect, "学生撤回")
    acting(cast.registry, annul, effect, "学生撤回")
    with pytest.raises(Refused):
        acting(cast.registry, annul, effect, "学生撤回")
    assert cases.state(waiting) == ("ended", None)
    with clock.on(START):
        run_sources(START)
    assert status(behind) == "enrolled" and entries(behind, waiting) == []
    cases.submitted()  # she may apply again


def test_the_notice_of_a_change_that_never_came_is_marked_as_void(cases, cast, behind, waiting):
    paper = behind.one("select id from paper where case_id = :id", id=waiting)
    body = behind.one("select body from paper where id = :id", id=paper)

    def seen() -> list[bool]:
        student, registry, clerk = cast.login("student"), cast.login("registry"), cast.login("clerk")
        pages = [student.get(f"/paperscreen/print?id={paper}"), registry.get(f"/casescreen/show/{waiting}"),
                 student.get("/"), clerk.get(f"/paperscreen/print?id={paper}"),
                 registry.get("/paperscreen/list/")]  # fmt: skip
        assert [page.status_code for page in pages] == [200] * len(pages)
        return ["作废" in page.text for page in pages]

    assert seen() == [False] * 5
    acting(cast.registry, annul, behind.one("select id from dated_effect"), "学生撤回")
    assert seen() == [True] * 5
    assert behind.one("select body from paper where id = :id", id=paper) == body


def test_the_notice_of_one_that_lapsed_is_void_too(behind, waiting):
    behind.run("update student set status = 'withdrawn' where id = 101")
    with clock.on(START):
        run_sources(START)
    assert behind.one("select mark from paper where case_id = :id", id=waiting) == "void"


def test_the_college_to_which_she_goes_reads_what_became_of_it(cases, cast, behind, waiting):
    """Its own page of the case, as far as it sees the case at all."""
    assert cast.login("clerk2").get(f"/casescreen/show/{waiting}").status_code == 404
    for table in ("flow_case", "case_step", "case_event", "paper"):
        column = "id" if table == "flow_case" else "case_id"
        behind.run(f"update {table} set target_college_id = 2 where {column} = :id", id=waiting)
    acting(cast.registry, annul, behind.one("select id from dated_effect"), "学生撤回")
    paper = behind.one("select id from paper where case_id = :id", id=waiting)
    client = cast.login("clerk2")
    assert "作废" in client.get(f"/paperscreen/print?id={paper}").text
    page = client.get(f"/casescreen/show/{waiting}").text
    assert "学生撤回" in page and "作废" in page


def test_a_return_counts_from_its_day(cases, behind, on_leave):
    case_id = cases.at("delivery", return_, values={"return_on": START, "statement": "康复"})
    assert status(behind) == "on_leave"
    with clock.on(START):
        run_sources(START)
    assert status(behind) == "enrolled" and entries(behind, case_id)[0]["effective_on"] == START


def test_a_class_that_no_longer_fits_on_the_day_lapses(cases, behind, on_leave):
    cases.at("delivery", return_, values={"return_on": START, "statement": "康复"})
    behind.run("update class_group set major_id = 2 where id = 2")
    with clock.on(START):
        run_sources(START)
    assert status(behind) == "on_leave"
    assert behind.one("select state from dated_effect where effective_on = :day", day=START) == "lapsed"


def test_a_start_in_the_past_takes_effect_at_once_from_that_day(cases, cast, behind):
    case_id = cases.submitted(values=ILL)
    with clock.on(TODAY + timedelta(days=9)):
        for step in ("accept", "college", "affairs", "registry"):
            cases.sign(case_id, step)
    (entry,) = entries(behind, case_id)
    assert (entry["effective_on"], entry["recorded_at"].date()) == (TODAY, TODAY + timedelta(days=9))
    assert status(behind) == "on_leave" and standing(cast, TODAY) == "on_leave"


def test_a_start_before_what_came_meanwhile_is_sent_back(cases, behind):
    case_id = cases.at("registry")
    behind.run("insert into roster_change (student_id, college_id, student_college_id, code, effective_on, new_status,"
               " new_college_id, new_major_id, new_grade, new_study_length, new_text) select id, 1, 1, 'I1', :day,"
               " status, 1, 1, 2024, 4, '{}' from student where id = 101", day=TODAY + timedelta(days=1))  # fmt: skip
    with clock.on(TODAY + timedelta(days=2)):
        (outcome,) = cases.decide("registry", case_id, "registry")
    assert not outcome.done and "2026-09-03" in str(outcome.reason)


def test_a_death_counts_from_its_day(walks, behind):
    """One before a later entry is refused: test_undone.py."""
    walk = walks("cancellation")
    case_id = walk.at("end")
    assert entries(behind, case_id)[0]["effective_on"] == date(2026, 8, 20)


def test_a_thousand_take_effect_with_as_many_statements_as_ten(cast, behind, cases):
    made = json.dumps(next(step.to_json() for step in leave.steps if step.takes_effect))

    def statements(many: int, first: int) -> int:
        behind.run("insert into student (id, name, sex, birth_date, id_number, entry_year, student_no, college_id,"
                   " major_id, class_group_id, grade, status, registered) select :first + n, 'x', '1', '2006-01-01',"
                   " lpad((:first + n)::text, 18, '7'), 2024, 'E' || (:first + n), 1, 1, 1, 2024, 'enrolled', true"
                   " from generate_series(1, :many) n", first=first, many=many)  # fmt: skip
        behind.run("insert into flow_case (flow, flow_version, number, student_id, college_id, student_college_id, state,"
                   " subject, opened_by, opened_by_role, leave_from, leave_until, reason) select 'leave', 1,"
                   " 'E' || s.id, s.id, 1, 1, 'open', 'x', u.id, 'student', :day, :day + 300, 'other' from student s,"
                   " ab_user u where s.id between :first + 1 and :first + :many and u.username = 'registry'",
                   first=first, many=many, day=START)  # fmt: skip
        behind.run("insert into case_step (case_id, student_id, college_id, student_college_id, position, key, role, days,"
                   " declared, state, decided_at, signing_college_id) select id, student_id, 1, 1, 4, 'registry',"
                   " 'registry', 1, :declared, 'done', now(), 1 from flow_case where student_id between :first + 1 and"
                   " :first + :many", declared=made, first=first, many=many)  # fmt: skip
        behind.run("insert into dated_effect (case_id, student_id, college_id, student_college_id, effective_on,"
                   " recorded_by) select id, student_id, 1, 1, :day, opened_by from flow_case where student_id"
                   " between :first + 1 and :first + :many", first=first, many=many, day=START)  # fmt: skip
        seen: list[str] = []

        def count(_c, _cursor, statement, *_rest):
            seen.append(statement)

        event.listen(behind.connection, "before_cursor_execute", count)
        with clock.on(START):
            run_sources(START)
        event.remove(behind.connection, "before_cursor_execute", count)
        assert behind.one("select count(*) from student where id > :first and status = 'on_leave'", first=first) == many
        return len(seen)

    assert statements(10, 50_000) >= statements(1000, 60_000) - 2


def test_each_scope_sees_its_own(cast, behind, waiting):
    def seen(actor):
        with scope_as(actor.scope):
            return list(db.session.scalars(select(DatedEffect.case_id)))

    assert seen(cast.student) == seen(cast.clerk) == seen(cast.registry) == seen(cast.auditor) == [waiting]
    assert seen(cast.student2) == seen(cast.clerk2) == []
    with scope_as(cast.clerk.scope), pytest.raises(Exception, match="permission denied"):
        db.session.execute(text("update dated_effect set state = 'annulled'"))
