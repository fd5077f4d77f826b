"""退学处理 dismissal: students whom a rule proposes and whom their college exempts, with the reason."""

from sqlalchemy import ForeignKey, String, UniqueConstraint

from app.models.base import BigId, Key, Mapped, Model, Now, mapped_column
from app.models.roster.ledger import FollowsStudent


class Exemption(FollowsStudent, Model):
    """A candidate whom the college does not declare. It holds for this ground until the student's state changes."""

    __tablename__ = "dismissal_exemption"
    __table_args__ = (
        FollowsStudent.student_key("dismissal_exemption"),
        UniqueConstraint("student_id", "ground", "since"),
    )
    id: Mapped[BigId]
    ground: Mapped[Key]
    since: Mapped[str] = mapped_column(String(10))  # the day that the evidence names: a later one asks anew
    reason: Mapped[str] = mapped_column(String(300))
    exempted_by: Mapped[int] = mapped_column(ForeignKey("ab_user.id"))
    exempted_by_name: Mapped[str] = mapped_column(String(80))
    exempted_at: Mapped[Now]
