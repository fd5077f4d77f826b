"""转专业 major transfer: rounds with their quotas, applications, and the choices that the target colleges examine."""

from calendar import monthrange
from datetime import date
from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    select,
)
from sqlalchemy.orm import relationship

from app.models.base import BigId, Mapped, Model, Moment, Name, SmallId, db, mapped_column, one_text
from app.models.cases.case import Case, CaseState, IntoClass, OfCase
from app.models.organisation.units import Major
from app.models.roster.student import Student, one_of


class RoundState(StrEnum):
    """How far a round is. `label` is shown."""

    DRAFT = "draft"
    OPEN = "open"
    RANKING = "ranking"
    DECIDED = "decided"

    @property
    def label(self):
        return ROUND_STATE_LABELS[self]


ROUND_STATE_LABELS = {
    RoundState.DRAFT: _("In preparation"),
    RoundState.OPEN: _("Open for applications"),
    RoundState.RANKING: _("Closed, being ranked"),
    RoundState.DECIDED: _("Decided"),
}
MOST_CHOICES = 3


class TransferRound(Model):
    """One round of transfers. At most one is open for applications."""

    __tablename__ = "transfer_round"
    __table_args__ = (
        one_of("state", RoundState),
        CheckConstraint(f"choices between 1 and {MOST_CHOICES}", name="choices_few"),
        one_text("transfer_round", "title"),
        Index("uq_transfer_round_open", "state", unique=True, postgresql_where="state = 'open'"),
    )
    id: Mapped[SmallId]
    title: Mapped[Name] = mapped_column(unique=True)
    choices: Mapped[int] = mapped_column(SmallInteger, default=2, server_default="2")
    notice: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10), default=RoundState.DRAFT, server_default="draft")
    decided_at: Mapped[Moment | None]
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")

    __mapper_args__ = {"version_id_col": version}

    def __str__(self) -> str:
        return self.title


class TransferQuota(Model):
    """How many students a major takes in a round, and whom: of this grade, with at least this score."""

    __tablename__ = "transfer_quota"
    __table_args__ = (
        UniqueConstraint("round_id", "major_id"),
        CheckConstraint("places between 0 and 999", name="places_counted"),
    )
    id: Mapped[SmallId]
    round_id: Mapped[int] = mapped_column(ForeignKey("transfer_round.id"))
    major_id: Mapped[int] = mapped_column(ForeignKey("major.id"), index=True)
    places: Mapped[int] = mapped_column(SmallInteger)
    grade: Mapped[int | None] = mapped_column(SmallInteger)
    least_score: Mapped[float | None] = mapped_column(Numeric(6, 2))
    conditions: Mapped[str | None] = mapped_column(String(300))
    round: Mapped[TransferRound] = relationship()
    major: Mapped[Major] = relationship()

    def __str__(self) -> str:
        return f"{self.major} ({self.places})"

    @property
    def terms(self) -> str:
        """Places, grade and conditions as an applicant reads them."""
        grade = _("grade %(grade)s", grade=self.grade) if self.grade else None
        parts = (_("%(n)s places", n=self.places), grade, self.conditions)
        return " · ".join(str(part) for part in parts if part)


def offered_majors(case: "TransferCase | None" = None, student: Student | None = None) -> list[tuple[int, str]]:
    """The majors that the open round offers, for a pick list, with what is asked of who wants to join: those of the
    student's level; for an application that was handed in, those of its own round, however far that is."""
    handed_in = case is not None and case.submitted_at is not None
    takes = TransferRound.id == case.round_id if case and handed_in else TransferRound.state == RoundState.OPEN
    query = (
        select(Major, TransferQuota)
        .join(TransferQuota, TransferQuota.major_id == Major.id)
        .join(TransferRound, TransferRound.id == TransferQuota.round_id)
        .where(takes)
        .order_by(Major.college_id, Major.code)
    )
    if student is not None:
        query = query.where(Major.education_level == student.education_level)
    return [(major.id, f"{major.college} · {major}（{quota.terms}）") for major, quota in db.session.execute(query)]


OFFERED = {"offers": offered_majors}


