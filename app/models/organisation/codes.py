"""代码集 code sets: national and school codes as versioned tables, each value in Chinese and English."""

import re

from flask_babel import gettext as _
from sqlalchemy import Boolean, ColumnElement, Date, ForeignKey, String, UniqueConstraint, func, select, true
from sqlalchemy.orm import relationship

from app.models.base import Key, Mapped, Model, Name, SmallId, date, db, mapped_column, one_text
from app.models.language import in_chinese

ALIASES_APART = r"\s*[、，,；;\n]\s*"  # as Python and PostgreSQL read it


class CodeSet(Model):
    """One list of codes, e.g. GB/T 3304 ethnic groups. `version` names the edition the values were taken from."""

    __tablename__ = "code_set"
    __table_args__ = (one_text("code_set", "title_zh"),)
    key: Mapped[Key] = mapped_column(primary_key=True)
    title_zh: Mapped[Name]
    title_en: Mapped[Name]
    version: Mapped[str] = mapped_column(String(40))
    source: Mapped[str | None] = mapped_column(String(200))

    def __str__(self) -> str:
        return self.title_zh if in_chinese() else self.title_en


class Code(Model):
    """One value of a code set. `national` is false for values of the school's own, which are never uploaded as codes.

    `aliases` are further words that a workbook may name it by, with 、 between them.
    """

    __tablename__ = "code"
    __table_args__ = (
        UniqueConstraint("set_key", "code"),
        one_text("code", "code", "set_key"),
        one_text("code", "name_zh", "set_key", where="valid_until is null"),
    )
    id: Mapped[SmallId]
    set_key: Mapped[Key] = mapped_column(ForeignKey("code_set.key"))
    code: Mapped[str] = mapped_column(String(10))
    name_zh: Mapped[Name]
    name_en: Mapped[Name]
    position: Mapped[int] = mapped_column(default=0, server_default="0")
    national: Mapped[bool] = mapped_column(Boolean, default=True, server_default="true")
    valid_until: Mapped[date | None] = mapped_column(Date)
    aliases: Mapped[str | None] = mapped_column(String(400))
    set: Mapped[CodeSet] = relationship()

    @property
    def words(self) -> list[str]:
        """The aliases one by one."""
        return [word for word in re.split(ALIASES_APART, self.aliases or "") if word]

    def check(self) -> None:
        """Raise ValueError, with a sentence, when one of its words names another value of the set as well."""
        with db.session.no_autoflush:
            key = self.set.key if self.set else self.set_key
            others = [other for other in codes_of(key, retired=True) if other.id != self.id]
        for other in others:
            if taken := {other.code, other.name_zh, other.name_en, *other.words} & set(self.words):
                what = str(_("%(word)s means %(other)s already. Leave it out.", word=min(taken), other=other))
                raise ValueError(what)

    @classmethod
    def called(cls) -> ColumnElement[str]:
        """The same as str() for a select: the name in the language of whoever reads when the statement is built."""
        return cls.name_zh.expression if in_chinese() else func.coalesce(func.nullif(cls.name_en, ""), cls.name_zh)

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
