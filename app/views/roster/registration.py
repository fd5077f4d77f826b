"""学期注册 registration: the list of each term, and the form by which a college records it."""

from datetime import date

from flask import flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import format_date, format_datetime, ngettext
from flask_babel import lazy_gettext as _

from app.access import Permission, current_actor
from app.kit import clock
from app.kit.operation import Refused
from app.kit.screen import Menu, Screen
from app.kit.screen.comparing import pasted
from app.models import Registration, RegistrationState, Season, Student, db
from app.operations.roster.registration import (
    confirm,
    counts,
    last_act,
    latest_check_in,
    register,
    select_unrecorded,
    take_back,
)


class RegistrationScreen(Screen):
    """Who has registered for which term. Recorded on the form beside it, and confirmed by the student herself."""

    model = Registration
    menu = Menu(_("Term registration"), "roster", "fa-user-check")
    reads = Permission.HISTORY_READ
    acts = {"can_record": Permission.REGISTRATION_WRITE, "can_confirm": Permission.REGISTRATION_CONFIRM}
    base_permissions = ["can_list", "can_record", "can_confirm"]
    label_columns = {
        "student": _("Student"), "college": _("College"), "year": _("Academic year"), "season": _("Term"),
        "term": _("Term"), "state": _("State"), "due_on": _("May register until"), "recorded_at": _("Recorded at"),
        "confirmed_at": _("Confirmed by the student"),
    }  # fmt: skip
    picks = {"state": RegistrationState, "season": Season}
    list_columns = ["student", "college", "term", "state", "due_on", "recorded_at", "confirmed_at"]
    search_columns = ["state", "season", "year", "college", "due_on"]
    order_columns = ["due_on", "recorded_at"]
    base_order = ("recorded_at", "desc")
    list_title = _("Term registration")
    list_template = "xueji/registrations.html"

    def render_template(self, template: str, **kwargs):
        kwargs["may_record"] = current_actor().may(Permission.REGISTRATION_WRITE)
        return super().render_template(template, **kwargs)

    @expose("/record", methods=["GET", "POST"])
    @has_access
    @permission_name("record")
    def record(self):
        """The term that has begun last: who has reported in, in one act for any number of students. Whom nobody has
        recorded yet is named first: `rest` asks for the names, `number` are those that stayed ticked."""
        actor, form, error = current_actor(), request.form, None
        term = latest_check_in(actor.scope.college_id, clock.today())
        names: list[Student] = []
        if form.get("rest") and term:
            names = [*db.session.scalars(select_unrecorded(term, actor.scope.college_id))]
            error = None if names else _("Of everybody it is recorded already how they stand.")
        elif request.method == "POST":
            unrecorded = "number" in form
            numbers = form.getlist("number") if unrecorded else pasted(form.get("numbers", ""))
            try:
                until = date.fromisoformat(form["until"]) if form.get("until") else None
                done = register(actor, form.get("state", ""), numbers, unrecorded=unrecorded, until=until)
                flash(ngettext("Recorded: %(num)s student", "Recorded: %(num)s students", done), "success")
                return redirect(url_for("RegistrationScreen.record"))
            except ValueError:
                error = _("Give the last day of the deferral.")
            except Refused as refused:
                error = refused.reason
        last = last_act(actor)
        page = self.render_template(
            "xueji/registration_form.html", title=_("Record registrations"), error=error, form=form, term=term, names=names,
            states=[*RegistrationState], counts=counts(term, actor.scope.college_id) if term else [],
            name=f"{term.year}-{term.year + 1} {Season(term.season).label}" if term else None,
            days=(format_date(term.opens_on), format_date(term.closes_on)) if term else None,
            last=last, last_at=format_datetime(last.recorded_at, "short") if last else None,
        )  # fmt: skip
        return page, 422 if error else 200

    @expose("/take_back", methods=["POST"])
    @has_access
    @permission_name("record")
    def take_back(self):
        """Take back one act of recording."""
        act = request.form.get("act", "")
        try:
            done = take_back(current_actor(), int(act) if act.isdecimal() and len(act) < 19 else 0)
            flash(ngettext("Taken back for %(num)s student", "Taken back for %(num)s students", done), "success")
        except Refused as refused:
            flash(refused.reason, "danger")
        return redirect(url_for("RegistrationScreen.record"))

    @expose("/confirm/<int:registration_id>", methods=["POST"])
    @has_access
    @permission_name("confirm")
    def confirm(self, registration_id: int):
        """The student's own page asks for it."""
        confirm(current_actor(), registration_id)
        flash(_("Thank you: your data are confirmed."), "success")
        return redirect("/")
