"""法定期限 legal clocks: what ends for a student on a day, and what follows; a view over the rows that say so."""

from enum import StrEnum

from flask_babel import lazy_gettext as _
from sqlalchemy import BigInteger, Date, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import relationship

from app.models.base import BigId, Mapped, Model, Now, date, mapped_column
from app.models.organisation.units import College
from app.models.roster.ledger import FollowsStudent
from app.models.roster.student import Student


class ClockKind(StrEnum):
    """What ends. `label` is shown, `follows` says what has to happen then, `ground` is that of a dismissal."""

    LEAVE = "leave"
    DEFERRAL = "deferral"
    REGISTRATION = "registration"
    STUDY = "study"
    ABSENCE = "absence"
    PUBLICITY = "publicity"
    APPEAL = "appeal"

    @property
    def label(self):
        return CLOCKS[self][0]

    @property
    def follows(self):
        return CLOCKS[self][1]

    @property
    def ground(self) -> str | None:
        return GROUNDS.get(self)


CLOCKS = {
    ClockKind.LEAVE: (_("End of the leave"), _("Return from leave; without it, dismissal")),
    ClockKind.DEFERRAL: (
        _("End of the deferred admission"),
        _("Resumption of admission; without it, the place is given up"),
    ),
    ClockKind.REGISTRATION: (_("Registration for the term"), _("Registration; without it, dismissal")),
    ClockKind.STUDY: (_("Longest time of study"), _("Graduation; without it, dismissal")),
    ClockKind.ABSENCE: (_("Two weeks of absence"), _("Dismissal")),
    ClockKind.PUBLICITY: (_("End of the publicity"), _("Document")),
    ClockKind.APPEAL: (_("End of the time to appeal"), _("The decision is final")),
}
GROUNDS = {
    ClockKind.LEAVE: "leave_expired", ClockKind.REGISTRATION: "unregistered", ClockKind.STUDY: "overlong",
    ClockKind.ABSENCE: "absence",
}  # fmt: skip


class LegalClock(Model):
    """One thing that ends for one student. A view with the reader's own rights: nobody writes it."""

    __tablename__ = "legal_clock"
    __table_args__ = {"info": {"view": True}}
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))
    student_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("student.id"))
    college_id: Mapped[int] = mapped_column(ForeignKey("college.id"))
    case_id: Mapped[int | None] = mapped_column(BigInteger)
    since: Mapped[date] = mapped_column(Date)
    due_on: Mapped[date] = mapped_column(Date)
    student: Mapped[Student] = relationship(viewonly=True)
    college: Mapped[College] = relationship(viewonly=True)

    @property
    def follows(self):
        return ClockKind(self.kind).follows


class Absence(FollowsStudent, Model):
    """离校 an absence without leave, from the day that the college noticed it until she was back."""

    __tablename__ = "absence"
    __table_args__ = (FollowsStudent.student_key("absence"), UniqueConstraint("student_id", "since"))
    id: Mapped[BigId]
    since: Mapped[date] = mapped_column(Date)
    ended_on: Mapped[date | None] = mapped_column(Date)
    note: Mapped[str | None] = mapped_column(String(300))
    recorded_by: Mapped[int] = mapped_column(ForeignKey("ab_user.id"))
    recorded_at: Mapped[Now]
    student: Mapped[Student] = relationship(viewonly=True)
