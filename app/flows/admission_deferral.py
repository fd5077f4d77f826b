"""保留入学资格 deferral of admission: a freshman keeps the place before formal 学籍 (flow 3)."""

from datetime import timedelta

from flask_babel import lazy_gettext as _
from sqlalchemy import Date, Select

from app.access import Role
from app.kit import clock
from app.kit.calendar import months_after
from app.kit.flow import Field, Flow, Material, Step, Window, add_labels, hook, register, when
from app.models import Case, RosterStatus, setting_int
from app.models.base import Mapped, date, mapped_column
from app.operations.roster import changes, roster_effect
from app.papers import change_notice


class DeferralCase(Case):
    """保留入学资格申请 with the day until which the place is kept."""

    deferred_until: Mapped[date | None] = mapped_column(Date)
    __mapper_args__ = {"polymorphic_identity": "admission_deferral"}


@hook
def reckon_deferral(case: DeferralCase) -> None:
    """The place is kept for the months that the settings say; longer for those who serve."""
    months = setting_int("deferral_enlisted_months" if case.reason == "enlistment" else "deferral_max_months")
    case.deferred_until = months_after(clock.today(), months) - timedelta(days=1)


@roster_effect
def defer(case_ids: list[int]) -> Select:
    """保留入学资格"""
    return changes(
        DeferralCase, case_ids, code="14", status=RosterStatus.DEFERRED, until=DeferralCase.deferred_until
    )  # fmt: skip


add_labels({
    "field.deferred_until": _("Place kept until"),
    "material.enlisted_form": _("Special application form for enlisted freshmen"),
    "window.admission_deferral": _("Deferral of admission"),
})  # fmt: skip
admission_deferral = register(
    Flow(
        key="admission_deferral",
        version=1,
        title=_("Deferral of admission"),
        prefix="BL",
        applicants=frozenset({Role.STUDENT, Role.COLLEGE_CLERK}),
        allowed_from=frozenset({RosterStatus.ADMITTED}),
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
