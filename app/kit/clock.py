"""The clock: today and now in China. Tests and the demo set the day, so nothing else asks the machine."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from flask import current_app, has_app_context

ZONE = ZoneInfo("Asia/Shanghai")
_day: ContextVar[date | None] = ContextVar("xueji_today", default=None)


def _set_day() -> date | None:
    configured = current_app.config.get("XUEJI_TODAY") if has_app_context() else None
    return _day.get() or (date.fromisoformat(str(configured)) if configured else None)


def today() -> date:
    """The day in China, or the one that was set."""
    return _set_day() or datetime.now(ZONE).date()


def now() -> datetime:
    """The moment in China; noon when a day was set."""
    day = _set_day()
    return datetime.combine(day, time(12), ZONE) if day else datetime.now(ZONE)


@contextlib.contextmanager
def on(day: date) -> Iterator[None]:
    """Let it be `day` within the block."""
    token = _day.set(day)
    try:
        yield
    finally:
        _day.reset(token)
