"""Working days: statutory days of any year without data, exchanged days where they are known, the school's own before both."""

from datetime import date, timedelta

import pytest

from app.kit.calendar import (
    end_of_term,
    exchanges_known,
    is_holiday,
    is_working_day,
    unknown_exchanges,
    working_days_after,
)


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        ("2026-02-14", True), ("2026-02-16", False), ("2026-02-23", False), ("2026-02-28", True),  # Spring Festival
        ("2026-09-20", True), ("2026-09-25", False), ("2026-10-07", False), ("2026-10-10", True),  # exchanged days
        ("2026-10-12", True), ("2026-10-17", False),
        # nothing is published of these years: statutory days, by the sun and the moon, with their days in lieu
        ("2027-01-01", False), ("2027-02-05", False), ("2027-02-08", False), ("2027-02-11", True), ("2027-04-05", False),
        ("2027-06-09", False), ("2027-09-15", False), ("2027-10-01", False), ("2035-02-09", False), ("2035-02-12", False),
    ],
)  # fmt: skip
def test_which_days_are_worked(day, worked):
    assert is_working_day(date.fromisoformat(day), {}) is worked


def test_the_schools_own_days_come_first():
    day = date(2027, 1, 1)
    assert is_working_day(day, {day: True}) and not is_holiday(day, {day: True})
    assert is_holiday(date(2027, 3, 3), {date(2027, 3, 3): False})


def test_a_weekend_beside_a_holiday_is_part_of_it_and_another_is_none():
    assert is_holiday(date(2026, 10, 4), {}) and is_holiday(date(2027, 4, 4), {})
    assert not is_holiday(date(2026, 9, 12), {}) and not is_holiday(date(2026, 10, 10), {})


def test_a_term_that_ends_on_a_day_off_ends_on_the_next_working_day():
    assert end_of_term(date(2026, 10, 1), {}) == date(2026, 10, 8)
    assert end_of_term(date(2026, 9, 30), {}) == date(2026, 9, 30)
    assert end_of_term(date(2026, 9, 12), {}) == date(2026, 9, 14)  # a Saturday
    assert end_of_term(date(2027, 1, 1), {}) == date(2027, 1, 4)


def test_a_year_says_whether_its_exchanged_days_are_known():
    assert exchanges_known(2026, {}) and not exchanges_known(2027, {})
    assert exchanges_known(2027, {date(2027, 1, 30): True})  # the school has entered them
    assert not exchanges_known(2027, {date(2027, 3, 3): False})
    assert unknown_exchanges(date(2026, 8, 1), date(2027, 7, 31), {}) == [2027]


def test_no_due_day_of_three_years_is_a_day_off():
    days = working_days_after(date(2026, 1, 1), 750, {})
    assert all(is_working_day(day, {}) for day in days) and days == sorted(set(days))
    assert days[0] == date(2026, 1, 4) and days[-1] > date(2028, 12, 1)
    assert date(2027, 1, 1) - timedelta(days=1) in days
