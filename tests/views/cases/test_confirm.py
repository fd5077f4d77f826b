"""The page before a batch says how many will be decided, and which not and why, before anything is done."""

from tests.flows.conftest import cases as cases  # the fixture of the flows' tests

ROW = "{}:college"


def test_it_shows_what_another_hand_must_sign_and_what_has_moved_on(cast, cases, behind):
    case_id = cases.at("college")
    leader = cast.login("leader")
    page = leader.post("/inbox/confirm", data={"rowid": ROW.format(case_id)}).text
    assert 'name="rowid"' in page and "本环节须由他人签署" not in page
    behind.run("update case_event set actor_id = :leader where act = 'submit'", leader=cast.leader.user_id)
    page = leader.post("/inbox/confirm", data={"rowid": [ROW.format(case_id), "999:college"]}).text
    assert 'name="rowid"' not in page
    assert "本环节须由他人签署" in page and "#999" in page
    assert f'href="/casescreen/show/{case_id}"' in page.partition("<main")[2]
    assert cases.state(case_id) == ("open", "college")


def test_it_shows_what_cannot_be_approved_and_takes_it_along(cast, cases, behind):
    case_id = cases.at("accept")
    clerk = cast.login("clerk")
    ask = {"rowid": f"{case_id}:accept"}
    assert "目前不能通过" not in clerk.post("/inbox/confirm", data=ask).text
    behind.run("delete from case_material where case_id = :id", id=case_id)
    page = clerk.post("/inbox/confirm", data=ask).text
    assert "目前不能通过" in page and "缺少材料" in page and 'name="rowid"' in page
    sent = clerk.post("/inbox/decide", data=ask | {"act": "send_back", "opinion": "请补材料"}, follow_redirects=True)
    assert sent.status_code == 200 and cases.state(case_id)[0] == "sent_back"


def test_a_roster_that_changed_meanwhile_is_foreseen(cast, cases, behind):
    case_id = cases.at("registry")
    ask = {"rowid": f"{case_id}:registry"}
    behind.run(
        "update student set status = 'withdrawn' where id = (select student_id from flow_case where id = :id)",
        id=case_id,
    )
    page = cast.login("registry").post("/inbox/confirm", data=ask).text
    assert "目前不能通过" in page and "退学" in page
