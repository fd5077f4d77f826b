"""学生 student: one row a person on the roster, some 35 columns in the layout of the national platform and contact data."""

from enum import StrEnum

from flask_babel import lazy_gettext as _
from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Computed,
    Date,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import relationship

from app.models.base import BigId, Mapped, Model, Now, date, mapped_column
from app.models.organisation.codes import code_of
from app.models.organisation.units import ClassGroup, College, Major


class RosterStatus(StrEnum):
    """学籍状态, the states of domain.md. The value is stored; `label` is shown."""

    ADMITTED = "admitted"
    DEFERRED = "deferred"
    WAIVED = "waived"
    ADMISSION_CANCELLED = "admission_cancelled"
    ENROLLED = "enrolled"
    ON_LEAVE = "on_leave"
    RETAINED = "retained"
    WITHDRAWN = "withdrawn"
    GRADUATED = "graduated"
    COMPLETED = "completed"
    ATTENDED = "attended"
    CANCELLED = "cancelled"
    TRANSFERRED_OUT = "transferred_out"
    EXPELLED = "expelled"
    ROSTER_CANCELLED = "roster_cancelled"

    @property
    def label(self):
        return STATUS_LABELS[self]


STATUS_LABELS = {
    RosterStatus.ADMITTED: _("Admitted"),
    RosterStatus.DEFERRED: _("Admission deferred"),
    RosterStatus.WAIVED: _("Admission waived"),
    RosterStatus.ADMISSION_CANCELLED: _("Admission cancelled"),
    RosterStatus.ENROLLED: _("Enrolled"),
    RosterStatus.ON_LEAVE: _("On leave"),
    RosterStatus.RETAINED: _("Roster retained"),
    RosterStatus.WITHDRAWN: _("Withdrawn"),
    RosterStatus.GRADUATED: _("Graduated"),
    RosterStatus.COMPLETED: _("Completed without graduation"),
    RosterStatus.ATTENDED: _("Left with a study certificate"),
    RosterStatus.CANCELLED: _("Cancelled (deceased)"),
    RosterStatus.TRANSFERRED_OUT: _("Transferred out"),
    RosterStatus.EXPELLED: _("Expelled"),
    RosterStatus.ROSTER_CANCELLED: _("Roster cancelled"),
}
IN_SCHOOL = frozenset({RosterStatus.ENROLLED})
ON_ROLL = IN_SCHOOL | {RosterStatus.ON_LEAVE, RosterStatus.RETAINED}
FRESHMAN = frozenset({RosterStatus.ADMITTED, RosterStatus.DEFERRED})


def one_of(column: str, kinds: type[StrEnum]) -> CheckConstraint:
    """A CHECK that a text column holds one of the enum's values."""
    values = ", ".join(f"'{kind.value}'" for kind in kinds)
    return CheckConstraint(f"{column} in ({values})", name=f"{column}_known")


# Columns that hold codes, each with its set: migration 0012 has the database refuse any other.
CODED = {
    "sex": "sex", "id_type": "id_type", "ethnic_group": "ethnic_group", "political_status": "political_status",
    "nationality": "nationality", "entry_kind": "entry_kind", "education_level": "education_level",
    "study_form": "study_form",
}  # fmt: skip


