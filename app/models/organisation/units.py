"""组织 organisation: colleges, majors and class groups, and the departments that receive notices."""

from typing import Any

from sqlalchemy import ARRAY, Boolean, ColumnElement, ForeignKey, Numeric, SmallInteger, String, UniqueConstraint, func
from sqlalchemy.orm import relationship

from app.models.base import Key, Mapped, Model, Name, SmallId, mapped_column, one_text
from app.models.language import in_chinese
from app.models.organisation.codes import code_of


class InBothLanguages:
    """Mixin for what has a Chinese `name` and, where it was filled in, an English `name_en`."""

    name: Any
    name_en: Any

    def __str__(self) -> str:
        return self.name if in_chinese() else self.name_en or self.name

    @classmethod
    def called(cls) -> ColumnElement[str]:
        """The same for a select: the name in the language of whoever reads when the statement is built."""
        return cls.name if in_chinese() else func.coalesce(func.nullif(cls.name_en, ""), cls.name)


class College(InBothLanguages, Model):
    """学院. `code` is the two digits of the student-number rule."""

    __tablename__ = "college"
    __table_args__ = (one_text("college", "name"), one_text("college", "code"))
    id: Mapped[SmallId]
    code: Mapped[str] = mapped_column(String(4), unique=True)
    name: Mapped[Name] = mapped_column(unique=True)
    name_en: Mapped[Name | None]
    active: Mapped[bool] = mapped_column(Boolean, default=True, server_default="true")


class Major(InBothLanguages, Model):
    """专业. `national_code` is the six characters of the ministry's catalogue; `code` the school's own two digits."""

    __tablename__ = "major"
    __table_args__ = (
        UniqueConstraint("college_id", "code"),
        UniqueConstraint("college_id", "name", "education_level"),
        one_text("major", "code", "college_id"),
        one_text("major", "name", "college_id", "education_level"),
    )
    id: Mapped[SmallId]
    code: Mapped[str] = mapped_column(String(4))
    national_code: Mapped[str] = mapped_column(String(8))
    name: Mapped[Name]
    name_en: Mapped[Name | None]
    college_id: Mapped[int] = mapped_column(ForeignKey("college.id"), index=True)
    education_level: Mapped[str] = mapped_column(String(4), default="05", server_default="05")
    education_level_code = code_of("Major", "education_level", "education_level")
    study_length: Mapped[float] = mapped_column(Numeric(3, 1), default=4, server_default="4")
    active: Mapped[bool] = mapped_column(Boolean, default=True, server_default="true")
    college: Mapped[College] = relationship()


class ClassGroup(Model):
    """班级 (administrative class) of one major and entry year."""

    __tablename__ = "class_group"
    __table_args__ = (
        UniqueConstraint("major_id", "grade", "code"),
        one_text("class_group", "code", "major_id", "grade"),
        one_text("class_group", "name", "major_id", "grade"),
    )
    id: Mapped[SmallId]
    code: Mapped[str] = mapped_column(String(4))
    name: Mapped[Name]
    grade: Mapped[int] = mapped_column(SmallInteger)
    capacity: Mapped[int] = mapped_column(SmallInteger, default=40, server_default="40")
    major_id: Mapped[int] = mapped_column(ForeignKey("major.id"))
    college_id: Mapped[int] = mapped_column(ForeignKey("college.id"), index=True)
    major: Mapped[Major] = relationship()
    college: Mapped[College] = relationship()

    def __str__(self) -> str:
        return self.name


class Department(Model):
    """相关职能部门: finance, library, logistics … `receives` lists the flows whose notices are sent to it."""

    __tablename__ = "department"
    __table_args__ = (one_text("department", "name_zh"),)
    id: Mapped[SmallId]
    key: Mapped[Key] = mapped_column(unique=True)
    name_zh: Mapped[Name]
    name_en: Mapped[Name]
    receives: Mapped[list[str]] = mapped_column(ARRAY(String(40)), default=list, server_default="{}")
    leaving_items: Mapped[list[str]] = mapped_column(ARRAY(String(60)), default=list, server_default="{}")  # 离校清单

    def __str__(self) -> str:
        return self.name_zh if in_chinese() else self.name_en
