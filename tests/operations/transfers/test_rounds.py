"""Rounds of transfers: who may do what, places, examination, scores, ties, and the decision of the whole list."""

from decimal import Decimal

import pytest
from sqlalchemy import select, text

from app.access import scope_as
from app.kit import clock
from app.kit.flow import FLOWS, open_case, submit, withdraw
from app.kit.operation import NotAllowed, NotFound, Refused
from app.models import Case, Student, TransferChoice, db
from app.operations.transfers.decision import decide_round, propose
from app.operations.transfers.preparing import Offer, offer_majors, set_scores
from app.operations.transfers.rounds import confirm, examine, move_round
from tests.flows.conftest import walks  # noqa: F401 - the fixture
from tests.flows.walk import Walk

FIRST, SECOND, OURS = 3, 2, 1  # majors: of college 2, of college 1, and the students' own
WISHES = {
    101: {"first_major_id": FIRST},
    102: {"first_major_id": FIRST},
    103: {"first_major_id": FIRST, "second_major_id": SECOND},
}


class Round:
    """A round with applications of three students of college 1, each signed by it: they wait for the panel."""

    def __init__(self, walk: Walk) -> None:
        self.walk, self.cast, self.behind = walk, walk.cast, walk.behind
        self.cases: dict[int, int] = {}

    def act(self, who, verb, *args, **how):
        return self.walk.act(who, verb, *args, **how)

    def apply(self, student: int) -> int:
        """Her clerk applies for a student; the college signs."""
        flow, values = FLOWS["major_transfer"], WISHES[student] | {"statement": "兴趣"}
        case_id = self.act("clerk", lambda actor: open_case(actor, flow, student, values).id)
        self.walk.attach(case_id, "application")
        self.act("clerk", submit, case_id)
        for step in ("accept", "college"):
            (outcome,) = self.walk.decide(self.walk.signer(step), case_id, step)
            assert outcome.done, outcome.reason
        self.cases[student] = case_id
        return case_id

    def choices(self, college: int, *students: int) -> list[int]:
        wanted = [self.cases[one] for one in students or self.cases]
        return [row["id"] for row in self.behind.rows(
            "select id from transfer_choice where target_college_id = :c and case_id = any(:ids) order by id",
            c=college, ids=wanted)]  # fmt: skip

    def examined(self) -> None:
        """Both target colleges pass everything, and their leaders confirm."""
        for college, clerk, leader in ((1, "clerk", "leader"), (2, "clerk2", "leader2")):
            if choices := self.choices(college):
                self.act(clerk, examine, choices, passed=True)
                self.act(leader, confirm, 1, self.walk.meeting(leader))

    def score(self, **scores: float) -> None:
        """`score(s101=90)`, as the sheet would."""
        for name, value in scores.items():
            self.behind.run("update flow_case set score = :v where id = :id", v=value, id=self.cases[int(name[1:])])

    def propose(self):
        return self.act("panel", lambda _actor: propose(1))

    def decide(self, **how):
        given = {"meeting_id": self.walk.meeting("panel"), "expected": self.propose().print} | how
        return self.act("panel", decide_round, 1, **given)

    def result(self, student: int) -> tuple[str, str | None, int | None]:
        (row,) = self.behind.rows("select state, step_key, major_id from flow_case where id = :id",
                                  id=self.cases[student])  # fmt: skip
        return row["state"], row["step_key"], row["major_id"]


@pytest.fixture
def round_(walks):  # noqa: F811 - the fixture
    made = Round(walks("major_transfer"))
    for student in WISHES:
        made.apply(student)
    return made


@pytest.fixture
def ranking(round_):
    """Examined, with scores, closed: ready to be decided. One place in the first major."""
    round_.behind.run("update transfer_quota set places = 1")
    round_.examined()
    round_.score(s101=90, s102=85, s103=80)
    round_.act("registry", move_round, 1, "ranking")
    return round_


# who

OFFERS = {FIRST: Offer(3), SECOND: Offer(1)}


def test_only_the_registry_opens_and_offers(round_):
    for who in ("clerk", "leader", "director", "student", "panel", "admin", "auditor", "admissions"):
        for verb, *args in ((move_round, 1, "ranking"), (offer_majors, 1, OFFERS)):
            with pytest.raises(NotAllowed):
                round_.act(who, verb, *args)


def test_only_the_panel_decides(ranking):
    meeting, seen = ranking.walk.meeting("registry"), ranking.propose().print
    for who in ("registry", "clerk", "leader2", "director", "student", "admin", "auditor"):
        with pytest.raises(NotAllowed):
            ranking.act(who, decide_round, 1, meeting_id=meeting, expected=seen)
        assert ranking.result(101) == ("open", "panel", None), who


