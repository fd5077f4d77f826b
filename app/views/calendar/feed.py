"""订阅 the feed: a person's tasks as a calendar that her own program reads, under a link that is a secret of hers."""

import hmac
from datetime import timedelta
from hashlib import sha256

from flask import Response, abort, current_app, flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import force_locale
from flask_babel import lazy_gettext as _
from icalendar import Calendar, Event

from app.access import Actor, Permission, actor_of, current_actor, identities_of
from app.access.scope import enter_request_scope
from app.kit import clock
from app.kit.screen import PageView
from app.models import CalendarFeed, DatedTask, db
from app.operations.calendar.task_state import TaskGroup, grouped, select_own, years_open
from app.operations.calendar.tasks import feed_version, renew_feed
from app.views.calendar.task_links import group_url


class CalendarFeedView(PageView):
    """POST /calendar-feed/renew makes a link; the link itself asks for no login, its secret is the key."""

    route_base = "/calendar-feed"
    default_view = "renew"
    reads = Permission.CALENDAR_READ

    @expose("/renew", methods=["POST"])
    @has_access
    @permission_name("list")
    def renew(self):
        renew_feed(current_actor())
        flash(_("Your link is new; an older one is good no more."), "success")
        return redirect(f"{url_for('CalendarView.list')}#feed")

    @expose("/<int:user_id>/<secret>.ics")
    def read(self, user_id: int, secret: str):
        """The tasks of all identities of the person whose link it is; 404 for any other address."""
        feed = db.session.get(CalendarFeed, user_id) if user_id < 2**31 else None
        if (
            feed is None
            or feed.ended
            or not hmac.compare_digest(secret.encode(), _secret(user_id, feed.version).encode())
        ):
            abort(404)
        actors = [actor_of(one) for one in identities_of(user_id) if one.user.is_active]
        readers = [actor for actor in actors if actor.may(Permission.CALENDAR_READ)]
        if not readers:
            abort(404)
        with force_locale("zh"):
            calendar = _calendar(readers)
        answer = Response(calendar.to_ical(), mimetype="text/calendar")
        answer.headers["Cache-Control"] = "private, no-store"
        answer.headers["Content-Disposition"] = 'inline; filename="xueji.ics"'
        return answer


def feed_url(actor: Actor) -> str | None:
    """The whole address of the actor's feed; None while she has none."""
    version = feed_version(actor)
    if version is None:
        return None
    secret = _secret(actor.user_id, version)
    return f"{address()}{url_for('CalendarFeedView.read', user_id=actor.user_id, secret=secret)}"


def address() -> str:
    """Of the pages, as it is set; a request's own word for it, which anybody may forge, only in a demo without one."""
    return current_app.config["XUEJI_ADDRESS"] or request.host_url.rstrip("/")


def _secret(user_id: int, version: int) -> str:
    """Nothing that opens a feed lies in the database: the secret follows from the application's own."""
    key = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.new(key, f"calendar-feed:{user_id}:{version}".encode(), sha256).hexdigest()[:40]


def _calendar(readers: list[Actor]) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", "-//Xueji//Academic calendar//ZH")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", str(_("Academic calendar")))
    calendar.add("x-wr-timezone", "Asia/Shanghai")
    seen: set[str] = set()
    for actor in readers:
        enter_request_scope(actor.scope)
        today = clock.today()
        recent = select_own(actor).where(DatedTask.year.in_(years_open(today)[:2]))
        for group in grouped(db.session.scalars(recent), today):
            event = _event(group, several=len(readers) > 1)
            uid = str(event["uid"])
            if not group.rule.standing and uid not in seen:
                seen.add(uid)
                calendar.add_component(event)
    return calendar


def _event(group: TaskGroup, *, several: bool) -> Event:
    """A task as days in a calendar; of an office that looks after all colleges, one for all of them."""
    first, rule = group.tasks[0], group.rule
    alone = len(group.tasks) == 1
    event = Event()
    event.add("uid", f"task-{first.id}@xueji" if alone else f"task-{first.year}-{first.key}-{first.occurrence}@xueji")
    event.add("dtstamp", clock.now())
    named = alone and several and first.college is not None
    event.add("summary", f"{group.title} · {first.college}" if named else str(group.title))
    event.add("dtstart", group.opens_on)
    event.add("dtend", group.due_on + timedelta(days=1))
    event.add("categories", [str(group.state.label)])
    event.add("transp", "TRANSPARENT")
    event.add("url", f"{address()}{group_url(group)}")
    event.add("description", "\n".join(text for text in (rule.requirement, rule.note) if text))
    return event
