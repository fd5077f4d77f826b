"""联系方式 contact data: what a student's college keeps up to date itself; what was before stays in her history."""

from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from app.access import Actor, Permission
from app.kit.operation import Refused, audit, get, operation, say_why
from app.models import Student

CONTACT = ("phone", "email", "address", "postcode", "guardian_name", "guardian_phone", "dormitory", "note")


@operation(needs=Permission.STUDENT_CONTACT_WRITE)
def change_contact(actor: Actor, student_id: int, version: int, values: dict[str, str | None]) -> Student:
    """Change contact data of a student as she was shown, in this version. The audit names the fields, the history has the values."""
    student = get(Student, student_id, lock=True)
    if student.version != version:
        raise Refused(_("Somebody else changed this record meanwhile. Open it again and repeat your change."))
    changed = [name for name in CONTACT if (values.get(name) or None) != getattr(student, name)]
    if changed:
        say_why(gettext("Contact data"))
        for name in changed:
            setattr(student, name, values.get(name) or None)
        audit(actor, "student:contact", subject="student", subject_id=student.id, college_id=student.college_id,
              detail={"fields": changed})  # fmt: skip
    return student


@operation(needs=Permission.STUDENT_CONTACT_WRITE)
def open_contact(actor: Actor, student_id: int) -> dict[str, Any]:
    """The contact data as it is, with its version: a form shows in the clear what is masked elsewhere, and is logged so."""
    student = get(Student, student_id)
    audit(actor, "student.reveal", subject="student", subject_id=student.id, college_id=student.college_id,
          detail={"columns": [*CONTACT]})  # fmt: skip
    return {name: getattr(student, name) for name in (*CONTACT, "version")}
