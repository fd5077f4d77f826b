"""The database's own clock, moved together with Python's: in a database of a test, which is thrown away.

Every view, function and column default of ours that asks for `current_date` or `now()` is written again to ask a table
of one row. Not moved: SQL in Python that says now() (logins, tries of passwords, heartbeats of workers), which the year
does not go through, and what belongs to the queue of jobs.
"""

import re
from datetime import date, datetime

from sqlalchemy import Connection, text

SHIM = """
create schema year;
create table year.moment (at timestamptz not null);
insert into year.moment values (now());
create function year.now() returns timestamptz language sql stable security definer set search_path = year as
    'select at from year.moment';
create function year.today() returns date language sql stable as 'select cast(year.now() as date)';
create table year.working_day (day date primary key);
grant usage on schema year to public;
"""
ASKS = r"\m(current_date|current_timestamp|now\(\))"
VIEWS = """
select c.oid::regclass::text as name, pg_get_viewdef(c.oid) as body, array_to_string(c.reloptions, ', ') as options
from pg_class c where c.relkind = 'v' and c.relnamespace = 'public'::regnamespace and pg_get_viewdef(c.oid) ~* :asks
"""
FUNCTIONS = """
select p.oid::regprocedure::text as name, pg_get_functiondef(p.oid) as body from pg_proc p
where p.pronamespace = 'public'::regnamespace and p.prokind = 'f' and p.prosrc ~* :asks
    and p.proname not like 'procrastinate%'
"""
DEFAULTS = """
select c.oid::regclass::text as name, a.attname as body from pg_attrdef d join pg_class c on c.oid = d.adrelid
    join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
where c.relnamespace = 'public'::regnamespace and pg_get_expr(d.adbin, d.adrelid) ~* :asks
    and c.relname not like 'procrastinate%'
"""


def take_over(connection: Connection) -> set[str]:
    """Let the database ask the table what time it is; the names of what asked for it, which now asks there."""
    connection.exec_driver_sql(SHIM)
    found = {kind: [dict(row) for row in connection.execute(text(query), {"asks": ASKS}).mappings()]
             for kind, query in {"view": VIEWS, "function": FUNCTIONS, "default": DEFAULTS}.items()}  # fmt: skip
    for one in found["view"]:
        connection.exec_driver_sql(f"create or replace view {one['name']} with ({one['options']}) as {_moved(one)}",
                                   execution_options={"no_parameters": True})  # fmt: skip
    for one in found["function"]:
        connection.exec_driver_sql(_moved(one), execution_options={"no_parameters": True})
    for one in found["default"]:
        connection.exec_driver_sql(f"alter table {one['name']} alter column {one['body']} set default year.now()")
    return {one["name"] for kind in found.values() for one in kind}


def _moved(one: dict[str, str]) -> str:
    body = re.sub(r"\bcurrent_date\b", "year.today()", one["body"], flags=re.IGNORECASE)
    return re.sub(r"(?<![.\w])(now\(\)|current_timestamp)", "year.now()", body, flags=re.IGNORECASE)


def set_moment(connection: Connection, moment: datetime) -> None:
    connection.execute(text("update year.moment set at = :at"), {"at": moment})


def know_working_days(connection: Connection, days: list[dict[str, date]]) -> None:
    """The days on which offices work, for the checks, which do not ask the product."""
    connection.execute(text("insert into year.working_day values (:day)"), days)
