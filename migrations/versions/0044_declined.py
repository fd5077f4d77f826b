"""Whoever declines a proposal says why, and its proposer reads it."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"

DECIDE = """
create function decide_proposal(number int, accepted boolean, why text default null) returns text language plpgsql
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
        decided_at = now(), secret = null, reason = why, identity_id = coalesce(held, identity_id) where id = number;
    return 'done';
end $$;
revoke execute on function decide_proposal from public;
grant execute on function decide_proposal to xueji_web, xueji_school;
"""


def upgrade() -> None:
    op.add_column("account_proposal", sa.Column("reason", sa.String(300)))
    op.execute("grant select (reason) on account_proposal to xueji_school, xueji_auditor")
    op.execute("drop function decide_proposal(int, boolean)")
    op.execute(DECIDE)
