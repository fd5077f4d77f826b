"""Wordings as the registry saves them on the screen: what is accepted can be filled in, and no decision waits for one."""

import re
from html import unescape

import pytest

from app.access import scope_as
from app.kit.operation import Refused
from app.kit.paper.kinds import preview, save_template, wording_in_use, wording_problems
from app.papers import CHANGE_NOTICE, all_papers
from tests.conftest import Behind, Cast
from tests.flows.conftest import ILL, Cases
from tests.flows.conftest import cases as cases  # the fixture of the flows' tests

PLAIN = "<p>没有任何可填写的内容。</p>"
GOOD = [PLAIN, "无标签", "<p>{{ date }}</p>", "<p>{{date}}{{ date }}</p>", "<p>5 < 6 & 7 {a}</p>", "x" * 20_000]
BAD = [
    "", " \n ", "<p></p></p>", "{{ nobody }}", "{{ date", "date }}", "{{ date }", "{{{ date }}}", "{% if x %}", "{# x #}",
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<p onclick=x>", "<p style='color:red'>x</p>",
    "<![CDATA[x]]>", "<!DOCTYPE html>", "<!-- x -->", "<?x?>", "<p>x", "x</p>", "x" * 20_001,
]  # fmt: skip
# What Python's parser makes of these differs with its version.
ODD = ["<![", "<![x", "<p", "</", "&#0;", "&#xd800;", "&bad;"]


def stored(behind: Behind, body: str) -> None:
    """A wording that stands in the database, however it got there."""
    behind.run(
        "insert into paper_template (kind, version, title, body) values ('change_notice', 7, '通知单', :body)",
        body=body,
    )


@pytest.mark.parametrize("body", GOOD)
def test_what_is_saved_opens_again_and_decides(cases: Cases, cast: Cast, behind: Behind, body: str):
    case_id = cases.at("registry", values=ILL)
    browser = cast.login("registry")
    answer = browser.post("/wording/change_notice", data={"act": "save", "title": "通知单", "body": body})
    assert answer.status_code == 302, answer.text
    assert browser.get("/wording/change_notice").status_code == 200
    cases.sign(case_id, "registry")
    paper = behind.rows("select title, template_version from paper where case_id = :id", id=case_id)
    assert paper == [{"title": "通知单", "template_version": 2}]


@pytest.mark.parametrize("body", BAD)
def test_what_cannot_be_filled_in_is_said_beside_the_field(cast: Cast, behind: Behind, body: str):
    browser = cast.login("registry")
    for act in ("save", "preview"):
        answer = browser.post("/wording/change_notice", data={"act": act, "title": "", "body": body})
        assert answer.status_code == 422
        assert 'id="body-error"' in answer.text and 'id="title-error"' in answer.text
    assert behind.one("select max(version) from paper_template") == 1


@pytest.mark.parametrize("body", ODD)
def test_odd_markup_is_refused_or_works(cast: Cast, body: str):
    browser = cast.login("registry")
    answer = browser.post("/wording/change_notice", data={"act": "save", "title": "通知单", "body": body})
    assert answer.status_code == 302 or 'id="body-error"' in answer.text
    editor = browser.get("/wording/change_notice")
    assert editor.status_code == 200 and 'id="body-error"' not in editor.text


def test_the_built_in_wording_can_be_had_again(cast: Cast):
    data = {"act": "built_in", "title": "x", "body": "{{ nobody }}"}
    answer = cast.login("registry").post("/wording/change_notice", data=data)
    assert answer.status_code == 200 and "异动前学籍状态" in answer.text


def test_others_word_nothing(cast: Cast):
    for name in ("clerk", "director", "student", "admin"):
        data = {"act": "save", "title": "x", "body": PLAIN}
        assert cast.login(name).post("/wording/change_notice", data=data).status_code in (302, 403, 404)
        assert cast.login("registry").get("/wording/change_notice").text.count(PLAIN) == 0


