"""保留入学资格 deferral of admission: a freshman keeps the place before formal 学籍 (flow 3)."""

from flask_babel import lazy_gettext as _
from sqlalchemy import Select

from app.access import Role
from app.kit.flow import Field, Flow, Material, Step, Window, register, when
from app.models import DeferralCase, RosterStatus
from app.operations.roster.effects import changes, roster_effect
from app.operations.roster.leaves import reckon_deferral
from app.papers import change_notice


@roster_effect
def defer(case_ids: list[int]) -> Select:
    """保留入学资格"""
    kept = DeferralCase.deferred_until
    return changes(DeferralCase, case_ids, code="14", status=RosterStatus.DEFERRED, until=kept)


admission_deferral = register(
    Flow(
        key="admission_deferral",
        version=1,
        place=3,
        title=_("Deferral of admission"),
        prefix="BL",
        applicants=frozenset({Role.STUDENT, Role.COLLEGE_CLERK}),
        allowed_from=frozenset({RosterStatus.ADMITTED, RosterStatus.ENROLLED}),
        before_registration=True,
        reasons=("illness", "enlistment", "other"),
        fields=(Field("reason"), Field("statement")),
        derived=("deferred_until",),
        window=Window(("admission_deferral",)),
        materials=(
            Material("application", when=when("reason", "illness", "other")),
            Material("diagnosis", when=when("reason", "illness")),
            Material("id_card", when=when("reason", "illness")),
            Material("enlisted_form", when=when("reason", "enlistment")),
            Material("admission_letter", when=when("reason", "illness", "enlistment")),
        ),
        steps=(
            Step("college", Role.COLLEGE_LEADER, days=2, hands_differ_from=("submit",)),
            Step("admissions", Role.ADMISSIONS, days=2),
            Step("registry", Role.REGISTRY, days=1, originals=True, takes_effect=True),
        ),
        prepare=reckon_deferral,
        effect=defer,
        paper=change_notice.issue,
    )
)
