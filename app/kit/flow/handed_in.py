"""交表 handing in: what a form says of its student stays as it was when she handed it in, whatever becomes of her later."""

from typing import Any

from flask_babel import force_locale

from app.kit.flow.declare import Flow
from app.kit.flow.words import present_value, shown
from app.kit.paper.kinds import chinese_date
from app.models import Case, Student
from app.models.organisation.codes import codes_of

CONTACT = ("phone", "address")  # of the student, on every form


def words_of(flow: Flow, case: Case, student: Student) -> dict[str, Any]:
    """What the form says of the student today: her data under `student`, what stands in the place of each new value under
    `before`, and the names of what she chose under `named`. Papers are Chinese."""
    keys = [item.key for item in flow.fields]
    with force_locale("zh"):
        sexes = {code.code: str(code) for code in codes_of("sex", retired=True)}
        before = {key: present_value(flow, student, key, chinese_date) for key in keys}
        named = {key: shown(flow, case, key, chinese_date) for key in keys if key.endswith("_id")}
    return {
        "student": {
            "college": student.college.name,
            "student_name": student.name,
            "student_no": student.student_no,
            "sex": sexes.get(student.sex, student.sex),
            "major": student.major.name,
            "grade": f"{student.grade}级",
            "class_group": student.class_group.name if student.class_group else None,
            **{name: getattr(student, name) for name in CONTACT},
        },
        "before": {key: value and str(value) for key, value in before.items()},
        "named": {key: value and str(value) for key, value in named.items()},
    }
