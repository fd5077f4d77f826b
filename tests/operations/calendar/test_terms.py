"""The calendar's operations: strangers first, then wrong dates, then years, terms and tasks as they should be."""

from datetime import date, timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError

from app.access import Actor
from app.kit import clock
from app.kit.flow import submit, window_state
from app.kit.operation import NotAllowed, NotFound, Refused
from app.models import DatedTask, db
from app.operations.calendar.schedule import TermDates
from app.operations.calendar.task_state import TaskState, progress_of, state_of
from app.operations.calendar.tasks import feed_version, move_task, remark, renew_feed, tick, untick
from app.operations.calendar.terms import move_terms, open_year, preview_terms
from tests.cast import AUTUMN, SPRING
from tests.conftest import TODAY, Cast
from tests.flows.conftest import acting, cases  # noqa: F401 - the fixture

NEXT = TermDates(date(2027, 8, 30), 20), TermDates(date(2028, 2, 28), 20)
LATER = TermDates(date(2026, 9, 7), 20)
WEEK = timedelta(weeks=1)


class Tasks:
    """The cast's tasks of 2026: `tasks.id("autumn_leave", 1)` is that of college 1."""

    def __init__(self, behind) -> None:
        self.behind = behind

    def id(self, key: str, college: int | None, occurrence: int = 1) -> int:
        return self.behind.one(
            "select id from dated_task where key = :key and college_id is not distinct from :college"
            " and occurrence = :occurrence and year = 2026",
            key=key, college=college, occurrence=occurrence,
        )  # fmt: skip

    def dates(self, key: str, college: int | None, occurrence: int = 1) -> tuple[str, str]:
        (row,) = self.behind.rows("select opens_on, due_on from dated_task where id = :id",
                                  id=self.id(key, college, occurrence))  # fmt: skip
        return str(row["opens_on"]), str(row["due_on"])


@pytest.fixture
def tasks(behind) -> Tasks:
    return Tasks(behind)


def state(actor: Actor, task_id: int, day: date) -> TaskState:
    def look(_actor: Actor) -> TaskState:
        task = db.session.get_one(DatedTask, task_id)
        return state_of(task, progress_of([task], day).get(task.id), day)

    return acting(actor, look)


def news(behind) -> dict[str, str]:
    """Who was told of moved dates, and what."""
    return {row["username"]: row["title_zh"] + "\n" + row["text_zh"] for row in behind.rows(
        "select username, title_zh, text_zh from notice n join ab_user u on u.id = n.user_id where key like 'moved:%'")}  # fmt: skip


# whose it is


@pytest.mark.parametrize("who", ["student", "clerk", "leader", "director", "auditor", "admin", "library"])
def test_only_the_registry_opens_years_and_moves_terms_and_tasks(cast, tasks, who):
    actor = getattr(cast, who)
    with pytest.raises(NotAllowed):
        acting(actor, open_year, 2027, *NEXT)
    with pytest.raises(NotAllowed):
        acting(actor, move_terms, 2026, LATER, SPRING, "台风")
    with pytest.raises(NotAllowed):
        acting(actor, move_task, tasks.id("autumn_leave", 1), TODAY, TODAY, "台风")


def test_a_college_sees_its_own_tasks_and_a_student_what_concerns_her(cast, tasks):
    other, school, hidden = (
        tasks.id("autumn_leave", 2),
        tasks.id("freshman_data", None),
        tasks.id("autumn_dismissal", 1),
    )
    for who, task_id in (("clerk", other), ("clerk", school), ("student", other), ("student", school),
                         ("student", hidden), ("library", other), ("admissions", other)):  # fmt: skip
        with pytest.raises((NotFound, NotAllowed)):
            acting(getattr(cast, who), tick, task_id)

    def seen(_actor: Actor) -> set[str]:
        return {f"{task.key} {task.college_id}" for task in db.session.query(DatedTask)}

    assert all(place.endswith(" 1") for place in acting(cast.clerk, seen))
    student = acting(cast.student, seen)
    assert "autumn_leave 1" in student and "autumn_dismissal 1" not in student
    assert {"autumn_leave 1", "autumn_leave 2", "freshman_data None"} <= acting(cast.registry, seen)


