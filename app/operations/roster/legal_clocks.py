"""法定期限 legal clocks: what is about to end is told to the 学院 and the student, and again when it has ended."""

from collections.abc import Iterator
from datetime import date, timedelta

from flask_babel import lazy_gettext as _
from sqlalchemy import func, select

from app.access import Actor, Role
from app.kit.jobs.due import Due, Staff, due_source
from app.models import ClockKind, College, Identity, LegalClock, db, setting_int

TOLD_STUDENTS = (ClockKind.LEAVE, ClockKind.DEFERRAL, ClockKind.APPEAL)
LOOK_BACK = 60  # days: what ended longer ago was told long since


@due_source("legal_clocks")
def ending_clocks(actor: Actor, today: date) -> Iterator[Due]:
    """One notice a 学院, kind and day for its staff; one a clock for the student whom it concerns."""
    ahead = setting_int("clock_notice_days")
    near = LegalClock.due_on.between(today - timedelta(days=LOOK_BACK), today + timedelta(days=ahead))
    staff = Staff()
    colleges = {college.id: college for college in db.session.scalars(select(College))}
    alike = (LegalClock.college_id, LegalClock.kind, LegalClock.due_on)
    for college_id, key, due_on, count in db.session.execute(select(*alike, func.count()).where(near).group_by(*alike)):
        kind, over = ClockKind(key), due_on < today
        roles = (Role.COLLEGE_CLERK, Role.COLLEGE_LEADER) if over else (Role.COLLEGE_CLERK,)
        if kind is ClockKind.PUBLICITY:
            roles = (Role.REGISTRY,)
        yield Due(
            key=f"clock:{kind}:{college_id}:{due_on}:{'over' if over else 'soon'}",
            users=staff.holding(*roles, college_id=college_id),
            title=_("%(what)s on %(day)s: %(college)s (%(n)s)", what=kind.label, day=due_on, n=count,
                    college=colleges[college_id]),
            text=_("What follows: %(next)s.", next=kind.follows),
            path=f"/legalclockscreen/list/?_flt_0_kind={kind}",
        )  # fmt: skip
    own = select(LegalClock.id, LegalClock.kind, LegalClock.due_on, Identity.user_id)
    own = own.join(Identity, Identity.student_id == LegalClock.student_id)
    for clock_id, key, due_on, user_id in db.session.execute(own.where(near, LegalClock.kind.in_(TOLD_STUDENTS))):
        kind = ClockKind(key)
        yield Due(
            key=f"clock:{clock_id}:{'over' if due_on < today else 'soon'}", users=(user_id,),
            title=_("%(what)s: %(day)s", what=kind.label, day=due_on),
            text=_("What follows: %(next)s.", next=kind.follows), path="/apply/",
        )  # fmt: skip
