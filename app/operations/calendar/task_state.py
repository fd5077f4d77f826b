"""校历任务 the state of dated tasks: whose they are, how far they have come, and which of them are late."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import Date, Select, and_, any_, cast, false, func, literal, or_, select

from app.access import Actor, Role
from app.kit.flow import FLOWS
from app.models import AcademicYear, Case, CaseState, CaseStep, DatedTask, Owner, Season, StepState, TaskRule, among, db

OWNER_ROLES: dict[Owner, tuple[Role, ...]] = {
    Owner.REGISTRY: (Role.REGISTRY,),
    Owner.COLLEGE: (Role.COLLEGE_CLERK, Role.COLLEGE_LEADER),
    Owner.AFFAIRS: (Role.REGISTRY, Role.AFFAIRS_DIRECTOR),
    Owner.ADMISSIONS: (Role.ADMISSIONS,),
    Owner.EXAM_CENTER: (Role.EXAM_CENTER,),
    Owner.OPERATIONS: (Role.OPERATIONS,),
    Owner.TEACHER: (Role.TEACHER, Role.EXAM_CENTER),
}
RUNNING = (CaseState.OPEN, CaseState.SENT_BACK)


class TaskState(StrEnum):
    """Where a task stands today. `label` is shown, in the colours of `tone`."""

    LATE = "late"
    OPEN = "open"
    PLANNED = "planned"
    DONE = "done"

    @property
    def label(self) -> Any:
        return TASK_STATES[self][0]

    @property
    def tone(self) -> str:
        return TASK_STATES[self][1]


TASK_STATES: dict[TaskState, tuple[Any, str]] = {
    TaskState.LATE: (_("Late"), "bad"),
    TaskState.OPEN: (_("Under way"), "info"),
    TaskState.PLANNED: (_("Not begun"), "muted"),
    TaskState.DONE: (_("Finished"), "ok"),
}


@dataclass(frozen=True)
class Progress:
    """The cases of a task's flow that were handed in within its days: all, closed, running, running and overdue."""

    handed_in: int = 0
    closed: int = 0
    running: int = 0
    overdue: int = 0


NO_CASES = Progress()


def follows_flow(rule: TaskRule) -> bool:
    """Whether a procedure of the system shows how far the task is; otherwise its owner ticks it."""
    return rule.flow in FLOWS


def progress_of(tasks: Iterable[DatedTask], today: date) -> dict[int, Progress]:
    """The progress of those tasks that follow a flow, in one statement."""
    ids = [task.id for task in tasks if follows_flow(task.rule)]
    if not ids:
        return {}
    handed_in = cast(func.timezone("Asia/Shanghai", Case.submitted_at), Date)
    overdue_step = select(CaseStep.id).where(
        CaseStep.case_id == Case.id, CaseStep.state == StepState.OPEN, CaseStep.due_on < today
    )
    running = Case.state.in_(RUNNING)
    query = (
        select(
            DatedTask.id,
            func.count(),
            func.count().filter(~running),
            func.count().filter(running),
            func.count().filter(and_(running, overdue_step.exists())),
        )
        .join(TaskRule, TaskRule.id == DatedTask.rule_id)
        .join(
            Case,
            and_(
                Case.flow == TaskRule.flow,
                or_(DatedTask.college_id.is_(None), Case.college_id == DatedTask.college_id),
                handed_in.between(DatedTask.opens_on, DatedTask.due_on),
                Case.state != CaseState.WITHDRAWN,
            ),
        )
        .where(among(DatedTask.id, ids))
        .group_by(DatedTask.id)
    )
    return {task_id: Progress(*counts) for task_id, *counts in db.session.execute(query)}


def state_of(task: DatedTask, progress: Progress | None, today: date) -> TaskState:
    """Done when ticked, or when its days are over and its flow has nothing running; late when somebody is behind."""
    if task.done_at is not None:
        return TaskState.DONE
    if today < task.opens_on:
        return TaskState.PLANNED
    if task.rule.standing:
        return TaskState.OPEN if today <= task.due_on else TaskState.DONE
    if today <= task.due_on:
        return TaskState.OPEN
    if not follows_flow(task.rule):
        return TaskState.LATE
    cases = progress or NO_CASES
    if cases.overdue:
        return TaskState.LATE
    return TaskState.OPEN if cases.running else TaskState.DONE


