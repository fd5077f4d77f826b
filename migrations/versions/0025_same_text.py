"""When two texts are the same: names are unique and searched by what they say, and stored texts are brought into line."""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

# As in app/models/text.py on the day of this migration; a test holds the function `folded` equal to its namesake there.
HAN = r"\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
SPACE = r"\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
INVISIBLE = (
    r"\u0001-\u0008\u000e-\u001b\u007f-\u0084\u0086-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    r"\U000e0000-\U000e0fff"
)
ACCENT = r"\u0300-\u036f"
MIDDLE_DOT = r"\u00b7\u0387\u119e\u16eb\u2022\u2027\u2219\u22c5\u25cf\u2e31\u2e33\u30fb\u318d\ua78f\uff65"
FULL_STOP = r"\u002e\u2024\u3002\ufe52\uff0e\uff61"
RADICALS = (
    "⺁⺂⺃⺄⺅⺆⺇⺈⺉⺊⺋⺌⺍⺎⺏⺐⺑⺒⺓⺔⺕⺖⺗⺘⺙⺛⺜⺝⺞⺟⺠⺡⺢⺣⺤⺥⺦⺧⺨⺩⺪⺫⺬⺭⺮⺯⺰⺱⺲⺳⺴⺵⺶⺷⺸⺹⺺⺻⺼⺽"
    "⺾⺿⻀⻁⻂⻃⻄⻅⻆⻇⻈⻉⻊⻋⻌⻍⻎⻏⻐⻑⻒⻓⻔⻕⻖⻗⻘⻙⻚⻛⻜⻝⻞⻟⻠⻡⻢⻣⻤⻥⻦⻧⻨⻩⻪⻫⻬⻭⻮⻯⻰⻱⻲⻳"
)
IDEOGRAPHS = (
    "厂乛乚乙亻冂𠘨刀刂卜㔾小小兀尣尢𡯂巳幺彑彐忄心扌攵旡日月歺母民氵氺灬爫爫丬牛犭王𤴔目示礻𥫗糹纟罓罒㓁冗𦉫羊𦍌𦍋耂肀聿肉𦥑"
    "艹艹艹虎衤覀西见角𧢲讠贝𧾷车辶辶辶邑钅長镸长门𨸏阝雨青韦页风飞食𩙿飠饣𩠐马骨鬼鱼鸟卤麦黄黾斉齐歯齿竜龙龜亀龟"
)
FOLDED_FROM = "øđłħŧıðςʻʼ‘’‛′‐‑‒–—―−[{【〔〖]}】〕〗"
FOLDED_TO = "odlhtidσ''''''-------((((()))))"
WIDE = r"\u3001-\u3011\u3014-\u301f\uff01-\uff5e"
LETTERS = (
    dict(zip(map(ord, RADICALS), IDEOGRAPHS, strict=True))
    | {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0x2F00, 0x2FD6)}
    | {code: chr(code - 0xFEE0) for code in range(0xFF10, 0xFF5B) if chr(code).isalnum()}
)

# What must be told apart: table, columns that hold it together, the text, a condition, and whether it is a short code.
UNIQUE = [
    ("college", "", "name", "", False),
    ("college", "", "code", "", True),
    ("major", "college_id, education_level", "name", "", False),
    ("major", "college_id", "code", "", True),
    ("class_group", "major_id, grade", "name", "", False),
    ("class_group", "major_id, grade", "code", "", True),
    ("department", "", "name_zh", "", False),
    ("code_set", "", "title_zh", "", False),
    ("code", "set_key", "name_zh", "valid_until is null", False),
    ("code", "set_key", "code", "", True),
    ("transfer_round", "", "title", "", False),
]
MEETING = ("meeting", "coalesce(college_id, 0), kind", "number", "", False)  # its index keeps its name
# Texts that people typed or sent: names, other lines, numbers. What was printed or signed stays as it was.
STORED = {
    "student": (
        "name former_name guardian_name source_province native_place graduated_school campus",
        "address dormitory email",
        "student_no examinee_no id_number phone guardian_phone postcode",
    ),
    "college": ("name name_en", "", "code"),
    "major": ("name name_en", "", "code national_code"),
    "class_group": ("name", "", "code"),
    "department": ("name_zh name_en", "", ""),
    "code_set": ("", "title_zh title_en version source", ""),
    "code": ("name_zh name_en", "", "code"),
    "transfer_round": ("", "title", ""),
    "calendar_day": ("name", "", ""),
    "meeting": ("", "", "number"),
    "flow_case": ("new_name", "", "new_id_number"),
    "ab_user": ("first_name last_name", "", ""),
}
PLAIN = "^[!-\\-/-~\\u3400-\\u4dbf\\u4e00-\\u9fff]*$"
WHY = "文字统一写法"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(f"""
        create function folded(text) returns text language sql immutable strict parallel safe as $body$
        select case when $1 ~ '^[0-9a-z\\u3400-\\u4dbf\\u4e00-\\u9fff]*$' then $1 else
            regexp_replace(
                replace(replace(replace(replace(
                    translate(
                        lower(regexp_replace(
                            translate(normalize($1, NFKD), '{RADICALS}', '{IDEOGRAPHS}'),
                            '[{SPACE}{INVISIBLE}{ACCENT}{MIDDLE_DOT}]+', '', 'g') collate "pg_c_utf8"),
                        '{FOLDED_FROM}', '{FOLDED_TO.replace("'", "''")}'),
                    'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'),
                '(?<=[{HAN}])[{FULL_STOP}](?=[{HAN}]|$)', '', 'g')
        end $body$
    """)
    _mark_what_is_there_twice()
    _bring_into_line()
    _keep_apart()
    op.add_column("student", sa.Column("name_key", sa.String(120), sa.Computed("folded(name)", persisted=True)))
    op.drop_index("ix_student_name", "student")
    op.drop_index("ix_student_college_name", "student")
    op.create_index("ix_student_name_key", "student", ["name_key"])
    op.create_index("ix_student_college_name_key", "student", ["college_id", "name_key"])


