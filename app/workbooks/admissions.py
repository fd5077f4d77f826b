"""录取名单 the workbook of the admissions office: one row a freshman of one entry year."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from sqlalchemy import ColumnElement, Connection, func, text

from app.access import Actor, Permission
from app.kit import clock
from app.kit.pinyin import without_reading
from app.kit.workbook.declare import Column, Lookup, Rule, Target, Workbook
from app.kit.workbook.importing import Typed
from app.kit.workbook.imports import Import, register_import
from app.kit.workbook.rules import identity_rules
from app.kit.workbook.staging import Staged
from app.models import Code, College, Major, Student
from app.models.language import listed
from app.models.organisation.codes import ALIASES_APART
from app.models.text import NO_NAME
from app.operations.roster.admissions import admit

MOBILE = r"1[3-9]\d{9}"
RESIDENT = "{id_type.value} = '1'"  # a resident identity card, whose number says birth date and sex
AGES = (13, 60)  # on entering
TITLE = _("Admissions file")
ROWS_NAMED = 10
SPRING = 3  # from this month on, the autumn to come is meant


def code(set_key: str) -> Lookup:
    """A value of a code set, by its name in either language, an alias, or its code, with zeros before it or without."""
    valid: ColumnElement[bool] = (Code.set_key == set_key) & Code.valid_until.is_(None)
    alias = func.regexp_split_to_table(Code.aliases, ALIASES_APART)
    return Lookup(Code.code, [Code.name_zh, Code.name_en, alias, Code.code, func.ltrim(Code.code, "0")], valid)


# The headers that admissions offices write stand here whatever the catalogue says.
COLUMNS = [
    Column("examinee_no", _("Examinee number"), "code", key=True, pattern=r"\d{10,18}",
           hint=_("write the 10 to 18 digits of the admission notice."), aliases=["考生号", "准考证号", "高考报名号"]),
    Column("name", _("Name"), "name", required=True, max_length=60, aliases=["姓名", "考生姓名", "学生姓名"]),
    Column("sex", _("Sex"), required=True, lookup=code("sex"), aliases=["性别", "性别代码"]),
    Column("birth_date", _("Birth date"), "date", required=True, minimum=date(1940, 1, 1), aliases=["出生日期", "出生年月日"]),
    Column("id_type", _("Type of ID"), required=True, lookup=code("id_type"), aliases=["证件类型", "身份证件类型"]),
    Column("id_number", _("ID number"), "code", required=True, unique=True, max_length=30,
           aliases=["证件号码", "身份证号", "身份证号码", "证件号"]),
    Column("ethnic_group", _("Ethnic group"), required=True, lookup=code("ethnic_group"), aliases=["民族"]),
    Column("political_status", _("Political status"), lookup=code("political_status"), aliases=["政治面貌"]),
    Column("education_level", _("Level"), required=True, lookup=code("education_level"), aliases=["培养层次", "层次"]),
    Column("college", _("College"), required=True, aliases=["录取学院", "学院", "学院名称", "院系"],
           lookup=Lookup(College.id, [College.name, College.name_en, College.code], College.active)),
    Column("major", _("Major"), required=True, aliases=["录取专业", "专业", "专业名称"],
           lookup=Lookup(Major.id, [Major.name, Major.name_en, Major.national_code, Major.code], Major.active,
                         {"education_level": Major.education_level, "college": Major.college_id})),
    Column("study_length", _("Years of study"), "number", required=True, minimum=1, maximum=8, aliases=["学制", "修业年限"],
           units=["年制", "年"]),
    Column("source_province", _("Province of origin"), "name", aliases=["生源地", "生源省份", "省份"]),
    Column("graduated_school", _("Secondary school"), "name", aliases=["毕业中学", "中学名称"]),
    Column("admission_score", _("Admission score"), "number", minimum=0, maximum=900, units=["分"],
           aliases=["高考成绩", "投档成绩", "总分", "录取成绩"]),
    Column("phone", _("Phone"), "code", pattern=MOBILE, hint=_("write a mobile number of 11 digits."),
           aliases=["手机", "联系电话", "本人电话", "手机号"]),
    Column("address", _("Address"), aliases=["家庭住址", "通讯地址", "家庭地址"]),
    Column("postcode", _("Postcode"), "code", pattern=r"\d{6}", hint=_("write 6 digits."), aliases=["邮编", "邮政编码"]),
    Column("guardian_name", _("Guardian"), "name", aliases=["监护人", "家长姓名", "监护人姓名"]),
    Column("guardian_phone", _("Guardian's phone"), "code", pattern=rf"{MOBILE}|0\d{{2,3}}-?\d{{7,8}}",
           hint=_("write a mobile number of 11 digits, or a number with its area code."),
           aliases=["监护人电话", "家长电话", "监护人手机"]),
]  # fmt: skip


def admissions(actor: Actor, entry_year: int) -> Workbook:
    """The workbook as `actor` imports it for the freshmen of one year."""
    return Workbook(
        key="admissions",
        title=TITLE,
        columns=COLUMNS,
        rules=rules(entry_year),
        target=Target(Student.__table__, {"college": "college_id", "major": "major_id"}),
        save=partial(save, actor, entry_year),
    )


def rules(entry_year: int) -> list[Rule]:
    placed = "exists (select from student k where k.examinee_no = {examinee_no} and k.class_group_id is not null"
    youngest, oldest = (date(entry_year - age, 12, 31).isoformat() for age in AGES)
    return [
        *identity_rules("id_number", birth_date="birth_date", sex="sex.value", when=RESIDENT),
        Rule("examinee_no", "SKIPPED", "", f"is_past_admission({{examinee_no}}, {{name}}, {{id_number}}, {entry_year})", skips=True),
        *(Rule(column, "NO_NAME",
               _("is no name: only digits and signs, or a sign of formulas or tags. Check whether the columns have moved."),
               f"{{{column}}} ~ '{NO_NAME}'")
          for column in ("name", "guardian_name")),
        Rule("examinee_no", "PAST_ADMISSION",
             _("belongs to another student who is past admission, or to one of another year. Check the number; the registry"
               " changes students on the roster."),
             f"examinee_past_admission({{examinee_no}}, {entry_year})"),
        Rule("id_number", "KNOWN_PERSON",
             _("belongs to a student of this school with another examinee number. Check both numbers."),
             "person_known_by_another({id_number}, {examinee_no})"),
        Rule("birth_date", "AGE",
             _("makes an age on entering that is not possible. Check the year."),
             f"{{birth_date}} > '{youngest}' or {{birth_date}} < '{oldest}'"),
        Rule("study_length", "NOT_OF_MAJOR",
             _("is not that of the major. Correct it here, or have the major corrected."),
             "exists (select from major k where k.id = {major.value} and k.study_length <> {study_length}::numeric)"),
        Rule("major", "PLACED",
             _("cannot change, for the student has a class already. Ask the registry."),
             f"{placed} and k.major_id <> {{major.value}})"),
    ]  # fmt: skip


def save(actor: Actor, entry_year: int, connection: Connection, rows: Typed) -> None:
    target = admissions(actor, entry_year).target
    assert target is not None  # declared above
    admit(actor, rows.table, {column.name: target.column(column.name).name for column in rows.columns}, entry_year)


def usual_year() -> int:
    """The autumn that is, or the next one from spring on."""
    today = clock.today()
    return today.year if today.month >= SPRING else today.year - 1


def years() -> list[tuple[int, str]]:
    return [(usual_year() + distance, str(usual_year() + distance)) for distance in (1, 0, -1)]


def remarks(connection: Connection, staged: Staged) -> list[str]:
    return [*past(connection, staged), *odd(connection, staged), *unspelled(connection, staged)]


def past(connection: Connection, staged: Staged) -> list[str]:
    """Rows that were left out, for their students are past admission."""
    rows = connection.execute(text(f"select row_no, name from {staged.skipped_table} order by row_no")).all()  # noqa: S608
    if not rows:
        return []
    return [gettext("%(count)s rows were left out, for their students are past admission and are not touched: %(names)s.",
                    count=len(rows), names=listed(first_of(rows)))]  # fmt: skip


def odd(connection: Connection, staged: Staged) -> list[str]:
    """Names that are hardly anybody's, and that are taken all the same."""
    doubtful = text(f"select row_no, name from {staged.table} where name !~ :none and (name ~ '[0-9]' or char_length(name) = 1"  # noqa: S608
                    " or upper(name) in ('TRUE', 'FALSE')) order by row_no")  # fmt: skip
    rows = connection.execute(doubtful, {"none": NO_NAME}).all()
    if not rows:
        return []
    return [gettext("%(count)s names look like none. Compare them with the papers: %(names)s.",
                    count=len(rows), names=listed(first_of(rows)))]  # fmt: skip


