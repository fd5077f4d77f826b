"""学籍异动名单 roster changes as a workbook: what the national platform asks for of each, in codes and in words."""

from flask_babel import lazy_gettext as _
from sqlalchemy import Date, Select, Text, case, cast, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import aliased

from app.kit.flow.labels import LABELS
from app.kit.workbook.declare import Column, Workbook
from app.models import ClassGroup, Code, College, Major, RosterChange, Student
from app.models.roster.ledger import DEATH

WAS, IS = "old", "new"


def select_changes(matching: Select | None) -> Select:
    """One row a ledger entry, the earliest first; `matching` selects ids. Names are those of today, as uploads want."""
    change, reason = aliased(Code, name="change"), aliased(Code, name="reason")
    grounds = {key.removeprefix("reason."): str(word) for key, word in LABELS.items() if key.startswith("reason.")}
    # a change of the school's own has no code to upload, only its word
    code = case((change.national, RosterChange.code))
    why = func.coalesce(
        func.jsonb_extract_path_text(literal(grounds, JSONB), RosterChange.why, type_=Text), reason.called()
    )
    corrected, revoked = _("Corrected, see %(number)s", number="#"), _("Revoked, see %(number)s", number="#")
    words = case((RosterChange.code == DEATH, str(corrected)), else_=str(revoked))
    undone = func.replace(words, "#", RosterChange.undone_by, type_=Text)
    sides = {side: (aliased(College), aliased(Major), aliased(ClassGroup)) for side in (WAS, IS)}
    places = [
        column
        for side, (college, major, group) in sides.items()
        for column in (
            college.called().label(f"{side}_college"), major.called().label(f"{side}_major"),
            major.national_code.label(f"{side}_major_code"), group.name.label(f"{side}_class"),
            getattr(RosterChange, f"{side}_grade"), getattr(RosterChange, f"{side}_study_length"),
        )
    ]  # fmt: skip
    statement = (
        select(
            Student.examinee_no, Student.student_no, Student.name, code.label("code"), change.called().label("category"),
            RosterChange.effective_on, why.label("reason"), RosterChange.until,
            RosterChange.approved_on, cast(func.timezone("Asia/Shanghai", RosterChange.recorded_at), Date).label("recorded_on"),
            RosterChange.document_no, *places,
            func.nullif(func.concat_ws("；", RosterChange.note, undone, type_=Text), "", type_=Text).label("note"),
        )
        .select_from(RosterChange)
        .join(Student, Student.id == RosterChange.student_id)
        .outerjoin(change, (change.code == RosterChange.code) & (change.set_key == "roster_change"))
        .outerjoin(reason, (reason.code == RosterChange.reason) & (reason.set_key == "change_reason"))
    )  # fmt: skip
    for side, (college, major, group) in sides.items():
        statement = (
            statement.outerjoin(college, college.id == getattr(RosterChange, f"{side}_college_id"))
            .outerjoin(major, major.id == getattr(RosterChange, f"{side}_major_id"))
            .outerjoin(group, group.id == getattr(RosterChange, f"{side}_class_group_id"))
        )
    if matching is not None:
        statement = statement.where(RosterChange.id.in_(matching))
    return statement.order_by(RosterChange.effective_on, RosterChange.id)


roster_changes = Workbook(
    key="roster_changes",
    title=_("Roster changes"),
    rows=select_changes,
    group="new_college",
    columns=[
        Column("examinee_no", _("Examinee number"), "code"),
        Column("student_no", _("Student number"), "code"),
        Column("name", _("Name")),
        Column("code", _("Code of the change"), "code"),
        Column("category", _("Category of the change")),
        Column("effective_on", _("Effective on"), "date"),
        Column("reason", _("Reason")),
        Column("until", _("Until"), "date"),
        Column("approved_on", _("Approved on"), "date"),
        Column("recorded_on", _("Recorded on"), "date"),
        Column("document_no", _("Document number"), "code"),
        Column("old_college", _("College before")),
        Column("old_major", _("Major before")),
        Column("old_major_code", _("National code of the major before"), "code"),
        Column("old_class", _("Class before")),
        Column("old_grade", _("Grade before"), "integer"),
        Column("old_study_length", _("Years of study before"), "number"),
        Column("new_college", _("College after")),
        Column("new_major", _("Major after")),
        Column("new_major_code", _("National code of the major after"), "code"),
        Column("new_class", _("Class after")),
        Column("new_grade", _("Grade after"), "integer"),
        Column("new_study_length", _("Years of study after"), "number"),
        Column("note", _("Note")),
    ],
)
