"""学生 the roster: list, student page, and the same rows over the API."""

from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField, TextAreaField
from wtforms.validators import Length, Optional, Regexp

from app.access import Permission, current_actor
from app.kit.operation import Faulty, Refused, get
from app.kit.screen import Api, Menu, Screen
from app.kit.sensitive import SENSITIVE
from app.models import RosterChange, RosterStatus, Student
from app.operations.roster.contact import CONTACT, change_contact, open_contact
from app.views.cases.forms import say_faults
from app.views.roster import student_page
from app.workbooks.roster import roster_export

LABELS = {
    "student_no": _("Student number"),
    "name": _("Name"),
    "pinyin": _("Pinyin"),
    "initials": _("Initials of the pinyin"),
    "former_name": _("Former name"),
    "sex_code": _("Sex"),
    "sex": _("Sex"),
    "birth_date": _("Birth date"),
    "id_type_code": _("Type of ID"),
    "id_number": _("ID number"),
    "ethnic_group_code": _("Ethnic group"),
    "ethnic_group": _("Ethnic group"),
    "political_status_code": _("Political status"),
    "political_status": _("Political status"),
    "nationality_code": _("Nationality"),
    "nationality": _("Nationality"),
    "native_place": _("Native place"),
    "examinee_no": _("Examinee number"),
    "entry_year": _("Entry year"),
    "entry_date": _("Entry date"),
    "source_province": _("Province of origin"),
    "graduated_school": _("Secondary school"),
    "admission_score": _("Admission score"),
    "college": _("College"),
    "major": _("Major"),
    "class_group": _("Class"),
    "grade": _("Grade"),
    "education_level_code": _("Level"),
    "education_level": _("Level"),
    "study_form_code": _("Form of study"),
    "study_form": _("Form of study"),
    "study_length": _("Years of study"),
    "expected_graduation": _("Expected graduation"),
    "campus": _("Campus"),
    "status": _("Roster status"),
    "registered": _("Formally registered"),
    "away_until": _("End of leave"),
    "phone": _("Phone"),
    "email": _("E-mail"),
    "address": _("Address"),
    "postcode": _("Postcode"),
    "guardian_name": _("Guardian"),
    "guardian_phone": _("Guardian's phone"),
    "dormitory": _("Dormitory"),
    "note": _("Note"),
}


