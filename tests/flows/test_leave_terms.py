"""A leave ends with its last term: by the calendar, by an estimate where it does not know yet, and anew when it does."""

from datetime import date

import pytest

from app.jobs.daily import run_sources
from app.kit import clock
from app.kit.operation import Faulty
from app.operations.calendar.schedule import TermDates
from app.operations.calendar.terms import move_terms, open_year
from app.operations.roster.leave_terms import end_of_leave
from tests.conftest import TODAY
from tests.flows.conftest import LEAVE, acting

AUTUMN, SPRING, NEXT = date(2026, 8, 31), date(2027, 3, 1), date(2027, 9, 6)
KNOWN = {AUTUMN: 20, SPRING: 20}
LATER = TermDates(NEXT, 20), TermDates(date(2028, 2, 28), 20)


@pytest.mark.parametrize(
    ("begins", "terms", "last"),
    [
        (date(2026, 9, 2), 1, (date(2027, 2, 28), False)),  # the holiday after the term is its own
        (date(2026, 12, 1), 1, (date(2027, 2, 28), False)),
        (date(2026, 9, 2), 2, (date(2027, 8, 29), True)),
        (date(2027, 1, 20), 1, (date(2027, 8, 29), True)),  # in the holiday: the term that follows
        (date(2027, 3, 1), 1, (date(2027, 8, 29), True)),
        (date(2026, 7, 20), 1, (date(2027, 2, 28), False)),  # in the summer before all that the calendar knows
    ],
)
def test_the_last_day_of_its_last_term(begins, terms, last):
    assert end_of_leave(begins, terms, KNOWN) == last


def test_without_any_term_half_a_year_is_one():
    assert end_of_leave(date(2026, 9, 2), 2, {}) == (date(2027, 8, 31), True)


def test_the_page_and_the_notice_say_that_it_is_an_estimate(cases, cast, behind):
    case_id = cases.at("end")
    said = cast.login("student").get(f"/casescreen/show/{case_id}").text
    assert "其后一学期的校历尚未录入" in said
    assert "2027年8月29日（预计，以校历为准）" in behind.one("select body from paper where case_id = :id", id=case_id)


def test_an_end_that_is_known_is_said_without_doubt(cases, cast, behind):
    case_id = cases.at("end", values=LEAVE | {"leave_terms": 1})
    assert "校历尚未录入" not in cast.login("student").get(f"/casescreen/show/{case_id}").text
    assert "（预计" not in behind.one("select body from paper where case_id = :id", id=case_id)


def ends(behind, case_id: int) -> tuple:
    return (behind.one("select leave_until from flow_case where id = :id", id=case_id),
            behind.one("select until from roster_change where case_id = :id", id=case_id))  # fmt: skip


def told(behind) -> list[str]:
    return [row["username"] for row in behind.rows("select u.username from notice n join ab_user u on u.id = n.user_id"
                                                   " where n.key like 'leave_until:%' order by 1")]  # fmt: skip


def test_the_end_follows_when_the_term_is_entered_and_is_told_once(cases, cast, behind):
    case_id, draft = cases.at("end"), cases.draft(student=102, by="clerk")
    old_rule = cases.at("end", student=103)
    behind.run("update flow_case set until_estimated = null where id = :id", id=old_rule)
    run_sources(TODAY)
    assert ends(behind, case_id) == (date(2027, 8, 29),) * 2 and told(behind) == []
    acting(cast.registry, open_year, 2027, *LATER)
    for _twice in range(2):
        run_sources(TODAY)
    assert ends(behind, case_id) == (date(2027, 9, 5),) * 2
    assert behind.one("select leave_until from flow_case where id = :id", id=draft) == date(2027, 9, 5)
    assert ends(behind, old_rule) == (date(2027, 8, 29),) * 2  # what ends on a day of its own stays
    assert told(behind) == ["clerk", "student"]  # of what was handed in
    assert behind.one("select count(*) from audit_entry where action = 'leave:follow_calendar'") == 2
    acting(cast.registry, move_terms, 2027, TermDates(date(2027, 9, 13), 20), LATER[1], "推迟开学", accept_outside=True)
    run_sources(TODAY)
    assert ends(behind, case_id) == (date(2027, 9, 12),) * 2


def test_a_leave_that_is_over_stays(cases, cast, behind):
    """She is back: neither case nor ledger is touched, and nobody is told."""
    case_id = cases.at("end")
    behind.run("update student set status = 'enrolled' where id = 101")
    acting(cast.registry, open_year, 2027, *LATER)
    run_sources(TODAY)
    assert ends(behind, case_id) == (date(2027, 8, 29),) * 2 and told(behind) == []


def test_the_limit_counts_from_the_first_to_the_last_day(cases):
    """P03: two terms and the holiday before them are more than a year."""
    with clock.on(date(2027, 1, 20)):
        with pytest.raises(Faulty, match="13"):
            cases.draft(values=LEAVE | {"leave_from": date(2027, 1, 20)})
        cases.draft(values=LEAVE | {"leave_from": date(2027, 3, 1)})
