"""The admissions office's workbook: exactly the faults that its writer reports, and no others."""

from datetime import date
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from app.demo import Fault, write_admissions_file
from app.demo.admissions import BAD, DUPLICATE, FIRST_ROW, ODD
from app.demo.organisation import read_majors
from tests.conftest import TODAY
from tests.test_demo import checks


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Fault], list[list]]:
    path = tmp_path_factory.mktemp("admissions") / "freshmen.xlsx"
    faults = write_admissions_file(path, 900, 0.02, TODAY)
    return faults, CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()


def test_the_workbook_has_a_title_a_header_and_the_rows(workbook):
    _, cells = workbook
    assert "录取新生名单" in cells[0][0] and cells[1][0] == "考生号"
    assert len(cells) == 900 + FIRST_ROW - 1


def test_it_has_exactly_the_faults_it_says(workbook):
    faults, cells = workbook
    header = cells[1]
    majors = {(major.college, major.name) for major in read_majors()}
    found = set()
    numbers: dict[str, int] = {}
    for place, values in enumerate(cells[FIRST_ROW - 1 :], FIRST_ROW):
        row = dict(zip(header, values, strict=True))
        card, born = row["证件号码"], row["出生日期"]
        if row["考生号"] in numbers:
            found.add((place, "duplicate"))
        numbers[row["考生号"]] = place
        if not row["姓名"]:
            found.add((place, "no_name"))
        elif row["姓名"] != row["姓名"].strip():
            found.add((place, "spaces"))
        if not isinstance(born, date):
            found.add((place, "impossible_date" if "2月30日" in born else "date_as_text"))
        if (row["录取学院"], row["录取专业"]) not in majors:
            found.add((place, "major" if "中外合作" in row["录取专业"] else "college"))
        if isinstance(card, float):
            found.add((place, "number_cell"))
        elif row["证件类型"] == "居民身份证":
            if not checks(card):
                found.add((place, "checksum"))
            if isinstance(born, date) and f"{born:%Y%m%d}" != card[6:14]:
                found.add((place, "birth_date"))
            if (row["性别"] == "男") != (int(card[16]) % 2 == 1):
                found.add((place, "sex"))
    assert found == {(fault.row, fault.kind) for fault in faults}
    assert sum(not fault.harmless for fault in faults) == 18
    assert {fault.kind for fault in faults} == {*BAD, *ODD, DUPLICATE}


def test_the_same_seed_writes_the_same_workbook(tmp_path: Path):
    first, second = tmp_path / "a.xlsx", tmp_path / "b.xlsx"
    assert write_admissions_file(first, 50, 0.1, TODAY) == write_admissions_file(second, 50, 0.1, TODAY)
    assert first.read_bytes() == second.read_bytes()
