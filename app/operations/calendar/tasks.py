"""校历任务 dated tasks: moved for all or for one 学院, ticked, remarked upon; and the secret link of a person's feed."""

from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from app.access import Actor, Permission, Role
from app.kit import clock
from app.kit.operation import NotAllowed, Refused, audit, get, operation
from app.models import CalendarFeed, DatedTask, TaskEvent, db
from app.operations.calendar.moved_dates import tell_moved
from app.operations.calendar.task_state import follows_flow, owns
from app.operations.calendar.terms import falling_outside, opened, refuse_outside, said
from app.operations.calendar.year_plan import Standing, in_force, plan, standing_of, terms_of, write_plan


@operation(needs=Permission.CALENDAR_WRITE)
def move_task(
    actor: Actor,
    task_id: int,
    opens_on: date,
    due_on: date,
    reason: str,
    *,
    for_all: bool = False,
    accept_outside: bool = False,
) -> int:
    """Give a task other dates, for its 学院 alone or for all, and keep the reason. What counts from its end follows.

    A move for all leaves alone what was moved for one 学院. Returns how many tasks have new dates.
    """
    words = said(reason)
    opened(get(DatedTask, task_id).year, lock=True)
    task = get(DatedTask, task_id, lock=True)
    if due_on < opens_on:
        raise Refused(_("A task cannot end before it begins."))
    if (task.opens_on, task.due_on) == (opens_on, due_on) and not for_all:
        raise Refused(_("These are the dates that the task has already."))
    everybody = for_all or task.college_id is None
    same = (DatedTask.year == task.year) & (DatedTask.key == task.key) & (DatedTask.occurrence == task.occurrence)
    moved = same & DatedTask.moved.is_distinct_from("college") if everybody else DatedTask.id == task.id
    event = _event(actor, task, "move", words)
    event.college_id = None if everybody else task.college_id
    event.old_opens_on, event.old_due_on, event.opens_on, event.due_on = task.opens_on, task.due_on, opens_on, due_on
    old = standing_of(db.session.connection(), task.year)
    db.session.execute(
        update(DatedTask)
        .where(moved)
        .values(opens_on=opens_on, due_on=due_on, moved="all" if everybody else "college")
        .execution_options(synchronize_session=False)
    )
    refuse_outside(falling_outside(old, _replanned(task.year)), accept_outside)
    new = standing_of(db.session.connection(), task.year)
    changed = sum(old.dates[place] != dates for place, dates in new.dates.items())
    db.session.expire_all()
    audit(actor, "task:move", subject="dated_task", subject_id=task.id, college_id=event.college_id,
          old=_dates(event.old_opens_on, event.old_due_on), new=_dates(opens_on, due_on),
          detail={"reason": words, "for_all": everybody, "tasks": changed})  # fmt: skip
    tell_moved(actor, task.year, old.dates, f"event:{event.id}")
    return changed


@operation(needs=Permission.CALENDAR_TICK)
def tick(actor: Actor, task_id: int, remark: str = "") -> DatedTask:
    """Say that a task is finished, with a remark if there is something to say."""
    task = _own(actor, task_id)
    if follows_flow(task.rule):
        raise Refused(_("This task follows its procedure: it is finished when the cases are."))
    if task.done_at is not None:
        raise Refused(_("%(name)s has ticked this task already.", name=task.done_name))
    if clock.today() < task.opens_on:
        raise Refused(_("This task begins on %(day)s; it cannot be finished before.", day=task.opens_on))
    words = " ".join(remark.split())[:300]
    task.done_at, task.done_by, task.done_name = clock.now(), actor.user_id, actor.name
    task.remark = words or task.remark
    _event(actor, task, "tick", words)
    audit(actor, "task:tick", subject="dated_task", subject_id=task.id, college_id=task.college_id,
          detail={"remark": words})  # fmt: skip
    return task


@operation(needs=Permission.CALENDAR_TICK)
def untick(actor: Actor, task_id: int, reason: str) -> DatedTask:
    """Take a tick back, with the reason."""
    task = _own(actor, task_id)
    if task.done_at is None:
        raise Refused(_("This task is not ticked."))
    words = said(reason)
    task.done_at = task.done_by = task.done_name = None
    _event(actor, task, "untick", words)
    audit(actor, "task:untick", subject="dated_task", subject_id=task.id, college_id=task.college_id,
          detail={"reason": words})  # fmt: skip
    return task


@operation(needs=Permission.CALENDAR_TICK)
def remark(actor: Actor, task_id: int, text: str) -> DatedTask:
    """Say how far a task is."""
    task = _own(actor, task_id)
    words = " ".join(text.split())[:300]
    if not words:
        raise Refused(_("Write a remark first."))
    task.remark = words
    _event(actor, task, "remark", words)
    audit(actor, "task:remark", subject="dated_task", subject_id=task.id, college_id=task.college_id,
          detail={"remark": words})  # fmt: skip
    return task


@operation(needs=Permission.CALENDAR_READ)
def renew_feed(actor: Actor) -> int:
    """Make the actor's secret link, or another one, so that the old one is good no more. Returns its version."""
    made = insert(CalendarFeed).values(user_id=actor.user_id, renewed_at=clock.now())
    again = {"version": CalendarFeed.version + 1, "renewed_at": clock.now(), "ended": False}
    version = db.session.scalar(
        made.on_conflict_do_update(index_elements=["user_id"], set_=again).returning(CalendarFeed.version)
    )
    audit(actor, "feed:renew", subject="calendar_feed", subject_id=actor.user_id)
    assert version is not None
    return version


def feed_version(actor: Actor) -> int | None:
    """The version of the actor's link; None if she has none yet, or it has ended."""
    good = CalendarFeed.user_id == actor.user_id, ~CalendarFeed.ended
    return db.session.scalar(select(CalendarFeed.version).where(*good))


def _own(actor: Actor, task_id: int) -> DatedTask:
    """A task that the actor may work on: her own, and any for the registry."""
    task = get(DatedTask, task_id, lock=True)
    if not owns(actor, task) and not actor.has(Role.REGISTRY):
        raise NotAllowed(_("This task belongs to others: its owner ticks it."))
    return task


def _replanned(year: int) -> dict[Any, Any]:
    """Bring what counts from other tasks' ends up to date; the dates in force."""
    connection = db.session.connection()
    now: Standing = standing_of(connection, year)
    terms = terms_of(connection, year)
    assert terms is not None  # an open year has both
    rows = plan(connection, year, *terms, now)
    write_plan(connection, year, rows)
    return dict(in_force(rows, now))


def _event(actor: Actor, task: DatedTask, act: str, text: str) -> TaskEvent:
    event = TaskEvent(
        year=task.year, key=task.key, occurrence=task.occurrence, college_id=task.college_id, act=act, text=text,
        actor_id=actor.user_id, actor_name=actor.name, at=clock.now(),
    )  # fmt: skip
    db.session.add(event)
    return event


def _dates(opens_on: date, due_on: date) -> dict[str, str]:
    return {"opens_on": str(opens_on), "due_on": str(due_on)}
