"""退学处理申报 declaring dismissals: candidates by rule with the evidence beside each; the 学院 confirms, adds or exempts."""

from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

from flask_babel import lazy_gettext as _
from sqlalchemy import ColumnElement, Date, Select, String, and_, cast, exists, func, inspect, or_, select
from sqlalchemy.dialects.postgresql import insert

from app.access import Actor, Permission
from app.kit import clock
from app.kit.flow import FLOWS, add_material, hook, label, open_case, submit
from app.kit.operation import Refused, audit, get, operation
from app.models import (
    Absence,
    Case,
    CaseState,
    ClockKind,
    DatedEffect,
    DismissalCase,
    EffectState,
    Exemption,
    LegalClock,
    RosterStatus,
    Student,
    among,
    db,
)

GROUNDS = {kind: kind.ground for kind in ClockKind if kind.ground}
COMING_BACK = ("return", "admission_resumption")
RUNNING = (CaseState.DRAFT, CaseState.OPEN, CaseState.SENT_BACK)
MOST = 500
MOST_AT_ONCE = 50  # drafts that one scan is attached to: each keeps its own copy


def being_decided() -> ColumnElement[bool]:
    """Whether the return that ends a leave was handed in on time and runs, or is decided and waits for its day."""
    handed_in = cast(func.timezone(clock.ZONE.key, Case.submitted_at), Date)
    asked = select(Case.id).where(
        Case.student_id == LegalClock.student_id, Case.flow.in_(COMING_BACK), handed_in <= LegalClock.due_on,
        Case.state.in_((CaseState.OPEN, CaseState.SENT_BACK)),
    )  # fmt: skip
    waits = select(DatedEffect.id).where(
        DatedEffect.student_id == LegalClock.student_id, DatedEffect.state == EffectState.WAITING
    )
    return and_(LegalClock.kind == ClockKind.LEAVE, or_(asked.exists(), waits.exists()))


def select_being_decided(today: date) -> Select[LegalClock]:
    """Leaves that are over while the return that was asked for in time is still being decided."""
    over = LegalClock.kind == ClockKind.LEAVE, LegalClock.due_on < today
    return select(LegalClock).where(*over, being_decided()).order_by(LegalClock.due_on, LegalClock.student_id)


@hook
def no_return_runs(case: DismissalCase, student: Student) -> dict[str, Any]:
    """That a leave expired is no ground while the return is being decided."""
    mine = select(LegalClock.id).where(LegalClock.student_id == student.id, being_decided()).limit(1)
    if case.reason != GROUNDS[ClockKind.LEAVE] or db.session.scalar(mine) is None:
        return {}
    return {"reason": _("The return was handed in in time and is being decided: nothing can be declared meanwhile.")}


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
        .where(LegalClock.kind.in_([*GROUNDS]), LegalClock.due_on < today, ~declared, ~exempt, ~being_decided())
        .order_by(LegalClock.due_on, LegalClock.student_id)
    )


@hook
def ground_holds(case_ids: list[int], records: dict[str, Any]) -> dict[int, Any]:
    """Dismissals on a ground that the clocks no longer show, or never did: she is back, has registered, has returned."""
    shown = or_(*(and_(LegalClock.kind == kind, DismissalCase.reason == ground) for kind, ground in GROUNDS.items()))
    run_out = exists().where(
        LegalClock.student_id == DismissalCase.student_id, LegalClock.due_on < clock.today(), shown, ~being_decided()
    )
    named = DismissalCase.reason.in_(list(GROUNDS.values()))
    query = select(DismissalCase.id, DismissalCase.reason).where(among(DismissalCase.id, case_ids), named, ~run_out)
    return {
        case_id: _("The ground does not hold today: %(ground)s. Look at the legal clocks; send it back, or refuse it.",
                   ground=label("reason", reason))
        for case_id, reason in db.session.execute(query)
    }  # fmt: skip


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


def select_drafts():
    """Dismissals that are still with the college, the oldest first."""
    filling = DismissalCase.state.in_((CaseState.DRAFT, CaseState.SENT_BACK))
    return select(DismissalCase).where(filling).order_by(DismissalCase.id)


@operation(needs=Permission.CASE_OPEN)
def attach_to_drafts(
    actor: Actor, case_ids: list[int], kind: str, stream: BinaryIO, file_name: str, *, files_root: Path
) -> int:
    """One scan, such as the minutes of a visit to several students, for each of these drafts. All of them, or none."""
    drafts = _drafts(case_ids)
    for case_id in drafts:
        stream.seek(0)
        add_material(actor, case_id, kind, stream, file_name, files_root=files_root)
    return len(drafts)


@operation(needs=Permission.CASE_OPEN)
def hand_in_drafts(actor: Actor, case_ids: list[int]) -> int:
    """Hand these drafts in. All of them, or none with the reason of the first that cannot be."""
    drafts = _drafts(case_ids)
    for case_id, subject in drafts.items():
        try:
            submit(actor, case_id)
        except Refused as refused:
            raise Refused(_("%(student)s: %(why)s Nothing was handed in.", student=subject,
                            why=refused.reason)) from refused  # fmt: skip
    return len(drafts)


def _drafts(case_ids: list[int]) -> dict[int, str]:
    """The drafts with these ids, each with its student's name. Raises Refused if one is no draft any more."""
    wanted = sorted(set(case_ids))
    if not 0 < len(wanted) <= MOST_AT_ONCE:
        raise Refused(_("Select between one and %(most)s students.", most=MOST_AT_ONCE))
    found = {case.id: case.subject for case in db.session.scalars(select_drafts().where(DismissalCase.id.in_(wanted)))}
    if len(found) < len(wanted):
        raise Refused(_("Some of these drafts were handed in or taken back. Reload the page and select again."))
    return found


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
    if student.status != RosterStatus.ENROLLED:
        raise Refused(_("Only who is enrolled can be away without leave."))
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
