"""The pages of the calendar: who is turned away, what a refusal looks like, and that each button does what it says."""

import re
from datetime import date, timedelta

import pytest
from flask import g, request_finished
from icalendar import Calendar
from sqlalchemy import event

from app.kit import clock
from app.kit.jobs.due import Due, tell
from app.models import db
from tests.flows.conftest import acting, cases  # noqa: F401 - the fixture


@pytest.fixture(autouse=True)
def several_browsers(app):
    """The requests of a test share the application's context, and with it who is logged in."""

    def forget(_app, **_response) -> None:
        g.pop("_login_user", None)

    request_finished.connect(forget, app)
    yield
    request_finished.disconnect(forget, app)


@pytest.fixture
def task(behind):
    """The id of a task of 2026 by its key and 学院."""

    def find(key: str, college: int | None = 1) -> int:
        return behind.one("select id from dated_task where key = :key and year = 2026 and occurrence = 1"
                          " and college_id is not distinct from :college", key=key, college=college)  # fmt: skip

    return find


# strangers


@pytest.mark.parametrize("who", ["admin", "library"])
def test_the_plan_is_closed_to_who_has_no_part_in_it(cast, who):
    assert cast.login(who).get("/calendar/").status_code in (302, 403)


def test_a_task_of_another_college_is_no_page(cast, task):
    other = task("autumn_leave", 2)
    for who in ("clerk", "student"):
        browser = cast.login(who)
        assert browser.get(f"/calendar/task/{other}").status_code == 404
        for act in ("tick", "remark", "untick", "move"):
            answer = browser.post(
                f"/calendar/task/{other}/{act}", data={"text": "x", "opens_on": "2026-09-01", "due_on": "2026-09-02"}
            )
            assert answer.status_code in (403, 404), act


def test_a_clerk_moves_no_dates_and_opens_no_year(cast, task, behind):
    browser = cast.login("clerk")
    data = {"text": "x", "opens_on": "2026-09-01", "due_on": "2026-12-02"}
    assert browser.post(f"/calendar/task/{task('autumn_leave')}/move", data=data).status_code == 403
    assert browser.get("/years/").status_code in (302, 403)
    browser.post("/years/", data=YEAR)
    assert not behind.one("select exists (select from academic_year where year = 2027)")
    auditor = cast.login("auditor")
    assert "2026-2027" in auditor.get("/years/").text
    assert auditor.post("/years/", data=YEAR).status_code == 403
    assert auditor.post("/years/2026", data=MOVE | {"reason": "x"}).status_code == 403


def test_who_only_reads_a_year_is_offered_nothing_to_try(cast):
    for who, tries in (("registry", True), ("auditor", False), ("admin", False)):
        page = cast.login(who).get("/years/2026")
        assert page.status_code == 200 and "2026-08-31" in page.text
        assert ('name="autumn"' in page.text) is tries, who
        assert ("放假与调休”中自行录入" in page.text) is tries, who


# the plan

YEAR = {"year": "2027", "autumn": "2027-08-30", "autumn_weeks": "20", "spring": "2028-02-28", "spring_weeks": "20"}
MOVE = {"autumn": "2026-09-07", "autumn_weeks": "20", "spring": "2027-03-01", "spring_weeks": "20"}


def titles(page: str) -> list[str]:
    return re.findall(r'<span class="plan-line"><a href="[^"]+">([^<]+)</a>', page)


def test_the_plan_shows_each_reader_what_is_hers(cast):
    registry, clerk, student = (
        titles(cast.login(who).get("/calendar/").text) for who in ("registry", "clerk", "student")
    )
    assert len(registry) == 50 and "新生数据处理" in registry  # 45 rules, five of which come once a term
    assert "休学期满及未报到学生学籍清理" in clerk and "新生数据处理" not in clerk
    assert "学生休学处理" in student and "休学期满及未报到学生学籍清理" not in student


