"""Applying: open a case, fill it in, hand it in, take it back. Deciding is in batch.py."""

from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from app.access import Actor, Permission, Role
from app.kit import clock
from app.kit.flow import news
from app.kit.flow.declare import Flow
from app.kit.flow.ending import take_off_lists
from app.kit.flow.filling import LONGEST_TEXT, against_checks, fill
from app.kit.flow.handed_in import words_of
from app.kit.flow.labels import label
from app.kit.flow.registry import flow_of
from app.kit.flow.standing import why_not_another, why_not_status
from app.kit.flow.steps import copy_steps, open_next
from app.kit.flow.window import why_closed
from app.kit.operation import Faulty, NotAllowed, Refused, audit, get, operation
from app.kit.sensitive import SENSITIVE, permitted, seen_by
from app.models import Case, CaseEvent, CaseState, CaseStep, Material, StepState, Student, among, db
from app.models.language import listed

FILLING = frozenset({CaseState.DRAFT, CaseState.SENT_BACK})


def applies(actor: Actor, flow: Flow, student_id: int, college_id: int) -> bool:
    """Whether the actor may apply for this student: the student herself, or her college's clerk for her."""
    if actor.has(Role.STUDENT) and Role.STUDENT in flow.applicants:
        return actor.scope.student_id == student_id
    clerks = actor.roles & flow.applicants - {Role.STUDENT}
    return bool(clerks) and actor.scope.college_id == college_id


@operation(needs=Permission.CASE_OPEN)
def open_case(
    actor: Actor, flow: Flow, student_id: int, values: dict[str, Any], *, late_reason: str | None = None
) -> Case:
    """A draft of a case. With `late_reason` the registry opens it for the applicant, outside the window."""
    student = get(Student, student_id)
    if not late_reason and not applies(actor, flow, student.id, student.college_id):
        raise NotAllowed(_("Only the student herself or the clerk of her college can apply."))
    _check_status(flow, student)
    number = db.session.scalar(text("select nextval(pg_get_serial_sequence('flow_case', 'id'))"))
    case = flow.model(
        id=number, number=f"{flow.prefix}{clock.today().year}-{number:06}", flow_version=flow.version,
        student_id=student.id, college_id=student.college_id, student_college_id=student.college_id,
        state=CaseState.DRAFT, subject=str(student), subject_pinyin=student.pinyin, opened_by=actor.user_id,
        opened_at=clock.now(), opened_by_role=next(iter(sorted(actor.roles & flow.applicants or actor.roles))),
    )  # fmt: skip
    try:
        with db.session.begin_nested():
            db.session.add(case)
    except IntegrityError as error:
        if "uq_flow_case_running" not in str(error.orig):
            raise
        raise Refused(_("The student has such a case already. Finish it or take it back first.")) from error
    if late_reason and actor.may(Permission.CASE_EXCEPT):
        case.late_reason = late_reason.strip()[:300]  # which may allow what else is refused
    _fill(flow, case, values)
    note(actor, case, "open")
    if late_reason:
        let_in_late(actor, case.id, late_reason)
    audit(actor, "case:open", subject="flow_case", subject_id=case.id, college_id=case.college_id,
          new=_shown(flow, case))  # fmt: skip
    return case


@operation(needs=Permission.CASE_OPEN)
def save_draft(actor: Actor, case_id: int, values: dict[str, Any]) -> Case:
    """Fill in a draft, or a case that was sent back."""
    case = get(Case, case_id, lock=True)
    flow = flow_of(case)
    check_filling(actor, case)
    old = _shown(flow, case)
    _fill(flow, case, values)
    audit(actor, "case:save", subject="flow_case", subject_id=case.id, college_id=case.college_id,
          old=old, new=_shown(flow, case))  # fmt: skip
    return case


@operation(needs=Permission.CASE_OPEN)
def open_draft(actor: Actor, case_id: int) -> None:
    """Log what the form of a draft shows in the clear of the columns that are masked elsewhere."""
    case = get(Case, case_id)
    shown = [item.key for item in flow_of(case).fields
             if item.key in SENSITIVE and permitted(actor, item.key) and getattr(case, item.key)]  # fmt: skip
    if shown:
        audit(actor, "flow_case.reveal", subject="flow_case", subject_id=case.id, college_id=case.college_id,
              detail={"columns": shown})  # fmt: skip


