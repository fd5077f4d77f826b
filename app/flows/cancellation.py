"""注销学籍 cancellation: the roster of a student who has died is closed (flow 24)."""

from flask_babel import lazy_gettext as _
from sqlalchemy import Select, func, select

from app.access import Role
from app.kit.flow import Field, Flow, Material, Step, Window, register
from app.models import CancellationCase, RosterChange, RosterStatus
from app.operations.roster.death import died_as_a_student
from app.operations.roster.effects import changes, roster_effect
from app.papers import change_notice


@roster_effect
def cancel(case_ids: list[int]) -> Select:
    """注销学籍"""
    # a death that was learnt of late does not go before what was recorded of her since
    last = (
        select(func.max(RosterChange.effective_on))
        .where(RosterChange.student_id == CancellationCase.student_id)
        .correlate(CancellationCase)
        .scalar_subquery()
    )
    day = func.greatest(CancellationCase.died_on, last)
    return changes(CancellationCase, case_ids, code="51", status=RosterStatus.CANCELLED, effective_on=day)


cancellation = register(
    Flow(
        key="cancellation",
        version=1,
        place=24,
        title=_("Cancellation of the roster"),
        prefix="ZX",
        applicants=frozenset({Role.COLLEGE_CLERK}),
        allowed_from=frozenset({RosterStatus.ENROLLED, RosterStatus.ON_LEAVE, RosterStatus.RETAINED}),
        reasons=(),
        fields=(Field("died_on"), Field("statement", optional=True)),
        window=Window(("cancellation",)),
        materials=(Material("application"), Material("death_certificate")),
        steps=(
            Step("accept", Role.COLLEGE_CLERK, days=1),
            Step("college", Role.COLLEGE_LEADER, days=2, seal=True, hands_differ_from=("submit", "accept")),
            Step("affairs", Role.AFFAIRS_DIRECTOR, days=2),
            Step("registry", Role.REGISTRY, days=1, originals=True, takes_effect=True),
        ),
        prevails=True,
        check=died_as_a_student,
        effect=cancel,
        paper=change_notice.issue,
    )
)
