"""The rules of the time-table: what cannot be read, what matches nothing, and every date of 2026–2027."""

from datetime import date, timedelta

import pytest

from app.kit.calendar import is_holiday, is_working_day
from app.kit.flow import FLOWS
from app.operations.calendar.schedule import BadRule, Period, TermDates, YearDates, check_rule, follows, periods
from app.reference import FOLDER, read_table

AUTUMN, SPRING = TermDates(date(2026, 8, 31), 20), TermDates(date(2027, 3, 1), 20)
YEAR = YearDates(2026, AUTUMN, SPRING)
WEEK = timedelta(weeks=1)

# Written down from the manual's time-table and a calendar of the year. National Day is 1 to 7 October, Mid-Autumn 25 to
# 27 September, Tomb Sweeping Day 4 and 5 April: what would end in them ends on the first working day after.
DATES = """
freshman_data            2026-08-01 2026-08-31
freshman_checkin         2026-08-31 2026-09-06
returning_checkin        2026-08-31 2026-09-13
autumn_return            2026-08-31 2026-09-06
autumn_leave             2026-08-31 2026-09-13
autumn_downgrade         2026-08-31 2026-09-06
admission_deferral       2026-08-31 2026-09-06
freshman_check           2026-08-31 2026-09-13
admission_waiver         2026-08-31 2026-09-13
autumn_makeup            2026-08-31 2026-09-13
autumn_dismissal         2026-09-14 2026-09-20
student_card             2026-09-14 2026-09-20
autumn_makeup_grades     2026-09-14 2026-09-20
autumn_grade_clearing    2026-09-14 2026-09-28
base_report              2026-09-21 2026-10-08
annual_eregistration     2026-08-31 2026-09-30
freshman_eregistration   2026-08-31 2026-09-30
status_data              2026-11-01 2026-11-30
change_review            2026-12-01 2026-12-31
second_graduation        2026-12-01 2026-12-31
major_transfer           2027-01-01 2027-01-31
spring_checkin           2027-03-01 2027-03-14
spring_return            2027-03-01 2027-03-14
spring_leave             2027-03-01 2027-03-14
spring_downgrade         2027-03-01 2027-03-14
spring_makeup            2027-03-01 2027-03-14
spring_dismissal         2027-03-15 2027-03-21
spring_makeup_grades     2027-03-15 2027-03-21
spring_grade_clearing    2027-03-22 2027-04-06
graduate_photo           2027-03-01 2027-03-31
graduate_photo_check     2027-04-01 2027-04-30
top_up_admission         2027-05-01 2027-05-31
graduate_info_check      2027-06-01 2027-06-30
graduation_audit         2027-06-01 2027-06-30
certificate_making       2027-06-01 2027-06-30
certificate_handout      2027-06-01 2027-06-30
certificate_exchange     2027-06-01 2027-06-30
voluntary_withdrawal     2026-08-01 2027-07-31
cancellation             2026-08-01 2027-07-31
course_exemption         2026-08-24 2026-08-30 2027-02-22 2027-02-28
exam_deferral            2026-12-07 2026-12-13 2027-06-07 2027-06-13
deferred_grades          2026-09-21 2026-09-28 2027-03-22 2027-03-28
grade_entry              2027-01-18 2027-01-31 2027-07-19 2027-08-01
grade_change             2026-08-31 2026-09-13 2027-03-01 2027-03-14
innovation_credit        2027-04-01 2027-04-10
"""
EXPECTED = {
    key: [(opens, due) for opens, due in zip(days[::2], days[1::2], strict=True)]
    for key, *days in (line.split() for line in DATES.strip().splitlines())
}


def dated(year: YearDates) -> dict[str, list[Period]]:
    """Every rule of the reference table in a year, those that follow another task last."""
    rules = sorted(read_table(FOLDER / "task_rules.csv"), key=lambda rule: bool(follows(rule["opens"])))
    found: dict[str, list[Period]] = {}
    for rule in rules:
        found[rule["key"]] = periods(
            rule["opens"], rule["duration"], year, lambda key: found[key][0].due_on if key in found else None
        )
    return found


def one(opens: str, duration: str = "plan", year: YearDates = YEAR) -> list[tuple[str, str]]:
    """The days of a rule, with a make-up examination that ends on 13 September and 14 March."""
    ends = {"autumn_makeup": date(2026, 9, 13), "spring_makeup": date(2027, 3, 14)}
    return [(str(found.opens_on), str(found.due_on)) for found in periods(opens, duration, year, ends.get)]


# what cannot be read


