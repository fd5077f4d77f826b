"""首页 home: what waits for me, and how the roster stands."""

from datetime import date, timedelta
from typing import Any

from flask import redirect, url_for
from flask_appbuilder import IndexView, expose
from flask_babel import lazy_gettext as _
from sqlalchemy import func, select

from app.access import ANONYMOUS, Actor, Permission, current_actor
from app.access.actor import logged_in_user
from app.kit import clock
from app.kit.flow import FLOWS, window_states
from app.kit.operation import NotAllowed, get
from app.models import CaseStep, College, DatedTask, RosterStatus, Student, db
from app.models.accounts.account import Identity, User
from app.operations.calendar.task_state import TaskGroup, TaskState, grouped, select_own, years_open
from app.views.accounts.notices import unread
from app.views.accounts.vacancies import vacancies
from app.views.calendar.plan import progress_words
from app.views.calendar.task_links import group_url
from app.views.cases.inbox_rows import counted, left, selects, shown
from app.views.roster import my_page

FIRST = 8  # rows of the inbox on the start page
SOON = 31  # days
NEAR = 14


class HomeView(IndexView):
    """The start page of whoever is logged in, a student's own page hers; everybody else is sent to the login."""

    index_template = "xueji/home.html"

    @expose("/")
    def index(self):
        actor = current_actor()
        if actor is ANONYMOUS and logged_in_user().is_authenticated:
            raise NotAllowed(
                _("Your account has no identity yet, so it opens nothing. Ask the administrator of accounts for one.")
            )
        if actor is ANONYMOUS:
            return redirect(url_for("AuthDBView.login"))
        self.update_redirect()
        if actor.scope.kind == "student":
            return self.render_template("xueji/my_page.html", **my_page.page(get(Student, actor.scope.student_id)))
        reads_roster = actor.may(Permission.ROSTER_READ)
        return self.render_template(
            self.index_template,
            actor=actor,
            now=clock.now(),
            **(waiting(actor) or accounts(actor)),
            **calendar_of(actor),
            **vacancies(actor),
            by_status=counts_by_status() if reads_roster else [],
            by_college=counts_by_college() if reads_roster else [],
        )


def waiting(actor: Actor) -> dict[str, Any]:
    """The cards, the first rows of the inbox, and the windows that are open or near, for whoever has cases."""
    if not actor.may(Permission.CASE_READ):
        return {}
    queries = selects()
    waits, back = counted(queries["open"]), counted(queries["back"])
    overdue = counted(queries["open"].where(CaseStep.due_on < clock.today()))
    late = _("%(n)s of them overdue", n=overdue) if overdue else _("none overdue")
    inbox = url_for("InboxView.list")
    rows = [shown(row) for row in db.session.execute(queries["open"].limit(FIRST))]
    return {
        "stats": [
            stat(waits, _("Waiting for me"), late, "fa-stamp", "warn", inbox),
            stat(back, _("Sent back to me"), _("to be put right"), "fa-rotate-left", "bad", f"{inbox}?tab=back"),
            stat(counted(queries["done"]), _("Done by me"), "", "fa-circle-check", "ok", f"{inbox}?tab=done"),
        ],
        "todo": [row | {"title": f"{row['title']} · {row['step']}", "due": row["due"]} for row in rows],
        "todo_url": inbox,
        "deadlines": deadlines(),
    }


def accounts(actor: Actor) -> dict[str, Any]:
    """How the accounts stand, for whoever keeps them and has no cases."""
    if not actor.may(Permission.ACCOUNT_READ):
        return {}
    users, resting, never = db.session.execute(
        select(func.count(), func.count().filter(~User.active), func.count().filter(User.last_login.is_(None)))
    ).one()
    listed, running = url_for("UserDBModelView.list"), select(func.count()).where(Identity.ended_on.is_(None))
    held = db.session.scalar(running) or 0
    return {
        "stats": [
            stat(users, _("Users"), _("%(n)s of them not in use", n=resting), "fa-user", "info", listed),
            stat(never, _("Have never logged in"), "", "fa-user-clock", "warn", listed),
            stat(held, _("Identities"), "", "fa-id-badge", "ok", url_for("IdentityScreen.list")),
        ],
    }


def calendar_of(actor: Actor) -> dict[str, Any]:
    """My tasks of the calendar that are late, under way or near, and what the system has told me."""
    told = {"notices": unread(actor, FIRST), "notices_url": url_for("NoticesView.list")}
    if not actor.may(Permission.CALENDAR_TICK):
        return told
    today = clock.today()
    near = select_own(actor).where(DatedTask.opens_on <= today + timedelta(days=NEAR),
                                   DatedTask.year.in_(years_open(today)[:1]))  # fmt: skip
    groups = [group for group in grouped(db.session.scalars(near), today) if group.state is not TaskState.DONE]
    order = list(TaskState)
    pressing = sorted(
        (group for group in groups if not group.rule.standing), key=lambda one: (order.index(one.state), one.due_on)
    )
    return told | {
        "tasks": [task_row(group, today) for group in pressing[:FIRST]],
        "tasks_url": url_for("CalendarView.list"),
    }


def task_row(group: TaskGroup, today: date) -> dict[str, Any]:
    begun = group.state is not TaskState.PLANNED
    return {
        "title": group.title, "url": group_url(group),
        "when": f"{group.opens_on} – {group.due_on}", "tone": group.state.tone,
        "left": left((group.due_on - today).days) if begun else _("opens on %(day)s", day=group.opens_on),
        "progress": progress_words(group),
    }  # fmt: skip


def stat(number: int, label: Any, note: Any, icon: str, tone: str, url: str) -> dict[str, Any]:
    return {"number": number, "label": label, "note": note, "icon": icon, "tone": tone, "url": url}


def deadlines() -> list[dict[str, Any]]:
    """Flows whose window is open, or opens within a month."""
    today = clock.today()
    made = []
    states = window_states(FLOWS.values(), today)
    for flow in FLOWS.values():
        state = states[flow.key]
        if state.opens_on is None or state.closes_on is None:
            continue
        days = (state.closes_on - today).days if state.open else (state.opens_on - today).days
        if not 0 <= days <= SOON:
            continue
        made.append({
            "title": flow.title, "when": f"{state.opens_on} – {state.closes_on}",
            "left": left(days) if state.open else _("opens on %(day)s", day=state.opens_on),
            "tone": "ok" if state.open else "info", "url": None,
        })  # fmt: skip
    return made


def counts_by_status() -> list[tuple[str, int]]:
    """(label, students) of each state that occurs, the most frequent first, within the reader's scope."""
    query = select(Student.status, func.count()).group_by(Student.status).order_by(func.count().desc())
    return [(str(RosterStatus(status).label), count) for status, count in db.session.execute(query)]


def counts_by_college() -> list[tuple[str, int]]:
    """(college, students on the roll) within the reader's scope."""
    on_roll = select(Student.college_id, func.count().label("n")).where(Student.on_roll).group_by(Student.college_id)
    counted = on_roll.subquery()
    query = (
        select(College.called(), counted.c.n).join(counted, counted.c.college_id == College.id).order_by(College.code)
    )
    return [(name, count) for name, count in db.session.execute(query)]
