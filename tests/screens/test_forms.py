"""The generated forms: nothing typed is lost, an older form undoes nobody's work, and one comes back to the list one left."""

import re
from html import unescape

import pytest

OTHER = "另一名称"


@pytest.fixture
def registry(cast):
    return cast.login("registry")


def fields_of(page: str) -> dict[str, str]:
    """What the form of a page would send."""
    form = page[page.index('id="model_form"') :]
    form = form[: form.index("</form>")]
    found = {}
    for tag in re.findall(r"<input [^>]*>", form):
        name, value, kind = (re.search(rf' {key}="([^"]*)"', tag) for key in ("name", "value", "type"))
        if name and (kind is None or kind[1] != "checkbox" or " checked" in tag):
            found[name[1]] = unescape(value[1]) if value else ""
    for name, text in re.findall(r'<textarea [^>]*name="([^"]+)"[^>]*>([^<]*)<', form):
        found[name] = unescape(text)
    for name, options in re.findall(r'<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    return found


def errors(page: str) -> str:
    return re.search(r'role="alert"[^>]*>(.*?)</div>', page, re.S)[1]


def test_an_older_form_does_not_undo_anothers_change(registry, behind):
    """F18: two open one row; the second to save is told what changed, and then saves both."""
    path = "/collegescreen/edit/1"
    first, second = fields_of(registry.get(path).text), fields_of(registry.get(path).text)
    assert registry.post(path, data=first | {"name_en": "School of Computing"}).status_code == 302
    stale = registry.post(path, data=second | {"name": OTHER})
    assert "已被他人修改" in errors(stale.text) and "英文名称" in errors(stale.text)
    assert behind.one("select name_en from college where id = 1") == "School of Computing"
    assert behind.one("select name from college where id = 1") != OTHER
    again = fields_of(stale.text)
    assert (again["name"], again["name_en"]) == (OTHER, "School of Computing"), "both stand in the form"
    assert registry.post(path, data=again).status_code == 302
    assert behind.rows("select name, name_en from college where id = 1") == [
        {"name": OTHER, "name_en": "School of Computing"}
    ]


def test_where_both_changed_the_same_field_each_is_shown(registry, behind):
    path = "/majorscreen/edit/1"
    form = fields_of(registry.get(path).text)
    registry.post(path, data=fields_of(registry.get(path).text) | {"name": "甲专业"})
    stale = registry.post(path, data=form | {"name": "乙专业"})
    assert re.search(r'id="name-error">[^<]*甲专业', stale.text) and 'value="乙专业"' in stale.text
    assert behind.one("select name from major where id = 1") == "甲专业"


def test_a_form_that_is_not_stale_saves_although_it_stood_open(registry, behind):
    form = fields_of(registry.get("/majorscreen/edit/1").text)
    registry.post("/majorscreen/edit/2", data=fields_of(registry.get("/majorscreen/edit/2").text) | {"name": OTHER})
    assert registry.post("/majorscreen/edit/1", data=form | {"name_en": "Software"}).status_code == 302
    assert behind.one("select name_en from major where id = 1") == "Software"


@pytest.mark.parametrize("path", ["edit/1", "add"])
def test_what_the_database_refuses_keeps_what_was_typed(registry, behind, path):
    """The code of a class is unique in its major and grade, which no field alone can tell."""
    there = behind.rows("select grade, code, college_id, major_id from class_group where id = 2")[0]
    form = fields_of(registry.get("/classgroupscreen/edit/1").text) | {
        "name": OTHER, "grade": str(there["grade"]), "code": there["code"], "college": str(there["college_id"]),
        "major": str(there["major_id"]),
    }  # fmt: skip
    page = registry.post(f"/classgroupscreen/{path}", data=form)
    assert page.status_code == 200 and f'value="{OTHER}"' in page.text and "未保存" in errors(page.text)
    assert behind.one("select count(*) from class_group where name = :n", n=OTHER) == 0


def test_one_comes_back_to_the_list_that_one_left(registry):
    """F20: with its filter, whatever other tabs show meanwhile."""
    left = "/majorscreen/list/?_flt_0_name=%E8%BD%AF&page_MajorScreen=0"
    form = fields_of(registry.get("/majorscreen/edit/1", headers={"Referer": f"http://localhost{left}"}).text)
    registry.get("/collegescreen/list/")
    assert registry.post("/majorscreen/edit/1", data=form).location == left
    wrong = registry.post("/majorscreen/edit/1", data=form | {"name": ""})
    assert fields_of(wrong.text)["_back"] == left
    for elsewhere in ("https://evil.invalid/majorscreen/list/", "//evil.invalid/majorscreen/list/", "/collegescreen/list/",
                      "javascript:alert(1)"):  # fmt: skip
        answer = registry.post("/majorscreen/edit/1", data=form | {"_back": elsewhere})
        assert answer.location == "/majorscreen/list/", elsewhere


def test_a_setting_is_named_with_its_bounds_and_says_at_the_field_what_is_wrong(registry, behind):
    page = registry.get("/settingscreen/edit/leave_max_months_once").text
    assert "1 至 36" in page and "单位：月" in page and "休学" in page
    wrong = registry.post("/settingscreen/edit/leave_max_months_once", data=fields_of(page) | {"value": "99"})
    assert re.search(r'id="value-error">[^<]*36', wrong.text) and 'value="99"' in wrong.text
    assert behind.one("select value from setting where key = 'leave_max_months_once'") == "12"
    registry.post("/settingscreen/edit/leave_max_months_once", data=fields_of(page) | {"value": "18"})
    assert behind.one("select value from setting where key = 'leave_max_months_once'") == "18"
