"""演示办件 cases under way in the demo, so that no page of a procedure is empty: at every kind of step, on lists, away."""

from datetime import date, datetime, time, timedelta
from itertools import takewhile
from pathlib import Path
from secrets import token_hex
from typing import Any

from sqlalchemy import Connection, Row, Table, func, insert, select, text

from app.access import Role
from app.flows.dismissal import dismissal
from app.flows.info_change import info_change
from app.flows.leave import leave
from app.flows.voluntary_withdrawal import voluntary_withdrawal
from app.kit import clock
from app.kit.calendar import overrides, working_days_after
from app.kit.filing import path_of
from app.kit.flow import Flow
from app.models import (
    Absence,
    Case,
    CaseEvent,
    CaseStep,
    Department,
    Document,
    Exemption,
    Material,
    Meeting,
    Objection,
    Publicity,
    PublicityEntry,
    Student,
    Term,
)
from app.models.accounts.account import signature
from app.operations.roster.leave_terms import end_of_leave

SHOWN = "08"  # the college whose clerk, leader and students log in first
NOTICE = "对公示内容有异议的，请在公示期内以书面形式向教务处学籍中心反映，并写明姓名和联系方式。"
MEETINGS = {"college": "党政联席会", "committee": "转专业工作小组会议", "school": "校长办公会"}
WHY = ("家中有事，申请休学。", "准备创业，申请休学。", "随父母出国，申请休学。")
SPARED = 5  # students of the college whose applications are those of the round of transfers
BATCH = 60  # applications for leave, half of them at each of two steps, to be decided in one act
SCAN = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n" \
       b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n"  # fmt: skip
STUDENTS = text("""
    select s.id, s.name, s.student_no, s.college_id, s.major_id, s.grade, s.education_level, c.name as college, c.code as college_code
    from student s
    join college c on c.id = s.college_id
    where c.code = :college and s.status = :status and s.student_no is not null
        and (s.registered or s.status = 'withdrawn') and s.entry_year < :year
        and not exists (select from identity i where i.student_id = s.id)
    order by s.student_no desc limit :many
""")
OVERDUE = text("""
    select k.student_id, k.college_id, k.due_on from legal_clock k join college c on c.id = k.college_id
    where c.code = :college and k.kind = 'leave' and k.due_on < :today order by k.due_on limit 1
""")

# The check-in of the college is half done: a few may report later, a few are not recorded yet.
REGISTERED = text("""
    insert into registration (student_id, college_id, student_college_id, year, season, state, since, due_on, recorded_by)
    select s.id, s.college_id, s.college_id, t.year, t.season, case when s.id % 40 = 0 then 'deferred' else 'registered' end,
        t.opens_on, case when s.id % 40 = 0 then t.due_on + 30 end, :clerk
    from dated_task t join student s on s.college_id = t.college_id
    where t.key = any('{returning_checkin,spring_checkin}') and t.opens_on <= :today and t.due_on >= :today
        and s.college_id = :college and s.status = 'enrolled' and (s.entry_year < t.year or t.season = 'spring')
        and s.id % 30 <> 1
    on conflict do nothing
""")