class StudentScreen(Screen):
    """The roster. Status changes through flows, never by hand."""

    model = Student
    menu = Menu(_("Students"), "roster", "fa-graduation-cap")
    reads = Permission.ROSTER_READ
    acts = {"can_contact": Permission.STUDENT_CONTACT_WRITE}
    label_columns = LABELS
    quick = ("student_no", "examinee_no", "name", "pinyin", "initials")
    pasted = "student_no"
    workbooks = [roster_export]
    exports = Permission.ROSTER_EXPORT
    frozen = 2
    picks = {"status": RosterStatus} | {
        column: column for column in ("sex", "ethnic_group", "political_status", "education_level", "study_form")
    }
    lookups = {"class_group": "ClassGroupScreen.lookup"}
    masked = {name: SENSITIVE[name] for name in ("id_number", "phone", "email", "address", "guardian_phone")}
    list_columns = ["student_no", "name", "sex_code", "college", "major", "class_group", "grade", "status"]
    more_columns = [
        "birth_date", "ethnic_group_code", "political_status_code", "examinee_no", "entry_year", "entry_date",
        "source_province", "education_level_code", "study_length", "expected_graduation", "campus", "registered", "away_until",
        "id_number", "phone", "email", "dormitory",
    ]  # fmt: skip
    order_columns = ["student_no", "name", "grade", "status"]
    search_columns = [
        "student_no", "name", "college", "major", "class_group", "grade", "status", "registered", "sex", "birth_date",
        "ethnic_group", "political_status", "education_level", "study_form", "entry_year", "entry_date",
        "expected_graduation", "away_until", "examinee_no", "source_province", "campus", "dormitory",
    ]  # fmt: skip
    base_order = ("student_no", "asc")
    list_title, show_title = _("Students"), _("Student")

    @expose("/show/<pk>")
    @has_access
    def show(self, pk: str):
        student = self.datamodel.get(pk, self._base_filters)
        if student is None:
            abort(404)
        self.update_redirect()
        tab, number = request.args.get("tab", ""), request.args.get("page", 0, type=int)
        day = student_page.day_of(request.args.get("as_of", ""))
        facts = student_page.page(student, tab, number, self.label_columns, self.masked, day)
        return self.render_template("xueji/student.html", title=self.show_title, **facts)

    @expose("/contact/<int:student_id>", methods=["GET", "POST"])
    @has_access
    @permission_name("contact")
    def contact(self, student_id: int):
        """Contact data, which the college keeps up to date without a procedure."""
        student, error, back = get(Student, student_id), None, url_for("StudentScreen.show", pk=student_id)
        form = contact_form(open_contact(current_actor(), student_id) if request.method == "GET" else {})
        if request.method == "POST" and form.validate():
            values = {name: (form[name].data or "").strip() or None for name in CONTACT}
            try:
                change_contact(current_actor(), student_id, int(form.version.data), values)
                flash(_("Saved."), "success")
                return redirect(back)
            except Faulty as faulty:
                say_faults(form, faulty.faults)
            except Refused as refused:
                error = str(refused)
        page = self.render_template(
            "xueji/contact.html", title=_("Contact data"), student=student, form=form, error=error, back_url=back
        )
        return page, 422 if error or form.errors else 200


def contact_form(data: dict[str, Any]) -> FlaskForm:
    """The contact columns with their lengths, and the version of the student that the reader saw."""
    columns = Student.__table__.c
    fields: dict[str, Any] = {
        name: (TextAreaField if name == "note" else StringField)(
            LABELS[name], [Optional(), Length(max=getattr(columns[name].type, "length", None) or 2000)]
        )
        for name in CONTACT
    }  # fmt: skip
    fields["version"] = HiddenField(validators=[Regexp(r"\d{1,9}\Z")])
    return type("ContactForm", (FlaskForm,), fields)(data=data, meta={"csrf": False})  # the page carries the token


class StudentApi(Api):
    """Students as JSON, masked columns left out."""

    model = Student
    label_columns = LABELS
    resource_name = "student"
    reads = Permission.ROSTER_READ
    list_columns = [
        "id", "student_no", "name", "sex", "college.name", "major.name", "class_group.name", "grade", "status",
    ]  # fmt: skip
    show_columns = [*list_columns, "entry_year", "registered", "expected_graduation"]
    search_columns = StudentScreen.search_columns
    order_columns = ["student_no", "name", "grade", "status"]


class RosterChangeApi(Api):
    """The ledger of roster changes."""

    model = RosterChange
    label_columns = {
        "student": _("Student"), "code": _("Code"), "reason": _("Reason"), "effective_on": _("Effective on"),
        "until": _("Until"), "approved_on": _("Approved on"), "document_no": _("Document number"),
        "old_status": _("Old status"), "new_status": _("New status"), "old_text": _("Old"), "new_text": _("New"),
        "note": _("Note"), "recorded_at": _("Recorded at"), "undone_by": _("Undone by"), "why": _("Reason"),
    }  # fmt: skip
    resource_name = "roster_change"
    reads = Permission.ROSTER_READ
    list_columns = show_columns = [
        "id", "student.id", "student.student_no", "code", "reason", "effective_on", "until", "approved_on", "document_no", "old_status",
        "new_status", "old_text", "new_text", "note", "recorded_at",
        "why", "undone_by",
    ]  # fmt: skip
    search_columns = ["student", "code", "effective_on", "new_status"]
    order_columns = ["effective_on", "id"]
