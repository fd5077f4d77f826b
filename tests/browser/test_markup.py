"""What people write is text in a real browser; and scripts act for the page's own elements alone."""

from playwright.sync_api import Page, Request, expect

from tests.browser.conftest import Visit

# Unclosed: it would take in the form that follows it, with the reader's token, and send her a new password.
OPINION = (
    "请补充材料 <form action=/resetmypassword/form method=post><input name=password value=x><input name=conf_password value=x>"
    "<button data-reveal=/casescreen/decide/1>查看附件</button>"
)
ADDED = """html => { const box = document.createElement("div"); box.innerHTML = html; document.querySelector("#main").append(box) }"""


def posts(page: Page) -> list[str]:
    sent: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST":
            sent.append(request.url)

    page.on("request", note)
    return sent


def open_case(page: Page, student: str) -> None:
    page.goto(f"/casescreen/list/?q={student}")
    page.click("tbody tr td a")
    page.wait_for_url("**/casescreen/show/**")


def test_an_opinion_is_text(visit: Visit) -> None:
    page = visit("clerk").page
    open_case(page, "学生60")
    page.fill("#opinion", OPINION)
    page.click("button[name=act][value=send_back]")
    expect(page.locator(".alert-success")).to_be_visible()
    for english in (False, True):
        reader = visit("clerk", english=english)
        reader.become("clerk").open("/lang/en" if english else "/lang/zh")
        open_case(reader.page, "学生60")
        expect(reader.page.locator(".timeline")).to_contain_text(OPINION)
        expect(reader.page.locator(".alert-warning")).to_contain_text(OPINION)
        expect(
            reader.page.locator("form[action*=resetmypassword], [data-reveal], input[name=conf_password]")
        ).to_have_count(0)
        assert not reader.complaints


def test_scripts_act_for_the_pages_own_elements_alone(visit: Visit) -> None:
    """Should markup ever come through: what does not carry the page's mark sends, fetches and follows nothing."""
    page = visit("registry").open("/studentscreen/list/?q=M60")
    page.click("tbody tr td a")
    page.wait_for_url("**/studentscreen/show/**")
    sent = posts(page)
    own = page.locator("[data-reveal]").first
    address = own.get_attribute("data-reveal")
    page.evaluate(ADDED, f'<b>*</b><button type=button id=forged data-reveal="{address}" data-own="x">x</button>')
    page.click("#forged")
    own.click()
    expect(page.locator("dd", has_text="555")).to_be_visible()
    assert len(sent) == 1, sent
