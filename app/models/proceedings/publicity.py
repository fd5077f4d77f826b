"""公示 publicity: a dated list that anybody may read, and the objections to it with their answers."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import relationship

from app.models.base import BigId, Mapped, Model, Moment, Name, Now, SmallId, date, mapped_column
from app.models.cases.case import Case, OfCase


class Publicity(Model):
    """One published list. `closes_on` is the last day on which somebody may object."""

    __tablename__ = "publicity"
    __table_args__ = (CheckConstraint("closes_on >= opens_on", name="closes_after_opening"),)
    id: Mapped[SmallId]
    title: Mapped[Name]
    notice: Mapped[str] = mapped_column(Text)  # what it is about, and where to object
    opens_on: Mapped[date] = mapped_column(Date)
    closes_on: Mapped[date] = mapped_column(Date)
    days: Mapped[int | None] = mapped_column(SmallInteger)  # working days for which it was published
    published_by: Mapped[int] = mapped_column(ForeignKey("ab_user.id"))
    published_at: Mapped[Now]
    entries: Mapped[list["PublicityEntry"]] = relationship(viewonly=True, order_by="PublicityEntry.id")

    def __str__(self) -> str:
        return self.title


class PublicityEntry(OfCase, Model):
    """One case on a list. Name, masked number and matter are what the public reads, and nothing else is."""

    __tablename__ = "publicity_entry"
    __table_args__ = (OfCase.student_key("publicity_entry"), UniqueConstraint("publicity_id", "case_id"))
    id: Mapped[BigId]
    publicity_id: Mapped[int] = mapped_column(ForeignKey("publicity.id"))
    name: Mapped[str] = mapped_column(String(60))
    masked_no: Mapped[str] = mapped_column(String(20))
    college_name: Mapped[Name]
    matter: Mapped[str] = mapped_column(String(200))
    removed: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    removed_why: Mapped[str | None] = mapped_column(String(300))
    case: Mapped[Case] = relationship(viewonly=True)


class Objection(Model):
    """异议: recorded by the registry; while one is open, its cases do not go on."""

    __tablename__ = "objection"
    __table_args__ = (
        CheckConstraint("(answer is null) = (answered_at is null)", name="answered_whole"),
        Index("ix_objection_open", "publicity_id", postgresql_where="answer is null"),
    )
    id: Mapped[SmallId]
    publicity_id: Mapped[int] = mapped_column(ForeignKey("publicity.id"), index=True)
    case_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("flow_case.id"), index=True)  # none: the list
    objector: Mapped[str] = mapped_column(String(80))
    contact: Mapped[str | None] = mapped_column(String(80))
    text: Mapped[str] = mapped_column(Text)
    received_on: Mapped[date] = mapped_column(Date)
    recorded_by: Mapped[int] = mapped_column(ForeignKey("ab_user.id"))
    answer: Mapped[str | None] = mapped_column(Text)
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    answered_at: Mapped[Moment | None]
    case: Mapped[Case | None] = relationship(viewonly=True)
    publicity: Mapped[Publicity] = relationship(viewonly=True)
