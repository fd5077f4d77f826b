"""院系调整 reorganisation: a major that goes over to another college, on a day."""

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, String
from sqlalchemy.orm import relationship

from app.models.base import BigId, Mapped, Model, Moment, Now, date, mapped_column
from app.models.organisation.units import College, Major
from app.models.roster.ledger import EffectState
from app.models.roster.student import one_of


class Reorganisation(Model):
    """One major's move to another college. It waits for `effective_on`, when students and classes go along."""

    __tablename__ = "reorganisation"
    __table_args__ = (
        one_of("state", EffectState),
        CheckConstraint("(state = 'waiting') = (settled_at is null)", name="settled_unless_waiting"),
        Index("uq_reorganisation_waiting", "major_id", unique=True, postgresql_where="state = 'waiting'"),
    )
    id: Mapped[BigId]
    major_id: Mapped[int] = mapped_column(ForeignKey("major.id"), index=True)
    old_college_id: Mapped[int] = mapped_column(ForeignKey("college.id"), index=True)
    new_college_id: Mapped[int] = mapped_column(ForeignKey("college.id"), index=True)
    new_code: Mapped[str] = mapped_column(String(4))  # the major's own digits within the new college
    effective_on: Mapped[date] = mapped_column(Date)
    reason: Mapped[str] = mapped_column(String(300))
    document_no: Mapped[str | None] = mapped_column(String(24))
    state: Mapped[str] = mapped_column(String(10), default=EffectState.WAITING, server_default="waiting")
    students: Mapped[int | None] = mapped_column(Integer)  # how many went along
    recorded_at: Mapped[Now]
    recorded_by: Mapped[int] = mapped_column(ForeignKey("ab_user.id"))
    settled_at: Mapped[Moment | None]
    settled_reason: Mapped[str | None] = mapped_column(String(300))  # why it lapsed or was annulled
    major: Mapped[Major] = relationship(viewonly=True)
    old_college: Mapped[College] = relationship(foreign_keys=[old_college_id], viewonly=True)
    new_college: Mapped[College] = relationship(foreign_keys=[new_college_id], viewonly=True)