def test_scores_come_from_the_registry_or_the_panel(round_):
    for who in ("clerk", "leader", "student", "director", "admin"):
        with pytest.raises(NotAllowed):
            round_.act(who, set_scores, 1, "anything", [])


def test_the_panel_reaches_transfers_and_nothing_else(round_, walks):  # noqa: F811 - the fixture
    other = walks("leave", student=102).draft(by="clerk", leave_from=clock.today())
    with scope_as(round_.cast.panel.scope):
        assert sorted(db.session.scalars(select(Student.id))) == [101, 102, 103]
        assert set(db.session.scalars(select(Case.id))) == set(round_.cases.values())
        assert other not in set(db.session.scalars(select(Case.id)))
        assert db.session.scalar(text("select count(*) from case_material")) == 3
        for table in ("absence", "document", "publicity_entry", "roster_change", "field_change", "paper"):
            assert not db.session.scalar(text("select has_table_privilege(:t, 'select')"), {"t": table}) or not (
                db.session.scalar(text(f"select count(*) from {table}"))), table  # fmt: skip


def test_the_panel_changes_no_student(round_):
    with scope_as(round_.cast.panel.scope), pytest.raises(Exception, match="permission denied"):
        db.session.execute(text("update student set major_id = 3 where id = 101"))


def test_a_draft_is_not_the_panels_business(walks):  # noqa: F811 - the fixture
    walk = walks("major_transfer")
    walk.draft()
    with scope_as(walk.cast.panel.scope):
        assert db.session.scalar(text("select count(*) from flow_case")) == 0


# places


@pytest.mark.parametrize("typed", [
    ("x", "", "", ""), ("-1", "", "", ""), ("1000", "", "", ""), ("3", "24", "", ""), ("3", "abcd", "", ""),
    ("3", "", "high", ""), ("3", "", "1e9", ""), ("3", "", "NaN", ""), ("3", "", "-5", ""), ("3", "", "", "x" * 301),
])  # fmt: skip
def test_places_that_cannot_be_are_named_with_their_major(typed):
    with pytest.raises(Refused, match="软件工程"):
        Offer.read("软件工程", *typed)


def test_places_are_read_as_they_were_typed():
    assert Offer.read("x", "3", "2025", "82.5", "平均80分") == Offer(3, 2025, Decimal("82.5"), "平均80分")
    assert Offer.read("x", "0", "", "", "") == Offer(0)


def test_a_major_that_somebody_chose_stays_offered(round_, behind):
    with pytest.raises(Refused, match="汉语言文学"):
        round_.act("registry", offer_majors, 1, {SECOND: Offer(1)})
    round_.act("registry", offer_majors, 1, {FIRST: Offer(9), SECOND: Offer(2, 2024, Decimal("80"), "绩点3.0")})
    rows = behind.rows("select major_id, places, grade, conditions from transfer_quota order by major_id")
    assert [tuple(row.values()) for row in rows] == [(SECOND, 2, 2024, "绩点3.0"), (FIRST, 9, None, None)]
    with pytest.raises(Refused):
        round_.act("registry", offer_majors, 1, OFFERS | {9999: Offer(1)})


def test_a_decided_round_keeps_its_places(ranking):
    ranking.decide()
    with pytest.raises(Refused):
        ranking.act("registry", offer_majors, 1, OFFERS)
    for state in ("open", "ranking", "draft", "nonsense"):
        with pytest.raises(Refused):
            ranking.act("registry", move_round, 1, state)


# examination


def test_a_college_examines_what_is_about_it_alone(round_):
    theirs = round_.choices(2)
    for who in ("clerk", "leader2", "leader"):
        with pytest.raises((NotAllowed, Refused)):
            round_.act(who, examine, theirs, passed=True)
    with pytest.raises((NotAllowed, Refused)):
        round_.act("clerk2", examine, [], passed=True)
    assert round_.act("clerk2", examine, theirs, passed=True) == 3


def test_who_does_not_pass_is_told_why(round_):
    with pytest.raises(Refused):
        round_.act("clerk2", examine, round_.choices(2, 101), passed=False, remark="  ")
    round_.act("clerk2", examine, round_.choices(2, 101), passed=False, remark="先修课程未修")
    round_.act("leader2", confirm, 1, round_.walk.meeting("leader2"))
    with scope_as(round_.cast.student.scope):
        ((_label, verdict),) = db.session.get(Case, round_.cases[101]).findings()
    assert "先修课程未修" in verdict


