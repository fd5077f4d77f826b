"""The look: readable to everybody in either theme and language and at any width, and what the scripts of a page do."""

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.xdist_group("look")  # one process starts one server for all of them
PAGES = {
    "registry": [
        "/", "/studentscreen/list/", "/studentscreen/list/?filters=1", "/studentscreen/list/?q=nobody",
        "/studentscreen/show/101", "/studentscreen/show/101?tab=changes",
        "/studentscreen/show/101?tab=history", "/studentscreen/export/roster", "/cohort/", "/majorscreen/edit/1",
        "/casescreen/list/", "/collegescreen/list/", "/collegescreen/edit/1",
        "/wording/change_notice", "/apply/leave/102", "/jobs/", "/nowhere",
        "/delegations/", "/auditscreen/list/", "/wording/", "/settingscreen/list/", "/codesetscreen/list/",
        "/codescreen/list/",
        "/calendar/", "/calendar/?state=late&kind=freshmen", "/calendar/task/2", "/years/", "/taskrulescreen/edit/1",
        "/years/2026?autumn=2026-09-07&autumn_weeks=20&spring=2027-03-01&spring_weeks=20", "/notices/",
        "/meetingscreen/list/", "/meetingscreen/record", "/publicities/", "/documents/", "/legalclockscreen/list/",
        "/dismissals/", "/overview/", "/overview/?flow=leave&band=0", "/departmentscreen/list/",
        "/departmentscreen/edit/1", "/casescreen/list/?_flt_0_running=y&_flt_1_due_on=2026-12-31", "/casescreen/show/5",
    ],
    "clerk": ["/", "/calendar/", "/calendar/task/2", "/inbox/", "/inbox/?tab=back", "/casescreen/show/1", "/apply/",
              "/dismissals/", "/overview/"],
    "leader": ["/delegations/"],
    "admissions": ["/", "/imports/admissions/"],
    "library": ["/", "/inbox/?tab=done"],
    "student": ["/", "/apply/", "/apply/info_change/101"],
    "admin": ["/", "/users/list/", "/users/show/1", "/users/add", "/account/",
              "/roles/list/", "/roles/show/1", "/roles/add",
              "/identityscreen/list/", "/identityscreen/add", "/identityscreen/edit/1", "/resetmypassword/form"],
    "": ["/login/", "/publicity/", "/nowhere"],
}  # fmt: skip
# Axe takes most of the time: on the second screen it asks for what colours and widths can change, the rest is the same.
# Without the paths to each node, and the nodes of rules that hold, it takes a third of the time.
OPTIONS = "resultTypes: ['violations'], selectors: false, preload: false"
ALL = "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']"
SEEN = (
    "['color-contrast', 'link-in-text-block', 'target-size', 'scrollable-region-focusable', 'meta-viewport', 'region']"
)
# A screen, what axe asks for on it, and whose pages are seen: where nothing is narrow, one person's show it.
SCREENS = [
    ({"width": 1440}, ALL, PAGES),
    ({"width": 390, "dark": True}, SEEN, PAGES),
    ({"width": 1920, "dark": True, "english": True}, None, ["clerk"]),
    ({"width": 390, "english": True}, None, PAGES),
]
BAD_STATUS = re.compile(r"status of 404")


def faults(page: Page, rules: str = ALL) -> list[str]:
    """What axe, which the browser was given at its start, finds; and whether the page is wider than its window."""
    found = page.evaluate(f"axe.run({{{OPTIONS}, runOnly: {rules}}}).then(found => found.violations)")
    told = [f"{page.url}: {one['id']}: {node['html'][:120]}" for one in found for node in one["nodes"]]
    return told + too_wide(page)


def too_wide(page: Page) -> list[str]:
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [f"{page.url}: {wide} px too wide"] if wide > 0 else []


def too_low(page: Page) -> list[str]:
    """Controls that a finger misses: less than 44 px high."""
    return [f"{page.url}: {one}" for one in page.evaluate(
        """[...document.querySelectorAll(".btn, .form-control, .segments > *, .pager > a, label.check, .tabs a")]
           .filter(one => one.checkVisibility() && one.getBoundingClientRect().height > 1
                          && one.getBoundingClientRect().height < 43.5)
           .map(one => `${one.outerHTML.slice(0, 100)} is ${one.getBoundingClientRect().height} px high`)"""
    )]  # fmt: skip


@pytest.mark.parametrize(
    ("screen", "rules", "people"), SCREENS, ids=["-".join(map(str, screen.values())) for screen, *_rest in SCREENS]
)
def test_everybody_can_read_it(visit, axe, screen, rules, people):
    visitor, found = visit(**screen), []
    visitor.context.add_init_script(path=axe)
    for username in people:
        visitor.become(username).open("/lang/en" if "english" in screen else "/lang/zh")
        for path in PAGES[username]:
            page = visitor.open(path)
            found += faults(page, rules) if rules else too_wide(page)
            found += too_low(page) if screen["width"] == 390 else []
    assert not found, "\n".join(found)
    assert [said for said in visitor.complaints if not BAD_STATUS.search(said)] == []


@pytest.mark.parametrize("system", [False, True], ids=["light", "dark"])
def test_the_theme_follows_the_system_until_it_is_chosen(visit, system):
    visitor = visit("clerk", dark=system)
    html = visitor.page.locator("html")
    expect(html).to_have_attribute("data-theme", "dark" if system else "light")
    visitor.page.click("summary:has(.avatar)")
    visitor.page.click(f"[data-theme-set={'light' if system else 'dark'}]")
    visitor.open("/inbox/")
    expect(html).to_have_attribute("data-theme", "light" if system else "dark")


