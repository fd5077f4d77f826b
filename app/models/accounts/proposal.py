"""提议 proposals: what an administrator of accounts proposes, and does not hold before a second person has confirmed it."""

from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import deferred, relationship

from app.models.accounts.account import Identity, User
from app.models.base import Mapped, Model, Moment, Name, Now, SmallId, mapped_column
from app.models.organisation.units import College, Department
from app.models.roster.student import one_of


class ProposalKind(StrEnum):
    """An identity, new or changed, or a password that another has set."""

    IDENTITY = "identity"
    PASSWORD = "password"  # noqa: S105 - a kind

    @property
    def label(self) -> Any:
        return _("Identity") if self is ProposalKind.IDENTITY else _("Password")


class ProposalState(StrEnum):
    PENDING = "pending"
    CONFIRMED = "confirmed"
    DECLINED = "declined"

    @property
    def label(self) -> Any:
        return {"pending": _("Waiting"), "confirmed": _("Confirmed"), "declined": _("Declined")}[self.value]

    @property
    def tone(self) -> str:
        return {"pending": "warn", "confirmed": "ok", "declined": "muted"}[self.value]


class Proposal(Model):
    """An identity, or a password, that waits for a second hand. decide_proposal() of the database is the only way on."""

    __tablename__ = "account_proposal"
    __table_args__ = (
        one_of("kind", ProposalKind),
        one_of("state", ProposalState),
        Index("ix_account_proposal_pending", "id", postgresql_where="state = 'pending'"),
    )
    id: Mapped[SmallId]
    kind: Mapped[str] = mapped_column(String(8))
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"))
    identity_id: Mapped[int | None] = mapped_column(ForeignKey("identity.id", ondelete="CASCADE"))
    scope: Mapped[str | None] = mapped_column(String(12))
    college_id: Mapped[int | None] = mapped_column(ForeignKey("college.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))
    title: Mapped[Name | None]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    secret: Mapped[str | None] = deferred(mapped_column(String(256)))  # a hash: the login's alone
    proposed_by: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"))
    proposed_at: Mapped[Now]
    state: Mapped[str] = mapped_column(String(9), default=ProposalState.PENDING, server_default="pending")
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id", ondelete="SET NULL"))
    decided_at: Mapped[Moment | None]
    reason: Mapped[str | None] = mapped_column(String(300))  # why it was declined; its proposer reads it
    user: Mapped[User] = relationship(foreign_keys=[user_id])
    proposer: Mapped[User] = relationship(foreign_keys=[proposed_by])
    decider: Mapped[User | None] = relationship(foreign_keys=[decided_by])
    identity: Mapped[Identity | None] = relationship()
    college: Mapped[College | None] = relationship()
    department: Mapped[Department | None] = relationship()
