"""P03, P04, P06, P07, P08, P16, P18, P19, P28: from when and how long, what is no fact yet, and what follows a major."""

from datetime import date, timedelta

import pytest
from sqlalchemy import Date

from app.access import scope_as
from app.flows.admission_deferral import admission_deferral
from app.flows.admission_resumption import admission_resumption
from app.flows.leave import leave
from app.flows.return_ import return_
from app.jobs.daily import run_sources
from app.kit import clock
from app.kit.flow import FLOWS, let_in_late, open_case, save_draft, submit
from app.kit.flow.filling import fill
from app.kit.operation import Faulty, NotAllowed, Refused
from app.models import db
from app.operations.roster.discharge import record_discharge
from app.operations.roster.leave_terms import latest_start
from tests.conftest import TODAY
from tests.flows.conftest import ILL, LEAVE, acting

LAST = date(2027, 8, 29)  # the term after the next one begins the day after, as far as anybody knows


def opened(cast, start: date, **more):
    return acting(cast.student, lambda me: open_case(me, leave, 101, LEAVE | {"leave_from": start} | more).id)


def test_a_leave_begins_in_this_term_or_the_next(cast, cases, behind):
    with scope_as(cast.registry.scope):
        assert latest_start(TODAY, 1) == LAST
    with pytest.raises(Faulty, match="2027-08-29"):
        opened(cast, LAST + timedelta(days=1))
    with pytest.raises(Faulty, match="2027-08-29"):
        opened(cast, date(2029, 3, 1))
    opened(cast, LAST)
    behind.run("update setting set value = '0' where key = 'leave_start_terms'")
    with pytest.raises(Faulty, match="2027-02-28"):
        acting(cast.clerk, lambda me: open_case(me, leave, 102, LEAVE | {"leave_from": date(2027, 3, 1)}))


def test_a_start_in_the_past_needs_the_registrys_reason_and_is_bounded(cast, cases):
    with pytest.raises(Faulty, match="2026-09-01"):
        opened(cast, TODAY - timedelta(days=1))
    case_id = opened(cast, TODAY)
    cases.attach(case_id, "application", "id_copies")
    acting(cast.registry, let_in_late, case_id, "住院昏迷")
    with pytest.raises(Faulty, match="60"):
        acting(cast.student, save_draft, case_id, {"leave_from": TODAY - timedelta(days=61)})
    with pytest.raises(Faulty):
        acting(cast.student, save_draft, case_id, {"leave_from": date(2025, 9, 2)})
    acting(cast.student, save_draft, case_id, {"leave_from": TODAY - timedelta(days=60)})
    acting(cast.student, submit, case_id)
    for step in ("accept", "college", "affairs", "registry"):
        cases.sign(case_id, step)


def test_what_was_handed_in_on_time_is_decided_when_its_day_has_passed(cast, cases, behind):
    case_id = cases.submitted()
    with clock.on(TODAY + timedelta(days=20)):
        cases.decide("clerk", case_id, "accept", act="send_back", opinion="补正", to="applicant")
        acting(cast.student, submit, case_id)  # her own day of handing in counts


def test_a_leave_counts_from_its_first_to_its_last_day(cast, cases, behind):
    cases.at("end", values=LEAVE | {"leave_from": TODAY + timedelta(days=10), "leave_terms": 2})
    with clock.on(TODAY + timedelta(days=10)):
        run_sources(clock.today())
    (row,) = behind.rows("select effective_on, until from roster_change where code = '11' and student_id = 101")
    assert (row["until"] - row["effective_on"]).days == 351


# service


@pytest.fixture
def serving(cases):
    return cases.at("end", values=ILL | {"reason": "enlistment"})


def test_terms_are_not_asked_of_who_serves(cases, cast, behind, serving):
    (row,) = behind.rows("select until, new_status from roster_change where case_id = :id", id=serving)
    assert row == {"until": None, "new_status": "retained"}
    assert behind.one("select count(*) from legal_clock where student_id = 101") == 0
    with scope_as(cast.clerk.scope):
        assert {field.key for field in leave.fields_for(db.session.get(leave.model, serving))} >= {"evidence_date"}
    assert "leave_terms" not in {f.key for f in leave.fields if f.when is None or "enlistment" in f.when.values}


