"""任务 job run: a long export, import or batch decision as its owner sees it: progress, result, error."""

from enum import StrEnum

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, String, Text
from sqlalchemy.dialects.postgresql import JSONB

from app.models.base import BigId, Key, Mapped, Model, Moment, Name, Now, mapped_column
from app.models.roster.student import one_of


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobRun(Model):
    """One background job. Seen by the user who asked alone; it runs with the identity it was asked under."""

    __tablename__ = "job_run"
    __table_args__ = (one_of("state", JobState), Index("ix_job_run_user", "user_id", "id"))
    id: Mapped[BigId]
    kind: Mapped[Key]
    title: Mapped[Name]
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"))
    identity_id: Mapped[int] = mapped_column(ForeignKey("identity.id", ondelete="CASCADE"))
    params: Mapped[dict] = mapped_column(JSONB, default=dict, server_default="{}")
    state: Mapped[str] = mapped_column(String(10), default=JobState.QUEUED, server_default="queued")
    stop_asked: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    done: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    total: Mapped[int | None]
    result: Mapped[dict] = mapped_column(JSONB, default=dict, server_default="{}")
    message: Mapped[str | None] = mapped_column(Text)
    file_name: Mapped[str | None] = mapped_column(String(200))
    file_path: Mapped[str | None] = mapped_column(String(200))
    queue_id: Mapped[int | None] = mapped_column(BigInteger)
    asked_at: Mapped[Now]
    started_at: Mapped[Moment | None]
    finished_at: Mapped[Moment | None]
    expires_at: Mapped[Moment | None]
