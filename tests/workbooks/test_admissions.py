"""The admissions file against the database: bad cells first, then what is saved, then the same file again."""

from functools import partial
from pathlib import Path

import pytest
from xlsxwriter import Workbook as Xlsx

from app.access import Actor, Permission, scope_as
from app.kit.operation import NotAllowed, operation
from app.kit.workbook import importing
from app.kit.workbook.reasons import SaveRefused
from app.models import db
from app.operations.roster.admissions import admit
from app.workbooks.admissions import admissions, remarks

YEAR = 2026
GOOD = {
    "考生号": "26500107300001", "姓名": "曾小贤", "性别": "男", "出生日期": "2008-03-01", "证件类型": "居民身份证",
    "证件号码": "50010720080301001X", "民族": "汉族", "政治面貌": "共青团员", "录取学院": "计算机学院", "录取专业": "软件工程",
    "层次": "本科", "学制": 4, "生源地": "重庆市", "毕业中学": "第一中学", "高考成绩": 586, "手机": "13800000000",
    "家庭住址": "某路 1 号", "邮政编码": "400065", "监护人": "曾大", "监护人电话": "023-65000000",
}  # fmt: skip


def checked(number17: str) -> str:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return number17 + "10X98765432"[sum(int(d) * w for d, w in zip(number17, weights, strict=True)) % 11]


GOOD["证件号码"] = checked("50010720080301001")
OTHER = GOOD | {
    "考生号": "26500107300002", "姓名": "王芳", "性别": "女", "证件号码": checked("50010720080301002"), "录取专业": "080901",
}  # fmt: skip


def write(path: Path, *rows: dict) -> Path:
    with Xlsx(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, list(GOOD))
        for at, row in enumerate(rows, 1):
            sheet.write_row(at, 0, [row[name] for name in GOOD])
    return path


@pytest.fixture
def office(cast):
    actor = cast.admissions
    with scope_as(actor.scope):
        yield actor


@pytest.fixture
def checks(office, tmp_path):
    """Check rows as the admissions office; `checks(row, …)` is the report."""

    def check(*rows: dict):
        connection = db.session.connection()
        work = importing.stage(connection, admissions(office, YEAR), write(tmp_path / "a.xlsx", *rows))
        return importing.check(connection, work)

    return check


@pytest.fixture
def imports(checks, office):
    @operation(needs=Permission.ADMISSION_IMPORT)
    def run(actor: Actor, *rows: dict) -> importing.Counts:
        return importing.commit(db.session.connection(), checks(*rows))

    return partial(run, office)


def test_strangers_cannot_admit(cast):
    for name in ("registry", "clerk", "student", "auditor"):
        actor = getattr(cast, name)
        with scope_as(actor.scope), pytest.raises(NotAllowed):
            admit(actor, "anything", {}, YEAR)


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("考生号", "26-5", "PATTERN"),
        ("考生号", "", "REQUIRED"),
        ("姓名", "", "REQUIRED"),
        ("性别", "先生", "NOT_FOUND"),
        ("性别", "女", "ID_SEX"),
        ("出生日期", "2008-03-02", "ID_BIRTH_DATE"),
        ("出生日期", "2008年2月30日", "DATE"),
        ("出生日期", "2020-03-01", "AGE"),
        ("证件号码", checked("50010720080301001")[:17] + "0", "ID_NUMBER"),
        ("证件号码", 5.001072008030100e17, "NUMBER_LOST_DIGITS"),
        ("证件号码", "1.2E+17", "NUMBER_LOST_DIGITS"),
        ("民族", "火星族", "NOT_FOUND"),
        ("录取学院", "计算机学校", "NOT_FOUND"),
        ("录取专业", "汉语言文学", "NOT_FOUND"),  # another college's
        ("层次", "专科", "NOT_FOUND"),
        ("学制", 3, "NOT_OF_MAJOR"),
        ("高考成绩", 901, "TOO_LARGE"),
        ("高考成绩", "五百", "NUMBER"),
        ("手机", "1380000", "PATTERN"),
        ("邮政编码", "4000", "PATTERN"),
    ],
)
def test_a_bad_cell_is_told_of(checks, column, value, code):
    report = checks(GOOD | {column: value})
    assert code in report.by_code
    assert report.bad_rows == 1 and report.first[0].row == 2
    assert report.first[0].message


