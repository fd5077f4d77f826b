"""What the offices do beside signing: registrations, absences, discharges, deputies, accounts, the round of transfers."""

from datetime import date, timedelta

from app.kit.flow.apply import let_in_late
from app.operations.accounts.delegation import delegate, revoke
from app.operations.calendar.schedule import TermDates
from app.operations.calendar.terms import open_year
from app.operations.proceedings.dismissals import end_absence, record_absence
from app.operations.roster.dated_effects import annul
from app.operations.roster.discharge import record_discharge
from app.operations.roster.registration import confirm, last_act, register, take_back
from app.operations.transfers.decision import decide_round, propose
from app.operations.transfers.preparing import Offer, offer_majors
from app.operations.transfers.rounds import confirm as confirm_choices
from app.operations.transfers.rounds import examine, move_round
from tests.year.applying import clerk_of
from tests.year.signing import meeting_of
from tests.year.year import Year

SIGN_FOR = ("leader", "leader_b", "leader2", "clerk", "clerk2", "director", "vp", "registry", "library")
SWITCHED_OFF = (
    "leader",
    "leader2",
    "clerk3",
    "clerk",
    "director",
    "vp",
    "registry_b",
    "finance",
    "panel",
    "admissions",
)


def register_term(year: Year) -> None:
    """A college records how students stand; some is taken back, some students confirm."""
    college_id = year.random.randint(1, 3)
    who = clerk_of(year, college_id)
    numbers = year.column("select s.student_no from student s where s.college_id = :college and s.status = 'enrolled'"
                          " and s.student_no is not null and s.registered order by s.id", college=college_id)  # fmt: skip
    state = year.random.choices(("registered", "deferred", "missing"), (8, 1, 1))[0]
    until = year.today + timedelta(days=year.random.choice((30, 60, 90))) if state == "deferred" else None
    chosen = year.some(numbers, 40 if state == "registered" else 2)
    year.act(who, register, state, chosen, until=until)
    if year.chance(0.1) and (actor := year.actor(who)):
        act = year.act(actor, _last_act)
        if act:
            year.act(actor, take_back, act.id)
    confirmable = year.rows("select id, student_id from registration where state = 'registered' and confirmed_at is null"
                            " and student_id > 1000 order by id")  # fmt: skip
    for row in year.some(confirmable, 3):
        year.act(f"s{row.student_id}", confirm, row.id)


def _last_act(actor):
    return last_act(actor)


def look_after_students(year: Year) -> None:
    """Absences begin and end, soldiers are discharged, the registry lets in late and calls off."""
    random = year.random
    if year.chance(0.3):
        student = random.choice(year.rows("select id, college_id from student where status = 'enrolled' and id > 1000"
                                          " order by id"))  # fmt: skip
        since = year.today - timedelta(days=random.choice((0, 3, 15, 20)))
        year.act(clerk_of(year, student.college_id), record_absence, student.id, since)
    away = year.rows("select id, student_college_id from absence where ended_on is null order by id")
    if away and year.chance(0.2):
        one = random.choice(away)
        year.act(clerk_of(year, one.student_college_id), end_absence, one.id, year.today)
    if year.chance(0.1):
        serving = year.column("select id from student where status in ('retained', 'deferred') order by id")
        for student_id in year.some(serving, 1):
            year.act("registry", record_discharge, student_id, year.today - timedelta(days=random.choice((0, 30))))
    if year.chance(0.2):
        for case_id in year.some(year.column("select id from flow_case where state = 'draft' order by id"), 1):
            year.act("registry_b", let_in_late, case_id, "因公外出")
    if year.chance(0.15):
        for effect in year.some(year.column("select id from dated_effect where state = 'waiting' order by id"), 1):
            year.act("registry", annul, effect, "学生本人要求")


def change_hands(year: Year) -> None:
    """Deputies are named and dismissed, accounts switched off and on again."""
    random, today = year.random, year.today
    for username, back_on in list(year.put_off.items()):
        if back_on <= today:
            del year.put_off[username]
            _switch(year, username, True)
    if year.chance(0.08):
        username = random.choice(SWITCHED_OFF)
        if username not in year.put_off:
            year.put_off[username] = today + timedelta(days=random.choice((3, 9, 20)))
            _switch(year, username, False)
    if year.chance(0.15):
        deputy = year.one("select id from ab_user where username = :name",
                          name=random.choice(("leader_b", "leader2_b", "clerk_b", "director_b", "registry_b", "clerk2")))  # fmt: skip
        starts = today + timedelta(days=random.choice((0, 0, 2)))
        year.act(
            random.choice(SIGN_FOR),
            delegate,
            deputy,
            starts,
            starts + timedelta(days=random.choice((0, 5, 30))),
            "出差",
        )
    if year.chance(0.05):
        for one in year.rows("select d.id, u.username from delegation d join ab_user u on u.id = d.absent_user_id"
                             " where not d.revoked and d.ends_on >= :today order by d.id limit 1", today=today):  # fmt: skip
            year.act(one.username, revoke, one.id)


def _switch(year: Year, username: str, on: bool) -> None:
    year.rows("update ab_user set active = :on where username = :name", on=on, name=username)
    year.log.append(f"{year.today} {username} switched {'on' if on else 'off'}")


def plan_ahead(year: Year) -> None:
    """The next academic year is opened before the summer, the round of transfers in December."""
    if year.today == date(2027, 6, 15):
        year.act("registry", open_year, 2027, TermDates(date(2027, 9, 6), 20), TermDates(date(2028, 2, 28), 20))
    if year.today == date(2026, 12, 21):
        year.rows("insert into transfer_round (id, title, state, choices) values (1, '2027年转专业', 'draft', 2)")
        year.act("registry", offer_majors, 1, {major: Offer(2) for major in range(1, 6)})
        year.act("registry", move_round, 1, "open")


def examine_transfers(year: Year) -> None:
    """Target colleges examine and confirm; after January the scores come in and the panel decides until it is decided."""
    state = year.column("select state from transfer_round where id = 1")
    if not state or state[0] not in ("open", "ranking"):
        return
    waiting = "select id from transfer_choice where target_college_id = :college and confirmed_by is null" \
              " and case_state = 'open' and passed is {} null order by id"  # fmt: skip
    for college_id, clerk, leader in (
        (1, "clerk_b", "leader_b"),
        (2, "clerk2_b", "leader2_b"),
        (3, "clerk3", "leader3"),
    ):
        choices = year.column(waiting.format(""), college=college_id)
        if choices and year.chance(0.5):
            passed = year.chance(0.8)
            year.act(clerk, examine, choices, passed=passed, remark="" if passed else "成绩不符")
        examined = year.column(waiting.format("not"), college=college_id)
        if examined and year.chance(0.5) and (meeting := meeting_of(year, leader)):
            year.act(leader, confirm_choices, 1, meeting)
    if year.today < date(2027, 2, 1):
        return
    if state[0] == "open":
        year.act("registry", move_round, 1, "ranking")
    year.rows("update flow_case set score = 60 + id % 40, second_score = id where round_id = 1 and state = 'open'"
              " and score is null")  # fmt: skip
    if (actor := year.actor("panel")) and (meeting := meeting_of(year, "panel")):
        shown = year.act(actor, _proposed)
        year.act(actor, decide_round, 1, meeting_id=meeting, expected=shown)


def _proposed(_actor) -> str:
    return propose(1).print
