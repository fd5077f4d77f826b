"""学籍条件 standing: whether a student's roster allows a change: her status, no other change under way, dates in order."""

from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import and_, func, or_, select, text

from app.kit import clock
from app.kit.flow.declare import Flow
from app.kit.flow.labels import label
from app.kit.flow.registry import FLOWS
from app.models import (
    Case,
    CaseState,
    CaseStep,
    DatedEffect,
    EffectState,
    RosterChange,
    RosterStatus,
    StepState,
    among,
    db,
)
from app.models.language import listed

ONE_AT_A_TIME = text("select pg_advisory_xact_lock(hashtextextended('roster:' || :student, 0))")


def why_not_status(flow: Flow, status: str, registered: bool) -> Any | None:
    """Why a student in this roster status cannot have such a case; None if she can."""
    if status not in flow.allowed_from:
        allowed = listed(RosterStatus(item).label for item in sorted(flow.allowed_from))
        return _("The student's roster status is %(status)s; this procedure needs %(allowed)s.",
                 status=RosterStatus(status).label, allowed=allowed)  # fmt: skip
    if flow.before_registration and registered:
        return _("This procedure is for freshmen before their electronic registration; this student is registered.")
    return None


def why_not_another(flow: Flow, case: Case) -> Any | None:
    """Why this case cannot be handed in beside the others of its student; None if it can.

    A roster changes one thing at a time: two cases handed in at once wait for each other here.
    """
    if not flow.changes_roster or flow.prevails:
        return None
    db.session.execute(ONE_AT_A_TIME, {"student": str(case.student_id)})
    changing = [key for key, one in FLOWS.items() if one.changes_roster]
    effective = select(CaseStep.id).where(
        CaseStep.case_id == Case.id, CaseStep.state == StepState.DONE, CaseStep.declared["takes_effect"].as_boolean()
    )
    waits = and_(DatedEffect.case_id == Case.id, DatedEffect.state == EffectState.WAITING)
    undecided = and_(Case.state.in_((CaseState.OPEN, CaseState.SENT_BACK)), ~effective.exists())
    query = (
        select(Case.flow, Case.number, DatedEffect.effective_on)
        .outerjoin(DatedEffect, waits)
        .where(Case.student_id == case.student_id, Case.id != case.id, Case.flow.in_(changing))
        .where(or_(undecided, DatedEffect.id.is_not(None)))
    )
    other = db.session.execute(query.order_by(Case.id).limit(1)).first()
    if other is None:
        return None
    title = FLOWS[other.flow].title
    if other.effective_on is not None:
        return _("%(title)s %(number)s of this student has been decided and takes effect on %(day)s. Hand this one in"
                 " after that day, or ask the roster registry to annul the other.", title=title, number=other.number,
                 day=other.effective_on)  # fmt: skip
    return _("Another change of this student is under way: %(title)s %(number)s. It must be decided, or taken back,"
             " before this one is handed in.", title=title, number=other.number)  # fmt: skip


def why_not_dated(flow: Flow, case: Case) -> Any | None:
    """Why the day from which the change is to count cannot be: it lies before the student's last change."""
    day = getattr(case, flow.dated) if flow.dated else None
    last = last_changes([case.student_id]).get(case.student_id)
    if day is None or last is None or day >= last:
        return None
    return _("%(field)s: %(day)s lies before the student's last roster change of %(last)s.",
             field=label("field", flow.dated or ""), day=day, last=last)  # fmt: skip


def counts_from(flow: Flow, case: Any) -> date:
    """The day from which a case's change would count if it were decided today."""
    return (getattr(case, flow.dated) if flow.dated else None) or clock.today()


def out_of_order(days: dict[int, tuple[int, date]]) -> dict[int, Any]:
    """Cases, each given with its student and the day from which it counts, whose student's last entry is later."""
    latest = last_changes([student_id for student_id, _day in days.values()])
    return {
        case_id: _("The student's last roster change is dated %(last)s: this one, from %(day)s, would lie before it."
                      " Send it back for a later day, or ask the roster registry.", last=last, day=day)
        for case_id, (student_id, day) in days.items()
        if (last := latest.get(student_id)) is not None and last > day
    }  # fmt: skip


def last_changes(student_ids: list[int]) -> dict[int, date]:
    """The day of the last entry in each student's ledger."""
    latest = select(RosterChange.student_id, func.max(RosterChange.effective_on)).group_by(RosterChange.student_id)
    return {row[0]: row[1] for row in db.session.execute(latest.where(among(RosterChange.student_id, student_ids)))}
