"""The overview of open cases: who may see it, whose figures, what they count, where they lead, how they are exported."""

import io
import re
from datetime import date

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import event

from app.access import scope_as
from app.models import db
from app.operations.cases.overview import Asked, Pace, WorkingDays, overview, paces, share
from tests.conftest import TODAY
from tests.flows.conftest import Cases, cases  # noqa: F401 - the fixture

ALL = Asked()


def seen_by(cast, who: str, asked: Asked = ALL):
    with scope_as(getattr(cast, who).scope):
        return overview(asked, TODAY)


@pytest.mark.parametrize("who", ["student", "library", "admin", "admissions"])
def test_other_roles_get_no_overview(cast, who):
    assert cast.login(who).get("/overview/").status_code in (302, 403)
    assert cast.login(who).get("/overview/export").status_code in (302, 403)


def test_nobody_without_a_login(app):
    assert "/login" in app.test_client().get("/overview/").location


@pytest.mark.parametrize(
    "query", ["flow=nothing", "college=x", "band=99", "band=-1", f"college={'9' * 30}", "overdue=q"]
)
def test_what_is_asked_in_vain_is_left_out(cast, cases: Cases, query):  # noqa: F811
    cases.submitted()
    page = cast.login("registry").get(f"/overview/?{query}")
    assert page.status_code == 200
    assert "休学" in page.text


def test_an_empty_school_says_so(cast):
    assert "没有在办件" in cast.login("registry").get("/overview/").text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_it_speaks_both_languages_where_there_are_cases(cast, cases: Cases, language):  # noqa: F811
    cases.at("college")
    browser = cast.login("registry")
    browser.get(f"/lang/{language}")
    assert browser.get("/overview/").status_code == 200
    assert browser.get("/overview/export").status_code == 200


def test_a_college_sees_its_own_figures(cast, cases: Cases, behind):  # noqa: F811
    cases.submitted()
    cases.submitted(student=102, by="clerk")
    assert seen_by(cast, "registry").whole.cases == 2
    assert seen_by(cast, "clerk").whole.cases == 2
    assert seen_by(cast, "clerk2").whole.cases == 0
    assert seen_by(cast, "clerk2", Asked(college_id=1)).whole.cases == 0
    page = cast.login("clerk").get("/overview/").text
    assert 'name="college"' not in page and "文学院" not in page


def test_it_counts_by_step_college_age_and_what_is_late(cast, cases: Cases, behind):  # noqa: F811
    first, second = cases.at("college"), cases.submitted(student=102, by="clerk")
    behind.run("update flow_case set submitted_at = '2026-08-20 10:00+08' where id = :id", id=first)
    behind.run("update case_step set opened_at = '2026-08-26 10:00+08', due_on = '2026-08-28'"
               " where case_id = :id and state = 'open'", id=first)  # fmt: skip
    found = seen_by(cast, "registry")
    assert found.whole.cases == 2 and found.whole.overdue == 1
    assert found.steps["leave", "college"].overdue == 1
    assert found.steps["leave", "college"].held == 5  # 27, 28, 31 August, 1 and 2 September
    assert found.steps["leave", "accept"].cases == 1 and found.steps["leave", "accept"].held == 0
    assert found.whole.bands == (1, 0, 1, 0), "the 20th of August lies nine working days back"
    assert found.colleges[1].cases == 2
    assert seen_by(cast, "registry", Asked(overdue=True)).whole.cases == 1
    assert seen_by(cast, "registry", Asked(band=2)).whole.cases == 1
    assert seen_by(cast, "registry", Asked(flow="return")).whole.cases == 0
    assert second != first


def test_departments_side_by_side_are_one_case(cast, cases: Cases):  # noqa: F811
    cases.at("delivery")
    found = seen_by(cast, "registry")
    assert found.whole.cases == 1
    assert found.steps["leave", "delivery"].cases == 1


def test_what_was_sent_back_is_with_the_applicant(cast, cases: Cases):  # noqa: F811
    case_id = cases.submitted()
    cases.decide("clerk", case_id, "accept", act="send_back", opinion="补材料", to="applicant")
    assert seen_by(cast, "registry").steps["leave", None].cases == 1
    assert "在申请人处" in cast.login("registry").get("/overview/").text


