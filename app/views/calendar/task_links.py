"""校历任务 where a task of the calendar is shown."""

from flask import url_for

from app.operations.calendar.task_state import TaskGroup


def group_url(group: TaskGroup) -> str:
    """The page of a row of the plan: of all its colleges, where there are several."""
    several = len(group.tasks) > 1
    return url_for("CalendarView.all" if several else "CalendarView.task", task_id=group.tasks[0].id)
