"""离校: an absence ends when its student leaves the school, by a leave or for good; it does not run on when she is back."""

from alembic import op

revision = "0034"
down_revision = "0033"

# The entry of the ledger that took her out of school says from which day; where it is not written yet, it is today.
ENDED = "greatest(a.since, coalesce((select max(r.effective_on) from roster_change r where r.student_id = a.student_id" \
        " and r.new_status <> 'enrolled'), current_date))"  # fmt: skip
END = f"""
create function end_absences() returns trigger language plpgsql security definer set search_path = public as $$
begin
    update absence a set ended_on = {ENDED} where a.student_id = new.id and a.ended_on is null;
    return null;
end $$
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(END, execution_options={"no_parameters": True})
    op.execute("revoke execute on function end_absences from public")
    op.execute("create trigger end_absences after update of status on student for each row"
               " when (old.status = 'enrolled' and new.status <> 'enrolled') execute function end_absences()")  # fmt: skip
    # those that were left behind before
    op.execute(f"update absence a set ended_on = {ENDED} from student s where s.id = a.student_id"
               " and s.status <> 'enrolled' and a.ended_on is null")  # fmt: skip
