-- What the workbook kit needs in the database. A migration runs a copy of this; it may run again.
-- The functions are not strict, so that PostgreSQL can write them into the query that calls them.

-- The check character that GB 11643 gives to the first 17 digits of an ID number.
create or replace function id_number_check(digits text) returns text
language sql immutable parallel safe
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
language sql immutable parallel safe
return case
    when number !~ '^[1-9]\d{5}(19|20)\d{2}((0[13578]|1[02])(0[1-9]|[12]\d|3[01])|(0[469]|11)(0[1-9]|[12]\d|30)|02(0[1-9]|[12]\d))\d{3}[\dX]$'
        then false
    when substr(number, 11, 4) = '0229'
        and (substr(number, 7, 4)::int % 4 <> 0 or substr(number, 7, 4) = '1900')
        then false
    else id_number_check(number) = substr(number, 18, 1)
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
