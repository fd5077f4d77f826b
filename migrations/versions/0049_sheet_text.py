"""A text as the content of a cell, for sheets that the database renders."""

from alembic import op

revision = "0049"
down_revision = "0048"

# A copy of app/kit/workbook/functions.sql; a test holds them equal.
SHEET_TEXT = r"""
-- A text as the content of a sheet's cell: no longer than Excel takes (32,767 UTF-16 units), with everything escaped that
-- XML or Excel would read as something else, as FastWorksheet writes it; a test holds it to that.
create or replace function sheet_text(value text) returns text language plpgsql immutable strict parallel safe as $body$
declare
    made text := value;
    code int;
begin
    if length(made) > 16383 then
        made := (
            select string_agg(letter, '' order by place) from (
                select letter, place, sum(case when ascii(letter) > 65535 then 2 else 1 end) over (order by place) as units
                from string_to_table(value, null) with ordinality as letters(letter, place)
            ) measured where units <= 32767
        );
    end if;
    made := regexp_replace(made, '(_x[0-9A-Fa-f]{4}_)', '_x005F\1', 'g');
    made := replace(replace(replace(made, '&', '&amp;'), '<', '&lt;'), '>', '&gt;');
    if made ~ '[\x01-\x08\x0b-\x1f\ufffe\uffff]' then
        foreach code in array array[1,2,3,4,5,6,7,8,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,65534,65535] loop
            made := replace(made, chr(code), '_x' || lpad(upper(to_hex(code)), 4, '0') || '_');
        end loop;
    end if;
    return case when made ~ '^[\t\n \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]|[\t\n \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$'
        then '<t xml:space="preserve">' else '<t>' end || made || '</t>';
end
$body$;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(SHEET_TEXT, execution_options={"no_parameters": True})
