"""What students and clerks apply for: any flow, with what people write into its form, right and wrong."""

from datetime import date, timedelta
from typing import Any

from app.access import Role
from app.kit.flow import FLOWS, Flow, open_case, save_draft, submit, withdraw
from app.operations.proceedings.dismissals import declare, exempt, hand_in_drafts
from tests.flows.walk import FILLED
from tests.year.year import Year

# How often each is tried on a day; the windows and the students' statuses refuse most of the rest.
WEIGHTS = {
    "leave": 8, "return": 9, "voluntary_downgrade": 3, "voluntary_withdrawal": 1, "cancellation": 1, "dismissal": 2,
    "info_change": 3, "card_replacement": 2, "appeal": 9, "major_transfer": 8, "admission_deferral": 4,
    "admission_waiver": 2, "admission_cancellation": 1, "admission_resumption": 4,
}  # fmt: skip
# When half of all applications are for one thing: the few days, or the month, of its window.
SEASONS = (
    ("major_transfer", date(2027, 1, 1), date(2027, 1, 31)), ("admission_resumption", date(2027, 9, 6), date(2027, 9, 7)),
    ("dismissal", date(2026, 9, 14), date(2026, 9, 18)), ("dismissal", date(2027, 3, 15), date(2027, 3, 19)),
)  # fmt: skip
ATTACH = """
insert into case_material (case_id, student_id, college_id, student_college_id, kind, file_name, content_type, size,
    sha256, path, uploaded_by)
select c.id, c.student_id, c.college_id, c.student_college_id, k, 'a.pdf', 'application/pdf', 1, '',
    gen_random_uuid()::text, c.opened_by from flow_case c, unnest(cast(:kinds as text[])) k where c.id = :id
"""


def clerk_of(year: Year, college_id: int) -> str:
    found = year.column("select u.username from ab_user u join role_holder h on h.user_id = u.id"
                        " where h.role = 'college_clerk' and h.college_id = :id order by u.id", id=college_id)  # fmt: skip
    return year.random.choice(found) if found else f"clerk{college_id}"


def values_of(year: Year, flow: Flow, student_id: int) -> dict[str, Any]:
    """A form as people fill it in on this day."""
    random, today = year.random, year.today

    def about(*days: int) -> Any:
        return today + timedelta(days=random.choice(days))

    filled = dict(FILLED[flow.key])
    if flow.reasons and "reason" in filled:
        filled["reason"] = random.choice(flow.reasons)
    if flow.key == "leave":
        filled |= {"leave_from": about(0, 0, 1, 3, 20, 100, -7, 400), "leave_terms": random.choice((1, 1, 2, 2, 3)),
                   "evidence_date": about(0, -3, -6, -7, -8, -9, -20, 1)}  # fmt: skip
    elif flow.key == "return":
        filled["return_on"] = about(0, 0, 1, 4, 9, 40, -5)
    elif flow.key == "cancellation":
        filled["died_on"] = about(0, -2, -10, -40, 1)
    elif flow.key == "info_change":
        filled = {"statement": "户籍更正"} | random.choice(
            [{"new_name": f"改名{student_id}"}, {"new_ethnic_group": "02"}, {}]
        )
    elif flow.key == "major_transfer":
        majors = random.sample(range(1, 6), 2)
        filled |= {"first_major_id": majors[0], "second_major_id": random.choice((None, majors[1]))}
    return filled


def somebody(year: Year, flow: Flow) -> tuple[int, int] | None:
    """A student and her college: mostly one whose status fits, sometimes one who has something running already."""
    statuses = sorted(flow.allowed_from) if year.chance(0.97) else ["enrolled", "on_leave", "withdrawn", "admitted"]
    busy = (
        "order by (select count(*) from flow_case c where c.student_id = s.id) desc, s.id" if year.chance(0.2) else ""
    )
    found = year.rows(f"select s.id, s.college_id from student s where s.id > 1000 and s.status = any(:statuses)"
                      " and (not :fresh or not s.registered) and (not :told or exists (select from flow_case d where"
                      f" d.student_id = s.id and d.delivered_on > :today - 12)) {busy or 'order by s.id'}",
                      statuses=statuses, fresh=flow.before_registration, today=year.today,
                      told=flow.key == "appeal" and year.chance(0.9))  # fmt: skip
    return year.random.choice(found[:12] if busy else found) if found else None


