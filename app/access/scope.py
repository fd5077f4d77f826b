"""数据范围 row scope: every transaction takes a database role and settings from whoever acts, and the policies decide."""

import contextlib
import contextvars
from collections.abc import Iterator
from dataclasses import dataclass

from flask import g, has_request_context
from sqlalchemy import Connection, event, text
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction

from app.models.base import db

# One PostgreSQL role per kind of scope, each with policies of its own. `none` stays the login role, which has none.
DATABASE_ROLES = {
    "none": "none",
    "school": "xueji_school",
    "auditor": "xueji_auditor",
    "freshmen": "xueji_freshmen",
    "transfers": "xueji_transfers",
    "college": "xueji_college",
    "teacher": "xueji_teacher",
    "student": "xueji_student",
    "department": "xueji_department",
}
NOBODY = -1  # matches no row


@dataclass(frozen=True)
class Scope:
    """Which rows a transaction reaches. `kind` is a key of DATABASE_ROLES; the ids fill the policies' settings."""

    kind: str = "none"
    user_id: int = NOBODY
    user_name: str = ""
    college_id: int = NOBODY
    student_id: int = NOBODY
    department_id: int = NOBODY


NO_SCOPE = Scope()
_background: contextvars.ContextVar[Scope] = contextvars.ContextVar("xueji_scope", default=NO_SCOPE)


class ScopeChanged(RuntimeError):
    """The scope changed inside an open transaction: rows of two scopes would mix in one session."""


def current_scope() -> Scope:
    """The scope of the request, or of the job or command outside one."""
    return g.get("xueji_scope", NO_SCOPE) if has_request_context() else _background.get()


@contextlib.contextmanager
def scope_as(scope: Scope) -> Iterator[None]:
    """Act under `scope` outside a request, in transactions and with an identity map of its own."""
    db.session.remove()
    token = _background.set(scope)
    try:
        yield
    finally:
        db.session.remove()
        _background.reset(token)


def enter_request_scope(scope: Scope) -> None:
    """Set the request's scope once its user is known. What an earlier scope loaded is forgotten."""
    if g.get("xueji_scope", NO_SCOPE) == scope:
        return
    g.xueji_scope = scope
    session = db.session()
    if session.new or session.dirty or session.deleted:
        raise ScopeChanged("unsaved changes of another scope are pending")
    for row in list(session.identity_map.values()):
        if not row.__tablename__.startswith("ab_"):  # accounts are not under row security
            session.expunge(row)
    if session.in_transaction():
        apply_scope(session.connection(), scope)


@contextlib.contextmanager
def as_login() -> Iterator[Connection]:
    """Within the running transaction, the login role: for what no scope may read or write, such as passwords.

    It yields the connection, not the session, so that no object of another scope comes to lie among the rows.
    """
    session, scope = db.session(), current_scope()
    connection = session.connection()
    apply_scope(connection, Scope(user_id=scope.user_id, user_name=scope.user_name))
    try:
        yield connection
    except BaseException:
        session.rollback()  # and with it the role
        raise
    apply_scope(connection, scope)


_SET = text(
    "select set_config('role', :role, true), set_config('app.user', :user, true),"
    " set_config('app.user_name', :name, true), set_config('app.college', :college, true),"
    " set_config('app.student', :student, true), set_config('app.department', :department, true)"
)


def apply_scope(connection: Connection, scope: Scope) -> None:
    """Give the open transaction the scope's database role and settings; both end with the transaction."""
    connection.info["xueji_scope"] = scope
    values = {
        "role": DATABASE_ROLES[scope.kind],
        "user": str(scope.user_id),
        "name": scope.user_name,
        "college": str(scope.college_id),
        "student": str(scope.student_id),
        "department": str(scope.department_id),
    }
    connection.execute(_SET, values)


def _begin(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    if not transaction.nested:
        apply_scope(connection, current_scope())


def _guard(state: ORMExecuteState) -> None:
    connection = state.session.connection(bind_arguments=dict(state.bind_arguments))
    if connection.info.get("xueji_scope") != current_scope():
        raise ScopeChanged("the scope changed inside an open transaction")


def install() -> None:
    """Scope every session of the process; done once, at import of the application."""
    if not event.contains(db.session, "after_begin", _begin):
        event.listen(db.session, "after_begin", _begin)
        event.listen(db.session, "do_orm_execute", _guard)
