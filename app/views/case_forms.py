"""表单 forms of a case: what its applicant fills in, and what a step must record, as the flow declares them."""

from typing import Any

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from sqlalchemy import select
from wtforms import BooleanField, DateField, Field, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from app.access import current_actor
from app.kit.flow import Flow, label
from app.kit.flow.words import choices
from app.models import Case, ClassGroup, Student, db
from app.operations.meetings import select_own_meetings

LONG = frozenset({"statement"})
HINTS = {
    "leave_terms": _("1 or 2; one leave and all leaves together have limits that the school sets."),
    "evidence_date": _(
        "For illness and enlistment: the day on the diagnosis or the notice. The case must be handed in within a week of it."
    ),
    "statement": _("Why, in your own words."),
}


def application_form(flow: Flow, case: Case | None = None) -> FlaskForm:
    """The form of a flow, filled in from the case. Fields that only some reasons need are never required here."""
    fields = {
        item.key: _field(flow, item.key, required=item.when is None and not item.optional) for item in flow.fields
    }
    return _form(fields, case)


def records_form(flow: Flow, step: dict[str, Any], case: Case, student: Student | None) -> FlaskForm | None:
    """What a step, as it was declared, must record; None when it records nothing."""
    fields = {key: _field(flow, key, required=True, student=student) for key in step["records"]}
    if step.get("meeting"):
        fields["meeting_id"] = SelectField(
            _("Meeting"),
            [InputRequired()],
            choices=_meetings(),
            description=_("Not there? Record it under “Meetings”."),
        )
    if step["originals"]:
        fields["originals"] = BooleanField(_("The originals are at hand"), [InputRequired()])
    return _form(fields, case) if fields else None


def _form(fields: dict[str, Field], case: Case | None) -> FlaskForm:
    kind = type("CaseForm", (FlaskForm,), fields)
    return kind(obj=case, meta={"csrf": False})  # the templates carry the token of the whole page


def _field(flow: Flow, key: str, *, required: bool, student: Student | None = None) -> Field:
    name, column = label("field", key), flow.model.__mapper__.columns[key]
    needed: list[Any] = [InputRequired()] if required else [Optional()]
    more = {"description": HINTS.get(key, "")}
    if offered := choices(flow, key):
        return SelectField(name, needed, choices=offered, **more)
    if key == "class_group_id":
        return SelectField(name, needed, choices=_classes(student), coerce=_number, **more)
    kind = column.type.python_type
    if kind is int:
        return IntegerField(name, [*needed, NumberRange(0, 9999)], **more)
    if kind.__name__ == "date":
        return DateField(name, needed, **more)
    if key in LONG:
        return TextAreaField(name, [*needed, Length(max=2000)], **more)
    return StringField(name, [*needed, Length(max=200)], **more)


def _number(value: str | None) -> int | None:
    return int(value) if value else None


def _classes(student: Student | None) -> list[tuple[Any, Any]]:
    """The classes of the student's major, the newest grade first."""
    if student is None:
        return [("", "")]
    query = select(ClassGroup).where(ClassGroup.major_id == student.major_id)
    rows = db.session.scalars(query.order_by(ClassGroup.grade.desc(), ClassGroup.name))
    return [("", ""), *((row.id, row.name) for row in rows)]


def _meetings() -> list[tuple[Any, Any]]:
    rows = db.session.scalars(select_own_meetings(current_actor()).limit(100))
    return [("", ""), *((str(row.id), f"{row} {row.resolution[:30]}") for row in rows)]


def values(form: FlaskForm) -> dict[str, Any]:
    """What was filled in, by column."""
    return {field.name: field.data for field in form}