class TransferCase(IntoClass, Case):
    """转专业申请: the majors wished for in turn, the score it is ranked by, and what it was admitted to."""

    round_id: Mapped[int | None] = mapped_column(ForeignKey("transfer_round.id"), index=True)
    first_major_id: Mapped[int | None] = mapped_column(ForeignKey("major.id"), info=OFFERED)
    second_major_id: Mapped[int | None] = mapped_column(ForeignKey("major.id"), info=OFFERED)
    third_major_id: Mapped[int | None] = mapped_column(ForeignKey("major.id"), info=OFFERED)
    score: Mapped[float | None] = mapped_column(Numeric(6, 2))
    second_score: Mapped[float | None] = mapped_column(Numeric(6, 2))  # decides between equal scores
    major_id: Mapped[int | None] = mapped_column(ForeignKey("major.id"))
    round: Mapped[TransferRound | None] = relationship()
    first_major: Mapped[Major | None] = relationship(foreign_keys=[first_major_id])
    second_major: Mapped[Major | None] = relationship(foreign_keys=[second_major_id])
    third_major: Mapped[Major | None] = relationship(foreign_keys=[third_major_id])
    major: Mapped[Major | None] = relationship(foreign_keys=[major_id])
    __mapper_args__ = {"polymorphic_identity": "major_transfer"}

    @property
    def wishes(self) -> list[int]:
        """The majors wished for, in turn."""
        return [one for one in (self.first_major_id, self.second_major_id, self.third_major_id) if one]

    def findings(self) -> list[tuple[Any, Any]]:
        """What each college said of the choice that is about it, once its leader has confirmed; what else would follow."""
        said = select(TransferChoice).where(TransferChoice.case_id == self.id, TransferChoice.confirmed_by.is_not(None))
        found = [
            (_("Examination: %(major)s", major=choice.major), choice.verdict)
            for choice in db.session.scalars(said.order_by(TransferChoice.place))
        ]
        now, then = self.student and self.student.study_length, self.major and self.major.study_length
        if now and then and now != then and self.state in (CaseState.OPEN, CaseState.SENT_BACK):
            found.append((_("Years of study"), f"{float(now):g} → {float(then):g}"))
            if day := self.student.expected_graduation:
                found.append((_("Expected graduation"), f"{day} → {months_later(day, 12 * (then - now))}"))
        return found


def months_later(day: date, months: Any) -> date:
    """The same day so many months later, or earlier; one that is not in its month is its last."""
    count = day.year * 12 + day.month - 1 + int(months)
    year, month = divmod(count, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


class TransferChoice(OfCase, Model):
    """志愿 one choice of one application, seen by the college that it is about; it follows the state of its case."""

    __tablename__ = "transfer_choice"
    __table_args__ = (
        OfCase.student_key("transfer_choice"),
        ForeignKeyConstraint(
            ["case_id", "case_state"], ["flow_case.id", "flow_case.state"], onupdate="CASCADE",
            name="fk_transfer_choice_state",
        ),
        UniqueConstraint("case_id", "place"),
        CheckConstraint("confirmed_by is null or passed is not null", name="confirmed_is_examined"),
    )  # fmt: skip
    id: Mapped[BigId]
    round_id: Mapped[int] = mapped_column(ForeignKey("transfer_round.id"), index=True)
    place: Mapped[int] = mapped_column(SmallInteger)
    major_id: Mapped[int] = mapped_column(ForeignKey("major.id"))
    from_major_id: Mapped[int] = mapped_column(ForeignKey("major.id"))
    grade: Mapped[int] = mapped_column(SmallInteger)
    subject: Mapped[str] = mapped_column(String(120))  # name and number, for a college that does not see the student
    case_state: Mapped[str] = mapped_column(String(12))
    passed: Mapped[bool | None] = mapped_column(Boolean)
    remark: Mapped[str | None] = mapped_column(String(300))
    examined_by: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    meeting_id: Mapped[int | None] = mapped_column(ForeignKey("meeting.id"), index=True)
    admitted: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    case_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("flow_case.id"), index=True)
    major: Mapped[Major] = relationship(foreign_keys=[major_id])
    from_major: Mapped[Major] = relationship(foreign_keys=[from_major_id])
    round: Mapped[TransferRound] = relationship()

    @property
    def verdict(self) -> str:
        """How its college judged it, in words."""
        word = str(_("Passed") if self.passed else _("Not passed"))
        return f"{word}: {self.remark}" if self.remark else word
