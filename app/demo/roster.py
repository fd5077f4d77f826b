"""The demo's roster: students and their ledger, written by COPY in chunks, so that a million is a matter of minutes."""

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from app.demo.fates import Calendar, Entry, Standing, fate, waiting
from app.demo.organisation import Cohort
from app.demo.people import People, Person
from app.models import RosterChange, RosterStatus, Student

CHUNK = 5_000  # students held in memory before they are copied
STATUS_WORDS = {
    RosterStatus.ADMITTED: "录取", RosterStatus.DEFERRED: "保留入学资格", RosterStatus.WAIVED: "放弃入学资格",
    RosterStatus.ENROLLED: "在读", RosterStatus.ON_LEAVE: "休学", RosterStatus.RETAINED: "保留学籍",
    RosterStatus.WITHDRAWN: "退学", RosterStatus.GRADUATED: "毕业", RosterStatus.COMPLETED: "结业",
    RosterStatus.ATTENDED: "肄业",
}  # fmt: skip
DORMITORIES = ["竹园", "梅园", "兰园", "桂园", "橘园"]
STUDENT_COLUMNS = [
    "id",
    "name",
    "pinyin",
    "initials",
    "sex",
    "birth_date",
    "id_type",
    "id_number",
    "ethnic_group",
    "political_status",
    "native_place",
    "examinee_no",
    "entry_year",
    "entry_date",
    "entry_kind",
    "source_province",
    "graduated_school",
    "admission_score",
    "student_no",
    "college_id",
    "major_id",
    "class_group_id",
    "grade",
    "education_level",
    "study_length",
    "expected_graduation",
    "campus",
    "status",
    "registered",
    "phone",
    "email",
    "address",
    "postcode",
    "guardian_name",
    "guardian_phone",
    "dormitory",
]
LEDGER_COLUMNS = [
    "student_id",
    "college_id",
    "student_college_id",
    "code",
    "reason",
    "effective_on",
    "until",
    "approved_on",
    "document_no",
    "old_status",
    "new_status",
    "old_college_id",
    "new_college_id",
    "old_major_id",
    "new_major_id",
    "old_class_group_id",
    "new_class_group_id",
    "old_grade",
    "new_grade",
    "old_study_length",
    "new_study_length",
    "old_text",
    "new_text",
    "recorded_at",
]


