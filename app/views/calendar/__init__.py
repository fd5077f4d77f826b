"""校历 the academic calendar."""

from app.views.calendar.feed import CalendarFeedView
from app.views.calendar.plan import CalendarView
from app.views.calendar.rules import CalendarDayScreen, TaskRuleScreen
from app.views.calendar.terms import AcademicYearView

PAGES: list = [
    CalendarView,
    AcademicYearView,
    TaskRuleScreen,
    CalendarDayScreen,
    CalendarFeedView,
]
APIS: list = []
