-- What the workbook kit needs in the database. A migration runs a copy of this; it may run again.
-- The functions are not strict, so that PostgreSQL can write them into the query that calls them.

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

-- Imports are read into temporary tables: they have no row security (COPY FROM is refused under it), belong to nobody
-- else, and are gone with the transaction, with the personal data in them, even when the worker is killed.
do $$
declare
    importer text;
begin
    foreach importer in array array['xueji_web', 'xueji_school', 'xueji_college', 'xueji_teacher', 'xueji_student', 'xueji_department'] loop
        if exists (select from pg_roles where rolname = importer) then
            execute format('grant temporary on database %I to %I', current_database(), importer);
        end if;
    end loop;
end $$;
