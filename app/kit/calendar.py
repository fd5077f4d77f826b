"""Working days: the Chinese holiday calendar with its exchanged days, overridden by the school's own; and months."""

import calendar
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache

import chinese_calendar
from sqlalchemy import Connection, select

from app.models import CalendarDay, db

Overrides = Mapping[date, bool]  # day → whether it is worked


def overrides(connection: Connection | None = None) -> Overrides:
    """The days on which the school differs from the public calendar."""
    rows = (connection or db.session).execute(select(CalendarDay.day, CalendarDay.working))
    return {day: working for day, working in rows}


def is_working_day(day: date, own: Overrides) -> bool:
    """Whether offices work on `day`. A year whose holidays are not announced yet counts Monday to Friday."""
    return own[day] if day in own else _is_working_day(day)


@lru_cache(maxsize=10_000)  # some decades; every step that opens asks for the next hundred days
def _is_working_day(day: date) -> bool:
    try:
        return chinese_calendar.is_workday(day)
    except NotImplementedError:
        return day.weekday() < 5


def is_holiday(day: date, own: Overrides) -> bool:
    """Whether `day` is a holiday, and not merely a weekend."""
    return not own[day] if day in own else day in chinese_calendar.holidays


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
