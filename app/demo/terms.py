"""校历 the demo's calendar: the term began last Monday, so that leave and return are open whenever it is tried."""

from datetime import date, timedelta

from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import insert

from app.kit.calendar import monday_of
from app.models import AcademicYear, DatedTask, Season
from app.operations.calendar.schedule import TermDates
from app.operations.calendar.year_plan import date_year

TERM_WEEKS = 26  # from one term's first Monday to the next one's
TAUGHT_WEEKS = 20
OPEN = {Season.AUTUMN: {"autumn_leave", "autumn_return"}, Season.SPRING: {"spring_leave", "spring_return"}}

# What was due is finished, but for a college here and there; of what is under way some colleges are ready.
WORKED = text("""
    update dated_task t set done_at = least(due_on, cast(:today as date)), done_name = '演示数据'
    from task_rule r where r.id = t.rule_id and t.year = :year and t.done_at is null and r.opens <> 'any'
        and r.flow <> all('{leave,return}') and t.opens_on <= :today
        and case when t.due_on < :today then coalesce(t.college_id, 1) % 9 <> 0 or r.position % 4 <> 0
            else coalesce(t.college_id, 1) % 3 = 0 end
""")


def current_term(today: date) -> tuple[int, Season]:
    """The year in which the academic year of `today` began, and its season: autumn is August to January."""
    if 2 <= today.month <= 7:
        return today.year - 1, Season.SPRING
    return (today.year if today.month >= 8 else today.year - 1), Season.AUTUMN


def open_terms(connection: Connection, today: date) -> bool:
    """Open the current academic year, its term begun last Monday. False where leave and return are open already."""
    year, season = current_term(today)
    opened = select(DatedTask.key).where(DatedTask.opens_on <= today, DatedTask.due_on >= today)
    if OPEN[season] <= set(connection.scalars(opened)):
        return False
    half = timedelta(weeks=TERM_WEEKS)
    first = monday_of(today) - (half if season is Season.SPRING else timedelta())
    connection.execute(insert(AcademicYear).values(year=year).on_conflict_do_nothing())
    date_year(connection, year, TermDates(first, TAUGHT_WEEKS), TermDates(first + half, TAUGHT_WEEKS))
    connection.execute(WORKED, {"year": year, "today": today})
    return True
