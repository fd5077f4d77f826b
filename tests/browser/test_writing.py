"""What scripts do for whoever writes: scans sent as they are chosen, and texts that wait for their writer."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.flows.test_material import PDF, PNG, picture

pytestmark = pytest.mark.xdist_group("look")
FORM = "/apply/leave/101"


@pytest.fixture
def phone(visit) -> Visitor:
    return visit("student", width=390)


def begin(phone: Visitor):
    page = phone.open(FORM)
    page.select_option("#reason", "other")
    page.fill("#leave_from", "2026-09-02")
    page.fill("#leave_terms", "1")
    page.fill("#statement", "家中有事")
    page.click(".save-bar button")
    page.wait_for_url("**/casescreen/show/*")
    return page


def withdraw(page) -> None:
    page.click("button[value=withdraw]")
    with page.expect_navigation():
        page.click("#confirm-ok")


def test_a_scan_is_sent_when_it_is_chosen_and_the_page_stays(phone):
    page = begin(phone)
    try:
        where, box = page.url, page.locator("#material-application")
        expect(box.locator("[data-missing]")).to_be_visible()
        box.locator("#file-application").set_input_files([
            {"name": "甲.jpeg", "mimeType": "image/jpeg", "buffer": picture("JPEG")},
            {"name": "乙.pdf", "mimeType": "application/pdf", "buffer": PDF},
            {"name": "丙.png", "mimeType": "image/png", "buffer": b"no picture"},
        ])  # fmt: skip
        expect(box.locator(".files a")).to_have_text(["甲.jpeg", "乙.pdf"])
        expect(box.locator(".files .text-bad")).to_contain_text("丙.png 不是图片")
        expect(box.locator("[data-missing]")).to_have_count(0)
        assert page.url == where
        box.locator("#camera-application").set_input_files(
            {"name": "image.jpg", "mimeType": "image/jpeg", "buffer": PNG}
        )
        expect(box.locator(".files a")).to_have_count(3)
        page.reload()
        expect(box.locator(".files a")).to_have_text(["甲.jpeg", "乙.pdf", "image.jpg"])
        box.locator(".scan").first.scroll_into_view_if_needed()
        expect(box.locator(".scan").first).to_have_js_property("naturalWidth", 64)
        for button in box.locator(".camera label, .files button").all():
            assert button.bounding_box()["height"] >= 44 - 4
    finally:
        withdraw(page)
    assert [said for said in phone.complaints if "409" not in said] == []


def test_a_session_that_ended_leads_to_the_login_and_keeps_the_scan(phone):
    page = begin(phone)
    where = page.url
    phone.context.clear_cookies(name="xueji")
    page.locator("#file-application").set_input_files({"name": "甲.png", "mimeType": "image/png", "buffer": PNG})
    page.wait_for_url("**/login/**")
    phone.sessions.pop("student", None)
    phone.who = ""
    page.fill("#username", "student")
    page.fill("#password", "Cast-password-1")
    page.click("button.btn-block")
    page.wait_for_url("**/held/*")
    page.click("button[data-focus]")
    page.wait_for_url(re.compile("casescreen/show"))
    expect(page.locator("#material-application .files a")).to_have_text(["甲.png"])
    assert page.url.startswith(where)
    withdraw(page)


def test_what_is_half_written_is_there_again_after_a_click_on_the_menu(phone):
    """F31."""
    page = phone.open(FORM)
    page.fill("#statement", "写了一半的申请")
    page.select_option("#reason", "illness")
    page.goto("/apply/")
    page = phone.open(FORM)
    expect(page.locator("#statement")).to_have_value("写了一半的申请")
    expect(page.locator("#reason")).to_have_value("illness")
    notice = page.locator("form .alert-info")
    expect(notice).to_be_visible()
    with page.expect_navigation():
        notice.locator("button").click()
    expect(page.locator("#statement")).to_have_value("")
    expect(page.locator("form .alert-info")).to_have_count(0)


def test_nobody_else_gets_it_and_what_was_sent_does_not_come_back(phone):
    page = begin(phone)
    try:
        page.goto(FORM)
        expect(page.locator("#statement")).to_have_value("")
    finally:
        page.go_back()
        withdraw(page)
    phone.open(FORM).fill("#statement", "别人的话")
    phone.page.goto("/notices/")
    phone.become("clerk")
    page = phone.open(FORM)
    expect(page.locator("#statement")).to_have_value("")
    assert page.evaluate("Object.keys(sessionStorage).filter((key) => key.startsWith('kept:')).length") == 0


def test_the_box_above_ticks_every_row_whatever_the_rows_are_called(visit):
    """Also where a page of its own has rows of its own: nothing ticked by it would be decided about nobody."""
    page = visit("clerk").open("/dismissals/")
    rows = page.locator("#declare input[data-row]")
    if rows.count() == 0:
        page.evaluate(
            "document.querySelector('main').innerHTML = `<form method=post data-list><input type=checkbox data-check-all>"
            "<table><tr><td><input type=checkbox name=choice data-row></td></tr></table><button data-needs-rows></button></form>`"
        )
        page.add_script_tag(url="/static/js/list.js")
        rows = page.locator("input[data-row]")
    head = page.locator("[data-check-all]").first
    head.check()
    assert all(row.is_checked() for row in rows.all()) and rows.count() > 0
    expect(page.locator("[data-needs-rows]").first).to_be_enabled()
