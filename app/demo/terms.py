"""校历 the demo's calendar: the term began last Monday, so that leave and return are open whenever it is tried."""

from datetime import date, timedelta

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from app.demo.people import monday_of
from app.models import FlowWindow, Season, Term

TERM_WEEKS = 26  # from one term's first Monday to the next one's
# Days after the first Monday on which a window opens and closes, as the manual's time-table has them.
WINDOWS = {
    Season.AUTUMN: {"autumn_leave": (0, 13), "autumn_return": (0, 6)},
    Season.SPRING: {"spring_leave": (0, 13), "spring_return": (0, 13)},
}


def current_term(today: date) -> tuple[int, Season]:
    """The year in which the academic year of `today` began, and its season: autumn is August to January."""
    if 2 <= today.month <= 7:
        return today.year - 1, Season.SPRING
    return (today.year if today.month >= 8 else today.year - 1), Season.AUTUMN


def open_terms(connection: Connection, today: date) -> bool:
    """Make the current term and the next one with their windows. False where the windows are open already."""
    year, season = current_term(today)
    opened = select(FlowWindow.key).where(FlowWindow.opens_on <= today, FlowWindow.closes_on >= today)
    if WINDOWS[season].keys() <= set(connection.scalars(opened)):
        return False
    monday = monday_of(today)
    following = (year, Season.SPRING) if season is Season.AUTUMN else (year + 1, Season.AUTUMN)
    _put_term(connection, year, season, monday)
    _put_term(connection, *following, monday + timedelta(weeks=TERM_WEEKS))
    return True


def _put_term(connection: Connection, year: int, season: Season, monday: date) -> None:
    term = insert(Term).values(year=year, season=season.value, first_monday=monday)
    term = term.on_conflict_do_update(index_elements=["year", "season"], set_={"first_monday": monday})
    term_id = connection.scalar(term.returning(Term.id))
    rows = [
        {
            "key": key, "term_id": term_id, "opens_on": monday + timedelta(days=opens),
            "closes_on": monday + timedelta(days=closes),
        }
        for key, (opens, closes) in WINDOWS[season].items()
    ]  # fmt: skip
    window = insert(FlowWindow)
    dates = {name: window.excluded[name] for name in ("opens_on", "closes_on")}
    connection.execute(window.on_conflict_do_update(index_elements=["key", "term_id"], set_=dates), rows)
