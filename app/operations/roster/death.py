"""注销 the end of a roster by death: what the form may say of its day."""

from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import select

from app.kit.flow import hook
from app.kit.flow.standing import last_changes
from app.models import CancellationCase, Student, among, db


@hook
def died_as_a_student(case: CancellationCase, student: Student) -> dict[str, Any]:
    """Nobody dies before she came to the school, of which the roster knows, or before her roster changed last."""
    came = student.entry_date or student.birth_date
    if case.died_on and case.died_on < came:
        return {"died_on": _("The student entered on %(day)s; the day of death is not before it.", day=came)}
    last = last_changes([student.id]).get(student.id)
    return {"died_on": _changed_later(last)} if case.died_on and last and last > case.died_on else {}


@hook
def nothing_after_death(case_ids: list[int], records: dict[str, Any]) -> dict[int, Any]:
    """Deaths on a day before the last change of the student's roster: that change cannot be right."""
    query = select(CancellationCase.id, CancellationCase.student_id, CancellationCase.died_on)
    rows = db.session.execute(query.where(among(CancellationCase.id, case_ids))).all()
    latest = last_changes([row.student_id for row in rows])
    return {
        row.id: _changed_later(last)
        for row in rows
        if (last := latest.get(row.student_id)) and row.died_on and last > row.died_on
    }


def _changed_later(last: date) -> Any:
    return _("The roster of this student changed on %(last)s, which would be after the death. Compare the day with the"
             " death certificate; if it is right, write to the roster registry, which first has to undo that"
             " change.", last=last)  # fmt: skip