@pytest.mark.parametrize(
    ("query", "some", "none"),
    [
        ("kind=grades", "组织补考", "学生休学处理"),
        ("state=open", "学生休学处理", "学生证办理"),
        ("state=late", "新生数据处理", "学生休学处理"),
        ("college=1&kind=roster", "学生休学处理", "组织补考"),
    ],
)
def test_filters_of_the_plan(cast, query, some, none):
    shown = titles(cast.login("registry").get(f"/calendar/?{query}").text)
    assert some in shown and none not in shown


@pytest.mark.parametrize(
    "query",
    ["year=1999", "year=x", "college=x", "college=99999999999999", "kind=x", "state=x", "college=-1"],
)
def test_what_no_filter_knows_is_ignored(cast, query):
    answer = cast.login("registry").get(f"/calendar/?{query}")
    assert answer.status_code == 200 and len(titles(answer.text)) == 50


def test_no_year_is_open_yet(cast, behind):
    behind.run("delete from dated_task")
    behind.run("delete from academic_year")
    for who in ("registry", "clerk", "student"):
        assert "尚未开设学年" in cast.login(who).get("/calendar/").text
    assert cast.login("registry").get("/").status_code == 200
    assert cast.login("registry").get("/years/").status_code == 200


# one task


def test_tick_remark_and_take_back(cast, behind, task):
    browser, page = cast.login("clerk"), f"/calendar/task/{task('returning_checkin')}"
    assert browser.post(f"{page}/remark", data={"text": " "}).status_code == 409
    assert browser.post(f"{page}/remark", data={"text": "还差两个班"}).status_code == 302
    assert browser.post(f"{page}/tick", data={"text": ""}).status_code == 302
    again = browser.post(f"{page}/tick", data={})
    assert again.status_code == 409 and "已将该任务标记为完成" in again.text
    shown = browser.get(page).text
    assert "还差两个班" in shown and "已完成" in shown
    assert browser.post(f"{page}/untick", data={"text": "名单有误"}).status_code == 302
    assert behind.one("select remark from dated_task where id = :id", id=task("returning_checkin")) == "还差两个班"


def test_a_move_keeps_what_was_entered_when_it_is_refused(cast, task, behind):
    browser, page = cast.login("registry"), f"/calendar/task/{task('autumn_return')}"
    for dates in ({"opens_on": "x", "due_on": "y"}, {"opens_on": "", "due_on": "2026-09-30"}, {}):
        assert browser.post(f"{page}/move", data={"text": "原因", **dates}).status_code == 422
    refused = browser.post(f"{page}/move", data={"text": " ", "opens_on": "2026-09-01", "due_on": "2026-09-30"})
    assert refused.status_code == 409 and 'value="2026-09-30"' in refused.text
    moved = browser.post(f"{page}/move", data={"text": "学院搬迁", "opens_on": "2026-09-01", "due_on": "2026-09-30"})
    assert moved.status_code == 302
    shown = browser.get(page).text
    assert "学院搬迁" in shown and "2026-08-31 – 2026-09-06" in shown  # what it was by rule
    assert browser.post(f"{page}/nothing", data={}).status_code == 302
    assert browser.get("/calendar/task/99999999").status_code == 404


def test_a_task_of_a_procedure_says_how_many_colleges_have_handed_in(cast, cases, task):  # noqa: F811
    cases.submitted()
    said = "2 个学院中 1 个已提交；1 件中已办结 0 件"
    registry = cast.login("registry")
    assert said in registry.get("/calendar/").text
    assert said in registry.get(f"/calendar/task/{task('autumn_leave')}").text
    assert "1 件中已办结 0 件" in cast.login("clerk").get("/calendar/").text


def test_the_matrix_shows_every_college_to_the_registry_alone(cast, task):
    page = f"/calendar/task/{task('returning_checkin')}"
    matrix = cast.login("registry").get(page).text
    assert "计算机学院" in matrix and "文学院" in matrix
    own = cast.login("clerk").get(page).text
    assert "计算机学院" in own and "文学院" not in own


