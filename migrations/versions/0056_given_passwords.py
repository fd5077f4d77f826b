"""Who gave an account its password; as whom each login acts; a used account keeps its user name."""

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0055"

# Whoever gives an account a password may log in with it, and so may be two people at once: for some time the two are one hand.
HANDS = """
create function password_hands(number int) returns setof int language sql stable security definer
    set search_path = public as $$
    with recursive hands (id) as (
        select number
        union
        select p.given_by from hands h join password_state p on p.user_id = h.id
        where p.given_by is not null and p.given_at > now() - make_interval(
            days => coalesce((select value::int from setting where key = 'password_giver_days'), 180))
    )
    select id from hands
$$;
revoke execute on function password_hands from public;
create or replace function decide_proposal(number int, accepted boolean, why text default null) returns text language plpgsql
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
    if accepted and exists (select password_hands(me) intersect select password_hands(asked.proposed_by)) then
        return 'given';
    end if;
    if accepted and asked.kind = 'password' then
        update ab_user set password = asked.secret where id = asked.user_id;
        insert into password_state (user_id, must_change, given_by, given_at)
            values (asked.user_id, true, asked.proposed_by, now())
            on conflict (user_id) do update set must_change = true, changed_at = now(), given_by = excluded.given_by,
                given_at = excluded.given_at;
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
        update password_state set must_change = true
            where user_id = asked.user_id and asked.proposed_by in (select password_hands(asked.user_id));
    end if;
    update account_proposal set state = case when accepted then 'confirmed' else 'declined' end, decided_by = me,
        decided_at = now(), secret = null, reason = why, identity_id = coalesce(held, identity_id) where id = number;
    return 'done';
end $$;
"""
NAMES = """
create function keep_used_name() returns trigger language plpgsql security definer set search_path = public as $$
begin
    if account_used(old.id) then
        raise foreign_key_violation using message = 'an account that was used keeps its user name';
    end if;
    return new;
end $$;
create trigger keep_used_name before update of username on ab_user for each row
    when (old.username is distinct from new.username) execute function keep_used_name();
revoke execute on function keep_used_name from public;
"""
# Of before, from the audit: who made an account or set its password last.
GIVEN = """
insert into password_state (user_id, must_change, given_by, given_at)
select distinct on (of) of, true, giver, at from (
    select subject_id as of, user_id as giver, at from audit_entry
    where subject = 'ab_user' and action in ('ab_user.add', 'password:reset')
    union all
    select user_id, proposed_by, decided_at from account_proposal where kind = 'password' and state = 'confirmed'
) given
where of in (select id from ab_user) and giver in (select id from ab_user) and at is not null
order by of, at desc
on conflict (user_id) do update set given_by = excluded.given_by, given_at = excluded.given_at
"""


def upgrade() -> None:
    op.add_column("password_state", sa.Column("given_by", sa.Integer()))
    op.add_column("password_state", sa.Column("given_at", sa.DateTime(timezone=True)))
    op.create_foreign_key(
        op.f("fk_password_state_given_by"), "password_state", "ab_user", ["given_by"], ["id"], ondelete="SET NULL"
    )
    op.execute(GIVEN)
    op.execute(HANDS)
    op.execute(NAMES)
    op.add_column("user_session", sa.Column("identity_id", sa.Integer()))
    op.create_foreign_key(
        op.f("fk_user_session_identity_id"), "user_session", "identity", ["identity_id"], ["id"], ondelete="SET NULL"
    )
    op.execute(
        "update user_session s set identity_id = (select id from identity i where i.user_id = s.user_id"
        " and i.ended_on is null order by i.last_used desc, i.id limit 1) where s.ended_at is null"
    )
