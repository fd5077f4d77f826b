"""Walks any flow from its declaration: a student in the right state, a complete case, every step by the right hands.

A new flow adds a line to FILLED (what its form is filled with) and, where a step records columns, to RECORDED.
"""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import date, timedelta
from typing import Any

from app.access import Actor, Role, scope_as
from app.kit import clock
from app.kit.flow import FLOWS, Flow, Outcome, decide, open_case, submit, window_state
from app.operations.cases.leaving import tick
from app.operations.proceedings.meetings import record_meeting
from app.operations.proceedings.publicity import publish
from app.operations.transfers.decision import decide_round, propose
from app.operations.transfers.rounds import confirm, examine, move_round
from app.papers import issue_document
from tests.conftest import TODAY, Behind, Cast

STUDENT, CLASSMATE, STRANGER = 101, 102, 201
UNREGISTERED = ("admitted", "deferred")  # who holds no formal 学籍 yet
ANSWERS = {"library": "图书", "finance": "费用"}
SIGNERS = {
    Role.STUDENT: "student", Role.COLLEGE_CLERK: "clerk", Role.COLLEGE_LEADER: "leader", Role.REGISTRY: "registry",
    Role.AFFAIRS_DIRECTOR: "director", Role.VICE_PRESIDENT: "vp", Role.ADMISSIONS: "admissions",
    Role.TRANSFER_PANEL: "panel",
}  # fmt: skip
FILLED: dict[str, dict[str, Any]] = {
    "admission_cancellation": {"reason": "ineligible", "statement": "复查不符合录取条件"},
    "admission_deferral": {"reason": "illness", "statement": "因病"},
    "admission_resumption": {"statement": "已康复"},
    "admission_waiver": {"statement": "另有打算"},
    "appeal": {"statement": "对处理决定不服"},
    "card_replacement": {"reason": "lost", "statement": "不慎遗失"},
    "dismissal": {"reason": "absence", "statement": "连续两周未到校"},
    "info_change": {"new_name": "张山", "statement": "户籍更正"},
    "leave": {"reason": "other", "leave_from": TODAY, "leave_terms": 2, "statement": "家中有事"},
    "return": {"return_on": TODAY, "statement": "康复"},
    "major_transfer": {"first_major_id": 3, "statement": "兴趣所在"},
    "voluntary_withdrawal": {"statement": "另有打算"},
    "voluntary_downgrade": {"statement": "希望打好基础"},
    "correction": {"statement": "派出所证明系同名误报"},
    "cancellation": {"died_on": date(2026, 8, 20)},
}
RECORDED: dict[str, Any] = {"grade": 2025, "class_group_id": 2, "delivered_how": "in_person", "told_how": "in_person",
                            "finding": "请假手续齐全，原处理依据不足", "card_no": "BB000001",
                            "informed_how": "in_person", "defence": "无", "legality_by": "法治办公室", "legality_result": "lawful", "legality_opinion": "合法",
                            "defence_taken": "none", "defence_answer": "无"}  # fmt: skip


def recorded_days(today: date) -> dict[str, str]:
    """The days that steps record, as they would be on this day; the cast's school leaves no days between."""
    days = {"informed_on": today, "legality_on": today, "delivered_on": today, "told_on": today}
    return {name: day.isoformat() for name, day in days.items()}


RECORDED_BY: dict[str, dict[str, Any]] = {"major_transfer": {"class_group_id": 3}}  # of the other college


def starting_from(flow: Flow) -> str:
    """A state from which the flow may start."""
    if flow.key == "appeal":
        return "withdrawn"
    enrolled = "enrolled" in flow.allowed_from and not flow.before_registration
    return "enrolled" if enrolled else min(flow.allowed_from)


def open_round(behind: Behind) -> None:
    """A round that offers the other college's major, if there is none yet."""
    if not behind.one("select count(*) from transfer_round"):
        behind.run("insert into transfer_round (id, title, state, choices) values (1, '2027年转专业', 'open', 2)")
        behind.run("insert into transfer_quota (round_id, major_id, places) values (1, 3, 5), (1, 2, 1)")


