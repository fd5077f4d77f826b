"""学籍异动 roster changes: what a decided flow does to the ledger and to the students, any number at once."""

from collections.abc import Callable
from typing import Any

from flask_babel import force_locale
from flask_babel import lazy_gettext as _
from sqlalchemy import BigInteger, Date, Integer, Select, Text, case, cast, func, insert, literal, null, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import aliased

from app.access import Actor
from app.kit import clock
from app.kit.flow import hook
from app.kit.operation import say_why
from app.models import (
    Case,
    CaseStep,
    ClassGroup,
    College,
    DatedEffect,
    Document,
    EffectState,
    Major,
    Paper,
    RosterChange,
    RosterStatus,
    StepState,
    Student,
    among,
    db,
)

NOTICE = "change_notice"  # the kind of the paper whose number the ledger quotes
REASON_CODES = {  # what a case calls its reason → the national code
    "other": "99", "illness": "10", "enlistment": "34", "startup": "24", "leave_expired": "31", "overlong": "33",
    "unregistered": "99", "absence": "99",
}  # fmt: skip


class RosterEffect:
    """An effect made of a SELECT: `changes(ids)` tells the ledger rows that calling it writes."""

    def __init__(self, changes: Callable[[list[int]], Select]) -> None:
        self.changes = changes
        self.__name__ = changes.__name__
        self.__module__ = changes.__module__
        self.__doc__ = changes.__doc__

    def __call__(self, actor: Actor, case_ids: list[int]) -> None:
        """Make the changes whose day has come; those of a day to come wait for it as dated effects."""
        today = clock.today()
        found = self.changes(case_ids).subquery()
        waits = {"case_id": found.c.case_id, "effective_on": found.c.effective_on,
                 "recorded_by": literal(actor.user_id), "recorded_at": literal(clock.now()),
                 **{name: found.c[name] for name in ("student_id", "college_id", "student_college_id")}}  # fmt: skip
        later = select(*(value.label(name) for name, value in waits.items())).where(found.c.effective_on > today)
        db.session.execute(insert(DatedEffect.__table__).from_select(list(waits), later))
        # one that waited was recorded when it was decided, by whoever decided it
        waited = DatedEffect.__table__.c
        names = [*found.c.keys(), "recorded_by", "recorded_at"]
        rows = (
            select(
                *found.c,
                func.coalesce(waited.recorded_by, literal(actor.user_id)),
                func.coalesce(waited.recorded_at, literal(clock.now())),
            )
            .outerjoin(DatedEffect.__table__, waited.case_id == found.c.case_id)
            .where(found.c.effective_on <= today)
        )
        db.session.execute(insert(RosterChange.__table__).from_select(names, rows))
        db.session.execute(
            update(DatedEffect.__table__)
            .where(among(waited.case_id, case_ids), waited.state == EffectState.WAITING, waited.effective_on <= today)
            .values(state=EffectState.APPLIED, settled_at=clock.now())
        )
        say_why(self.__doc__ or self.__name__)
        student, change = Student.__table__, RosterChange.__table__.c
        comes_anew = change.new_status == RosterStatus.ADMITTED
        db.session.execute(
            update(student)
            .where(student.c.id == change.student_id, among(change.case_id, case_ids))
            .values(
                status=change.new_status,
                college_id=change.new_college_id,
                major_id=change.new_major_id,
                class_group_id=change.new_class_group_id,
                grade=change.new_grade,
                # who is admitted anew enters with that year's freshmen
                entry_year=case((comes_anew, change.new_grade), else_=student.c.entry_year),
                entry_date=case((comes_anew, func.make_date(change.new_grade, 9, 1)), else_=student.c.entry_date),
                study_length=change.new_study_length,
                expected_graduation=cast(change.new_text["expected_graduation"].as_string(), Date),
                version=student.c.version + 1,
                updated_at=clock.now(),
            )
        )


def roster_effect(changes: Callable[[list[int]], Select]) -> RosterEffect:
    effect = RosterEffect(changes)
    hook(effect)
    return effect


