"""更正 correction: an entry of the ledger that was made by mistake, a death, is put right by another entry; two hands of the registry."""

from flask_babel import lazy_gettext as _

from app.access import Role
from app.kit.flow import Field, Flow, Material, Step, add_labels, register
from app.models import RosterStatus
from app.operations.roster.restoring import entered_as_dead, put_right
from app.papers import change_notice

add_labels({
    "step.proposal": _("Registry proposes to put it right"), "act.put_right": _("Entry put right"),
    "material.proof_of_mistake": _("Proof of the mistake"),
})  # fmt: skip
correction = register(
    Flow(
        key="correction",
        version=1,
        place=24.1,
        title=_("Correction of a recorded death"),
        prefix="GZ",
        applicants=frozenset({Role.COLLEGE_CLERK}),
        allowed_from=frozenset({RosterStatus.CANCELLED}),
        reasons=(),
        fields=(Field("statement"),),
        window=None,
        materials=(Material("proof_of_mistake"),),
        steps=(
            Step("college", Role.COLLEGE_LEADER, days=2, seal=True, hands_differ_from=("submit",)),
            Step("proposal", Role.REGISTRY, days=1),
            Step("affairs", Role.AFFAIRS_DIRECTOR, days=2),
            Step("registry", Role.REGISTRY, days=1, originals=True, takes_effect=True, hands_differ_from=("proposal",)),
        ),
        grounds=entered_as_dead,
        effect=put_right,
        paper=change_notice.issue,
    )
)
