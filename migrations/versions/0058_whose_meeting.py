"""A meeting has the office that recorded it, and the appeals committee's are a kind of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0057"

KINDS = "('college', 'school', 'committee', 'appeals')"


def upgrade() -> None:
    op.add_column("meeting", sa.Column("recorded_role", sa.String(64)))
    op.execute("""
        update meeting set recorded_role = coalesce(
            (select min(r.name) from identity i join identity_role h on h.identity_id = i.id join ab_role r on r.id = h.role_id
             where i.user_id = meeting.recorded_by and case
                 when meeting.kind = 'college' then r.name in ('college_clerk', 'college_leader')
                     and i.college_id = meeting.college_id
                 else r.name in ('affairs_director', 'registry', 'transfer_panel', 'vice_president') end),
            case kind when 'college' then 'college_clerk' when 'committee' then 'transfer_panel' else 'registry' end)
    """)
    # one that an office recorded and no list of transfers rests on was another committee's: that of the appeals
    op.drop_constraint("ck_meeting_kind_known", "meeting")
    op.execute("""
        update meeting set kind = 'appeals' where kind = 'committee' and recorded_role <> 'transfer_panel'
        and not exists (select from case_step s where s.meeting_id = meeting.id and s.role = 'transfer_panel')
    """)
    op.execute("update meeting set recorded_role = 'transfer_panel' where kind = 'committee'")
    op.create_check_constraint(op.f("ck_meeting_kind_known"), "meeting", f"kind in {KINDS}")
    op.alter_column("meeting", "recorded_role", nullable=False)
    op.execute(
        "create function meeting_is_named(of_meeting int) returns boolean"  # by a case of whomever
        " language sql stable security definer set search_path = public as $$"
        " select exists (select from case_step where meeting_id = of_meeting)"
        " or exists (select from transfer_choice where meeting_id = of_meeting) $$"
    )
    op.execute("revoke execute on function meeting_is_named from public")
    op.execute(
        "grant execute on function meeting_is_named to xueji_school, xueji_college, xueji_transfers, xueji_auditor"
    )