def test_two_years_run_from_the_discharge(cast, behind, serving):
    day = date(2028, 9, 1)
    for nobody in (cast.clerk, cast.student, cast.director):
        with clock.on(day), pytest.raises(NotAllowed):
            acting(nobody, record_discharge, 101, day)
    for wrong in (day + timedelta(days=1), TODAY - timedelta(days=1)):
        with clock.on(day), pytest.raises(Refused):
            acting(cast.registry, record_discharge, 101, wrong)
    with clock.on(day):
        assert acting(cast.registry, record_discharge, 101, day) == date(2030, 9, 1)
        with pytest.raises(Refused):
            acting(cast.registry, record_discharge, 101, day)
    assert behind.one("select due_on from legal_clock where kind = 'leave' and student_id = 101") == date(2030, 9, 1)
    assert behind.one("select status from student where id = 101") == "retained"
    with pytest.raises(Refused):  # nobody's place is kept for service
        acting(cast.registry, record_discharge, 102, TODAY)


def test_the_registry_records_it_on_a_page(cast, behind, serving):
    registry = cast.login("registry")
    assert "/discharge/101" in registry.get("/studentscreen/show/101").text
    assert "/discharge/102" not in registry.get("/studentscreen/show/102").text
    assert registry.get("/discharge/101").status_code == 200
    assert registry.post("/discharge/101", data={"discharged_on": "x"}).status_code == 422
    assert registry.post("/discharge/101", data={"discharged_on": "2026-09-02"}).status_code == 302
    assert behind.one("select until from roster_change where code = 'D1'") == date(2028, 9, 2)
    assert cast.login("clerk").get("/discharge/101").status_code in (302, 403)


def test_she_returns_with_the_reason_of_her_service(cases, cast, behind, serving):
    acting(cast.registry, record_discharge, 101, TODAY)
    case_id = cases.at("end", return_)
    assert behind.one("select code from roster_change where case_id = :id", id=case_id) == "17"


# windows and proofs


def test_the_week_of_the_proof_is_added_to_the_window(cast, cases):
    """A diagnosis of 5 August, handed in on 2 September while the window is open."""
    case_id = cases.submitted(values=ILL | {"evidence_date": date(2026, 8, 5)})
    assert cases.state(case_id) == ("open", "accept")
    late = cases.complete(values=ILL | {"evidence_date": date(2026, 8, 5), "leave_from": date(2026, 10, 9)},
                          student=102, by="clerk")  # fmt: skip
    with clock.on(date(2026, 10, 9)), pytest.raises(Refused, match="2026-08-12"):
        acting(cast.clerk, submit, late)


# days


DAYS = [(key, name) for key, flow in FLOWS.items() for name, column in flow.model.__mapper__.columns.items()
        if isinstance(column.type, Date) and name in {*(field.key for field in flow.fields), *flow.derived,
                                                      *(name for step in flow.steps for name in step.records)}]  # fmt: skip


@pytest.mark.parametrize(("key", "name"), DAYS)
def test_every_day_is_a_fact_or_a_plan_and_no_fact_is_to_come(cast, key, name):
    flow = FLOWS[key]
    kind = flow.model.__mapper__.columns[name].info["day"]
    assert kind in ("fact", "plan", "decision")
    if name not in {field.key for field in flow.fields}:
        return  # what a step records has a rule of its own; what is reckoned is nobody's to enter
    with scope_as(cast.registry.scope), db.session.no_autoflush:
        said = {}
        for days in (0, 1):
            case = flow.model(student_id=101, college_id=1)
            said[days] = fill(flow, case, {name: (TODAY + timedelta(days=days)).isoformat()})
    assert (str(said[1].get(name)) != str(said[0].get(name))) == (kind == "fact"), said


