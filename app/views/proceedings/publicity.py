"""公示 publicity: what waits to be published, the lists with their objections, and the page that anybody may read."""

from typing import Any, ClassVar

from flask import abort, flash, jsonify, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import format_date, ngettext
from flask_babel import lazy_gettext as _
from markupsafe import Markup, escape
from sqlalchemy import exists, func, select

from app.access import Permission, current_actor
from app.kit import clock
from app.kit.flow import FLOWS
from app.kit.operation import Refused, get
from app.kit.paper.kinds import Page, chinese_date
from app.kit.paper.wording import as_html
from app.kit.screen import Menu, PageView
from app.kit.sensitive import mask, permitted
from app.models import Objection, Publicity, PublicityEntry, db, setting, setting_int
from app.operations.proceedings.publicity import (
    answer_objection,
    lists_before_the_public,
    publish,
    record_objection,
    reveal_contact,
    select_public_entries,
    select_to_publish,
    take_off,
)
from app.papers.student_list import student_list
from app.views.cases.printing import print_run

SHOWN = 50


class PublicityView(PageView):
    """The registry's side: publish, record objections, answer them."""

    route_base = "/publicities"
    menu = Menu(_("Publicity"), "proceedings", "fa-bullhorn")
    reads = Permission.PUBLICITY_READ
    acts: ClassVar = {"can_publish": Permission.PUBLICITY_WRITE}

    @expose("/")
    @has_access
    def list(self):
        self.update_redirect()
        return self._list()

    @expose("/publish", methods=["POST"])
    @has_access
    @permission_name("publish")
    def publish(self):
        chosen = [int(one) for one in request.form.getlist("case") if one.isdecimal() and len(one) < 19]
        title, notice = request.form.get("title", ""), request.form.get("notice", "")
        try:
            days = int(request.form.get("days") or 0) or None
            publicity_id = publish(current_actor(), chosen, title, notice, days=days).id
        except ValueError:
            return self._list(_("Give the number of working days.")), 422
        except Refused as refused:
            return self._list(str(refused)), 422
        flash(_("Published. It stands on the public page from today."), "success")
        return redirect(url_for("PublicityView.show", publicity_id=publicity_id))

    def _list(self, error: Any = None) -> str:
        groups: dict[str, list[Any]] = {}
        for case, _step in db.session.execute(select_to_publish().limit(2000)) if may_publish() else ():
            groups.setdefault(case.flow, []).append(case)
        entries = select(func.count()).where(PublicityEntry.publicity_id == Publicity.id, ~PublicityEntry.removed)
        unanswered = exists().where(Objection.publicity_id == Publicity.id, Objection.answer.is_(None))
        query = select(Publicity, entries.scalar_subquery(), unanswered).order_by(Publicity.id.desc()).limit(SHOWN)
        school = setting("school_name")
        return self.render_template(
            "xueji/publicities.html", title=_("Publicity"), error=error, form=request.form,
            groups=[(key, FLOWS[key].title, cases) for key, cases in groups.items()], may_publish=may_publish(),
            days=setting_int("publicity_days"), today=clock.today(), public_url=url_for("PublicPublicityView.list"),
            notice=f"对公示内容有异议的，请在公示期内以书面形式向{school}教务处学籍中心反映，并写明姓名和联系方式。",
            lists=[(one, count, waits, format_date(one.opens_on), format_date(one.closes_on))
                   for one, count, waits in db.session.execute(query)],
        )  # fmt: skip

    @expose("/<int:publicity_id>")
    @has_access
    @permission_name("list")
    def show(self, publicity_id: int):
        publicity = get(Publicity, publicity_id)
        entries = select(PublicityEntry).where(PublicityEntry.publicity_id == publicity_id).order_by(PublicityEntry.id)
        objections = select(Objection).where(Objection.publicity_id == publicity_id).order_by(Objection.id)
        left = (publicity.closes_on - clock.today()).days
        self.update_redirect()
        return self.render_template(
            "xueji/publicity.html", title=publicity.title, publicity=publicity, running=left >= 0,
            opens=format_date(publicity.opens_on), closes=format_date(publicity.closes_on),
            left=ngettext("%(num)s day left", "%(num)s days left", left) if left >= 0 else None,
            entries=[*db.session.scalars(entries)], objections=[*db.session.scalars(objections)],
            may_publish=may_publish(), form=request.form, mask=mask,
            may_reveal=may_publish() and permitted(current_actor(), "contact"),
        )  # fmt: skip

    @expose("/<int:publicity_id>/object", methods=["POST"])
    @has_access
    @permission_name("publish")
    def object(self, publicity_id: int):
        about = request.form.get("case", "")
        self._do(
            record_objection, publicity_id, objector=request.form.get("objector", ""),
            text=request.form.get("text", ""), contact=request.form.get("contact", ""),
            case_id=int(about) if about.isdecimal() and len(about) < 19 else None,
        )  # fmt: skip
        return redirect(url_for("PublicityView.show", publicity_id=publicity_id))

    @expose("/objection/<int:objection_id>/answer", methods=["POST"])
    @has_access
    @permission_name("publish")
    def answer(self, objection_id: int):
        publicity_id = get(Objection, objection_id).publicity_id
        self._do(answer_objection, objection_id, request.form.get("answer", ""))
        return redirect(url_for("PublicityView.show", publicity_id=publicity_id))

    @expose("/objection/<int:objection_id>/contact", methods=["POST"])
    @has_access
    @permission_name("publish")
    def reveal(self, objection_id: int):
        return jsonify(value=reveal_contact(current_actor(), objection_id))

    @expose("/entry/<int:entry_id>/remove", methods=["POST"])
    @has_access
    @permission_name("publish")
    def remove(self, entry_id: int):
        publicity_id = get(PublicityEntry, entry_id).publicity_id
        self._do(take_off, entry_id, request.form.get("reason", ""))
        return redirect(url_for("PublicityView.show", publicity_id=publicity_id))

    @expose("/<int:publicity_id>/print")
    @has_access
    @permission_name("list")
    def print(self, publicity_id: int):
        """The list as an A4 paper to be posted."""
        publicity = get(Publicity, publicity_id)
        return print_run(self, publicity.title, [poster(publicity)])

    def _do(self, verb: Any, *args: Any, **how: Any) -> None:
        try:
            verb(current_actor(), *args, **how)
        except Refused as refused:
            flash(str(refused), "danger")


