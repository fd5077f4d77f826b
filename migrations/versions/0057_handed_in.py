"""A case keeps what its form said of the student when it was handed in; for older ones as the ledger and her data tell."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0057"
down_revision = "0056"

# what a change that took effect found before it is in its entry of the ledger, or with the case itself
KNOWN = """
update flow_case f set handed_in = jsonb_build_object('before', '{}'::jsonb, 'named', '{}'::jsonb, 'student', k.words)
from (
    select o.id, jsonb_build_object(
        'college', coalesce(e.old_text ->> 'college', c.name), 'major', coalesce(e.old_text ->> 'major', m.name),
        'grade', coalesce(e.old_text ->> 'grade', s.grade::text) || '级',
        'class_group', case when e.old_text is null then g.name else e.old_text ->> 'class_group' end,
        'student_name', coalesce(o.was ->> 'name', s.name), 'student_no', s.student_no,
        'sex', coalesce(x.name_zh, s.sex), 'phone', s.phone, 'address', s.address) as words
    from flow_case o join student s on s.id = o.student_id
        join college c on c.id = s.college_id join major m on m.id = s.major_id
        left join class_group g on g.id = s.class_group_id
        left join roster_change e on e.case_id = o.id
        left join code x on x.set_key = 'sex' and x.code = coalesce(o.was ->> 'sex', s.sex)
    where o.submitted_at is not null
) k
where k.id = f.id
"""


def upgrade() -> None:
    op.add_column("flow_case", sa.Column("handed_in", JSONB()))
    op.get_bind().exec_driver_sql(KNOWN, execution_options={"no_parameters": True})
