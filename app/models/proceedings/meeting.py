"""会议 meeting: the joint meeting of a college, or one of the school, that agreed to one or several cases."""

from enum import StrEnum

from flask_babel import lazy_gettext as _
from sqlalchemy import Boolean, Date, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import relationship

from app.models.base import Mapped, Model, Now, SmallId, date, mapped_column
from app.models.organisation.units import College
from app.models.roster.student import one_of


class MeetingKind(StrEnum):
    """Whose meeting it was. `label` is shown."""

    COLLEGE = "college"  # 党政联席会
    SCHOOL = "school"  # 校长办公会
    TRANSFERS = "committee"  # 转专业工作小组会议
    APPEALS = "appeals"  # 学生申诉处理委员会会议

    @property
    def label(self):
        return MEETING_LABELS[self]


MEETING_LABELS = {
    MeetingKind.COLLEGE: _("Joint meeting of the college"),
    MeetingKind.SCHOOL: _("President's meeting"),
    MeetingKind.TRANSFERS: _("Meeting of the transfer panel"),
    MeetingKind.APPEALS: _("Meeting of the appeals committee"),
}


class Meeting(Model):
    """One meeting with its resolution. A college's own has its college; the school's has none."""

    __tablename__ = "meeting"
    __table_args__ = (
        one_of("kind", MeetingKind),
        Index("uq_meeting_number", text("coalesce(college_id, 0)"), "kind", text("folded(number)"), unique=True),
    )
    id: Mapped[SmallId]
    kind: Mapped[str] = mapped_column(String(12))
    college_id: Mapped[int | None] = mapped_column(ForeignKey("college.id"), index=True)
    number: Mapped[str] = mapped_column(String(40))
    held_on: Mapped[date] = mapped_column(Date)
    participants: Mapped[str] = mapped_column(Text)
    resolution: Mapped[str] = mapped_column(Text)
    minutes_name: Mapped[str | None] = mapped_column(String(200))  # the scan, under a random name outside the web root
    minutes_path: Mapped[str | None] = mapped_column(String(80), unique=True)
    minutes_type: Mapped[str | None] = mapped_column(String(60))
    recorded_by: Mapped[int] = mapped_column(ForeignKey("ab_user.id"))
    recorded_role: Mapped[str] = mapped_column(String(64))  # the office of the school whose record it is
    recorded_at: Mapped[Now]
    cancelled: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    college: Mapped[College | None] = relationship()

    __mapper_args__ = {"version_id_col": version}

    def __str__(self) -> str:
        return f"{self.held_on:%Y-%m-%d} {self.number}"
