"""Batches in Chromium: ticks, all that match, what is left out and why, a result a row, a job when large; own lists."""

from collections.abc import Iterator

import openpyxl
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine, create_engine, text

from app import cluster
from tests.browser.conftest import running
from tests.conftest import Bed
from tests.flows.many import make_leaves

pytestmark = pytest.mark.xdist_group("batch")  # one process starts one server for all of them
LEAVES = 560  # more than are decided at once
SLOW = 60_000  # milliseconds that a job of so many cases may take on a busy machine


@pytest.fixture(scope="module")
def roster(bed: Bed) -> Iterator[Engine]:
    """A database of the module's own, as its owner reads it."""
    engine = create_engine(bed.cluster.url(cluster.OWNER, bed.copy()))
    with engine.begin() as connection:
        make_leaves(connection, LEAVES)  # with steps that have no due date: a case may have been imported without
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def site(bed: Bed, roster: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(bed, str(roster.url.database), tmp_path_factory.mktemp("batch")) as url:
        yield url


def waiting_at(roster: Engine, step: str) -> int:
    with roster.connect() as connection:
        query = text("select count(*) from flow_case where state = 'open' and step_key = :step")
        return connection.execute(query, {"step": step}).scalar_one()


def tick(page: Page, *places: int) -> list[str]:
    """Tick these rows of the list; the numbers of their cases."""
    for place in places:
        page.check(f"[name=rowid] >> nth={place}")
    rows = page.locator("tbody tr")
    return [rows.nth(place).locator("a").first.inner_text() for place in places]


def approve_one(page: Page, number: str) -> None:
    page.goto(f"/inbox/?q={number}")
    page.click("tbody a")
    page.click("button[value=approve]")
    expect(page.locator(".alert-success")).to_be_visible()


def answer(page: Page, act: str, opinion: str = "") -> None:
    page.fill("#opinion", opinion)
    page.click(f"button[name=act][value={act}]")
    page.click("#confirm-ok")


def test_each_ticked_case_has_its_result(visit, roster, tmp_path):
    page = visit("clerk").open("/inbox/?flow=leave")
    meanwhile = page.context.new_page()
    numbers = tick(page, 0, 2, 4, 6)
    approve_one(meanwhile, numbers[0])
    before = waiting_at(roster, "accept")

    page.click("[data-needs-rows]")
    left_out = page.locator(".card", has_text="不能办理").locator("tbody tr")
    expect(left_out).to_have_count(1)
    expect(left_out).to_contain_text(numbers[0])
    expect(page.locator("[aria-label='将要办理'] tbody tr")).to_have_count(3)
    approve_one(meanwhile, numbers[1])
    answer(page, "approve", "材料齐全")

    expect(page.locator(".stat", has_text="未办理")).to_contain_text("1")
    failed = page.locator("tbody tr", has_text=numbers[1])
    expect(failed).to_contain_text("请刷新页面")
    with page.expect_download() as download:
        page.click("a[href$='/file']")
    download.value.save_as(tmp_path / "result.xlsx")
    _head, *rows = openpyxl.load_workbook(tmp_path / "result.xlsx").worksheets[0].iter_rows(values_only=True)
    assert sorted(str(row[0]) for row in rows) == sorted(numbers[1:])
    assert waiting_at(roster, "accept") == before - 3


def test_a_refusal_of_several_needs_its_reason(visit, roster):
    page = visit("clerk").open("/inbox/?flow=leave")
    numbers = tick(page, 10, 11)
    page.click("[data-needs-rows]")
    page.click("button[name=act][value=send_back]")
    page.wait_for_url("**/inbox/confirm?flow=leave")
    answer(page, "send_back", "身份证复印件不清晰")
    expect(page.locator("tbody tr", has_text="已办理")).to_have_count(2)
    with roster.connect() as connection:
        query = text("select count(*) from flow_case where state = 'sent_back' and number = any(:numbers)")
        assert connection.execute(query, {"numbers": numbers}).scalar_one() == 2


def test_all_that_match_are_decided_by_a_job(visit, roster):
    page = visit("clerk").open("/inbox/?flow=leave")
    page.locator("thead [data-check-all]").check()
    page.click("[data-pick-all]")
    many, signed = waiting_at(roster, "accept"), waiting_at(roster, "college")
    assert many > 500
    page.click("[data-needs-rows]")
    expect(page.locator(".alert-info")).to_contain_text("后台")
    answer(page, "approve")
    page.wait_for_url("**/inbox/result/*")
    expect(page.locator(".stat", has_text="已办理")).to_contain_text(str(many), timeout=SLOW)
    expect(page.locator(".stat", has_text="未办理")).to_contain_text("0")
    assert (waiting_at(roster, "accept"), waiting_at(roster, "college")) == (0, signed + many)
    page.goto("/jobs/")
    expect(page.locator(".jobs li").first).to_contain_text(str(many))


def test_the_list_of_all_cases_decides_what_waits_for_me(visit, roster):
    leader, before = visit("leader"), waiting_at(roster, "affairs")
    page = leader.open("/casescreen/list/?q=M1")
    found = page.locator("[name=rowid]").count()
    assert found > 1
    page.locator("thead [data-check-all]").check()
    page.click("[data-needs-rows]")
    expect(page.locator("[aria-label='将要办理'] tbody tr").first).to_be_visible()
    shown = int(page.locator(".two-thirds .card-head .quiet").first.inner_text().split()[0])
    answer(page, "approve", "同意")
    expect(page.locator(".stat", has_text="已办理")).to_contain_text(str(shown))
    assert waiting_at(roster, "affairs") == before + shown > before
    assert leader.complaints == []


def test_a_filter_is_saved_used_and_deleted(visit):
    page = visit("registry").open("/studentscreen/list/?q=M55&_flt_0_status=enrolled")
    shown = page.locator(".list-count").inner_text()
    page.click("summary:has(.fa-bookmark)")
    page.fill("#filter-label", "五十五开头")
    page.click(".menu-set .btn-primary[form=saved-filter]")
    expect(page.locator(".alert-success")).to_contain_text("五十五开头")
    page.goto("/studentscreen/list/")
    page.click("summary:has(.fa-bookmark)")
    page.get_by_role("link", name="五十五开头").click()
    expect(page.locator(".list-count")).to_have_text(shown)
    expect(page.locator(".chip")).to_have_count(1)
    other = visit("clerk").open("/studentscreen/list/")
    expect(other.get_by_text("五十五开头")).to_have_count(0)
    page.click("summary:has(.fa-bookmark)")
    page.click(".menu-pair .danger")
    page.click("#confirm-ok")
    page.wait_for_url("**/studentscreen/list/?q=M55**")  # the same rows again
    expect(page.get_by_text("五十五开头")).to_have_count(0)


def test_columns_are_chosen_by_each_for_herself(visit):
    page = visit("registry").open("/studentscreen/list/")
    usual = page.locator("thead th").all_inner_texts()
    page.click("summary:has(.fa-columns)")
    page.check("input[name=columns][value=dormitory]")
    page.uncheck("input[name=columns][value=grade]")
    page.click(".menu-foot .btn-primary")
    expect(page.locator("thead th", has_text="宿舍")).to_have_count(1)
    expect(page.locator("thead th", has_text="年级")).to_have_count(0)
    page.goto("/studentscreen/list/")
    expect(page.locator("thead th", has_text="宿舍")).to_have_count(1)
    clerk = visit("clerk").open("/studentscreen/list/")
    expect(clerk.locator("thead th", has_text="宿舍")).to_have_count(0)
    page.click("summary:has(.fa-columns)")
    page.click(".menu-foot [name=reset]")
    expect(page.locator("thead th", has_text="年级")).to_have_count(1)
    assert page.locator("thead th").all_inner_texts() == usual
