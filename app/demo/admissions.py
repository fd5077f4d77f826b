"""录取名单 the workbook that the admissions office delivers, with the faults that such workbooks have."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from xlsxwriter import Workbook

from app.demo.names import weighted
from app.demo.organisation import MajorPlan, read_majors
from app.demo.people import CHECK, People, Person
from app.demo.terms import current_term
from app.models import Season
from app.reference import FOLDER, read_table

COLUMNS = {
    "考生号": 17, "姓名": 12, "性别": 6, "出生日期": 12, "证件类型": 14, "证件号码": 21, "民族": 10, "政治面貌": 14,
    "录取学院": 24, "录取专业": 26, "层次": 6, "学制": 6, "生源地": 16, "毕业中学": 26, "高考成绩": 10, "手机": 14,
    "家庭住址": 40, "邮政编码": 10, "监护人": 12, "监护人电话": 14,
}  # fmt: skip
FIRST_ROW = 3  # of the data, as Excel counts; a title and the header stand above
HARMLESS = 0.5  # rows that only look bad, to each bad one
Row = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """What is wrong with a cell. A harmless one can be understood: the row is to be accepted.

    `row` counts as Excel does; `other_row` is the earlier one that a duplicate repeats.
    """

    row: int
    column: str
    kind: str
    value: Any
    harmless: bool = False
    other_row: int | None = None


def write_admissions_file(path: Path, students: int, bad: float, today: date, seed: str = "admissions") -> list[Fault]:
    """Write the .xlsx of the freshmen who arrive next, `bad` (0 to 1) of the rows with one fault each; all faults."""
    year, season = current_term(today)
    year = year if season is Season.AUTUMN else year + 1
    people = People(seed, range(800, 1000))
    rows = _rows(people, students, year)
    faults = _spoil(people, rows, round(students * bad))
    with Workbook(str(path), {"constant_memory": True}) as book:
        book.set_properties({"created": datetime(today.year, today.month, today.day)})  # noqa: DTZ001 - as Excel has it
        _write(book, rows, year)
    return faults


def _rows(people: People, students: int, year: int) -> list[Row]:
    names = {
        key: {code["code"]: code["zh"] for code in read_table(FOLDER / "codes" / f"{key}.csv")}
        for key in ("sex", "id_type", "ethnic_group", "political_status", "education_level")
    }
    majors = read_majors()
    picks = weighted([(str(at), major.weight) for at, major in enumerate(majors)])
    serials: dict[str, int] = {}
    rows = []
    for _ in range(students):
        major = majors[int(people.names.pick(picks))]
        person = people.person(year, major.men)
        start = f"{year % 100:02}{person.place.code}"
        serials[start] = serials.get(start, 0) + 1
        # the 9th digit tells this list's numbers from those of the demo's students
        rows.append(_row(person, major, f"{start}3{serials[start]:05}", names))
    return sorted(rows, key=lambda row: row["考生号"])


def _row(person: Person, major: MajorPlan, examinee_no: str, names: dict[str, dict[str, str]]) -> Row:
    values = (
        examinee_no, person.name, names["sex"][person.sex], person.birth_date, names["id_type"][person.id_type],
        person.id_number, names["ethnic_group"][person.ethnic_group],
        names["political_status"][person.political_status], major.college, major.name,
        names["education_level"][major.level], major.length, person.place.province, person.school, person.score,
        person.phone, person.address, person.place.postcode, person.guardian_name, person.guardian_phone,
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))


def _write(book: Workbook, rows: list[Row], year: int) -> None:
    sheet = book.add_worksheet("录取名单")
    title = book.add_format({"bold": True, "font_size": 16, "align": "center"})
    head = book.add_format({"bold": True, "border": 1, "bg_color": "#D9E1F2", "align": "center"})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for at, width in enumerate(COLUMNS.values()):
        sheet.set_column(at, at, width)
    sheet.merge_range(0, 0, 0, len(COLUMNS) - 1, f"{year}年录取新生名单（招生就业工作处）", title)
    sheet.write_row(1, 0, list(COLUMNS), head)
    for at, row in enumerate(rows, FIRST_ROW - 1):
        for column, value in enumerate(row.values()):
            if isinstance(value, date):
                sheet.write_datetime(at, column, value, day)
            elif isinstance(value, str):
                sheet.write_string(at, column, value)
            elif value is not None:
                sheet.write_number(at, column, value)


# Faults. Each takes a row, changes it and says which column is wrong.


def _wrong_checksum(people: People, row: Row) -> str:
    number = row["证件号码"]
    row["证件号码"] = number[:17] + CHECK[(CHECK.index(number[17]) + 1 + people.number(10)) % 11]
    return "证件号码"


def _wrong_birth_date(people: People, row: Row) -> str:
    row["出生日期"] += timedelta(days=1 + people.number(300))
    return "出生日期"


def _wrong_sex(people: People, row: Row) -> str:
    row["性别"] = "女" if row["性别"] == "男" else "男"
    return "性别"


def _unknown_college(people: People, row: Row) -> str:
    row["录取学院"] = people.names.pick(["计算机学院", "外语学院", "文传学院", "商学院", "机械学院"])
    return "录取学院"


def _unknown_major(people: People, row: Row) -> str:
    row["录取专业"] = f"{row['录取专业']}（中外合作）"
    return "录取专业"


def _impossible_date(people: People, row: Row) -> str:
    row["出生日期"] = f"{row['出生日期'].year}年2月30日"
    return "出生日期"


def _number_cell(people: People, row: Row) -> str:
    """The ID number typed into a cell that is not text: Excel keeps 15 digits and shows 1.2E+17."""
    row["证件号码"] = float(row["证件号码"][:15] + "000")
    return "证件号码"


def _no_name(people: People, row: Row) -> str:
    row["姓名"] = None
    return "姓名"


def _date_as_text(people: People, row: Row) -> str:
    row["出生日期"] = f"{row['出生日期']:{people.names.pick(['%Y-%m-%d', '%Y/%m/%d', '%Y.%m.%d', '%Y%m%d'])}}"
    return "出生日期"


def _spaces(people: People, row: Row) -> str:
    row["姓名"] = people.names.pick([f" {row['姓名']}", f"{row['姓名']}  ", f"\u3000{row['姓名']}"])
    return "姓名"


Spoiler = Callable[[People, Row], str]
BAD: dict[str, Spoiler] = {
    "checksum": _wrong_checksum, "birth_date": _wrong_birth_date, "sex": _wrong_sex, "college": _unknown_college,
    "major": _unknown_major, "impossible_date": _impossible_date, "number_cell": _number_cell, "no_name": _no_name,
}  # fmt: skip
ODD: dict[str, Spoiler] = {"date_as_text": _date_as_text, "spaces": _spaces}
DUPLICATE = "duplicate"


def _spoil(people: People, rows: list[Row], bad: int) -> list[Fault]:
    """Give `bad` rows a fault, the kinds taking turns, and some more rows a harmless one."""
    turns = [*BAD, DUPLICATE]
    odd = round(bad * HARMLESS)
    chosen = _sample(people, [at for at, row in enumerate(rows) if at and row["证件类型"] == "居民身份证"], bad + odd)
    faults = []
    untouched = sorted(set(range(len(rows))) - set(chosen))
    for turn, at in enumerate(chosen):
        row = rows[at]
        harmless = turn >= bad
        kind = turns[turn % len(turns)] if not harmless else list(ODD)[turn % len(ODD)]
        other = None
        if kind == DUPLICATE:
            other = max(earlier for earlier in untouched if earlier < at)
            row["考生号"] = rows[other]["考生号"]
            column = "考生号"
        else:
            column = (ODD if harmless else BAD)[kind](people, row)
        faults.append(
            Fault(at + FIRST_ROW, column, kind, row[column], harmless, None if other is None else other + FIRST_ROW)
        )
    return sorted(faults, key=lambda fault: fault.row)


def _sample(people: People, places: list[int], size: int) -> list[int]:
    """`size` different ones of `places`, in random order."""
    for at in range(min(size, len(places))):
        other = at + people.number(len(places) - at)
        places[at], places[other] = places[other], places[at]
    return places[:size]
