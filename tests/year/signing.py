"""What those do for whom steps wait: sign, send back, refuse, tick, publish, issue; alone, together, or as deputies."""

from collections import defaultdict
from datetime import timedelta
from typing import Any

from app.kit.flow import decide
from app.operations.accounts.delegation import as_deputy
from app.operations.cases.leaving import tick
from app.operations.cases.reassigning import reassign
from app.operations.proceedings.meetings import record_meeting
from app.operations.proceedings.publicity import answer_objection, publish, record_objection, take_off
from app.papers import issue_document
from tests.flows.walk import RECORDED, recorded_days
from tests.year.year import Year

# Who holds the role of a step where it is signed, whatever she has done in the case before.
HOLDERS = """
select u.username from ab_user u join identity i on i.user_id = u.id join identity_role t on t.identity_id = i.id
join ab_role r on r.id = t.role_id
where u.active and r.name = :role and i.student_id is null and (i.college_id is null or i.college_id = :college)
    and i.department_id is not distinct from :department order by u.username
"""
OPEN_STEPS = """
select s.id, s.case_id, s.key, s.role, s.department_id, s.signing_college_id, s.declared, s.assigned_to, s.opened_at,
    c.flow, c.student_id from case_step s join flow_case c on c.id = s.case_id
where s.state = 'open' and c.state = 'open' order by s.id
"""


def holders(year: Year, step: Any) -> list[str]:
    found = year.column(HOLDERS, role=step.role, college=step.signing_college_id, department=step.department_id)
    mine = [name for name in found if step.assigned_to is not None and step.assigned_to == _user(year, name)]
    return mine or found


def _user(year: Year, name: str) -> int:
    return year.one("select id from ab_user where username = :name", name=name)


def sign_some(year: Year, most: int) -> None:
    steps = year.rows(OPEN_STEPS)
    for step in year.some(steps, most):
        sign(year, step)


def sign(year: Year, step: Any) -> None:
    """One step as one of its hands would; now and then somebody tries whose step it is not."""
    if step.key == "panel" or step.declared.get("document"):
        return  # decided with a list: see `publish_and_issue`, and the round
    stranger = year.chance(0.02)
    names = holders(year, step)
    if not names and not stranger:
        return
    who = year.random.choice(["clerk", "leader2", "vp", "s1111", "auditor"] if stranger else names)
    actor = deputy_for(year, who) or who
    if step.declared["items"]:
        year.act(actor, tick, step.case_id, step.declared["items"])
    ids = [step.case_id]
    if year.chance(0.2):
        ids += year.column("select case_id from case_step where state = 'open' and key = :key and id <> :id"
                           " order by id limit 4", key=step.key, id=step.id)  # fmt: skip
    how = year.random.choices(("approve", "previous", "applicant", "refuse"), (95, 2, 2, 1))[0]
    if how == "approve":
        outcomes = year.act(actor, decide, ids, expected_step=step.key, records=records_for(year, step, who))
    else:
        act = "refuse" if how == "refuse" else "send_back"
        to: dict[str, Any] = {} if how == "refuse" else {"to": how}
        if how == "refuse" and step.declared.get("refusal") == "recorded":
            to = {"records": records_for(year, step, who)}
        outcomes = year.act(actor, decide, ids[:1], expected_step=step.key, act=act, opinion="请核实后再报", **to)
    done = [one.case_id for one in outcomes or () if one.done]
    assert who in names or step.case_id not in done, f"{who} has signed {step.key} of {step.case_id}"


def deputy_for(year: Year, who: str) -> Any:
    """Somebody who signs for her today, if she has named one."""
    found = year.rows("select d.id, u.username from delegation d join ab_user u on u.id = d.deputy_user_id join ab_user a"
                      " on a.id = d.absent_user_id where a.username = :who and not d.revoked and u.active"
                      " and :today between d.starts_on and d.ends_on order by d.id", who=who, today=year.today)  # fmt: skip
    if not found or year.chance(0.3):
        return None
    deputy = year.actor(found[0].username)
    return year.act(deputy, as_deputy, found[0].id) if deputy else None


