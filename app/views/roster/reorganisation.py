"""院系调整 moves of majors: the form with its preview, what waits for its day, and what has been."""

from datetime import date
from typing import Any, ClassVar

from flask import flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import format_date
from flask_babel import lazy_gettext as _
from sqlalchemy import Select, select

from app.access import Permission, current_actor
from app.kit import clock
from app.kit.operation import Faulty, Refused
from app.kit.screen import Menu, PageView
from app.kit.screen.present import TONES
from app.models import College, EffectState, Major, Reorganisation, db
from app.operations.roster.reorganisation import annul, foresee, reorganise

SETTLED_SHOWN = 50


class ReorganisationView(PageView):
    """Nothing is moved before its preview has been looked at."""

    route_base = "/reorganisations"
    menu = Menu(_("Moves of majors"), "organisation", "fa-right-left")
    reads = Permission.HISTORY_READ
    acts: ClassVar = {"can_reorganise": Permission.ORGANISATION_WRITE}

    @expose("/")
    @has_access
    def list(self):
        self.update_redirect()
        return self._page()

    @expose("/preview", methods=["POST"])
    @has_access
    @permission_name("reorganise")
    def preview(self):
        try:
            if "again" in request.form:
                return self._page()
            return self._page(preview=foresee(current_actor(), **asked()))
        except Refused as refused:
            return self._refused(refused)

    @expose("/decide", methods=["POST"])
    @has_access
    @permission_name("reorganise")
    def decide(self):
        try:
            row = reorganise(current_actor(), **asked())
        except Refused as refused:
            return self._refused(refused)
        if row.state == EffectState.APPLIED:
            flash(_("Moved: %(n)s students went along.", n=row.students), "success")
        else:
            flash(_("Decided. It takes place on %(day)s.", day=format_date(row.effective_on)), "success")
        return redirect(url_for("ReorganisationView.list"))

    @expose("/<int:reorganisation_id>/annul", methods=["POST"])
    @has_access
    @permission_name("reorganise")
    def annul(self, reorganisation_id: int):
        try:
            annul(current_actor(), reorganisation_id, request.form.get("reason", ""))
        except Refused as refused:
            return self._page(error=refused.reason, form={}), 422
        flash(_("Annulled. The major stays where it is."), "success")
        return redirect(url_for("ReorganisationView.list"))

    def _refused(self, refused: Refused) -> Any:
        faults = refused.faults if isinstance(refused, Faulty) else {}
        return self._page(error=None if faults else refused.reason, faults=faults), 422

    def _page(self, *, preview: Any = None, error: Any = None, faults: Any = None, form: Any = None) -> str:
        row, waits = Reorganisation, Reorganisation.state == EffectState.WAITING
        may = current_actor().may(Permission.ORGANISATION_WRITE)
        majors = db.session.scalars(select(Major).join(College).order_by(College.code, Major.code)) if may else ()
        return self.render_template(
            "xueji/reorganisations.html", title=_("Moves of majors"), may=may, preview=preview, error=error,
            faults=faults or {}, form=request.form if form is None else form, today=clock.today(),
            majors=[(str(one.id), f"{one.college} · {one}") for one in majors],
            colleges=[(str(one.id), str(one)) for one in db.session.scalars(
                select(College).where(College.active).order_by(College.code))] if may else [],
            waiting=rows(select(row).where(waits).order_by(row.effective_on, row.id)),
            settled=rows(select(row).where(~waits).order_by(row.settled_at.desc(), row.id.desc()).limit(SETTLED_SHOWN)),
        )  # fmt: skip


def asked() -> dict[str, Any]:
    """What the form asks for. Raises Faulty for what is no choice or no day."""
    form = request.form
    faults: dict[str, Any] = {}
    made: dict[str, Any] = {}
    for field, why in (("major_id", _("Choose a major.")), ("college_id", _("Choose a college that is in use."))):
        given = form.get(field, "")
        if given.isascii() and given.isdecimal() and len(given) < 10:
            made[field] = int(given)
        else:
            faults[field] = why
    try:
        made["effective_on"] = date.fromisoformat(form.get("effective_on", ""))
    except ValueError:
        faults["effective_on"] = _("Give the day from which it counts.")
    if faults:
        raise Faulty(faults)
    return made | {name: form.get(name, "") for name in ("reason", "document_no", "new_code")}


def rows(query: Select) -> list[dict[str, Any]]:
    return [
        {
            "id": one.id, "major": one.major, "old": one.old_college, "new": one.new_college, "reason": one.reason,
            "on": format_date(one.effective_on), "document": one.document_no, "students": one.students,
            "why": one.settled_reason, "state": EffectState(one.state).label,
            "tone": TONES.get(EffectState(one.state), "muted"),
        }
        for one in db.session.scalars(query)
    ]  # fmt: skip
