"""Watches every commit of a session: whatever changes a case writes an audit row about that case in the same transaction."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, event
from sqlalchemy.orm import Session

from app.models import db

# Not changes of the case: what counts its versions or follows its student by a key, and the working day by which a step
# is due, which follows the calendar ("calendar:recompute" tells how many moved).
FOLLOWS = {"flow_case": ("version", "student_college_id"), "case_step": ("student_college_id", "due_on")}
# What a test writes behind the application's back, as the owner or as no scope, is no operation.
WATCH = """
create schema watching;
create unlogged table watching.changed (by int default pg_backend_pid(), case_id bigint, what text);
create unlogged table watching.audited (by int default pg_backend_pid(), case_id bigint);
create function watching.see() returns trigger language plpgsql as $$
declare
    is_now jsonb := to_jsonb(new) - tg_argv[1]::text[];
    was jsonb := case when tg_op = 'UPDATE' then to_jsonb(old) - tg_argv[1]::text[] else '{}' end;
begin
    if current_setting('role') not in ('none', 'xueji_owner') and was is distinct from is_now then
        insert into watching.changed (case_id, what) values ((is_now ->> tg_argv[0])::bigint, (
            select tg_table_name || '(' || string_agg(key, ', ' order by key) || ')' from jsonb_each(is_now) one
            where one.value is distinct from was -> one.key));
    end if;
    return null;
end $$;
create function watching.hear() returns trigger language plpgsql as $$
begin
    insert into watching.audited (case_id) values (new.subject_id);
    return null;
end $$;
create trigger hear after insert on audit_entry for each row when (new.subject = 'flow_case') execute function watching.hear();
"""
TRIGGER = """
create trigger see after insert or update on {table} for each row execute function watching.see('{id}', '{{{follows}}}')
"""
GRANTS = """
grant usage on schema watching to public;
grant select, insert, delete on all tables in schema watching to public;
"""
UNAUDITED = """
select distinct c.what, c.case_id from watching.changed c where c.by = pg_backend_pid() and not exists
    (select from watching.audited a where a.by = c.by and a.case_id = c.case_id) order by 1, 2
"""
FORGET = (
    "delete from watching.changed where by = pg_backend_pid(); delete from watching.audited where by = pg_backend_pid()"
)


class Unaudited(AssertionError):
    """A transaction changes cases of which the audit would know nothing."""


def watch_cases(connection: Connection) -> None:
    """Let the database note which cases a transaction changes and which it audits."""
    connection.exec_driver_sql(WATCH, execution_options={"no_parameters": True})
    for table, column in (("flow_case", "id"), ("case_step", "case_id")):
        connection.exec_driver_sql(TRIGGER.format(table=table, id=column, follows=",".join(FOLLOWS[table])))
    connection.exec_driver_sql(GRANTS)


@contextmanager
def every_commit_watched(connection: Connection) -> Iterator[None]:
    """Raise Unaudited in place of a commit on this connection that leaves a change of a case out of the audit."""

    def look(session: Session) -> None:
        if session.get_bind() is connection:  # another application's session may run in the same test
            _look(session)

    event.listen(db.session, "before_commit", look)
    try:
        yield
    finally:
        event.remove(db.session, "before_commit", look)


def _look(session: Session) -> None:
    if session.in_nested_transaction():
        return  # a savepoint: its audit may follow
    session.flush()
    transaction = session.get_transaction()
    if transaction is None or not transaction._connections:  # nothing was read or written
        return
    # on the driver's connection: the statements that tests count are the application's
    cursor = session.connection().connection.cursor()
    cursor.execute(UNAUDITED)
    found = cursor.fetchall()
    cursor.execute(FORGET)
    cursor.close()
    if found:
        raise Unaudited("no audit row says: " + "; ".join(f"{what} of case {case_id}" for what, case_id in found))
