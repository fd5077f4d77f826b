"""Whether a row of an admissions file is about a student of its year who is past admission already."""

from alembic import op

revision = "0063"
down_revision = "0062"


def upgrade() -> None:
    op.execute("""
        create function is_past_admission(number text, called text, card text, year int) returns boolean
        language sql stable security definer set search_path = public
        return exists (
            select from student
            where examinee_no = number and entry_year = year and (registered or status <> 'admitted')
                and (id_number = card or folded(name) = folded(called))
        )
    """)
    op.execute("revoke execute on function is_past_admission(text, text, text, int) from public")
    op.execute("grant execute on function is_past_admission(text, text, text, int) to xueji_freshmen")