class Roster:
    """Makes the rows of all cohorts in order; the same seed and calendar give the same rows."""

    def __init__(self, cohorts: list[Cohort], calendar: Calendar, people: People, first_id: int) -> None:
        self.cohorts, self.calendar, self.people = cohorts, calendar, people
        self.next_id = first_id
        self.by_year = {(cohort.major_id, cohort.year): cohort for cohort in cohorts}
        self.examinees: defaultdict[str, int] = defaultdict(int)

    def students(self) -> Iterator[tuple[tuple, list[tuple]]]:
        """A student's row and the rows of her ledger, one after another."""
        for cohort in self.cohorts:
            later = self.by_year.get((cohort.major_id, cohort.year + 1))
            later_classes = len(later.classes) if later else 0
            for class_at, group in enumerate(cohort.classes):
                prefix = f"{cohort.year}{cohort.major.college_code}{cohort.major.code}{group.code}"
                for serial in range(1, group.size + 1):
                    entries = fate(self.people, self.calendar, cohort, class_at, later_classes)
                    yield self._rows(cohort, entries, f"{prefix}{serial:02}")
            for _ in range(cohort.waiting):
                yield self._rows(cohort, waiting(self.people, self.calendar, cohort), None)

    def _rows(self, cohort: Cohort, entries: list[Entry], number: str | None) -> tuple[tuple, list[tuple]]:
        student_id = self.next_id
        self.next_id += 1
        person = self.people.person(cohort.year, cohort.major.men)
        row = self._student(cohort, entries[-1].after, person, student_id, number)
        ledger, before = [], None
        for entry in entries:
            ledger.append(self._entry(cohort, student_id, before, entry))
            before = entry.after
        return row, ledger

    def _student(self, cohort: Cohort, now: Standing, person: Person, student_id: int, number: str | None) -> tuple:
        major, place = cohort.major, person.place
        arrived = number is not None
        settled = now.status in (RosterStatus.ENROLLED, RosterStatus.ON_LEAVE, RosterStatus.RETAINED)
        dormitory = None
        if arrived and settled:
            draw = self.people.number(5 * 12 * 6 * 30)
            dormitory = f"{DORMITORIES[draw % 5]}{draw // 5 % 12 + 1}栋{draw // 60 % 6 + 1}{draw // 360 + 1:02}室"
        registered = arrived and not (cohort.year == self.calendar.this_year and self.calendar.autumn)
        return (
            student_id, person.name, person.pinyin, person.initials, person.sex, person.birth_date, person.id_type,
            person.id_number, person.ethnic_group, person.political_status, f"{place.province}{place.name}",
            self._examinee_no(cohort.year, place.code), cohort.year,
            self.calendar.entry(cohort.year) if arrived else None, "5" if major.level == "06" else "1", place.province,
            person.school, person.score, number, cohort.college_id, cohort.major_id, self._class_id(cohort, now),
            now.grade, major.level, major.length, date(now.grade + major.length, 6, 30), major.campus, now.status.value,
            registered, person.phone, f"{number}@stu.example.edu.cn" if arrived else None, person.address,
            place.postcode, person.guardian_name, person.guardian_phone, dormitory,
        )  # fmt: skip

    def _entry(self, cohort: Cohort, student_id: int, before: Standing | None, entry: Entry) -> tuple:
        after, old = entry.after, before is not None
        college, major, length = cohort.college_id, cohort.major_id, cohort.major.length
        in_document = old and after.status is not RosterStatus.GRADUATED
        document = f"教务〔{entry.day.year}〕{entry.day.timetuple().tm_yday}号" if in_document else None
        return (
            student_id, college, college, entry.code, entry.reason, entry.day, entry.until,
            entry.day if old else None, document, before.status.value if before else None, after.status.value,
            college if old else None, college, major if old else None, major,
            self._class_id(cohort, before) if before else None, self._class_id(cohort, after),
            before.grade if before else None, after.grade, length if old else None, length,
            self._words(cohort, before) if before else None, self._words(cohort, after), entry.day,
        )  # fmt: skip

    def _class_of(self, cohort: Cohort, standing: Standing) -> Any:
        if standing.class_at is None:
            return None
        return self.by_year[cohort.major_id, standing.grade].classes[standing.class_at]

    def _class_id(self, cohort: Cohort, standing: Standing) -> int | None:
        group = self._class_of(cohort, standing)
        return group.id if group else None

    def _words(self, cohort: Cohort, standing: Standing) -> str:
        group = self._class_of(cohort, standing)
        words = {
            "college": cohort.major.college, "major": cohort.major.name, "status": STATUS_WORDS[standing.status],
            "class_group": group.name if group else None, "grade": standing.grade,
        }  # fmt: skip
        return json.dumps(words, ensure_ascii=False)

    def _examinee_no(self, year: int, place: str) -> str:
        """14 digits: year, county, kind of examination, serial."""
        start = f"{year % 100:02}{place}"
        self.examinees[start] += 1
        return f"{start}1{self.examinees[start]:05}"


def make_roster(connection: Connection, cohorts: list[Cohort], calendar: Calendar, people: People) -> int:
    """Copy all students and their ledger into the database; the number of students."""
    first = connection.scalar(text("select coalesce(max(id), 0) + 1 from student"))
    roster = Roster(cohorts, calendar, people, first)
    students: list[tuple] = []
    ledger: list[tuple] = []
    for row, entries in roster.students():
        students.append(row)
        ledger += entries
        if len(students) == CHUNK:
            _copy(connection, students, ledger)
    _copy(connection, students, ledger)
    made = roster.next_id - first
    if made:
        connection.execute(
            text("select setval(pg_get_serial_sequence('student', 'id'), :last)"), {"last": first + made - 1}
        )
    return made


def _copy(connection: Connection, students: list[tuple], ledger: list[tuple]) -> None:
    driver: Any = connection.connection.driver_connection
    for model, columns, rows in ((Student, STUDENT_COLUMNS, students), (RosterChange, LEDGER_COLUMNS, ledger)):
        names = ", ".join(columns)
        with driver.cursor() as cursor, cursor.copy(f"copy {model.__tablename__} ({names}) from stdin") as copy:
            for row in rows:
                copy.write_row(row)
        rows.clear()
