"""恢复 restoring: what was before an entry that no longer holds is put back by a new one, which refers to it; nothing is deleted."""

from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import Select, func, select
from sqlalchemy.orm import aliased

from app.access import Actor
from app.kit.flow import hook
from app.kit.flow.apply import note
from app.kit.operation import audit
from app.kit.paper.issuing import mark_papers
from app.models import Case, CorrectionCase, PaperMark, RosterChange, among, db
from app.models.roster.ledger import DEATH
from app.operations.roster.effects import RosterEffect, changes

RESTORED = "17"


def restore(model: Any, case_ids: list[int], entry: Any, *, code: Any, note: Any, effective_on: Any = None) -> Select:
    """The ledger rows of these cases that put back what was before `entry`, a condition on RosterChange."""
    earlier = aliased(RosterChange)  # what the entry had put an end to: a leave ends on the day that it said
    until = (
        select(earlier.until)
        .join(RosterChange, (RosterChange.student_id == earlier.student_id) & (earlier.id < RosterChange.id))
        .where(entry)
        .order_by(earlier.effective_on.desc(), earlier.id.desc())
        .limit(1)
        .correlate(model)
        .scalar_subquery()
    )

    def before(column: Any) -> Any:
        return select(column).where(entry).correlate(model).scalar_subquery()

    return changes(
        model, case_ids, code=code, status=before(RosterChange.old_status), note=note, until=until,
        effective_on=effective_on if effective_on is None else before(effective_on),
        major_id=before(RosterChange.old_major_id), grade=before(RosterChange.old_grade),
        class_group_id=before(RosterChange.old_class_group_id), undoes=before(RosterChange.id),
        study_length=before(RosterChange.old_study_length),
    )  # fmt: skip


def _latest_of(model: Any) -> Any:
    """The last entry of the ledger of each case's student."""
    other = aliased(RosterChange)
    latest = select(other.id).where(other.student_id == model.student_id)
    latest = latest.order_by(other.effective_on.desc(), other.id.desc()).limit(1)
    return latest.correlate(model).scalar_subquery()


@hook
def entered_as_dead(case_ids: list[int], records: dict[str, Any]) -> dict[int, Any]:
    """Cases whose student's ledger does not end with a death: there is nothing to put right."""
    dead = (RosterChange.id == _latest_of(CorrectionCase)) & (RosterChange.code == DEATH)
    query = select(CorrectionCase.id).where(
        among(CorrectionCase.id, case_ids), ~select(RosterChange.id).where(dead).exists()
    )
    return dict.fromkeys(db.session.scalars(query), _("The last entry in this student's ledger is no death: there is"
                                                      " nothing to put right."))  # fmt: skip


class Correction(RosterEffect):
    """Puts an entry right in the ledger; its case and its papers say so."""

    def __call__(self, actor: Actor, case_ids: list[int]) -> None:
        super().__call__(actor, case_ids)
        wrong, right = aliased(RosterChange), RosterChange
        mistaken = select(wrong.case_id).join(right, right.undoes_id == wrong.id).where(among(right.case_id, case_ids))
        ids = [case_id for case_id in db.session.scalars(mistaken) if case_id]
        for case in db.session.scalars(select(Case).where(among(Case.id, ids)).order_by(Case.id)):
            note(actor, case, "put_right")
            audit(actor, "case:put_right", subject="flow_case", subject_id=case.id, college_id=case.college_id,
                  detail={"cases": case_ids})  # fmt: skip
        db.session.flush()
        mark_papers(actor, ids, PaperMark.CORRECTED)


@hook
@Correction
def put_right(case_ids: list[int]) -> Select:
    """更正误登的死亡"""
    last_death = aliased(RosterChange)
    death = select(func.max(last_death.id)).where(
        last_death.student_id == CorrectionCase.student_id, last_death.code == DEATH
    )
    entry = RosterChange.id == death.correlate(CorrectionCase).scalar_subquery()
    number = select(RosterChange.document_no).where(entry).correlate(CorrectionCase).scalar_subquery()
    why = func.concat("恢复学籍（更正：原死亡登记", number, "有误）")
    # from the day of the mistake: she was never away
    return restore(CorrectionCase, case_ids, entry, code=RESTORED, note=why, effective_on=RosterChange.effective_on)