def _line(text: str) -> str:
    text = re.sub(rf"[{SPACE}]+", " ", re.sub(rf"[{INVISIBLE}]+", "", text)).strip(" ")
    return unicodedata.normalize("NFC", text).translate(LETTERS)


def _name(text: str) -> str:
    text = re.sub(rf"(?<=[{HAN}{WIDE}]) (?=[{HAN}{WIDE}])", "", _line(text))
    dot = rf" ?[{MIDDLE_DOT}]+ ?|(?<=[{HAN}]) ?[{FULL_STOP}] ?(?=[{HAN}])"
    return re.sub(dot, "·", text).replace("．", ".")


def _number(text: str) -> str:
    text = re.sub(rf"[{SPACE}{INVISIBLE}]+", "", unicodedata.normalize("NFKC", text)).strip("'\"`´‘’“”′")
    text = text.translate(str.maketrans(dict.fromkeys("‐‑‒–—―−", "-")))
    whole = re.fullmatch(r"(\d+)\.0+", text, re.ASCII)
    return whole[1] if whole else text


def _bring_into_line() -> None:
    """Old values stay in the students' histories and in the audit; a value that would meet another one stays as it is."""
    run = op.get_bind()
    run.execute(sa.text("select set_config('app.why', :why, true)"), {"why": WHY})
    for table, kinds in STORED.items():
        of_table: list[tuple[str, int, int]] = []
        key = {"code_set": "key"}.get(table, "id")
        for columns, clean in zip(kinds, (_name, _line, _number), strict=True):
            for column in columns.split():
                odd = sa.text(f"select {key}, {column} from {table} where {column} !~ :plain")
                pairs = [(row, old, clean(old)) for row, old in run.execute(odd, {"plain": PLAIN})]
                pairs = [pair for pair in pairs if pair[1] != pair[2]]
                kept = [pair for pair in pairs if not _changed(table, key, column, *pair)]
                if pairs:
                    of_table.append((column, len(pairs) - len(kept), len(kept)))
        for column, changed, kept in of_table:
            print(f"{table}.{column}: {changed} texts brought into line, {kept} left as they are")
    run.execute(sa.text("select set_config('app.why', '', true)"))


def _changed(table: str, key: str, column: str, row: object, old: str, new: str) -> bool:
    """Write one text, with its old value; False where another row has the new one already, or nothing would be left."""
    run = op.get_bind()
    if not new:
        return False
    try:
        with run.begin_nested():
            run.execute(sa.text(f"update {table} set {column} = :new where {key} = :row"), {"new": new, "row": row})
    except sa.exc.DBAPIError:
        return False
    if table != "student":  # students have a history of their own
        _audit(table, row, {column: old}, {column: new})
    return True


def _mark_what_is_there_twice() -> None:
    """Of names that say the same all but the first are marked, so that somebody sees to them; codes he has to change first."""
    run = op.get_bind()
    for table, group, column, condition, is_code in [*UNIQUE, MEETING]:
        key = "key" if table == "code_set" else "id"
        together = ", ".join(filter(None, [group, f"folded({column})"]))
        found = sa.text(
            f"select key, name from (select {key} as key, {column} as name, row_number() over"
            f" (partition by {together} order by {column} !~ :plain, {key}) as n"
            f" from {table} where {condition or 'true'}) t where n > 1"
        )
        twice = [(row, name) for row, name in run.execute(found, {"plain": PLAIN})]
        if twice and is_code:
            raise RuntimeError(
                f"Codes in {table} that are the same but for width, case or spaces, with their ids: {twice}."
                " Give each its own code, and migrate again."
            )
        for row, name in twice:
            marked = f"{_name(name)[: 24 if table == 'meeting' else 60]}（重复{row}）"
            run.execute(sa.text(f"update {table} set {column} = :new where {key} = :row"), {"new": marked, "row": row})
            _audit(table, row, {column: name}, {column: marked})
            print(f"{table}.{column}: “{name}” was there twice; one is called “{marked}” now")


def _keep_apart() -> None:
    for table, group, column, condition, _is_code in UNIQUE:
        together = ", ".join(filter(None, [group, f"folded({column})"]))
        only = f" where {condition}" if condition else ""
        op.execute(f"create unique index uq_{table}_{column}_folded on {table} ({together}){only}")
    op.drop_index("uq_meeting_number", "meeting")
    op.execute("create unique index uq_meeting_number on meeting (coalesce(college_id, 0), kind, folded(number))")


def _audit(table: str, row: object, old: dict, new: dict) -> None:
    number, named = (row, None) if isinstance(row, int) else (None, {"key": [row]})
    rows = sa.table("audit_entry", *(sa.column(name) for name in ("action", "subject", "subject_id", "user_name")),
                    *(sa.column(name, sa.JSON) for name in ("old", "new", "detail")))  # fmt: skip
    op.get_bind().execute(sa.insert(rows).values(
        action=f"{table}.edit", subject=table, subject_id=number, user_name=WHY, old=old, new=new, detail=named,
    ))  # fmt: skip
