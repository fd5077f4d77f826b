"""校历 the academic calendar: opened years, special days, the rules of the time-table and the dated tasks they give."""

from enum import StrEnum
from typing import Any

from flask_appbuilder.security.sqla.models import User
from flask_babel import lazy_gettext as _
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import relationship

from app.models.base import BigId, Key, Mapped, Model, Moment, Name, Now, SmallId, date, mapped_column
from app.models.language import in_chinese
from app.models.organisation.units import College
from app.models.roster.student import one_of


class TaskKind(StrEnum):
    """The chapters of the manual, and the reports."""

    FRESHMEN = "freshmen"
    ROSTER = "roster"
    GRADES = "grades"
    GRADUATES = "graduates"
    REPORTS = "reports"

    @property
    def label(self) -> Any:
        return TASK_KIND_LABELS[self]


TASK_KIND_LABELS = {
    TaskKind.FRESHMEN: _("Freshmen's affairs"),
    TaskKind.ROSTER: _("Roster work"),
    TaskKind.GRADES: _("Grades"),
    TaskKind.GRADUATES: _("Graduates"),
    TaskKind.REPORTS: _("Reports"),
}


class Owner(StrEnum):
    """Who a task of the time-table belongs to; a task of the colleges is dated once for each of them."""

    REGISTRY = "registry"
    COLLEGE = "college"
    AFFAIRS = "affairs"
    ADMISSIONS = "admissions"
    EXAM_CENTER = "exam_center"
    OPERATIONS = "operations"
    TEACHER = "teacher"

    @property
    def label(self) -> Any:
        return OWNER_LABELS[self]


OWNER_LABELS = {
    Owner.REGISTRY: _("Roster registry"),
    Owner.COLLEGE: _("College"),
    Owner.AFFAIRS: _("Academic affairs"),
    Owner.ADMISSIONS: _("Admissions office"),
    Owner.EXAM_CENTER: _("Examination center"),
    Owner.OPERATIONS: _("Teaching operations"),
    Owner.TEACHER: _("Teacher"),
}


class AcademicYear(Model):
    """学年 an academic year that was opened: its row is what makes opening it a second time impossible."""

    __tablename__ = "academic_year"
    year: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)  # in which it begins
    opened_at: Mapped[Now]
    opened_by: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id", ondelete="SET NULL"))

    def __str__(self) -> str:
        return f"{self.year}-{self.year + 1}"


class CalendarDay(Model):
    """放假与调休 a day on which the school differs from the public calendar, which it overrides."""

    __tablename__ = "calendar_day"
    id: Mapped[SmallId]
    day: Mapped[date] = mapped_column(Date, unique=True)
    working: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    name: Mapped[Name]

    def __str__(self) -> str:
        return f"{self.day} {self.name}"


class TaskRule(Model):
    """时间安排 one row of the time-table: what is done when, by whom, and which window it opens."""

    __tablename__ = "task_rule"
    __table_args__ = (one_of("kind", TaskKind),)
    id: Mapped[SmallId]
    key: Mapped[Key] = mapped_column(unique=True)
    position: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    kind: Mapped[str] = mapped_column(String(12))
    opens: Mapped[str] = mapped_column(String(80))  # the rule, as app/operations/calendar/schedule.py reads it
    duration: Mapped[str] = mapped_column(String(10))
    owners: Mapped[list[str]] = mapped_column(ARRAY(String(20)), default=list, server_default="{}")
    students: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")  # whom it concerns as well
    flow: Mapped[str | None] = mapped_column(String(40))  # the procedure that works on it
    title_zh: Mapped[Name]
    title_en: Mapped[Name]
    requirement_zh: Mapped[str | None] = mapped_column(String(300))
    requirement_en: Mapped[str | None] = mapped_column(String(300))
    note_zh: Mapped[str | None] = mapped_column(String(300))
    note_en: Mapped[str | None] = mapped_column(String(300))
    active: Mapped[bool] = mapped_column(Boolean, default=True, server_default="true")

    @property
    def title(self) -> str:
        return self.title_zh if in_chinese() else self.title_en

    @property
    def requirement(self) -> str | None:
        return self.requirement_zh if in_chinese() else self.requirement_en or self.requirement_zh

    @property
    def note(self) -> str | None:
        return self.note_zh if in_chinese() else self.note_en or self.note_zh

    @property
    def standing(self) -> bool:
        """True for what may happen on any day: it is a window, never late."""
        return self.opens == "any"

    def __str__(self) -> str:
        return self.title


