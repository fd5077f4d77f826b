"""学期注册 registration: for each student and term whether she has reported in, may do so later, or has not."""

from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import relationship

from app.models.base import BigId, Mapped, Model, Moment, Now, date, mapped_column
from app.models.organisation.settings import Season
from app.models.organisation.units import College
from app.models.roster.ledger import FollowsStudent
from app.models.roster.student import Student, one_of


class RegistrationState(StrEnum):
    """Where a student stands in a term. `label` is shown."""

    REGISTERED = "registered"
    DEFERRED = "deferred"
    MISSING = "missing"

    @property
    def label(self):
        return REGISTRATION_LABELS[self]


REGISTRATION_LABELS = {
    RegistrationState.REGISTERED: _("Registered"),
    RegistrationState.DEFERRED: _("Registration deferred"),
    RegistrationState.MISSING: _("Not reported"),
}


class Registration(FollowsStudent, Model):
    """One row a student and term. `due_on` is the last day on which whoever is not registered may still register."""

    __tablename__ = "registration"
    __table_args__ = (
        FollowsStudent.student_key("registration"),
        UniqueConstraint("student_id", "year", "season"),
        Index("ix_registration_due_on", "due_on", postgresql_where=text("due_on is not null")),
        one_of("state", RegistrationState),
        one_of("season", Season),
        CheckConstraint("(state = 'registered') = (due_on is null)", name="due_unless_registered"),
        CheckConstraint("confirmed_at is null or state = 'registered'", name="confirmed_when_registered"),
    )
    id: Mapped[BigId]
    year: Mapped[int] = mapped_column(SmallInteger)
    season: Mapped[str] = mapped_column(String(6))
    state: Mapped[str] = mapped_column(String(12))
    since: Mapped[date] = mapped_column(Date)  # when the check-in began
    due_on: Mapped[date | None] = mapped_column(Date)
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))  # None: the daily job
    recorded_at: Mapped[Now]
    confirmed_at: Mapped[Moment | None]  # when she has confirmed that her roster data are right
    act: Mapped[int | None] = mapped_column(
        BigInteger
    )  # the act of recording that wrote it: all of it can be taken back
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB)  # what that act has overwritten
    student: Mapped[Student] = relationship(viewonly=True)
    college: Mapped[College] = relationship(primaryjoin="foreign(Registration.college_id) == College.id", viewonly=True)

    @property
    def term(self) -> str:
        return f"{self.year}-{self.year + 1} {Season(self.season).label}"

    def __str__(self) -> str:
        return f"{self.term} {RegistrationState(self.state).label}"
