"""Codes of students: none that is not in its set, whoever writes; none taken from its set that a student bears."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.models import Code, db
from app.models.roster.student import CODED, Student
from app.reference import load_reference


def refused(behind, statement: str, why: str) -> None:
    """The database says no to its owner, with this sentence."""
    with pytest.raises(IntegrityError, match=why), behind.connection.begin_nested():
        behind.connection.execute(text("set local role xueji_owner"))
        behind.connection.execute(text(statement))


@pytest.mark.parametrize("column", CODED)
def test_a_student_has_no_invented_code(behind, column):
    why = f"student names codes that are not in their sets: {CODED[column]} x"
    refused(behind, f"update student set {column} = 'x' where id in (101, 102)", why)


def test_nor_has_a_new_one(behind):
    refused(behind, """
        insert into student (name, sex, birth_date, id_number, entry_year, college_id, major_id, grade, nationality)
        values ('x', '1', '2006-01-01', '1', 2024, 1, 1, 2024, '999')
    """, "nationality 999")  # fmt: skip


def test_an_empty_code_is_none(app, behind):
    assert behind.run("update student set ethnic_group = null, political_status = null where id = 101") == 1


def test_a_code_that_students_bear_stays(behind):
    refused(behind, "delete from code where set_key = 'sex' and code = '1'", "students bear this code")


def test_nor_is_it_renamed(behind):
    refused(
        behind, "update code set code = '8' where set_key = 'nationality' and code = '156'", "students bear this code"
    )


def test_a_code_that_nobody_bears_goes_and_any_is_retitled(app, behind):
    assert behind.run("delete from code where set_key = 'nationality' and code = '004'") == 1
    assert behind.run("update code set name_en = 'Man', valid_until = '2026-01-01' where set_key = 'sex'") > 1


def test_the_screen_says_so_in_a_sentence(cast, behind):
    client = cast.login("registry")
    number = behind.one("select id from code where set_key = 'sex' and code = '1'")
    answer = client.post(f"/codescreen/delete/{number}", follow_redirects=True)
    assert "其他记录" in answer.text and "students bear" not in answer.text
    assert behind.one("select count(*) from code where id = :id", id=number) == 1


def test_each_set_is_known_and_every_coded_column_is_named_here(app):
    with app.app_context():
        assert set(CODED.values()) <= set(db.session.scalars(db.select(Code.set_key).distinct()))
    keys = [relation.key for relation in Student.__mapper__.relationships]
    named = {key.removesuffix("_code") for key in keys if key.endswith("_code")}
    assert named <= set(CODED)


def test_no_export_has_a_code_where_a_name_is_known(app):
    """The plain columns that workbooks select are none that hold codes."""
    found = 0
    for view in app.appbuilder.baseviews:
        for book in getattr(view, "workbooks", []):
            statement = book.rows(None)
            raw = {str(column) for column in statement.selected_columns}
            assert not raw & {f"student.{name}" for name in CODED}, book.key
            found += 1
    assert found


def test_an_alias_that_means_another_value_is_refused(cast, behind):
    client = cast.login("registry")
    number = behind.one("select id from code where set_key = 'ethnic_group' and code = '01'")
    form = {"set": "ethnic_group", "code": "01", "name_zh": "汉族", "name_en": "Han", "position": "1", "national": "y"}
    for words, told in (("汉、回", "“回”已表示“回族”"), ("汉、大汉", None), ("", None)):
        answer = client.post(f"/codescreen/edit/{number}", data=form | {"aliases": words}, follow_redirects=True)
        assert (told or "") in answer.text
        assert behind.one("select aliases from code where id = :id", id=number) == ("汉" if told else words)


def test_reference_data_fills_aliases_that_nobody_edited(app, behind):
    behind.run("update code set aliases = null where set_key = 'sex' and code = '1'")
    behind.run("update code set aliases = '' where set_key = 'sex' and code = '2'")
    behind.connection.execute(text("set local role xueji_owner"))
    load_reference(behind.connection)
    assert behind.rows("select aliases from code where set_key = 'sex' and code in ('1', '2') order by code") == [
        {"aliases": "男性、男生、M"},
        {"aliases": ""},
    ]
