"""会议 meetings: the joint meetings that agreed to cases, with their minutes."""

from typing import Any, BinaryIO, cast

from flask import flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from sqlalchemy import select
from wtforms import DateField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from app.access import Permission, current_actor
from app.kit import clock
from app.kit.filing import files_root
from app.kit.flow import flow_of
from app.kit.operation import Refused, get
from app.kit.screen import Menu, Screen
from app.models import Case, CaseStep, Meeting, MeetingKind, db
from app.operations.proceedings.meetings import (
    attach_minutes,
    cancel_meeting,
    is_named,
    is_own,
    kinds_of,
    minutes_file,
    record_meeting,
)
from app.views.cases.scans import shown_file

MOST_CASES = 200


class MeetingScreen(Screen):
    """Meetings of the reader's college, or of the school. Recorded and never edited: a wrong one is cancelled."""

    model = Meeting
    menu = Menu(_("Meetings"), "proceedings", "fa-users")
    reads = Permission.MEETING_READ
    acts = {"can_record": Permission.MEETING_WRITE}
    label_columns = {
        "number": _("Number"), "held_on": _("Held on"), "kind": _("Kind"), "college": _("College"),
        "participants": _("Participants"), "resolution": _("Resolution"), "minutes_name": _("Minutes"),
        "recorded_at": _("Recorded at"), "cancelled": _("Cancelled"),
    }  # fmt: skip
    picks = {"kind": MeetingKind}
    quick = ("number",)
    list_columns = ["number", "held_on", "kind", "college", "resolution", "minutes_name", "cancelled"]
    sentences = ("resolution",)
    show_columns = [*list_columns[:4], "participants", "resolution", "minutes_name", "recorded_at", "cancelled"]
    search_columns = ["number", "held_on", "kind", "college", "cancelled"]
    order_columns = ["number", "held_on"]
    base_order = ("held_on", "desc")
    list_title, show_title = _("Meetings"), _("Meeting")
    show_template = "xueji/meeting.html"

    def render_template(self, template: str, **kwargs: Any):
        kwargs["may_record"] = may_record()
        if "pk" in kwargs:
            kwargs |= about(get(Meeting, int(kwargs["pk"])))
        return super().render_template(template, **kwargs)

    def list_extras(self, shown: list[str]) -> dict[str, Any]:
        extras = super().list_extras(shown)
        return extras | {"begin": (url_for("MeetingScreen.record"), _("Record a meeting"))} if may_record() else extras

    @expose("/record", methods=["GET", "POST"])
    @has_access
    @permission_name("record")
    def record(self):
        """A meeting that was held, with the scan of its minutes when it is at hand."""
        form, error = meeting_form(), None
        if request.method == "POST" and form.validate():
            try:
                meeting_id = record_meeting(current_actor(), **{field.name: field.data for field in form}).id
            except Refused as refused:
                error = str(refused)
            else:
                try:
                    self._attach(meeting_id)
                    flash(_("The meeting is recorded. Steps that need one can name it now."), "success")
                except Refused as refused:  # the meeting stands: the page of it takes another scan
                    flash(_("The meeting is recorded without its minutes. %(why)s", why=refused), "warning")
                return redirect(url_for("MeetingScreen.show", pk=meeting_id))
        page = self.render_template("xueji/meeting_form.html", title=_("Record a meeting"), form=form, error=error)
        return page, 422 if error or form.errors else 200

    @expose("/minutes/<int:meeting_id>", methods=["GET"])
    @has_access
    @permission_name("show")
    def minutes(self, meeting_id: int):
        path, meeting = minutes_file(current_actor(), meeting_id, files_root=files_root())
        return shown_file(path, meeting.minutes_type, meeting.minutes_name)

    @expose("/attach/<int:meeting_id>", methods=["POST"])
    @has_access
    @permission_name("record")
    def attach(self, meeting_id: int):
        try:
            if not self._attach(meeting_id):
                raise Refused(_("Choose a file first."))
        except Refused as refused:
            flash(str(refused), "danger")
        return redirect(url_for("MeetingScreen.show", pk=meeting_id))

    @expose("/cancel/<int:meeting_id>", methods=["POST"])
    @has_access
    @permission_name("record")
    def cancel(self, meeting_id: int):
        try:
            cancel_meeting(current_actor(), meeting_id)
        except Refused as refused:
            flash(str(refused), "danger")
        return redirect(url_for("MeetingScreen.show", pk=meeting_id))

    def _attach(self, meeting_id: int) -> bool:
        sent = request.files.get("minutes")
        if sent is None or not sent.filename:
            return False
        stream = cast(BinaryIO, sent.stream)
        attach_minutes(current_actor(), meeting_id, stream, sent.filename, files_root=files_root())
        return True


def may_record() -> bool:
    return current_actor().may(Permission.MEETING_WRITE)


def about(meeting: Meeting) -> dict[str, Any]:
    """What the page of one meeting shows beside its columns: the minutes, the cases, whether the reader may change its record."""
    agreed = select(Case, CaseStep.records["resolution"].as_string()).join(CaseStep, CaseStep.case_id == Case.id)
    agreed = agreed.where(CaseStep.meeting_id == meeting.id).order_by(Case.id).limit(MOST_CASES)
    return {
        "minutes": meeting.minutes_name,
        "cases": [
            (case.subject, flow_of(case).title, url_for("CaseScreen.show", pk=case.id), resolution)
            for case, resolution in db.session.execute(agreed)
        ],
        "own": not meeting.cancelled and is_own(current_actor(), meeting) and not is_named(meeting),
    }


def meeting_form() -> FlaskForm:
    fields: dict[str, Any] = {
        "number": StringField(_("Number"), [InputRequired(), Length(max=40)]),
        "held_on": DateField(_("Held on"), [InputRequired()], default=clock.today),
        "participants": TextAreaField(_("Participants"), [InputRequired(), Length(max=2000)]),
        "resolution": TextAreaField(_("Resolution"), [InputRequired(), Length(max=2000)]),
    }
    kinds = kinds_of(current_actor())
    if len(kinds) > 1:
        fields["kind"] = SelectField(_("Kind"), [InputRequired()], choices=[(kind.value, kind.label) for kind in kinds])
    return type("MeetingForm", (FlaskForm,), fields)(meta={"csrf": False})  # the whole page carries the token
