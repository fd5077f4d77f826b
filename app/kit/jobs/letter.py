"""邮件 letters: from the outbox to the mail server, or into files where none is set, each at most once."""

import contextlib
import os
import smtplib
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from flask import current_app
from sqlalchemy import text

from app.kit import clock
from app.kit.email_address import is_address
from app.kit.sensitive import mask
from app.models import MailState, db

MOST_ATTEMPTS = 5
TIMEOUT = 20  # seconds
Send = Callable[[EmailMessage, int], None]

CLAIM = text("""
    update mail set state = 'sending', attempts = attempts + 1 where id = (
        select id from mail where state = 'waiting' and id > :after order by id limit 1 for update skip locked)
    returning id, recipient, subject, body, attempts
""")
SETTLE = text("""
    update mail set state = cast(:state as text), error = :error,
        sent_at = case when cast(:state as text) = 'sent' then cast(:now as timestamptz) end
    where id = :id
""")


class NotSent(Exception):
    """The letter has certainly not gone out. `again` tells whether a later try may do better."""

    def __init__(self, reason: str, *, again: bool) -> None:
        super().__init__(reason)
        self.again = again


def send_waiting() -> dict[str, int]:
    """Send what waits, one letter after the other; how many ended in which state.

    A letter is marked before it is sent and again afterwards. Killed in between, or cut off in the middle, it may have
    gone out, so it is never tried again; refused by the server for the moment, it is, some times.
    """
    counts: dict[str, int] = {}
    last = 0
    with post_office() as send:
        while (letter := _claim(last)) is not None:
            last = letter.id
            state, error = MailState.SENT, None
            try:
                send(_message(letter), letter.id)
            except NotSent as failure:
                again = failure.again and letter.attempts < MOST_ATTEMPTS
                state, error = MailState.WAITING if again else MailState.FAILED, str(failure)
            except (smtplib.SMTPException, OSError, ValueError) as failure:
                state, error = MailState.FAILED, f"{type(failure).__name__}: {failure}"
            # the answer of a server often repeats the address, which is masked wherever it is shown
            _settle(letter.id, state, error and error.replace(letter.recipient, mask(letter.recipient)))
            counts[state] = counts.get(state, 0) + 1
    return counts


@contextlib.contextmanager
def post_office() -> Iterator[Send]:
    """What takes letters: the mail server of XUEJI_SMTP_URL, else files under XUEJI_FILES/mail."""
    address = urlsplit(current_app.config["XUEJI_SMTP_URL"])
    if not address.hostname:
        yield _into_file
        return
    secure = address.scheme == "smtps"
    kind = smtplib.SMTP_SSL if secure else smtplib.SMTP
    with kind(address.hostname, address.port or (465 if secure else 25), timeout=TIMEOUT) as server:
        if not secure and server.has_extn("starttls"):
            server.starttls()
        if address.username:
            server.login(unquote(address.username), unquote(address.password or ""))

        def send(message: EmailMessage, number: int) -> None:
            try:
                server.send_message(message)
            except smtplib.SMTPRecipientsRefused as refused:
                code, words = next(iter(refused.recipients.values()))
                raise NotSent(f"{code} {words!r}", again=400 <= code < 500) from refused
            except smtplib.SMTPResponseException as refused:
                again = 400 <= refused.smtp_code < 500
                raise NotSent(f"{refused.smtp_code} {refused.smtp_error!r}", again=again) from refused

        yield send


def _into_file(message: EmailMessage, number: int) -> None:
    folder = Path(current_app.config["XUEJI_FILES"]) / "mail"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = folder / f"{number}.new"
    new.write_bytes(bytes(message))
    os.replace(new, folder / f"{number}.eml")


def _message(letter: Any) -> EmailMessage:
    if not is_address(letter.recipient):  # one stored before addresses were looked at: it might be two, or a header
        raise NotSent("no e-mail address", again=False)
    message = EmailMessage()
    sender = current_app.config["XUEJI_MAIL_FROM"]
    message["From"], message["To"] = sender, letter.recipient
    message["Subject"] = " ".join(letter.subject.split())
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = f"<notice-{letter.id}@{sender.rpartition('@')[2] or 'localhost'}>"
    message.set_content(letter.body)
    return message


def _claim(after: int) -> Any | None:
    row = db.session.execute(CLAIM, {"after": after}).first()
    db.session.commit()
    return row


def _settle(number: int, state: MailState, error: str | None) -> None:
    values = {"id": number, "state": state.value, "error": error and error[:300], "now": clock.now()}
    db.session.execute(SETTLE, values)
    db.session.commit()
