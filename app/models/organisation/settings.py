"""设置与学期 settings and terms: rows that a registrar edits on a screen."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import CheckConstraint, Date, SmallInteger, String, Text, UniqueConstraint

from app.models.base import Key, Mapped, Model, Name, Now, SmallId, date, db, mapped_column
from app.models.language import in_chinese

CHECKS: dict[str, Callable[[str], Any]] = {}  # setting → what reads its value, and raises ValueError with a sentence


def setting_check(key: str) -> Callable[[Callable[[str], Any]], Callable[[str], Any]]:
    """Register the function that reads a setting's text: no value is saved at which it raises ValueError."""

    def register(reads: Callable[[str], Any]) -> Callable[[str], Any]:
        CHECKS[key] = reads
        return reads

    return register


LONGEST = 300  # characters of a text, where its setting does not say less


class Setting(Model):
    """A number, text or choice that the school decides. `kind` says how the value is read and checked."""

    __tablename__ = "setting"
    __table_args__ = (CheckConstraint("kind in ('integer', 'text', 'boolean')", name="kind_known"),)
    key: Mapped[Key] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    value: Mapped[str] = mapped_column(Text)
    title_zh: Mapped[Name]
    title_en: Mapped[Name]
    note: Mapped[str | None] = mapped_column(String(300))
    minimum: Mapped[int | None]
    maximum: Mapped[int | None]
    updated_at: Mapped[Now]

    @property
    def title(self) -> str:
        return self.title_zh if in_chinese() else self.title_en

    def check(self) -> None:
        """Raise ValueError, with a sentence, when the value is none that this setting can take."""
        if self.kind == "integer":
            low = -(2**31) if self.minimum is None else self.minimum
            high = 2**31 - 1 if self.maximum is None else self.maximum
            if not self.value.strip().lstrip("-").isdecimal() or not low <= int(self.value) <= high:
                raise ValueError(
                    str(_("The value must be a whole number from %(low)s to %(high)s.", low=low, high=high))
                )
        elif self.kind == "text" and not (self.minimum or 0) <= len(self.value.strip()) <= (self.maximum or LONGEST):
            raise ValueError(
                str(_("Write %(low)s to %(high)s characters.", low=self.minimum or 0, high=self.maximum or LONGEST))
            )
        elif self.kind == "boolean" and self.value not in ("true", "false"):
            raise ValueError(str(_("The value must be true or false.")))
        if self.key in CHECKS:
            CHECKS[self.key](self.value)

    def __str__(self) -> str:
        return self.title


def setting(key: str) -> str:
    """The value of a setting. Raises KeyError for one that no migration made."""
    row = db.session.get(Setting, key)
    if row is None:
        raise KeyError(key)
    return row.value


def setting_int(key: str) -> int:
    """The value of an integer setting."""
    return int(setting(key))


class Season(StrEnum):
    AUTUMN = "autumn"
    SPRING = "spring"

    @property
    def label(self):
        return _("Autumn") if self is Season.AUTUMN else _("Spring")


class Term(Model):
    """学期. Weeks are counted from `first_monday`."""

    __tablename__ = "term"
    __table_args__ = (
        UniqueConstraint("year", "season"),
        CheckConstraint("season in ('autumn', 'spring')", name="season_known"),
        CheckConstraint("extract(isodow from first_monday) = 1", name="begins_on_monday"),
        CheckConstraint("weeks between 1 and 30", name="weeks_in_range"),
    )
    id: Mapped[SmallId]
    year: Mapped[int] = mapped_column(SmallInteger)  # the calendar year in which the academic year begins
    season: Mapped[str] = mapped_column(String(6))
    first_monday: Mapped[date] = mapped_column(Date)
    weeks: Mapped[int] = mapped_column(SmallInteger, default=20, server_default="20")

    def __str__(self) -> str:
        return f"{self.year}-{self.year + 1}-{1 if self.season == Season.AUTUMN else 2}"