def test_the_leader_confirms_with_a_meeting_of_her_own_that_has_minutes(round_, behind):
    round_.act("clerk2", examine, round_.choices(2), passed=True)
    foreign, own = round_.walk.meeting("leader"), round_.walk.meeting("leader2")
    with pytest.raises(NotAllowed):
        round_.act("clerk2", confirm, 1, own)
    for meeting in (foreign, "", "x", 99999):
        with pytest.raises((Refused, NotFound)):
            round_.act("leader2", confirm, 1, meeting)
    behind.run("update meeting set minutes_path = null where id = :id", id=own)
    with pytest.raises(Refused):
        round_.act("leader2", confirm, 1, own)
    behind.run("update meeting set minutes_path = 'x' where id = :id", id=own)
    assert round_.act("leader2", confirm, 1, own) == 3
    with pytest.raises(Refused):  # twice
        round_.act("leader2", confirm, 1, own)
    with pytest.raises(Refused):  # confirmed is settled
        round_.act("clerk2", examine, round_.choices(2), passed=False, remark="x")


def test_the_hand_that_examined_does_not_confirm(round_, behind):
    round_.act("clerk2", examine, round_.choices(2), passed=True)
    behind.run("update transfer_choice set examined_by = :me", me=round_.cast.leader2.user_id)
    with pytest.raises(Refused):
        round_.act("leader2", confirm, 1, round_.walk.meeting("leader2"))


# ranking


def test_what_is_missing_is_said(round_):
    round_.act("registry", move_round, 1, "ranking")
    said = " ".join(map(str, round_.propose().hindrances))
    assert "4" in said  # choices unexamined
    with pytest.raises(Refused):
        round_.decide()
    round_.act("registry", move_round, 1, "open")
    round_.examined()
    round_.act("registry", move_round, 1, "ranking")
    assert "学生11" in " ".join(map(str, round_.propose().hindrances))  # no score
    with pytest.raises(Refused):
        round_.decide()


def test_first_choices_come_first_then_the_best(ranking):
    assert ranking.propose().admitted == {
        ranking.cases[101]: (1, FIRST),
        ranking.cases[103]: (2, SECOND),
    }


def test_the_least_score_holds(ranking, behind):
    behind.run("update transfer_quota set least_score = 85 where major_id = :m", m=SECOND)
    assert ranking.cases[103] not in ranking.propose().admitted


def test_who_did_not_pass_is_not_admitted(ranking, behind):
    behind.run("update transfer_choice set passed = false where case_id = :id", id=ranking.cases[101])
    assert ranking.propose().admitted == {ranking.cases[102]: (1, FIRST), ranking.cases[103]: (2, SECOND)}


def test_equals_for_the_last_place_are_left_to_people(ranking, behind):
    ranking.score(s102=90)
    proposal = ranking.propose()
    assert {one.case_id for one in proposal.ties[FIRST]} == {ranking.cases[101], ranking.cases[102]}
    with pytest.raises(Refused):
        ranking.decide()
    behind.run("update flow_case set second_score = 3 where id = :id", id=ranking.cases[102])
    assert ranking.propose().admitted[ranking.cases[102]] == (1, FIRST)
    behind.run("update flow_case set second_score = null")
    behind.run("update transfer_quota set places = 2 where major_id = :m", m=FIRST)
    assert len(ranking.propose().admitted) == 3


# the decision


def test_nobody_is_decided_alone(ranking):
    (outcome,) = ranking.walk.decide("panel", ranking.cases[101], "panel")
    assert (not outcome.done and "批" in str(outcome.reason)) or "list" in str(outcome.reason)


def test_what_was_not_shown_is_not_decided(ranking):
    shown = ranking.propose().print
    ranking.score(s102=99)
    with pytest.raises(Refused):
        ranking.decide(expected=shown)
    assert ranking.result(101) == ("open", "panel", None)


def test_the_panels_meeting_is_named(ranking):
    for meeting in ("", "x", 99999, ranking.walk.meeting("registry", "school")):
        with pytest.raises(Refused):
            ranking.decide(meeting_id=meeting)
        assert ranking.result(102) == ("open", "panel", None), meeting


def test_the_whole_list_in_one_act_and_once(ranking, behind):
    outcomes = ranking.decide()
    assert len(outcomes) == 3 and all(one.done for one in outcomes)
    assert ranking.result(101) == ("open", "placing", FIRST)
    assert ranking.result(102) == ("refused", None, None)
    assert ranking.result(103) == ("open", "placing", SECOND)
    assert behind.one("select state from transfer_round") == "decided"
    signing = behind.rows("select case_id, signing_college_id from case_step where key = 'placing' and state = 'open'")
    assert {row["case_id"]: row["signing_college_id"] for row in signing} == {
        ranking.cases[101]: 2, ranking.cases[103]: 1,
    }  # fmt: skip
    with pytest.raises(Refused):
        ranking.decide()


