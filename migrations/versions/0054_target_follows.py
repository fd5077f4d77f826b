"""What belongs to a case follows it to the college that it is about to reach: scans and course that were there before."""

from alembic import op

revision = "0054"
down_revision = "0053"

TABLES = ("case_material", "case_event")
FOLLOW = """
create or replace function parts_follow_target() returns trigger language plpgsql security definer set search_path = public as $$
begin
    update case_material set target_college_id = new.target_college_id
        where case_id = new.id and target_college_id is distinct from new.target_college_id;
    update case_event set target_college_id = new.target_college_id
        where case_id = new.id and target_college_id is distinct from new.target_college_id;
    return null;
end $$;
create trigger parts_follow_target after update of target_college_id on flow_case for each row
    when (new.target_college_id is distinct from old.target_college_id) execute function parts_follow_target();
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(FOLLOW, execution_options={"no_parameters": True})
    for table in TABLES:
        op.execute(
            f"update {table} t set target_college_id = c.target_college_id from flow_case c where c.id = t.case_id"
            " and t.target_college_id is distinct from c.target_college_id"
        )
