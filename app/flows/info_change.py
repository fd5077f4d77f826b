"""学籍信息修改 change of personal data: name, ID number, birth date, sex or ethnic group, with a certificate (flow 17)."""

from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import Date, String, func, select, update

from app.access import Actor, Role
from app.kit import clock
from app.kit.flow import Field, Flow, Material, Step, among, hook, register
from app.kit.flow.labels import add_labels
from app.kit.operation import say_why
from app.kit.pinyin import romanise
from app.models import Case, RosterStatus, Student, db
from app.models.base import Mapped, date, mapped_column
from app.papers import info_notice

NEW = ("name", "id_number", "birth_date", "sex", "ethnic_group")


class InfoChangeCase(Case):
    """学籍信息修改申请: the new values of the fields that are to change; what stays is left empty."""

    new_name: Mapped[str | None] = mapped_column(String(60))
    new_id_number: Mapped[str | None] = mapped_column(String(30))
    new_birth_date: Mapped[date | None] = mapped_column(Date)
    new_sex: Mapped[str | None] = mapped_column(String(1), info={"codes": "sex"})
    new_ethnic_group: Mapped[str | None] = mapped_column(String(2), info={"codes": "ethnic_group"})
    __mapper_args__ = {"polymorphic_identity": "info_change"}


@hook
def data_agree(case_ids: list[int], records: dict[str, Any]) -> dict[int, Any]:
    """Cases that change nothing, or after which ID number, birth date and sex would contradict each other."""
    query = select(InfoChangeCase, Student).join(Student, Student.id == InfoChangeCase.student_id)
    reasons: dict[int, Any] = {}
    for case, student in db.session.execute(query.where(among(InfoChangeCase.id, case_ids))):
        after = {name: getattr(case, f"new_{name}") or getattr(student, name) for name in NEW}
        changed = {name for name in NEW if after[name] != getattr(student, name)}
        if not changed:
            reasons[case.id] = _("Nothing would change: fill in the new value of at least one field.")
        elif (
            student.id_type == "1" and changed & {"id_number", "birth_date", "sex"} and (why := _contradiction(**after))
        ):
            reasons[case.id] = why
        elif "id_number" in changed and _taken(after["id_number"], student.id):
            reasons[case.id] = _("Another student on the roster has this ID number.")
    return reasons


def _contradiction(id_number: str, birth_date: date, sex: str, **_rest: Any) -> Any | None:
    """Why these three cannot all be true of one resident's card; None if they can."""
    if not db.session.scalar(select(func.id_number_ok(id_number))):
        return _("The ID number fails its check: compare it with the card, digit by digit.")
    if id_number[6:14] != f"{birth_date:%Y%m%d}":
        return _("The ID number says another birth date. Enter both as the certificate has them.")
    if (int(id_number[16]) % 2 == 1) != (sex == "1"):
        return _("The ID number says another sex. Enter both as the certificate has them.")
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
    same = (student.c.id == case.student_id, among(case.id, case_ids))
    changed = new | {"version": student.c.version + 1, "updated_at": clock.now()}
    db.session.execute(
        update(student).where(*same).values(former_name=student.c.name).where(case.new_name.is_not(None))
    )
    renamed = db.session.execute(update(student).where(*same).values(**changed).returning(student.c.id, student.c.name))
    for student_id, name in renamed:
        pinyin, initials = romanise(name)
        spelled = {"pinyin": pinyin[:120], "initials": initials[:30]}
        db.session.execute(update(student).where(student.c.id == student_id).values(**spelled))


add_labels({
    "field.new_name": _("New name"), "field.new_id_number": _("New ID number"),
    "field.new_birth_date": _("New birth date"), "field.new_sex": _("New sex"),
    "field.new_ethnic_group": _("New ethnic group"),
    "material.police_certificate": _("Certificate of the police station of the household registration"),
})  # fmt: skip
info_change = register(
    Flow(
        key="info_change",
        version=1,
        title=_("Change of personal data"),
        prefix="XG",
        applicants=frozenset({Role.STUDENT, Role.COLLEGE_CLERK}),
        allowed_from=frozenset({RosterStatus.ENROLLED, RosterStatus.ON_LEAVE, RosterStatus.RETAINED}),
        reasons=(),
        fields=(*(Field(f"new_{name}", optional=True) for name in NEW), Field("statement")),
        window=None,
        materials=(Material("application"), Material("police_certificate")),
        steps=(
            Step("accept", Role.COLLEGE_CLERK, days=1, meeting=True),
            Step("college", Role.COLLEGE_LEADER, days=2, seal=True, hands_differ_from=("submit", "accept")),
            Step("affairs", Role.AFFAIRS_DIRECTOR, days=2),
            Step("registry", Role.REGISTRY, days=1, originals=True, takes_effect=True, rule=data_agree),
        ),
        rule=data_agree,
        effect=change_data,
        paper=info_notice.issue,
    )
)
