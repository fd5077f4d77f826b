"""No two accounts have one e-mail address, be it in other letters: whoever logs in may type it, and letters go to it."""

from alembic import op

revision = "0060"
down_revision = "0059"

# A trigger, not a unique index: doubles of before stay until one of them is changed.
ALONE = """
create function keep_address_alone() returns trigger language plpgsql security definer set search_path = public as $$
begin
    perform pg_advisory_xact_lock(hashtext('ab_user.email'), hashtext(lower(new.email)));
    if exists (select from ab_user where lower(email) = lower(new.email) and id <> new.id) then
        raise unique_violation using message = 'another account has this e-mail address';
    end if;
    return new;
end $$;
revoke execute on function keep_address_alone from public;
create trigger keep_address_alone_new before insert on ab_user for each row execute function keep_address_alone();
create trigger keep_address_alone before update of email on ab_user for each row
    when (old.email is distinct from new.email) execute function keep_address_alone();
"""


def upgrade() -> None:
    op.execute("create index ix_ab_user_email_folded on ab_user (lower(email))")
    op.execute(ALONE)