def apply(year: Year) -> None:
    """One application from the form to handing in; sometimes left a draft, or let in by the registry."""
    key = year.random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    season = [flow for flow, first, last in SEASONS if first <= year.today <= last]
    flow = FLOWS[season[0] if season and year.chance(0.5) else key]
    chosen = somebody(year, flow)
    if chosen is None:
        return
    student_id, college_id = chosen
    by_student = Role.STUDENT in flow.applicants and year.chance(0.6)
    who = f"s{student_id}" if by_student else clerk_of(year, college_id)
    late = {"late_reason": "情况特殊"} if year.chance(0.06) else {}
    opener = "registry" if late else who
    case_id = year.act(opener, open_case, flow, student_id, values_of(year, flow, student_id), **late)
    if case_id is None:
        return
    year.counts[f"opened {flow.key}"] += 1
    if year.chance(0.9):
        hand_in(year, case_id, who)


def hand_in(year: Year, case_id: int, who: str) -> None:
    (flow_key,) = year.column("select flow from flow_case where id = :id", id=case_id)
    kinds = [material.key for material in FLOWS[flow_key].materials]
    if year.chance(0.97):
        year.rows(ATTACH, id=case_id, kinds=kinds)
    year.act(who, submit, case_id)


def come_back_to_drafts(year: Year) -> None:
    """Somebody hands in what she left, or what was sent back; or takes it back."""
    found = year.rows("select c.id, c.flow, c.student_id, c.student_college_id, c.state, c.opened_by_role from flow_case c"
                      " where c.state in ('draft', 'sent_back') order by c.id")  # fmt: skip
    for case in year.some(found, 2):
        student = case.opened_by_role == "student"
        who = f"s{case.student_id}" if student else clerk_of(year, case.student_college_id)
        if year.chance(0.15):
            year.act(who, withdraw, case.id, None if student else "不再需要")
            continue
        if year.chance(0.5) and case.flow != "major_transfer":
            year.act(who, save_draft, case.id, values_of(year, FLOWS[case.flow], case.student_id))
        hand_in(year, case.id, who)


def think_again(year: Year) -> None:
    """Who applied takes a running case back."""
    found = year.rows("select id, student_id, student_college_id, opened_by_role from flow_case where state = 'open'"
                      " order by id")  # fmt: skip
    for case in year.some(found, 1):
        student = case.opened_by_role == "student"
        who = f"s{case.student_id}" if student else clerk_of(year, case.student_college_id)
        year.act(who, withdraw, case.id, None if student else "不再需要")


def declare_candidates(year: Year) -> None:
    """A college declares some of whom the system proposes, and exempts others."""
    college_id = year.random.randint(1, 3)
    who = clerk_of(year, college_id)
    late = year.column("select l.id from legal_clock l where l.college_id = :college and l.due_on < :today"
                       " and l.kind in ('leave', 'registration', 'study', 'absence') order by l.id",
                       college=college_id, today=year.today)  # fmt: skip
    chosen = year.some(late, 3)
    if not chosen:
        return
    if year.chance(0.3):
        year.act(who, exempt, chosen[0], "已联系，即将返校")
        return
    cases = year.act(who, declare, chosen, "多次联系未果") or []
    for case_id in cases:
        year.rows(ATTACH, id=case_id, kinds=["declaration", "evidence"])
    if cases and year.chance(0.8):
        year.act(who, hand_in_drafts, cases)
