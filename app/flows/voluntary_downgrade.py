"""主动降级 voluntary downgrade: a student joins a class of a lower grade of her own will (flow 9)."""

from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import Select

from app.access import Role
from app.kit.flow import Field, Flow, Material, Step, Window, register
from app.models import Case, IntoClass, RosterStatus, Student
from app.operations.roster.effects import changes, lower_class_fits, roster_effect
from app.papers import change_notice


class DowngradeCase(IntoClass, Case):
    """主动降级申请 with the grade and class that the college proposes."""

    __mapper_args__ = {"polymorphic_identity": "voluntary_downgrade"}


@roster_effect
def downgrade(case_ids: list[int]) -> Select:
    """主动降级"""
    into: dict[str, Any] = {"grade": DowngradeCase.grade, "class_group_id": DowngradeCase.class_group_id}
    return changes(DowngradeCase, case_ids, code="03", status=Student.status, **into)


voluntary_downgrade = register(
    Flow(
        key="voluntary_downgrade",
        version=1,
        place=9,
        title=_("Voluntary downgrade"),
        prefix="JJ",
        applicants=frozenset({Role.STUDENT, Role.COLLEGE_CLERK}),
        allowed_from=frozenset({RosterStatus.ENROLLED}),
        reasons=(),
        fields=(Field("statement"),),
        window=Window(("autumn_downgrade", "spring_downgrade")),
        materials=(Material("application"), Material("id_copies")),
        steps=(
            Step("accept", Role.COLLEGE_CLERK, days=1, records=("grade", "class_group_id"), rule=lower_class_fits),
            Step("college", Role.COLLEGE_LEADER, days=2, seal=True, hands_differ_from=("submit", "accept")),
            Step("affairs", Role.AFFAIRS_DIRECTOR, days=2),
            Step("registry", Role.REGISTRY, days=1, originals=True, takes_effect=True, rule=lower_class_fits),
            Step("delivery", Role.DEPARTMENT, days=3, each_department=True),
        ),
        effect=downgrade,
        paper=change_notice.issue,
    )
)
