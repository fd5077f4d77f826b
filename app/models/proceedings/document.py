"""发文 document: the school's numbered decision about a list of students, whose changes take effect together."""

from sqlalchemy import Date, ForeignKey, Integer, SmallInteger, String, Text, UniqueConstraint

from app.models.base import Mapped, Model, Name, Now, SmallId, date, mapped_column


class Document(Model):
    """One issued document: its number and its text exactly as first printed. Append-only."""

    __tablename__ = "document"
    __table_args__ = (UniqueConstraint("year", "serial"),)
    id: Mapped[SmallId]
    year: Mapped[int] = mapped_column(SmallInteger)
    serial: Mapped[int] = mapped_column(Integer)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    dated: Mapped[date] = mapped_column(Date)
    title: Mapped[Name]
    body: Mapped[str] = mapped_column(Text)
    cases: Mapped[int] = mapped_column(Integer)  # how many it decided
    issued_by: Mapped[int] = mapped_column(ForeignKey("ab_user.id"))
    issued_at: Mapped[Now]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"
