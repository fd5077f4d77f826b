"""学籍名册 the roster as a workbook: names, not codes; the columns of the national platform and contact data."""

from flask_babel import lazy_gettext as _
from sqlalchemy import Select, case, select
from sqlalchemy.orm import aliased

from app.kit.sensitive import SENSITIVE, mask
from app.kit.workbook.declare import Column, Workbook
from app.models import ClassGroup, Code, College, Major, RosterStatus, Student
from app.models.roster.student import CODED


def select_roster(matching: Select | None) -> Select:
    """One row a student with every column of the workbook, in order of student number; `matching` selects ids."""
    names = {column: aliased(Code, name=f"{column}_name") for column in CODED}
    status = case({kind.value: str(kind.label) for kind in RosterStatus}, value=Student.status)
    plain = [
        Student.student_no, Student.name, Student.pinyin, Student.former_name, Student.birth_date, Student.id_number,
        Student.native_place, Student.examinee_no, Student.entry_year, Student.entry_date,
        Student.source_province, Student.graduated_school, Student.admission_score, Student.grade,
        Student.study_length, Student.expected_graduation, Student.campus, Student.registered, Student.away_until.label("away_until"), Student.phone,
        Student.email, Student.address, Student.postcode, Student.guardian_name, Student.guardian_phone,
        Student.dormitory, Student.note,
    ]  # fmt: skip
    statement = (
        select(
            *plain,
            *(alias.called().label(column) for column, alias in names.items()),
            College.called().label("college"),
            Major.called().label("major"),
            Major.national_code.label("major_code"),
            ClassGroup.name.label("class_group"),
            status.label("status"),
        )
        .select_from(Student)
        .join(College, College.id == Student.college_id)
        .join(Major, Major.id == Student.major_id)
        .outerjoin(ClassGroup, ClassGroup.id == Student.class_group_id)
    )
    for column, alias in names.items():
        same = (alias.code == getattr(Student, column)) & (alias.set_key == CODED[column])
        statement = statement.outerjoin(alias, same)
    if matching is not None:
        statement = statement.where(Student.id.in_(matching))
    return statement.order_by(Student.student_no, Student.id)


roster_export = Workbook(
    key="roster",
    title=_("Roster"),
    rows=select_roster,
    group="college",
    columns=[
        Column("student_no", _("Student number"), "code"),
        Column("name", _("Name")),
        Column("sex", _("Sex")),
        Column("birth_date", _("Birth date"), "date"),
        Column("id_type", _("Type of ID")),
        Column("id_number", _("ID number"), "code", needs=SENSITIVE["id_number"], mask=mask),
        Column("ethnic_group", _("Ethnic group")),
        Column("political_status", _("Political status")),
        Column("college", _("College")),
        Column("major", _("Major")),
        Column("major_code", _("National code of the major"), "code"),
        Column("class_group", _("Class")),
        Column("grade", _("Grade"), "integer"),
        Column("status", _("Roster status")),
        Column("registered", _("Formally registered"), "boolean"),
        Column("away_until", _("End of leave"), "date"),
        Column("education_level", _("Level")),
        Column("study_form", _("Form of study")),
        Column("study_length", _("Years of study"), "number"),
        Column("entry_year", _("Entry year"), "integer"),
        Column("entry_date", _("Entry date"), "date"),
        Column("expected_graduation", _("Expected graduation"), "date"),
        Column("examinee_no", _("Examinee number"), "code"),
        Column("former_name", _("Former name")),
        Column("pinyin", _("Pinyin")),
        Column("nationality", _("Nationality")),
        Column("native_place", _("Native place")),
        Column("source_province", _("Province of origin")),
        Column("graduated_school", _("Secondary school")),
        Column("admission_score", _("Admission score"), "number"),
        Column("campus", _("Campus")),
        Column("phone", _("Phone"), "code", needs=SENSITIVE["phone"], mask=mask),
        Column("email", _("E-mail"), needs=SENSITIVE["email"], mask=mask),
        Column("address", _("Address"), needs=SENSITIVE["address"], mask=mask),
        Column("postcode", _("Postcode"), "code"),
        Column("guardian_name", _("Guardian")),
        Column("guardian_phone", _("Guardian's phone"), "code", needs=SENSITIVE["guardian_phone"], mask=mask),
        Column("dormitory", _("Dormitory")),
        Column("note", _("Note")),
    ],
)
