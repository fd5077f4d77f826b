"""转专业申请汇总表 the applications of a round as a workbook: filled in with scores, it is the ranking sheet."""

from flask_babel import lazy_gettext as _
from sqlalchemy import Select, case, select
from sqlalchemy.orm import aliased

from app.kit.workbook.declare import Column, Workbook
from app.models import CaseState, ClassGroup, College, Major, Student, TransferCase, TransferRound


def select_applications(matching: Select | None) -> Select:
    """One row an application, those that are drafts left out; `matching` selects ids."""
    wish = [aliased(Major, name=f"wish_{place}") for place in (1, 2, 3)]
    admitted, old = aliased(Major, name="admitted_major"), aliased(Major, name="old_major")
    state = case({kind.value: str(kind.label) for kind in CaseState}, value=TransferCase.state)
    statement = (
        select(
            TransferRound.title.label("round"), TransferCase.number, Student.student_no, Student.name,
            College.called().label("college"), old.called().label("old_major"), Student.grade,
            *(one.called().label(name) for one, name in zip(wish, ("first", "second", "third"), strict=True)),
            TransferCase.score, TransferCase.second_score, admitted.called().label("major"),
            ClassGroup.name.label("class_group"), state.label("state"),
        )
        .select_from(TransferCase)
        .join(Student, Student.id == TransferCase.student_id)
        .join(College, College.id == TransferCase.college_id)
        .join(old, old.id == Student.major_id)
        .outerjoin(TransferRound, TransferRound.id == TransferCase.round_id)
        .outerjoin(wish[0], wish[0].id == TransferCase.first_major_id)
        .outerjoin(wish[1], wish[1].id == TransferCase.second_major_id)
        .outerjoin(wish[2], wish[2].id == TransferCase.third_major_id)
        .outerjoin(admitted, admitted.id == TransferCase.major_id)
        .outerjoin(ClassGroup, ClassGroup.id == TransferCase.class_group_id)
        .where(TransferCase.state != CaseState.DRAFT)
    )  # fmt: skip
    if matching is not None:
        statement = statement.where(TransferCase.id.in_(matching))
    return statement.order_by(TransferCase.round_id, College.code, Student.student_no)


transfer_applications = Workbook(
    key="transfer_applications",
    title=_("Applications for a change of major"),
    rows=select_applications,
    group="college",
    columns=[
        Column("round", _("Round")),
        Column("number", _("Case"), "code"),
        Column("student_no", _("Student number"), "code"),
        Column("name", _("Name")),
        Column("college", _("College")),
        Column("old_major", _("Major")),
        Column("grade", _("Grade"), "integer"),
        Column("first", _("First choice")),
        Column("second", _("Second choice")),
        Column("third", _("Third choice")),
        Column("score", _("Score"), "number"),
        Column("second_score", _("Second score"), "number"),
        Column("major", _("Admitted to")),
        Column("class_group", _("Class")),
        Column("state", _("State")),
    ],
)
