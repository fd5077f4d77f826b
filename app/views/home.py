"""首页 home: what waits for me, and how the roster stands."""

from datetime import datetime
from zoneinfo import ZoneInfo

from flask import redirect, url_for
from flask_appbuilder import IndexView, expose
from sqlalchemy import func, select

from app.access import ANONYMOUS, Permission, current_actor
from app.models import College, RosterStatus, Student, db


class HomeView(IndexView):
    """The start page of whoever is logged in; everybody else is sent to the login."""

    index_template = "xueji/home.html"

    @expose("/")
    def index(self):
        actor = current_actor()
        if actor is ANONYMOUS:
            return redirect(url_for("AuthDBView.login"))
        self.update_redirect()
        reads_roster = actor.may(Permission.ROSTER_READ)
        return self.render_template(
            self.index_template,
            actor=actor,
            now=datetime.now(ZoneInfo("Asia/Shanghai")),
            by_status=counts_by_status() if reads_roster else [],
            by_college=counts_by_college() if reads_roster else [],
        )


def counts_by_status() -> list[tuple[str, int]]:
    """(label, students) of each state that occurs, the most frequent first, within the reader's scope."""
    query = select(Student.status, func.count()).group_by(Student.status).order_by(func.count().desc())
    return [(str(RosterStatus(status).label), count) for status, count in db.session.execute(query)]


def counts_by_college() -> list[tuple[str, int]]:
    """(college, students on the roll) within the reader's scope."""
    on_roll = select(Student.college_id, func.count().label("n")).where(Student.on_roll).group_by(Student.college_id)
    counted = on_roll.subquery()
    query = select(College.name, counted.c.n).join(counted, counted.c.college_id == College.id).order_by(College.code)
    return [(name, count) for name, count in db.session.execute(query)]