class PublicPublicityView(PageView):
    """What is before the public today; no login, and nothing that the law does not allow."""

    route_base = "/publicity"

    @expose("/")
    def list(self):
        lists = [
            (one, format_date(one.opens_on), format_date(one.closes_on), rows)
            for one, rows in lists_before_the_public(clock.today())
        ]
        return self.render_template("xueji/public_publicity.html", title=_("Publicity"), lists=lists,
                                    school=setting("school_name"))  # fmt: skip


def may_publish() -> bool:
    return current_actor().may(Permission.PUBLICITY_WRITE)


def poster(publicity: Publicity) -> Page:
    rows = db.session.execute(select_public_entries(publicity.id)).all()
    if not rows:
        abort(404)
    students = student_list((row.college_name, row.name, row.masked_no, row.matter) for row in rows)
    days = f"{chinese_date(publicity.opens_on)}至{chinese_date(publicity.closes_on)}"
    (notice,) = as_html([publicity.notice])
    body = Markup(  # noqa: S704 - every value is escaped
        f'<p class="indent">{notice}</p><p class="indent">公示期：{days}。</p>{students}'
        f'<p class="right seal keep">{escape(setting("school_name"))}教务处<br>{chinese_date(publicity.opens_on)}</p>'
    )
    return Page(publicity.title, None, body, chinese_date(publicity.opens_on))
