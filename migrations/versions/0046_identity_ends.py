"""An identity ends on a day and stays as it was; roles that were mixed before are brought into line with what it reaches."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"

WHY = "身份与角色范围一致"  # in whose name the audit has what this changes
SCOPE_OF = """case
    when r.name in ('registry', 'affairs_director', 'vice_president', 'exam_center', 'operations') then 'school'
    when r.name in ('admissions', 'it_office') then 'freshmen'
    when r.name = 'transfer_panel' then 'transfers'
    when r.name in ('college_clerk', 'college_leader', 'section_head') then 'college'
    when r.name in ('teacher', 'department', 'auditor', 'student') then r.name
    else i.scope end"""
HOLDERS = f"""
create or replace view role_holder with (security_invoker) as
select i.id as identity_id, r.name as role, i.user_id, i.college_id, i.department_id
from identity i join ab_user u on u.id = i.user_id and u.active
    join identity_role t on t.identity_id = i.id join ab_role r on r.id = t.role_id
where i.student_id is null and i.ended_on is null and i.scope = {SCOPE_OF}
"""
MIXED = f"""
select i.id, i.user_id, i.scope, coalesce(u.username, '') as account,
    array_agg(r.name::text order by r.name) as held,
    coalesce(array_agg(r.name::text order by r.name) filter (where i.scope = {SCOPE_OF}), '{{}}') as kept
from identity i join ab_user u on u.id = i.user_id join identity_role t on t.identity_id = i.id join ab_role r on r.id = t.role_id
group by i.id, i.user_id, i.scope, u.username having not bool_and(i.scope = {SCOPE_OF}) order by i.id
"""


def upgrade() -> None:
    op.add_column("identity", sa.Column("ended_on", sa.Date()))
    op.get_bind().exec_driver_sql(HOLDERS, execution_options={"no_parameters": True})
    op.execute("drop trigger release_steps on identity")
    op.execute("create trigger release_steps after update of user_id, scope, college_id, department_id, ended_on or delete"
               " on identity for each statement execute function release_steps()")  # fmt: skip
    op.execute("drop trigger end_sessions_changed on identity")
    columns = ("user_id", "scope", "college_id", "student_id", "department_id", "ended_on")
    old, new = (", ".join(f"{row}.{column}" for column in columns) for row in ("old", "new"))
    op.execute(f"create trigger end_sessions_changed after update on identity for each row"
               f" when (({old}) is distinct from ({new})) execute function end_sessions_of_identity()")  # fmt: skip
    unmix()


def unmix() -> None:
    """A role counts where it reaches: those of other rows are taken from an identity; one that has none left has ended."""
    run = op.get_bind()
    rows = sa.table("audit_entry", *(sa.column(name) for name in ("action", "subject", "subject_id", "user_name")),
                    *(sa.column(name, sa.JSON) for name in ("old", "new")))  # fmt: skip
    for row in run.execute(sa.text(MIXED)).all():
        gone = sorted(set(row.held) - set(row.kept))
        run.execute(sa.text("delete from identity_role where identity_id = :id and role_id in"
                            " (select id from ab_role where name = any(:gone))"), {"id": row.id, "gone": gone})  # fmt: skip
        if not row.kept:
            run.execute(sa.text("update identity set ended_on = current_date where id = :id"), {"id": row.id})
        run.execute(sa.insert(rows).values(
            action="identity.edit", subject="identity", subject_id=row.id, user_name=WHY,
            old={"roles": row.held, "scope": row.scope}, new={"roles": row.kept, "scope": row.scope},
        ))  # fmt: skip
        left = f"it keeps {', '.join(row.kept)}" if row.kept else "it has ended, as it had no other"
        print(
            f"identity {row.id} of {row.account} ({row.scope}): {', '.join(gone)} taken away, which reach other rows; {left}"
        )
