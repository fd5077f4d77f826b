"""The migration that brings stored texts into line: what it changes, reports and keeps."""

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from app import cluster
from tests.conftest import ROOT

REVISION = "0025"
BEFORE = """
insert into college (id, code, name) values (1, '01', '计算机　学院'), (2, '02', '计算机学院');
insert into major (id, code, national_code, name, college_id) values
    (1, '01', '080901', '软件工程', 1), (2, '02', '080902', ' 软件工程　', 1), (3, '01', '080902', '软件工程', 2);
insert into code_set (key, title_zh, title_en, version) values ('sex', '性别', 'Sex', '1'), ('id_type', 'x', 'x', '1'),
    ('nationality', 'y', 'y', '1'), ('entry_kind', 'z', 'z', '1'), ('education_level', 'u', 'u', '1'),
    ('study_form', 'v', 'v', '1');
insert into code (set_key, code, name_zh, name_en) select key, c, c || key, c || key from code_set,
    unnest(array['1', '05', '156']) c;
insert into student (id, name, sex, birth_date, id_number, entry_year, student_no, college_id, major_id, grade) values
    (1, '张　三', '1', '2006-01-01', '1', 2024, '2024001', 1, 1, 2024),
    (2, '买买提•吐尔逊', '1', '2006-01-01', E'2\\u200b', 2024, E'2024002\\ufeff', 1, 1, 2024),
    (3, E'\\u2ee2⼩红', '1', '2006-01-01', '3', 2024, '2024003', 1, 1, 2024),
    (4, 'John  Smith', '1', '2006-01-01', '4', 2024, '2024001 ', 1, 1, 2024);
"""


@pytest.fixture
def database(bed):
    """A database as it was before, with its address and the configuration that migrates it."""
    name = f"before_{next(bed.numbers)}"
    cluster.create_database(bed.admin, name)
    config = Config(str(ROOT / "alembic.ini"))
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.attributes["url"] = bed.cluster.url(cluster.OWNER, name)
    before = ScriptDirectory.from_config(config).get_revision(REVISION).down_revision
    command.upgrade(config, before)
    engine = create_engine(config.attributes["url"])
    yield engine, config
    engine.dispose()
    cluster.drop_database(bed.admin, name)


def test_stored_texts_are_brought_into_line(database, capsys):
    """F04, F05, F06, F19, F23: nothing is lost, and what was before can be read."""
    engine, config = database
    with engine.begin() as connection:
        for statement in BEFORE.strip().split(";\n"):
            connection.execute(text(statement))
    command.upgrade(config, REVISION)
    with engine.connect() as connection:

        def rows(query: str) -> list[tuple]:
            return [tuple(row) for row in connection.execute(text(query))]

        assert rows("select name, student_no, id_number, name_key from student order by id") == [
            ("张三", "2024001", "1", "张三"),
            ("买买提·吐尔逊", "2024002", "2", "买买提吐尔逊"),
            ("马小红", "2024003", "3", "马小红"),
            ("John Smith", "2024001 ", "4", "johnsmith"),  # the number is taken: somebody has to look
        ]
        assert rows("select name from college order by id") == [("计算机学院（重复1）",), ("计算机学院",)]
        assert rows("select name from major order by id") == [("软件工程",), ("软件工程（重复2）",), ("软件工程",)]
        assert rows("select field, old, new, why from field_change where student_id = 1") == [
            ("name", "张　三", "张三", "文字统一写法")
        ]
        old = rows("select subject, subject_id, old ->> 'name', new ->> 'name' from audit_entry order by id")
        assert ("major", 2, " 软件工程　", "软件工程（重复2）") in old
    report = capsys.readouterr().out
    assert "student.name: 4 texts brought into line, 0 left as they are" in report
    assert "student.student_no: 1 texts brought into line, 1 left as they are" in report
    assert "college.name: “计算机　学院” was there twice" in report
