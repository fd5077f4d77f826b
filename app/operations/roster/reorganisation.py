"""院系调整 reorganisation: a major goes over to another college on a day, and its students, classes and open steps with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from flask_babel import force_locale
from flask_babel import lazy_gettext as _
from sqlalchemy import ColumnElement, func, or_, select, text, update

from app.access import Actor, Permission, Role
from app.kit import clock
from app.kit.jobs.due import Due, Staff, due_source, tell
from app.kit.operation import Faulty, Refused, audit, audit_many, get, operation, say_why
from app.models import (
    MOVED,
    Case,
    CaseState,
    ClassGroup,
    College,
    DatedEffect,
    EffectState,
    Major,
    Reorganisation,
    RosterStatus,
    RoundState,
    Student,
    TransferChoice,
    TransferQuota,
    TransferRound,
    db,
)
from app.models.roster.student import FRESHMAN, ON_ROLL
from app.operations.roster import ledger

SOURCE = "reorganisations"
GOES = [status.value for status in RosterStatus if status in ON_ROLL | FRESHMAN]  # who has left stays where she was
RUNNING = (CaseState.OPEN, CaseState.SENT_BACK)
LONGEST_REASON, LONGEST_NUMBER, LONGEST_CODE = 300, 24, 4
PATH = "/reorganisations/"


@dataclass(frozen=True)
class Preview:
    """What would go along with a major, what stays, and what is under way."""

    students: list[tuple[RosterStatus, int]]
    left: int
    classes: int
    cases: int
    effects: int
    offers: int
    choices: int


@operation(needs=Permission.ORGANISATION_WRITE)
def foresee(
    actor: Actor, major_id: int, college_id: int, effective_on: date, reason: str, document_no: str, new_code: str
) -> Preview:
    """What the move would do. Raises as `reorganise` would."""
    _check(get(Major, major_id), college_id, effective_on, reason, document_no, new_code)
    mine = Student.major_id == major_id
    by_status = select(Student.status, func.count()).where(mine).group_by(Student.status)
    counted = {RosterStatus(status): count for status, count in db.session.execute(by_status)}
    of_mine = select(Student.id).where(mine, Student.status.in_(GOES))
    undecided = TransferRound.state != RoundState.DECIDED

    def count(model: type, *conditions: ColumnElement[bool]) -> int:
        return db.session.scalar(select(func.count()).select_from(model).where(*conditions)) or 0

    return Preview(
        students=[(status, counted[status]) for status in RosterStatus if status in counted and status in GOES],
        left=sum(many for status, many in counted.items() if status not in GOES),
        classes=count(ClassGroup, ClassGroup.major_id == major_id, _class_goes()),
        cases=count(Case, Case.student_id.in_(of_mine), Case.state.in_(RUNNING)),
        effects=count(DatedEffect, DatedEffect.student_id.in_(of_mine), DatedEffect.state == EffectState.WAITING),
        offers=count(TransferQuota, TransferQuota.major_id == major_id,
                     TransferQuota.round_id.in_(select(TransferRound.id).where(undecided))),
        choices=count(TransferChoice, TransferChoice.major_id == major_id, TransferChoice.case_state.in_(RUNNING)),
    )  # fmt: skip


@operation(needs=Permission.ORGANISATION_WRITE)
def reorganise(
    actor: Actor, major_id: int, college_id: int, effective_on: date, reason: str, document_no: str = "",
    new_code: str = "",
) -> Reorganisation:  # fmt: skip
    """Move a major to another college, at once or on a day to come."""
    major = get(Major, major_id, lock=True)
    code = _check(major, college_id, effective_on, reason, document_no, new_code)
    row = Reorganisation(
        major_id=major.id, old_college_id=major.college_id, new_college_id=college_id, new_code=code,
        effective_on=effective_on, reason=" ".join(reason.split()), document_no=document_no.strip() or None,
        state=EffectState.WAITING, recorded_at=clock.now(), recorded_by=actor.user_id,
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    _audit(actor, "decide", row)
    if effective_on <= clock.today():
        _apply(actor, row)
    tell([_news(row, Staff())])
    return row


@operation(needs=Permission.ORGANISATION_WRITE)
def annul(actor: Actor, reorganisation_id: int, reason: str) -> Reorganisation:
    """Call a move off before its day."""
    row = get(Reorganisation, reorganisation_id, lock=True)
    words = " ".join(reason.split())[:LONGEST_REASON]
    if not words:
        raise Refused(_("Give a reason."))
    if row.state != EffectState.WAITING or row.effective_on <= clock.today():
        raise Refused(_("It waits for its day no more: %(state)s.", state=EffectState(row.state).label))
    _settle(row, EffectState.ANNULLED, words)
    _audit(actor, "annul", row)
    tell([_news(row, Staff())])
    return row


@due_source(SOURCE)
def take_place(actor: Actor, today: date) -> Iterator[Due]:
    """Make the moves whose day has come; one that the colleges no longer allow lapses and is told."""
    due = Reorganisation.state == EffectState.WAITING, Reorganisation.effective_on <= today
    query = select(Reorganisation).where(*due).order_by(Reorganisation.effective_on, Reorganisation.id)
    rows = list(db.session.scalars(query.with_for_update(of=Reorganisation)))
    staff = Staff() if rows else None
    for row in rows:
        assert staff is not None
        if why := _collides(get(Major, row.major_id, lock=True), row.new_college_id, row.new_code):
            with force_locale("zh"):
                _settle(row, EffectState.LAPSED, str(why)[:LONGEST_REASON])
            _audit(actor, "lapse", row)
        else:
            _apply(actor, row)
        yield _news(row, staff)


def why_not_by_hand(major_id: int, college_id: int) -> object:
    """Why the college of a major cannot just be written anew: who studies there would stay behind."""
    with db.session.no_autoflush:
        before = db.session.scalar(select(Major.college_id).where(Major.id == major_id))
        if before in (None, college_id):
            return None
        used = [
            db.session.scalar(select(one.id).where(one.major_id == major_id).limit(1)) for one in (Student, ClassGroup)
        ]
    if not any(used):
        return None
    return _("The major has students or classes, which would stay in the old college. Move it with them under “Moves of"
             " majors”.")  # fmt: skip


def why_class_stays(class_id: int, major_id: int, college_id: int) -> object:
    """Why a class cannot be given to this major and college by hand: its students would not follow, or it would be in
    another college than its major."""
    with db.session.no_autoflush:
        before = db.session.execute(
            select(ClassGroup.major_id, ClassGroup.college_id).where(ClassGroup.id == class_id)
        ).first()
        if before is None or (before.major_id, before.college_id) == (major_id, college_id):
            return None
        if db.session.scalar(select(Student.id).where(Student.class_group_id == class_id).limit(1)):
            return _("The class has students, who would keep their major and college. A major moves with its classes under"
                     " “Moves of majors”; a student changes her class by a procedure.")  # fmt: skip
        college = db.session.scalar(select(College).join(Major).where(Major.id == major_id))
    if college is None or college.id == college_id:
        return None
    return _("The class is one of the college of its major: %(college)s.", college=college)


def _check(
    major: Major, college_id: int, effective_on: date, reason: str, document_no: str, new_code: str
) -> str:  # fmt: skip
    """The code that the major will have. Raises with everything that is wrong, by field."""
    faults: dict[str, object] = {}
    if effective_on < clock.today():
        faults["effective_on"] = _("The day is today or one to come: what has been recorded meanwhile stays as it was.")
    if not reason.strip():
        faults["reason"] = _("Give a reason.")
    for field, given, most in (("reason", reason, LONGEST_REASON), ("document_no", document_no, LONGEST_NUMBER),
                               ("new_code", new_code, LONGEST_CODE)):  # fmt: skip
        if len(given.strip()) > most:
            faults[field] = _("At most %(most)s characters.", most=most)
    college = db.session.get(College, college_id)
    if college is None or not college.active:
        faults["college_id"] = _("Choose a college that is in use.")
    elif college.id == major.college_id:
        faults["college_id"] = _("The major belongs to this college already.")
    waits = Reorganisation.major_id == major.id, Reorganisation.state == EffectState.WAITING
    if day := db.session.scalar(select(Reorganisation.effective_on).where(*waits)):
        faults["major_id"] = _("A move of this major waits for %(day)s already. Annul it first.", day=day)
    code = new_code.strip() or major.code
    if not faults and (why := _collides(major, college_id, code)):
        faults["new_code"] = why
    if faults:
        raise Faulty(faults)
    return code


def _collides(major: Major, college_id: int, code: str) -> object:
    """Why the new college cannot take the major: it has one of this code, or of this name and level."""
    there = select(Major).where(Major.college_id == college_id, Major.id != major.id)
    same_code = func.folded(Major.code) == func.folded(code)
    if taken := db.session.scalar(there.where(same_code)):
        return _(
            "The code %(code)s belongs to %(major)s there. Give the major a new code.", code=code, major=str(taken)
        )
    same_name = (func.folded(Major.name) == func.folded(major.name)) & (Major.education_level == major.education_level)
    if db.session.scalar(there.where(same_name)):
        return _("The college has a major of this name and level already. Rename one of them first.")
    return None


def _class_goes() -> ColumnElement[bool]:
    """The condition on ClassGroup that it goes along: unless all of its students have left."""
    inside = select(Student.id).where(Student.class_group_id == ClassGroup.id).correlate(ClassGroup)
    return or_(~inside.exists(), inside.where(Student.status.in_(GOES)).exists())


# Applications for the major are its new college's to examine and to confirm.
APPLICATIONS = [text(statement) for statement in (
    """update flow_case set target_college_id = :new, version = version + 1
       where flow = 'major_transfer' and state in ('draft', 'open', 'sent_back') and target_college_id = :old
           and coalesce(major_id, first_major_id) = :major
       returning id, college_id""",
    """update case_step s set target_college_id = c.target_college_id,
           signing_college_id = case when (s.declared ->> 'target')::boolean then :new else s.signing_college_id end,
           assigned_to = case when (s.declared ->> 'target')::boolean then null else s.assigned_to end
       from flow_case c where c.id = s.case_id and s.state in ('open', 'waiting') and c.target_college_id = :new
           and s.target_college_id = :old and coalesce(c.major_id, c.first_major_id) = :major""",
    """update transfer_choice set target_college_id = :new
       where major_id = :major and target_college_id = :old and case_state in ('draft', 'open', 'sent_back')""",
)]  # fmt: skip
STUDENTS = text("""
    create temp table reorganised on commit drop as
    select id as student_id from student where major_id = :major and college_id <> :new and status = any(:goes)
