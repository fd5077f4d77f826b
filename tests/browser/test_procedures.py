"""Every procedure of one student in Chromium: each role in her own session, to the papers, the ledger and the roster.

The walk follows the declarations; a new flow adds its line to tests/flows/walk.py.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine, create_engine, text
from werkzeug.security import generate_password_hash

from app import cluster
from app.access import Role
from app.kit.flow import FLOWS, Flow, Step
from app.papers import decision_letter, review_decision
from tests.browser.conftest import WEB, Visitor, running
from tests.cast import PASSWORD, STUDENT, account
from tests.conftest import Bed
from tests.flows.many import prepare
from tests.flows.test_material import PNG
from tests.flows.walk import FILLED, RECORDED, SIGNERS, UNREGISTERED, recorded_days, starting_from

FIRST = date(2026, 9, 1)  # the second day of the term: whatever has a window in its first week is open
THIRD_WEEK = date(2026, 9, 16)
AFTER = date(2026, 9, 24)  # five working days, one of them a Sunday that is worked, are over
# Dismissal and appeal have walks of their own below; the change of major, which a round decides, in test_transfer_round.py.
OTHERS = {Role.REGISTRY: "registry_c", Role.VICE_PRESIDENT: "vp_b"}  # who had no hand in the decision
APART = frozenset({"dismissal", "appeal", "correction", "major_transfer"})
BY_STUDENT = [key for key in FLOWS if key in FILLED and key not in APART]
SCAN = {"name": "扫描件.png", "mimeType": "image/png", "buffer": PNG}
AWAY = text("insert into absence (student_id, college_id, student_college_id, since, recorded_by)"
            " select s.id, 1, 1, '2026-08-01', u.id from student s, ab_user u where s.id = :id and u.username = 'clerk'")  # fmt: skip
EXTRA = text("insert into roster_change (student_id, college_id, student_college_id, code, effective_on, new_status,"
             " new_college_id, new_major_id, new_class_group_id, new_grade, new_study_length, new_text)"
             " select id, college_id, college_id, 'A2', '2024-09-01', status, college_id, major_id, class_group_id,"
             " grade, study_length, '{}' from student where id > 106 and college_id = 1")  # fmt: skip


class School:
    """The cast, a student of its own with an account for each procedure, and the people's browsers of one day."""

    def __init__(self, bed: Bed, chromium: Browser, folder: Path) -> None:
        self.bed, self.chromium, self.folder = bed, chromium, folder
        self.owner: Engine = create_engine(bed.cluster.url(cluster.OWNER, bed.copy()))
        self.student = {key: 1101 + place for place, key in enumerate([*BY_STUDENT, "dismissal", "major_transfer"])}
        self.student["appeal"] = self.student["dismissal"]
        self.cases: dict[str, int] = {}
        hashed = generate_password_hash(PASSWORD, method="pbkdf2:sha256:1")
        with self.owner.begin() as connection:
            prepare(connection)
            for key, number in self.student.items():
                if key != "appeal":
                    self._enrol(connection, hashed, key, number)
            connection.execute(EXTRA)
            connection.execute(AWAY, {"id": self.student["dismissal"]})

    def _enrol(self, connection, hashed: str, key: str, number: int) -> None:
        status = starting_from(FLOWS[key])
        values = {"id": number, "name": f"李{number}", "pinyin": f"li{number}", "id_number": f"50010120060101{number}",
                  "no": f"20240101{number}", "examinee": f"24500{number:09}", "college": 1, "major": 1, "class": 1}  # fmt: skip
        connection.execute(STUDENT, values)
        connection.execute(text("update student set status = :s, registered = :r where id = :id"),
                           {"s": status, "r": status not in UNREGISTERED, "id": number})  # fmt: skip
        account(connection, hashed, f"s{number}", "student", "student", student=number)

    def name(self, flow: Flow) -> str:
        """What the flow's student is called in the end."""
        return FILLED[flow.key].get("new_name") or f"李{self.student[flow.key]}"

    @contextmanager
    def on(self, day: date, parts: tuple[str, ...] = WEB) -> Iterator["Day"]:
        with running(self.bed, str(self.owner.url.database), self.folder, day, parts) as url:
            visitor = Visitor(self.chromium.new_context(base_url=url, locale="zh-CN"))
            yield Day(self, visitor, day)
            visitor.context.close()
        assert not visitor.complaints

    def rows(self, statement: str, **values: Any) -> list[Any]:
        with self.owner.connect() as connection:
            return list(connection.execute(text(statement), values))


