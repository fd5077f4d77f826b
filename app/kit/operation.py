"""操作 operation: the only transaction. A verb checks, does, audits and commits; raising rolls everything back."""

import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from flask import g, has_request_context
from flask_babel import lazy_gettext as _
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from app.access import Actor, Permission
from app.models import AuditEntry, db

P = ParamSpec("P")
R = TypeVar("R")


class Told(Exception):
    """Ends a request with a sentence that a person reads, as it is, and with `status`."""

    status = 400
    remedied = False  # whether the reason says itself what to do

    def __init__(self, reason) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return str(self.reason)


class Refused(Told):
    """An act is refused: what is wrong, and what to do."""

    status = 409


class Faulty(Refused):
    """Values that cannot be: field → what is wrong, all of them, for a form to say each beside its field."""

    status = 422

    def __init__(self, faults: dict[str, Any]) -> None:
        super().__init__(next(iter(faults.values())))
        self.faults = faults

    def __str__(self) -> str:
        return " ".join(str(why) for why in self.faults.values())


class NotAllowed(Refused):
    """The actor lacks the permission, or the row is not one of hers."""

    status = 403


class NotFound(Told):
    """There is no such row, or none that the actor may see: both are said alike. No refusal, so that a page that says
    why an act is refused does not answer for a row that is not there."""

    status = 404


def operation(
    *, needs: Permission
) -> Callable[[Callable[Concatenate[Actor, P], R]], Callable[Concatenate[Actor, P], R]]:
    """Make `verb(actor, …)` a transaction that needs a permission. A nested operation joins the outer one."""

    def decorate(verb: Callable[Concatenate[Actor, P], R]) -> Callable[Concatenate[Actor, P], R]:
        @functools.wraps(verb)
        def run(actor: Actor, *args: P.args, **kwargs: P.kwargs) -> R:
            if not actor.may(needs):
                raise NotAllowed(_("Your role may not do this. Ask the roster registry if you should."))
            session: Session = db.session()
            if session.info.get("operation"):
                return verb(actor, *args, **kwargs)
            session.info["operation"] = verb.__name__
            try:
                result = verb(actor, *args, **kwargs)
                session.commit()
                return result
            except BaseException:
                session.rollback()
                raise
            finally:
                session.info.pop("operation", None)

        run.needs = needs  # type: ignore[attr-defined]  # the walking tests ask every verb what it needs
        return run

    return decorate


def audit(
    actor: Actor,
    action: str,
    *,
    subject: str | None = None,
    subject_id: int | None = None,
    college_id: int | None = None,
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Write one audit row in the running transaction."""
    row = {
        "subject": subject, "subject_id": subject_id, "college_id": college_id, "old": old, "new": new,
        "detail": detail,
    }  # fmt: skip
    audit_many(actor, action, [row])


def audit_columns(actor: Actor, action: str) -> dict[str, Any]:
    """The columns that every audit row of an act has in common."""
    return {
        "user_id": actor.user_id,
        "identity_id": actor.identity_id,
        "user_name": actor.name,
        "roles": ",".join(sorted(actor.roles)),
        "request_id": g.get("request_id") if has_request_context() else None,
        "action": action,
    }


def audit_many(actor: Actor, action: str, rows: list[dict[str, Any]]) -> None:
    """Write one audit row for each of `rows` (columns of AuditEntry) with one statement."""
    if rows:
        common = audit_columns(actor, action)
        if actor.on_behalf_of:
            rows = [row | {"detail": (row.get("detail") or {}) | {"on_behalf_of": actor.on_behalf_of}} for row in rows]
        db.session.execute(insert(AuditEntry), [common | row for row in rows])


def say_why(reason: str) -> None:
    """Tell the history trigger why the running transaction changes students."""
    db.session.execute(text("select set_config('app.why', :why, true)"), {"why": reason[:200]})


def get(model: type[R], row_id: int, *, lock: bool = False) -> R:
    """The row with this id that the actor's scope reaches, locked if asked. Raises NotFound."""
    # only the row itself: PostgreSQL locks nothing on the outer side of a join that the model loads with it
    locking = {"of": model} if lock else None
    row = db.session.get(model, row_id, with_for_update=locking, populate_existing=lock)
    if row is None:
        raise NotFound(_("There is no such record, or it is not one of yours."))
    return row
