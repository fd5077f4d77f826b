"""放弃入学资格 waiver of admission: a freshman gives up the place before formal 学籍 (flow 5)."""

from flask_babel import lazy_gettext as _
from sqlalchemy import Select

from app.access import Role
from app.kit.flow import Field, Flow, Material, Step, Window, register
from app.models import Case, MeetingKind, RosterStatus
from app.operations.roster.effects import changes, roster_effect
from app.papers import change_notice


class WaiverCase(Case):
    """放弃入学资格申请."""

    __mapper_args__ = {"polymorphic_identity": "admission_waiver"}


@roster_effect
def waive(case_ids: list[int]) -> Select:
    """放弃入学资格"""
    return changes(WaiverCase, case_ids, code="W1", status=RosterStatus.WAIVED)


admission_waiver = register(
    Flow(
        key="admission_waiver",
        version=1,
        place=5,
        title=_("Waiver of admission"),
        prefix="FQ",
        applicants=frozenset({Role.STUDENT, Role.COLLEGE_CLERK}),
        allowed_from=frozenset({RosterStatus.ADMITTED, RosterStatus.DEFERRED, RosterStatus.ENROLLED}),
        before_registration=True,
        reasons=(),
        fields=(Field("statement"),),
        window=Window(("admission_waiver",)),
        materials=(Material("application"), Material("id_copies")),
        steps=(
            Step("accept", Role.COLLEGE_CLERK, days=1, meeting=MeetingKind.COLLEGE),
            Step("college", Role.COLLEGE_LEADER, days=2, seal=True, hands_differ_from=("submit", "accept")),
            Step("affairs", Role.AFFAIRS_DIRECTOR, days=2),
            Step("registry", Role.REGISTRY, days=1, originals=True, takes_effect=True),
            Step("leaving", Role.DEPARTMENT, days=5, each_department=True, checklist=True),
        ),
        effect=waive,
        paper=change_notice.issue,
    )
)
