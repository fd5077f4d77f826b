"""登录会话 sessions: one row for each login, by a browser or a program; what is ended here is out at once."""

from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import ForeignKey, Index, String

from app.models.base import BigId, Mapped, Model, Moment, Now, mapped_column
from app.models.roster.student import one_of


class LoginKind(StrEnum):
    BROWSER = "browser"
    API = "api"

    @property
    def label(self) -> Any:
        return _("Browser") if self is LoginKind.BROWSER else _("Program")


class UserSession(Model):
    """A login: whose, since when, last seen, from where. The cookie or token only names it.

    Triggers end those of an account whose password, identities or roles change, or that is put out of use.
    """

    __tablename__ = "user_session"
    __table_args__ = (
        one_of("kind", LoginKind),
        Index("ix_user_session_running", "user_id", postgresql_where="ended_at is null"),
        Index("ix_user_session_place", "user_id", "place"),
    )
    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(7))
    # as whom it acts: another login of the account may act as another
    identity_id: Mapped[int | None] = mapped_column(ForeignKey("identity.id", ondelete="SET NULL"))
    begun_at: Mapped[Now]
    seen_at: Mapped[Now]
    confirmed_at: Mapped[Now]  # when the password was given last
    place: Mapped[str] = mapped_column(String(45))  # the network address
    agent: Mapped[str] = mapped_column(String(200), server_default="")
    ended_at: Mapped[Moment | None]


class LoginAttempt(Model):
    """A password that was tried for an account and has not proved right: counted for a while, then forgotten."""

    __tablename__ = "login_attempt"
    __table_args__ = (
        Index("ix_login_attempt_account", "account", "at"),
        Index("ix_login_attempt_place", "place", "at"),
    )
    id: Mapped[BigId]
    account: Mapped[str] = mapped_column(String(64))  # the user name, or what was typed where there is no such account
    place: Mapped[str] = mapped_column(String(45))
    at: Mapped[Now]