def test_a_college_cannot_move_its_dates_past_the_operation(app, cast, tasks):
    def write(_actor: Actor) -> None:
        db.session.execute(text("update dated_task set due_on = '2030-01-01' where id = :id"), {"id": mine})

    mine = tasks.id("autumn_leave", 1)
    with pytest.raises(ProgrammingError, match="permission denied"):
        acting(cast.clerk, write)


# years


def test_a_year_is_opened_once(cast, behind):
    with pytest.raises(Refused, match="2026-2027"):
        acting(cast.registry, open_year, 2026, AUTUMN, SPRING)
    acting(cast.registry, open_year, 2027, *NEXT)
    with pytest.raises(Refused, match="2027-2028"):
        acting(cast.registry_b, open_year, 2027, *NEXT)
    # 36 rules of the colleges, five of which come twice a year, for two colleges; and the offices' own
    by_college = behind.rows("select college_id, count(*) from dated_task where year = 2027 group by 1 order by 1")
    assert [row["college_id"] for row in by_college] == [1, 2, None]
    assert by_college[0]["count"] == by_college[1]["count"]
    assert behind.one("select count(distinct key) from dated_task where year = 2027") == 45
    assert behind.one("select new->>'autumn' from audit_entry where action = 'year:open'") == "2027-08-30"


@pytest.mark.parametrize(
    ("autumn", "spring"),
    [
        (TermDates(date(2027, 8, 31), 20), NEXT[1]),  # a Tuesday
        (NEXT[0], TermDates(date(2028, 1, 10), 20)),  # the autumn term is not over
        (TermDates(date(2026, 8, 31), 20), NEXT[1]),  # of another year
        (NEXT[0], TermDates(date(2028, 8, 28), 20)),
        (TermDates(date(2027, 8, 30), 0), NEXT[1]),
        (TermDates(date(2027, 8, 30), 99), NEXT[1]),
    ],
)
def test_terms_that_cannot_be_are_refused(cast, behind, autumn, spring):
    with pytest.raises(Refused):
        acting(cast.registry, open_year, 2027, autumn, spring)
    assert not behind.one("select exists (select from academic_year where year = 2027)")


@pytest.mark.parametrize("opens", ["autumn:w25", "whenever"])
def test_a_rule_that_matches_nothing_is_named_and_nothing_is_opened(cast, behind, opens):
    behind.run("update task_rule set opens = :opens where key = 'student_card'", opens=opens)
    with pytest.raises(Refused, match=r"(学生证办理|Student cards).*" + opens):
        acting(cast.registry, open_year, 2027, *NEXT)
    assert not behind.one("select exists (select from dated_task where year = 2027)")


def test_a_rule_that_was_switched_off_gives_no_task(cast, behind):
    behind.run("update task_rule set active = false where key = 'student_card'")
    acting(cast.registry, open_year, 2027, *NEXT)
    assert not behind.one("select count(*) from dated_task where year = 2027 and key = 'student_card'")


def test_own_holidays_count(cast, behind):
    behind.run("insert into calendar_day (day, working, name) values ('2027-09-12', false, '校庆')")
    acting(cast.registry, open_year, 2027, *NEXT)
    assert str(behind.one("select due_on from dated_task where year = 2027 and key = 'autumn_leave' and college_id = 1")
               ) == "2027-09-13"  # fmt: skip


# terms


def test_a_year_that_is_not_open_has_no_terms_to_move(cast):
    with pytest.raises(NotFound):
        acting(cast.registry, move_terms, 2027, *NEXT, "台风")


def test_the_preview_shows_what_moves_and_changes_nothing(cast, tasks):
    def look(_actor: Actor):
        move = preview_terms(2026, LATER, SPRING)
        return {(one.key, one.occurrence): one for one in move.moves}

    moves = acting(cast.registry, look)
    leave = moves["autumn_leave", 1]
    assert leave.old == (date(2026, 8, 31), date(2026, 9, 13)) and leave.new == (date(2026, 9, 7), date(2026, 9, 20))
    assert leave.colleges == 2 and ("grade_entry", 1) in moves and ("deferred_grades", 1) in moves
    assert not {key for key, _n in moves} & {"spring_leave", "freshman_data", "major_transfer", "voluntary_withdrawal"}
    assert tasks.dates("autumn_leave", 1) == ("2026-08-31", "2026-09-13")


