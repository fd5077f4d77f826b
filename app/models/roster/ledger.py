"""学籍异动 the ledger of roster changes, and the history of every field of a student."""

from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import (
    BigInteger,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Numeric,
    Select,
    SmallInteger,
    String,
    Text,
    cast,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, distinct_on
from sqlalchemy.orm import aliased, column_property, relationship

from app.models.base import BigId, Mapped, Model, Now, date, mapped_column
from app.models.organisation.codes import code_of
from app.models.organisation.units import ClassGroup, College, Major
from app.models.roster.student import Student

DEATH = "51"
MOVED = "26"  # 转系: her major came to another college, and whatever she was goes on
PLACE = ("college", "major", "class_group", "grade")  # of an entry's old and new text


class EffectState(StrEnum):
    """What became of a decided change that waits for its day. `label` is shown."""

    WAITING = "waiting"
    APPLIED = "applied"  # the ledger has its entry
    LAPSED = "lapsed"  # on its day the student's roster no longer allowed it
    ANNULLED = "annulled"  # the registry has called it off before its day

    @property
    def label(self):
        return EFFECT_LABELS[self]


EFFECT_LABELS = {
    EffectState.WAITING: _("Waits for its day"),
    EffectState.APPLIED: _("Took effect"),
    EffectState.LAPSED: _("Lapsed"),
    EffectState.ANNULLED: _("Annulled"),
}


class FollowsStudent:
    """Mixin for a row that keeps the 学院 it was made under and also belongs to the student's present one.

    `college_id` never changes; `student_college_id` follows the student by the composite key.
    """

    student_id: Mapped[int] = mapped_column(BigInteger)
    college_id: Mapped[int] = mapped_column(index=True)
    student_college_id: Mapped[int] = mapped_column(index=True)

    @staticmethod
    def student_key(table: str) -> ForeignKeyConstraint:
        return ForeignKeyConstraint(
            ["student_id", "student_college_id"],
            ["student.id", "student.college_id"],
            onupdate="CASCADE",
            name=f"fk_{table}_student",
        )


class RosterChange(FollowsStudent, Model):
    """One effective-dated entry of the ledger: what a student's roster was before and is from `effective_on`.

    `recorded_at` is when it was decided, which may be earlier or later. The entries of a student only grow in the
    order of days; a case has one at most. Ids hold the values; `old_text` and `new_text` hold what they were called
    then. Append-only.
    """

    __tablename__ = "roster_change"
    __table_args__ = (
        FollowsStudent.student_key("roster_change"),
        Index("ix_roster_change_student_effective", "student_id", "effective_on", "id"),
        Index("ix_roster_change_effective_code", "effective_on", "code"),
    )
    id: Mapped[BigId]
    code: Mapped[str] = mapped_column(String(4))
    reason: Mapped[str | None] = mapped_column(String(4))
    effective_on: Mapped[date] = mapped_column(Date)
    until: Mapped[date | None] = mapped_column(Date)
    approved_on: Mapped[date | None] = mapped_column(Date)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("flow_case.id"), unique=True)
    # the entry that this one puts right or revokes; both stay to be read
    undoes_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("roster_change.id"), unique=True)
    document_no: Mapped[str | None] = mapped_column(String(24))
    old_status: Mapped[str | None] = mapped_column(String(20))
    new_status: Mapped[str] = mapped_column(String(20))
    old_college_id: Mapped[int | None] = mapped_column(ForeignKey("college.id"))
    new_college_id: Mapped[int] = mapped_column(ForeignKey("college.id"))
    old_major_id: Mapped[int | None] = mapped_column(ForeignKey("major.id"))
    new_major_id: Mapped[int] = mapped_column(ForeignKey("major.id"))
    old_class_group_id: Mapped[int | None] = mapped_column(ForeignKey("class_group.id"))
    new_class_group_id: Mapped[int | None] = mapped_column(ForeignKey("class_group.id"))
    old_grade: Mapped[int | None] = mapped_column(SmallInteger)
    new_grade: Mapped[int] = mapped_column(SmallInteger)
    old_study_length: Mapped[float | None] = mapped_column(Numeric(3, 1))
    new_study_length: Mapped[float] = mapped_column(Numeric(3, 1))
    old_text: Mapped[dict | None] = mapped_column(JSONB)
    new_text: Mapped[dict] = mapped_column(JSONB)
    note: Mapped[str | None] = mapped_column(Text)
    recorded_at: Mapped[Now]
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))

    student: Mapped[Student] = relationship(viewonly=True)
    new_college: Mapped[College] = relationship(foreign_keys=[new_college_id])
    new_major: Mapped[Major] = relationship(foreign_keys=[new_major_id])
    new_class_group: Mapped[ClassGroup | None] = relationship(foreign_keys=[new_class_group_id])
    change_code = code_of("RosterChange", "code", "roster_change")
    reason_code = code_of("RosterChange", "reason", "change_reason")

    @property
    def undone(self) -> Any:
        """That it holds no more, with the number of the entry that says so; nothing where it holds."""
        if self.undone_by is None:
            return ""
        if self.code == DEATH:
            return _("Corrected, see %(number)s", number=self.undone_by)
        return _("Revoked, see %(number)s", number=self.undone_by)

    @property
    def was(self) -> str:
        """Where the student was before, in the words of that day."""
        return place(self.old_text)

    @property
    def became(self) -> str:
        """Where the student is from then on."""
        return place(self.new_text)


def place(text: dict | None) -> str:
    """College, major, class and grade out of an entry's text."""
    return " · ".join(str(value) for key in PLACE if (value := (text or {}).get(key)))


def as_of(day: date) -> Select[tuple[RosterChange]]:
    """The ledger entry in force for each student on `day`: one `RosterChange` a student, none before admission."""
    return (
        select(RosterChange)
        .where(RosterChange.effective_on <= day)
        .ext(distinct_on(RosterChange.student_id))
        .order_by(RosterChange.student_id, RosterChange.effective_on.desc(), RosterChange.id.desc())
    )


class FieldChange(FollowsStudent, Model):
    """字段历史: one changed field of a student. Written by a trigger alone, so no writer can forget or forge it."""

    __tablename__ = "field_change"
    __table_args__ = (
        FollowsStudent.student_key("field_change"),
        Index("ix_field_change_student", "student_id", "id"),
    )
    id: Mapped[BigId]
    field: Mapped[str] = mapped_column(String(40))
    old: Mapped[str | None] = mapped_column(Text)
    new: Mapped[str | None] = mapped_column(Text)
    why: Mapped[str | None] = mapped_column(String(200))
    changed_at: Mapped[Now]
    changed_by: Mapped[int | None]
    changed_by_name: Mapped[str | None] = mapped_column(String(80))


# The number of the entry that puts this one right, or revokes it; where that has none, its day.
_undoing = aliased(RosterChange)
RosterChange.undone_by = column_property(
    select(func.coalesce(_undoing.document_no, cast(_undoing.effective_on, String)))
    .where(_undoing.undoes_id == RosterChange.id)
    .correlate_except(_undoing)
    .scalar_subquery()
)

# The last day of the leave or deferral that a student is on, by her last entry: shown and filtered in lists.
Student.away_until = column_property(
    select(RosterChange.until)
    .where(RosterChange.student_id == Student.id, Student.status.in_(("on_leave", "retained", "deferred")))
    .order_by(RosterChange.effective_on.desc(), RosterChange.id.desc())
    .limit(1)
    .correlate_except(RosterChange)
    .scalar_subquery(),
    deferred=True,
)