class Proceedings:
    """Writes cases as if the people of the demo had brought them to where they stand."""

    def __init__(self, connection: Connection, today: date, files_root: Path | None) -> None:
        self.connection, self.today, self.files_root = connection, today, files_root
        self.users = {row.username: row for row in connection.execute(text("select * from ab_user"))}
        self.departments = list(connection.execute(select(*Department.__table__.c).order_by(Department.id)))
        self.own = overrides(connection)
        self.due = {days: day for days, day in enumerate(working_days_after(today, 60, self.own), 1)}
        self.meetings: dict[tuple[str, int | None, date], dict[str, Any]] = {}

    def write(self, model: Any, **values: Any) -> int:
        table: Table = model.__table__
        return self.connection.execute(insert(table).values(**values).returning(table.c.id)).scalar_one()

    @staticmethod
    def at(day: date) -> datetime:
        """The morning of a day; whoever makes the demo earlier on that day finds nothing signed after the present moment."""
        morning = datetime.combine(day, time(9, 30), clock.ZONE)
        return min(morning, clock.now()) if day == clock.today() else morning

    def students(self, college: str, many: int, status: str = "enrolled") -> list[Row]:
        values = {"college": college, "many": many, "status": status, "year": self.today.year}
        return list(self.connection.execute(STUDENTS, values))

    def signer(self, role: str, college: str) -> Row:
        names = {Role.AFFAIRS_DIRECTOR: "director", Role.VICE_PRESIDENT: "vp", Role.REGISTRY: "registry",
                 Role.TRANSFER_PANEL: "transfers", Role.COLLEGE_CLERK: f"clerk{college}", Role.COLLEGE_LEADER: f"leader{college}"}  # fmt: skip
        return self.users[names[Role(role)]]

    def case(
        self, flow: Flow, student: Row, step: str | None, college: str = SHOWN, *, since: int = 0,
        lasted: dict[str, int] | None = None, **values: Any,
    ) -> int:  # fmt: skip
        """A case of the student that has waited at a step `since` so many days, None: a draft. An earlier step took a day,
        or as many as `lasted` says."""
        signed = self.signed_on(flow, step, since, lasted or {})
        handed_in = min(signed.values(), default=self.today - timedelta(days=since)) - timedelta(days=1)
        number = self.connection.execute(text("select nextval(pg_get_serial_sequence('flow_case', 'id'))")).scalar_one()
        clerk = self.signer(Role.COLLEGE_CLERK, college)
        self.write(
            Case, id=number, flow=flow.key, flow_version=flow.version, number=f"{flow.prefix}{self.today.year}-{number:06}",
            state="open" if step else "draft", step_key=step, subject=f"{student.name} ({student.student_no})",
            subject_pinyin=select(Student.pinyin).where(Student.id == student.id).scalar_subquery(),
            opened_by=clerk.id, opened_by_role=Role.COLLEGE_CLERK, opened_at=self.at(handed_in),
            submitted_at=self.at(handed_in) if step else None, took_effect=any(one.takes_effect for one in flow.steps if one.key in signed),
            **self.of(student), **values,
        )  # fmt: skip
        if step:
            self.event(number, student, "submit", clerk, handed_in)
            self.steps(flow, number, student, step, college, signed)
            for material in flow.materials:
                if material.when is None:
                    self.scan(number, student, material.key, clerk)
        return number

    def of(self, student: Row) -> dict[str, Any]:
        return {"student_id": student.id, "college_id": student.college_id, "student_college_id": student.college_id}

    def signed_on(self, flow: Flow, step: str | None, since: int, lasted: dict[str, int]) -> dict[str, date]:
        """Key of each step before this one → the day on which it was signed, reckoned back from today."""
        day, signed = self.today - timedelta(days=since), {}
        for one in reversed(list(takewhile(lambda one: one.key != step, flow.steps)) if step else []):
            signed[one.key] = day
            day -= timedelta(days=lasted.get(one.key, 1))
        return signed

    def steps(self, flow: Flow, number: int, student: Row, step: str, college: str, signed_on: dict[str, date]) -> None:
        """The steps up to the one that is open; departments beside each other."""
        keys = [one.key for one in flow.steps]
        here = keys.index(step)
        effective, opened = False, min(signed_on.values(), default=self.today) - timedelta(days=1)
        for place, one in enumerate(flow.steps):
            receiving = [row for row in self.departments if flow.key in row.receives] if one.each_department else [None]
            state = "done" if place < here else "open" if place == here else "waiting"
            day = signed_on.get(one.key, self.today)
            for department in receiving:
                items = list(department.leaving_items) if department and one.checklist else []
                signed = self.signer(one.role, college) if state == "done" else None
                meeting = self.meeting(one.role, student, college, day) if signed and one.meeting else None
                self.write(
                    CaseStep, case_id=number, **self.of(student), signing_college_id=student.college_id,
                    position=place + 1, key=one.key, role=one.role, days=one.days, state=state,
                    department_id=department.id if department else None,
                    declared=one.to_json() | {"after_effect": effective, "items": items},
                    opened_at=self.at(opened) if state != "waiting" else None,
                    due_on=self.due[one.days] if state == "open" else None,
                    decided_at=self.at(day) if signed else None, decided_by=signed.id if signed else None,
                    records=meeting or {}, meeting_id=meeting["meeting_id"] if meeting else None,
                    cleared=items[: len(items) // 2] if state == "open" else [],
                )  # fmt: skip
                if signed:
                    self.event(number, student, "approve", signed, day, step_key=one.key, role=one.role)
            effective, opened = effective or one.takes_effect, day

    def event(self, number: int, student: Row, act: str, who: Row, day: date, **more: Any) -> None:
        role = more.pop("role", Role.COLLEGE_CLERK)
        self.write(CaseEvent, case_id=number, **self.of(student), act=act, role=role, actor_id=who.id,
                   actor_name=signature(who), at=self.at(day), **more)  # fmt: skip

    def scan(self, number: int, student: Row, kind: str, who: Row) -> None:
        if path := self.file():
            self.write(Material, case_id=number, **self.of(student), kind=kind, file_name="扫描件.pdf", sha256="",
                       content_type="application/pdf", size=len(SCAN), path=path, uploaded_by=who.id)  # fmt: skip

    def file(self) -> str | None:
        """Where a scan was written, below the folder of files; None where there is no such folder."""
        if self.files_root is None:
            return None
        path = path_of(f"{token_hex(16)}.pdf")
        target = self.files_root / path
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.write_bytes(SCAN)
        return path

    def meeting(self, role: str, student: Row | None, college: str, held: date) -> dict[str, Any]:
        """The meeting of whoever signs on this day, as a step records it; made when it is first asked for."""
        kind = {Role.COLLEGE_CLERK: "college", Role.COLLEGE_LEADER: "college", Role.TRANSFER_PANEL: "committee"}.get(
            Role(role), "school"
        )
        college_id = student.college_id if kind == "college" and student else None
        if (kind, college_id, held) not in self.meetings:
            held_before = select(func.count()).select_from(Meeting).where(Meeting.kind == kind)
            held_before = held_before.where(Meeting.college_id.is_not_distinct_from(college_id))
            path, place = self.file(), self.connection.execute(held_before).scalar_one() + 1
            number = f"第{place}次{MEETINGS[kind]}"
            meeting_id = self.write(
                Meeting, minutes_name="会议纪要.pdf" if path else None, minutes_path=path,
                minutes_type="application/pdf" if path else None, kind=kind, college_id=college_id, number=number,
                held_on=held, participants="与会全体成员", resolution="同意对相关学生的学籍处理意见。",
                recorded_by=self.signer(role, college).id, recorded_role=Role(role).value,
            )  # fmt: skip
            self.meetings[kind, college_id, held] = {"meeting_id": meeting_id, "meeting": f"{held} {number}"}
        return self.meetings[kind, college_id, held]

    def published(
        self, cases: list[tuple[int, Row]], title: str, opened: int, objection: str, answer: str | None
    ) -> None:
        """A list that was opened so many days ago, with an objection to its first case."""
        registry, opens_on = self.users["registry"], self.today - timedelta(days=opened)
        number = self.write(
            Publicity, title=title, notice=NOTICE, opens_on=opens_on, closes_on=working_days_after(opens_on, 5, self.own)[-1],
            published_by=registry.id, published_at=self.at(opens_on),
        )  # fmt: skip
        for case, student in cases:
            masked = f"{student.student_no[:4]}****{student.student_no[-2:]}"
            self.write(PublicityEntry, publicity_id=number, case_id=case, **self.of(student), name=student.name,
                       masked_no=masked, college_name=student.college, matter="退学处理：在读 → 退学")  # fmt: skip
        self.write(
            Objection, publicity_id=number, case_id=cases[0][0], objector="某同学", text=objection,
            received_on=opens_on, recorded_by=registry.id, answer=answer,
            answered_by=registry.id if answer else None, answered_at=self.at(self.today) if answer else None,
        )  # fmt: skip


def make_proceedings(connection: Connection, today: date, files_root: Path | None = None) -> None:
    """Cases for the colleges that log in first. A university too small for them gets none."""
    made = Proceedings(connection, today, files_root)
    people = made.students(SHOWN, 14)
    if len(people) < 14:
        return
    college_id = people[0].college_id
    known = {monday: weeks for monday, weeks in connection.execute(select(Term.first_monday, Term.weeks))}

    def lasting(terms: int) -> dict[str, Any]:
        until, estimated = end_of_leave(today, terms, known)
        return {"leave_terms": terms, "leave_until": until, "until_estimated": estimated}

    absent: dict[str, Any] = {"reason": "absence", "statement": "连续两周未请假离校，多次联系未果。"}
    heard = absent | {
        "informed_how": "in_person", "informed_on": today - timedelta(days=40), "defence": "无",
        "legality_by": "法治工作办公室", "legality_on": today - timedelta(days=30), "legality_opinion": "程序合法，依据适当。",
    }  # fmt: skip
    waiting = [made.case(dismissal, one, "publicity", since=1, **heard) for one in people[:2]]
    decided = [made.case(dismissal, one, "document", lasted={"publicity": 21}, **heard) for one in people[2:4]]
    made.published([*zip(decided, people[2:4], strict=True)], "退学处理公示（第一批）", 21, "请核实考勤记录。",
                   "经核查考勤记录，情况属实。")  # fmt: skip
    made.published([*zip(waiting, people[:2], strict=True)], "退学处理公示（第二批）", 1, "该生近期已返校上课。", None)
    made.case(dismissal, people[4], None, **absent)
    for one in people[:5]:
        made.write(Absence, **made.of(one), since=today - timedelta(days=60), note="多次联系未果",
                   recorded_by=made.users[f"clerk{SHOWN}"].id)  # fmt: skip
    for one, step in zip(people[5:8], ("accept", "college", "affairs"), strict=True):
        made.case(leave, one, step, reason="other", statement="家中有事，申请休学。", leave_from=today,
                  **lasting(2))  # fmt: skip
    for place, one in enumerate(made.students(SHOWN, 14 + SPARED + BATCH)[14 + SPARED :]):
        made.case(leave, one, "college" if place % 2 else "accept", since=place % 3, reason="other",
                  statement=WHY[place % len(WHY)], leave_from=today, **lasting(1 + place % 2))  # fmt: skip
    made.case(info_change, people[8], "accept", statement="户籍登记已更正。", new_birth_date=date(2006, 3, 1))
    made.case(voluntary_withdrawal, people[9], "school", statement="另有打算，申请退学。")
    for one in made.students(SHOWN, 2, "withdrawn"):
        made.case(voluntary_withdrawal, one, "leaving", statement="另有打算，申请退学。")
    clerk = made.users[f"clerk{SHOWN}"]
    connection.execute(REGISTERED, {"clerk": clerk.id, "college": college_id, "today": today})
    for one, days in zip(people[10:13], (4, 11, 19), strict=True):
        made.write(Absence, **made.of(one), since=today - timedelta(days=days), note="宿舍、班级均未见到",
                   recorded_by=clerk.id)  # fmt: skip
    overdue = connection.execute(OVERDUE, {"college": SHOWN, "today": today}).first()
    if overdue:
        made.write(
            Exemption, student_id=overdue.student_id, college_id=college_id, student_college_id=college_id,
            ground="leave_expired", since=str(overdue.due_on), reason="本人已联系，正在准备复学材料。",
            exempted_by=clerk.id, exempted_by_name=signature(clerk),
        )  # fmt: skip
    last = date(today.year - 1, 12, 20)
    made.write(
        Document, year=last.year, serial=12, number=f"教学籍〔{last.year}〕12号", dated=last, title="关于学生退学处理的决定",
        body="<p>各学院、各有关单位：</p><p class=\"indent\">经研究，决定对3名学生作退学处理。</p>", cases=3,
        issued_by=made.users["registry"].id,
    )  # fmt: skip