def test_after_the_panel_has_decided_nobody_takes_back(ranking):
    ranking.decide()
    with pytest.raises(Refused):
        ranking.act("clerk", withdraw, ranking.cases[101])


def test_a_second_choice_is_seen_by_its_college(ranking):
    with scope_as(ranking.cast.clerk2.scope):
        seen = set(db.session.scalars(select(TransferChoice.case_id)))
    assert seen == set(ranking.cases.values())


def test_one_round_is_open_at_a_time(round_, behind):
    behind.run("insert into transfer_round (id, title, state, choices) values (2, '另一批', 'draft', 1)")
    with pytest.raises(Refused):  # nothing to offer
        round_.act("registry", move_round, 2, "open")
    round_.act("registry", offer_majors, 2, {FIRST: Offer(1)})
    with pytest.raises(Refused):
        round_.act("registry", move_round, 2, "open")


# what is with its applicant


@pytest.fixture
def sent_back(round_) -> int:
    """The third application, examined by nobody, sent back by the student's own college; the others wait for the panel."""
    case_id = round_.cases[103]
    round_.behind.run("update case_step set state = 'waiting', decided_at = null, decided_by = null where case_id = :id",
                      id=case_id)  # fmt: skip
    round_.behind.run("update flow_case set state = 'sent_back', step_key = null where id = :id", id=case_id)
    del round_.cases[103]
    round_.examined()
    round_.score(s101=90, s102=85)
    round_.act("registry", move_round, 1, "ranking")
    return case_id


def test_an_application_that_was_sent_back_holds_no_round_up_and_ends_with_it(round_, sent_back):
    assert "1份申请已退回" in round_.cast.login("registry").get("/transferroundscreen/show/1").text
    before = round_.propose()
    assert before.hindrances == [] and before.sent_back == [sent_back]
    round_.decide()
    state = round_.behind.one("select state from flow_case where id = :id", id=sent_back)
    told = round_.behind.rows(
        "select act, opinion from case_event where case_id = :id order by id desc limit 1", id=sent_back
    )
    assert state == "refused" and told == [{"act": "refuse", "opinion": "退回后未在本轮决定前重新提交。"}]
    assert round_.behind.one("select count(*) from notice where path = :p and title_zh like '%未通过%' or text_zh like"
                             " '%未在本轮决定前%'", p=f"/casescreen/show/{sent_back}") > 0  # fmt: skip
    assert "退回后未在本轮决定前重新提交" in round_.cast.login("clerk").get(f"/casescreen/show/{sent_back}").text


def test_one_that_is_handed_in_again_before_the_decision_has_to_be_examined(round_, sent_back):
    seen = round_.propose().print
    round_.act("clerk", submit, sent_back)
    assert round_.propose().hindrances
    with pytest.raises(Refused):
        round_.decide(expected=seen)


def test_a_draft_of_an_earlier_round_joins_the_one_that_is_open(round_, walks):  # noqa: F811 - the fixture
    draft = walks("major_transfer", student=104).draft(by="clerk", first_major_id=FIRST)
    round_.behind.run("update transfer_round set state = 'ranking'")
    round_.behind.run("insert into transfer_round (id, title, state, choices) values (2, '下一轮', 'open', 2)")
    round_.behind.run("insert into transfer_quota (round_id, major_id, places) values (2, 3, 5)")
    round_.walk.attach(draft, "application")
    round_.act("clerk", submit, draft)
    joined = round_.behind.rows("select c.round_id, t.round_id as choice from flow_case c join transfer_choice t on"
                                " t.case_id = c.id where c.id = :id", id=draft)  # fmt: skip
    assert joined == [{"round_id": 2, "choice": 2}]


def test_the_college_that_a_transfer_reaches_reads_its_scans_and_its_course(round_):
    """Also what was there before anybody knew where the application would go."""
    case_id, new = round_.cases[101], round_.cast.clerk2

    def aim(college: int | None) -> list[int]:
        """Let the case go to a college; how much of its scans and course the clerk of college 2 reads then."""
        round_.behind.run("update flow_case set target_college_id = :c where id = :id", id=case_id, c=college)
        with scope_as(new.scope):
            parts = [text(f"select count(*) from {one} where case_id = :id") for one in ("case_material", "case_event")]
            return [db.session.scalar(part, {"id": case_id}) for part in parts]

    assert aim(None) == [0, 0]
    seen = aim(2)
    assert seen == [
        round_.behind.one(f"select count(*) from {one} where case_id = :id", id=case_id)
        for one in ("case_material", "case_event")
    ]
    assert min(seen) > 0
    assert aim(1) == [0, 0]
