"""Working days: the Chinese holiday calendar with its exchanged days, overridden by the school's own; and months."""

import calendar
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache

import holidays
from sqlalchemy import Connection, select

from app.models import CalendarDay, db

DAY = timedelta(days=1)
Overrides = Mapping[date, bool]  # day → whether it is worked


def overrides(connection: Connection | None = None) -> Overrides:
    """The days on which the school differs from the public calendar."""
    rows = (connection or db.session).execute(select(CalendarDay.day, CalendarDay.working))
    return {day: working for day, working in rows}


@lru_cache(maxsize=200)  # years; every step that opens asks for the next hundred days
def _days_of(year: int) -> tuple[frozenset[date], frozenset[date]]:
    """The holidays of a year, and the weekend days that are worked in exchange.

    The statutory holidays of any year from 1950 to 2100 are reckoned, those of the lunar calendar and the days that make
    up for a weekend too; what is exchanged is known once the State Council has said it, some weeks before the year.
    """
    public = holidays.country_holidays("CN", years=year)
    return frozenset(public), frozenset(day for day in public.weekend_workdays if day.year == year)


def exchanges_known(year: int, own: Overrides) -> bool:
    """Whether the exchanged days of a calendar year are known: published and in the library, or entered by the school."""
    return bool(_days_of(year)[1]) or any(day.year == year and worked for day, worked in own.items())


def unknown_exchanges(first: date, last: date, own: Overrides | None = None) -> list[int]:
    """The calendar years between two days whose exchanged days are not known yet."""
    known = overrides() if own is None else own
    return [year for year in range(first.year, last.year + 1) if not exchanges_known(year, known)]


def is_working_day(day: date, own: Overrides) -> bool:
    """Whether offices work on `day`. Where exchanged days are not known yet: Monday to Friday but statutory holidays."""
    if day in own:
        return own[day]
    off, worked = _days_of(day.year)
    return day in worked or (day.weekday() < 5 and day not in off)


def is_holiday(day: date, own: Overrides) -> bool:
    """Whether `day` is a holiday, or a weekend that is joined to one, and not merely a weekend."""
    return not is_working_day(day, own) and any(_meets_holiday(day, step, own) for step in (DAY, -DAY))


def _meets_holiday(day: date, step: timedelta, own: Overrides) -> bool:
    while not is_working_day(day, own):
        if day in own or day in _days_of(day.year)[0]:
            return True
        day += step
    return False


def end_of_term(day: date, own: Overrides | None = None) -> date:
    """The last day of a term set in days that would end on `day`: the next working day, if that is none (民法典 art. 203)."""
    known = overrides() if own is None else own
    while not is_working_day(day, known):
        day += DAY
    return day


def working_days_after(day: date, count: int, own: Overrides | None = None) -> list[date]:
    """The `count` working days that follow `day`, in order."""
    known = overrides() if own is None else own
    days: list[date] = []
    while len(days) < count:
        day += timedelta(days=1)
        if is_working_day(day, known):
            days.append(day)
    return days


def monday_of(day: date) -> date:
    """The Monday of the week of `day`."""
    return day - timedelta(days=day.weekday())


def months_after(day: date, months: int) -> date:
    """The same day of the month `months` later, or that month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
