"""代码集 code sets: national and school codes as versioned tables, each value in Chinese and English."""

from sqlalchemy import Boolean, Date, ForeignKey, String, UniqueConstraint, select, true
from sqlalchemy.orm import relationship

from app.models.base import Key, Mapped, Model, Name, SmallId, date, db, mapped_column
from app.models.language import in_chinese


class CodeSet(Model):
    """One list of codes, e.g. GB/T 3304 ethnic groups. `version` names the edition the values were taken from."""

    __tablename__ = "code_set"
    key: Mapped[Key] = mapped_column(primary_key=True)
    title_zh: Mapped[Name]
    title_en: Mapped[Name]
    version: Mapped[str] = mapped_column(String(40))
    source: Mapped[str | None] = mapped_column(String(200))

    def __str__(self) -> str:
        return self.title_zh if in_chinese() else self.title_en


class Code(Model):
    """One value of a code set. `national` is false for values of the school's own, which are never uploaded as codes."""

    __tablename__ = "code"
    __table_args__ = (UniqueConstraint("set_key", "code"),)
    id: Mapped[SmallId]
    set_key: Mapped[Key] = mapped_column(ForeignKey("code_set.key"))
    code: Mapped[str] = mapped_column(String(10))
    name_zh: Mapped[Name]
    name_en: Mapped[Name]
    position: Mapped[int] = mapped_column(default=0, server_default="0")
    national: Mapped[bool] = mapped_column(Boolean, default=True, server_default="true")
    valid_until: Mapped[date | None] = mapped_column(Date)
    set: Mapped[CodeSet] = relationship()

    def __str__(self) -> str:
        return self.name_zh if in_chinese() else self.name_en


def code_of(owner: str, column: str, set_key: str) -> Mapped[Code | None]:
    """A read-only relationship from `owner.column` (a code) to its `Code` row in `set_key`."""
    return relationship(
        Code,
        primaryjoin=f"and_(foreign({owner}.{column}) == Code.code, Code.set_key == '{set_key}')",
        viewonly=True,
        uselist=False,
    )


def codes_of(set_key: str, *, retired: bool = False) -> list[Code]:
    """The values of one set that may still be chosen, in the set's order; or those as well that only old rows bear."""
    wanted = select(Code).where(Code.set_key == set_key, true() if retired else Code.valid_until.is_(None))
    return list(db.session.scalars(wanted.order_by(Code.position, Code.code)))
