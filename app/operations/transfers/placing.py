"""转专业编班 placing: the class that an admitted student joins in her new major, and what the transfer does."""

from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import Select, select

from app.kit.flow import hook
from app.models import ClassGroup, Student, TransferCase, among, db
from app.operations.roster.effects import changes, proposed, roster_effect


@roster_effect
def transfer(case_ids: list[int]) -> Select:
    """转专业"""
    into: dict[str, Any] = {"major_id": TransferCase.major_id, "class_group_id": TransferCase.class_group_id}
    return changes(TransferCase, case_ids, code="23", status=Student.status, **into)


@hook
def class_of_new_major(case_ids: list[int], records: dict[str, Any]) -> dict[int, Any]:
    """Cases whose class is not one of the new major and the student's grade."""
    group_id = proposed(records, "class_group_id", TransferCase.class_group_id)
    same = (ClassGroup.major_id == TransferCase.major_id) & (ClassGroup.grade == TransferCase.grade)
    fits = select(ClassGroup.id).where(ClassGroup.id == group_id, same).exists()
    wrong = db.session.scalars(select(TransferCase.id).where(among(TransferCase.id, case_ids), ~fits))
    return dict.fromkeys(wrong, _("The class is not one of the new major and the student's grade."))