class Day:
    """The people on one day, at a browser in turn. `page("leader")` is logged in as her from then on."""

    def __init__(self, school: School, visitor: Visitor, today: date) -> None:
        self.school, self.visitor, self.today = school, visitor, today
        self.meetings: dict[str, str] = {}

    def page(self, username: str) -> Page:
        return self.visitor.become(username).page

    def case(self, username: str, key: str) -> Page:
        page = self.page(username)
        page.goto(f"/casescreen/show/{self.school.cases[key]}")
        return page

    # applying

    def apply(self, flow: Flow) -> None:
        """The student herself, or her clerk where she cannot, fills in the form, attaches each scan, hands it in."""
        number = self.school.student[flow.key]
        page = self.page(f"s{number}" if Role.STUDENT in flow.applicants else "clerk")
        page.goto(f"/apply/{flow.key}/{number}")
        self.fill(page, {item.key: FILLED[flow.key].get(item.key) for item in flow.fields})
        page.click(".save-bar .btn-primary")
        page.wait_for_url("**/casescreen/show/*")
        self.school.cases[flow.key] = int(page.url.rsplit("/", 1)[1])
        for place in range(page.locator("form.upload").count()):
            upload = page.locator("form.upload").nth(place)
            upload.locator(".drop input").set_input_files(SCAN)
            expect(page.locator(".material:has(.files a)")).to_have_count(place + 1)
        page.click("button[value=submit]")
        done(page)

    def fill(self, page: Page, values: dict[str, Any]) -> None:
        for name, value in values.items():
            field = page.locator(f"#{name}")
            if value is None:
                continue
            if field.evaluate("field => field.tagName") == "SELECT":
                field.select_option(str(value))
            else:
                field.fill(self.today.isoformat() if isinstance(value, date) else str(value))

    # signing

    def sign(self, flow: Flow, step: Step) -> None:
        if step.publicity:
            self.pass_publicity(flow, step)
        elif step.document:
            page = self.page("registry")
            page.goto("/documents/")
            page.fill("#title-1", f"关于{flow.title}的决定")
            page.click("text=预览文件")
            page.click("main form button.btn-primary")
            done(page)
        else:
            if step.hands_differ_from == ("listing",):
                return self.approve(flow, step, "registry_b")
            signer = OTHERS[step.role] if "about" in step.hands_differ_from else SIGNERS.get(step.role)
            for who in ("library", "finance") if step.role == Role.DEPARTMENT else (signer,):
                self.approve(flow, step, who)

    def approve(self, flow: Flow, step: Step, who: str) -> None:
        meeting = self.meeting(who, step.meeting) if step.meeting else None
        page = self.case(who, flow.key)
        if step.checklist:
            for item in page.locator("[name=item]").all():
                item.check()
        made = RECORDED | recorded_days(self.today)
        self.fill(page, {name: made[name] for name in step.records})
        if meeting:
            chosen = page.locator("#meeting_id option", has_text=meeting).get_attribute("value")
            page.select_option("#meeting_id", chosen)
        if step.originals:
            page.check("#originals")
        page.click("button[value=approve]")
        done(page)

    def meeting(self, who: str, kind: str) -> str:
        """One meeting of the day agrees to every case; recorded with its minutes when the first of them needs it."""
        if who not in self.meetings:
            page = self.page(who)
            page.goto("/meetingscreen/record")
            self.meetings[who] = f"{self.today:%m%d}-{len(self.meetings)}次"
            said = {"number": self.meetings[who], "participants": "全体", "resolution": "同意"}
            self.fill(page, said | ({} if who == "clerk" else {"kind": kind}))
            page.set_input_files("input[type=file]", SCAN)
            page.click(".save-bar .btn-primary")
            done(page)
        return self.meetings[who]

    def publish(self, flow: Flow) -> None:
        page = self.page("registry")
        page.goto("/publicities/")
        page.fill(f"#title-{flow.key}", f"{flow.title}公示")
        page.click("button[data-confirm]")
        page.click("#confirm-ok")
        done(page)
        listed = self.page("")
        listed.goto("/publicity/")
        number = self.school.student[flow.key]
        expect(listed.locator("table")).to_contain_text(f"李{number}")
        expect(listed.locator("body")).not_to_contain_text(f"20240101{number}")

    def pass_publicity(self, flow: Flow, step: Step) -> None:
        if self.today == AFTER:
            return self.approve(flow, step, "registry")
        self.publish(flow)
        page = self.case("registry", flow.key)
        page.click("button[value=approve]")
        expect(page.locator(".alert-danger")).to_contain_text("公示至")
        self.visitor.complaints.pop()  # the browser's own word of a refusal that was to come
        return None

    # what it came to

    def papers_are_there(self, flow: Flow) -> None:
        """The application form and the notice, if the flow issues one, each a sheet with the student's name."""
        page, name = self.case("registry", flow.key), self.school.name(flow)
        links = page.locator("a[href*='/print?id='], a[href*='/application/']")
        letters = (decision_letter.issue, review_decision.issue)
        issued = 2 if flow.paper in letters else bool(flow.paper)  # the notice, and the decision's letter
        expect(links).to_have_count(1 + issued)
        for address in [link.get_attribute("href") for link in links.all()]:
            page.goto(address)
            expect(page.locator(".sheet")).to_contain_text(name)

    def it_is_in_ledger_and_roster(self, flow: Flow) -> None:
        case, number = self.school.cases[flow.key], self.school.student[flow.key]
        (row,) = self.school.rows("select state from flow_case where id = :id", id=case)
        assert row.state == "done"
        entries = self.school.rows("select new_status, document_no from roster_change where case_id = :id", id=case)
        assert len(entries) == int(flow.changes_roster)
        page = self.page("registry")
        page.goto(f"/studentscreen/show/{number}?tab=changes")
        if not flow.changes_roster:
            expect(page.locator("h1")).to_have_text(self.school.name(flow))
            return
        (student,) = self.school.rows("select status from student where id = :id", id=number)
        assert student.status == entries[0].new_status
        expect(page.locator(".timeline li, ol li").first).to_contain_text(entries[0].document_no)


