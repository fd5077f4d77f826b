"""第二人确认 the second hand: identities and passwords that an administrator proposes and another person confirms."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.policies import protect

revision = "0030"
down_revision = "0029"

# The database itself wants two people: whoever proposed it, or is to get it, cannot confirm.
DECIDE = """
create function decide_proposal(number int, accepted boolean) returns text language plpgsql
    security definer set search_path = public as $$
declare
    asked account_proposal;
    me int := nullif(current_setting('app.user', true), '')::int;
    held int;
begin
    select * into asked from account_proposal where id = number and state = 'pending' for update;
    if not found then
        return 'gone';
    end if;
    if accepted and (me is null or me < 1 or me in (asked.proposed_by, asked.user_id)) then
        return 'own';
    end if;
    if accepted and asked.kind = 'password' then
        update ab_user set password = asked.secret where id = asked.user_id;
        insert into password_state (user_id, must_change) values (asked.user_id, true)
            on conflict (user_id) do update set must_change = true, changed_at = now();
    elsif accepted then
        held := asked.identity_id;
        if held is null then
            insert into identity (user_id, scope, college_id, department_id, title)
            values (asked.user_id, asked.scope, asked.college_id, asked.department_id, asked.title) returning id into held;
        else
            update identity set user_id = asked.user_id, scope = asked.scope, college_id = asked.college_id,
                department_id = asked.department_id, title = asked.title, student_id = null where id = held;
            delete from identity_role where identity_id = held;
        end if;
        insert into identity_role (identity_id, role_id) select held, id from ab_role where name = any(asked.roles);
    end if;
    update account_proposal set state = case when accepted then 'confirmed' else 'declined' end, decided_by = me,
        decided_at = now(), secret = null, identity_id = coalesce(held, identity_id) where id = number;
    return 'done';
end $$;
revoke execute on function decide_proposal from public;
grant execute on function decide_proposal to xueji_web, xueji_school;
"""


def upgrade() -> None:
    op.create_table(
        "account_proposal",
        sa.Column("id", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("identity_id", sa.Integer()),
        sa.Column("scope", sa.String(12)),
        sa.Column("college_id", sa.Integer()),
        sa.Column("department_id", sa.Integer()),
        sa.Column("title", sa.String(80)),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("secret", sa.String(256)),
        sa.Column("proposed_by", sa.Integer(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("state", sa.String(9), server_default="pending", nullable=False),
        sa.Column("decided_by", sa.Integer()),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("kind in ('identity', 'password')", name=op.f("ck_account_proposal_kind_known")),
        sa.CheckConstraint(
            "state in ('pending', 'confirmed', 'declined')", name=op.f("ck_account_proposal_state_known")
        ),
        *(
            sa.ForeignKeyConstraint([column], [of], name=op.f(f"fk_account_proposal_{column}"), ondelete=then)
            for column, of, then in (
                ("user_id", "ab_user.id", "CASCADE"),
                ("identity_id", "identity.id", "CASCADE"),
                ("college_id", "college.id", None),
                ("department_id", "department.id", None),
                ("proposed_by", "ab_user.id", "CASCADE"),
                ("decided_by", "ab_user.id", "SET NULL"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_proposal")),
    )
    op.create_index(
        "ix_account_proposal_pending", "account_proposal", ["id"], postgresql_where=sa.text("state = 'pending'")
    )
    protect("account_proposal", web={"select": "true", "insert": "true"}, school="true", auditor="true")
    columns = op.get_bind().scalar(sa.text(
        "select string_agg(attname, ', ') from pg_attribute where attrelid = 'account_proposal'::regclass"
        " and attnum > 0 and not attisdropped and attname <> 'secret'"
    ))  # fmt: skip
    op.execute("revoke select on account_proposal from xueji_school, xueji_auditor")
    op.execute(f"grant select ({columns}) on account_proposal to xueji_school, xueji_auditor")
    op.execute("grant usage, select on all sequences in schema public to xueji_web")
    op.execute(DECIDE)