@pytest.mark.parametrize(
    ("column", "value"),
    [("民族", 1), ("民族", "01"), ("民族", "汉"), ("证件类型", "身份证"), ("学制", "4年"), ("学制", "四年"), ("学制", "四年制"),
     ("政治面貌", "团员"), ("政治面貌", 3), ("性别", "男性"), ("性别", "Male"), ("层次", "普通本科"), ("层次", 5), ("高考成绩", "586分"),
     ("出生日期", "2008/3/1 0:00:00")],
)  # fmt: skip
def test_usual_words_are_accepted(checks, column, value):
    """F08, F12."""
    report = checks(GOOD | {column: value})
    assert (report.by_code, report.new) == ({}, 1)


def test_an_alias_is_data(checks, behind):
    row = GOOD | {"民族": "大汉"}
    assert checks(row).by_code == {"NOT_FOUND": 1}
    behind.run("update code set aliases = '汉、大汉，汉人' where set_key = 'ethnic_group' and code = '01'")
    assert checks(row).by_code == {}
    behind.run("update code set valid_until = '2026-01-01' where set_key = 'ethnic_group' and code = '01'")
    assert checks(row).by_code == {"NOT_FOUND": 1}


def test_a_refusal_names_what_is_accepted(checks):
    """F08: what the row may choose among, a major within its college and level."""
    found = checks(GOOD | {"政治面貌": "共青"}, OTHER | {"录取专业": "汉语言文学"}, OTHER | {"民族": "火星族"})
    said = {error.column: error.message for error in found.first if error.code == "NOT_FOUND"}
    assert "中共党员、中共预备党员、共青团员" in said["political_status"]
    assert "软件工程" in said["major"] and "汉语言文学" not in said["major"]
    assert (
        "汉族、蒙古族" in said["ethnic_group"]
        and said["ethnic_group"].count("、") == 15
        and "…" in said["ethnic_group"]
    )


def test_duplicates_name_their_rows(checks):
    report = checks(GOOD, OTHER, GOOD | {"姓名": "另一人"})
    assert report.by_code == {"DUPLICATE": 4}  # number and ID, in both rows
    assert "2, 4" in report.first[0].message


def test_a_student_on_the_roll_is_a_clear_cell_error_although_the_importer_cannot_see_her(checks, behind):
    (hidden,) = behind.rows("select examinee_no, id_number from student where id = 101")
    report = checks(GOOD | {"考生号": hidden["examinee_no"]})
    assert report.by_code == {"PAST_ADMISSION": 1}
    report = checks(GOOD | {"证件类型": "护照", "证件号码": hidden["id_number"]})
    assert report.by_code == {"KNOWN_PERSON": 1}


def test_who_is_of_another_year_is_not_imported_again(checks, imports, behind):
    imports(GOOD)
    behind.run("update student set entry_year = 2025 where examinee_no = :n", n=GOOD["考生号"])
    assert checks(GOOD | {"姓名": "改名"}).by_code == {"PAST_ADMISSION": 1}


@pytest.mark.parametrize("change", ["status = 'waived'", "status = 'enrolled'", "registered = true"])
@pytest.mark.parametrize("row", [{"姓名": "改名"}, {"证件类型": "护照", "证件号码": "E12345678"}, {"高考成绩": "五百"}])
def test_who_is_past_admission_is_left_out_and_named_and_the_others_are_saved(checks, imports, behind, change, row):
    """The page's own words: she is not touched; nor does she keep the list from being imported."""
    imports(GOOD)
    behind.run(f"update student set {change} where examinee_no = :n", n=GOOD["考生号"])
    before = behind.rows("select name, id_number, version from student where examinee_no = :n", n=GOOD["考生号"])
    report = checks(GOOD | row, OTHER)
    assert (report.rows, report.by_code, report.new, report.changed) == (2, {}, 1, 0)
    (told,) = remarks(db.session.connection(), report.staged)
    assert told.startswith("1 ") and (GOOD | row)["姓名"] in told
    assert imports(GOOD | row, OTHER) == importing.Counts(1, 0, 0)
    assert (
        behind.rows("select name, id_number, version from student where examinee_no = :n", n=GOOD["考生号"]) == before
    )
    other_person = {"姓名": "他人", "证件类型": "护照", "证件号码": "E12345678"}
    assert checks(GOOD | other_person).by_code == {"PAST_ADMISSION": 1}


