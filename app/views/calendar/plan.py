"""校历 the year plan: every task of a year over its months, by 学院, kind and state; and the page of one task."""

import calendar
from datetime import date
from typing import Any

from babel.dates import get_month_names
from flask import flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import get_locale
from flask_babel import lazy_gettext as _
from sqlalchemy import or_, select

from app.access import Permission, Role, current_actor
from app.kit import clock
from app.kit.flow import FLOWS
from app.kit.operation import Refused, get
from app.kit.screen import Menu, PageView
from app.models import College, DatedTask, Owner, Season, TaskEvent, TaskKind, db
from app.models.language import in_chinese, listed
from app.operations.calendar.schedule import year_name
from app.operations.calendar.task_state import (
    TaskGroup,
    TaskState,
    follows_flow,
    grouped,
    owns,
    select_tasks,
    years_open,
)
from app.operations.calendar.tasks import move_task, remark, tick, untick
from app.views.calendar.feed import feed_url
from app.views.calendar.rule_words import how_long
from app.views.calendar.task_links import group_url
from app.views.calendar.terms import unknown_days

FIRST, MONTHS = 8, 12  # an academic year begins in August; its plan shows a year, or until its last task ends
WIDE = 100  # units of the drawing for a month


class CalendarView(PageView):
    """What happens when in an academic year, and how far it is."""

    route_base = "/calendar"
    menu = Menu(_("Year plan"), "calendar", "fa-calendar-days")
    reads = Permission.CALENDAR_READ

    @expose("/")
    @has_access
    @permission_name("list")
    def list(self):
        today = clock.today()
        years = years_open(today)
        asked = request.args.get("year", type=int)
        year = asked if asked in years else years[0] if years else None
        college, kind, state = (request.args.get(name, "") for name in ("college", "kind", "state"))
        groups = find(year, college, kind, state, today) if year is not None else []
        many = months_shown(groups, year)
        now = today_at(today, year, many)
        colleges = [*db.session.scalars(select(College).where(College.active).order_by(College.code))]
        self.update_redirect()
        return self.render_template(
            "xueji/calendar.html", title=_("Year plan"), years=[(one, year_name(one)) for one in sorted(years)], year=year,
            colleges=colleges if current_actor().scope.kind in ("school", "auditor") else [],
            kinds=[*TaskKind], states=[*TaskState], college=college, kind=kind, state=state,
            rows=[row_of(group, year, many) for group in groups], months=month_names(many),
            month_now=None if now is None else int(now // WIDE), today=now, wide=WIDE, feed=feed_url(current_actor()),
            may_move=current_actor().may(Permission.CALENDAR_WRITE), unknown=unknown_days(year) if year else None,
        )  # fmt: skip

    @expose("/task/<int:task_id>")
    @has_access
    @permission_name("list")
    def task(self, task_id: int):
        """The task of one 学院, or of an office."""
        return self._page(task_id)

    @expose("/all/<int:task_id>")
    @has_access
    @permission_name("list")
    def all(self, task_id: int):
        """The task for all colleges that the reader sees: how each stands, and dates that move for all of them."""
        return self._page(task_id, whole=True)

    @expose("/task/<int:task_id>/<act>", methods=["POST"])
    @has_access
    @permission_name("list")
    def act(self, task_id: int, act: str):
        """Tick, untick, remark or move; a refusal is shown on the page, with what was entered."""
        form = request.form
        whole = form.get("whole") == "y"
        try:
            if act == "tick":
                tick(current_actor(), task_id, form.get("text", ""))
            elif act == "untick":
                untick(current_actor(), task_id, form.get("text", ""))
            elif act == "remark":
                remark(current_actor(), task_id, form.get("text", ""))
            elif act == "move":
                opens, due = (date.fromisoformat(form.get(name, "")) for name in ("opens_on", "due_on"))
                move_task(current_actor(), task_id, opens, due, form.get("text", ""), for_all=bool(form.get("for_all")),
                          accept_outside=bool(form.get("accept_outside")))  # fmt: skip
            else:
                return redirect(url_for("CalendarView.task", task_id=task_id))
        except ValueError:
            return self._page(task_id, str(_("Give both days.")), act, whole=whole), 422
        except Refused as refused:
            db.session.rollback()
            if refused.status != 409:
                raise
            return self._page(task_id, str(refused), act, whole=whole), 409
        flash(_("Saved."), "success")
        return redirect(url_for("CalendarView.all" if whole else "CalendarView.task", task_id=task_id))

    def _page(self, task_id: int, error: str | None = None, tried: str = "", *, whole: bool = False):
        actor, today = current_actor(), clock.today()
        task = get(DatedTask, task_id)
        same = select_tasks(task.year).where(DatedTask.key == task.key, DatedTask.occurrence == task.occurrence)
        (group,) = grouped(db.session.scalars(same), today)
        whole = whole and len(group.tasks) > 1
        flow = FLOWS.get(task.rule.flow or "")
        works = owns(actor, task) or actor.has(Role.REGISTRY)
        return self.render_template(
            "xueji/calendar_task.html", title=group.title, task=task, group=group, whole=whole,
            state=group.state if whole else group.states[task.id],
            progress=None if whole else group.progress.get(task.id), summary=progress_words(group), owners=owner_names(task), flow=flow,
            apply_url=url_for("ApplyView.list") if flow and actor.may(Permission.CASE_OPEN) else None,
            events=events_of(task, whole=whole), states=[*TaskState], error=error, tried=tried, form=request.form,
            may_work=works and not whole and actor.may(Permission.CALENDAR_TICK), may_tick=not follows_flow(task.rule),
            may_move=actor.may(Permission.CALENDAR_WRITE), today=today,
            duration=how_long(task.rule.duration), year=year_name(task.year), kind=TaskKind(task.rule.kind).label,
            season=Season(task.season).label if task.season else None,
        )  # fmt: skip


def find(year: int, college: str, kind: str, state: str, today: date) -> list[TaskGroup]:
    """The rows of the plan that a filter asks for; what it does not know it ignores."""
    query = select_tasks(year)
    if college.isdecimal() and len(college) < 9:
        query = query.where(or_(DatedTask.college_id.is_(None), DatedTask.college_id == int(college)))
    groups = grouped(db.session.scalars(query), today)
    if kind in {one.value for one in TaskKind}:
        groups = [group for group in groups if group.rule.kind == kind]
    if state in {one.value for one in TaskState}:
        groups = [group for group in groups if state in group.states.values()]
    return groups


def row_of(group: TaskGroup, year: int | None, many: int) -> dict[str, Any]:
    """One row of the plan: words, and the bars of the strip."""
    assert year is not None
    spans: dict[tuple[date, date], set[TaskState]] = {}
    for task in group.tasks:
        spans.setdefault((task.opens_on, task.due_on), set()).add(group.states[task.id])
    bars = []
    for (opens_on, due_on), states in sorted(spans.items()):
        x, end = max(place(opens_on, year), 0), min(place(due_on, year, end=True), many * WIDE)
        tone = "standing" if group.rule.standing else next(state for state in TaskState if state in states)
        if end > x:
            bars.append({"x": round(x, 1), "width": round(max(end - x, 6), 1), "tone": str(tone)})
    return {
        "title": group.title, "owners": owner_names(group.tasks[0]), "opens_on": group.opens_on, "due_on": group.due_on,
        "state": group.state, "progress": progress_words(group), "bars": bars,
        "standing": group.rule.standing, "moved": any(task.moved for task in group.tasks),
        "url": group_url(group),
    }  # fmt: skip


def progress_words(group: TaskGroup) -> Any | None:
    """How far a task is in one sentence: its cases, and the colleges that have handed some in, where a procedure works
    on it; else the colleges that are ready."""
    if group.rule.standing:
        return None
    several = len(group.tasks) > 1
    if not follows_flow(group.rule):
        return _("%(n)s of %(all)s colleges finished", n=group.finished, all=len(group.tasks)) if several else None
    cases = group.progress.values()
    closed, handed_in = sum(one.closed for one in cases), sum(one.handed_in for one in cases)
    if not several:
        return _("%(closed)s of %(all)s cases closed", closed=closed, all=handed_in)
    return _("%(n)s of %(all)s colleges have handed in; %(closed)s of %(cases)s cases closed",
             n=sum(one.handed_in > 0 for one in cases), all=len(group.tasks), closed=closed, cases=handed_in)  # fmt: skip


def place(day: date, year: int, *, end: bool = False) -> float:
    """Where a day stands on the strip, whose months are equally wide; `end` is its evening."""
    months = (day.year - year) * 12 + day.month - FIRST
    return WIDE * (months + (day.day - (not end)) / calendar.monthrange(day.year, day.month)[1])


def months_shown(groups: list[TaskGroup], year: int | None) -> int:
    """How many months the strip has: those of the year, and more where a task ends after it."""
    ends = [place(task.due_on, year) for group in groups for task in group.tasks] if year is not None else []
    return max(MONTHS, int(max(ends, default=0) // WIDE) + 1)


def today_at(today: date, year: int | None, many: int) -> float | None:
    at = place(today, year) if year is not None else -1
    return round(at, 1) if 0 <= at < many * WIDE else None


def month_names(many: int) -> list[str]:
    months = [(FIRST - 1 + place) % 12 + 1 for place in range(many)]
    if in_chinese():
        return [str(month) for month in months]
    names = get_month_names("abbreviated", locale=get_locale())
    return [names[month][:3] for month in months]


def owner_names(task: DatedTask) -> str:
    return listed(Owner(owner).label for owner in task.owners)


ACTS = {"move": _("Moved"), "tick": _("Finished"), "untick": _("Tick taken back"), "remark": _("Remark")}


def events_of(task: DatedTask, *, whole: bool = False) -> list[dict[str, Any]]:
    """What happened to the task, to those of all colleges included, the latest first; `whole`: to those of all alone."""
    own = TaskEvent.college_id == task.college_id
    query = select(TaskEvent).where(
        TaskEvent.year == task.year, TaskEvent.key == task.key, TaskEvent.occurrence == task.occurrence,
        TaskEvent.college_id.is_(None) if whole else or_(TaskEvent.college_id.is_(None), own),
    )  # fmt: skip
    made = []
    for event in db.session.scalars(query.order_by(TaskEvent.id.desc())):
        text = event.text
        if event.act == "move":
            text = f"{event.old_opens_on} – {event.old_due_on} → {event.opens_on} – {event.due_on}\n{event.text}"
        whom = _("for all") if event.college_id is None and task.college_id is not None else None
        made.append({
            "tone": {"move": "warn", "tick": "ok", "untick": "bad"}.get(event.act, "info"),
            "title": _("%(act)s, %(whom)s", act=ACTS[event.act], whom=whom) if whom else ACTS[event.act],
            "when": f"{event.at.astimezone(clock.ZONE):%Y-%m-%d %H:%M}", "who": event.actor_name, "text": text,
        })  # fmt: skip
    return made
