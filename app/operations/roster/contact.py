"""联系方式 contact data: what a student's college keeps up to date itself; what was before stays in her history."""

import re
from collections.abc import Callable
from typing import Any

from flask_babel import lazy_gettext as _

from app.access import Actor, Permission
from app.kit.email_address import is_address
from app.kit.operation import Faulty, Refused, audit, get, operation, say_why
from app.kit.readable import why_no_name, why_unreadable
from app.models import Student

CONTACT = ("phone", "email", "address", "postcode", "guardian_name", "guardian_phone", "dormitory", "note")
PHONE = re.compile(r"[+(（]?[0-9][0-9 ()（）-]{5,}[0-9](\s*(转|ext\.?|-)\s*\d{1,6})?", re.ASCII)
FORMS: dict[str, tuple[Callable[[str], Any], Any]] = {  # field → its test, and what is said of a wrong one
    "phone": (PHONE.fullmatch, _("Write a phone number: digits, with + for a foreign one.")),
    "guardian_phone": (PHONE.fullmatch, _("Write a phone number: digits, with + for a foreign one.")),
    "email": (is_address, _("Write an e-mail address like name@example.com.")),
    "postcode": (
        re.compile(r"[0-9A-Za-z][0-9A-Za-z -]{2,9}", re.ASCII).fullmatch,
        _("Write a postcode: six digits in China."),
    ),
}


def wrong_contact(student: Student, values: dict[str, str | None]) -> dict[str, Any]:
    """Field → what is wrong with its new value. What was stored before stays until it is changed."""
    changed = {name: value for name in CONTACT if (value := values.get(name)) and value != getattr(student, name)}
    unreadable = {name: why for name, value in changed.items() if (why := why_unreadable(value))}
    if why := why_no_name(changed.get("guardian_name")):
        unreadable["guardian_name"] = why
    formed = {name: value for name, value in changed.items() if name in FORMS}
    return unreadable | {name: FORMS[name][1] for name, value in formed.items() if not FORMS[name][0](value)}


@operation(needs=Permission.STUDENT_CONTACT_WRITE)
def change_contact(actor: Actor, student_id: int, version: int, values: dict[str, str | None]) -> Student:
    """Change contact data of a student as she was shown, in this version. The audit names the fields, the history has the values."""
    student = get(Student, student_id, lock=True)
    if student.version != version:
        raise Refused(_("Somebody else changed this record meanwhile. Open it again and repeat your change."))
    if faults := wrong_contact(student, values):
        raise Faulty(faults)
    changed = [name for name in CONTACT if (values.get(name) or None) != getattr(student, name)]
    if changed:
        say_why("联系方式")
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
