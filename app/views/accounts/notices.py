"""通知 notices: what the system has told me, the unread first."""

from typing import Any

from flask import redirect, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import lazy_gettext as _
from sqlalchemy import Select, or_, select, update

from app.access import Actor, Permission, current_actor
from app.kit import clock
from app.kit.operation import NotFound
from app.kit.screen import Menu, PageView, Screen
from app.kit.sensitive import SENSITIVE
from app.models import Mail, MailState, Notice, db

SHOWN = 200


class NoticesView(PageView):
    """My notices. Opening one marks it as read and leads to its page."""

    route_base = "/notices"
    menu = Menu(_("Notices"), "own", "fa-bell")
    reads = Permission.HOME_READ

    @expose("/")
    @has_access
    @permission_name("list")
    def list(self):
        mine = select(Notice, Notice.settled()).where(Notice.user_id == current_actor().user_id)
        last = or_(Notice.read_at.is_not(None), Notice.settled().is_(True))
        rows = db.session.execute(mine.order_by(last, Notice.id.desc()).limit(SHOWN))
        notices = [shown(notice) | {"settled": settled} for notice, settled in rows]
        return self.render_template("xueji/notices.html", title=_("Notices"), notices=notices)

    @expose("/<int:notice_id>", methods=["POST"])
    @has_access
    @permission_name("list")
    def read(self, notice_id: int):
        """Mark one as read and go where something can be done about it."""
        notice = db.session.get(Notice, notice_id) if notice_id < 2**63 else None
        if notice is None or notice.user_id != current_actor().user_id:
            raise NotFound(_("There is no such record, or it is not one of yours."))
        notice.read_at = notice.read_at or clock.now()
        path = notice.path
        db.session.commit()
        return redirect(path if path and path.startswith("/") else url_for("NoticesView.list"))

    @expose("/read", methods=["POST"])
    @has_access
    @permission_name("list")
    def read_all(self):
        unread = Notice.user_id == current_actor().user_id, Notice.read_at.is_(None)
        db.session.execute(update(Notice).where(*unread).values(read_at=clock.now()))
        db.session.commit()
        return redirect(url_for("NoticesView.list"))


class MailScreen(Screen):
    """The outbox: which letters have gone out, which could not, and which were cut off and are never sent twice."""

    model = Mail
    menu = Menu(_("Letters"), "settings", "fa-envelope")
    reads = Permission.CALENDAR_WRITE
    label_columns = {
        "written_at": _("Written"), "recipient": _("Recipient"), "subject": _("Subject"), "state": _("State"),
        "attempts": _("Attempts"), "error": _("Answer of the server"), "sent_at": _("Sent at"), "body": _("Text"),
    }  # fmt: skip
    picks = {"state": MailState}
    masked = {"recipient": SENSITIVE["recipient"]}
    list_columns = ["recipient", "subject", "state", "written_at", "sent_at", "error"]
    sentences = ("recipient", "subject", "error")
    show_columns = [*list_columns, "attempts", "body"]
    search_columns = ["subject", "state", "written_at"]
    quick = ("subject",)
    order_columns = ["written_at"]
    list_title, show_title = _("Letters"), _("Letter")


def select_unread(user_id: int) -> Select[Notice]:
    """What this person has not opened, whatever identity she acts in; what has settled itself meanwhile needs no opening."""
    mine = Notice.user_id == user_id, Notice.read_at.is_(None)
    return select(Notice).where(*mine, Notice.settled().is_not(True))


def unread(actor: Actor, most: int) -> list[dict[str, Any]]:
    """The latest unread notices, for the start page."""
    return [
        shown(notice)
        for notice in db.session.scalars(select_unread(actor.user_id).order_by(Notice.id.desc()).limit(most))
    ]


def shown(notice: Notice) -> dict[str, Any]:
    return {
        "title": notice.title, "text": notice.text, "read": notice.read_at is not None,
        "when": f"{notice.raised_at.astimezone(clock.ZONE):%Y-%m-%d}",
        "url": url_for("NoticesView.read", notice_id=notice.id),
    }  # fmt: skip
