"""补办学生证 replacement of a student card that was lost, damaged or shows wrong data (part of flow 4)."""

from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import String, select

from app.access import Role
from app.kit.flow import Field, Flow, Material, Step, add_labels, hook, register, when
from app.models import Case, CaseState, RosterStatus, db
from app.models.base import Mapped, mapped_column


class CardCase(Case):
    """补办学生证申请 with the number of the new card."""

    card_no: Mapped[str | None] = mapped_column(String(20))
    __mapper_args__ = {"polymorphic_identity": "card_replacement"}


@hook
def card_is_new(case_ids: list[int], records: dict[str, Any]) -> dict[int, Any]:
    """Each card has a number of its own: a number that is given already, or to several at once, is refused."""
    number = str(records.get("card_no") or "").strip()
    live = (CaseState.OPEN, CaseState.SENT_BACK, CaseState.DONE)
    given = select(CardCase.id).where(CardCase.card_no == number, CardCase.state.in_(live))
    if not number or len(case_ids) > 1 or set(db.session.scalars(given)) - set(case_ids):
        return dict.fromkeys(case_ids, _("A card needs a number of its own, one that no other card has."))
    return {}


add_labels({
    "step.issue": _("New card made out"), "step.handout": _("Card handed out"),
    "reason.lost": _("Card lost"), "reason.damaged": _("Card damaged"), "reason.wrong_data": _("Data on the card changed"),
    "material.photo": _("Photo"), "material.old_card": _("The old card"), "field.card_no": _("Number of the new card"),
})  # fmt: skip
REPLACED = when("reason", "damaged", "wrong_data")
card_replacement = register(
    Flow(
        key="card_replacement",
        version=1,
        place=5.1,
        title=_("Replacement of the student card"),
        prefix="BB",
        applicants=frozenset({Role.STUDENT, Role.COLLEGE_CLERK}),
        allowed_from=frozenset({RosterStatus.ENROLLED}),
        reasons=("lost", "damaged", "wrong_data"),
        fields=(Field("reason"), Field("statement")),
        window=None,
        materials=(Material("application"), Material("photo"), Material("old_card", when=REPLACED)),
        steps=(
            Step("accept", Role.COLLEGE_CLERK, days=1),
            Step("college", Role.COLLEGE_LEADER, days=2, seal=True, hands_differ_from=("submit", "accept")),
            Step("issue", Role.REGISTRY, days=3, records=("card_no",), takes_effect=True, rule=card_is_new),
            Step("handout", Role.COLLEGE_CLERK, days=5),
        ),
    )
)