def done(page: Page) -> None:
    expect(page.locator(".alert-success")).to_be_visible()


@pytest.fixture(scope="module")
def school(bed: Bed, chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    made = School(bed, chromium, tmp_path_factory.mktemp("school"))
    yield made
    made.owner.dispose()


@pytest.fixture(scope="module")
def first_day(school: School) -> Iterator[Day]:
    with school.on(FIRST) as day:
        yield day


@pytest.mark.xdist_group("procedures")  # one process starts one server for all of them
@pytest.mark.parametrize("key", BY_STUDENT)
def test_from_the_application_to_the_papers(first_day: Day, key: str) -> None:
    flow = FLOWS[key]
    first_day.apply(flow)
    for step in flow.steps:
        first_day.sign(flow, step)
    first_day.papers_are_there(flow)
    first_day.it_is_in_ledger_and_roster(flow)


def test_a_dismissal_its_publicity_its_document_and_the_appeal(school: School) -> None:
    dismissal, appeal = FLOWS["dismissal"], FLOWS["appeal"]
    place = next(place for place, step in enumerate(dismissal.steps) if step.publicity)
    with school.on(THIRD_WEEK) as day:
        day.apply(dismissal)
        for step in dismissal.steps[: place + 1]:
            day.sign(dismissal, step)
    with school.on(AFTER) as day:
        for step in dismissal.steps[place:]:
            day.sign(dismissal, step)
        day.papers_are_there(dismissal)
        day.it_is_in_ledger_and_roster(dismissal)
        day.apply(appeal)
        for step in appeal.steps:
            day.sign(appeal, step)
        day.papers_are_there(appeal)
        day.it_is_in_ledger_and_roster(appeal)
        (student,) = school.rows("select status from student where id = :id", id=school.student["appeal"])
        assert student.status == "enrolled"
