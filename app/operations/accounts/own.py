"""账号 accounts: what a person changes of her own account; her name is her administrator's to say."""

from datetime import timedelta
from typing import Any

from flask import current_app
from flask_babel import lazy_gettext as _
from sqlalchemy import Connection, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from werkzeug.security import check_password_hash, generate_password_hash

from app.access import Actor, Permission, Role
from app.access.attempts import Attempt, begin_attempt, forgive
from app.access.scope import as_login
from app.access.sessions import here
from app.kit import clock
from app.kit.email_address import is_address
from app.kit.jobs.due import Due, Staff, tell
from app.kit.operation import Faulty, NotFound, Refused, audit, get, operation
from app.models import Identity, Password, UserSession, db
from app.models.accounts.account import User, person_name, signature
from app.models.text import folded
from app.operations.accounts.second_hand import (
    ACCOUNT_SINCE,
    PASSWORD_SINCE,
    holds_much,
    propose_password,
    tell_of_password,
    void_proposals,
)

USERS: Any = User.__table__
SESSIONS: Any = UserSession.__table__


@operation(needs=Permission.HOME_READ)
def change_letter_address(actor: Actor, address: str) -> None:
    """Where letters to the actor go."""
    if actor.on_behalf_of:
        raise Refused(_("Act as yourself again first: this is your own account."))
    address = address.strip()
    user = get(User, actor.user_id)
    check_address(address, user.id)
    if user.email != address:
        audit(actor, "account:contact", subject="ab_user", subject_id=user.id,
              old={"email": user.email}, new={"email": address})  # fmt: skip
        user.email = address


def check_address(address: str, user_id: int | None) -> None:
    """An account has an address of its own to which a letter can go. Raises Faulty."""
    why = None
    if not is_address(address):
        why = _("This is no e-mail address: write it as name@example.edu.cn.")
    else:
        same = select(User.id).where(func.lower(User.email) == address.lower(), User.id.is_distinct_from(user_id))
        with db.session.no_autoflush:  # the account itself may be about to be stored
            if db.session.scalar(same.limit(1)) is not None:
                why = _("Another account has this e-mail address.")
    if why is not None:
        raise Faulty({"email": why})


@operation(needs=Permission.HOME_READ)
def change_own_password(actor: Actor, old: str, new: str) -> None:
    """Choose a password of one's own, knowing the one before. What is a good one is the form's to say."""
    if actor.on_behalf_of:
        raise Refused(_("Act as yourself again first: this is your own account."))
    if not knows_password(actor.user_id, old):
        raise WrongPassword(_("This is not your present password."))
    _set_password(actor, actor.user_id, new)


@operation(needs=Permission.ACCOUNT_WRITE)
def set_password(actor: Actor, user_id: int, new: str) -> bool:
    """Give an account a password, which its owner must change at the next login; whether it holds at once.

    For an account that reaches any student, herself alone too, it is a proposal: whoever sets a password could log in
    with it. Its owner is told in any case.
    """
    if user_id == actor.user_id:
        raise Refused(_("Change your own password on the page “My account”."))
    if holds_much(user_id):
        propose_password(actor, user_id, generate_password_hash(new, method="scrypt"))
        return False
    _set_password(actor, user_id, new)
    tell_of_password(actor, user_id, actor.name)
    void_proposals(actor, user_id, PASSWORD_SINCE)
    return True


@operation(needs=Permission.ACCOUNT_WRITE)
def note_first_password(actor: Actor, user_id: int) -> None:
    """Whoever made an account gave it its password, and knows it until its owner has chosen another."""
    with as_login() as login:
        _note_password(login, user_id, actor.user_id)


# what an administrator changes of somebody else


def check_name_free(name: str) -> None:
    """A name under which a deleted account once acted stays its own, or history would read wrong. Raises Refused."""
    with as_login() as login:
        if login.scalar(select(func.account_name_taken(name))):
            raise Refused(_("An account of this user name acted here before it was deleted. Choose another user name."))


def check_unused(user_id: int) -> None:
    """Only an account that never was anybody's is deleted. Raises Refused."""
    with as_login() as login:
        if login.scalar(select(func.account_used(user_id))):
            raise Refused(_("This account has been used: what was done by it names it, so it stays. Edit it and take away"
                            " the tick at “Is Active?”: then nobody logs in with it."))  # fmt: skip


def check_name_unused(user_id: int) -> None:
    """A user name is changed only as long as nothing was done, and nobody made somebody, by it. Raises Refused."""
    with as_login() as login:
        if login.scalar(select(func.account_used(user_id))):
            raise Refused(
                _("This account has been used: what was done by it is signed with its user name, which stays.")
            )


def namesakes(user: User) -> list[User]:
    """Others who bear the name of an account as it is read and hold an identity of staff that has not ended."""
    name = func.folded(User.last_name + User.first_name)
    mine = folded(f"{user.last_name}{user.first_name}")
    staff = exists().where(Identity.user_id == User.id, Identity.ended_on.is_(None), Identity.scope != "student")
    if not mine:
        return []
    return list(db.session.scalars(select(User).where(User.id != user.id, name == mine, staff).order_by(User.username)))


