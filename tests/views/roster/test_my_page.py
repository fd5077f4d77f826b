"""A student's own page: hers alone, what waits for her, what she may apply for, what was decided about her."""

from datetime import date, timedelta

import pytest
from sqlalchemy import event

from app.kit import clock
from app.kit.flow import FLOWS
from app.models import db
from tests.cast import PASSWORD
from tests.flows.conftest import Cases, cases, on_leave  # noqa: F401 - the fixtures
from tests.flows.walk import Walk


def home(cast, who: str = "student") -> str:
    answer = cast.login(who).get("/")
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize("who", ["clerk", "leader", "registry", "auditor", "library", "admin"])
def test_other_roles_keep_their_own_start_page(app, cast, who):
    assert "我可以申请的事项" not in home(cast, who)


def test_without_a_login_there_is_no_page(app):
    assert app.test_client().get("/").location.startswith("/login")


def test_she_lands_on_it_after_the_login_and_sees_herself_alone(app, cast, cases: Cases):  # noqa: F811
    mine, other = cases.submitted(), cases.submitted(student=102, by="clerk")
    client = app.test_client()
    answer = client.post("/login/", data={"username": "student", "password": PASSWORD}, follow_redirects=True)
    assert answer.request.path == "/"
    assert "我可以申请的事项" in answer.text
    assert "学生11" in answer.text and "学生12" not in answer.text
    assert f"/casescreen/show/{mine}" in answer.text and f"/casescreen/show/{other}" not in answer.text


def test_her_own_values_are_revealed_to_her_and_nobody_elses(app, cast, behind):
    page = home(cast)
    assert "500101200601011001" not in page and "/studentscreen/reveal/101/id_number" in page
    browser = cast.login("student")
    assert browser.post("/studentscreen/reveal/102/id_number").status_code == 404
    assert browser.post("/studentscreen/reveal/201/phone").status_code == 404
    answer = browser.post("/studentscreen/reveal/101/id_number")
    assert answer.json["value"].startswith("50010120060101")
    assert behind.one("select count(*) from audit_entry where action = 'student.reveal' and subject_id = 101") == 1


def test_only_what_her_state_allows_is_offered(app, cast, behind):
    page = home(cast)
    assert "/apply/leave/101" in page
    assert "/apply/return/101" not in page and "复学" not in page.split("我可以申请的事项")[1].split("</section>")[0]
    assert "/apply/dismissal/101" not in page  # a college's to declare
    behind.run("update student set status = 'on_leave' where id = 101")
    page = home(cast)
    assert "/apply/return/101" in page and "/apply/leave/101" not in page
    behind.run("update student set status = 'graduated' where id = 101")
    assert "目前没有可以申请的事项" in home(cast)


def test_who_has_formal_status_is_no_freshman_any_more(app, cast, behind):
    assert "/apply/admission_waiver/101" not in home(cast)
    behind.run("update student set registered = false where id = 101")
    assert "放弃入学资格" in home(cast)


def test_a_closed_window_says_when_it_opens(app, cast):
    offers = home(cast).split("我可以申请的事项")[1].split("</section>")[0]
    assert "2026-09-" in offers  # leave is open in the first week of term, and says until when
    with clock.on(date(2026, 11, 2)):
        offers = home(cast).split("我可以申请的事项")[1].split("</section>")[0]
    assert "2027-" in offers and "开放" in offers
    assert "因病" in offers  # and that illness has days of its own


def test_a_running_case_is_not_offered_again(app, cast, cases: Cases):  # noqa: F811
    case_id = cases.draft()
    page = home(cast)
    assert "/apply/leave/101" not in page
    assert f"/casescreen/show/{case_id}" in page
    assert "请上传：" in page and "在申请页面上传并提交" in page


def test_what_to_bring_where_and_by_when(app, cast, cases: Cases):  # noqa: F811
    cases.submitted()
    errands = home(cast).split("需要你办理的事")[1].split("</section>")[0]
    assert "请带原件" in errands and "计算机学院" in errands and "2026-09-03" in errands
    assert "sr-flow-tb" in home(cast), "the diagram has its tall form for the phone"


def test_a_finished_leave_shows_its_notice_and_its_end(app, cast, on_leave):  # noqa: F811
    page = home(cast)
    assert "/paperscreen/print?id=" in page
    assert "2027-" in page.split('class="grid"')[0], "the end of the leave stands above everything else"
    assert "需要你办理的事" not in page


def test_a_dismissal_shows_its_delivery_and_the_last_day_to_appeal(app, cast, behind, cases: Cases):  # noqa: F811
    walk = Walk(cast, behind, FLOWS["dismissal"])
    behind.run("update department set receives = receives || '{dismissal}', leaving_items = '{图书}'"
               " where key = 'library'")  # fmt: skip
    walk.ready()
    walk.open_window()
    with walk.days:
        walk.at("leaving")
        page = home(cast)
        assert "决定已于" in page and "尚未办清：图书" in page
        assert "/apply/appeal/101" in page
        last = behind.one("select appeal_until from flow_case where delivered_on is not null")
        with clock.on(last):
            assert "/apply/appeal/101" in home(cast)
        with clock.on(last + timedelta(days=1)):
            assert "/apply/appeal/101" not in home(cast)


def test_who_withdrew_herself_is_not_offered_an_appeal(app, cast, behind):
    behind.run("update student set status = 'withdrawn' where id = 101")
    assert "/apply/appeal/101" not in home(cast)


def statements(app, cast, who: str) -> int:
    client, said = cast.login(who), []
    engine = db._app_engines[app][None].engine
    listener = lambda *args: said.append(args[2])  # noqa: E731
    event.listen(engine, "before_cursor_execute", listener)
    try:
        assert client.get("/").status_code == 200
    finally:
        event.remove(engine, "before_cursor_execute", listener)
    return len(said)


def test_papers_and_closed_cases_cost_no_further_statements(app, cast, behind, cases: Cases):  # noqa: F811
    few = statements(app, cast, "student")
    for _number in range(4):
        case_id = cases.submitted()
        behind.run("update flow_case set state = 'withdrawn', step_key = null where id = :id", id=case_id)
    assert statements(app, cast, "student") <= few + 1
