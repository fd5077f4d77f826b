"""试错 wrong passwords: counted in the database by account and address, so that guessing is slow and nobody is locked out.

A try counts as wrong from its beginning, under a lock of its account; many at once are no more tries than one by one.
"""

from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import delete, func, insert, select, text

from app.access.scope import as_login
from app.access.sessions import here
from app.models import LoginAttempt, Setting, db
from app.models.accounts.account import User

TABLE: Any = LoginAttempt.__table__
KEYS = "wrong_passwords_"  # how their settings begin


@dataclass(frozen=True)
class Limits:
    """What the school allows, each within the bounds of its setting."""

    minutes: int  # over which wrong ones are counted
    elsewhere: int  # for an account from all the addresses where it never logged in, until they have to wait
    here: int  # at an address where the account has logged in, until each costs a wait
    wait_seconds: int  # there, at the longest
    place: int  # a minute from one address, for whatever accounts it has never logged into


def limits() -> Limits:
    """The settings of today. Raises KeyError where the reference data have not been loaded."""
    names = [field.name for field in fields(Limits)]
    rows = db.session.execute(
        select(Setting.key, Setting.value).where(Setting.key.in_([KEYS + name for name in names]))
    )
    values = {key: int(value) for key, value in rows}
    return Limits(**{name: values[KEYS + name] for name in names})


FACTS = text("""
    with tried as (select place, at from login_attempt where account = :account and at > now() - :minutes * interval '1 minute'),
    known as (select distinct place from user_session where user_id = :user)
    select
        exists (select from known where place = :place) as known,
        (select count(*) from tried where place = :place) as here,
        (select count(*) from tried where place not in (select place from known)) as elsewhere,
        (select coalesce(extract(epoch from now() - max(at)), 1e9) from tried where place = :place) as since,
        (select count(*) from login_attempt where place = :place and at > now() - interval '1 minute') as of_place
""")


class TooManyTries(Exception):
    """The password was not looked at. `seconds` tell when it will be; `why` is elsewhere, here or place."""

    def __init__(self, why: str, seconds: int) -> None:
        super().__init__(why)
        self.why, self.seconds = why, seconds


@dataclass(frozen=True)
class Attempt:
    """One try that is under way. `user_id` is None where there is no such account."""

    id: int
    user_id: int | None
    alarming: bool  # the last one that is let through: its owner should know
    minutes: int  # over which wrong ones are counted


def begin_attempt(typed: str) -> Attempt:
    """Count a try for the account of this name or e-mail address before its password is looked at. Raises TooManyTries."""
    name, place = typed.replace("\0", "").strip().casefold()[:64], here()
    most = limits()
    with as_login() as login:
        found = login.execute(
            select(User.id, User.username)
            .where((func.lower(User.username) == name) | (func.lower(User.email) == name))
            .order_by((func.lower(User.username) == name).desc())
            .limit(1)
        ).first()
        user_id, account = (found.id, found.username[:64]) if found else (None, name)
        login.execute(text("select pg_advisory_xact_lock(hashtextextended('login ' || :a, 0))"), {"a": account})
        values = {"account": account, "place": place, "user": user_id, "minutes": most.minutes}
        facts = login.execute(FACTS, values).one()
        refused = _why_not(facts, most)
        number = 0
        if refused is None:
            number = login.execute(
                insert(TABLE).values(account=account, place=place).returning(TABLE.c.id)
            ).scalar_one()
    db.session.commit()
    if refused is not None:
        raise refused
    alarming = facts.here + 1 == most.here if facts.known else facts.elsewhere + 1 == most.elsewhere
    return Attempt(number, user_id, alarming, most.minutes)


def _why_not(facts: Any, most: Limits) -> TooManyTries | None:
    if facts.known:
        wait = min(2 ** (facts.here - most.here + 1), most.wait_seconds) if facts.here >= most.here else 0
        return TooManyTries("here", int(wait - facts.since) + 1) if facts.since < wait else None
    if facts.elsewhere >= most.elsewhere:
        return TooManyTries("elsewhere", most.minutes * 60)
    return TooManyTries("place", 60) if facts.of_place >= most.place else None


def forgive(attempt: Attempt) -> None:
    """It was the right password: it counts no more. In the caller's transaction."""
    with as_login() as login:
        login.execute(delete(TABLE).where(TABLE.c.id == attempt.id))


def forget_attempts() -> None:
    """Remove what is counted no more."""
    with as_login() as login:
        login.execute(delete(TABLE).where(TABLE.c.at < func.now() - text("interval '1 day'")))
    db.session.commit()