class Walk:
    """One flow and its people. `walk.at("affairs")` is the id of a case of the student that waits at that step."""

    def __init__(self, cast: Cast, behind: Behind, flow: Flow, student: int = STUDENT) -> None:
        self.cast, self.behind, self.flow, self.student = cast, behind, flow, student
        self.days = ExitStack()  # publicity moves the clock
        self.filled: dict[str, Any] = {}  # what this walk fills in otherwise

    # acting

    def act(self, who: str | Actor, verb: Callable, *args: Any, **how: Any) -> Any:
        """Call an operation as the request of this person would."""
        actor = getattr(self.cast, who) if isinstance(who, str) else who
        with scope_as(actor.scope):
            return verb(actor, *args, **how)

    @property
    def applicant(self) -> str:
        """Who applies: the student where she may, else the first office that may."""
        if Role.STUDENT in self.flow.applicants:
            return {STUDENT: "student", CLASSMATE: "classmate"}[self.student]
        return SIGNERS[min(self.flow.applicants)]

    def ready(self, status: str | None = None) -> None:
        """Bring the student into a state from which the flow may start."""
        status = status or starting_from(self.flow)
        if self.flow.key == "appeal" and status == "withdrawn":
            return self._dismissed()
        if self.flow.key == "correction" and status == "cancelled":
            return self._entered_as_dead()
        if self.flow.key == "major_transfer":
            open_round(self.behind)
        if self.flow.key == "dismissal":
            self.behind.run("insert into absence (student_id, college_id, student_college_id, since, recorded_by)"
                            " select :id, college_id, college_id, '2026-08-01', :by from student where id = :id"
                            " on conflict do nothing", id=self.student, by=self.cast.clerk.user_id)  # fmt: skip
        self.behind.run("update student set status = :s, registered = :r where id = :id", s=status,
                        r=status not in UNREGISTERED, id=self.student)  # fmt: skip

    def open_window(self) -> None:
        """Go to a day on which the flow's window is open, if it is not today."""
        if self.flow.window is None:
            return
        state = self.act("registry", lambda _actor: window_state(self.flow.window.keys, clock.today()))
        if not state.open:
            assert state.opens_on, f"the calendar of the cast never opens {self.flow.window.keys}"
            self.days.enter_context(clock.on(state.opens_on))

    def _entered_as_dead(self) -> None:
        """A correction needs an entry that was a mistake."""
        before = Walk(self.cast, self.behind, FLOWS["cancellation"], self.student)
        before.days = self.days
        before.ready()
        before.at("end")

    def _dismissed(self) -> None:
        """An appeal needs a decision that has reached the student."""
        before = Walk(self.cast, self.behind, FLOWS["dismissal"], self.student)
        self.behind.run("update department set receives = receives || '{dismissal}', leaving_items = '{}'"
                        " where key in ('library', 'finance')")  # fmt: skip
        before.days = self.days
        before.ready()
        before.open_window()
        before.at("leaving")

    def attach(self, case_id: int, *kinds: str) -> None:
        for kind in kinds:
            self.behind.run(
                "insert into case_material (case_id, student_id, college_id, student_college_id, kind, file_name,"
                " content_type, size, sha256, path, uploaded_by) select id, student_id, college_id,"
                " student_college_id, :kind, 'a.pdf', 'application/pdf', 1, '', gen_random_uuid()::text, opened_by"
                " from flow_case where id = :id", id=case_id, kind=kind,
            )  # fmt: skip

    # a case on its way

    def draft(self, by: str | None = None, **values: Any) -> int:
        filled = FILLED[self.flow.key] | self.filled | values
        return self.act(by or self.applicant, lambda actor: open_case(actor, self.flow, self.student, filled).id)

    def submitted(self) -> int:
        case_id = self.draft()
        self.attach(case_id, *(material.key for material in self.flow.materials))
        self.act(self.applicant, submit, case_id)
        return case_id

    def at(self, key: str) -> int:
        """A case that waits at the step; "end" for a finished one."""
        case_id = self.submitted()
        for step in self.flow.steps:
            if step.key == key:
                return case_id
            for outcome in self.sign(case_id, step.key):
                assert outcome.done, f"{step.key}: {outcome.reason}"
        return case_id

    def signer(self, key: str) -> str:
        """Who signs this step; the first of two departments."""
        step = self.step(key)
        if step.role == Role.DEPARTMENT:
            return "library"
        others = {one.role for one in self.flow.steps if one.key in step.hands_differ_from}
        if "about" in step.hands_differ_from:
            return {Role.REGISTRY: "registry_c", Role.VICE_PRESIDENT: "vp_b"}[step.role]
        if step.role == Role.REGISTRY and Role.REGISTRY in others:
            return "registry_b"
        return "leader2" if step.target and step.role == Role.COLLEGE_LEADER else (
            "clerk2" if step.target else SIGNERS[step.role])  # fmt: skip

    def step(self, key: str):
        return next(step for step in self.flow.steps if step.key == key)

    def records(self, key: str) -> dict[str, Any]:
        """What a step must record, made up where it needs a row of its own."""
        step = self.step(key)
        made = RECORDED | RECORDED_BY.get(self.flow.key, {}) | recorded_days(clock.today())
        records: dict[str, Any] = {name: made[name] for name in step.records}
        if step.originals:
            records["originals"] = True
        if step.meeting:
            records["meeting_id"] = self.meeting(self.signer(key), step.meeting)
        return records

    def meeting(self, who: str, kind: str | None = None) -> int:
        said = {"held_on": clock.today(), "participants": "全体", "resolution": "同意"}
        number = f"第{self.behind.one('select count(*) from meeting') + 1}次"
        meeting_id = self.act(who, lambda actor: record_meeting(actor, number=number, kind=kind, **said).id)
        self.behind.run("update meeting set minutes_name = '纪要.pdf', minutes_path = gen_random_uuid()::text,"
                        " minutes_type = 'application/pdf' where id = :id", id=meeting_id)  # fmt: skip
        return meeting_id

    def sign(self, case_id: int, key: str) -> list[Outcome]:
        """Approve as the flow asks: departments tick their items, a list is published, a document is issued."""
        step = self.step(key)
        if step.key == "panel":
            return self.decide_round(case_id)
        if step.publicity:
            self.publish(case_id)
        if step.document:
            self.act("registry", issue_document, [case_id], step=key, title="关于学籍处理的决定")
            return []
        people = ("library", "finance") if step.role == Role.DEPARTMENT else (self.signer(key),)
        outcomes = []
        for who in people:
            if step.checklist:
                self.act(who, tick, case_id, [ANSWERS[who]])
            outcomes += self.decide(who, case_id, key)
        return outcomes

    def decide_round(self, case_id: int) -> list[Outcome]:
        """The target college examines and confirms, scores come in, and the round decides."""
        choices = [
            row["id"] for row in self.behind.rows("select id from transfer_choice where case_id = :id", id=case_id)
        ]
        self.act("clerk2", examine, choices, passed=True)
        self.act("leader2", confirm, 1, self.meeting("leader2"))
        self.behind.run("update flow_case set score = 80 where id = :id", id=case_id)
        self.act("registry", move_round, 1, "ranking")
        meeting = self.meeting("panel")
        shown = self.act("panel", lambda _actor: propose(1).print)
        return self.act("panel", decide_round, 1, meeting_id=meeting, expected=shown)

    def publish(self, *case_ids: int) -> None:
        """Publish them on one list, and let the days pass."""
        said = "异议请向教务处提出。"
        closes_on = self.act("registry", lambda actor: publish(actor, list(case_ids), "公示", said).closes_on)
        self.days.enter_context(clock.on(closes_on + timedelta(days=1)))

    def decide(self, who: str | Actor, case_id: int, key: str, **how: Any) -> list[Outcome]:
        recorded = how.get("act", "approve") == "approve" or (
            how["act"] == "refuse" and self.step(key).refusal == "recorded"
        )
        how.setdefault("records", self.records(key) if recorded else None)
        return self.act(who, decide, [case_id], expected_step=key, **how)

    def state(self, case_id: int) -> tuple[str, str | None]:
        (row,) = self.behind.rows("select state, step_key from flow_case where id = :id", id=case_id)
        return row["state"], row["step_key"]

    def roster(self) -> dict[str, Any]:
        (row,) = self.behind.rows("select status, grade, college_id, major_id, class_group_id, name, id_number"
                                  " from student where id = :id", id=self.student)  # fmt: skip
        return row


def all_flows() -> list[Flow]:
    return list(FLOWS.values())
