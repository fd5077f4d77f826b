"""注销 the end of a roster by death: what the form may say of its day."""

from typing import Any

from flask_babel import lazy_gettext as _

from app.kit.flow import hook
from app.models import CancellationCase, Student


@hook
def died_as_a_student(case: CancellationCase, student: Student) -> dict[str, Any]:
    """Nobody dies before she came to the school, of which the roster knows."""
    came = student.entry_date or student.birth_date
    if case.died_on and case.died_on < came:
        return {"died_on": _("The student entered on %(day)s; the day of death is not before it.", day=came)}
    return {}
