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
