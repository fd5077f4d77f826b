"""账号 accounts: what a person changes of her own account; her name is her administrator's to say."""

import re

from flask_babel import lazy_gettext as _
from sqlalchemy import exists, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from werkzeug.security import check_password_hash, generate_password_hash

from app.access import Actor, Permission
from app.access.scope import as_login
from app.kit.operation import Refused, audit, audit_columns, get, operation
from app.models import AuditEntry, Password, db
from app.models.accounts import User

ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
LONGEST_ADDRESS = 320


@operation(needs=Permission.HOME_READ)
def change_letter_address(actor: Actor, address: str) -> None:
    """Where letters to the actor go."""
    if actor.on_behalf_of:
        raise Refused(_("Act as yourself again first: this is your own account."))
    address = address.strip()
    if not ADDRESS.fullmatch(address) or len(address) > LONGEST_ADDRESS:
        raise Refused(_("This is no e-mail address: write it as name@example.edu.cn."))
    user = get(User, actor.user_id)
    if db.session.scalar(select(exists().where(User.email == address, User.id != user.id))):
        raise Refused(_("Another account has this e-mail address."))
    if user.email != address:
        audit(actor, "account:contact", subject="ab_user", subject_id=user.id,
              old={"email": user.email}, new={"email": address})  # fmt: skip
        user.email = address


@operation(needs=Permission.HOME_READ)
def change_own_password(actor: Actor, old: str, new: str) -> None:
    """Choose a password of one's own, knowing the one before. What is a good one is the form's to say."""
    if actor.on_behalf_of:
        raise Refused(_("Act as yourself again first: this is your own account."))
    if not knows_password(actor.user_id, old):
        raise WrongPassword(_("This is not your present password."))
    _set_password(actor, actor.user_id, new)


@operation(needs=Permission.ACCOUNT_WRITE)
def set_password(actor: Actor, user_id: int, new: str) -> None:
    """Give an account a password, which its owner must change at the next login."""
    if user_id == actor.user_id:
        raise Refused(_("Change your own password on the page “My account”."))
    _set_password(actor, user_id, new)


class WrongPassword(Refused):
    """The password given is not that of the account."""


def knows_password(user_id: int, password: str) -> bool:
    """Whether this is the account's password; asked of the login role, the only one that may read it."""
    with as_login() as session:
        stored = session.scalar(select(User.password).where(User.id == user_id))
    return stored is not None and check_password_hash(stored, password)


def _set_password(actor: Actor, user_id: int, new: str) -> None:
    own = user_id == actor.user_id
    hashed = generate_password_hash(new, method="scrypt")
    state = {"must_change": not own, "changed_at": func.now()}
    trail = audit_columns(actor, "password:change" if own else "password:reset")
    with as_login(actor.user_id, actor.name) as session:
        session.execute(update(User.__table__).where(User.__table__.c.id == user_id).values(password=hashed))
        made = upsert(Password).values(user_id=user_id, **state)
        session.execute(made.on_conflict_do_update(index_elements=["user_id"], set_=state))
        session.execute(insert(AuditEntry), [trail | {"subject": "ab_user", "subject_id": user_id}])
