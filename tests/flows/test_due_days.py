"""P14, P27: terms never end on a day off, and what becomes known of the calendar later moves what is not over yet."""

import re
from datetime import date, timedelta

import pytest

from app.access import scope_as
from app.jobs.daily import run_sources
from app.kit import clock
from app.kit.flow import decide, submit
from app.kit.operation import NotAllowed, Refused
from app.operations.calendar.due_days import recompute
from app.operations.proceedings.publicity import publish
from tests.flows.conftest import LEAVE, acting


def own_day(behind, day: str, working: bool = False) -> None:
    behind.run(
        "insert into calendar_day (day, working, name) values (:day, :working, '校庆')", day=day, working=working
    )


def due(behind, case_id: int) -> date:
    return behind.one("select due_on from case_step where case_id = :id and state = 'open'", id=case_id)


def test_an_open_step_follows_a_day_off_that_is_entered_later(walks, cast, behind):
    walk = walks("leave")
    case_id = walk.submitted()
    assert due(behind, case_id) == date(2026, 9, 3)
    page = cast.login("registry").post("/calendardayscreen/add", data={"day": "2026-09-03", "name": "校庆"})
    assert page.status_code == 302
    assert due(behind, case_id) == date(2026, 9, 4)
    with scope_as(cast.clerk.scope), pytest.raises(NotAllowed):
        recompute(cast.clerk, clock.today())


def test_the_daily_job_does_it_too_and_a_second_time_nothing(walks, cast, behind):
    case_id = walks("leave").submitted()
    own_day(behind, "2026-09-03")
    run_sources(clock.today())
    assert due(behind, case_id) == date(2026, 9, 4)
    with scope_as(cast.registry.scope):
        assert recompute(cast.registry, clock.today()) == 0


def test_a_list_before_the_public_is_lengthened_and_never_shortened(walks, behind):
    walk = walks("dismissal")
    case_id = walk.at("publicity")
    day = clock.today()
    closes_on = walk.act("registry", lambda actor: publish(actor, [case_id], "公示", "异议请提出").closes_on)
    own_day(behind, closes_on.isoformat())
    walk.act("registry", recompute, day)
    later = behind.one("select closes_on from publicity")
    assert later > closes_on
    behind.run("update calendar_day set working = true")
    walk.act("registry", recompute, day)
    assert behind.one("select closes_on from publicity") == later


def told_on(walks, day: date):
    walk = walks("dismissal")
    case_id = walk.at("told")
    walk.behind.run("update roster_change set effective_on = :day where case_id = :id", day=day, id=case_id)
    walk.days.enter_context(clock.on(day))
    records = {"delivered_how": "in_person", "delivered_on": day.isoformat()}
    (outcome,) = walk.act("clerk", decide, [case_id], expected_step="told", records=records)
    assert outcome.done, outcome.reason


def test_an_appeal_whose_tenth_day_is_a_holiday_may_come_on_the_next_working_day(walks, behind):
    told_on(walks, date(2026, 9, 21))  # the tenth day is National Day
    assert behind.one("select due_on from legal_clock where kind = 'appeal'") == date(2026, 10, 8)


@pytest.mark.parametrize(("day", "allowed"), [(date(2026, 10, 8), True), (date(2026, 10, 9), False)])
def test_the_last_day_to_appeal_is_that_working_day(walks, cast, behind, day, allowed):
    told_on(walks, date(2026, 9, 21))
    appeal = walks("appeal", "enrolled")
    behind.run("update student set status = 'withdrawn' where id = 101")
    case_id = appeal.draft("student")
    appeal.attach(case_id, "appeal_letter")
    with clock.on(day):
        if not allowed:
            with pytest.raises(Refused, match="2026-10-08"):
                appeal.act("student", submit, case_id)
            return
        appeal.act("student", submit, case_id)
        assert due(behind, case_id) == date(2026, 10, 23)  # fifteen natural days


def test_a_time_to_appeal_is_lengthened_by_a_day_off_that_becomes_known(walks, cast, behind):
    told_on(walks, date(2026, 9, 21))
    own_day(behind, "2026-10-08")
    with scope_as(cast.registry.scope):
        recompute(cast.registry, date(2026, 9, 22))
    assert behind.one("select due_on from legal_clock where kind = 'appeal'") == date(2026, 10, 9)


def test_the_week_of_a_proof_ends_on_a_working_day(cases, cast, behind):
    """A notice of 26 September: its week ends within National Day."""
    values = LEAVE | {"reason": "enlistment", "evidence_date": date(2026, 9, 26), "leave_from": date(2026, 10, 9)}
    with clock.on(date(2026, 9, 28)):
        case_id = cases.complete(values=values)
    with clock.on(date(2026, 10, 9)), pytest.raises(Refused, match="2026-10-08"):
        acting(cast.student, submit, case_id)
    with clock.on(date(2026, 10, 8)):
        acting(cast.student, submit, case_id)


def test_the_pages_warn_of_a_year_whose_exchanged_days_are_unknown(cast, behind):
    registry = cast.login("registry")
    for path in ("/calendar/", "/years/", "/years/2026"):
        assert re.search("2027.* 年的调休安排尚未公布", registry.get(path).text), path
    own_day(behind, "2027-01-30", working=True)
    assert "尚未公布" not in registry.get("/years/2026").text
    form = {"year": "2027", "autumn": "2027-08-30", "autumn_weeks": "20", "spring": "2028-02-28", "spring_weeks": "20"}
    answer = registry.post("/years/", data=form, follow_redirects=True)
    assert "2028 年的调休安排尚未公布" in answer.text


def test_the_registry_is_told_once_when_they_become_known(behind):
    run_sources(date(2026, 11, 10))
    assert behind.one("select count(*) from notice where key = 'exchanged:2027'") == 0
    own_day(behind, "2027-01-30", working=True)
    for _twice in range(2):
        run_sources(date(2026, 11, 10) + timedelta(days=1))
    assert behind.one("select count(*) from notice where key = 'exchanged:2027'") == 3  # of the registry
