"""An account that was used stays: what was done by it names it, and nobody else may come to bear its name."""

from alembic import op

revision = "0042"
down_revision = "0041"

# Used is what has logged in, acts in the audit, or is or was somebody by an identity; made and corrected alone it is not.
USED = """
create function account_used(number int) returns boolean language sql stable security definer set search_path = public as $$
    select exists (select from ab_user where id = number and last_login is not null)
        or exists (select from user_session where user_id = number)
        or exists (select from identity where user_id = number)
        or exists (select from account_proposal where number in (user_id, proposed_by, decided_by))
        or exists (select from audit_entry where user_id = number)
        or exists (select from audit_entry where subject = 'ab_user' and subject_id = number
            and action not in ('ab_user.add', 'ab_user.edit', 'password:reset'))
$$;
create function keep_used_account() returns trigger language plpgsql security definer set search_path = public as $$
begin
    if account_used(old.id) then
        raise foreign_key_violation using message = 'an account that was used is never deleted';
    end if;
    return old;
end $$;
create trigger keep_used_account before delete on ab_user for each row execute function keep_used_account();
"""
# Of accounts that were deleted before: the name by which one of them acted is nobody else's.
TAKEN = """
create function account_name_taken(name text) returns boolean language sql stable security definer
    set search_path = public as $$
    select exists (
        select from audit_entry d where d.subject = 'ab_user' and d.action = 'ab_user.delete'
            and lower(d.old ->> 'username') = lower(name)
            and exists (select from audit_entry a where a.user_id = d.subject_id))
$$;
"""


def upgrade() -> None:
    for statement in (USED, TAKEN):
        op.get_bind().exec_driver_sql(statement, execution_options={"no_parameters": True})
    for function in ("account_used", "account_name_taken"):
        op.execute(f"revoke execute on function {function} from public")
        op.execute(f"grant execute on function {function} to xueji_web")
    op.execute("revoke execute on function keep_used_account from public")
