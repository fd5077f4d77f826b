"""日期变动 moved dates: whoever has a task under way, or an application to hand in, is told once when its days move."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _
from flask_babel import ngettext
from flask_babel.speaklater import LazyString
from sqlalchemy import select

from app.access import Actor, Role
from app.kit import clock
from app.kit.flow import FLOWS
from app.kit.flow.window import proof_is_fresh
from app.kit.jobs.due import Due, Staff, tell
from app.models import Case, CaseState, DatedTask, Identity, db
from app.operations.calendar.task_state import follows_flow, roles_of
from app.operations.calendar.year_plan import Dates, Place

MOST = 8  # lines of one notice


@dataclass(frozen=True)
class Line:
    """One thing whose last day has moved: what it is, from when to when, and its page."""

    what: Any = field(compare=False)  # `page` says it as well
    old: date
    new: date
    page: str

    def __str__(self) -> str:
        return str(_("%(what)s: %(old)s → %(new)s", what=self.what, old=self.old, new=self.new))


def tell_moved(actor: Actor, year: int, old: dict[Place, Dates], event: str) -> None:
    """Tell whose days have moved since they were `old`, each person with one notice for one act, called `event`."""
    db.session.flush()
    tasks = [task for task in db.session.scalars(select(DatedTask).where(DatedTask.year == year)
                                                 .order_by(DatedTask.due_on, DatedTask.id)
                                                 .execution_options(populate_existing=True))
             if (was := old.get(_place(task))) and was != (task.opens_on, task.due_on)]  # fmt: skip
    if not tasks:
        return
    lines: dict[int, list[Line]] = defaultdict(list)
    for user_id, line in (*_of_owners(tasks, old), *_of_applicants(tasks, old)):
        if user_id != actor.user_id:
            lines[user_id].append(line)
    same: dict[tuple[Line, ...], list[int]] = defaultdict(list)  # what is told alike → to whom
    for user_id, found in lines.items():
        same[tuple(dict.fromkeys(found))].append(user_id)
    tell(_due(event, found, tuple(users)) for found, users in same.items())


def _due(event: str, lines: tuple[Line, ...], users: tuple[int, ...]) -> Due:
    many = len(lines)
    title = _("Another last day: %(what)s", what=lines[0].what) if many == 1 else LazyString(
        lambda: ngettext("%(num)s thing of yours has another last day", "%(num)s things of yours have other last days", many)
    )  # fmt: skip
    return Due(key=f"moved:{event}", users=users, title=title, text=LazyString(_in_words, lines),
               path=lines[0].page if many == 1 else "/calendar/")  # fmt: skip


def _in_words(lines: tuple[Line, ...]) -> str:
    said = [str(line) for line in lines[:MOST]]
    if len(lines) > MOST:
        said.append(str(_("and %(n)s more: the calendar has them all.", n=len(lines) - MOST)))
    return "\n".join([str(_("The academic calendar was changed.")), *said])


def _of_owners(tasks: Iterable[DatedTask], old: dict[Place, Dates]) -> Iterator[tuple[int, Line]]:
    """Those who work on a task that was under way, or late."""
    staff, today = Staff(), clock.today()
    for task in tasks:
        opens, due = old[_place(task)]
        over = today > due and follows_flow(task.rule)
        if task.done_at is not None or task.rule.standing or today < opens or over or due == task.due_on:
            continue
        line = Line(task.rule, due, task.due_on, f"/calendar/task/{task.id}")
        for user_id in staff.holding(*roles_of(task), college_id=task.college_id):
            yield user_id, line


def _of_applicants(tasks: Iterable[DatedTask], old: dict[Place, Dates]) -> Iterator[tuple[int, Line]]:
    """Those who have begun an application that has to be handed in within a window that moved."""
    windows: dict[str, list[DatedTask]] = defaultdict(list)
    for task in tasks:
        if not task.rule.standing and clock.today() <= max(old[_place(task)][1], task.due_on):
            windows[task.key].append(task)
    for flow in FLOWS.values():
        found = [task for key in (flow.window.keys if flow.window else ()) for task in windows[key]]
        if not found:
            continue
        drafts = select(flow.model).where(Case.state == CaseState.DRAFT, Case.late_reason.is_(None)).order_by(Case.id)
        for case in db.session.scalars(drafts):
            mine = [task for task in found if task.college_id in (None, case.student_college_id)]
            if not mine or proof_is_fresh(flow, case, clock.today()):
                continue
            nearest = min(mine, key=lambda task: old[_place(task)])
            what = _("%(flow)s %(number)s, to be handed in", flow=flow.title, number=case.number)
            line = Line(what, old[_place(nearest)][1], nearest.due_on, f"/casescreen/show/{case.id}")
            hers = select(Identity.user_id).where(Identity.student_id == case.student_id)
            whose = db.session.scalars(hers) if case.opened_by_role == Role.STUDENT else [case.opened_by]
            for user_id in whose:
                yield user_id, line


def _place(task: DatedTask) -> Place:
    return task.key, task.occurrence, task.college_id