def records_for(year: Year, step: Any, who: str) -> dict[str, Any]:
    """What this step must record, as somebody would fill it in: mostly right."""
    made: dict[str, Any] = dict(RECORDED) | recorded_days(year.today)
    made["card_no"] = f"C{step.case_id:06}"
    made["informed_on"] = (year.today - timedelta(days=year.random.choice((1, 3, 4, 9)))).isoformat()
    made["delivered_on"] = (year.today - timedelta(days=year.random.choice((0, 0, 1)))).isoformat()
    if "class_group_id" in step.declared["records"]:
        made |= class_for(year, step)
    records = {name: made[name] for name in step.declared["records"]}
    if step.declared["originals"]:
        records["originals"] = True
    if step.declared["meeting"] and (meeting := meeting_of(year, who, step.declared["meeting"])):
        records["meeting_id"] = meeting
    return records


def class_for(year: Year, step: Any) -> dict[str, Any]:
    """A class of the major and a grade that fits, or just any."""
    if year.chance(0.1):
        return year.random.choice(
            year.rows("select id as class_group_id, grade from class_group order by id")
        )._asdict()
    lower = step.flow == "voluntary_downgrade"
    found = year.rows(
        "select g.id as class_group_id, g.grade from student s join flow_case c on c.student_id = s.id join class_group g"
        " on g.major_id = coalesce(c.major_id, s.major_id) and g.grade >= s.grade + :lower where c.id = :id order by g.id",
        id=step.case_id, lower=int(lower))  # fmt: skip
    return year.random.choice(found)._asdict() if found else {"class_group_id": 1, "grade": 2024}


def meeting_of(year: Year, who: str, kind: str | None = None) -> int | None:
    """The meeting of those who sign, held today."""
    said = {"kind": kind, "held_on": year.today, "participants": "全体", "resolution": "同意"}
    number = f"第{year.one('select count(*) from meeting') + 1}次"
    meeting = year.act(who, record_meeting, number=number, **said)
    year.rows("update meeting set minutes_name = '纪要.pdf', minutes_path = gen_random_uuid()::text,"
              " minutes_type = 'application/pdf' where id = :id", id=meeting)  # fmt: skip
    return meeting


def publish_and_issue(year: Year) -> None:
    """The registry's lists: cases are published together, objected to, answered, taken off; documents are issued."""
    waiting = defaultdict(list)
    for case_id, flow in year.rows("select s.case_id, c.flow from case_step s join flow_case c on c.id = s.case_id"
                                   " where s.state = 'open' and s.declared ->> 'publicity' = 'true' and not exists"
                                   " (select from publicity_entry e where e.case_id = s.case_id and not e.removed)"
                                   " order by 1"):  # fmt: skip
        waiting[flow].append(case_id)
    for ids in waiting.values():
        year.act("registry", publish, ids, "拟作学籍处理名单", "异议请向教务处提出。")
    for entry in year.some(year.rows("select e.id, e.case_id, e.publicity_id from publicity_entry e join publicity p"
                                     " on p.id = e.publicity_id where not e.removed and p.closes_on >= :today order by e.id",
                                     today=year.today), 1):  # fmt: skip
        if year.chance(0.04):
            year.act("registry", take_off, entry.id, "误列")
        elif year.chance(0.1):
            year.act("registry_b", record_objection, entry.publicity_id, objector="某甲", text="不实",
                     case_id=year.random.choice((None, entry.case_id)))  # fmt: skip
    for objection in year.column("select id from objection where answer is null order by id"):
        if year.chance(0.4):
            year.act("registry", answer_objection, objection, "经核查属实")
    ready = defaultdict(list)
    for case_id, flow in year.rows("select s.case_id, c.flow from case_step s join flow_case c on c.id = s.case_id"
                                   " where s.state = 'open' and s.declared ->> 'document' = 'true' order by 1"):  # fmt: skip
        ready[flow].append(case_id)
    for ids in ready.values():
        year.act("registry_b", issue_document, ids if year.chance(0.7) else ids[:1], step="document", title="")


def hand_on(year: Year) -> None:
    """A step is handed to one of those who hold its role."""
    for step in year.some(year.rows(OPEN_STEPS), 1):
        names = holders(year, step)
        if names:
            who = year.random.choice(("registry", "leader", "leader2"))
            year.act(who, reassign, step.id, _user(year, year.random.choice(names)), "分工调整")
