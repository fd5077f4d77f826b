"""恢复入学资格 resumption of admission: a deferred freshman enters with the new cohort (code 15, after flow 3)."""

from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import Integer, Select, SmallInteger, cast, func, literal, null

from app.access import Role
from app.kit import clock
from app.kit.flow import Field, Flow, Material, Step, Window, register, when
from app.models import Case, RosterStatus
from app.models.base import Mapped, mapped_column
from app.operations.roster.effects import changes, roster_effect
from app.operations.roster.leaves import reckon_cohort
from app.papers import change_notice


class ResumptionCase(Case):
    """恢复入学资格申请 with the cohort that she joins: kept when it is handed in, whenever it is decided."""

    grade: Mapped[int | None] = mapped_column(SmallInteger, use_existing_column=True)
    __mapper_args__ = {"polymorphic_identity": "admission_resumption"}


@roster_effect
def resume_admission(case_ids: list[int]) -> Select:
    """恢复入学资格"""
    grade = func.coalesce(ResumptionCase.grade, literal(clock.today().year))
    cohort: dict[str, Any] = {"grade": grade, "class_group_id": cast(null(), Integer)}
    return changes(ResumptionCase, case_ids, code="15", status=RosterStatus.ADMITTED, **cohort)


admission_resumption = register(
    Flow(
        key="admission_resumption",
        version=1,
        place=3.1,
        title=_("Resumption of admission"),
        prefix="HR",
        applicants=frozenset({Role.STUDENT, Role.COLLEGE_CLERK}),
        allowed_from=frozenset({RosterStatus.DEFERRED}),
        reasons=("illness", "enlistment", "other"),  # the deferral's own, never chosen anew
        fields=(Field("statement"),),
        window=Window(("freshman_checkin",)),
        materials=(
            Material("application"),
            Material("recovery", when=when("reason", "illness")),
            Material("discharge", when=when("reason", "enlistment")),
        ),
        steps=(
            Step("college", Role.COLLEGE_LEADER, days=2, hands_differ_from=("submit",)),
            Step("admissions", Role.ADMISSIONS, days=2),
            Step("registry", Role.REGISTRY, days=1, originals=True, takes_effect=True),
        ),
        derived=("grade",),
        prepare=reckon_cohort,
        effect=resume_admission,
        paper=change_notice.issue,
    )
)