class Student(Model):
    """A person on the roster. Study columns change through the ledger (`RosterChange`), never by hand."""

    __tablename__ = "student"
    __table_args__ = (
        UniqueConstraint("id", "college_id"),  # target of the composite keys by which cases follow a student
        one_of("status", RosterStatus),
        Index("ix_student_college_no", "college_id", "student_no"),
        Index("ix_student_college_name_key", "college_id", "name_key"),
        Index("ix_student_college_pinyin", "college_id", "pinyin"),
        Index("ix_student_college_initials", "college_id", "initials"),
        Index("ix_student_college_status", "college_id", "status"),
        Index("ix_student_name_key", "name_key"),
        Index("ix_student_pinyin", "pinyin"),
        Index("ix_student_initials", "initials"),
        Index("ix_student_status", "status", "id"),
        Index("ix_student_entry_year", "entry_year"),
        Index("ix_student_id_number", "id_number"),
        Index(
            "ix_student_ends", text("(entry_year::numeric + study_length)"), "status"
        ),  # of the ordinary time of study
    )
    id: Mapped[BigId]
    # identity
    name: Mapped[str] = mapped_column(String(60), info={"compared_by": "name_key", "sorted_by": ("pinyin", "name")})
    name_key: Mapped[str | None] = mapped_column(String(120), Computed("folded(name)", persisted=True))
    # spelled: small letters without spaces, and so is what they are searched by
    pinyin: Mapped[str] = mapped_column(String(120), default="", server_default="", info={"spelled": True})
    initials: Mapped[str] = mapped_column(String(30), default="", server_default="", info={"spelled": True})
    former_name: Mapped[str | None] = mapped_column(String(60))
    sex: Mapped[str] = mapped_column(String(1))
    birth_date: Mapped[date] = mapped_column(Date)
    id_type: Mapped[str] = mapped_column(String(2), default="1", server_default="1")
    id_number: Mapped[str] = mapped_column(String(30))
    ethnic_group: Mapped[str | None] = mapped_column(String(2))
    political_status: Mapped[str | None] = mapped_column(String(2))
    nationality: Mapped[str] = mapped_column(String(3), default="156", server_default="156")
    native_place: Mapped[str | None] = mapped_column(String(60))
    # admission
    examinee_no: Mapped[str | None] = mapped_column(String(18), unique=True)
    entry_year: Mapped[int] = mapped_column(SmallInteger)
    entry_date: Mapped[date | None] = mapped_column(Date)
    entry_kind: Mapped[str] = mapped_column(String(2), default="1", server_default="1")
    source_province: Mapped[str | None] = mapped_column(String(20))
    graduated_school: Mapped[str | None] = mapped_column(String(80))
    admission_score: Mapped[float | None] = mapped_column(Numeric(5, 1))
    # study
    student_no: Mapped[str | None] = mapped_column(String(15), unique=True, info={"also_known_by": "examinee_no"})
    college_id: Mapped[int] = mapped_column(ForeignKey("college.id"))
    major_id: Mapped[int] = mapped_column(ForeignKey("major.id"), index=True)
    class_group_id: Mapped[int | None] = mapped_column(ForeignKey("class_group.id"), index=True)
    grade: Mapped[int] = mapped_column(SmallInteger)
    education_level: Mapped[str] = mapped_column(String(2), default="05", server_default="05")
    study_form: Mapped[str] = mapped_column(String(2), default="1", server_default="1")
    study_length: Mapped[float] = mapped_column(Numeric(3, 1), default=4, server_default="4")
    expected_graduation: Mapped[date | None] = mapped_column(Date)
    campus: Mapped[str | None] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(20), default=RosterStatus.ADMITTED, server_default="admitted")
    registered: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    # contact
    phone: Mapped[str | None] = mapped_column(String(20))
    email: Mapped[str | None] = mapped_column(String(120))
    address: Mapped[str | None] = mapped_column(String(200))
    postcode: Mapped[str | None] = mapped_column(String(6))
    guardian_name: Mapped[str | None] = mapped_column(String(60))
    guardian_phone: Mapped[str | None] = mapped_column(String(20))
    dormitory: Mapped[str | None] = mapped_column(String(40))
    note: Mapped[str | None] = mapped_column(Text)
    # row
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    updated_at: Mapped[Now]
    on_roll: Mapped[bool] = mapped_column(
        Boolean, Computed("status in ('enrolled', 'on_leave', 'retained')", persisted=True)
    )

    college: Mapped[College] = relationship(lazy="joined")
    major: Mapped[Major] = relationship(lazy="joined")
    class_group: Mapped[ClassGroup | None] = relationship(lazy="joined")
    sex_code = code_of("Student", "sex", "sex")
    id_type_code = code_of("Student", "id_type", "id_type")
    ethnic_group_code = code_of("Student", "ethnic_group", "ethnic_group")
    political_status_code = code_of("Student", "political_status", "political_status")
    nationality_code = code_of("Student", "nationality", "nationality")
    education_level_code = code_of("Student", "education_level", "education_level")
    study_form_code = code_of("Student", "study_form", "study_form")

    __mapper_args__ = {"version_id_col": version}

    def __str__(self) -> str:
        return f"{self.name} ({self.student_no or self.examinee_no})"
