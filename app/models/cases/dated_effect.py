"""待生效异动 dated effects: decided changes of the roster that wait for the day from which they count."""

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, String
from sqlalchemy.orm import relationship

from app.models.base import BigId, Mapped, Model, Moment, Now, date, mapped_column
from app.models.cases.case import Case
from app.models.roster.ledger import EffectState, FollowsStudent
from app.models.roster.student import Student, one_of


class DatedEffect(FollowsStudent, Model):
    """One decided case whose change waits for `effective_on`. The ledger's entry is written on that day, so it says
    what the student was then; `recorded_at` and `recorded_by` are those of the decision and go into the entry."""

    __tablename__ = "dated_effect"
    __table_args__ = (
        FollowsStudent.student_key("dated_effect"),
        one_of("state", EffectState),
        CheckConstraint("(state = 'waiting') = (settled_at is null)", name="settled_unless_waiting"),
        Index("ix_dated_effect_waiting", "effective_on", postgresql_where="state = 'waiting'"),
        Index("ix_dated_effect_student", "student_id"),
    )
    id: Mapped[BigId]
    case_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("flow_case.id"), unique=True)
    effective_on: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(10), default=EffectState.WAITING, server_default="waiting")
    recorded_at: Mapped[Now]
    recorded_by: Mapped[int] = mapped_column(ForeignKey("ab_user.id"))
    settled_at: Mapped[Moment | None]
    reason: Mapped[str | None] = mapped_column(String(300))  # why it lapsed or was annulled
    case: Mapped[Case] = relationship(viewonly=True)
    student: Mapped[Student] = relationship(viewonly=True)