def test_moving_a_term_needs_a_reason_and_moves_what_depends_on_it(cast, behind, tasks):
    with pytest.raises(Refused):
        acting(cast.registry, move_terms, 2026, LATER, SPRING, "  ")
    before = {row["id"]: row for row in behind.rows("select * from dated_task where year = 2026")}
    acting(cast.registry, move_terms, 2026, LATER, SPRING, "台风")
    for row in behind.rows("select * from dated_task where year = 2026"):
        old = before[row["id"]]
        if row["season"] != "autumn":
            assert row == old
        elif row["key"] not in ("annual_eregistration", "freshman_eregistration"):
            assert row["opens_on"] == old["opens_on"] + WEEK, row["key"]
    assert behind.one("select first_monday from term where year = 2026 and season = 'autumn'") == date(2026, 9, 7)
    assert behind.one("select detail->>'reason' from audit_entry where action = 'year:move'") == "台风"


def test_a_running_case_that_falls_outside_stops_the_move(cast, cases, behind, tasks):  # noqa: F811
    running = cases.submitted()  # on 2 September, in the window from 31 August
    draft = cases.draft(student=102, by="clerk")

    def look(_actor: Actor):
        return {case.case_id: case.handed_in for case in preview_terms(2026, LATER, SPRING).outside}

    assert acting(cast.registry, look) == {running: True, draft: False}
    with pytest.raises(Refused, match=r"^2 |2 件"):
        acting(cast.registry, move_terms, 2026, LATER, SPRING, "台风")
    assert tasks.dates("autumn_leave", 1)[0] == "2026-08-31"
    acting(cast.registry, move_terms, 2026, LATER, SPRING, "台风", accept_outside=True)
    assert behind.one("select jsonb_array_length(detail->'outside') from audit_entry where action = 'year:move'") == 2
    cases.sign(running, "accept")  # what was handed in runs on
    cases.attach(draft, "application", "id_copies")
    with pytest.raises(Refused, match="2026-09-07"):  # a draft waits for the new window
        acting(cast.clerk, submit, draft)


def test_a_case_that_stays_inside_stops_nothing(cast, cases, tasks):  # noqa: F811
    cases.submitted()
    acting(cast.registry, move_terms, 2026, TermDates(date(2026, 8, 24), 20), SPRING, "提前开学")
    assert tasks.dates("autumn_leave", 1) == ("2026-08-24", "2026-09-06")


# tasks


def test_a_task_moves_for_one_college_with_its_reason(cast, behind, tasks):
    task_id = tasks.id("autumn_return", 1)
    for opens, due, reason in ((TODAY, TODAY - WEEK, "x"), (TODAY, TODAY, " "),
                               (date(2026, 8, 31), date(2026, 9, 6), "same")):  # fmt: skip
        with pytest.raises(Refused):
            acting(cast.registry, move_task, task_id, opens, due, reason)
    acting(cast.registry, move_task, task_id, date(2026, 8, 31), date(2026, 9, 20), "学院搬迁")
    assert tasks.dates("autumn_return", 1) == ("2026-08-31", "2026-09-20")
    assert tasks.dates("autumn_return", 2) == ("2026-08-31", "2026-09-06")
    (event,) = behind.rows("select * from task_event")
    assert (event["college_id"], event["text"], str(event["old_due_on"])) == (1, "学院搬迁", "2026-09-06")

    def open_now(_actor: Actor) -> bool:
        return window_state("autumn_return", date(2026, 9, 15)).open

    assert acting(cast.clerk, open_now) and not acting(cast.clerk2, open_now)


def test_a_move_for_all_leaves_alone_what_was_moved_for_one(cast, tasks):
    acting(cast.registry, move_task, tasks.id("student_card", 2), date(2026, 9, 14), date(2026, 9, 30), "学院搬迁")
    day = date(2026, 9, 25)
    assert acting(cast.registry, move_task, tasks.id("student_card", 1), day, day, "空白证未到", for_all=True) == 1
    assert tasks.dates("student_card", 1) == ("2026-09-25", "2026-09-25")
    assert tasks.dates("student_card", 2) == ("2026-09-14", "2026-09-30")
    acting(cast.registry, move_terms, 2026, LATER, SPRING, "台风")  # what was set by hand stays
    assert tasks.dates("student_card", 1) == ("2026-09-25", "2026-09-25")