class DatedTask(Model):
    """校历任务 a task of one year with its dates: one for each 学院 where the 学院 owns it, else one for the school.

    Its dates are also the window of the flow that it opens. `planned_*` is what the rule gives, the other two dates
    are in force; they differ where somebody moved them, for all or for this 学院 alone.
    """

    __tablename__ = "dated_task"
    __table_args__ = (
        UniqueConstraint("year", "key", "occurrence", "college_id", postgresql_nulls_not_distinct=True),
        CheckConstraint("due_on >= opens_on and planned_due_on >= planned_opens_on", name="dates_in_order"),
        CheckConstraint("moved in ('all', 'college')", name="moved_known"),
        CheckConstraint("(done_at is null) = (done_name is null)", name="done_by_somebody"),
        Index("ix_dated_task_key", "key"),
        Index("ix_dated_task_college", "college_id", "due_on"),
    )
    id: Mapped[BigId]
    year: Mapped[int] = mapped_column(ForeignKey("academic_year.year"))
    rule_id: Mapped[int] = mapped_column(ForeignKey("task_rule.id"), index=True)
    key: Mapped[Key]
    occurrence: Mapped[int] = mapped_column(SmallInteger)  # a rule can give two, one a term: counted from 1
    season: Mapped[str | None] = mapped_column(String(6))  # the term that it belongs to, if it belongs to one
    college_id: Mapped[int | None] = mapped_column(ForeignKey("college.id"))
    owners: Mapped[list[str]] = mapped_column(ARRAY(String(20)))
    students: Mapped[bool] = mapped_column(Boolean)
    planned_opens_on: Mapped[date] = mapped_column(Date)
    planned_due_on: Mapped[date] = mapped_column(Date)
    opens_on: Mapped[date] = mapped_column(Date)
    due_on: Mapped[date] = mapped_column(Date)
    moved: Mapped[str | None] = mapped_column(String(10))
    done_at: Mapped[Moment | None]
    done_by: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id", ondelete="SET NULL"))
    done_name: Mapped[str | None] = mapped_column(String(80))
    remark: Mapped[str | None] = mapped_column(String(300))
    rule: Mapped[TaskRule] = relationship(lazy="selectin")
    college: Mapped[College | None] = relationship(lazy="selectin")

    def __str__(self) -> str:
        return f"{self.rule.title} {self.opens_on}–{self.due_on}"


class TaskEvent(Model):
    """What happened to a dated task: moved, ticked, unticked, remarked, each with its words. Append-only.

    A move for all has no task of its own: it stands once, for every row of the year, key and occurrence.
    """

    __tablename__ = "task_event"
    __table_args__ = (Index("ix_task_event_task", "year", "key", "occurrence"),)
    id: Mapped[BigId]
    year: Mapped[int] = mapped_column(SmallInteger)
    key: Mapped[Key]
    occurrence: Mapped[int] = mapped_column(SmallInteger)
    college_id: Mapped[int | None] = mapped_column(ForeignKey("college.id"))
    act: Mapped[str] = mapped_column(String(12))
    text: Mapped[str] = mapped_column(String(300))
    old_opens_on: Mapped[date | None] = mapped_column(Date)
    old_due_on: Mapped[date | None] = mapped_column(Date)
    opens_on: Mapped[date | None] = mapped_column(Date)
    due_on: Mapped[date | None] = mapped_column(Date)
    actor_id: Mapped[int] = mapped_column(BigInteger)
    actor_name: Mapped[str] = mapped_column(String(80))
    at: Mapped[Now]


class CalendarFeed(Model):
    """订阅 the secret link under which a person's own calendar reads the tasks: renewing it counts `version` up."""

    __tablename__ = "calendar_feed"
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    renewed_at: Mapped[Now]
    ended: Mapped[bool] = mapped_column(default=False, server_default="false")  # with the password, or the account
    user: Mapped[User] = relationship()
