"""The menu shows what opens, and nothing else."""

import re

import pytest

from tests.cast import STAFF

ONE_OF_EACH = {role: username for username, (role, *_reach) in STAFF.items()}  # colleagues have the same menu


@pytest.mark.parametrize("who", [*ONE_OF_EACH.values(), "student"])
def test_every_entry_of_the_menu_opens(cast, who):
    client = cast.login(who)
    page = client.get("/").text
    side = page[page.index('id="side"') : page.index("</nav>")]
    entries = dict.fromkeys(re.findall(r'class="side-link" href="([^"]+)"', side))
    assert len(entries) > 1
    assert {path: status for path in entries if (status := client.get(path).status_code) != 200} == {}


STAFFS = {"zh": ("办件", "学生<", "任务"), "en": ("ases<", "Students<", "jobs<")}


@pytest.mark.parametrize("language", STAFFS)
def test_a_student_reads_her_own_words(cast, language):
    """Neither a menu nor a title nor a heading of the pages that the menu opens speaks as the office does."""
    student, clerk = cast.login("student"), cast.login("clerk")
    for client in (student, clerk):
        client.get(f"/lang/{language}")
    side = student.get("/").text.split('id="side"')[1].split("</nav>")[0]
    entries = dict.fromkeys(re.findall(r'class="side-link" href="([^"]+)"', side))
    said = {path: " ".join(re.findall(r"<(?:title|h1|h2)[^>]*>[^<]*<", student.get(path).text)) for path in entries}
    told = {
        path: words
        for path, words in (said | {"menu": side}).items()
        if any(word in words for word in STAFFS[language])
    }
    assert not told and len(entries) > 6
    hers, office = ("我申请过的事项", "全部办件") if language == "zh" else ("What I applied for", "All cases")
    for client, title in ((student, hers), (clerk, office)):
        page = client.get("/casescreen/list/").text
        assert f"<title>{title} ·" in page and f"<h1>{title}</h1>" in page
        assert page.split('id="side"')[1].split("</nav>")[0].count(title) == 1