def test_what_counts_from_a_tasks_end_follows_it(cast, tasks):
    acting(
        cast.registry,
        move_task,
        tasks.id("autumn_makeup", 1),
        date(2026, 8, 31),
        date(2026, 10, 16),
        "改期",
        for_all=True,
    )
    assert tasks.dates("deferred_grades", 1) == ("2026-10-26", "2026-11-01")
    assert tasks.dates("deferred_grades", 2) == ("2026-10-26", "2026-11-01")
    acting(cast.registry, move_task, tasks.id("autumn_makeup", 1), date(2026, 8, 31), date(2026, 10, 23), "改期")
    assert tasks.dates("deferred_grades", 1) == ("2026-11-02", "2026-11-08")
    assert tasks.dates("deferred_grades", 2) == ("2026-10-26", "2026-11-01")


def test_closing_a_window_over_a_draft_has_to_be_meant(cast, cases, tasks):  # noqa: F811
    cases.draft()
    task_id, dates = tasks.id("autumn_leave", 1), (date(2026, 9, 20), date(2026, 9, 27))
    with pytest.raises(Refused):
        acting(cast.registry, move_task, task_id, *dates, "改期")
    assert tasks.dates("autumn_leave", 1) == ("2026-08-31", "2026-09-13")
    acting(cast.registry, move_task, task_id, *dates, "改期", accept_outside=True)
    assert tasks.dates("autumn_leave", 1) == ("2026-09-20", "2026-09-27")


def test_a_tick_is_the_owners_once_and_can_be_taken_back(cast, behind, tasks):
    task_id = tasks.id("returning_checkin", 1)
    for who in ("clerk2", "student", "library", "director"):
        with pytest.raises((NotFound, NotAllowed)):
            acting(getattr(cast, who), tick, task_id)
    with pytest.raises(Refused, match="2026-11-01"):
        acting(cast.registry, tick, tasks.id("status_data", None))
    acting(cast.clerk, remark, task_id, "还差两个班")
    acting(cast.clerk, tick, task_id, "全部报到")
    with pytest.raises(Refused):
        acting(cast.leader, tick, task_id)
    assert state(cast.clerk, task_id, TODAY) is TaskState.DONE
    with pytest.raises(Refused):
        acting(cast.leader, untick, task_id, "")
    acting(cast.leader, untick, task_id, "名单有误")
    assert state(cast.clerk, task_id, TODAY) is TaskState.OPEN
    assert [row["act"] for row in behind.rows("select act from task_event order by id")] == ["remark", "tick", "untick"]


def test_a_task_with_a_procedure_is_finished_by_it(cast, cases, tasks):  # noqa: F811
    task_id = tasks.id("autumn_leave", 1)
    with pytest.raises(Refused):
        acting(cast.clerk, tick, task_id)
    cases.submitted()

    def look(_actor: Actor):
        task = db.session.get_one(DatedTask, task_id)
        return progress_of([task], TODAY)[task_id]

    found = acting(cast.clerk, look)
    assert (found.handed_in, found.running, found.closed) == (1, 1, 0)
    assert state(cast.clerk, task_id, date(2026, 9, 14)) is TaskState.LATE  # its step was due on 3 September
    assert state(cast.clerk2, tasks.id("autumn_leave", 2), date(2026, 9, 14)) is TaskState.DONE
    assert state(cast.clerk, tasks.id("returning_checkin", 1), date(2026, 9, 14)) is TaskState.LATE
    assert state(cast.registry, tasks.id("cancellation", 1), date(2027, 1, 1)) is TaskState.OPEN


# flows


@pytest.mark.parametrize(("day", "opens"), [(date(2026, 8, 1), "2026-08-31"), (date(2026, 10, 8), "2027-03-01")])
def test_a_closed_flow_says_when_it_opens_next(cast, cases, day, opens):  # noqa: F811
    case_id = cases.complete()
    with clock.on(day), pytest.raises(Refused, match=opens):
        acting(cast.student, submit, case_id)