def test_the_row_of_all_colleges_opens_no_single_colleges_form(cast, task, behind):
    registry, first = cast.login("registry"), task("returning_checkin")
    assert f"/calendar/all/{first}" in registry.get("/calendar/").text
    page = registry.get(f"/calendar/all/{first}").text
    assert "全部学院" in page and "文学院" in page and "标记完成" not in page
    dates = {"opens_on": "2026-09-01", "due_on": "2026-09-20", "for_all": "y", "whole": "y"}
    refused = registry.post(f"/calendar/task/{first}/move", data=dates | {"text": ""})
    assert refused.status_code == 409 and "全部学院" in refused.text
    moved = registry.post(f"/calendar/task/{first}/move", data=dates | {"text": "推迟"})
    assert moved.location == f"/calendar/all/{first}"
    due = "select count(*) from dated_task where key = 'returning_checkin' and year = 2026 and due_on = '2026-09-20'"
    assert behind.one(due) == 2
    assert "推迟" in registry.get(f"/calendar/all/{first}").text


def test_who_sees_one_college_has_its_page_alone(cast, task):
    clerk, own = cast.login("clerk"), task("returning_checkin")
    assert f"/calendar/task/{own}" in clerk.get("/calendar/").text
    page = clerk.get(f"/calendar/all/{own}").text
    assert "标记完成" in page and "文学院" not in page
    assert clerk.get(f"/calendar/all/{task('returning_checkin', 2)}").status_code == 404
    assert cast.login("library").get(f"/calendar/all/{own}").status_code in (302, 403)


# years and terms


def test_a_year_is_opened_once_from_the_page(cast):
    browser = cast.login("registry")
    for wrong in (
        {"year": "x"},
        {"autumn": ""},
        {"autumn": "2027-08-31"},
        {"spring_weeks": "-1"},
        {"year": "999999999999"},
    ):
        answer = browser.post("/years/", data=YEAR | wrong)
        assert answer.status_code == 422, wrong
    assert browser.post("/years/", data=YEAR).location == "/years/2027"
    again = browser.post("/years/", data=YEAR)
    assert again.status_code == 422 and "已经开设" in again.text
    assert browser.get("/years/2099").location == "/years/"


def test_the_preview_changes_nothing_and_the_move_needs_a_reason(cast, behind, cases):  # noqa: F811
    cases.submitted()
    browser = cast.login("registry")
    preview = browser.get("/years/2026", query_string=MOVE).text
    assert "2026-09-07 – 2026-09-20" in preview and "已提交，继续办理" in preview
    assert browser.post("/years/2026", data=MOVE | {"reason": ""}).status_code == 422
    refused = browser.post("/years/2026", data=MOVE | {"reason": "台风"})
    assert refused.status_code == 422 and "1 件在办办件将不在办理时段内" in refused.text and "台风" in refused.text
    assert behind.one("select min(first_monday) from term") == date(2026, 8, 31)
    done = browser.post("/years/2026", data=MOVE | {"reason": "台风", "accept_outside": "y"})
    assert done.status_code == 302
    assert behind.one("select min(first_monday) from term") == date(2026, 9, 7)
    for wrong in ({"autumn": "x"}, {"autumn_weeks": "many"}, {"autumn": "2026-09-08"}):
        assert browser.get("/years/2026", query_string=MOVE | wrong).status_code == 422


def test_an_edited_rule_shows_what_would_follow(cast, behind):
    browser = cast.login("registry")
    assert "与学期和时间安排一致" in browser.get("/years/2026").text
    behind.run("insert into calendar_day (day, working, name) values ('2026-09-06', false, '校庆')")
    assert "以下日期将随之调整" in browser.get("/years/2026").text


# the time-table


