"""组织 the demo's colleges, majors and classes, and how many students each has."""

from dataclasses import dataclass, field
from math import ceil
from typing import Any, NamedTuple

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from app.demo.names import DATA
from app.models import ClassGroup, College, Major
from app.reference import read_table

CLASS_SIZE = 38
LARGEST_CLASS = LARGEST_SERIAL = 99  # two digits each in the student number
WAITING = 0.04  # of the freshmen
GRADUATES = 0.6  # a cohort that has left, as a share of one that is here


@dataclass(frozen=True)
class MajorPlan:
    """A major of the demo's files, and its college."""

    code: str
    national_code: str
    name: str
    name_en: str
    level: str
    length: int
    weight: float
    college_code: str
    college: str
    men: float
    campus: str


class Class(NamedTuple):
    id: int
    code: str
    name: str
    size: int


@dataclass
class Cohort:
    """Those of one major who entered in one year. `waiting` are admitted and in no class yet."""

    major: MajorPlan
    year: int
    size: int
    waiting: int
    college_id: int = 0
    major_id: int = 0
    classes: list[Class] = field(default_factory=list)

    def class_sizes(self) -> list[int]:
        placed = self.size - self.waiting
        groups = min(ceil(placed / CLASS_SIZE), LARGEST_CLASS)
        return [placed * (n + 1) // groups - placed * n // groups for n in range(groups)]


def read_majors() -> list[MajorPlan]:
    """The majors of the demo's files, in the order of their codes."""
    colleges = {row["code"]: row for row in read_table(DATA / "colleges.csv")}
    return [
        MajorPlan(
            row["code"], row["national_code"], row["zh"], row["en"], row["level"], int(row["length"]),
            float(row["weight"]), row["college"], college["zh"], int(college["men"]) / 100, college["campus"],
        )
        for row in read_table(DATA / "majors.csv")
        for college in [colleges[row["college"]]]
    ]  # fmt: skip


def plan(students: int, this_year: int) -> list[Cohort]:
    """Divide `students` among the majors and the five years up to `this_year`, the oldest of which has mostly left."""
    cells = [
        (major, year, major.weight * (GRADUATES if year + major.length <= this_year else 1))
        for year in range(this_year - 4, this_year + 1)
        for major in read_majors()
    ]
    total, so_far = sum(weight for *_, weight in cells), 0.0
    given = freshmen = waiting = 0
    cohorts = []
    for major, year, weight in cells:
        so_far += weight
        size = round(students * so_far / total) - given
        given += size
        freshmen += size if year == this_year else 0
        still_waiting = round(freshmen * WAITING) - waiting
        waiting += still_waiting
        cohorts.append(Cohort(major, year, size, still_waiting))
    largest = max(cohort.size for cohort in cohorts)
    if largest > LARGEST_CLASS * LARGEST_SERIAL:
        raise ValueError(f"{students} students are too many: {largest} in one major and year have no student numbers")
    return cohorts


def make_organisation(connection: Connection, cohorts: list[Cohort]) -> None:
    """Write colleges, majors and classes, and note their ids in the cohorts."""
    colleges = list(read_table(DATA / "colleges.csv"))
    rows: list[dict[str, Any]] = [{"code": row["code"], "name": row["zh"], "name_en": row["en"]} for row in colleges]
    ids = connection.scalars(insert(College).returning(College.id, sort_by_parameter_order=True), rows)
    college_ids = dict(zip((row["code"] for row in colleges), ids, strict=True))

    majors = read_majors()
    rows = [
        {
            "code": major.code, "national_code": major.national_code, "name": major.name, "name_en": major.name_en,
            "college_id": college_ids[major.college_code], "education_level": major.level, "study_length": major.length,
        }
        for major in majors
    ]  # fmt: skip
    ids = connection.scalars(insert(Major).returning(Major.id, sort_by_parameter_order=True), rows)
    major_ids = {(major.college_code, major.code): key for major, key in zip(majors, ids, strict=True)}

    for cohort in cohorts:
        cohort.college_id = college_ids[cohort.major.college_code]
        cohort.major_id = major_ids[cohort.major.college_code, cohort.major.code]
    _make_classes(connection, cohorts)


def _make_classes(connection: Connection, cohorts: list[Cohort]) -> None:
    places = [(cohort, n, size) for cohort in cohorts for n, size in enumerate(cohort.class_sizes(), 1)]
    rows: list[dict[str, Any]] = [
        {
            "code": f"{n:02}", "name": f"{cohort.major.name}{cohort.year}级{n}班", "grade": cohort.year,
            "capacity": max(40, size + 2), "major_id": cohort.major_id, "college_id": cohort.college_id,
        }
        for cohort, n, size in places
    ]  # fmt: skip
    if not rows:
        return
    ids = connection.scalars(insert(ClassGroup).returning(ClassGroup.id, sort_by_parameter_order=True), rows)
    for (cohort, _, size), row, key in zip(places, rows, ids, strict=True):
        cohort.classes.append(Class(key, row["code"], row["name"], size))
