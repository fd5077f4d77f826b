"""通知 notices: what the system tells a person, in the application and by e-mail, each at most once."""

from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    and_,
    func,
)

from app.models.base import BigId, Mapped, Model, Moment, Now, mapped_column
from app.models.language import in_chinese
from app.models.roster.student import one_of


class Notice(Model):
    """One thing told to one person. `key` says what: the same thing is told to the same person once."""

    __tablename__ = "notice"
    __table_args__ = (UniqueConstraint("user_id", "key"), Index("ix_notice_unread", "user_id", "id"))
    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(120))
    title_zh: Mapped[str] = mapped_column(String(200))
    title_en: Mapped[str] = mapped_column(String(200))
    text_zh: Mapped[str] = mapped_column(Text)
    text_en: Mapped[str] = mapped_column(Text)
    path: Mapped[str | None] = mapped_column(String(200))  # of the page where something can be done about it
    raised_at: Mapped[Now]
    read_at: Mapped[Moment | None]

    @classmethod
    def settled(cls) -> ColumnElement[bool]:
        """Whether it told of one case that waits, and the case waits no more: signed by another, or taken back."""
        of_one = cls.path.op("^@", is_comparison=True)("/casescreen/show/")
        return and_(of_one, func.notice_settled(cls.key))

    @property
    def title(self) -> str:
        return self.title_zh if in_chinese() else self.title_en

    @property
    def text(self) -> str:
        return self.text_zh if in_chinese() else self.text_en

    def __str__(self) -> str:
        return self.title


class MailState(StrEnum):
    """`sending` is where a killed sender leaves a letter that may have gone out: it is never sent a second time."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"

    @property
    def label(self) -> Any:
        return MAIL_STATES[self][0]

    @property
    def tone(self) -> str:
        return MAIL_STATES[self][1]


MAIL_STATES: dict[MailState, tuple[Any, str]] = {
    MailState.WAITING: (_("Waiting"), "muted"),
    MailState.SENDING: (_("Being sent, or cut off"), "warn"),
    MailState.SENT: (_("Sent"), "ok"),
    MailState.FAILED: (_("Not delivered"), "bad"),
}


class Mail(Model):
    """The outbox: the letter of one notice, written in the transaction that raised it, sent by a job."""

    __tablename__ = "mail"
    __table_args__ = (
        one_of("state", MailState),
        Index("ix_mail_waiting", "id", postgresql_where="state = 'waiting'"),
    )
    id: Mapped[BigId]
    notice_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("notice.id", ondelete="CASCADE"), unique=True)
    recipient: Mapped[str] = mapped_column(String(320))
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10), default=MailState.WAITING, server_default="waiting")
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    error: Mapped[str | None] = mapped_column(String(300))
    written_at: Mapped[Now]
    sent_at: Mapped[Moment | None]

    def __str__(self) -> str:
        return self.subject
