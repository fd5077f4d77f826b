"""Return: the class that fits, the effect on the roster, reporting in; ends that nobody kept."""

from datetime import date, timedelta

import pytest

from app.flows.return_ import return_
from app.jobs.daily import run_sources
from app.kit import clock
from app.kit.flow import decide, open_case, submit
from app.kit.operation import Refused
from app.models import db
from app.operations.roster.leaves import overdue_leaves
from tests.conftest import TODAY
from tests.flows.conftest import ILL, LEAVE, RETURN, acting


def test_only_who_is_on_leave_returns(cases, cast):
    with pytest.raises(Refused):
        acting(cast.student, open_case, return_, 101, RETURN)


def test_the_reason_is_the_leaves_and_asks_for_its_certificate(cases, cast, behind, on_leave):
    case_id = cases.draft(return_)
    assert behind.one("select reason from flow_case where id = :id", id=case_id) == "illness"
    cases.attach(case_id, "application", "discharge")
    with pytest.raises(Refused):
        acting(cast.student, submit, case_id)
    cases.attach(case_id, "recovery")
    acting(cast.student, submit, case_id)


def test_the_window_of_return_is_shorter(cases, cast, on_leave):
    case_id = cases.complete(return_)
    with clock.on(date(2026, 9, 7)), pytest.raises(Refused, match="2027-03-01"):
        acting(cast.student, submit, case_id)


@pytest.mark.parametrize(
    "records",
    [
        {}, {"grade": 2025}, {"class_group_id": 2}, {"grade": 2025, "class_group_id": 3},  # another college's
        {"grade": 2024, "class_group_id": 2}, {"grade": "x", "class_group_id": "y"},
        {"grade": 2025, "class_group_id": 10**12},
    ],
)  # fmt: skip
def test_a_class_that_does_not_fit_is_not_accepted(cases, cast, on_leave, records):
    case_id = cases.at("accept", return_)
    (outcome,) = cases.decide("clerk", case_id, "accept", records=records)
    assert not outcome.done and str(outcome.reason)
    assert cases.state(case_id) == ("open", "accept")


@pytest.mark.parametrize(("reason", "code"), [("illness", "12"), ("enlistment", "17")])
def test_approved_she_is_enrolled_in_her_new_class_and_reported_in(cases, cast, behind, reason, code):
    cases.at("end", values=ILL | {"reason": reason})
    behind.run("update student set expected_graduation = '2028-06-30' where id = 101")
    case_id = cases.at("delivery", return_)
    (row,) = behind.rows("select * from roster_change where case_id = :id", id=case_id)
    assert (row["code"], row["new_status"], row["new_grade"], row["new_class_group_id"]) == (code, "enrolled", 2025, 2)
    assert row["new_text"]["class_group"] == "计科2025-1班" and row["old_text"]["status"] != row["new_text"]["status"]
    (student,) = behind.rows("select status, grade, class_group_id, expected_graduation from student where id = 101")
    assert student == {
        "status": "enrolled", "grade": 2025, "class_group_id": 2, "expected_graduation": date(2029, 6, 30),
    }  # fmt: skip
    cases.sign(case_id, "delivery")
    assert cases.state(case_id) == ("open", "report_in")
    (outcome,) = cases.decide("leader", case_id, "report_in")
    assert not outcome.done
    cases.sign(case_id, "report_in")
    assert cases.state(case_id) == ("done", None)


def test_the_class_is_asked_again_when_the_change_is_made(cases, cast, behind, on_leave):
    case_id = cases.at("registry", return_)
    behind.run("update class_group set major_id = 2 where id = 2")
    (outcome,) = cases.decide("registry", case_id, "registry")
    assert not outcome.done


def test_a_batch_reports_row_by_row(cases, cast, behind):
    ids = [cases.at("college", student=student) for student in (102, 103, 104)]
    withdrawn, stranger = cases.at("college", student=105), 999_999
    behind.run("update flow_case set state = 'withdrawn' where id = :id", id=withdrawn)
    outcomes = acting(cast.leader, decide, [stranger, *reversed(ids), withdrawn, ids[0]], expected_step="college")
    assert [(outcome.case_id, outcome.done) for outcome in outcomes] == [
        *((case_id, True) for case_id in ids), (withdrawn, False), (stranger, False),
    ]  # fmt: skip
    assert all(outcome.subject and outcome.number for outcome in outcomes[:-1])


def test_nobody_is_reported_in_before_her_day(cases, cast, behind, on_leave):
    day = TODAY + timedelta(days=20)
    case_id = cases.at("report_in", return_, values=RETURN | {"return_on": day})
    due = behind.one("select due_on from case_step where case_id = :id and key = 'report_in'", id=case_id)
    assert due > day  # her days count from then, and no night moves them back
    run_sources(TODAY)
    assert behind.one("select due_on from case_step where case_id = :id and key = 'report_in'", id=case_id) == due
    (outcome,) = cases.decide("clerk", case_id, "report_in")
    assert not outcome.done and "2026" in str(outcome.reason) and "22" in str(outcome.reason)
    with clock.on(day):
        run_sources(day)
        assert cases.decide("clerk", case_id, "report_in")[0].done


def test_a_return_is_not_dated_into_the_past(cases, on_leave, cast):
    with clock.on(date(2027, 3, 2)), pytest.raises(Refused, match="2027-03-01"):
        cases.draft(return_, RETURN | {"return_on": date(2027, 3, 1)})


def test_a_leave_that_ended_unnoticed_is_overdue(cases, cast, behind):
    cases.at("end", values=LEAVE | {"leave_terms": 1})
    behind.run("update student set status = 'enrolled' where id = 102")

    def overdue(actor, day):
        return [(student.id, change.until) for student, change in db.session.execute(overdue_leaves(day))]

    assert acting(cast.registry, overdue, date(2027, 2, 28)) == []
    assert acting(cast.registry, overdue, date(2027, 3, 2)) == [(101, date(2027, 2, 28))]
    assert acting(cast.clerk2, overdue, date(2027, 3, 2)) == []
    with clock.on(date(2027, 3, 2)):
        cases.at("end", return_, values=RETURN | {"return_on": date(2027, 3, 2)})
    assert acting(cast.registry, overdue, date(2028, 3, 2)) == []