def tell_of_change(actor: Actor, user: User, old: dict[str, Any]) -> None:
    """Tell an account's owner what another changed of it, by a letter to the address that stood before; and the registry,
    if the account reaches students. What is proposed for the account, as another looked at it, is void. Called before the
    new values are stored; `old` has names and e-mail of before."""
    with db.session.no_autoflush:
        before = User(username=user.username, first_name=old["first_name"], last_name=old["last_name"])
        renamed = person_name(before) != person_name(user)
        moved = (old["email"] or "") != (user.email or "")
        others = set(Staff().holding(Role.REGISTRY)) if holds_much(user.id) else set()
        told, moment = tuple(sorted(others - {actor.user_id, user.id})), clock.now().isoformat()
        dues = []
        if renamed:
            names = {"who": actor.name, "old": signature(before), "new": signature(user)}
            dues += [
                Due(f"account:{user.id}:name:{moment}", (user.id,), _("Your name was changed"),
                    _("%(who)s has changed the name of your account from %(old)s to %(new)s. What you sign bears it. If this"
                      " is wrong, tell the roster registry.", **names), "/account/"),
                Due(f"account:{user.id}:name:{moment}", told, _("The name of an account was changed"),
                    _("%(who)s has changed the name of %(old)s, who reaches students, to %(new)s. If you know of no reason,"
                      " ask.", **names)),
            ]  # fmt: skip
        if moved:
            dues += [
                Due(f"account:{user.id}:email:{moment}", (user.id,), _("Your e-mail address was changed"),
                    _("%(who)s has changed the address to which your letters go. This is the last one to the old address. If"
                      " this is wrong, change it under “My account” and tell the roster registry.", who=actor.name),
                    "/account/"),
                Due(f"account:{user.id}:email:{moment}", told, _("The e-mail address of an account was changed"),
                    _("%(who)s has changed the e-mail address of %(whom)s, who reaches students. If you know of no reason,"
                      " ask.", who=actor.name, whom=signature(user))),
            ]  # fmt: skip
        tell(dues)
        if renamed or moved or old["username"] != user.username:
            void_proposals(actor, user.id, ACCOUNT_SINCE)


class WrongPassword(Refused):
    """The password given is not that of the account."""


def knows_password(user_id: int, password: str) -> bool:
    """Whether this is the account's password; asked of the login role, the only one that may read it.

    A wrong one is counted like one at the login. Raises TooManyTries.
    """
    with as_login() as login:
        row = login.execute(select(USERS.c.username, USERS.c.password).where(USERS.c.id == user_id)).one()
    attempt = begin_attempt(row.username)
    right = row.password is not None and check_password_hash(row.password, password)
    settle_attempt(attempt, right=right)
    return right


def settle_attempt(attempt: Attempt, *, right: bool) -> None:
    """Forgive a try that was right; tell the account's owner when so many were wrong that the next ones must wait."""
    if right:
        forgive(attempt)
    elif attempt.alarming and attempt.user_id is not None:
        tell([Due(
            key=f"wrong-passwords:{clock.today()}", users=(attempt.user_id,),
            title=_("Wrong passwords for your account"),
            text=_("Somebody has tried several wrong passwords for your account within %(minutes)s minutes, the last time"
                   " from %(place)s. Where you have logged in before you still can. If it was not you, look at your logins and"
                   " choose another password.", place=here(), minutes=attempt.minutes),
            path="/account/",
        )])  # fmt: skip
    db.session.commit()


def _set_password(actor: Actor, user_id: int, new: str) -> None:
    own = user_id == actor.user_id
    hashed = generate_password_hash(new, method="scrypt")
    with as_login() as login:
        login.execute(update(USERS).where(USERS.c.id == user_id).values(password=hashed))
        _note_password(login, user_id, None if own else actor.user_id)
    audit(actor, "password:change" if own else "password:reset", subject="ab_user", subject_id=user_id)


def _note_password(login: Connection, user_id: int, giver: int | None) -> None:
    """A password was chosen now: by the account's owner, who leaves standing who gave the one before, or by another."""
    state: dict[str, Any] = {"must_change": giver is not None, "changed_at": func.now()}
    if giver is not None:
        state |= {"given_by": giver, "given_at": func.now()}
    made = upsert(Password.__table__).values(user_id=user_id, **state)
    login.execute(made.on_conflict_do_update(index_elements=["user_id"], set_=state))


# sessions


def running_sessions(actor: Actor) -> list[UserSession]:
    """The actor's own logins that have neither ended nor been forgotten by time, the last seen first."""
    lasts = current_app.config["PERMANENT_SESSION_LIFETIME"]
    mine = select(UserSession).where(UserSession.user_id == actor.user_id, UserSession.ended_at.is_(None))
    alive = mine.where(UserSession.seen_at > func.now() - lasts)
    return list(db.session.scalars(alive.order_by(UserSession.seen_at.desc(), UserSession.id.desc())))


@operation(needs=Permission.HOME_READ)
def end_session(actor: Actor, number: int) -> None:
    """End one login of one's own. Raises NotFound."""
    if not _end(actor, SESSIONS.c.id == number):
        raise NotFound(_("There is no such record, or it is not one of yours."))


@operation(needs=Permission.HOME_READ)
def end_other_sessions(actor: Actor, here: int | None) -> int:
    """End every login of one's own but this; how many."""
    return _end(actor, SESSIONS.c.id.is_distinct_from(here))


def _end(actor: Actor, which: Any) -> int:
    if actor.on_behalf_of:
        raise Refused(_("Act as yourself again first: this is your own account."))
    running = SESSIONS.c.user_id == actor.user_id, SESSIONS.c.ended_at.is_(None), which
    with as_login() as login:
        ended = login.scalars(
            update(SESSIONS).where(*running).values(ended_at=func.now()).returning(SESSIONS.c.id)
        ).all()
    if ended:
        audit(actor, "session:end", subject="user_session", detail={"sessions": len(ended)})
    return len(ended)


def forget_sessions(days: int = 180) -> None:
    """Remove the rows of logins that were last seen so long ago; until then their addresses are known ones."""
    with as_login() as login:
        login.execute(delete(SESSIONS).where(SESSIONS.c.seen_at < func.now() - timedelta(days=days)))
    db.session.commit()
