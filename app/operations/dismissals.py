"""退学处理申报 declaring dismissals: candidates by rule with the evidence beside each; the 学院 confirms, adds or exempts."""

from datetime import date

from flask_babel import lazy_gettext as _
from sqlalchemy import String, and_, cast, exists, inspect, or_, select
from sqlalchemy.dialects.postgresql import insert

from app.access import Actor, Permission
from app.kit import clock
from app.kit.flow import FLOWS, open_case
from app.kit.operation import Refused, audit, get, operation
from app.models import Absence, Case, CaseState, ClockKind, DismissalCase, Exemption, LegalClock, Student, db

GROUNDS = {kind: kind.ground for kind in ClockKind if kind.ground}
RUNNING = (CaseState.DRAFT, CaseState.OPEN, CaseState.SENT_BACK)
MOST = 500


def select_candidates(today: date):
    """Clocks of a ground that have run out, of students whom nobody has declared or exempted yet."""
    running = DismissalCase.state.in_(RUNNING)
    declared = select(DismissalCase.id).where(DismissalCase.student_id == LegalClock.student_id, running).exists()
    grounds = [and_(LegalClock.kind == kind, Exemption.ground == ground) for kind, ground in GROUNDS.items()]
    exempt = exists().where(
        Exemption.student_id == LegalClock.student_id, Exemption.since == cast(LegalClock.due_on, String), or_(*grounds)
    )
    return (
        select(LegalClock)
        .where(LegalClock.kind.in_([*GROUNDS]), LegalClock.due_on < today, ~declared, ~exempt)
        .order_by(LegalClock.due_on, LegalClock.student_id)
    )


@operation(needs=Permission.CASE_OPEN)
def declare(actor: Actor, clock_ids: list[str], statement: str) -> list[Case]:
    """A draft of a dismissal for each candidate, with its ground. All of them, or none with the reason."""
    wanted = sorted(set(clock_ids))
    if not 0 < len(wanted) <= MOST:
        raise Refused(_("Select between one and %(most)s students.", most=MOST))
    found = list(db.session.scalars(select_candidates(clock.today()).where(LegalClock.id.in_(wanted))))
    if len(found) < len(wanted):
        raise Refused(_("Some of these students are no candidates any more. Reload the page and select again."))
    flow = FLOWS[inspect(DismissalCase).polymorphic_identity]
    cases = []
    for one in found:
        evidence = _("%(what)s: %(since)s to %(due)s.", what=one_label(one), since=one.since, due=one.due_on)
        text = f"{evidence}\n{statement.strip()}".strip()
        values = {"reason": GROUNDS[ClockKind(one.kind)], "statement": text}
        cases.append(open_case(actor, flow, one.student_id, values))
    return cases


def one_label(one: LegalClock) -> str:
    return str(ClockKind(one.kind).label)


@operation(needs=Permission.CASE_OPEN)
def exempt(actor: Actor, clock_id: str, reason: str) -> None:
    """The college does not declare this candidate; the same ground with a later day asks anew."""
    one = db.session.scalar(select_candidates(clock.today()).where(LegalClock.id == clock_id))
    if one is None:
        raise Refused(_("This student is no candidate any more. Reload the page."))
    if not reason.strip():
        raise Refused(_("Give a reason."))
    student = get(Student, one.student_id)
    ground = GROUNDS[ClockKind(one.kind)]
    db.session.execute(
        insert(Exemption.__table__)
        .values(student_id=student.id, college_id=student.college_id, student_college_id=student.college_id,
                ground=ground, since=str(one.due_on), reason=reason.strip()[:300],
                exempted_by=actor.user_id, exempted_by_name=actor.name, exempted_at=clock.now())
        .on_conflict_do_nothing()
    )  # fmt: skip
    audit(actor, "dismissal:exempt", subject="student", subject_id=student.id, college_id=student.college_id,
          new={"ground": ground, "since": str(one.due_on), "reason": reason.strip()[:300]})  # fmt: skip


@operation(needs=Permission.CASE_OPEN)
def record_absence(actor: Actor, student_id: int, since: date, note: str = "") -> Absence:
    """A student is away without leave; after the days that the settings say it is a ground of dismissal."""
    student = get(Student, student_id)
    if since > clock.today():
        raise Refused(_("The absence cannot begin on a day still to come."))
    running = select(Absence).where(Absence.student_id == student.id, Absence.ended_on.is_(None))
    if db.session.scalar(running) is not None:
        raise Refused(_("An absence of this student is recorded already. End it first."))
    absence = Absence(student_id=student.id, college_id=student.college_id, student_college_id=student.college_id,
                      since=since, note=note.strip()[:300] or None, recorded_by=actor.user_id,
                      recorded_at=clock.now())  # fmt: skip
    db.session.add(absence)
    db.session.flush()
    audit(actor, "absence:record", subject="absence", subject_id=absence.id, college_id=student.college_id,
          new={"since": str(since)})  # fmt: skip
    return absence


@operation(needs=Permission.CASE_OPEN)
def end_absence(actor: Actor, absence_id: int, ended_on: date) -> Absence:
    """The student is back."""
    absence = get(Absence, absence_id, lock=True)
    if absence.ended_on is not None or not absence.since <= ended_on <= clock.today():
        raise Refused(_("An absence ends between its first day and today, once."))
    absence.ended_on = ended_on
    audit(actor, "absence:end", subject="absence", subject_id=absence.id, college_id=absence.college_id,
          new={"ended_on": str(ended_on)})  # fmt: skip
    return absence