@operation(needs=Permission.CASE_OPEN)
def submit(actor: Actor, case_id: int) -> Case:
    """Hand a case in, or in again. Everything that the flow asks for is checked here."""
    case = get(Case, case_id, lock=True)
    flow = flow_of(case)
    check_filling(actor, case)
    student = get(Student, case.student_id)
    _check_status(flow, student)
    again = case.state == CaseState.SENT_BACK
    closed = None if again else why_closed(flow, case, clock.today())
    if closed:
        raise Refused(closed)
    if flow.prepare:
        flow.prepare(case)
    empty = [str(label("field", item.key)) for item in flow.fields_for(case)
             if not item.optional and getattr(case, item.key) in (None, "")]  # fmt: skip
    if empty:
        raise Refused(_("Fill in first: %(fields)s.", fields=listed(empty)))
    missing = missing_materials(flow, case, attached_kinds([case.id]).get(case.id, set()))
    if missing:
        raise Refused(_("Attach first: %(materials)s.", materials=listed(missing)))
    db.session.flush()
    if faults := against_checks(flow, case, {item.key for item in flow.fields}):  # days pass, rules change
        raise Faulty(faults)
    hindered = flow.rule([case.id], {}).get(case.id) if flow.rule else None
    hindered = hindered or (flow.grounds([case.id], {}).get(case.id) if flow.grounds else None)
    hindered = hindered or why_not_another(flow, case)
    if hindered:
        raise Refused(hindered)
    if not again:
        case.college_id = case.student_college_id  # she may have moved since it was drafted
        copy_steps(case, flow)
        case.submitted_at = clock.now()
    case.state, case.handed_in = CaseState.OPEN, words_of(flow, case, student)
    db.session.flush()
    open_next([case.id])
    db.session.refresh(case)
    act = "resubmit" if again else "submit"
    note(actor, case, act)
    audit(actor, f"case:{act}", subject="flow_case", subject_id=case.id, college_id=case.college_id)
    news.tell_applicants(actor, "submit", [case.id])
    news.tell_next_hands(actor, [case.id], set())
    return case


def applied(actor: Actor, case: Case) -> bool:
    """Whether the application is the actor's own: the student's, her college's where the college made it, or the registry's
    where that opened it as an exception."""
    if let_in_by(actor, case):
        return True
    if actor.has(Role.STUDENT):
        return applies(actor, flow_of(case), case.student_id, case.student_college_id)
    return case.opened_by_role != Role.STUDENT and applies(
        actor, flow_of(case), case.student_id, case.student_college_id
    )


def let_in_by(actor: Actor, case: Case) -> bool:
    """Whether the case was opened outside its window by the actor's own office, which may let it in."""
    return bool(case.late_reason) and case.opened_by_role == Role.REGISTRY and actor.may(Permission.CASE_EXCEPT)


@operation(needs=Permission.CASE_OPEN)
def withdraw(actor: Actor, case_id: int, reason: str | None = None) -> Case:
    """Take a case back; possible until academic affairs has signed. An office says why: the student reads it."""
    case = get(Case, case_id, lock=True)
    hindered = why_not_withdraw(actor, case)
    if hindered:
        raise hindered
    reason = (reason or "").strip()[:LONGEST_TEXT] or None
    if reason is None and not actor.has(Role.STUDENT):
        raise Refused(_("Give a reason: the student reads it."))
    waited = news.signers_of([case.id])
    take_off_lists(actor, [case.id], reason or str(label("act", "withdraw")))
    case.state, case.step_key, case.closed_at = CaseState.WITHDRAWN, None, clock.now()
    db.session.execute(
        CaseStep.__table__.update()
        .where(CaseStep.case_id == case.id, CaseStep.state.in_((StepState.OPEN, StepState.WAITING)))
        .values(state=StepState.CLOSED)
    )
    note(actor, case, "withdraw", opinion=reason)
    audit(actor, "case:withdraw", subject="flow_case", subject_id=case.id, college_id=case.college_id,
          detail={"reason": reason})  # fmt: skip
    news.tell_applicants(actor, "withdraw", [case.id], reason)
    news.tell_former_hands(actor, [case.id], waited)
    return case


