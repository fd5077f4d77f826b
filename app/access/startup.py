"""启动检查: refuse to serve a database that would not hold the row scope."""

from sqlalchemy import Connection, MetaData, text

# Tables that hold nobody's rows, or that the login must read before a scope exists. Every other one needs a policy.
PUBLIC = frozenset({
    "ab_api_key", "ab_group", "ab_group_role", "ab_permission", "ab_permission_view", "ab_permission_view_role",
    "ab_register_user", "ab_role", "ab_user_group", "ab_user_role", "ab_view_menu",
    "identity_role",
    "college", "major", "department", "code_set", "code", "setting", "term", "academic_year", "calendar_day",
    "task_rule", "paper_template", "paper_counter", "publicity",
})  # fmt: skip


def public_tables(metadata: MetaData) -> frozenset[str]:
    """The tables listed above, and those whose model says of itself `__table_args__ = {"info": {"public": True}}`."""
    return PUBLIC | {name for name, table in metadata.tables.items() if table.info.get("public")}


class UnsafeDatabase(Exception):
    """The application must not start: rows would lie open. The text says what to mend, in English and Chinese."""


def unprotected(connection: Connection, metadata: MetaData) -> list[str]:
    """The models' tables that are neither public nor under forced row security with at least one policy."""
    protected = set(connection.scalars(text(
        "select c.relname from pg_class c where c.relrowsecurity and c.relforcerowsecurity"
        " and c.relnamespace = 'public'::regnamespace and exists (select from pg_policy p where p.polrelid = c.oid)"
    )))  # fmt: skip
    tables = {name for name, table in metadata.tables.items() if not table.info.get("view")}
    return sorted(tables - public_tables(metadata) - protected)


def refuse_unsafe_database(connection: Connection, metadata: MetaData) -> None:
    """Raise UnsafeDatabase if a table that is not listed as public lies open to everybody."""
    tables = unprotected(connection, metadata)
    if tables:
        names = ", ".join(tables)
        raise UnsafeDatabase(
            f"No row security on {names}. Run the migrations (make deploy); a new table is put under protect() by the"
            " migration that makes it, or its model says that it is public (app/access/startup.py). "
            f"数据表 {names} 没有行级安全策略，请先执行 make deploy 完成数据库迁移。"
        )
