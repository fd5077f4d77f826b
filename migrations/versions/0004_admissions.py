"""Admissions import: the check of ID numbers, and what may be asked about students outside the importer's rows."""

from alembic import op

revision = "0004"
down_revision = "0003"

# The first two are a copy of app/kit/workbook/functions.sql.
FUNCTIONS = r"""
-- The check character that GB 11643 gives to the first 17 digits of an ID number, here as bytes: of all ways to take
-- the digits apart the fastest. 4800 is what the code of '0' adds 100 times, the sum of the weights.
create or replace function id_number_check(digits bytea) returns text
language sql immutable parallel safe
return substr('10X98765432', 1 + (
    7 * get_byte(digits, 0) + 9 * get_byte(digits, 1) + 10 * get_byte(digits, 2) + 5 * get_byte(digits, 3)
  + 8 * get_byte(digits, 4) + 4 * get_byte(digits, 5) + 2 * get_byte(digits, 6) + 1 * get_byte(digits, 7)
  + 6 * get_byte(digits, 8) + 3 * get_byte(digits, 9) + 7 * get_byte(digits, 10) + 9 * get_byte(digits, 11)
  + 10 * get_byte(digits, 12) + 5 * get_byte(digits, 13) + 8 * get_byte(digits, 14) + 4 * get_byte(digits, 15) + 2 * get_byte(digits, 16)
  - 4800
) % 11, 1);

-- An ID number of 18 characters whose birth date exists and whose check character fits.
create or replace function id_number_ok(number text) returns boolean
language sql stable parallel safe
return case
    when number is null then null
    when char_length(number) <> 18 or ltrim(number, '0123456789') not in ('', 'X') or number like '0%' then false
    when substr(number, 7, 2) not in ('19', '20') or not pg_input_is_valid(substr(number, 7, 8), 'date') then false
    else id_number_check(number::bytea) = substr(number, 18, 1)
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
