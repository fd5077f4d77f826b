"""Names in workbooks, as people and other systems write them: one spelling is stored, what is looked up is found."""

from datetime import date

import pytest

from app.kit.workbook import importing
from app.models import db
from app.workbooks.admissions import odd, unspelled
from app.workbooks.transfer_scores import OTHER_NAME
from tests.workbooks.test_admissions import GOOD, YEAR, checked
from tests.workbooks.test_admissions import checks as checks
from tests.workbooks.test_admissions import imports as imports
from tests.workbooks.test_admissions import office as office


def numbered(*names: str) -> list[dict]:
    """A good row for each name."""
    return [GOOD | {"姓名": name, "考生号": f"2650010730{n:04}", "证件号码": checked(f"500107200803{n:02}1001"[:6] + f"20080301{n:02}1")}
            for n, name in enumerate(names, 10)]  # fmt: skip


WRITTEN = {
    "张　三": "张三", "李 四": "李四", "王\xa0五": "王五", "赵\n刚": "赵刚", "孙\t丽": "孙丽", "钱\u200b六": "钱六",
    "John \xa0Smith": "John Smith", "⻢⼩红": "马小红", "\uf92c明": "郎明", "李\U000e0100明": "李明",
    "买买提•吐尔逊": "买买提·吐尔逊", "艾力‧江": "艾力·江", "阿布・都": "阿布·都", "古丽．娜": "古丽·娜", "帕提.古": "帕提·古",
}  # fmt: skip


def test_names_are_stored_in_one_spelling(imports, behind):
    """F04, F05, F06."""
    rows = numbered(*WRITTEN)
    rows[0] |= {"监护人": "张 大", "毕业中学": "第一 中学", "家庭住址": "某路  1\u200b 号"}
    assert imports(*rows) == importing.Counts(len(WRITTEN), 0, 0)
    found = behind.rows("select name, guardian_name, graduated_school, address from student where entry_year = :y"
                        " order by examinee_no", y=YEAR)  # fmt: skip
    assert [row["name"] for row in found] == [*WRITTEN.values()]
    assert [*found[0].values()][1:] == ["张大", "第一中学", "某路 1 号"]
    assert imports(*rows) == importing.Counts(0, 0, len(WRITTEN))  # the same file again says the same


@pytest.mark.parametrize(("name", "told"), [("马\ue863", "U+E863"), ("李\ufffd", "U+FFFD")])
def test_what_nobody_can_read_is_told_by_cell_and_code_point(checks, name, told):
    """F06."""
    report = checks(GOOD | {"姓名": name})
    assert report.by_code == {"UNKNOWN_CHARACTER": 1}
    (error,) = report.first
    assert (error.row, error.column, error.value) == (2, "name", name) and told in error.message


@pytest.mark.parametrize(
    ("column", "written"),
    [("录取专业", "软件工程(中外合作办学)"), ("录取专业", "软件 工程 （中外合作办学）"), ("民族", "汉\u3000族"), ("性别", "⼥"),
     ("录取学院", "Computing "), ("录取学院", "计算机\u200b学院")],
)  # fmt: skip
def test_what_is_looked_up_is_found_in_any_width(checks, behind, column, written):
    """F07."""
    behind.run("update major set name = '软件工程（中外合作办学）' where id = 2")
    row = GOOD | {"录取专业": "软件工程（中外合作办学）", column: written}
    if column == "性别":
        row |= {"证件号码": checked("50010720080301002")}
    assert checks(row).by_code == {}


def test_another_thing_is_not_found(checks):
    assert checks(GOOD | {"录取专业": "软件工程(中外)"}).by_code == {"NOT_FOUND": 1}


def test_the_surnames_of_the_field_are_spelled(imports, behind):
    """F22."""
    imports(*numbered("卜文斌", "阚清", "薄云", "单于婷", "乜川"))
    found = behind.rows("select pinyin from student where entry_year = :y order by examinee_no", y=YEAR)
    assert [row["pinyin"] for row in found] == ["buwenbin", "kanqing", "boyun", "chanyuting", "niechuan"]


def test_a_character_without_a_reading_is_said_with_its_row(checks):
    """F22."""
    unread = "\U0003106c"
    (remark,) = unspelled(db.session.connection(), checks(*numbered("张三", f"李{unread}", "𠮷")).staged)
    assert unread in remark and "3" in remark and "𠮷" not in remark
    assert unspelled(db.session.connection(), checks(*numbered("张三")).staged) == []


@pytest.mark.parametrize(
    ("stored", "sent", "other"), [("买买提·吐", "买买提•吐", False), ("张三", "张 三", False), ("张三", "张四", True)]
)
def test_a_ranking_sheet_says_another_name_of_another_name_alone(behind, stored, sent, other):
    """F04."""
    behind.run("update student set name = :n where id = 101", n=stored)
    number = behind.one("select student_no from student where id = 101")
    said = OTHER_NAME.format(student_no=":number", name=":name")
    assert behind.one(f"select {said}", number=number, name=sent) is other


@pytest.mark.parametrize("name", ["12345", "a=1", "李<b>", "a+b", "2008-03-01", date(2008, 3, 1), "***", 7, "１２３"])
@pytest.mark.parametrize("column", ["姓名", "监护人"])
def test_what_is_nobodys_name_is_a_bad_cell(checks, name, column):
    assert checks(GOOD | {column: name}).by_code == {"NO_NAME": 1}


def test_names_that_look_like_none_are_taken_and_told_of(checks):
    report = checks(*numbered("TRUE", "李3", "王", "李四", "买买提·吐尔逊", "J. Smith", "〇〇"))
    assert report.by_code == {}
    (told,) = odd(db.session.connection(), report.staged)
    assert told.startswith("3 ") and all(name in told for name in ("TRUE", "李3", "王")) and "李四" not in told


@pytest.mark.parametrize("column", ["姓名", "考生号", "性别", "出生日期", "学制", "家庭住址"])
def test_a_nul_is_a_bad_cell_and_ends_no_import(checks, column):
    report = checks(
        GOOD | {column: f"{GOOD[column]}\x00"},
        GOOD | {"考生号": "26500107300009", "证件号码": checked("50010720080301003")},
    )
    assert report.by_code == {"UNKNOWN_CHARACTER": 1} and report.bad_rows == 1
    assert "U+0000" in report.first[0].message and report.first[0].value.endswith("\ufffd")
