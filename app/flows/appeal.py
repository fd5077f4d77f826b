"""申诉 appeal: a student asks the school to review a decision that reached her; if she is right it is reversed."""

from datetime import timedelta
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import BigInteger, Date, ForeignKey, Select, select

from app.access import Role
from app.kit import clock
from app.kit.flow import Field, Flow, Material, Step, add_labels, among, hook, register
from app.models import Case, ClockKind, LegalClock, RosterChange, RosterStatus, db, setting_int
from app.models.base import Mapped, date, mapped_column
from app.operations.roster import changes, roster_effect
from app.papers import change_notice


class AppealCase(Case):
    """申诉申请 with the decision that it is about and the last day for it."""

    appealed_case_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("flow_case.id"), index=True)
    appeal_until: Mapped[date | None] = mapped_column(Date)
    __mapper_args__ = {"polymorphic_identity": "appeal"}


@hook
def find_decision(case: AppealCase) -> None:
    """An appeal is about the latest decision that reached the student."""
    table = Case.__table__.c
    told = select(table.id, table.delivered_on).where(
        table.student_id == case.student_id, table.delivered_on.is_not(None)
    )
    found = db.session.execute(told.order_by(table.delivered_on.desc(), table.id.desc()).limit(1)).first()
    if found is not None:
        case.appealed_case_id = found.id
        case.appeal_until = found.delivered_on + timedelta(days=setting_int("appeal_days"))


@hook
def decision_to_appeal(student_id: int) -> bool:
    """Whether a decision has reached the student whose time to appeal runs, and that she has not appealed yet."""
    running = (
        LegalClock.kind == ClockKind.APPEAL,
        LegalClock.student_id == student_id,
        LegalClock.due_on >= clock.today(),
    )
    return bool(db.session.scalar(select(LegalClock.id).where(*running).limit(1)))


@hook
def in_time(case_ids: list[int], records: dict[str, Any]) -> dict[int, Any]:
    """Appeals about no decision, or later than the days that the settings give."""
    query = select(AppealCase.id, AppealCase.appealed_case_id, AppealCase.appeal_until, AppealCase.late_reason)
    reasons: dict[int, Any] = {}
    for row in db.session.execute(query.where(among(AppealCase.id, case_ids))):
        if row.appealed_case_id is None:
            reasons[row.id] = _("No decision has reached this student that could be appealed.")
        elif row.appeal_until < clock.today() and not row.late_reason:
            reasons[row.id] = _("The time to appeal ended on %(day)s.", day=row.appeal_until)
    return reasons


@roster_effect
def reverse(case_ids: list[int]) -> Select:
    """申诉成立，撤销原处理"""
    entry = RosterChange.case_id == AppealCase.appealed_case_id

    def before(column: Any) -> Any:
        return select(column).where(entry).correlate(AppealCase).scalar_subquery()

    return changes(
        AppealCase, case_ids, code="99", status=before(RosterChange.old_status), note="撤销原处理",
        major_id=before(RosterChange.old_major_id), grade=before(RosterChange.old_grade),
        class_group_id=before(RosterChange.old_class_group_id),
    )  # fmt: skip


add_labels({"field.appeal_until": _("Last day to appeal"), "material.appeal_letter": _("Signed appeal")})
appeal = register(
    Flow(
        key="appeal",
        version=1,
        title=_("Appeal"),
        prefix="SS",
        applicants=frozenset({Role.STUDENT, Role.COLLEGE_CLERK}),
        allowed_from=frozenset({RosterStatus.WITHDRAWN}),
        reasons=(),
        fields=(Field("statement"),),
        derived=("appeal_until",),
        window=None,
        materials=(Material("appeal_letter"),),
        steps=(
            Step("review", Role.REGISTRY, days=15),
            Step("school", Role.VICE_PRESIDENT, days=5, meeting=True, hands_differ_from=("review",)),
            Step("registry", Role.REGISTRY, days=3, originals=True, takes_effect=True),
        ),
        prepare=find_decision,
        concerns=decision_to_appeal,
        rule=in_time,
        effect=reverse,
        paper=change_notice.issue,
    )
)