def test_a_death_is_not_in_the_future(walks):
    with pytest.raises(Faulty):
        walks("cancellation").draft(died_on="2027-05-01")


# classes and majors


def test_nobody_returns_into_a_higher_grade(cases, behind, on_leave):
    behind.run(
        "insert into class_group (id, code, name, grade, major_id, college_id) values (9, '01', '计科2023', 2023, 1, 1)"
    )
    case_id = cases.at("accept", return_)
    (outcome,) = cases.decide("clerk", case_id, "accept", records={"grade": 2023, "class_group_id": 9})
    assert not outcome.done and "年级高于" in str(outcome.reason)


def test_length_and_graduation_follow_the_major(walks, behind):
    behind.run("update major set study_length = 3 where id = 3")
    walk = walks("major_transfer")
    behind.run("update student set expected_graduation = '2028-06-30' where id = 101")
    case_id = walk.at("publicity")
    page = walk.cast.login("registry").get(f"/casescreen/show/{case_id}").text
    assert "4 → 3" in page and "2028-06-30 → 2027-06-30" in page
    for step in ("publicity", "document"):
        walk.sign(case_id, step)
    (student,) = behind.rows("select study_length, expected_graduation from student where id = 101")
    assert (float(student["study_length"]), student["expected_graduation"]) == (3.0, date(2027, 6, 30))
    (entry,) = behind.rows("select * from roster_change where case_id = :id", id=case_id)
    assert (float(entry["old_study_length"]), float(entry["new_study_length"])) == (4.0, 3.0)
    body = behind.one("select body from paper where case_id = :id", id=case_id)
    assert "学制4年，预计2028年6月毕业" in body and "学制3年，预计2027年6月毕业" in body


def test_within_a_major_the_students_own_length_stays(cases, behind):
    behind.run("update student set study_length = 5, expected_graduation = '2029-06-30' where id = 101")
    cases.at("end")
    (student,) = behind.rows("select study_length, expected_graduation from student where id = 101")
    assert (float(student["study_length"]), student["expected_graduation"]) == (5.0, date(2029, 6, 30))


# admissions


def freshman(behind, status: str) -> None:
    behind.run("update student set status = :s, registered = false, entry_year = 2026 where id = 101", s=status)


@pytest.mark.parametrize(("due", "until"), [(None, date(2027, 9, 30)), (date(2027, 9, 12), date(2027, 9, 12))])
def test_a_deferral_ends_when_the_next_freshmen_have_arrived(cases, cast, behind, due, until):
    freshman(behind, "admitted")
    if due:
        behind.run("insert into academic_year (year) values (2027)")
        behind.run("insert into dated_task (year, rule_id, key, occurrence, owners, students, planned_opens_on,"
                   " planned_due_on, opens_on, due_on) select 2027, id, key, 1, owners, true, :due - 6, :due, :due - 6,"
                   " :due from task_rule where key = 'freshman_checkin'", due=due)  # fmt: skip
    case_id = cases.draft(admission_deferral, {"reason": "illness", "statement": "因病"})
    assert behind.one("select deferred_until from flow_case where id = :id", id=case_id) == until
    acting(cast.student, save_draft, case_id, {"reason": "enlistment"})
    assert behind.one("select deferred_until from flow_case where id = :id", id=case_id) is None


def test_who_resumes_joins_the_cohort_that_she_asked_for(cases, behind):
    """Handed in during the arrival of 2026, signed in January 2027."""
    freshman(behind, "deferred")
    case_id = cases.submitted(admission_resumption, {"statement": "已康复"})
    with clock.on(date(2027, 1, 4)):
        cases.decide("leader", case_id, "college")
        cases.decide("admissions", case_id, "admissions")
        (outcome,) = cases.decide("registry", case_id, "registry")
        assert outcome.done, outcome.reason
    assert behind.rows("select grade, entry_year, status from student where id = 101") == [
        {"grade": 2026, "entry_year": 2026, "status": "admitted"}
    ]
