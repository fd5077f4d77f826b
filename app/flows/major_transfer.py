"""转专业 major transfer: applied for in a round, examined by both colleges, decided for the whole list at once (flow 10)."""

from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import Select, select

from app.access import Role
from app.kit.flow import Field, Flow, Material, Step, Window, add_labels, among, hook, register
from app.models import ClassGroup, RosterStatus, Student, TransferCase, db
from app.operations.roster import changes, proposed, roster_effect
from app.operations.transfer_decision import admitted_in_round
from app.operations.transfers import fits_round, join_round
from app.papers import change_notice


@roster_effect
def transfer(case_ids: list[int]) -> Select:
    """转专业"""
    into: dict[str, Any] = {"major_id": TransferCase.major_id, "class_group_id": TransferCase.class_group_id}
    return changes(TransferCase, case_ids, code="23", status=Student.status, **into)


@hook
def class_of_new_major(case_ids: list[int], records: dict[str, Any]) -> dict[int, Any]:
    """Cases whose class is not one of the new major and the student's grade."""
    group_id = proposed(records, "class_group_id", TransferCase.class_group_id)
    same = (ClassGroup.major_id == TransferCase.major_id) & (ClassGroup.grade == TransferCase.grade)
    fits = select(ClassGroup.id).where(ClassGroup.id == group_id, same).exists()
    wrong = db.session.scalars(select(TransferCase.id).where(among(TransferCase.id, case_ids), ~fits))
    return dict.fromkeys(wrong, _("The class is not one of the new major and the student's grade."))


add_labels({
    "step.panel": _("Decision of the transfer panel"), "step.placing": _("Class in the new major"),
    "field.first_major_id": _("First choice"), "field.second_major_id": _("Second choice"),
    "field.third_major_id": _("Third choice"), "field.major_id": _("Admitted to"),
    "window.major_transfer": _("Change of major"),
})  # fmt: skip
major_transfer = register(
    Flow(
        key="major_transfer",
        version=1,
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
            Step("accept", Role.COLLEGE_CLERK, days=3, meeting=True),
            Step("college", Role.COLLEGE_LEADER, days=3, seal=True, hands_differ_from=("submit", "accept")),
            Step("panel", Role.REGISTRY, days=30, meeting=True, rule=admitted_in_round),
            Step(
                "placing", Role.COLLEGE_CLERK, days=3, target=True, records=("class_group_id",), rule=class_of_new_major
            ),
            Step("publicity", Role.REGISTRY, days=10, publicity=True),
            Step("document", Role.REGISTRY, days=3, document=True, takes_effect=True),
        ),
        prepare=join_round,
        rule=fits_round,
        effect=transfer,
        paper=change_notice.issue,
    )
)