@pytest.mark.parametrize(
    "opens",
    ["", " ", "autumn", "autumn:", "autumn:w", "summer:w1", "autumn:w1-", "autumn:w123", "month:x", "month:4(1)", "month:4(1-10",
     "before:", "holiday:1", "after-:w2", "after-makeup", "any:w1", "autumn:w1|", "|", "autumn:w1||spring:w1",
     "autumn:w1;drop table term", "ＡＮＹ", "autumn:w１"],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_examples(app, opens):
    with pytest.raises(BadRule, match=r"autumn:w1"):
        check_rule(opens, "5d")


@pytest.mark.parametrize("duration", ["", "5", "d", "-1d", "5y", "w", "1.5w", "soon", "9999d"])
def test_a_duration_that_cannot_be_read_is_refused(app, duration):
    with pytest.raises(BadRule, match="5d"):
        check_rule("autumn:w1", duration)


# what matches no day


@pytest.mark.parametrize(
    "opens",
    ["autumn:w0", "autumn:w21", "autumn:w20-21", "spring:w99", "autumn:w3-1", "autumn:before-w0", "autumn:before-w21",
     "month:0", "month:13", "month:2(29-30)", "month:4(10-1)", "month:4(0-3)", "month:4(5-31)", "before:0", "before:13",
     "holiday:w7", "holiday:w2-1", "holiday:w0", "after-nothing:w1", "after-makeup:w0", "autumn:w1|spring:w30"],
)  # fmt: skip
def test_what_matches_nothing_is_refused_by_its_name(app, opens):
    with pytest.raises(BadRule, match="2026-2027"):
        one(opens)


def test_weeks_of_a_term_need_a_term(app):
    with pytest.raises(BadRule, match="w3"):
        one("month:6", "w3")


# the year


def test_every_task_of_the_year_2026():
    assert {
        key: [(str(found.opens_on), str(found.due_on)) for found in given] for key, given in dated(YEAR).items()
    } == EXPECTED
    assert len(EXPECTED) == 45


def test_a_term_that_begins_a_week_later_moves_what_depends_on_it_and_nothing_else():
    later = YearDates(2026, TermDates(date(2026, 9, 7), 20), SPRING)
    moved = {key for key, given in dated(later).items() if given != dated(YEAR)[key]}
    depend = {key for key, given in dated(YEAR).items() if any(found.season == "autumn" for found in given)}
    assert moved == depend
    # before October stays due before October, the holiday begins a week later, and so do the grades
    assert dated(later)["annual_eregistration"] == [Period(date(2026, 9, 7), date(2026, 9, 30), "autumn")]
    assert dated(later)["grade_entry"][0].opens_on == date(2027, 1, 25)
    # week 3 now ends on a Sunday of Mid-Autumn, week 4 in the National Day holiday
    assert dated(later)["student_card"] == [Period(date(2026, 9, 21), date(2026, 9, 28), "autumn")]
    assert dated(later)["deferred_grades"][0] == Period(date(2026, 9, 28), date(2026, 10, 8), "autumn")


def test_every_window_of_a_flow_is_a_task_of_the_time_table(app):
    windows = {key for flow in FLOWS.values() if flow.window for key in flow.window.keys}
    assert windows and windows <= EXPECTED.keys()


# the parts


def test_the_longer_of_period_and_duration_counts():
    assert one("autumn:w1", "2w") == [("2026-08-31", "2026-09-13")]
    assert one("autumn:w1-2", "1w") == [("2026-08-31", "2026-09-13")]
    assert one("autumn:w1", "w2") == [("2026-08-31", "2026-09-13")]
    assert one("month:4", "1m") == [("2027-04-01", "2027-04-30")]
    assert one("month:4(1-10)", "10d") == [("2027-04-01", "2027-04-10")]


def test_working_days_skip_holidays_and_keep_exchanged_days():
    # 28, 29, 30 September, then the holiday of National Day until 7 October
    assert one("autumn:w5", "5d") == [("2026-09-28", "2026-10-09")]
    # ten working days from 14 September: Sunday the 20th is worked, the 25th is Mid-Autumn
    assert one("autumn:w3", "10d") == [("2026-09-14", "2026-09-24")]


def test_own_days_override_the_public_calendar():
    sports = YearDates(2026, AUTUMN, SPRING, {date(2026, 9, 18): False, date(2026, 9, 20): False})
    assert one("autumn:w3", "10d", sports) == [("2026-09-14", "2026-09-29")]
    assert one("autumn:w3", "plan", sports) == [("2026-09-14", "2026-09-21")]  # its Sunday is a holiday now
    worked = {date(2026, 10, 1): True}
    assert is_working_day(date(2026, 10, 1), worked) and not is_holiday(date(2026, 10, 1), worked)


def test_months_belong_to_the_academic_year():
    assert one("month:8")[0][0] == "2026-08-01" and one("month:7")[0][0] == "2027-07-01"


def test_a_leap_day_counts():
    leap = YearDates(2027, TermDates(date(2027, 8, 30), 20), TermDates(date(2028, 2, 28), 20))
    assert one("month:2", "plan", leap) == [("2028-02-01", "2028-02-29")]


def test_before_a_month_that_begins_before_the_term_still_leaves_a_month():
    late = YearDates(2026, TermDates(date(2026, 11, 23), 20), TermDates(date(2027, 5, 24), 20))
    assert one("before:10", "external", late) == [("2026-09-01", "2026-09-30")]
    assert one("before:4") == [("2027-03-01", "2027-03-31")]


def test_what_follows_counts_weeks_after_the_week_of_the_end():
    assert one("after-makeup:w1") == [("2026-09-14", "2026-09-20"), ("2027-03-15", "2027-03-21")]
