"""表单 forms of a case: what its applicant fills in, and what a step must record, as the flow declares them."""

from typing import Any

from flask_babel import format_date, gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from sqlalchemy import Text, select
from wtforms import BooleanField, DateField, Field, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from app.access import current_actor
from app.kit.flow import Flow, label
from app.kit.flow.filling import foreseen_faults, whole_number
from app.kit.flow.words import choices, present_value
from app.kit.operation import Refused
from app.kit.sensitive import mask, permitted, seen_by
from app.models import Case, ClassGroup, MeetingKind, Student, db
from app.operations.proceedings.gates import LONGEST_RESOLUTION
from app.operations.proceedings.meetings import select_own_meetings
from app.operations.roster.personal_data import UNCHANGED
from app.operations.roster.spelling import why_unspelled

HINTS = {
    "leave_terms": _("How many terms; one leave and all leaves together have limits that the school sets."),
    "evidence_date": _(
        "For illness and enlistment: the day on the diagnosis or the notice. The case must be handed in within a week of it."
    ),
    "statement": _("Why, in your own words."),
    "defence_answer": _("Stands in the letter. Write “none” if the student stated no defence."),
    "defence": _("What she said or wrote; write “none” if she made no use of her right."),
}


def application_form(flow: Flow, student: Student, case: Case | None = None) -> FlaskForm:
    """The form of a flow, filled in from the case. Fields that only some reasons need are required with these alone."""
    fields = {
        item.key: _field(flow, item.key, required=item.when is None and not item.optional, student=student, case=case)
        for item in flow.fields
    }
    form = _form(fields, case)
    for field in form:
        now = present_value(flow, student, field.name, format_date)
        if now is not None:
            shown = seen_by(None, field.name, now)
            field.description = " ".join(
                filter(None, [str(field.description), gettext("Now: %(value)s", value=str(shown))])
            )
    if "new_name" in form and (told := why_unspelled(form["new_name"].data)):
        form["new_name"].description = f"{form['new_name'].description} {told}"
    for key in _kept(form, case):
        form[key].data = None
        entered = gettext("Entered already: %(masked)s. Leave empty to keep it.", masked=mask(str(getattr(case, key))))
        form[key].description = " ".join(filter(None, [str(form[key].description), entered]))
    return form


def _kept(form: FlaskForm, case: Case | None) -> list[str]:
    """The fields whose value this reader does not see: it stays unless she enters another."""
    hidden = [field.name for field in form if not permitted(current_actor(), field.name)]
    return [key for key in hidden if case is not None and getattr(case, key) and not form[key].raw_data]


def can_be_saved(
    form: FlaskForm, flow: Flow, student: Student, case: Case | None = None, late_reason: str | None = None
) -> bool:
    """Whether the form may be saved; else every field says what is wrong with it, whoever finds it."""
    form.validate()
    for item in flow.fields:
        asked = item.when is not None and not item.optional and form[item.when.column].data in item.when.values
        if asked and form[item.key].data in (None, "") and not form[item.key].errors:
            form[item.key].errors = [form[item.key].gettext("This field is required.")]
    new = [field for field in form if field.name.startswith("new_")]  # a change is of one of these at least
    if new and not any(field.data or field.errors for field in new) and not _kept(form, case):
        new[0].errors = [str(UNCHANGED)]
    sound = {name: value for name, value in values(form).items() if not form[name].errors}
    foreseen = foreseen_faults(flow, student, case, sound, late_reason)
    say_faults(form, {name: why for name, why in foreseen.items() if not form[name].errors})
    return not form.errors


def say_faults(form: FlaskForm, faults: dict[str, Any]) -> None:
    """Let each field say what an operation found wrong with it."""
    for name, why in faults.items():
        form[name].errors = [*form[name].errors, str(why)]


def records_form(flow: Flow, step: dict[str, Any], case: Case, student: Student | None) -> FlaskForm | None:
    """What a step, as it was declared, must record; None when it records nothing."""
    fields = {key: _field(flow, key, required=True, student=student, case=case) for key in step["records"]}
    if step.get("meeting"):
        fields["meeting_id"] = SelectField(
            _("Meeting"),
            [InputRequired()],
            choices=_meetings(step["meeting"]),
            description=_(
                "A “%(kind)s” with its minutes. Not there? Record it under “Meetings”.",
                kind=MeetingKind(step["meeting"]).label,
            ),
        )
        fields["resolution"] = TextAreaField(
            _("Resolution on this case"),
            [Optional(), Length(max=LONGEST_RESOLUTION)],
            description=_("Left empty: agreed. The minutes stay with the meeting; this is read by the student."),
        )
    if step["originals"]:
        fields["originals"] = BooleanField(_("The originals are at hand"), [InputRequired()])
    return _form(fields, case) if fields else None


def _form(fields: dict[str, Field], case: Case | None) -> FlaskForm:
    kind = type("CaseForm", (FlaskForm,), fields)
    return kind(obj=case, meta={"csrf": False})  # the templates carry the token of the whole page


def _field(flow: Flow, key: str, *, required: bool, student: Student | None = None,
           case: Case | None = None) -> Field:  # fmt: skip
    name, column = label("field", key), flow.model.__mapper__.columns[key]
    needed: list[Any] = [InputRequired()] if required else [Optional()]
    more = {"description": HINTS.get(key, "")}
    if offered := choices(flow, key, case, student):
        return SelectField(name, needed, choices=offered, **more)
    if key == "class_group_id":
        return SelectField(name, needed, choices=_classes(student, case), coerce=_number, **more)
    kind = column.type.python_type
    if kind is int:
        return WholeNumberField(flow, key, name, needed, **more)
    if kind.__name__ == "date":
        return DateField(name, needed, **more)
    if isinstance(column.type, Text):
        return TextAreaField(name, [*needed, Length(max=2000)], **more)
    return StringField(name, [*needed, Length(max=200)], **more)


class WholeNumberField(IntegerField):
    """A number within the bounds of its column; what is none is told with them."""

    def __init__(self, flow: Flow, key: str, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.flow, self.key = flow, key

    def process_formdata(self, valuelist: list[str]) -> None:
        if valuelist and valuelist[0]:
            try:
                self.data = whole_number(self.flow, self.key, valuelist[0])
            except Refused as refused:
                self.data = None  # type: ignore[assignment]  # as WTForms itself does
                raise ValueError(str(refused)) from refused


def _number(value: str | None) -> int | None:
    return int(value) if value else None


def _classes(student: Student | None, case: Case | None) -> list[tuple[Any, Any]]:
    """The classes of the major that the case leads to, else of the student's own, the newest grade first."""
    major_id = getattr(case, "major_id", None) or (student and student.major_id)
    if major_id is None:
        return [("", "")]
    query = select(ClassGroup).where(ClassGroup.major_id == major_id)
    rows = db.session.scalars(query.order_by(ClassGroup.grade.desc(), ClassGroup.name))
    return [("", ""), *((row.id, row.name) for row in rows)]


def _meetings(kind: str) -> list[tuple[Any, Any]]:
    rows = db.session.scalars(select_own_meetings(current_actor(), kind).limit(100))
    return [("", ""), *((str(row.id), f"{row} {row.resolution[:30]}") for row in rows)]


def values(form: FlaskForm) -> dict[str, Any]:
    """What was filled in, by column."""
    actor = current_actor()
    return {field.name: field.data for field in form if field.data or permitted(actor, field.name)}