""")
STUDY = text("""
    update student set college_id = :new, version = version + 1, updated_at = :now
    where id in (select student_id from reorganised)
""")


def _apply(actor: Actor, row: Reorganisation) -> None:
    """Major, classes, students, ledger and applications, with a fixed number of statements."""
    values = {"major": row.major_id, "old": row.old_college_id, "new": row.new_college_id}
    say_why(f"院系调整：{row.reason}" if row.document_no is None else f"院系调整（{row.document_no}）：{row.reason}")
    went = db.session.execute(APPLICATIONS[0], values).all()  # cases are locked before students, as decisions lock them
    audit_many(actor, "case:move", [
        {"subject": "flow_case", "subject_id": case.id, "college_id": case.college_id, "old": {"college": row.old_college.name},
         "new": {"college": row.new_college.name}, "detail": {"major": row.major.name}} for case in went
    ])  # fmt: skip
    for statement in APPLICATIONS[1:]:
        db.session.execute(statement, values)
    locking = select(Student.__table__.c.id).where(Student.__table__.c.major_id == row.major_id)
    db.session.execute(locking.order_by(Student.__table__.c.id).with_for_update()).all()
    db.session.execute(text("drop table if exists reorganised"))
    db.session.execute(STUDENTS, values | {"goes": GOES})
    ledger.remember("reorganised")
    moved = {"college_id": row.new_college_id}
    db.session.execute(update(Major).where(Major.id == row.major_id).values(code=row.new_code, **moved))
    db.session.execute(
        update(ClassGroup).where(ClassGroup.major_id == row.major_id, _class_goes()).values(moved),
        execution_options={"synchronize_session": False},
    )  # fmt: skip
    row.students = db.session.execute(STUDY, values | {"now": clock.now()}).rowcount
    ledger.enter(actor, "reorganised", MOVED, note="院系调整", effective_on=row.effective_on, goes_on=True,
                 document_no=row.document_no, decided=(row.recorded_by, row.recorded_at))  # fmt: skip
    _settle(row, EffectState.APPLIED)
    _audit(actor, "apply", row)
    _tell_students(row)
    db.session.expire_all()


def _tell_students(row: Reorganisation) -> None:
    """Those who have just moved: to which college they belong now."""
    moved = text("select i.user_id from identity i join reorganised r on r.student_id = i.student_id order by 1")
    tell([Due(
        key=f"reorganised:{row.id}", users=tuple(db.session.scalars(moved)),
        title=_("You belong to %(college)s now", college=row.new_college),
        text=_("Your major %(major)s has gone there with its classes. Your number and your class stay, and what you have"
               " applied for goes on there.", major=row.major), path="/",
    )])  # fmt: skip


def _settle(row: Reorganisation, state: EffectState, reason: str | None = None) -> None:
    row.state, row.settled_at, row.settled_reason = state, clock.now(), reason
    db.session.flush()


def _audit(actor: Actor, act: str, row: Reorganisation) -> None:
    audit(actor, f"reorganisation:{act}", subject="reorganisation", subject_id=row.id, college_id=row.old_college_id,
          old={"college": row.old_college.name},
          new={"college": row.new_college.name, "code": row.new_code, "effective_on": str(row.effective_on)},
          detail={"major": row.major.name, "reason": row.settled_reason or row.reason, "document_no": row.document_no,
                  "students": row.students})  # fmt: skip


def _news(row: Reorganisation, staff: Staff) -> Due:
    """Told to the clerks and leaders of both colleges; that it lapsed to the registry as well."""
    users = {user for college in (row.old_college_id, row.new_college_id)
             for user in staff.holding(Role.COLLEGE_CLERK, Role.COLLEGE_LEADER, college_id=college)}  # fmt: skip
    if row.state == EffectState.LAPSED:
        users |= {*staff.holding(Role.REGISTRY)}
    names = {"major": row.major, "college": row.new_college}
    why = row.settled_reason or row.reason
    title, goes = {
        EffectState.WAITING: (_("%(major)s goes to %(college)s on %(day)s", day=row.effective_on, **names), True),
        EffectState.APPLIED: (_("%(major)s has gone to %(college)s", **names), True),
        EffectState.LAPSED: (_("%(major)s could not go to %(college)s", **names), False),
        EffectState.ANNULLED: (_("%(major)s does not go to %(college)s: the move was annulled", **names), False),
    }[EffectState(row.state)]
    return Due(
        key=f"reorganisation:{row.id}:{row.state}", users=tuple(sorted(users)), title=title, path=PATH,
        text=_("Its students, classes and open steps go along. Reason: %(why)s", why=why) if goes
        else _("Reason: %(why)s", why=why),
    )  # fmt: skip
