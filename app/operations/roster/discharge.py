"""退役 discharge from the army: from its day runs the time for which a place is kept (order 41, articles 10 and 27)."""

from datetime import date

from flask_babel import lazy_gettext as _
from sqlalchemy import select, text

from app.access import Actor, Permission
from app.kit import clock
from app.kit.calendar import months_after
from app.kit.operation import Refused, audit, get, operation
from app.models import RosterChange, RosterStatus, Student, db, setting_int
from app.operations.roster import ledger
from app.operations.roster.effects import REASON_CODES

CODE = "D1"
SERVING = (RosterStatus.RETAINED, RosterStatus.DEFERRED)


def in_service(student: Student) -> RosterChange | None:
    """The entry that kept her place for military service, while her discharge is not recorded; None for everybody else."""
    if student.status not in SERVING:
        return None
    mine = select(RosterChange).where(RosterChange.student_id == student.id)
    last = db.session.scalar(mine.order_by(RosterChange.effective_on.desc(), RosterChange.id.desc()).limit(1))
    serving = last is not None and last.reason == REASON_CODES["enlistment"] and last.until is None
    return last if serving else None


@operation(needs=Permission.CASE_EXCEPT)
def record_discharge(actor: Actor, student_id: int, discharged_on: date) -> date:
    """The day on which a student was discharged; returns until when her place is kept from then on."""
    student = get(Student, student_id, lock=True)
    entry = in_service(student)
    if entry is None:
        raise Refused(_("No place is kept for this student's military service, or her discharge is recorded already."))
    if not entry.effective_on <= discharged_on <= clock.today():
        raise Refused(_("A discharge lies between %(first)s and today.", first=entry.effective_on))
    until = months_after(discharged_on, setting_int("discharge_months"))
    db.session.execute(text("drop table if exists discharged"))
    db.session.execute(
        text("create temp table discharged on commit drop as select cast(:id as bigint) as student_id"),
        {"id": student.id},
    )
    ledger.remember("discharged")
    ledger.enter(actor, "discharged", CODE, note="退役", effective_on=discharged_on, until=until, reason=entry.reason)
    audit(actor, "student:discharge", subject="student", subject_id=student.id, college_id=student.college_id,
          new={"discharged_on": str(discharged_on), "until": str(until)})  # fmt: skip
    return until
