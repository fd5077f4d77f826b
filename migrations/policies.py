"""Row-level security as migrations write it: grants and one policy for each scope role of a table.

Migrations import this and no application code. A policy written for one role costs about nothing; one policy with OR
over the roles made counts up to 35 times slower.
"""

from alembic import op

SCOPES = ("school", "auditor", "freshmen", "transfers", "college", "teacher", "student", "department")
EVERYBODY = ("xueji_web", *(f"xueji_{scope}" for scope in SCOPES))


def own(name: str) -> str:
    """An id of whoever acts, as an InitPlan: evaluated once a statement. Empty (nobody acts) matches nothing."""
    return f"(select nullif(current_setting('app.{name}', true), '')::int)"


COLLEGE, STUDENT, DEPARTMENT, USER = own("college"), own("student"), own("department"), own("user")
OF_COLLEGE = f"(college_id = {COLLEGE} or student_college_id = {COLLEGE})"
OF_COLLEGE_OR_TARGET = f"(college_id = {COLLEGE} or student_college_id = {COLLEGE} or target_college_id = {COLLEGE})"
OF_STUDENT = f"student_id = {STUDENT}"
SENT_TO_DEPARTMENT = f"sent_to_department({{case}}, {DEPARTMENT})"


def public_table(
    table: str, *, writers: tuple[str, ...] = ("school",), commands: str = "insert, update, delete"
) -> None:
    """A table that holds nobody's rows: everyone reads, `writers` (scopes, or "everybody") write."""
    op.execute(f"grant select on {table} to {', '.join(EVERYBODY)}")
    roles = EVERYBODY if writers == ("everybody",) else tuple(f"xueji_{scope}" for scope in writers)
    if roles:
        op.execute(f"grant {commands} on {table} to {', '.join(roles)}")


def protect(table: str, **access: str | dict[str, str]) -> None:
    """Put a table under row security.

    Each keyword is a scope (or `web`, the login itself) with what it may do: a condition for reading alone, or a
    dict of command (`select`, `insert`, `update`, `delete`) to condition. A scope left out has no access at all.
    """
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    for scope, allowed in access.items():
        by_command = {"select": allowed} if isinstance(allowed, str) else allowed
        for command, condition in by_command.items():
            op.execute(f"grant {command} on {table} to xueji_{scope}")
            clause = {
                "select": f"using ({condition})",
                "delete": f"using ({condition})",
                "insert": f"with check ({condition})",
                "update": f"using ({condition}) with check ({condition})",
            }[command]
            op.execute(f"create policy {scope}_{command} on {table} for {command} to xueji_{scope} {clause}")


def each_user_his_own(table: str) -> None:
    """A table of personal rows: whoever acts reads and writes those with his own `user_id`."""
    mine = {command: f"user_id = {USER}" for command in ("select", "insert", "update", "delete")}
    protect(table, web=mine, **dict.fromkeys(SCOPES, mine))


def join_scope(scope: str, like: str, *, without: tuple[str, ...] = ()) -> None:
    """Give a scope role that came later whatever `like` has on every table but `without`, its policies too.

    A database migrated when the role did not exist yet is then like one made after it. Choose for `like` a scope that
    reaches nobody's rows; what the new one reaches is written by `protect` in the same migration.
    """
    left_out = "{" + ",".join(without) + "}"
    op.execute(f"""
        do $$
        declare stmt text;
        begin
            for stmt in
                select format('grant %s on %I to xueji_{scope}', privilege_type, table_name)
                from information_schema.role_table_grants
                where grantee = 'xueji_{like}' and table_schema = 'public' and table_name <> all('{left_out}'::text[])
                union all
                select format('grant %s (%I) on %I to xueji_{scope}', privilege_type, column_name, table_name)
                from information_schema.role_column_grants
                where grantee = 'xueji_{like}' and table_schema = 'public' and table_name <> all('{left_out}'::text[])
                union all
                select format('grant execute on function %s to xueji_{scope}', p.oid::regprocedure)
                from pg_proc p, aclexplode(p.proacl) a
                where a.grantee = 'xueji_{like}'::regrole and p.pronamespace = 'public'::regnamespace
                union all
                select format('create policy %I on %I for %s to xueji_{scope} %s %s',
                    '{scope}_' || lower(o.cmd), o.tablename, o.cmd, 'using (' || o.qual || ')',
                    'with check (' || o.with_check || ')')
                from pg_policies o
                where o.roles = '{{xueji_{like}}}' and o.tablename <> all('{left_out}'::text[]) and not exists (
                    select from pg_policies n
                    where n.roles = '{{xueji_{scope}}}' and n.tablename = o.tablename and n.cmd = o.cmd)
            loop
                execute stmt;
            end loop;
        end $$
    """)
    op.execute(f"grant usage on schema public to xueji_{scope}")
    op.execute(f"grant usage, select on all sequences in schema public to xueji_{scope}")
