"""会话 sessions: begun by a login, named by the cookie or the token, looked up with the user in one statement."""

import ipaddress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import current_app, g, request, session
from sqlalchemy import extract, func, insert, select, update

from app.access.scope import as_login
from app.models import UserSession, db
from app.models.accounts.account import Identity, User

COOKIE = "session"  # in the cookie: the number of its row
CLAIM = "session"  # and in a token
TABLE: Any = UserSession.__table__
SEEN_EVERY = 60  # seconds between two notes of when it was last seen


@dataclass(frozen=True)
class Login:
    """The session of this request."""

    id: int
    unseen: float  # seconds since it was noted as seen
    unconfirmed: float  # seconds since the password was given
    identity_id: int | None  # as whom it acts


def place_of(address: str | None) -> str:
    """Where a request comes from: its address, or of IPv6 the network of 64 bits that one household has."""
    try:
        found = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return "?"
    if found.version == 4:
        return str(found)
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or ipaddress.ip_network((found, 64), strict=False))


def here() -> str:
    return place_of(request.remote_addr)


def begin(user_id: int, kind: str, place: str, agent: str = "", identity_id: int | None = None) -> int:
    """A new session, which acts as the identity given, else as the one last used; its number."""
    row: dict[str, Any] = {"user_id": user_id, "kind": kind, "place": place, "agent": agent[:200].replace("\0", "")}
    last_used = select(Identity.id).where(Identity.user_id == user_id, Identity.ended_on.is_(None))
    row["identity_id"] = identity_id or (
        last_used.order_by(Identity.last_used.desc(), Identity.id).limit(1).scalar_subquery()
    )
    with as_login() as login:
        number = login.execute(insert(TABLE).values(row).returning(TABLE.c.id)).scalar_one()
    db.session.commit()
    return number


def find(user_id: int, number: Any, kind: str) -> User | None:
    """The user of a session that still runs and was seen lately, if the account is in use; notes that it was seen."""
    lasts: timedelta = current_app.config["PERMANENT_SESSION_LIFETIME"]
    if not isinstance(number, int):
        return None
    ages = [extract("epoch", func.now() - moment) for moment in (UserSession.seen_at, UserSession.confirmed_at)]
    row = db.session.execute(
        select(User, UserSession.identity_id, *ages)
        .join(UserSession, UserSession.user_id == User.id)
        .where(UserSession.id == number, UserSession.user_id == user_id, UserSession.kind == kind)
        .where(UserSession.ended_at.is_(None), UserSession.seen_at > func.now() - lasts, User.active)
    ).first()
    if row is None:
        return None
    user, identity_id, unseen, unconfirmed = row
    g.xueji_login = Login(number, float(unseen), float(unconfirmed), identity_id)
    if unseen > SEEN_EVERY:
        note(number, "seen_at")
    return user


def this_login() -> Login | None:
    """The session of this request, once its user is known."""
    return g.get("xueji_login")


def note(number: int, what: str) -> None:
    """That a session was seen now, or its password given now."""
    with as_login() as login:
        login.execute(update(TABLE).where(TABLE.c.id == number).values({what: func.now()}))
    db.session.commit()


def act_as(number: int, identity_id: int) -> None:
    """This session, and no other of its user, acts as an identity from now on."""
    with as_login() as login:
        login.execute(update(TABLE).where(TABLE.c.id == number).values(identity_id=identity_id))


def end(number: int, user_id: int) -> bool:
    """End one session of a user; whether there was one."""
    running = TABLE.c.id == number, TABLE.c.user_id == user_id, TABLE.c.ended_at.is_(None)
    with as_login() as login:
        ended = login.execute(update(TABLE).where(*running).values(ended_at=func.now())).rowcount
    db.session.commit()
    return bool(ended)


def begin_here(user_id: int, identity_id: int | None = None) -> None:
    """A session of this browser, named by its cookie."""
    session[COOKIE] = begin(user_id, "browser", here(), str(request.user_agent), identity_id)