def test_every_kind_of_paper_takes_the_good_and_refuses_the_bad(cast: Cast):
    for kind in all_papers().values():
        every = "".join(f"<p>{{{{ {name} }}}}</p>" for name in kind.names)
        good = [body for body in GOOD if not kind.needed]
        for body in (*good, every, kind.wording):
            with scope_as(cast.registry.scope):
                save_template(cast.registry, kind, kind.title, body)
                used = wording_in_use(kind)
                assert used.version > 1 and used.wording.body and preview(kind, kind.title, used.wording.body).body
        for body in BAD:
            assert list(wording_problems(kind, kind.title, body)) == ["body"], (kind.key, body)


def test_a_form_without_room_for_who_signs_is_not_saved(cast: Cast, behind: Behind):
    kind, browser = all_papers()["leave_form"], cast.login("registry")
    assert {"sign_applicant", "sign_accept", "sign_college", "sign_affairs", "sign_registry"} <= set(kind.needed)
    whole = {"act": "save", "title": kind.title, "body": kind.wording}
    for name in kind.needed:
        answer = browser.post(
            "/wording/leave_form", data=whole | {"body": kind.wording.replace(f"{{{{ {name} }}}}", "")}
        )
        said = re.search(r'id="body-error">([^<]*)<', answer.text)[1]
        assert answer.status_code == 422 and name in said and "sign_delivery" not in said
        with scope_as(cast.registry.scope), pytest.raises(Refused, match=name):
            save_template(cast.registry, kind, kind.title, kind.wording.replace(name, "date"))
    assert behind.one("select max(version) from paper_template where kind = 'leave_form'") == 1
    assert browser.post("/wording/leave_form", data=whole).status_code == 302


def test_versions_are_opened_and_compared_with_who_saved_them(cast: Cast):
    browser, first = cast.login("registry"), "<p>旧的一段 {{ date }}</p>\n<p>不变</p>"
    for body in (first, first.replace("旧的一段", "新的一段")):
        browser.post("/wording/change_notice", data={"act": "save", "title": "通知单", "body": body})
    editor = browser.get("/wording/change_notice").text
    assert (
        'href="/wording/change_notice/2"' in editor
        and "registry" in editor.split('href="/wording/change_notice/3"')[1].split("</li>")[0]
    )
    page = browser.get("/wording/change_notice/3").text
    assert "<del>&lt;p&gt;旧的一段" in page and "<ins>&lt;p&gt;新的一段" in page and "<span>&lt;p&gt;不变" in page
    assert "<del>" not in browser.get("/wording/change_notice/3?against=3").text
    assert "异动前学籍状态" in browser.get("/wording/change_notice/3?against=1").text.split("<del>", 1)[1]
    assert "内置" in browser.get("/wording/change_notice/1").text
    taken = re.search(r'<textarea name="body" hidden>\n([^<]*)<', browser.get("/wording/change_notice/2").text)[1]
    assert unescape(taken) == first
    for path in ("/wording/change_notice/9", "/wording/nothing/1"):
        assert browser.get(path).status_code == 404
    for who in ("clerk", "student", "admin"):
        assert "旧的一段" not in cast.login(who).get("/wording/change_notice/2").text


@pytest.mark.parametrize("body", [None, "", "{{ gone }}", "<script>x</script>", "<p>"])
def test_a_wording_that_cannot_be_filled_in_stops_no_decision(
    cases: Cases, cast: Cast, behind: Behind, body: str | None
):
    first, second = cases.at("registry", values=ILL), cases.at("registry", values=ILL, student=102)
    if body is None:
        behind.run("delete from paper_template")
    else:
        stored(behind, body)
    browser = cast.login("registry")
    editor = browser.get("/wording/change_notice")
    assert editor.status_code == 200 and browser.get("/wording/").status_code == 200
    assert ('id="body-error"' in editor.text) == (body is not None)
    for case_id in (first, second):
        cases.sign(case_id, "registry")
    papers = behind.rows("select title, template_version, body from paper")
    assert {(row["title"], row["template_version"]) for row in papers} == {(CHANGE_NOTICE.title, 0)}
    assert all("异动前学籍状态" in row["body"] for row in papers)
    told = behind.rows("select u.username from notice n join ab_user u on u.id = n.user_id"
                       " where n.key like 'wording:change_notice:%' order by 1")  # fmt: skip
    assert [row["username"] for row in told] == [
        "registry",
        "registry_b",
        "registry_c",
    ]  # every clerk of the registry, once each
