"""The pages of a round of transfers: what each reader finds on them, what is refused, and that nothing typed is lost."""

import re

import pytest
from flask import Flask

from app.operations.transfers.rounds import confirm, examine
from tests.conftest import Behind, Cast
from tests.flows.conftest import walks  # noqa: F401 - the fixture
from tests.flows.test_batch import counted
from tests.operations.transfers.test_rounds import FIRST, Round, ranking, round_  # noqa: F401 - fixtures

ROUND = "/transferroundscreen/show/1"


@pytest.fixture
def drafted(behind: Behind) -> None:
    behind.run("insert into transfer_round (id, title, state, choices) values (1, '2027年转专业', 'draft', 2)")


@pytest.mark.parametrize("who", ["student", "admin", "library", "admissions"])
def test_others_find_no_round(cast: Cast, drafted, who):
    browser = cast.login(who)
    for path in ("/transferroundscreen/list/", ROUND, "/transferroundscreen/offers/1", "/transferroundscreen/ranking/1",
                 "/transferapplicationscreen/list/", "/imports/ranking/"):  # fmt: skip
        assert browser.get(path).status_code in (302, 403, 404), path


@pytest.mark.parametrize("who", ["clerk", "leader", "director", "auditor", "panel"])
def test_readers_change_nothing(cast: Cast, drafted, behind: Behind, who):
    browser = cast.login(who)
    assert browser.get(ROUND).status_code == 200
    for act, data in (("move", {"to": "open"}), ("offers", {f"places-{FIRST}": "3"})):
        assert browser.post(f"/transferroundscreen/{act}/1", data=data).status_code in (302, 403)
    assert behind.one("select state from transfer_round") == "draft"
    assert behind.one("select count(*) from transfer_quota") == 0


def test_a_round_without_majors_cannot_be_opened_and_says_so(cast: Cast, drafted):
    answer = cast.login("registry").post("/transferroundscreen/move/1", data={"to": "open"})
    assert answer.status_code == 422 and "名额" in answer.text


def test_the_places_of_all_majors_are_set_on_one_page(cast: Cast, drafted, behind: Behind):
    browser = cast.login("registry")
    sent = {
        f"places-{FIRST}": "3",
        f"least_score-{FIRST}": "80.5",
        f"conditions-{FIRST}": "<b>平均80分</b>",
        "places-1": " ",
    }
    assert browser.post("/transferroundscreen/offers/1", data=sent).status_code == 302
    (row,) = behind.rows("select major_id, places, least_score, conditions from transfer_quota")
    assert (row["major_id"], row["places"], float(row["least_score"])) == (FIRST, 3, 80.5)
    page = browser.get("/transferroundscreen/offers/1").text
    assert 'value="80.5"' in page and "&lt;b&gt;" in page


def test_what_was_typed_stays_when_it_is_refused(cast: Cast, drafted, behind: Behind):
    sent = {f"places-{FIRST}": "3", "places-2": "viele"}
    answer = cast.login("registry").post("/transferroundscreen/offers/1", data=sent)
    assert answer.status_code == 422 and "软件工程" in answer.text and 'value="viele"' in answer.text
    assert f'name="places-{FIRST}" value="3"' in answer.text
    assert behind.one("select count(*) from transfer_quota") == 0


def test_each_college_finds_what_is_about_it(round_: Round):  # noqa: F811 - the fixture
    theirs, ours = (round_.cast.login(who).get(ROUND).text for who in ("clerk2", "clerk"))
    assert theirs.count('name="choice"') == 3 and ours.count('name="choice"') == 1
    assert 'name="choice"' not in round_.cast.login("registry").get(ROUND).text


def test_who_may_not_see_the_applicant_is_not_offered_her_form(round_: Round, behind: Behind):  # noqa: F811
    case = behind.one("select min(id) from flow_case where flow = 'major_transfer' and student_college_id = 1")
    ours, theirs = (round_.cast.login(who) for who in ("clerk", "clerk2"))
    form = f"/paperscreen/application/{case}"
    assert form in ours.get(f"/casescreen/show/{case}").text and ours.get(form).status_code == 200
    page = theirs.get(f"/casescreen/show/{case}")
    assert page.status_code == 200 and form not in page.text and theirs.get(form).status_code == 404


