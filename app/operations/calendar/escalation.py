"""逾期上报 late tasks: their owner hears first, then the leader, then the registry, each once."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import select

from app.access import Actor, Role
from app.kit.calendar import overrides, working_days_after
from app.kit.jobs.due import Due, Staff, due_source
from app.models import DatedTask, Owner, setting_int
from app.models.base import db
from app.operations.calendar.task_state import OWNER_ROLES, TaskState, progress_of, state_of

LEVELS = ("owner", "leader", "registry")
# Whom a late task goes to first, where that is not everybody who may work on it.
FIRST: dict[Owner, tuple[Role, ...]] = {
    Owner.COLLEGE: (Role.COLLEGE_CLERK,),
    Owner.AFFAIRS: (Role.REGISTRY,),
    Owner.TEACHER: (Role.EXAM_CENTER,),
}


@due_source("late_tasks")
def late_tasks(actor: Actor, today: date) -> Iterator[Due]:
    """Every late task for each level that it has reached: a number of working days lies between two of them."""
    own, days = overrides(), setting_int("escalation_days")
    overdue = select(DatedTask).where(DatedTask.due_on < today, DatedTask.done_at.is_(None)).order_by(DatedTask.id)
    tasks = list(db.session.scalars(overdue))
    progress = progress_of(tasks, today)
    staff = Staff()
    for task in tasks:
        if state_of(task, progress.get(task.id), today) is not TaskState.LATE:
            continue
        waits = working_days_after(task.due_on, 2 * days, own)
        reached = 1 + (today >= waits[days - 1]) + (today >= waits[-1])
        told: set[int] = set()  # who has two of these levels hears of it once
        for level in LEVELS[:reached]:
            users = set(staff.holding(*_roles(task, level), college_id=task.college_id)) - told
            told |= users
            yield Due(
                key=f"task:{task.id}:{task.due_on}:{level}", users=tuple(sorted(users)),
                title=_late(task),
                text=_("It was due on %(due)s and is not finished. Finish it, or say on its page how far it is.",
                       due=task.due_on),
                path=f"/calendar/task/{task.id}",
            )  # fmt: skip


def _roles(task: DatedTask, level: str) -> tuple[Role, ...]:
    if level == "registry":
        return (Role.REGISTRY,)
    if level == "leader":
        return (Role.COLLEGE_LEADER if task.college_id else Role.AFFAIRS_DIRECTOR,)
    owners = [Owner.COLLEGE] if task.college_id else [Owner(owner) for owner in task.owners]
    return tuple(role for owner in owners for role in FIRST.get(owner, OWNER_ROLES[owner]))


def _late(task: DatedTask) -> Any:
    """Lazy: each reader is told in her language, the college's name too."""
    if task.college is None:
        return _("Late: %(task)s", task=task.rule)
    return _("Late: %(task)s · %(college)s", task=task.rule, college=task.college)
