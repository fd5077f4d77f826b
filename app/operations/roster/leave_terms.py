"""休学学期 the terms that a leave lasts: it ends with the last of them, the holiday after it included."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice

from flask_babel import lazy_gettext as _
from sqlalchemy import select, text

from app.access import Actor, Role
from app.kit.jobs.due import Due, Staff
from app.kit.operation import audit
from app.models import Case, CaseState, DatedEffect, EffectState, Identity, LeaveCase, Term, among, db

HALF_A_YEAR = timedelta(weeks=26)  # from a term to the next, where the calendar does not say
LONGEST_TERM = timedelta(weeks=40)
WEEKS = 20  # of teaching and examinations
FOLLOW = text("select f.case_id from follow_terms(cast(:ends as jsonb)) f")


def known_terms() -> dict[date, int]:
    """The first Monday of each term of the calendar, and its weeks."""
    return {monday: weeks for monday, weeks in db.session.execute(select(Term.first_monday, Term.weeks))}


def starts_from(day: date, known: dict[date, int]) -> Iterator[date]:
    """The first days of the term to which a day belongs and of those after it, without end: where the calendar does not
    know a term, it begins half a year after the one before."""
    mondays = sorted(known)
    start = max((one for one in mondays if one <= day), default=None)
    if start is None:
        start = mondays[0] if mondays else day
        while start > day:
            start -= HALF_A_YEAR
    while True:
        following = next((one for one in mondays if start < one <= start + LONGEST_TERM), start + HALF_A_YEAR)
        if following > day:
            yield start
        start = following


def end_of_leave(begins: date, terms: int, known: dict[date, int]) -> tuple[date, bool]:
    """The last day of a leave of so many terms, and whether it is an estimate. Its first term is that in which it begins;
    from the holiday after a term, the one that follows."""
    starts = list(islice(starts_from(begins, known), terms + 2))
    in_holiday = begins >= starts[0] + timedelta(weeks=known.get(starts[0], WEEKS))
    next_term = starts[terms + in_holiday]
    return next_term - timedelta(days=1), next_term not in known


def latest_start(today: date, ahead: int) -> date:
    """The last day on which a leave may begin that is asked for today: in one of so many terms after this one."""
    return next(islice(starts_from(today, known_terms()), ahead + 1, None)) - timedelta(days=1)


def follow_calendar(actor: Actor, today: date) -> Iterator[Due]:
    """Date the ends of leaves anew where the calendar has come to know, or has moved, the terms in which they end, and tell
    those concerned. A leave that has ended already stays as it is."""
    known, ends = known_terms(), {}
    running = Case.state.in_((CaseState.DRAFT, CaseState.OPEN, CaseState.SENT_BACK, CaseState.DONE))
    query = select(LeaveCase).where(running, LeaveCase.until_estimated.is_not(None), LeaveCase.leave_until >= today)
    for case in db.session.scalars(query.order_by(LeaveCase.id)):
        assert case.leave_from and case.leave_terms  # what has an end has both
        found = end_of_leave(case.leave_from, case.leave_terms, known)
        if found != (case.leave_until, case.until_estimated):
            ends[case] = found
    if not ends:
        return
    concerned = _in_force({case.id: until for case, (until, _estimated) in ends.items()})
    waits = select(DatedEffect.case_id).where(DatedEffect.state == EffectState.WAITING)
    concerned |= set(db.session.scalars(waits.where(among(DatedEffect.case_id, [case.id for case in ends]))))
    staff = Staff()
    for case, (until, estimated) in ends.items():
        if case.took_effect and case.id not in concerned:
            continue  # she is back, or has left
        old, case.leave_until, case.until_estimated = case.leave_until, until, estimated
        if old == until:
            continue
        audit(actor, "leave:follow_calendar", subject="flow_case", subject_id=case.id, college_id=case.college_id,
              old={"leave_until": str(old)}, new={"leave_until": str(until)})  # fmt: skip
        if case.state == CaseState.DRAFT:
            continue
        hers = db.session.scalars(select(Identity.user_id).where(Identity.student_id == case.student_id))
        yield Due(
            key=f"leave_until:{case.id}:{old}:{until}",
            users=(*hers, *staff.holding(Role.COLLEGE_CLERK, college_id=case.student_college_id)),
            title=_("The leave %(number)s ends on another day", number=case.number),
            text=_("%(subject)s: %(old)s → %(new)s, as the academic calendar has it now.", subject=case.subject, old=old,
                   new=until), path=f"/casescreen/show/{case.id}",
        )  # fmt: skip


def _in_force(ends: dict[int, date]) -> set[int]:
    """Move the ends that the ledger keeps of leaves that students are on; which cases those are."""
    said = json.dumps({str(case_id): until.isoformat() for case_id, until in ends.items()})
    return {row.case_id for row in db.session.execute(FOLLOW, {"ends": said})}
