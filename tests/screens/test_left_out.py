"""Forms that are sent with fields left out altogether: refused with a sentence, never an error of ours."""

import pytest

from app.kit.screen import Screen
from tests.screens.test_forms import fields_of

BAD_RULES = ["", "{", "}", "%s", "{entry_year.__class__}", "{entry_year!r}{serial:02}", "{serial:99999999}", "{serial}",
             "{entry_year}\n{serial:02}", "{entry_year}-{serial:02}", "{serial:02}{serial:02}", "{nobody}{serial:02}"]  # fmt: skip


def forms(app, behind):
    """The addresses of every form for rows of the generated screens: to add one, and to change the first."""
    for view in app.appbuilder.baseviews:
        if not isinstance(view, Screen):
            continue
        if view.add_columns:
            yield f"{view.route_base}/add"
        table = view.datamodel.obj.__table__
        keys = [*table.primary_key.columns]
        if view.edit_columns and len(keys) == 1:
            for row in behind.rows(f"select {keys[0].name} as key from {table.name} order by 1 limit 1"):
                yield f"{view.route_base}/edit/{row['key']}"


@pytest.mark.parametrize("who", ["registry", "admin"])
def test_no_form_stumbles_over_what_is_left_out(app, cast, behind, who):
    browser, walked, faults = cast.login(who), 0, []
    for path in [*forms(app, behind)]:
        page = browser.get(path)
        if page.status_code != 200 or 'id="model_form"' not in page.text:
            continue
        filled = {name: value for name, value in fields_of(page.text).items() if name}
        for sent in ({}, *({key: filled[key] for key in filled if key != left} for left in filled)):
            status = browser.post(path, data=sent).status_code
            walked += 1
            if status >= 500:
                faults.append(f"{path} without {sorted(filled.keys() - sent.keys())}: {status}")
    assert walked > 10 and not faults, "\n".join(faults)


def test_a_setting_without_its_value_is_asked_for(cast, behind):
    registry = cast.login("registry")
    for row in behind.rows("select key, value from setting order by key"):
        answer = registry.post(f"/settingscreen/edit/{row['key']}", data={})
        assert answer.status_code in (200, 422) and "必填" in answer.text, row["key"]
        assert behind.one("select value from setting where key = :key", key=row["key"]) == row["value"]


@pytest.mark.parametrize("rule", BAD_RULES)
def test_a_rule_that_makes_no_student_numbers_is_refused(cast, behind, rule):
    registry, stored = cast.login("registry"), "select value from setting where key = 'student_number_rule'"
    before = behind.one(stored)
    answer = registry.post("/settingscreen/edit/student_number_rule", data={"value": rule})
    assert 'id="value-error"' in answer.text and behind.one(stored) == before
    registry.post("/settingscreen/edit/student_number_rule", data={"value": "{entry_year}{college}{serial:04}"})
    assert behind.one(stored) == "{entry_year}{college}{serial:04}"
