"""Legal clocks: what ends on which day, counted as each rule says, listed for each 学院 and told once."""

import html
import re
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from app.access import scope_as
from app.jobs.daily import run_sources
from app.kit import clock
from app.models import LegalClock, db
from app.operations.proceedings.dismissals import record_absence
from tests.conftest import TODAY

ENTRY = """
insert into roster_change (student_id, college_id, student_college_id, code, effective_on, until, new_status,
    new_college_id, new_major_id, new_grade, new_study_length, new_text)
select id, college_id, college_id, :code, :day, :until, :status, college_id, major_id, grade, study_length, '{}'
from student where id = :id
"""


@pytest.fixture
def enter(behind):
    """`enter(101, "11", "on_leave", day, until)` writes the student's state and the entry that says until when."""

    def enter(student: int, code: str, status: str, day: date, until: date | None = None) -> None:
        behind.run("update student set status = :s where id = :id", s=status, id=student)
        behind.run(ENTRY, id=student, code=code, status=status, day=day, until=until)

    return enter


def clocks(actor) -> set[tuple[int, str, date]]:
    with scope_as(actor.scope):
        return {(one.student_id, one.kind, one.due_on) for one in db.session.scalars(select(LegalClock))}


def test_leaves_and_deferrals_end_on_their_day(cast, enter):
    enter(101, "11", "on_leave", date(2026, 3, 2), date(2026, 9, 30))
    enter(102, "19", "retained", date(2026, 3, 2), date(2028, 9, 30))
    enter(103, "14", "deferred", date(2025, 9, 1), date(2026, 10, 1))
    assert clocks(cast.clerk) == {
        (101, "leave", date(2026, 9, 30)), (102, "leave", date(2028, 9, 30)), (103, "deferral", date(2026, 10, 1)),
    }  # fmt: skip
    enter(101, "12", "enrolled", date(2026, 9, 1))
    assert (101, "leave", date(2026, 9, 30)) not in clocks(cast.clerk)


def test_the_list_of_each_college_holds_its_own(cast, enter):
    for student in (101, 201):
        enter(student, "11", "on_leave", date(2026, 3, 2), TODAY + timedelta(days=student - 95))
    ours, theirs, both = (
        cast.login(who).get("/legalclockscreen/list/").text for who in ("clerk", "clerk2", "registry")
    )
    assert "学生11" in ours and "学生21" not in ours
    assert "学生21" in theirs and "学生11" not in theirs
    assert both.index("学生11") < both.index("学生21")  # what ends first comes first
    assert "复学；逾期不复学的，作退学处理" in ours
    assert "学生11" not in cast.login("library").get("/legalclockscreen/list/", follow_redirects=True).text


def test_the_list_is_narrowed_by_day(cast, enter):
    for student, day in ((101, date(2026, 9, 10)), (102, date(2027, 9, 10))):
        enter(student, "11", "on_leave", date(2026, 3, 2), day)
    page = cast.login("clerk").get("/legalclockscreen/list/?_flt_1_due_on=2026-12-31").text
    assert "学生11" in page and "学生12" not in page
    unknown = cast.login("clerk").get("/legalclockscreen/list/?_flt_9_due_on=2026-12-31")
    assert unknown.status_code == 200 and "学生12" in unknown.text


def test_what_is_about_to_end_is_one_link_away(cast, enter):
    for student, days in ((101, 30), (102, -1), (103, 31)):
        enter(student, "11", "on_leave", date(2026, 3, 2), TODAY + timedelta(days=days))
    clerk = cast.login("clerk")
    page = clerk.get("/legalclockscreen/list/").text
    soon, over = (re.search(f'href="([^"]+)">{label}', page) for label in ("30 天内届满", "已届满"))
    soon, over = (clerk.get(html.unescape(found[1])).text for found in (soon, over))
    assert "学生11" in soon and "学生12" not in soon and "学生13" not in soon
    assert "学生12" in over and "学生11" not in over


def test_two_weeks_are_natural_days(cast, behind):
    with scope_as(cast.clerk.scope), clock.on(date(2026, 9, 28)):
        record_absence(cast.clerk, 101, date(2026, 9, 28))
    assert clocks(cast.clerk) == {(101, "absence", date(2026, 10, 12))}  # National Day counts
    behind.run("update setting set value = '7' where key = 'absence_days'")
    assert clocks(cast.clerk) == {(101, "absence", date(2026, 10, 5))}


def test_the_longest_time_of_study_counts_leaves_and_not_the_service(cast, behind, enter):
    behind.run("update student set entry_year = 2021, entry_date = '2021-09-01' where id = any('{101, 102}')")
    enter(101, "11", "on_leave", date(2022, 9, 1), date(2023, 8, 31))
    enter(101, "12", "enrolled", date(2023, 9, 1))
    enter(102, "19", "retained", date(2022, 9, 1), date(2026, 8, 31))
    enter(102, "17", "enrolled", date(2024, 9, 1))
    served = date(2024, 9, 1) - date(2022, 9, 1)
    assert clocks(cast.clerk) == {
        (101, "study", date(2027, 9, 1)), (102, "study", date(2027, 9, 1) + served),
    }  # fmt: skip
    behind.run("update setting set value = '1' where key = 'study_extra_years'")
    assert (101, "study", date(2026, 9, 1)) in clocks(cast.clerk)


def test_who_left_or_is_in_her_ordinary_time_has_no_clock(cast, behind, enter):
    behind.run("update student set entry_year = 2021, entry_date = '2021-09-01' where id = 101")
    enter(101, "31", "withdrawn", date(2026, 9, 1))
    assert clocks(cast.clerk) == set()


@pytest.mark.parametrize(("before", "told"), [(31, False), (30, True), (0, True), (-1, True), (-61, False)])
def test_it_is_told_when_it_comes_near_and_when_it_is_over(behind, enter, before, told):
    enter(101, "11", "on_leave", date(2025, 3, 3), TODAY + timedelta(days=before))
    run_sources(TODAY)
    who = behind.rows("select u.username, n.key from notice n join ab_user u on u.id = n.user_id"
                      " where n.key like 'clock:%' order by 1")  # fmt: skip
    college = ["clerk", "leader", "leader_b"] if before < 0 else ["clerk"]
    assert [row["username"] for row in who] == ([*college, "student"] if told else [])
    run_sources(TODAY)
    assert behind.one("select count(*) from notice where key like 'clock:%'") == len(who)
