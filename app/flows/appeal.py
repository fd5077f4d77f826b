"""申诉 appeal: a student asks the school to review a decision that reached her; if she is right it is reversed."""

from flask_babel import lazy_gettext as _

from app.access import Role
from app.kit.flow import Field, Flow, Material, Step, register
from app.models import RosterStatus
from app.operations import appeals
from app.papers import change_notice

# What a decision that can be appealed has made of her: order 41, articles 59 and 60.
DECIDED = {
    RosterStatus.WITHDRAWN, RosterStatus.ADMISSION_CANCELLED, RosterStatus.WAIVED, RosterStatus.ROSTER_CANCELLED, RosterStatus.EXPELLED,
}  # fmt: skip
appeal = register(
    Flow(
        key="appeal",
        version=1,
        title=_("Appeal"),
        prefix="SS",
        applicants=frozenset({Role.STUDENT, Role.COLLEGE_CLERK}),
        allowed_from=frozenset(DECIDED),
        reasons=(),
        fields=(Field("statement"),),
        derived=("appeal_until",),
        window=None,
        remedy=("appeal_next_body", "appeal_next_days"),
        materials=(Material("appeal_letter"),),
        steps=(
            Step("review", Role.REGISTRY, days=15, natural_days=True),
            Step("school", Role.VICE_PRESIDENT, days=5, meeting=True, hands_differ_from=("review",)),
            Step("registry", Role.REGISTRY, days=3, originals=True, takes_effect=True),
        ),
        prepare=appeals.find_decision,
        concerns=appeals.decision_to_appeal,
        rule=appeals.in_time,
        effect=appeals.reverse,
        paper=change_notice.issue,
    )
)
