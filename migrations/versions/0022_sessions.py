"""登录会话 sessions: a row for each login, ended by the database itself; hashes of passwords for the login alone."""

import sqlalchemy as sa
from alembic import op

from migrations.policies import SCOPES, USER, protect

revision = "0022"
down_revision = "0021"

# Every way in which an account becomes another's, or somebody else, ends its sessions: no writer can forget it.
TRIGGERS = """
create function end_sessions(whose int[]) returns void language sql security definer set search_path = public as $$
    update user_session set ended_at = now() where user_id = any(whose) and ended_at is null
$$;
create function end_sessions_of_account() returns trigger language plpgsql as $$
begin
    perform end_sessions(array[new.id]);
    return null;
end $$;
create trigger end_sessions after update of password, active on ab_user for each row
    when (old.password is distinct from new.password or (old.active and new.active is not true))
    execute function end_sessions_of_account();
create function end_sessions_of_identity() returns trigger language plpgsql as $$
begin
    perform end_sessions(case when tg_op = 'UPDATE' then array[old.user_id, new.user_id] else array[old.user_id] end);
    return null;
end $$;
create trigger end_sessions after delete on identity for each row execute function end_sessions_of_identity();
create trigger end_sessions_changed after update on identity for each row
    when ((old.user_id, old.scope, old.college_id, old.student_id, old.department_id)
        is distinct from (new.user_id, new.scope, new.college_id, new.student_id, new.department_id))
    execute function end_sessions_of_identity();
create function end_sessions_of_roles() returns trigger language plpgsql as $$
begin
    perform end_sessions(array(select i.user_id from changed c join identity i on i.id = c.identity_id));
    return null;
end $$;
create trigger end_sessions_given after insert on identity_role referencing new table as changed
    for each statement execute function end_sessions_of_roles();
create trigger end_sessions_taken after delete on identity_role referencing old table as changed
    for each statement execute function end_sessions_of_roles();
revoke execute on function end_sessions from public;
"""
FUNCTIONS = ("end_sessions_of_account()", "end_sessions_of_identity()", "end_sessions_of_roles()")


def upgrade() -> None:
    op.create_table(
        "user_session",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(7), nullable=False),
        *(
            sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)
            for name in ("begun_at", "seen_at", "confirmed_at")
        ),
        sa.Column("place", sa.String(45), nullable=False),
        sa.Column("agent", sa.String(200), server_default="", nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("kind in ('browser', 'api')", name=op.f("ck_user_session_kind_known")),
        sa.ForeignKeyConstraint(["user_id"], ["ab_user.id"], name="fk_user_session_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_user_session"),
    )
    op.create_index(
        "ix_user_session_running", "user_session", ["user_id"], postgresql_where=sa.text("ended_at is null")
    )
    op.create_index("ix_user_session_place", "user_session", ["user_id", "place"])
    everything = dict.fromkeys(("select", "insert", "update", "delete"), "true")
    protect("user_session", web=everything, **dict.fromkeys(SCOPES, f"user_id = {USER}"))
    op.execute("grant usage, select on all sequences in schema public to xueji_web")
    op.execute(TRIGGERS)
    for name in FUNCTIONS:
        op.execute(f"alter function {name} security definer set search_path = public")
    hide_hashes()


def hide_hashes() -> None:
    """What only the login needs is granted to the login role alone, column by column."""
    scopes = ", ".join(f"xueji_{scope}" for scope in SCOPES)
    columns = op.get_bind().scalar(sa.text(
        "select string_agg(attname, ', ') from pg_attribute where attrelid = 'ab_user'::regclass"
        " and attnum > 0 and not attisdropped and attname <> 'password'"
    ))  # fmt: skip
    op.execute(f"revoke select on ab_user from {scopes}")
    op.execute(f"grant select ({columns}) on ab_user to {scopes}")
    op.execute(f"revoke all on ab_api_key, ab_register_user from {scopes}")
