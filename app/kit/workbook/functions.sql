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

-- What is compared where two texts are: as `folded` of app/models/text.py, to which a test holds it.
create or replace function folded(text) returns text language sql immutable strict parallel safe as $body$
select case when $1 ~ '^[0-9a-z\u3400-\u4dbf\u4e00-\u9fff]*$' then $1 else
    regexp_replace(
        replace(replace(replace(replace(
            translate(
                lower(regexp_replace(
                    translate(normalize($1, NFKD), '⺁⺂⺃⺄⺅⺆⺇⺈⺉⺊⺋⺌⺍⺎⺏⺐⺑⺒⺓⺔⺕⺖⺗⺘⺙⺛⺜⺝⺞⺟⺠⺡⺢⺣⺤⺥⺦⺧⺨⺩⺪⺫⺬⺭⺮⺯⺰⺱⺲⺳⺴⺵⺶⺷⺸⺹⺺⺻⺼⺽⺾⺿⻀⻁⻂⻃⻄⻅⻆⻇⻈⻉⻊⻋⻌⻍⻎⻏⻐⻑⻒⻓⻔⻕⻖⻗⻘⻙⻚⻛⻜⻝⻞⻟⻠⻡⻢⻣⻤⻥⻦⻧⻨⻩⻪⻫⻬⻭⻮⻯⻰⻱⻲⻳', '厂乛乚乙亻冂𠘨刀刂卜㔾小小兀尣尢𡯂巳幺彑彐忄心扌攵旡日月歺母民氵氺灬爫爫丬牛犭王𤴔目示礻𥫗糹纟罓罒㓁冗𦉫羊𦍌𦍋耂肀聿肉𦥑艹艹艹虎衤覀西见角𧢲讠贝𧾷车辶辶辶邑钅長镸长门𨸏阝雨青韦页风飞食𩙿飠饣𩠐马骨鬼鱼鸟卤麦黄黾斉齐歯齿竜龙龜亀龟'),
                    '[\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\u0001-\u0008\u000e-\u001b\u007f-\u0084\u0086-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e0fff\u0300-\u036f\u00b7\u0387\u119e\u16eb\u2022\u2027\u2219\u22c5\u25cf\u2e31\u2e33\u30fb\u318d\ua78f\uff65]+', '', 'g') collate "pg_c_utf8"),
                'øđłħŧıðςʻʼ‘’‛′‐‑‒–—―−[{【〔〖]}】〕〗', 'odlhtidσ''''''''''''-------((((()))))'),
            'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'),
        '(?<=[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])[\u002e\u2024\u3002\ufe52\uff0e\uff61](?=[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]|$)', '', 'g')
end $body$;

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
