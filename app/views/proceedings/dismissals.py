"""退学处理申报 dismissals: the candidates of a 学院, declared, exempted or told apart; absences."""

from datetime import date
from typing import Any, BinaryIO, ClassVar, cast

from flask import flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import format_date, ngettext
from flask_babel import lazy_gettext as _
from sqlalchemy import func, inspect, select

from app.access import Permission, current_actor
from app.kit import clock
from app.kit.filing import files_root
from app.kit.flow import FLOWS, flow_of, label
from app.kit.flow.apply import attached_kinds, missing_materials
from app.kit.flow.material import ACCEPT
from app.kit.flow.window import why_closed
from app.kit.operation import Refused
from app.kit.screen import Menu, PageView
from app.models import Absence, ClockKind, DismissalCase, Exemption, RosterStatus, Student, db
from app.operations.proceedings.dismissals import (
    attach_to_drafts,
    declare,
    end_absence,
    exempt,
    hand_in_drafts,
    record_absence,
    select_being_decided,
    select_candidates,
    select_drafts,
)

PAGE = 200


class DismissalView(PageView):
    """The college's candidates for a dismissal: declare them, exempt them, record absences."""

    route_base = "/dismissals"
    menu = Menu(_("Dismissal candidates"), "proceedings", "fa-user-slash")
    reads = Permission.HISTORY_READ
    acts: ClassVar = {"can_declare": Permission.CASE_OPEN}

    @expose("/")
    @has_access
    def list(self):
        self.update_redirect()
        return self._list()

    def _list(self, error: Any = None) -> str:
        query = select_candidates(clock.today())
        count = db.session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
        exempted = select(Exemption, Student).join(Student, Student.id == Exemption.student_id)
        absent = (
            select(Absence, Student)
            .join(Student, Student.id == Absence.student_id)
            .where(Student.status == RosterStatus.ENROLLED, Absence.ended_on.is_(None))
        )
        actor = current_actor()
        drafts = list(db.session.scalars(select_drafts().limit(PAGE)))
        attached = attached_kinds([case.id for case in drafts])
        flow = FLOWS[inspect(DismissalCase).polymorphic_identity]
        outside = why_closed(flow, DismissalCase(college_id=actor.scope.college_id), clock.today())
        closed = outside and _("Declarations cannot be handed in now. %(why)s", why=outside)
        materials = flow_of(drafts[0]).materials if drafts else ()
        return self.render_template(
            "xueji/dismissals.html", title=_("Dismissal candidates"), error=error, closed=closed, form=request.form, count=count,
            rows=[(one, ClockKind(one.kind).label, format_date(one.since), format_date(one.due_on))
                  for one in db.session.scalars(query.limit(PAGE))],
            returning=[(one, format_date(one.due_on)) for one in db.session.scalars(select_being_decided(clock.today()).limit(PAGE))],
            exempted=db.session.execute(exempted.order_by(Exemption.id.desc()).limit(PAGE)).all(),
            absent=db.session.execute(absent.order_by(Absence.since).limit(PAGE)).all(),
            drafts=[(case, label("reason", case.reason), missing_materials(flow_of(case), case, attached.get(case.id, set())))
                    for case in drafts],
            kinds=[(item.key, label("material", item.key)) for item in materials], accept=ACCEPT,
            may=actor.may(Permission.CASE_OPEN) and actor.scope.kind == "college", today=clock.today(),
            lookup_url=url_for("StudentScreen.lookup"), reason_of=lambda ground: label("reason", ground), day=format_date,
        )  # fmt: skip

    @expose("/declare", methods=["POST"])
    @has_access
    @permission_name("declare")
    def declare(self):
        try:
            cases = declare(current_actor(), request.form.getlist("clock"), request.form.get("statement", ""))
        except Refused as refused:
            return self._list(str(refused)), 422
        flash(ngettext("%(n)s draft is made. Attach the declaration and the evidence and hand it in.",
                       "%(n)s drafts are made. Attach the declaration and the evidence and hand them in.",
                       len(cases), n=len(cases)),
              "success")  # fmt: skip
        return redirect(url_for("DismissalView.list"))

    @expose("/drafts", methods=["POST"])
    @has_access
    @permission_name("declare")
    def drafts(self):
        """Attach one scan to the selected drafts, or hand them in."""
        chosen = [int(one) for one in request.form.getlist("case") if one.isdecimal() and len(one) < 19]
        if request.form.get("act") == "hand_in":
            return self._do(hand_in_drafts, chosen)
        sent = request.files.get("file")
        if sent is None or not sent.filename:
            return self._list(_("Choose a file first.")), 422
        kind, stream = request.form.get("kind", ""), cast(BinaryIO, sent.stream)
        return self._do(attach_to_drafts, chosen, kind, stream, sent.filename, files_root=files_root())

    @expose("/exempt", methods=["POST"])
    @has_access
    @permission_name("declare")
    def exempt(self):
        return self._do(exempt, request.form.get("clock", ""), request.form.get("reason", ""))

    @expose("/absence", methods=["POST"])
    @has_access
    @permission_name("declare")
    def absence(self):
        since = day_of(request.form.get("since", ""))
        if since is None:
            return self._list(_("Give the first day of the absence.")), 422
        return self._do(record_absence, request.form.get("student", 0, int), since, request.form.get("note", ""))

    @expose("/absence/<int:absence_id>/end", methods=["POST"])
    @has_access
    @permission_name("declare")
    def back(self, absence_id: int):
        return self._do(end_absence, absence_id, day_of(request.form.get("ended_on", "")) or clock.today())

    def _do(self, verb: Any, *args: Any, **how: Any):
        try:
            verb(current_actor(), *args, **how)
        except Refused as refused:
            return self._list(str(refused)), 422
        return redirect(url_for("DismissalView.list"))


def day_of(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
