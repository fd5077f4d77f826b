"""待生效异动 dated effects: what was decided for a later day is made on that day, or lapses; until then it can be annulled."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from flask_babel import force_locale
from flask_babel import lazy_gettext as _
from sqlalchemy import func, insert, literal, select, update

from app.access import Actor, Permission, Role
from app.kit import clock
from app.kit.flow import by_flow, news
from app.kit.flow.apply import note
from app.kit.flow.check import no_longer_fit
from app.kit.jobs.due import NAME, Due, Staff, due_source, tell
from app.kit.operation import Refused, audit, audit_many, get, operation
from app.kit.paper.issuing import mark_papers
from app.models import (
    Case,
    CaseEvent,
    CaseState,
    CaseStep,
    DatedEffect,
    EffectState,
    Identity,
    PaperMark,
    StepState,
    among,
    db,
)

SOURCE = "dated_effects"
LONGEST_REASON = 300


@due_source(SOURCE)
def take_effect(actor: Actor, today: date) -> Iterator[Due]:
    """Make every change whose day has come, all flows together; what the roster no longer allows lapses and is told.

    A number of statements for each flow, however many changes there are. Made again, it finds nothing to do.
    """
    due = DatedEffect.state == EffectState.WAITING, DatedEffect.effective_on <= today
    table = Case.__table__
    wanted = list(db.session.scalars(select(DatedEffect.case_id).where(*due)))
    if not wanted:
        return
    # in the order in which decisions lock: cases, effects, students
    query = select(*table.c).where(among(table.c.id, wanted)).order_by(table.c.id).with_for_update()
    cases = {case.id: case for case in db.session.execute(query)}
    locking = select(DatedEffect).where(*due, among(DatedEffect.case_id, list(cases))).order_by(DatedEffect.case_id)
    effects = {one.case_id: one for one in db.session.scalars(locking.with_for_update(of=DatedEffect))}
    cases = {key: case for key, case in cases.items() if key in effects}
    reasons = no_longer_fit(cases)
    for flow, ids in by_flow([case for key, case in cases.items() if key not in reasons]):
        flow.effect(actor, ids)  # type: ignore[misc]  # what waits here has an effect
        _write_events("take_effect", ids)
        _audit(actor, "effect:apply", [cases[key] for key in ids])
        news.tell_colleges(actor, ids)
    yield from _lapsed(actor, cases, effects, reasons)
    db.session.expire_all()


def _lapsed(
    actor: Actor, cases: dict[int, Any], effects: dict[int, DatedEffect], reasons: dict[int, Any]
) -> Iterator[Due]:
    """Close what can no longer be made, and tell the registry, the college and the student why."""
    staff = Staff() if reasons else None
    mark_papers(actor, list(reasons), PaperMark.VOID)
    for case_id, reason in reasons.items():
        case, effect = cases[case_id], effects[case_id]
        with force_locale("zh"):
            effect.reason = str(reason)[:LONGEST_REASON]
        effect.state, effect.settled_at = EffectState.LAPSED, clock.now()
        _write_events("lapse", [case_id], effect.reason)
        _close(case_id, CaseState.REFUSED)
        _audit(actor, "effect:lapse", [case], {"reason": effect.reason})
        assert staff is not None
        users = staff.holding(Role.REGISTRY, Role.COLLEGE_CLERK, college_id=case.student_college_id)
        yield Due(
            key=f"effect:{effect.id}:lapsed", users=(*users, *_students([case.student_id])),
            title=_("%(case)s could not take effect on %(day)s", case=case.number, day=effect.effective_on),
            text=_("%(subject)s: %(why)s", subject=case.subject, why=reason), path=f"/casescreen/show/{case_id}",
        )  # fmt: skip


@operation(needs=Permission.CASE_EXCEPT)
def annul(actor: Actor, effect_id: int, reason: str) -> DatedEffect:
    """Call a decided change off before its day, e.g. because the student asks for it. Its case ends; nobody has taken it back."""
    case_id = get(DatedEffect, effect_id).case_id
    case = get(Case, case_id, lock=True)
    effect = get(DatedEffect, effect_id, lock=True)
    words = " ".join(reason.split())[:LONGEST_REASON]
    if not words:
        raise Refused(_("Give a reason."))
    if effect.state != EffectState.WAITING or effect.effective_on <= clock.today():
        raise Refused(_("It waits for its day no more: %(state)s.", state=EffectState(effect.state).label))
    effect.state, effect.settled_at, effect.reason = EffectState.ANNULLED, clock.now(), words
    db.session.flush()
    note(actor, case, "annul", opinion=words)
    mark_papers(actor, [case.id], PaperMark.VOID)
    _close(case.id, CaseState.ENDED)
    audit(actor, "effect:annul", subject="flow_case", subject_id=case.id, college_id=case.college_id,
          detail={"reason": words})  # fmt: skip
    told = Staff().holding(Role.COLLEGE_CLERK, Role.COLLEGE_LEADER, college_id=case.student_college_id)
    tell([Due(
        key=f"effect:{effect.id}:annulled", users=(*told, *_students([case.student_id])),
        title=_("%(case)s was annulled before its day", case=case.number),
        text=_("%(subject)s: %(why)s", subject=case.subject, why=words), path=f"/casescreen/show/{case.id}",
    )])  # fmt: skip
    db.session.expire_all()
    return effect


def waiting_of(student_id: int) -> list[DatedEffect]:
    """The student's decided changes that wait for their day."""
    mine = select(DatedEffect).where(DatedEffect.student_id == student_id, DatedEffect.state == EffectState.WAITING)
    return list(db.session.scalars(mine.order_by(DatedEffect.effective_on)))


def _students(student_ids: list[int]) -> list[int]:
    return list(db.session.scalars(select(Identity.user_id).where(Identity.student_id.in_(student_ids))))


def _close(case_id: int, state: CaseState) -> None:
    unfinished = CaseStep.case_id == case_id, CaseStep.state.in_((StepState.OPEN, StepState.WAITING))
    db.session.execute(update(CaseStep.__table__).where(*unfinished).values(state=StepState.CLOSED))
    case = Case.__table__
    closed = {"state": state, "step_key": None, "closed_at": func.coalesce(case.c.closed_at, clock.now())}
    db.session.execute(update(case).where(case.c.id == case_id).values(version=case.c.version + 1, **closed))


def _write_events(act: str, case_ids: list[int], opinion: str | None = None) -> None:
    """One line in each case's timeline, in the name of the machine; the person is whoever decided it."""
    case, effect = Case.__table__.c, DatedEffect.__table__.c
    columns = {
        "case_id": case.id, "student_id": case.student_id, "college_id": case.college_id,
        "student_college_id": case.student_college_id, "target_college_id": case.target_college_id,
        "act": literal(act), "actor_id": effect.recorded_by, "actor_name": literal(NAME),
        "opinion": literal(opinion), "at": literal(clock.now()),
    }  # fmt: skip
    source = select(*(value.label(name) for name, value in columns.items()))
    source = source.join_from(Case.__table__, DatedEffect.__table__, effect.case_id == case.id)
    db.session.execute(insert(CaseEvent.__table__).from_select(list(columns), source.where(among(case.id, case_ids))))


def _audit(actor: Actor, action: str, cases: list[Any], detail: dict[str, Any] | None = None) -> None:
    audit_many(actor, action, [
        {"subject": "flow_case", "subject_id": case.id, "college_id": case.college_id, "old": None, "new": None,
         "detail": detail} for case in cases
    ])  # fmt: skip