def why_not_withdraw(actor: Actor, case: Case) -> Refused | None:
    """Why the actor cannot take this case back; None if she can."""
    if not applied(actor, case):
        return NotAllowed(_("Only who applied can take a case back. The college sends it back, or refuses it with a"
                            " reason, when it signs."))  # fmt: skip
    if case.state not in FILLING | {CaseState.OPEN}:
        return Refused(_("This case is closed: %(state)s.", state=CaseState(case.state).label))
    signed = select(CaseStep.role).where(
        CaseStep.case_id == case.id,
        CaseStep.state.in_((StepState.DONE, StepState.CLOSED)),
        CaseStep.decided_at.is_not(None),
    )
    if any(Role(role).scope in ("school", "transfers") for role in db.session.scalars(signed)):
        return Refused(_("Academic affairs has signed already: the case can no longer be taken back."))
    return None


@operation(needs=Permission.CASE_EXCEPT)
def let_in_late(actor: Actor, case_id: int, reason: str) -> Case:
    """The registry's exception: this case may be handed in outside its window."""
    case = get(Case, case_id, lock=True)
    if not reason.strip():
        raise Refused(_("An exception needs a reason."))
    if case.submitted_at is not None or case.state != CaseState.DRAFT:
        raise Refused(_("This case was handed in already; it needs no exception."))
    case.late_reason, case.late_by = reason.strip()[:300], actor.user_id
    note(actor, case, "let_in_late", opinion=case.late_reason)
    audit(actor, "case:let_in_late", subject="flow_case", subject_id=case.id, college_id=case.college_id,
          detail={"reason": case.late_reason})  # fmt: skip
    news.tell_applicants(actor, "let_in_late", [case.id])
    return case


def check_filling(actor: Actor, case: Case) -> None:
    """Raise unless the case is with its applicant and the actor is one."""
    own = let_in_by(actor, case)
    if not own and not applies(actor, flow_of(case), case.student_id, case.student_college_id):
        raise NotAllowed(_("Only the student herself or the clerk of her college can apply."))
    if not own and not applied(actor, case):
        raise NotAllowed(_("The student began this application herself; she alone fills it in and hands it in."))
    if case.state not in FILLING:
        raise Refused(_("This case is not with the applicant: %(state)s.", state=CaseState(case.state).label))


def note(actor: Actor, case: Case, act: str, *, opinion: str | None = None) -> None:
    """Write one line of a case's timeline."""
    db.session.add(CaseEvent(
        case_id=case.id, student_id=case.student_id, college_id=case.college_id,
        student_college_id=case.student_college_id, target_college_id=case.target_college_id, act=act,
        role=next(iter(sorted(actor.roles)), None), actor_id=actor.user_id, actor_name=actor.name,
        on_behalf_of=actor.on_behalf_of or None, opinion=opinion, at=clock.now(),
    ))  # fmt: skip


def attached_kinds(case_ids: list[int]) -> dict[int, set[str]]:
    """The kinds of material that each case has."""
    query = select(Material.case_id, Material.kind).where(among(Material.case_id, case_ids), ~Material.removed)
    kinds: dict[int, set[str]] = {}
    for case_id, kind in db.session.execute(query.distinct()):
        kinds.setdefault(case_id, set()).add(kind)
    return kinds


def missing_materials(flow: Flow, case: Any, attached: set[str]) -> list[str]:
    """What the case still lacks, as labels."""
    return [str(label("material", item.key)) for item in flow.materials_for(case) if item.key not in attached]


def _check_status(flow: Flow, student: Student) -> None:
    hindered = why_not_status(flow, student.status, student.registered)
    if hindered:
        raise Refused(hindered)


def _shown(flow: Flow, case: Case) -> dict[str, Any]:
    """The form as the audit keeps it, which others read than those who may see all of it."""
    values = {item.key: getattr(case, item.key) for item in flow.fields}
    return {key: None if value is None else seen_by(None, key, str(value)) for key, value in values.items()}


def _fill(flow: Flow, case: Case, values: dict[str, Any]) -> None:
    if faults := fill(flow, case, values):
        raise Faulty(faults)
    if flow.prepare:
        flow.prepare(case)