def roles_of(task: DatedTask) -> set[Role]:
    """Who does a task: of a college's task its own people, of any other the offices that own it."""
    owners = [Owner.COLLEGE] if task.college_id is not None else task.owners
    return {role for owner in owners for role in OWNER_ROLES[Owner(owner)]}


def owns(actor: Actor, task: DatedTask) -> bool:
    """Whether the task is one of the actor's own."""
    if not actor.roles & roles_of(task):
        return False
    return task.college_id is None or task.college_id == actor.scope.college_id


def select_tasks(year: int) -> Select[DatedTask]:
    """The tasks of a year that the reader sees, in the order of the time-table."""
    return (
        select(DatedTask)
        .join(TaskRule, TaskRule.id == DatedTask.rule_id)
        .where(DatedTask.year == year)
        .order_by(DatedTask.opens_on, DatedTask.due_on, TaskRule.position, DatedTask.occurrence, DatedTask.college_id)
    )


def select_own(actor: Actor) -> Select[DatedTask]:
    """The tasks that are the actor's own; for a student those that concern her. Others own none."""
    mine: list[Any] = [DatedTask.students] if actor.has(Role.STUDENT) else []
    for owner, roles in OWNER_ROLES.items():
        if actor.roles & set(roles):
            owned = literal(owner.value) == any_(DatedTask.owners)
            of_college = DatedTask.college_id == actor.scope.college_id
            mine.append(and_(owned, of_college) if owner is Owner.COLLEGE else owned)
    return select(DatedTask).where(or_(false(), *mine)).order_by(DatedTask.due_on, DatedTask.id)


@dataclass(frozen=True)
class TaskGroup:
    """One task of a year as it stands for everybody that the reader sees: a row of the year plan."""

    tasks: list[DatedTask]
    states: dict[int, TaskState]
    progress: dict[int, Progress]

    @property
    def rule(self) -> TaskRule:
        return self.tasks[0].rule

    @property
    def title(self) -> Any:
        """The rule's title; with the term, where a rule comes once a term."""
        season, opens = self.tasks[0].season, self.rule.opens
        if season and ("|" in opens or opens.startswith(("holiday", "after"))):
            return _("%(task)s, %(season)s term", task=self.rule, season=Season(season).label)
        return self.rule.title

    @property
    def opens_on(self) -> date:
        return min(task.opens_on for task in self.tasks)

    @property
    def due_on(self) -> date:
        return max(task.due_on for task in self.tasks)

    @property
    def state(self) -> TaskState:
        """The worst of them."""
        found = set(self.states.values())
        return next(state for state in TaskState if state in found)

    @property
    def finished(self) -> int:
        return sum(state is TaskState.DONE for state in self.states.values())


def grouped(tasks: Iterable[DatedTask], today: date) -> list[TaskGroup]:
    """The tasks by year, key and occurrence, in the order in which they begin."""
    listed = list(tasks)
    progress = progress_of(listed, today)
    groups: dict[tuple[int, str, int], list[DatedTask]] = {}
    for task in listed:
        groups.setdefault((task.year, task.key, task.occurrence), []).append(task)
    made = []
    for group in groups.values():
        found = {task.id: progress[task.id] for task in group if task.id in progress}
        states = {task.id: state_of(task, found.get(task.id), today) for task in group}
        made.append(TaskGroup(group, states, found))
    return sorted(made, key=lambda group: (group.opens_on, group.due_on, group.rule.position))


def academic_year_of(today: date) -> int:
    return today.year if today.month >= 8 else today.year - 1


def years_open(today: date) -> list[int]:
    """The opened years, that of today first, then the latest."""
    years = list(db.session.scalars(select(AcademicYear.year).order_by(AcademicYear.year.desc())))
    now = academic_year_of(today)
    return sorted(years, key=lambda year: (year != now, -year))
