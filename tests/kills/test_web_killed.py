"""kill -9 of the web server within an upload, a decision and a download: all or nothing, and done again it is done."""

import io
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import text
from werkzeug.datastructures import FileStorage

from app.jobs.upkeep import remove_strays
from tests.kills.conftest import Open
from tests.kills.house import Browser, House
from tests.kills.scenes import COLUMNS, decided, rows_of, scan, waiting

KILLS = 10
A_DAY = 86_400
ANNOUNCED = "select count(*) from job_run where kind = 'admissions_check'"
QUEUED = "select count(*) from procrastinate_jobs where task_name = 'run_job'"
SCANS = "select count(*) from case_material"


class Upload:
    """An admissions file: its check is asked for, or it is not; a file without a check expires."""

    key, who = "import: upload", "admissions"

    def __init__(self, house: House, content: bytes) -> None:
        self.house, self.content = house, content

    def form(self) -> tuple[str, dict[str, Any]]:
        return "/imports/admissions/", {
            "file": FileStorage(io.BytesIO(self.content), "录取.xlsx"),
            "subject": "2026",
        }

    def made(self) -> int:
        announced, queued = self.house.one(ANNOUNCED), self.house.one(QUEUED)
        assert announced == queued
        return announced

    def answered(self, address: str, content: bytes) -> None:
        assert address.rpartition("/")[2].isdecimal(), address


class Decide:
    """Cases approved by the registry at once: all, with their notices and one result, or none and no result."""

    key, who = "batch decision", "registry"

    def __init__(self, house: House, cases: int) -> None:
        self.house, self.cases = house, cases

    def form(self) -> tuple[str, dict[str, Any]]:
        rows = [f"{case}:registry" for case in waiting(self.house)[: self.cases]]
        return "/inbox/decide", {"act": "approve", "originals": "y", "opinion": "", "rowid": rows}

    def made(self) -> int:
        done = decided(self.house)
        results = self.house.one("select count(*) from job_run where kind = 'decide' and state = 'done'")
        assert done == results * self.cases, (done, results)
        return results

    def answered(self, address: str, content: bytes) -> None:
        assert "/inbox/result/" in address, address


class Download:
    """A workbook streamed at once: audited if it was written, and nothing of it stays."""

    key, who = "export: download", "registry"

    def __init__(self, house: House, rows: int) -> None:
        self.house, self.rows = house, rows

    def form(self) -> tuple[str, dict[str, Any]]:
        return "/studentscreen/export/roster", {"columns": COLUMNS}

    def made(self) -> int:
        return self.house.one("select count(*) from audit_entry where action = 'export'")

    def answered(self, address: str, content: bytes) -> None:
        assert rows_of(content) == self.rows + 1


class Attach:
    """A scan of a material: its row and its file, or neither."""

    key, who = "material upload", "student"

    def __init__(self, house: House) -> None:
        self.house = house
        self.case = house.one("select id from flow_case where state = 'draft'")

    def form(self) -> tuple[str, dict[str, Any]]:
        return f"/casescreen/upload/{self.case}/application", {"file": scan()}

    def made(self) -> int:
        for path, size in self.house.rows(
            "select path, size from case_material where content_type = 'application/pdf' and size > 1"
        ):
            assert (self.house.files / path).stat().st_size == size
        return self.house.one(SCANS)

    def answered(self, address: str, content: bytes) -> None:
        assert address.split("#")[0].endswith(f"/show/{self.case}"), address


def acts(house: House, upload: bytes, *, cases: int) -> list:
    return [
        Upload(house, upload),
        Decide(house, cases),
        Download(house, house.one("select count(*) from student")),
        Attach(house),
    ]


def nothing_lies_about(house: House) -> None:
    """After a day's upkeep each file is one that a row names, and no unfinished download is left."""
    house.holds_nothing()
    with house.app.app_context():
        remove_strays(time.time() + A_DAY + 1)
    named = {path for (path,) in house.rows("select path from case_material where size > 1")}
    assert {str(path.relative_to(house.files)) for path in house.paths("materials")} == named
    assert house.paths("tmp") == [] == house.paths("pending")


@contextmanager
def browsers(house: House, doing: list) -> Iterator[dict[str, Browser]]:
    house.web.start()
    yield {act.who: Browser(house.web.url, act.who) for act in doing}


def test_the_last_moment_of_each_request(open_house: Open, admissions_file):
    """Each is killed when all is written but not committed, held there by a lock; gunicorn starts again by itself."""
    house = open_house("cases")
    doing = acts(house, admissions_file(200).read_bytes(), cases=300)
    with browsers(house, doing) as people:
        for act in doing:
            before, (path, fields) = act.made(), act.form()
            with house.stopped_at("audit_entry"), people[act.who].posting(path, **fields) as came:
                house.wait(house.blocked, "the request is at its last statement")
                house.web.kill(master=False)
            assert "broken" in came, came
            house.quiet()
            assert act.made() == before
            path, fields = act.form()
            act.answered(*people[act.who].post(path, **fields))
            assert act.made() == before + 1
    assert len(house.paths("materials")) == 2  # one was killed before its row was there
    nothing_lies_about(house)


@pytest.mark.kills
def test_ten_random_moments_of_each_request(open_house: Open, admissions_file, told: Callable[..., None]):
    """Moments spread over the time that the request takes; every second time the master is killed as well."""
    house = open_house("cases", cases=(KILLS + 1) * 500, students=20_000)
    with house.owner.begin() as connection:
        connection.execute(text("update setting set value = '50000' where key = 'export_stream_rows'"))
    doing = acts(house, admissions_file(6000).read_bytes(), cases=500)
    chance = random.Random(20260902)  # noqa: S311 - points in time, not secrets
    with browsers(house, doing) as people:
        for act in doing:
            path, fields = act.form()
            start = time.monotonic()
            act.answered(*people[act.who].post(path, **fields))
            whole = time.monotonic() - start
            for number in range(KILLS):
                if not (path_fields := act.form())[1].get("rowid", True):
                    break
                before, (path, fields) = act.made(), path_fields
                moment = (number + chance.random()) / KILLS * whole * 1.1  # and a little beyond the end
                with people[act.who].posting(path, **fields) as came:
                    time.sleep(moment)  # the point of death; nothing is waited for
                    at = house.at_work()
                    house.web.kill(master=number % 2 == 0)
                house.quiet()
                after = act.made()
                assert after - before in (0, 1)
                assert after - before == 1 or "answer" not in came, came
                told(act.key, "web", moment, whole, at, "all" if after > before else "nothing")
                if number % 2 == 0:
                    house.web.start()
                people[act.who].get("/health")  # it serves again
        for act in doing:  # and whoever asks again is served
            path, fields = act.form()
            act.answered(*people[act.who].post(path, **fields))
    nothing_lies_about(house)
