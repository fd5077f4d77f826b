"""文书 papers: numbered notices and forms with their stored snapshots, templates and print log."""

from enum import StrEnum

from flask_appbuilder.security.sqla.models import User
from flask_babel import lazy_gettext as _
from sqlalchemy import (
    BigInteger,
    Boolean,
    Computed,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import relationship

from app.models.base import BigId, Key, Mapped, Model, Name, Now, SmallId, mapped_column
from app.models.cases.case import Case
from app.models.roster.ledger import FollowsStudent
from app.models.roster.student import one_of


class PaperTemplate(Model):
    """The wording of one kind of paper. Each saved change is a new version; the newest active one is used."""

    __tablename__ = "paper_template"
    __table_args__ = (UniqueConstraint("kind", "version"),)
    id: Mapped[SmallId]
    kind: Mapped[Key]
    version: Mapped[int] = mapped_column(SmallInteger)
    title: Mapped[Name]
    body: Mapped[str] = mapped_column(Text)
    active: Mapped[bool] = mapped_column(Boolean, default=True, server_default="true")
    edited_by: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    edited_at: Mapped[Now]
    editor: Mapped[User | None] = relationship(viewonly=True)


class PaperCounter(Model):
    """The last serial given for a kind and year. Its row lock makes numbers gapless: a rollback gives the number back."""

    __tablename__ = "paper_counter"
    kind: Mapped[Key] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    last: Mapped[int] = mapped_column(Integer, default=0, server_default="0")


class PaperMark(StrEnum):
    """What a paper says of itself that no longer holds. `label` is shown; `printed` stands on the paper."""

    VOID = "void"  # the change that it tells of never came: annulled before its day, or lapsed on it
    REVOKED = "revoked"  # the decision was revoked on appeal
    CORRECTED = "corrected"  # the entry was a mistake, which the registry has put right

    @property
    def label(self):
        return MARK_LABELS[self]

    @property
    def printed(self) -> str:
        return {PaperMark.VOID: "作废", PaperMark.REVOKED: "撤销", PaperMark.CORRECTED: "已更正"}[self]


MARK_LABELS = {
    PaperMark.VOID: _("Void"),
    PaperMark.REVOKED: _("Revoked"),
    PaperMark.CORRECTED: _("Put right"),
}


class Paper(FollowsStudent, Model):
    """One issued paper: its number and the filled text exactly as first printed; only its mark may follow."""

    __tablename__ = "paper"
    __table_args__ = (
        FollowsStudent.student_key("paper"),
        UniqueConstraint("kind", "year", "serial"),
        Index("ix_paper_case", "case_id", "kind"),
        one_of("mark", PaperMark),
        Index("ix_paper_subject_key", "subject_key"),
    )
    id: Mapped[BigId]
    kind: Mapped[Key]
    year: Mapped[int] = mapped_column(SmallInteger)
    serial: Mapped[int]
    number: Mapped[str] = mapped_column(String(24), unique=True)
    title: Mapped[Name]
    body: Mapped[str] = mapped_column(Text)
    template_version: Mapped[int] = mapped_column(SmallInteger)
    case_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("flow_case.id"))
    target_college_id: Mapped[int | None] = mapped_column(Integer, index=True)
    subject: Mapped[str] = mapped_column(String(120), info={"compared_by": "subject_key"})
    subject_key: Mapped[str | None] = mapped_column(String(240), Computed("folded(subject)", persisted=True))
    mark: Mapped[str | None] = mapped_column(String(10))
    issued_by: Mapped[int] = mapped_column(ForeignKey("ab_user.id"))
    issued_at: Mapped[Now]
    case: Mapped[Case | None] = relationship(viewonly=True)

    def __str__(self) -> str:
        return self.number


class PrintRun(Model):
    """Who printed which papers when; one row a paper and run. Append-only."""

    __tablename__ = "print_run"
    id: Mapped[BigId]
    paper_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("paper.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id"))
    user_name: Mapped[str] = mapped_column(String(80))
    printed_at: Mapped[Now]
