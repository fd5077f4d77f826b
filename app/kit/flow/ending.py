"""终止 ending: what ends a student's roster ends everything open about her; what leaves its way leaves the public lists."""

from typing import Any

from flask_babel import force_locale, gettext
from sqlalchemy import ARRAY, BigInteger, String, exists, func, insert, literal, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB

from app.access import Actor
from app.kit import clock
from app.kit.flow import news
from app.kit.flow.registry import FLOWS, flow_of
from app.kit.operation import audit_many
from app.kit.paper.issuing import mark_papers
from app.models import (
    Case,
    CaseEvent,
    CaseState,
    CaseStep,
    DatedEffect,
    EffectState,
    PaperMark,
    RosterStatus,
    StepState,
    Student,
    among,
    db,
)
from app.models.roster.student import FRESHMAN, ON_ROLL

LIVE = (CaseState.DRAFT, CaseState.OPEN, CaseState.SENT_BACK)


def end_what_is_open(actor: Actor, case_ids: list[int]) -> None:
    """After these cases took effect: end every other open case of a student who is on the roster no more.

    A case that took effect itself is done, and what others still had to confirm of it is closed; one that did not has
    ended. Procedures that are meant for who has left, as an appeal is, go on.
    """
    case, student, cause = Case.__table__.c, Student.__table__.c, Case.__table__.alias("cause")
    dated = DatedEffect.__table__.c
    waits = exists().where(dated.case_id == case.id, dated.state == EffectState.WAITING)
    left = student.status.not_in([*ON_ROLL, *FRESHMAN])
    query = (
        select(case.id, case.flow, case.flow_version, case.state, case.took_effect, case.college_id, student.status,
               cause.c.flow.label("cause"), cause.c.number)
        .join(student.id.table, student.id == case.student_id)
        .join(cause, cause.c.student_id == case.student_id)
        .where(among(cause.c.id, case_ids), left, or_(case.state.in_(LIVE), waits), case.id.not_in(case_ids))
        .order_by(case.id)
    )  # fmt: skip
    found = [row for row in db.session.execute(query) if RosterStatus(row.status) not in flow_of(row).allowed_from]
    if not found:
        return
    ids = [row.id for row in found]
    with force_locale("zh"):
        whys = {row.id: gettext("%(title)s %(number)s has ended the student's roster.", title=FLOWS[row.cause].title,
                                number=row.number) for row in found}  # fmt: skip
    pending = set(db.session.scalars(
        update(DatedEffect.__table__)
        .where(among(dated.case_id, ids), dated.state == EffectState.WAITING)
        .values(state=EffectState.ANNULLED, settled_at=clock.now(), reason=next(iter(whys.values())))
        .returning(dated.case_id)
    ))  # fmt: skip
    mark_papers(actor, sorted(pending), PaperMark.VOID)
    done = [row.id for row in found if row.took_effect and row.id not in pending]
    _close(done, CaseState.DONE)
    _close([one for one in ids if one not in set(done)], CaseState.ENDED)
    _write_events(actor, whys)
    audit_many(actor, "case:end", [
        {"subject": "flow_case", "subject_id": row.id, "college_id": row.college_id, "old": {"state": row.state},
         "new": {"state": CaseState.DONE if row.id in done else CaseState.ENDED}, "detail": {"reason": whys[row.id]}}
        for row in found
    ])  # fmt: skip
    take_off_lists(actor, ids, next(iter(whys.values())))
    dead = [row.id for row in found if row.status == RosterStatus.CANCELLED]
    news.tell_applicants(actor, "end", [one for one in ids if one not in dead])
    news.tell_applicants(actor, "end", dead, students=False)


def refuse_with_applicants(actor: Actor, case_ids: list[int], why: str) -> None:
    """Refuse cases that were sent back and not handed in again: what they were for has been decided without them."""
    if not case_ids:
        return
    _close(case_ids, CaseState.REFUSED)
    _write_events(actor, dict.fromkeys(case_ids, why), "refuse")
    of_cases = select(Case.id, Case.college_id).where(among(Case.id, case_ids))
    colleges = {case_id: college_id for case_id, college_id in db.session.execute(of_cases)}
    audit_many(actor, "case:refuse", [
        {"subject": "flow_case", "subject_id": case_id, "college_id": colleges[case_id],
         "old": {"state": CaseState.SENT_BACK}, "new": {"state": CaseState.REFUSED}, "detail": {"reason": why}}
        for case_id in case_ids
    ])  # fmt: skip
    news.tell_applicants(actor, "refuse", case_ids, why)


def take_off_lists(actor: Actor, case_ids: list[int], why: str) -> None:
    """Take the cases off the lists on which they stand: what comes back to them is published anew."""
    taken = func.take_off_lists(literal(case_ids, ARRAY(BigInteger)), why).table_valued(
        "entry_id", "case_id", "college_id"
    )
    rows = db.session.execute(select(taken)).all() if case_ids else []
    audit_many(actor, "publicity:take_off", [
        {"subject": "publicity_entry", "subject_id": row.entry_id, "college_id": row.college_id, "old": None, "new": None,
         "detail": {"case": row.case_id, "reason": why[:300]}} for row in rows
    ])  # fmt: skip


def _close(ids: list[int], state: CaseState) -> None:
    if not ids:
        return
    case, step = Case.__table__, CaseStep.__table__
    unfinished = step.c.state.in_((StepState.OPEN, StepState.WAITING))
    db.session.execute(update(step).where(among(step.c.case_id, ids), unfinished).values(state=StepState.CLOSED))
    db.session.execute(
        update(case)
        .where(among(case.c.id, ids))
        .values(state=state, step_key=None, closed_at=clock.now(), version=case.c.version + 1)
    )


def _write_events(actor: Actor, whys: dict[int, str], act: str = "end") -> None:
    """A line in each case that says what ended it."""
    case = Case.__table__.c
    why: Any = func.jsonb_extract_path_text(
        literal({str(key): text for key, text in whys.items()}, JSONB), case.id.cast(String)
    )
    columns = {
        "case_id": case.id, "student_id": case.student_id, "college_id": case.college_id,
        "student_college_id": case.student_college_id, "target_college_id": case.target_college_id,
        "act": literal(act), "role": literal(next(iter(sorted(actor.roles)), None)), "actor_id": literal(actor.user_id),
        "actor_name": literal(actor.name), "on_behalf_of": literal(actor.on_behalf_of or None), "opinion": why,
        "at": literal(clock.now()),
    }  # fmt: skip
    source = select(*(value.label(name) for name, value in columns.items())).where(among(case.id, list(whys)))
    db.session.execute(insert(CaseEvent.__table__).from_select(list(columns), source))