def test_without_a_tick_nothing_can_be_decided(visit):
    page = visit("clerk").open("/inbox/")
    expect(page.locator("[data-needs-rows]")).to_be_disabled()
    page.check("[name=rowid] >> nth=0")
    expect(page.locator("[data-needs-rows]")).to_be_enabled()
    expect(page.locator(".picked [data-pick-all]")).to_be_hidden()


@pytest.mark.parametrize("width", [1440, 390])
def test_the_page_and_then_all_that_match_are_selected(visit, width):
    page = visit("clerk", width=width).open("/inbox/?flow=leave")
    page.locator("[data-check-all]:visible").check()
    expect(page.locator("[data-picked]")).to_contain_text("50")
    page.click("[data-pick-all]")
    expect(page.locator("[data-picked]")).to_contain_text("60")
    expect(page.locator("input[name=scope]")).to_have_value("filter")
    with page.expect_navigation(), page.expect_request("**/inbox/confirm?flow=leave") as sent:
        page.click("[data-needs-rows]")
    assert "scope=filter" in sent.value.post_data
    page.go_back()
    page.locator("[data-check-all]:visible").check()
    page.uncheck("[name=rowid] >> nth=3")
    expect(page.locator("input[name=scope]")).to_have_value("page")


def test_a_refusal_needs_a_reason_and_a_second_word(visit):
    page = visit("clerk").open("/casescreen/show/2")
    page.click("button[value=send_back]")
    assert page.url.endswith("/casescreen/show/2")
    assert page.evaluate("document.activeElement.id") == "opinion"
    page.fill("#opinion", "材料不齐")
    page.click("button[value=refuse]")
    page.click("#confirm button:not(#confirm-ok)")
    assert page.url.endswith("/casescreen/show/2")
    expect(page.locator("button[value=refuse]")).to_be_focused()
    page.click("button[value=refuse]")
    page.click("#confirm-ok")
    expect(page.locator(".decide")).to_have_count(0)


def test_a_form_is_sent_once(visit):
    page, posts = visit("registry").open("/collegescreen/list/"), []
    page.click(".toolbar .btn-primary")
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    page.fill("#code", "77")
    page.fill("#name", "测试学院")
    page.fill("#name_en", "Test college")
    page.evaluate("for (let i = 0; i < 3; i++) document.querySelector('#model_form .btn-primary').click()")
    page.wait_for_url("**/collegescreen/list/**")
    assert len(posts) == 1
    expect(page.locator(".alert-success")).to_be_visible()


def test_a_wrong_form_says_where(visit):
    page = visit("registry").open("/collegescreen/add")
    page.evaluate("document.getElementById('model_form').noValidate = true")
    page.click("#model_form .btn-primary")
    expect(page.locator(".alert-danger[role=alert]")).to_be_focused()
    expect(page.locator("#code")).to_have_attribute("aria-invalid", "true")
    assert page.locator("#code").get_attribute("aria-describedby").split()[-1] == "code-error"
    page.click(".alert-danger a[href='#code']")
    assert page.url.endswith("#code")


def test_empty_conditions_stay_out_of_the_address(visit):
    page = visit("registry").open("/studentscreen/list/?filters=1")
    page.select_option("#flt-status", "enrolled")
    page.click("#conditions .btn-primary")
    page.wait_for_url("**status=enrolled**")
    assert page.url.count("_flt_") == 1
    page.click(".chip a")
    page.wait_for_url(lambda url: "_flt_" not in url)


def test_a_picker_is_used_by_keyboard(visit):
    page = visit("clerk").open("/apply/")
    page.fill("#student", "nobody")
    expect(page.locator("#student-list [aria-disabled]")).to_be_visible()
    page.fill("#student", "学生1")
    expect(page.locator("#student-list [data-id]").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#student")).to_have_value(re.compile("学生12"))
    page.click(".choose .btn-primary")
    page.wait_for_url("**student=102**")


def test_the_menu_of_a_phone_opens_and_gives_the_focus_back(visit):
    page = visit("clerk", width=390).open("/")
    expect(page.locator("#side")).to_be_hidden()
    page.click(".nav-toggle")
    expect(page.locator("#side a").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#side")).to_be_hidden()
    expect(page.locator(".nav-toggle")).to_be_focused()


def test_header_and_first_column_stay_in_view(visit):
    page = visit("registry", width=1000).open("/studentscreen/list/")
    page.evaluate("() => { const w = document.querySelector('.table-wrap'); w.scrollTo(400, 400); }")
    wrap, head, first = (
        page.locator(name).first.bounding_box() for name in (".table-wrap", "thead th", "tbody tr:nth-child(12) td")
    )
    assert head["x"] == first["x"] == pytest.approx(wrap["x"], abs=2)
    assert head["y"] == pytest.approx(wrap["y"], abs=2)


def test_a_form_prints_on_one_page_without_the_frame(visit):
    page = visit("clerk").open("/paperscreen/application/3")
    printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
    page.emulate_media(media="print")
    expect(page.locator(".paper-bar")).to_be_hidden()


def test_the_menus_of_a_list_stay_inside_a_phone(visit):
    page = visit("registry", width=390, english=True).open("/studentscreen/list/")
    opened = 0
    for menu in page.locator("main details.menu").all():
        if menu.locator("summary").is_visible():
            menu.locator("summary").click()
            box = menu.locator(".menu-panel").bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= 390, menu.locator("summary").inner_text()
            menu.locator("summary").click()
            opened += 1
    assert opened > 1