def test_finished_cases_are_history_not_open(cast, cases: Cases, behind):  # noqa: F811
    case_id = cases.at("end")
    behind.run("update case_step set opened_at = '2026-08-26 10:00+08', decided_at = '2026-08-31 10:00+08'"
               " where case_id = :id and key = 'affairs'", id=case_id)  # fmt: skip
    with scope_as(cast.registry.scope):
        pace = paces(Asked(), TODAY)
    assert seen_by(cast, "registry").whole.cases == 0
    assert pace["leave", "affairs"] == Pace(1, 3, 3)
    assert pace["leave", "accept"].median == 0


def test_median_and_ninety_percent():
    rows = [(0, 5), (1, 3), (4, 1), (9, 1)]
    assert (share(rows, 0.5), share(rows, 0.9)) == (0, 4)
    assert share([(2, 1)], 0.9) == 2


def test_the_ages_are_working_days(app, cast):
    with scope_as(cast.registry.scope):
        days = WorkingDays(TODAY)
    assert days.span(0) == (date(2026, 8, 28), TODAY)
    assert days.span(3)[0] is None and days.span(3)[1] < days.span(2)[0]


def test_each_figure_leads_to_its_cases(cast, cases: Cases, behind):  # noqa: F811
    late, fresh = cases.at("college"), cases.submitted(student=102, by="clerk")
    behind.run("update flow_case set submitted_at = '2026-08-20 10:00+08' where id = :id", id=late)
    behind.run("update case_step set due_on = '2026-08-28' where case_id = :id and state = 'open'", id=late)
    browser = cast.login("registry")
    page = browser.get("/overview/").text
    links = {link.replace("&amp;", "&") for link in re.findall(r'href="(/casescreen/list/\?[^"]+)"', page)}
    assert len(links) >= 6, links

    def listed(*parts: str) -> set[int]:
        (link,) = [one for one in links if all(part in one for part in parts) and len(parts) == one.count("_flt_")]
        body = browser.get(link).text.split("<tbody")[1].split("</tbody>")[0]
        return {int(number) for number in re.findall(r"/casescreen/show/(\d+)", body)}

    assert listed("running=y") == {late, fresh}
    assert listed("running=y", "flow=leave", "step_key=college") == {late}
    assert listed("running=y", "flow=leave", "step_key=accept") == {fresh}
    assert listed("running=y", "_flt_1_due_on=2026-09-01") == {late}
    assert listed("running=y", "_flt_0_college=1") == {late, fresh}
    assert listed("running=y", "_flt_0_submitted_at=2026-08-28", "_flt_1_submitted_at=2026-09-03") == {fresh}


def test_the_workbook_has_the_same_figures(cast, cases: Cases, behind):  # noqa: F811
    cases.submitted()
    answer = cast.login("registry").get("/overview/export?flow=leave")
    assert answer.mimetype.endswith("spreadsheetml.sheet")
    header, *rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()
    assert header[:4] == ["流程", "环节", "学院", "在办件"]
    assert rows == [["休学", "学院受理", "计算机学院", 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, "", ""]]
    assert behind.one("select count(*) from audit_entry where action = 'overview:export'") == 1
    other = cast.login("clerk2").get("/overview/export")
    assert len(CalamineWorkbook.from_filelike(io.BytesIO(other.data)).get_sheet_by_index(0).to_python()) == 1


def test_more_cases_cost_no_more_statements(app, cast, cases: Cases):  # noqa: F811
    def statements() -> int:
        said: list[str] = []
        engine = db._app_engines[app][None].engine
        browser = cast.login("registry")
        listener = lambda *args: said.append(args[2])  # noqa: E731
        event.listen(engine, "before_cursor_execute", listener)
        try:
            assert browser.get("/overview/").status_code == 200
        finally:
            event.remove(engine, "before_cursor_execute", listener)
        return len(said)

    statements()  # the first page of a process asks for more
    few = statements()
    for student in (101, 102, 103):
        cases.submitted(student=student, by="student" if student == 101 else "clerk")
    assert statements() == few
