"""个人信息 personal data: corrections that must agree with each other, and their old values in the history."""

from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import case as sql_case
from sqlalchemy import func, literal, select, update

from app.access import Actor
from app.kit import clock
from app.kit.flow import hook
from app.kit.operation import say_why
from app.kit.readable import why_no_name
from app.models import InfoChangeCase, Student, among, db
from app.operations.roster.spelling import spelling

NEW = ("name", "id_number", "birth_date", "sex", "ethnic_group")
UNCHANGED = _("Nothing would change: fill in the new value of at least one field.")
STANDS = _("This is what the roster says already: nothing would change.")


@hook
def data_agree(case_ids: list[int], records: dict[str, Any]) -> dict[int, Any]:
    """Cases that change nothing, or after which ID number, birth date and sex would contradict each other."""
    query = select(InfoChangeCase, Student).join(Student, Student.id == InfoChangeCase.student_id)
    reasons: dict[int, Any] = {}
    for case, student in db.session.execute(query.where(among(InfoChangeCase.id, case_ids))):
        if wrong := check_data(case, student):
            reasons[case.id] = next(iter(wrong.values()))
        elif not _changed(case, student):
            reasons[case.id] = UNCHANGED
    return reasons


@hook
def check_data(case: InfoChangeCase, student: Student) -> dict[str, Any]:
    """Field → why the data could not stand so."""
    changed, after = _changed(case, student), _after(case, student)
    filled = [f"new_{name}" for name in NEW if getattr(case, f"new_{name}")]
    if not changed:
        return dict.fromkeys(filled, STANDS)
    if "name" in changed and (why := why_no_name(after["name"])):
        return {"new_name": why}
    named = [name for name in ("id_number", "birth_date", "sex") if name in changed]
    if student.id_type == "1" and named:
        wrong = _contradiction(**after)
        if wrong:
            name, why = wrong
            return {f"new_{name if name in changed else named[0]}": why}
    if "id_number" in changed and _taken(after["id_number"], student.id):
        return {"new_id_number": _("Another student on the roster has this ID number.")}
    return {}


def _after(case: InfoChangeCase, student: Student) -> dict[str, Any]:
    return {name: getattr(case, f"new_{name}") or getattr(student, name) for name in NEW}


def _changed(case: InfoChangeCase, student: Student) -> set[str]:
    after = _after(case, student)
    return {name for name in NEW if after[name] != getattr(student, name)}


def _contradiction(id_number: str, birth_date: date, sex: str, **_rest: Any) -> tuple[str, Any] | None:
    """(field, why) of these three not being true of one resident's card together; None if they can."""
    if not db.session.scalar(select(func.id_number_ok(id_number))):
        return "id_number", _("The ID number fails its check: compare it with the card, digit by digit.")
    if id_number[6:14] != f"{birth_date:%Y%m%d}":
        return "birth_date", _("The ID number says another birth date. Enter both as the certificate has them.")
    if (int(id_number[16]) % 2 == 1) != (sex == "1"):
        return "sex", _("The ID number says another sex. Enter both as the certificate has them.")
    return None


def _taken(number: str, student_id: int) -> bool:
    other = select(Student.id).where(Student.id_number == number, Student.id != student_id, Student.on_roll)
    return db.session.scalar(other.limit(1)) is not None


@hook
def change_data(actor: Actor, case_ids: list[int]) -> None:
    """学籍信息修改"""
    say_why(change_data.__doc__ or "")
    student, case = Student.__table__, InfoChangeCase.__table__.c
    new = {name: func.coalesce(case[f"new_{name}"], student.c[name]) for name in NEW}
    was = {name: sql_case((case[f"new_{name}"].is_not(None), student.c[name])) for name in NEW}
    pairs = (part for name, value in was.items() for part in (literal(name), value))
    kept = func.jsonb_strip_nulls(func.jsonb_build_object(*pairs))
    same = (student.c.id == case.student_id, among(case.id, case_ids))
    changed = new | {"version": student.c.version + 1, "updated_at": clock.now()}
    db.session.execute(update(InfoChangeCase.__table__).where(*same).values(was=kept))
    db.session.execute(
        update(student).where(*same).values(former_name=student.c.name).where(case.new_name.is_not(None))
    )
    renamed = db.session.execute(update(student).where(*same).values(**changed).returning(student.c.id, student.c.name))
    for student_id, name in renamed:
        db.session.execute(update(student).where(student.c.id == student_id).values(**spelling(name)))
