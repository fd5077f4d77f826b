"""注销学籍 cancellation: the roster of a student who has died is closed (flow 24)."""

from flask_babel import lazy_gettext as _
from sqlalchemy import Select

from app.access import Role
from app.kit.flow import Field, Flow, Material, Step, Window, register
from app.kit.operation import Refused
from app.models import CancellationCase, RosterStatus
from app.models.roster.ledger import DEATH
from app.operations.roster.death import died_as_a_student, nothing_after_death
from app.operations.roster.effects import changes, roster_effect
from app.papers import change_notice


@roster_effect
def cancel(case_ids: list[int]) -> Select:
    """注销学籍"""
    for why in nothing_after_death(case_ids, {}).values():
        raise Refused(why)  # of cases from before it was asked at every signature
    died_on = CancellationCase.died_on
    return changes(
        CancellationCase, case_ids, code=DEATH, status=RosterStatus.CANCELLED, effective_on=died_on, note="注销学籍"
    )  # what the family reads; the national code stays


cancellation = register(
    Flow(
        key="cancellation",
        version=2,
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
        grounds=nothing_after_death,
        effect=cancel,
        paper=change_notice.issue,
    )
)
