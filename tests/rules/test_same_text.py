"""The database says as the application does when two texts are the same."""

import random
import unicodedata

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.models import Model, db
from app.models.text import folded

ALPHABET = "张三马⻢⼩红·•.．・ \u3000\u200b\xa0aAéÉøßİΣς（([【—-'’１1汉\U00020bb7\uf92c\ue863。가か\u3099"


def texts() -> list[str]:
    """Every character that this Python knows between two others, and words at random."""
    known = (chr(code) for code in range(1, 0x110000) if not 0xD800 <= code < 0xE000)
    single = [f"张{one}a" for one in known if unicodedata.category(one) not in ("Cn", "Co")]
    chance = random.Random(1)  # noqa: S311 - words for a test
    return single + ["".join(chance.choices(ALPHABET, k=chance.randint(0, 9))) for _ in range(20_000)]


def test_sql_folds_as_python_does(app):
    asked = texts()
    query = text("select folded(t) from unnest(cast(:asked as text[])) with ordinality u(t, n) order by n")
    said = db.session.scalars(query, {"asked": asked}).all()
    assert [(a, s) for a, s in zip(asked, said, strict=True) if s != folded(a)] == []


UNIQUE = {
    "college": ("insert into college (code, name) values (:x || 'a7', 'x'), ('A7', 'y')",
                "insert into college (code, name) values ('77', ' 计算机' || :x || '学院')"),
    "major": ("insert into major (code, national_code, name, college_id) values ('77', '1', :x || '软件工程\u3000', 1)",),
    "class_group": ("insert into class_group (code, name, grade, major_id, college_id)"
                    " values ('77', :x || '计科2024－1班', 2024, 1, 1)",),
    "department": ("insert into department (key, name_zh, name_en) select 'x', :x || name_zh, 'x' from department",),
    "code_set": ("insert into code_set (key, title_zh, title_en, version) select 'x', :x || title_zh, 'x', '1'"
                 " from code_set where key = 'sex'",),
    "code": ("insert into code (set_key, code, name_zh, name_en) values ('sex', '77', :x || '男', 'x')",),
    "transfer_round": ("insert into transfer_round (title) values (:x || 'a'), ('Ａ')",),
}  # fmt: skip
CASES = [(table, statement) for table, statements in UNIQUE.items() for statement in statements]


@pytest.mark.parametrize(("table", "statement"), CASES)
@pytest.mark.parametrize("apart", ["", "\u200b", "\u3000"])
def test_the_database_refuses_what_says_the_same(behind, table, statement, apart):
    """F19."""
    with pytest.raises(IntegrityError, match=f"uq_{table}_.*folded"), behind.connection.begin_nested():
        behind.connection.execute(text("set local role xueji_owner"))
        behind.connection.execute(text(statement), {"x": apart})


def test_every_folded_index_is_asked_here():
    named = {table.name for table in Model.metadata.tables.values() for index in table.indexes
             if index.unique and str(index.name).endswith("_folded")}  # fmt: skip
    assert named == set(UNIQUE)