def changes(
    model: Any,
    case_ids: list[int],
    *,
    code: Any,
    status: Any,  # a RosterStatus, or an expression
    effective_on: Any = None,  # the day from which it counts; without it the day of the decision, which is today
    until: Any = None,
    major_id: Any = Student.major_id,
    grade: Any = Student.grade,
    class_group_id: Any = Student.class_group_id,
    reason: str | None = None,  # the national code; without it, that of the case's own reason
    note: Any = None,  # words, or an expression
    undoes: Any = None,  # the entry that it puts right or revokes
    study_length: Any = None,  # without it that of the major, where the major changes
) -> Select:
    """The ledger rows of these cases: before as the student is, after as given, in ids and in words.

    It is asked for the notice when a case is decided, and again on the day from which the change counts.
    The college follows the major. `note` names a change that the national codes have no word for. The number is that
    of the document that decided the case, else of its notice.
    """
    new_group, new_major, new_college = aliased(ClassGroup), aliased(Major), aliased(College)
    if study_length is None:
        study_length = case((new_major.id == Student.major_id, Student.study_length), else_=new_major.study_length)
    # who joins a later grade graduates with it, and who joins a shorter major so much earlier
    later, shorter = grade - Student.grade, cast((study_length - Student.study_length) * 12, Integer)
    graduates = cast(Student.expected_graduation + func.make_interval(later, shorter), Date)
    status = literal(status.value) if isinstance(status, RosterStatus) else status
    code = literal(code) if isinstance(code, str) else code
    with force_locale("zh"):
        labels = literal({item.value: str(item.label) for item in RosterStatus}, JSONB)
    approved = (
        select(func.max(func.timezone("Asia/Shanghai", CaseStep.decided_at)))
        .where(CaseStep.case_id == model.id, CaseStep.state == StepState.DONE)
        .where(~CaseStep.declared["takes_effect"].as_boolean())
        .scalar_subquery()
    )
    notice = select(func.max(Paper.number)).where(Paper.case_id == model.id, Paper.kind == NOTICE).scalar_subquery()
    document = (
        select(func.max(Document.number))
        .join(CaseStep, CaseStep.document_id == Document.id)
        .where(CaseStep.case_id == model.id)
        .scalar_subquery()
    )

    def words(status: Any, college: Any, major: Any, group: Any, grade: Any, length: Any, graduates: Any) -> Any:
        named = {"college": college, "major": major, "status": func.jsonb_extract_path_text(labels, status),
                 "class_group": group, "grade": grade, "study_length": length,
                 "expected_graduation": graduates}  # fmt: skip
        return func.jsonb_build_object(
            *(part for name, value in named.items() for part in (literal(name), value)), type_=JSONB
        )

    columns: dict[str, Any] = {
        "student_id": Student.id, "college_id": Student.college_id, "student_college_id": Student.college_id,
        "code": code, "reason": case(REASON_CODES, value=model.reason, else_=null() if reason is None else literal(reason)),
        "effective_on": literal(clock.today()) if effective_on is None else cast(effective_on, Date), "until": cast(null() if until is None else until, Date),
        "approved_on": cast(approved, Date), "case_id": model.id,
        "undoes_id": cast(null() if undoes is None else undoes, BigInteger), "document_no": func.coalesce(document, notice),
        "old_status": Student.status, "new_status": status,
        "old_college_id": Student.college_id, "new_college_id": new_college.id,
        "old_major_id": Student.major_id, "new_major_id": new_major.id,
        "old_class_group_id": Student.class_group_id, "new_class_group_id": class_group_id,
        "old_grade": Student.grade, "new_grade": grade,
        "note": cast(null() if note is None else note, Text),
        "old_study_length": Student.study_length, "new_study_length": study_length,
        "old_text": words(Student.status, College.name, Major.name, ClassGroup.name, Student.grade, Student.study_length,
                          Student.expected_graduation),
        "new_text": words(status, new_college.name, new_major.name, new_group.name, grade, study_length, graduates),
    }  # fmt: skip
    return (
        select(*(value.label(name) for name, value in columns.items()))
        .select_from(model)
        .join(Student, Student.id == model.student_id)
        .join(College, College.id == Student.college_id)
        .join(Major, Major.id == Student.major_id)
        .join(new_major, new_major.id == major_id)
        .join(new_college, new_college.id == new_major.college_id)
        .outerjoin(ClassGroup, ClassGroup.id == Student.class_group_id)
        .outerjoin(new_group, new_group.id == class_group_id)
        .where(among(model.id, case_ids))
    )


@hook
def class_fits(case_ids: list[int], records: dict[str, Any]) -> dict[int, Any]:
    """Cases whose proposed class is not one of the student's major and the proposed grade."""
    case_table = Case.__table__.c  # of any flow whose case is IntoClass
    group_id = proposed(records, "class_group_id", case_table.class_group_id)
    grade = proposed(records, "grade", case_table.grade)
    fits = (
        select(ClassGroup.id)
        .where(ClassGroup.id == group_id, ClassGroup.grade == grade, ClassGroup.major_id == Student.major_id)
        .exists()
    )
    query = select(case_table.id).join(Student, Student.id == case_table.student_id)
    wrong = db.session.scalars(query.where(among(case_table.id, case_ids), ~fits))
    return dict.fromkeys(wrong, _("The class is not one of the student's major and the proposed grade."))


def proposed(records: dict[str, Any], name: str, column: Any) -> Any:
    value = records.get(name)
    return column if value in (None, "") else literal(int(str(value)) if str(value).isdigit() else -1)


@hook
def lower_class_fits(case_ids: list[int], records: dict[str, Any]) -> dict[int, Any]:
    """Cases whose class does not fit, or is not of a grade that entered later than the student's."""
    case_table = Case.__table__.c
    later = proposed(records, "grade", case_table.grade) > Student.grade
    query = select(case_table.id).join(Student, Student.id == case_table.student_id)
    wrong = db.session.scalars(query.where(among(case_table.id, case_ids), ~later))
    higher = dict.fromkeys(wrong, _("The proposed grade is not lower than the student's own."))
    return higher | class_fits(case_ids, records)


@hook
def no_higher_class(case_ids: list[int], records: dict[str, Any]) -> dict[int, Any]:
    """Cases whose class does not fit, or is of a grade that entered earlier than the student's."""
    case_table = Case.__table__.c
    earlier = proposed(records, "grade", case_table.grade) < Student.grade
    query = select(case_table.id).join(Student, Student.id == case_table.student_id)
    wrong = db.session.scalars(query.where(among(case_table.id, case_ids), earlier))
    higher = dict.fromkeys(wrong, _("The proposed grade is higher than the student's own: who comes back joins her own"
                                    " grade or a lower one."))  # fmt: skip
    return higher | class_fits(case_ids, records)