def test_a_rule_that_cannot_be_read_or_matches_nothing_is_not_saved(cast, behind):
    browser = cast.login("registry")
    rule = behind.rows("select * from task_rule where key = 'student_card'")[0]
    form = {
        name: str(value or "") for name, value in rule.items() if name not in ("id", "owners", "students", "active")
    }
    form |= {"owners": ["college"], "students": "y", "active": "y"}
    path = f"/taskrulescreen/edit/{rule['id']}"
    for opens in ("autumn:w99", "whenever", "autumn:w3-1"):
        browser.post(path, data=form | {"opens": opens})
        assert behind.one("select opens from task_rule where key = 'student_card'") == "autumn:w3", opens
    browser.post(path, data=form | {"opens": "autumn:w4"})
    assert behind.one("select opens from task_rule where key = 'student_card'") == "autumn:w4"
    assert cast.login("clerk").get("/taskrulescreen/list/").status_code in (302, 403)


# the feed


def feed(browser) -> str:
    (address,) = re.findall(r"http://localhost(/calendar-feed/\d+/\w+\.ics)", browser.get("/calendar/").text)[:1]
    return address


def test_the_feed_holds_her_tasks_and_needs_no_login(app, cast):
    browser = cast.login("clerk")
    assert ".ics" not in browser.get("/calendar/").text
    browser.post("/calendar-feed/renew")
    answer = app.test_client().get(feed(browser))
    assert answer.status_code == 200 and answer.mimetype == "text/calendar"
    calendar = Calendar.from_ical(answer.data)
    events = {str(event["summary"]): event for event in calendar.walk("VEVENT")}
    leave = events["学生证办理"]
    assert (leave.decoded("dtstart"), leave.decoded("dtend")) == (date(2026, 9, 14), date(2026, 9, 21))
    assert "领取数与实际报到数一致" in str(leave["description"]) and "/calendar/task/" in str(leave["url"])
    assert "新生数据处理" not in events and "自动退学处理" not in events
    assert len({str(event["uid"]) for event in events.values()}) == len(events)


def test_another_link_is_404_and_so_is_a_renewed_one(app, cast, behind):
    clerk, leader, anybody = cast.login("clerk"), cast.login("leader"), app.test_client()
    for browser in (clerk, leader):
        browser.post("/calendar-feed/renew")
    old, other = feed(clerk), feed(leader)
    head, tail = old.rsplit("/", 1)
    for wrong in (f"{head}/{other.rsplit('/', 1)[1]}", f"{head}/x.ics", f"{head}/{tail[:-5]}.ics", f"{head}/é.ics",
                  "/calendar-feed/1/x.ics", "/calendar-feed/99999999999/x.ics"):  # fmt: skip
        assert anybody.get(wrong).status_code == 404, wrong
    clerk.post("/calendar-feed/renew")
    assert anybody.get(old).status_code == 404
    assert anybody.get(feed(clerk)).status_code == 200 and anybody.get(other).status_code == 200
    behind.run("update ab_user set active = false where username = 'leader'")
    assert anybody.get(other).status_code == 404


def test_links_are_made_from_the_address_that_is_set(app, cast, monkeypatch):
    """A forged Host reaches neither the subscription's address nor the links in it."""
    monkeypatch.setitem(app.config, "XUEJI_ADDRESS", "https://xueji.school.invalid")
    browser, forged = cast.login("clerk"), {"Host": "evil.invalid"}
    browser.set_cookie("xueji", browser.get_cookie("xueji").value, domain="evil.invalid")
    browser.post("/calendar-feed/renew", headers=forged)
    page = browser.get("/calendar/", headers=forged).text
    (path,) = re.findall(r"https://xueji\.school\.invalid(/calendar-feed/\d+/\w+\.ics)", page)[:1]
    assert "evil.invalid" not in page
    calendar = Calendar.from_ical(app.test_client().get(path, headers=forged).data)
    links = {str(event["url"]).partition("/calendar")[0] for event in calendar.walk("VEVENT")}
    assert links == {"https://xueji.school.invalid"}


