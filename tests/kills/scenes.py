"""The acts that processes are killed in, and for each what all and what nothing is."""

import io
import os
from dataclasses import dataclass
from typing import Any

from python_calamine import CalamineWorkbook
from werkzeug.datastructures import FileStorage

from app.flows.leave import leave
from app.jobs.running import perform
from app.kit.flow import decide, open_case
from app.kit.jobs.job import RunRecord, enqueue
from app.models import JobState
from app.operations.cases.batches import DECIDE
from app.workbooks.roster import roster_export
from tests.flows.conftest import LEAVE, RECORDS, SIGNERS
from tests.kills.house import House

COLUMNS = [column.name for column in roster_export.columns]
DONE_AT_REGISTRY = """
select (select count(*) from case_step where key = 'registry' and state = 'done'),
    (select count(*) from case_event where act = 'approve' and step_key = 'registry'),
    (select count(distinct case_id) from case_event where act = 'approve' and step_key = 'registry'),
    (select count(*) from roster_change where code = '11'),
    (select count(*) from student where status = 'on_leave'),
    (select count(distinct case_id) from paper),
    (select count(*) from paper),
    (select coalesce(max(serial), 0) from paper),
    (select coalesce(sum(last), 0) from paper_counter),
    (select count(*) from audit_entry a where action = 'case:approve' and detail ->> 'step' = 'registry')
"""
ADMITTED = """
select (select count(*) from student where entry_year = 2026),
    (select count(*) from roster_change where code = 'A1'),
    (select coalesce(sum((detail ->> 'new')::int), 0) from audit_entry where action = 'admission:import')
"""


def fill_cases(house: House, *, cases: int) -> None:
    """So many leaves at the registry, which gives the numbers; the student has one of her own to fill in."""
    ids = [row[0] for row in house.rows("select id from flow_case order by id")]
    assert len(ids) == cases
    for step in ("accept", "college", "affairs"):
        outcomes = house.do(SIGNERS[step], decide, ids, expected_step=step, records=RECORDS.get(step))
        assert all(one.done for one in outcomes)
    house.do("student", open_case, leave, 101, LEAVE)


@dataclass
class Batch:
    """600 leaves approved by the registry as a job: steps, events, notices and the ledger."""

    key = "batch decision"
    template = "cases"
    run_id: int = 0
    cases: int = 600
    before: int = 0

    def ask(self, house: House) -> None:
        steps = {"registry": waiting(house)[: self.cases]}
        self.before = decided(house)
        params = {"steps": steps, "act": "approve", "opinion": None, "records": {"originals": True}}
        self.run_id = house.do("registry", lambda me: enqueue(me, DECIDE, "批量办理", params).id)

    def is_done(self, house: House) -> bool:
        """True if every case is decided, False if none is; what lies between fails."""
        made = decided(house) - self.before
        assert made in (0, self.cases), f"{made} of {self.cases} decided"
        return made == self.cases

    def check(self, house: House, row: dict[str, Any]) -> None:
        assert (row["result"]["decided"], row["result"]["refused"]) == (self.cases, 0)
        assert len(row["result"]["rows"]) == self.cases


@dataclass
class Import:
    """6,000 freshmen of a checked admissions file."""

    key = "import"
    template = "university"
    run_id: int = 0
    students: int = 6000
    before: tuple = ()

    def ask(self, house: House) -> None:
        self.before = admitted(house)
        client = house.cast.login("admissions")
        sent = {
            "file": (io.BytesIO((house.files.parent / "admissions.xlsx").read_bytes()), "录取.xlsx"),
            "subject": "2026",
        }
        check = client.post("/imports/admissions/", data=sent, content_type="multipart/form-data").location
        user_id = house.actor("admissions").user_id
        with house.app.app_context():  # the check, which saves nothing, needs no worker
            perform(RunRecord(int(check.rpartition("/")[2]), user_id), lambda: False)
        answer = client.post(f"{check}/commit")
        assert answer.status_code == 302, answer.text
        self.run_id = int(answer.location.rpartition("/")[2])

    def is_done(self, house: House) -> bool:
        made = [now - then for now, then in zip(admitted(house), self.before, strict=True)]
        assert made in ([0, 0, 0], [self.students] * 3), made
        return made[0] > 0

    def check(self, house: House, row: dict[str, Any]) -> None:
        assert row["result"]["new"] == self.students


@dataclass
class Export:
    """The whole roster as a workbook of every column."""

    key = "export"
    template = "cases"
    run_id: int = 0

    def ask(self, house: House) -> None:
        params = {"screen": "StudentScreen", "workbook": "roster", "query": "", "columns": COLUMNS, "grouped": False}
        self.run_id = house.do("registry", lambda me: enqueue(me, "export", "学生名册", params).id)

    def is_done(self, house: House) -> bool:
        ((state, name),) = house.rows("select state, file_name from job_run where id = :id", id=self.run_id)
        audits = house.one("select count(*) from audit_entry where action = 'export'")
        assert (state == JobState.DONE) == bool(name) == (audits == 1), (state, name, audits)
        return state == JobState.DONE

    def check(self, house: House, row: dict[str, Any]) -> None:
        students = house.one("select count(*) from student")
        assert row["result"]["rows"] == students
        (file,) = house.paths("jobs")
        assert file == house.files / "jobs" / row["file_path"]
        assert rows_of(file.read_bytes()) == students + 1


JOBS = (Import, Batch, Export)


def admitted(house: House) -> tuple:
    """Freshmen, their entries in the ledger, and how many the audit tells of."""
    (counts,) = house.rows(ADMITTED)
    return counts


def waiting(house: House) -> list[int]:
    query = "select case_id from case_step where key = 'registry' and state = 'open' order by case_id"
    return [row[0] for row in house.rows(query)]


def decided(house: House) -> int:
    """How many leaves took effect; every trace of them agrees, and notice numbers have no gap."""
    (counts,) = house.rows(DONE_AT_REGISTRY)
    assert len(set(counts)) == 1, counts
    return int(counts[0])


def rows_of(workbook: bytes) -> int:
    """Rows of the first sheet, as a reader that knows nothing of us counts them."""
    return sum(1 for _row in CalamineWorkbook.from_filelike(io.BytesIO(workbook)).get_sheet_by_index(0).iter_rows())


def scan() -> FileStorage:
    """A scan of nearly a megabyte."""
    return FileStorage(
        io.BytesIO(b"%PDF-1.7\n" + os.urandom(900_000) + b"\n%%EOF\n"), "诊断证明.pdf", content_type="application/pdf"
    )
