"""范围 bounds of ranges as people write them: 2025级, 1,000, 2026/9/1, ２０２５."""

import re
from datetime import date, datetime, time, timedelta

from app.kit import clock

WIDE = str.maketrans("０１２３４５６７８９．，－／", "0123456789.,-/")
NUMBER = re.compile(
    r"([+-]?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?)\s*(?:级|届|年|学年|月|人|分|周|行|件|个|名|天|%)?", re.ASCII
)
DAY = re.compile(r"(\d{4})(?:[-/.年]\s*(\d{1,2})(?:[-/.月]\s*(\d{1,2})\s*日?|月)?|年)?", re.ASCII)
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}", re.ASCII)
COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
MOST = 10**15


def number_of(text: str) -> float:
    """A number with or without its unit. Raises ValueError."""
    found = NUMBER.fullmatch(text.translate(WIDE).strip())
    if found is None or abs(number := float(found[1].replace(",", ""))) >= MOST:
        raise ValueError(text)
    return number


def days_of(text: str) -> tuple[date, date]:
    """The first and the last day that a text names: a day, a month or a year. Raises ValueError."""
    given = text.translate(WIDE).strip()
    found = COMPACT.fullmatch(given) or DAY.fullmatch(given)
    if found is None:
        raise ValueError(text)
    year, month, day = (int(part) if part else None for part in found.groups())
    assert year is not None  # both patterns begin with it
    if month is None:
        return date(year, 1, 1), date(year, 12, 31)
    if day is None:
        begins = date(year, month, 1)
        return begins, (begins + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return date(year, month, day), date(year, month, day)


def moment_of(text: str) -> datetime | None:
    """The very moment that a text names, of our clocks where it says no other; None for a day and for what is none."""
    if not MOMENT.match(text.strip()):
        return None
    try:
        at = datetime.fromisoformat(text.strip())
        return at.replace(tzinfo=at.tzinfo or clock.ZONE)
    except ValueError:
        return None


def begin_of(day: date) -> datetime:
    """The moment at which a day begins here."""
    return datetime.combine(day, time.min, clock.ZONE)