def first_of(rows: Sequence[Any]) -> list[str]:
    """Names, each with its row, and a sign for those that are too many to be told."""
    named = [gettext("%(name)s (row %(row)s)", name=row.name or "—", row=row.row_no) for row in rows[:ROWS_NAMED]]
    return [*named, *(["…"] if len(rows) > ROWS_NAMED else [])]


def unspelled(connection: Connection, staged: Staged) -> list[str]:
    """Characters of names that have no reading, and the first rows with them."""
    characters = text(f"select distinct unnest(string_to_array(name, null)) from {staged.table}")  # noqa: S608 (our own table)
    unread = [one for one in connection.scalars(characters) if one and without_reading(one)]
    if not unread:
        return []
    where = text(f"select row_no from {staged.table} where name ~ :any order by row_no limit :most")  # noqa: S608
    rows = connection.scalars(where, {"any": f"[{''.join(unread)}]", "most": ROWS_NAMED + 1}).all()
    named = [*map(str, rows[:ROWS_NAMED]), *(["…"] if len(rows) > ROWS_NAMED else [])]
    told = gettext(
        "No reading is known for %(characters)s (rows %(rows)s). Who is called so is found by the name, and by the pinyin"
        " of its other characters.",
        characters=listed(unread), rows=listed(named),
    )  # fmt: skip
    return [told]


admissions_import = register_import(
    Import(
        key="admissions",
        title=TITLE,
        intro=_("The list of admitted freshmen, one row each. Who is on it already is brought up to date; who is past"
                " admission is not touched."),
        needs=Permission.ADMISSION_IMPORT,
        columns=COLUMNS,
        workbook=admissions,
        subject=_("Entry year"),
        subjects=years,
        usual=usual_year,
        remarks=remarks,
        examples={
            "examinee_no": "26500107300001", "name": "张三", "sex": "男", "birth_date": "2008-03-01",
            "id_type": "居民身份证", "education_level": "本科", "study_length": "4", "admission_score": "586",
            "phone": "13800000000", "postcode": "400065",
        },
        kinds={
            "PAST_ADMISSION": _("past admission"), "KNOWN_PERSON": _("known with another number"),
            "NO_NAME": _("no name"), "AGE": _("age not possible"), "NOT_OF_MAJOR": _("not that of the major"), "PLACED": _("has a class already"),
        },
    )
)  # fmt: skip