def test_one_bad_row_saves_nothing(imports, behind):
    with pytest.raises(SaveRefused):
        imports(GOOD, OTHER | {"姓名": ""})
    assert behind.one("select count(*) from student where entry_year = :y", y=YEAR) == 0


def test_a_number_taken_between_check_and_save_is_a_sentence(checks, office):
    report = checks(GOOD)
    connection = db.session.connection()
    connection.exec_driver_sql("set local role xueji_owner")
    connection.exec_driver_sql(f"update student set examinee_no = '{GOOD['考生号']}' where id = 101")
    connection.exec_driver_sql("set local role xueji_freshmen")
    save = operation(needs=Permission.ADMISSION_IMPORT)(lambda actor: importing.commit(connection, report))
    with pytest.raises(SaveRefused) as refused:
        save(office)
    assert refused.value.code == "TAKEN"


def test_freshmen_are_admitted(imports, behind, office):
    assert imports(GOOD, OTHER) == importing.Counts(2, 0, 0)
    (one, two) = behind.rows("select * from student where entry_year = :y order by examinee_no", y=YEAR)
    assert (one["name"], one["pinyin"], one["initials"]) == ("曾小贤", "zengxiaoxian", "zxx")
    assert (one["status"], one["registered"], one["grade"], str(one["entry_date"])) == (
        "admitted",
        False,
        YEAR,
        "2026-09-01",
    )
    assert (one["sex"], one["id_type"], one["ethnic_group"], one["education_level"]) == ("1", "1", "01", "05")
    assert (one["major_id"], two["major_id"], one["college_id"]) == (2, 1, 1)
    assert str(one["expected_graduation"]) == "2030-06-30"
    (entry, _two) = behind.rows("select * from roster_change where student_id = any(:ids)", ids=[one["id"], two["id"]])
    assert (entry["code"], entry["old_status"], entry["new_status"]) == ("A1", None, "admitted")
    assert (str(entry["effective_on"]), entry["recorded_by"]) == ("2026-09-02", office.user_id)
    assert entry["new_text"]["college"] == "计算机学院"


def test_the_same_file_again_changes_nothing(imports, behind):
    imports(GOOD, OTHER)
    state = "select s.version, count(r.id) n from student s left join roster_change r on r.student_id = s.id where s.entry_year = :y group by s.id order by s.id"
    before = behind.rows(state, y=YEAR)
    assert imports(GOOD, OTHER) == importing.Counts(0, 0, 2)
    assert behind.rows(state, y=YEAR) == before


def test_a_correction_is_in_ledger_and_history(imports, behind):
    imports(GOOD, OTHER)
    assert imports(GOOD | {"姓名": "曾大贤", "录取专业": "080901"}, OTHER) == importing.Counts(0, 1, 1)
    (student,) = behind.rows("select id, name, pinyin, major_id from student where examinee_no = :n", n=GOOD["考生号"])
    assert (student["name"], student["pinyin"], student["major_id"]) == ("曾大贤", "zengdaxian", 1)
    codes = behind.rows(
        "select code, old_major_id, new_major_id from roster_change where student_id = :s order by id", s=student["id"]
    )
    assert [tuple(row.values()) for row in codes] == [("A1", None, 2), ("I1", 2, 1)]
    assert (
        behind.one("select why from field_change where student_id = :s and field = 'name'", s=student["id"])
        == "2026年录取名单"
    )


def test_who_has_a_class_keeps_the_major(imports, checks, behind):
    imports(GOOD)
    behind.run("update student set class_group_id = 2 where examinee_no = :n", n=GOOD["考生号"])
    assert checks(GOOD | {"录取专业": "080901"}).by_code == {"PLACED": 1}


def test_every_label_of_the_file_is_known_in_both_languages(app):
    from app.kit.workbook.read import header_names

    assert {"手机", "邮编", "录取学院", "学制", "层次"} <= set(header_names(admissions(None, YEAR)))