def test_the_registrys_feed_has_one_event_for_all_colleges(app, cast):
    browser = cast.login("registry")
    browser.post("/calendar-feed/renew")
    calendar = Calendar.from_ical(app.test_client().get(feed(browser)).data)
    summaries = [str(event["summary"]) for event in calendar.walk("VEVENT")]
    assert summaries.count("学生休学处理") == 2 and "新生数据处理" in summaries  # once a term


# home and notices


def test_my_tasks_and_notices_are_on_the_home_page(cast, task):
    page = f"/calendar/task/{task('student_card')}"
    news = Due("k", (cast.clerk.user_id,), "请核对", "请核对名单", page)
    acting(cast.registry, lambda actor: (tell([news]), db.session.commit()))
    browser = cast.login("clerk")
    home = browser.get("/").text
    assert "我的校历任务" in home and "老生报到注册" in home and "请核对" in home
    assert "我的校历任务" not in cast.login("student").get("/").text
    (address,) = re.findall(r'action="(/notices/\d+)"', browser.get("/notices/").text)
    assert cast.login("leader").post(address).status_code == 404
    assert browser.post(address).location == page
    assert "请核对" not in browser.get("/").text and "请核对" in browser.get("/notices/").text
    browser.post("/notices/read")


def test_a_flow_says_on_its_card_when_it_opens_next(cast):
    with clock.on(date(2026, 9, 14) + timedelta(days=1)):
        page = cast.login("student").get("/apply/").text
    assert "2027-03-01" in page and "2026-08-31" not in page


def test_pages_of_many_tasks_ask_a_fixed_number_of_statements(cast, behind):
    statements: list[str] = []

    def count(_conn, _cursor, statement, *_rest) -> None:
        statements.append(statement)

    browser, engine = cast.login("registry"), behind.connection
    counts = []
    for colleges in (5, 25):
        behind.run(
            "insert into college (code, name) select 'x' || n, '学院' || n from generate_series(1, :n) n on conflict do nothing",
            n=colleges,
        )
        behind.run("insert into dated_task (year, rule_id, key, occurrence, season, college_id, owners, students,"
                   " planned_opens_on, planned_due_on, opens_on, due_on) select t.year, t.rule_id, t.key, t.occurrence,"
                   " t.season, c.id, t.owners, t.students, t.planned_opens_on, t.planned_due_on, t.opens_on, t.due_on"
                   " from dated_task t, college c where t.college_id = 1 and c.name like '学院%' on conflict do nothing")  # fmt: skip
        event.listen(engine, "before_cursor_execute", count)
        for path in ("/calendar/", "/"):
            assert browser.get(path).status_code == 200
        event.remove(engine, "before_cursor_execute", count)
        counts.append(len(statements))
        statements.clear()
    assert counts[1] <= counts[0]


@pytest.mark.parametrize("how", [
    "update ab_user set password = 'another' where username = 'clerk'",
    "update ab_user set active = false where username = 'clerk'",
], ids=["password", "switched off"])  # fmt: skip
def test_a_link_ends_with_the_password_and_with_the_account(app, cast, behind, how):
    """And does not come back with the account: she makes another, which is another."""
    cast.login("clerk").post("/calendar-feed/renew")
    old, anybody = feed(cast.login("clerk")), app.test_client()
    assert anybody.get(old).status_code == 200
    kept = behind.one("select password from ab_user where username = 'clerk'")
    behind.run(how)
    assert anybody.get(old).status_code == 404
    behind.run("update ab_user set active = true, password = :kept where username = 'clerk'", kept=kept)
    browser = cast.login("clerk")
    assert anybody.get(old).status_code == 404 and ".ics" not in browser.get("/calendar/").text
    browser.post("/calendar-feed/renew")
    assert feed(browser) != old and anybody.get(feed(browser)).status_code == 200
