"""Admissions import: the check of ID numbers, and what may be asked about students outside the importer's rows."""

from alembic import op

revision = "0004"
down_revision = "0003"

# The first two are a copy of app/kit/workbook/functions.sql.
FUNCTIONS = r"""
-- The check character that GB 11643 gives to the first 17 digits of an ID number.
create or replace function id_number_check(digits text) returns text
language sql immutable strict parallel safe
return substr('10X98765432', 1 + (
    7 * substr(digits, 1, 1)::int + 9 * substr(digits, 2, 1)::int + 10 * substr(digits, 3, 1)::int
  + 5 * substr(digits, 4, 1)::int + 8 * substr(digits, 5, 1)::int + 4 * substr(digits, 6, 1)::int
  + 2 * substr(digits, 7, 1)::int + 1 * substr(digits, 8, 1)::int + 6 * substr(digits, 9, 1)::int
  + 3 * substr(digits, 10, 1)::int + 7 * substr(digits, 11, 1)::int + 9 * substr(digits, 12, 1)::int
  + 10 * substr(digits, 13, 1)::int + 5 * substr(digits, 14, 1)::int + 8 * substr(digits, 15, 1)::int
  + 4 * substr(digits, 16, 1)::int + 2 * substr(digits, 17, 1)::int
) % 11, 1);

-- An ID number of 18 characters whose birth date exists and whose check character fits.
create or replace function id_number_ok(number text) returns boolean
language sql immutable strict parallel safe
return case
    when number !~ '^[1-9]\d{5}(19|20)\d{2}((0[13578]|1[02])(0[1-9]|[12]\d|3[01])|(0[469]|11)(0[1-9]|[12]\d|30)|02(0[1-9]|[12]\d))\d{3}[\dX]$'
        then false
    when substr(number, 11, 4) = '0229'
        and (substr(number, 7, 4)::int % 4 <> 0 or substr(number, 7, 4) = '1900')
        then false
    else id_number_check(number) = substr(number, 18, 1)
end;
"""

# The admissions office does not see who is registered. These say yes or no about one number that it has already, so
# that a clash is a sentence about a cell and not an error of the database.
QUESTIONS = """
create function examinee_past_admission(number text, year int) returns boolean
language sql stable strict security definer set search_path = public
return exists (
    select from student
    where examinee_no = number and (registered or status <> 'admitted' or entry_year <> year)
);

create function person_known_by_another(number text, examinee text) returns boolean
language sql stable security definer set search_path = public
return exists (
    select from student
    where id_number = number and examinee_no is distinct from examinee
        and (on_roll or status in ('admitted', 'deferred'))
);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(FUNCTIONS, execution_options={"no_parameters": True})
    op.get_bind().exec_driver_sql(QUESTIONS, execution_options={"no_parameters": True})
    for question in ("examinee_past_admission(text, int)", "person_known_by_another(text, text)"):
        op.execute(f"revoke execute on function {question} from public")
        op.execute(f"grant execute on function {question} to xueji_freshmen")
    op.create_index("ix_student_id_number", "student", ["id_number"])
