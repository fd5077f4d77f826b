"""The clock: today and now in China. Tests and the demo set the day, so nothing else asks the machine."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from flask import current_app, has_app_context

ZONE = ZoneInfo("Asia/Shanghai")
NOON = time(12)
_moment: ContextVar[datetime | None] = ContextVar("xueji_now", default=None)


def today() -> date:
    """The day in China, or the one that was set."""
    return now().date()


def now() -> datetime:
    """The moment in China, or the one that was set; noon of a day that was set alone."""
    if moment := _moment.get():
        return moment
    configured = current_app.config.get("XUEJI_TODAY") if has_app_context() else None
    return datetime.combine(date.fromisoformat(str(configured)), NOON, ZONE) if configured else datetime.now(ZONE)


@contextlib.contextmanager
def on(day: date, at: time = NOON) -> Iterator[None]:
    """Let it be that time of `day` within the block."""
    token = _moment.set(datetime.combine(day, at, ZONE))
    try:
        yield
    finally:
        _moment.reset(token)
