"""自动退学 voluntary withdrawal: a student leaves the school of her own will (flow 8)."""

from flask_babel import lazy_gettext as _
from sqlalchemy import Select

from app.access import Role
from app.kit.flow import Field, Flow, Material, Step, Window, register
from app.models import Case, MeetingKind, RosterStatus
from app.operations.roster.effects import changes, roster_effect
from app.papers import change_notice


class WithdrawalCase(Case):
    """自动退学申请."""

    __mapper_args__ = {"polymorphic_identity": "voluntary_withdrawal"}


@roster_effect
def withdraw(case_ids: list[int]) -> Select:
    """自动退学"""
    return changes(WithdrawalCase, case_ids, code="31", reason="21", status=RosterStatus.WITHDRAWN)


voluntary_withdrawal = register(
    Flow(
        key="voluntary_withdrawal",
        version=1,
        place=8,
        title=_("Voluntary withdrawal"),
        prefix="TX",
        applicants=frozenset({Role.STUDENT, Role.COLLEGE_CLERK}),
        allowed_from=frozenset({RosterStatus.ENROLLED, RosterStatus.ON_LEAVE, RosterStatus.RETAINED}),
        reasons=(),
        fields=(Field("statement"),),
        window=Window(("voluntary_withdrawal",)),
        materials=(Material("application"), Material("id_copies")),
        steps=(
            Step("accept", Role.COLLEGE_CLERK, days=1, meeting=MeetingKind.COLLEGE),
            Step("college", Role.COLLEGE_LEADER, days=2, seal=True, hands_differ_from=("submit", "accept")),
            Step("affairs", Role.AFFAIRS_DIRECTOR, days=2),
            Step("school", Role.VICE_PRESIDENT, days=3),
            Step("registry", Role.REGISTRY, days=1, originals=True, takes_effect=True),
            Step("leaving", Role.DEPARTMENT, days=5, each_department=True, checklist=True),
        ),
        effect=withdraw,
        paper=change_notice.issue,
    )
)