def test_what_may_happen_at_any_time_waits_for_no_year_to_be_opened(cast, behind):
    def state(_actor: Actor):
        return window_state(("voluntary_withdrawal",), date(2028, 1, 1), 1)

    assert acting(cast.clerk, state).open
    assert "随时可办" in cast.login("student").get("/").text
    behind.run("update dated_task set moved = 'college' where key = 'voluntary_withdrawal' and college_id = 1")
    found = acting(cast.clerk, state)
    assert not found.open and found.closes_on == date(2027, 7, 31)  # what somebody has moved is where it was put


# the feed


def test_each_person_renews_her_own_link(cast):
    assert acting(cast.clerk, feed_version) is None
    assert acting(cast.clerk, renew_feed) == 1
    assert acting(cast.clerk, renew_feed) == 2
    assert acting(cast.leader, renew_feed) == 1
    with pytest.raises(NotAllowed):
        acting(cast.admin, renew_feed)


# at once


def together(app, actor, *verbs) -> list[str]:
    """Run the verbs in threads that start together; what each ended with."""
    gate, ends = Barrier(len(verbs)), []

    def run(verb) -> None:
        with app.app_context():
            gate.wait()
            try:
                acting(actor, verb)
                ends.append("done")
            except Refused:
                ends.append("refused")
            except Exception as error:
                ends.append(repr(error))

    threads = [Thread(target=run, args=(verb,)) for verb in verbs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(ends)


def test_two_who_open_a_year_at_once_open_one(own_app):
    with own_app.app_context():
        registry = Cast(own_app).registry
    assert together(own_app, registry, *[lambda actor: open_year(actor, 2027, *NEXT)] * 3) == [
        "done",
        "refused",
        "refused",
    ]


def test_moves_at_once_wait_for_each_other(own_app):
    with own_app.app_context():
        registry = Cast(own_app).registry
        with create_engine(own_app.config["XUEJI_OWNER_URL"]).connect() as connection:
            query = text("select id from dated_task where key = 'student_card' or key like '%makeup' order by id desc")
            ids = list(connection.scalars(query))
    days = {number: date(2026, 10, 20) + timedelta(days=place) for place, number in enumerate(ids[:5])}
    moves = [
        lambda actor, n=number, day=day: move_task(actor, n, day, day, "改期", for_all=n % 2 == 0)
        for number, day in days.items()
    ]
    moves.append(lambda actor: move_terms(actor, 2026, LATER, SPRING, "台风"))
    assert together(own_app, registry, *moves) == ["done"] * 6


# who is told


def test_whoever_has_a_task_or_an_application_is_told_once_that_its_day_moved(cast, tasks, behind, cases):  # noqa: F811
    """From when to when; nobody of elsewhere, and not of what is finished."""
    draft = cases.draft()
    card = tasks.id("autumn_leave", 1)
    was = tasks.dates("autumn_leave", 1)[1]
    acting(cast.registry, move_task, card, date(2026, 8, 31), date(2026, 9, 25), "台风")
    told = news(behind)
    assert set(told) == {"clerk", "leader", "leader_b", "student"}
    assert all(f"{was} → 2026-09-25" in words for words in told.values())
    assert "休学" in told["student"] and f"/casescreen/show/{draft}" == behind.one(
        "select n.path from notice n join ab_user u on u.id = n.user_id where username = 'student' and key like 'moved:%'"
    )
    behind.run("delete from notice")
    behind.run("update dated_task set done_at = now(), done_name = 'x' where id = :id", id=card)
    behind.run("update flow_case set late_reason = '住院' where id = :id", id=draft)
    acting(cast.registry, move_task, card, date(2026, 8, 31), date(2026, 9, 28), "台风")
    assert news(behind) == {}  # finished, and let in


def test_a_moved_term_is_one_notice_a_person(cast, behind):
    acting(cast.registry, move_terms, 2026, LATER, SPRING, "台风")
    told = behind.rows("select username, count(*) as n from notice n join ab_user u on u.id = n.user_id"
                       " where key like 'moved:%' group by 1")  # fmt: skip
    assert {row["username"]: row["n"] for row in told}.items() >= {"clerk": 1, "clerk2": 1, "leader": 1}.items()
    assert all(row["n"] == 1 and row["username"] != "registry" for row in told)
    assert "→" in news(behind)["clerk"]
    behind.run("delete from notice")
    acting(cast.registry, move_terms, 2026, LATER, SPRING, "再次确认")  # nothing moves
    assert news(behind) == {}
