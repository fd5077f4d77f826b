"""转专业 major transfer: applied for in a round, examined by both colleges, decided for the whole list at once (flow 10)."""

from flask_babel import lazy_gettext as _

from app.access import Role
from app.kit.flow import Field, Flow, Material, Step, Window, add_labels, register
from app.models import MeetingKind, RosterStatus
from app.operations.transfers.decision import admitted_in_round
from app.operations.transfers.placing import class_of_new_major, transfer
from app.operations.transfers.rounds import check_choices, fits_round, join_round, same_level
from app.papers import change_notice

add_labels({
    "step.panel": _("Decision of the transfer panel"), "step.placing": _("Class in the new major"),
    "step.placed": _("Class agreed by the new college"),
    "field.first_major_id": _("First choice"), "field.second_major_id": _("Second choice"),
    "field.third_major_id": _("Third choice"), "field.major_id": _("Admitted to"),
    "window.major_transfer": _("Change of major"),
})  # fmt: skip
major_transfer = register(
    Flow(
        key="major_transfer",
        version=3,
        place=10,
 # the new college's leader agrees to the class with the seal
        title=_("Change of major"),
        prefix="ZZ",
        applicants=frozenset({Role.STUDENT, Role.COLLEGE_CLERK}),
        allowed_from=frozenset({RosterStatus.ENROLLED}),
        reasons=(),
        fields=(
            Field("first_major_id"),
            Field("second_major_id", optional=True),
            Field("third_major_id", optional=True),
            Field("statement"),
        ),
        derived=("major_id",),
        window=Window(("major_transfer",)),
        materials=(Material("application"),),
        steps=(
            Step("accept", Role.COLLEGE_CLERK, days=3, meeting=MeetingKind.COLLEGE),
            Step("college", Role.COLLEGE_LEADER, days=3, seal=True, hands_differ_from=("submit", "accept")),
            Step("panel", Role.TRANSFER_PANEL, days=30, meeting=MeetingKind.TRANSFERS, rule=admitted_in_round),
            Step("placing", Role.COLLEGE_CLERK, days=3, target=True, records=("class_group_id",), rule=class_of_new_major),
            Step("placed", Role.COLLEGE_LEADER, days=2, target=True, seal=True, hands_differ_from=("placing",),
                 rule=class_of_new_major),
            Step("publicity", Role.REGISTRY, days=10, publicity=True),
            Step("document", Role.REGISTRY, days=3, document=True, takes_effect=True),
        ),
        prepare=join_round,
        check=check_choices,
        rule=fits_round,
        grounds=same_level,
        effect=transfer,
        paper=change_notice.issue,
    )
)  # fmt: skip
