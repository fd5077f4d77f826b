"""A student's codes exist in their sets, whoever writes them; pasted lists are kept for their users."""

import sqlalchemy as sa
from alembic import op

from migrations.policies import each_user_his_own

revision = "0012"
down_revision = "0011"

# Column of student → its code set. No foreign key: each would need a column for its set and cost a look-up a row.
CODED = {
    "sex": "sex", "id_type": "id_type", "ethnic_group": "ethnic_group", "political_status": "political_status",
    "nationality": "nationality", "entry_kind": "entry_kind", "education_level": "education_level",
    "study_form": "study_form",
}  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "kept_list",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("listed", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_list")),
        sa.ForeignKeyConstraint(["user_id"], ["ab_user.id"], name=op.f("fk_kept_list_user_id"), ondelete="CASCADE"),
        sa.UniqueConstraint("user_id", "digest", name=op.f("uq_kept_list_user_id_digest")),
    )
    each_user_his_own("kept_list")
    _students_name_codes()
    _codes_of_students_stay()
    op.execute("revoke execute on function check_student_codes, keep_codes_of_students from public")


def _students_name_codes() -> None:
    """A statement-level check, once for each distinct value of all new rows. The codes found are locked against removal."""
    pairs = " union ".join(
        f"select '{key}' as set_key, {column} as code from new_rows" for column, key in CODED.items()
    )
    op.execute(
        f"""
        create function check_student_codes() returns trigger language plpgsql
            security definer set search_path = public as $$
        declare
            unknown text;
        begin
            with asked as ({pairs}), known as (
                select c.set_key, c.code from code c join asked using (set_key, code) for key share of c
            )
            select string_agg(format('%s %s', set_key, code), ', ') into unknown
            from (select * from asked where code is not null except select * from known) missing;
            if unknown is not null then
                raise foreign_key_violation using
                    message = 'student names codes that are not in their sets: ' || unknown,
                    table = 'student', constraint = 'student_codes_known';
            end if;
            return null;
        end $$
        """
    )
    for event in ("insert", "update"):
        op.execute(
            f"create trigger check_student_codes_{event} after {event} on student referencing new table as new_rows"
            " for each statement execute function check_student_codes()"
        )


def _codes_of_students_stay() -> None:
    cases = " ".join(
        f"when '{key}' then exists (select from student where {column} = old.code)" for column, key in CODED.items()
    )
    op.execute(
        f"""
        create function keep_codes_of_students() returns trigger language plpgsql
            security definer set search_path = public as $$
        begin
            if tg_op = 'UPDATE' and (new.set_key, new.code) = (old.set_key, old.code) then
                return new;
            end if;
            if (case old.set_key {cases} else false end) then
                raise foreign_key_violation using
                    message = 'students bear this code', table = 'code', constraint = 'student_codes_known';
            end if;
            return case when tg_op = 'DELETE' then old else new end;
        end $$
        """
    )
    op.execute(
        "create trigger keep_codes_of_students before delete or update on code"
        " for each row execute function keep_codes_of_students()"
    )