def test_an_examination_of_nothing_is_a_sentence(round_: Round):  # noqa: F811 - the fixture
    for data in (
        {}, {"act": "pass"}, {"act": "fail", "choice": "1", "remark": ""}, {"act": "pass", "choice": "x"},
        {"act": "pass", "choice": str(2**70)}, {"act": "pass", "choice": "999999"},
    ):  # fmt: skip
        answer = round_.cast.login("clerk2").post("/transferroundscreen/examine/1", data=data)
        assert answer.status_code == 422 and "alert-danger" in answer.text, data


def test_what_waits_in_a_round_is_to_do_for_who_examines_and_who_signs(round_: Round, cast: Cast):  # noqa: F811
    def told(*people: str) -> list[int]:
        pages = [cast.login(who).get("/inbox/").text for who in people]
        return [int((re.findall("报考本学院的 (\\d+) 个志愿待您办理", page) or [0])[0]) for page in pages]

    ours, theirs = round_.choices(1), round_.choices(2)
    assert ours and theirs
    assert told("clerk", "clerk2") == [len(ours), len(theirs)]
    assert told("leader", "leader2", "registry", "auditor", "student") == [0] * 5
    round_.act("clerk2", examine, theirs, passed=True)
    assert told("clerk", "leader", "clerk2", "leader2") == [len(ours), 0, 0, len(theirs)]
    round_.act("leader2", confirm, 1, round_.walk.meeting("leader2"))
    assert told("clerk2", "leader2") == [0, 0]


@pytest.mark.parametrize("path", ["move", "examine", "confirm", "settle"])
def test_a_round_that_is_none_is_404(cast: Cast, path):
    who = {"move": "registry", "examine": "clerk", "confirm": "leader", "settle": "panel"}[path]
    data = {"to": "open", "act": "pass", "choice": "1", "meeting_id": "1", "expected": "x"}
    assert cast.login(who).post(f"/transferroundscreen/{path}/999", data=data).status_code in (404, 422)


def test_the_panel_decides_from_the_page_what_it_saw(ranking: Round):  # noqa: F811 - the fixture
    browser = ranking.cast.login("panel")
    page = browser.get("/transferroundscreen/ranking/1").text
    assert 0 < page.index("学生11") < page.index("学生12")  # by their scores
    meeting = ranking.walk.meeting("panel")
    stale = browser.post("/transferroundscreen/settle/1", data={"meeting_id": meeting, "expected": "old"})
    assert stale.status_code == 422 and "alert-danger" in stale.text
    shown = browser.get(ROUND).text.partition('name="expected" value="')[2].partition('"')[0]
    done = browser.post("/transferroundscreen/settle/1", data={"meeting_id": meeting, "expected": shown})
    assert done.status_code == 302 and ranking.result(101)[1] == "placing"
    assert browser.get("/transferroundscreen/ranking/1").status_code == 404  # nothing is ranked any more


def test_an_applicant_reads_what_each_major_asks(round_: Round, behind: Behind):  # noqa: F811 - the fixture
    behind.run("update transfer_quota set conditions = '平均成绩80分以上', places = 7 where major_id = :m", m=FIRST)
    for table in ("case_event", "transfer_choice", "case_material", "case_step", "flow_case"):
        behind.run(f"delete from {table}")
    page = round_.cast.login("student").get("/apply/major_transfer/101").text
    assert "平均成绩80分以上" in page and "7" in page


def test_applications_and_changes_cost_a_fixed_number_of_statements(app: Flask, ranking: Round, behind: Behind):  # noqa: F811
    browser = ranking.cast.login("registry")
    numbers = []
    for _again in range(2):
        for path in ("/transferapplicationscreen/list/", "/rosterchangescreen/list/"):
            browser.get(path)
            with counted() as seen:
                assert browser.get(path).status_code == 200
            numbers.append(len(seen))
        behind.run("insert into roster_change (student_id, college_id, student_college_id, code, effective_on, new_status,"
                   " new_college_id, new_major_id, new_grade, new_study_length, new_text) select id, college_id,"
                   " college_id, 'A2', '2024-09-01', status, college_id, major_id, grade, study_length, '{}'"
                   " from student where id in (104, 105, 106, 204, 205, 206)")  # fmt: skip
    assert numbers[:2] == numbers[2:]


def test_the_ledger_is_exported_for_the_upload(ranking: Round):  # noqa: F811 - the fixture
    browser = ranking.cast.login("registry")
    answer = browser.post(
        "/rosterchangescreen/export/roster_changes", data={"columns": ["student_no", "code", "new_major"]}
    )
    assert answer.status_code == 200 and answer.data[:2] == b"PK"
    assert ranking.cast.login("student").get("/rosterchangescreen/list/").status_code in (302, 403, 404)
