"""申请 applications: the cases of flows whose forms have columns of their own, all in the one table of cases."""

from sqlalchemy import BigInteger, Date, ForeignKey, String, Text
from sqlalchemy.dialects.postgresql import JSONB

from app.models.base import Mapped, date, mapped_column
from app.models.cases.case import FACT, PLAN, Case, Heard, Told


class DeferralCase(Case):
    """保留入学资格申请 with the day until which the place is kept."""

    deferred_until: Mapped[date | None] = mapped_column(Date, info=PLAN)
    __mapper_args__ = {"polymorphic_identity": "admission_deferral"}


class DismissalCase(Heard, Told, Case):
    """退学处理申报: how the student was heard before the decision, and how the decision reached her."""

    __mapper_args__ = {"polymorphic_identity": "dismissal"}


class AdmissionCancellationCase(Heard, Told, Case):
    """取消入学资格申报, order 41, articles 8 to 11."""

    __mapper_args__ = {"polymorphic_identity": "admission_cancellation"}


class CancellationCase(Case):
    """注销学籍申请, handed in by the college for the family."""

    died_on: Mapped[date | None] = mapped_column(Date, info=FACT)
    __mapper_args__ = {"polymorphic_identity": "cancellation"}


class CorrectionCase(Case):
    """更正申请: an entry of the ledger was made by mistake."""

    __mapper_args__ = {"polymorphic_identity": "correction"}


class AppealCase(Case):
    """申诉申请 with the decision that it is about and the last day for it."""

    appealed_case_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("flow_case.id"), index=True)
    appeal_until: Mapped[date | None] = mapped_column(Date, use_existing_column=True, info=PLAN)
    review_until: Mapped[date | None] = mapped_column(Date, info=PLAN)  # concluded and told by then (art. 61)
    finding: Mapped[str | None] = mapped_column(Text)  # what the committee found, and why
    extended_reason: Mapped[str | None] = mapped_column(String(300))  # why there was more time, once
    told_how: Mapped[str | None] = mapped_column(String(12))
    told_on: Mapped[date | None] = mapped_column(Date, info=FACT)
    next_appeal_until: Mapped[date | None] = mapped_column(Date, info=PLAN)
    __mapper_args__ = {"polymorphic_identity": "appeal"}


class InfoChangeCase(Case):
    """学籍信息修改申请: the new values of the fields that are to change; what stays is left empty."""

    new_name: Mapped[str | None] = mapped_column(String(60))
    new_id_number: Mapped[str | None] = mapped_column(String(30))
    new_birth_date: Mapped[date | None] = mapped_column(Date, info=FACT)
    new_sex: Mapped[str | None] = mapped_column(String(1), info={"codes": "sex"})
    new_ethnic_group: Mapped[str | None] = mapped_column(String(2), info={"codes": "ethnic_group"})
    was: Mapped[dict | None] = mapped_column(
        JSONB
    )  # what stood before the change took effect, by column of the student
    __mapper_args__ = {"polymorphic_identity": "info_change"}
