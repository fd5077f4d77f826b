"""审计 audit: an append-only row for every operation, every reveal of masked data and every export."""

from sqlalchemy import BigInteger, Index, Integer, String
from sqlalchemy.dialects.postgresql import JSONB

from app.models.base import BigId, Mapped, Model, Now, mapped_column


class AuditEntry(Model):
    """Who did what to which row, from which request. The web role may insert and select, never change or delete."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_subject", "subject", "subject_id"),
        Index("ix_audit_entry_college", "college_id", "id"),
        Index("ix_audit_entry_user", "user_id", "id"),
    )
    id: Mapped[BigId]
    at: Mapped[Now]
    user_id: Mapped[int | None] = mapped_column(Integer)
    identity_id: Mapped[int | None] = mapped_column(Integer)
    user_name: Mapped[str | None] = mapped_column(String(80))
    roles: Mapped[str | None] = mapped_column(String(200))
    request_id: Mapped[str | None] = mapped_column(String(40))
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str | None] = mapped_column(String(40))
    subject_id: Mapped[int | None] = mapped_column(BigInteger)
    college_id: Mapped[int | None] = mapped_column(Integer)
    old: Mapped[dict | None] = mapped_column(JSONB)
    new: Mapped[dict | None] = mapped_column(JSONB)
    detail: Mapped[dict | None] = mapped_column(JSONB)
