"""A round of transfers in Chromium: opened, applied in, examined, ranked, decided, published, issued, each by her own hands."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from xlsxwriter import Workbook

from app.kit.flow import FLOWS
from tests.browser.conftest import WEB_AND_WORKER
from tests.browser.test_procedures import SCAN, Day, School, done
from tests.conftest import Bed

JANUARY, LATER = date(2027, 1, 5), date(2027, 1, 20)
FLOW = FLOWS["major_transfer"]
GOAL, GOAL_CLASS = 3, "中文2024-1班"  # the other college's major


@pytest.fixture
def school(bed: Bed, chromium: Browser, tmp_path: Path) -> Iterator[School]:
    made = School(bed, chromium, tmp_path)
    yield made
    made.owner.dispose()


def test_a_round_of_transfers(school: School, tmp_path: Path) -> None:
    steps = {step.key: step for step in FLOW.steps}
    with school.on(JANUARY, WEB_AND_WORKER) as day:
        round_id = open_round(day.page("registry"))
        day.apply(FLOW)
        for key in ("accept", "college"):
            day.sign(FLOW, steps[key])
        examine(day, round_id)
        close_and_rank(day.page("registry"), round_id, ranking_sheet(school, tmp_path))
        decide(day, round_id)
        page = day.case("clerk2", FLOW.key)
        page.select_option("#class_group_id", label=GOAL_CLASS)
        page.click("button[value=approve]")
        done(page)
        day.approve(FLOW, steps["placed"], "leader2")
        day.publish(FLOW)
    with school.on(LATER) as day:
        day.approve(FLOW, steps["publicity"], "registry")
        day.sign(FLOW, steps["document"])
        day.papers_are_there(FLOW)
        day.it_is_in_ledger_and_roster(FLOW)
        number = school.student[FLOW.key]
        (student,) = school.rows("select college_id, major_id, class_group_id from student where id = :id", id=number)
        assert tuple(student) == (2, GOAL, 3)
        page = day.page("registry")
        page.goto("/rosterchangescreen/list/?_flt_2_code=23")
        expect(page.locator("tbody tr")).to_have_count(1)
        expect(page.locator("tbody tr")).to_contain_text("文学院 · 汉语言文学")
        page = day.page(f"s{number}")
        page.goto("/")
        expect(page.locator("main")).to_contain_text("文学院")


def open_round(page: Page) -> int:
    """A round with places for the other college's major, open for applications; its id."""
    page.goto("/transferroundscreen/list/")
    page.click(".toolbar .btn-primary")
    page.fill("#title", "2027年转专业")
    page.fill("#notice", "二年级在读学生可申请。")
    page.click("#model_form .btn-primary")
    page.wait_for_url("**/transferroundscreen/list/**")
    page.click("text=2027年转专业")
    page.click("a[href*='/offers/']")
    page.fill(f"[name=places-{GOAL}]", "2")
    page.fill(f"[name=conditions-{GOAL}]", "平均成绩80分以上")
    page.click(".save-bar .btn-primary")
    done(page)
    page.click("form[action*='/move/'] button")
    done(page)
    return int(page.url.rsplit("/", 1)[1])


def examine(day: Day, round_id: int) -> None:
    """The other college's clerk passes the choice; its leader confirms with a meeting that has minutes."""
    page = day.page("clerk2")
    page.goto(f"/transferroundscreen/show/{round_id}")
    page.check("[name=choice]")
    page.click("button[value=pass]")
    done(page)
    record_meeting(day.page("leader2"), "第7次党政联席会")
    page = day.page("leader2")
    page.goto(f"/transferroundscreen/show/{round_id}")
    page.select_option("#confirm-meeting", index=1)
    page.click("form[action*='/confirm/'] button")
    done(page)


def close_and_rank(page: Page, round_id: int, sheet: Path) -> None:
    """The registry closes the round and imports the ranking sheet, wrong rows first."""
    page.goto(f"/transferroundscreen/show/{round_id}")
    page.click("form[action*='/move/'] button")
    page.click("#confirm-ok")
    done(page)
    expect(page.locator(".alert-warning")).to_contain_text("没有成绩")
    page.click("a[href*='/imports/ranking/']")
    page.set_input_files("#file", sheet.with_name("wrong.xlsx"))
    page.click("form[enctype] .btn-primary")
    expect(page.locator(".two-thirds tbody tr")).to_have_count(2, timeout=30_000)
    expect(page.locator("form[action$=commit]")).to_have_count(0)
    page.click("a[href*='/imports/ranking/?subject=']")
    page.set_input_files("#file", sheet)
    page.click("form[enctype] .btn-primary")
    page.click("button[form=import]", timeout=30_000)
    page.click("#confirm-ok")
    expect(page.get_by_text("文件已导入")).to_be_visible(timeout=30_000)


def ranking_sheet(school: School, folder: Path) -> Path:
    """The sheet with the student's score, and beside it one with a stranger's row and a wrong name."""
    number = school.student[FLOW.key]
    mine = (f"20240101{number}", f"李{number}", 91.5)
    for name, rows in {
        "right": [mine],
        "wrong": [(mine[0], "王某", 91.5), ("202402010001", "学生21", 80)],
    }.items():
        with Workbook(folder / f"{name}.xlsx") as book:
            made = book.add_worksheet()
            for place, row in enumerate([("学号", "姓名", "成绩"), *rows]):
                made.write_row(place, 0, row)
    return folder / "right.xlsx"


def decide(day: Day, round_id: int) -> None:
    """The panel sees the ranking, records its meeting, and decides the whole list."""
    page = day.page("panel")
    record_meeting(page, "转专业工作小组第1次会议")
    page.goto(f"/transferroundscreen/ranking/{round_id}")
    expect(page.locator("tbody tr")).to_contain_text("91.5")
    page.goto(f"/transferroundscreen/show/{round_id}")
    page.select_option("#settle-meeting", index=1)
    page.click("form[action*='/settle/'] button")
    page.click("#confirm-ok")
    done(page)


def record_meeting(page: Page, number: str) -> None:
    page.goto("/meetingscreen/record")
    for name, text in {"number": number, "participants": "全体", "resolution": "同意"}.items():
        page.fill(f"#{name}", text)
    page.set_input_files("input[type=file]", SCAN)
    page.click(".save-bar .btn-primary")
    done(page)
