"""签名 signatures: who acted is kept with the account; rows from before get the account that their user has."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

SIGNED = (
    ("audit_entry", "user_name", "user_id"),
    ("case_event", "actor_name", "actor_id"),
    ("dated_task", "done_name", "done_by"),
    ("dismissal_exemption", "exempted_by_name", "exempted_by"),
    ("field_change", "changed_by_name", "changed_by"),
    ("print_run", "user_name", "user_id"),
    ("task_event", "actor_name", "actor_id"),
)


def upgrade() -> None:
    for table, name, user in SIGNED:
        op.execute(
            f"update {table} t set {name} = left({name}, 77 - length(account)) || ' (' || account || ')'"
            " from (select id, left(username, 40) as account from ab_user) u"
            f" where u.id = t.{user} and t.{name} <> account"
        )
    # Of his account a person changes the address of his letters; everything else is its administrator's.
    scopes = sa.text(
        "select string_agg(distinct grantee, ', ') from information_schema.role_table_grants"
        " where table_name = 'ab_user' and privilege_type = 'UPDATE' and grantee like 'xueji\\_%'"
        " and grantee not in ('xueji_web', 'xueji_owner')"
    )
    granted = op.get_bind().scalar(scopes)
    op.execute(f"revoke update on ab_user from {granted}")
    op.execute(f"grant update (email) on ab_user to {granted}")
