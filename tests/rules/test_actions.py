"""Every action of every screen, asked for rows that are none: a page that says so, never an error."""

from collections.abc import Iterator

import pytest
from flask import Flask

NONE = ("0", "999999", "-1", "99999999999999999999", "abc", "1'", "\u4e00")


def screens(app: Flask) -> Iterator:
    """Those that FAB gives routes for actions."""
    routes = {rule.endpoint for rule in app.url_map.iter_rules()}
    yield from (view for view in app.appbuilder.baseviews if f"{type(view).__name__}.action_post" in routes)  # type: ignore[attr-defined]


@pytest.mark.parametrize("who", ["admin", "registry", "clerk", "student", None])
def test_an_action_on_a_row_that_is_none(app: Flask, cast, who):
    browser, faults, asked = cast.login(who) if who else app.test_client(), [], 0
    for view in screens(app):
        for name in [*view.actions, "none"]:
            for row in NONE:
                answers = (
                    browser.post(f"{view.route_base}/action/{name}/{row}"),
                    browser.post(f"{view.route_base}/action_post", data={"action": name, "rowid": ["1", row]}),
                    browser.post(f"{view.route_base}/action_post", data={"action": name}),
                )
                asked += 1
                faults += [
                    f"{view.route_base} {name} {row}: {answer.status_code} {answer.location}"
                    for answer in answers
                    if answer.status_code not in (302, 403, 404, 409) or "pk=" in (answer.location or "")
                ]
    assert asked > 100
    assert not faults, "\n".join(faults)


def test_who_may_is_told_that_there_is_none(app: Flask, cast):
    admin = cast.login("admin")
    for path in ("/users/action/resetpasswords/999999", "/roles/action/copyrole/999999", "/users/action/none/1"):
        answer = admin.post(path)
        assert answer.status_code == 404 and "不存在" in answer.text, path


def test_an_action_is_asked_for_in_the_way_in_which_it_is_offered(app: Flask, cast, behind):
    admin, clerk = cast.login("admin"), cast.clerk.user_id
    role = behind.one("select id from ab_role where name = 'college_clerk'")
    assert admin.post(f"/users/action/resetpasswords/{clerk}").location == f"/resetpassword/form?pk={clerk}"
    assert admin.post("/users/action_post", data={"action": "resetpasswords", "rowid": clerk}).status_code == 404
    assert admin.post(f"/roles/action/copyrole/{role}").status_code == 404
    assert admin.post("/roles/action_post", data={"action": "copyrole", "rowid": role}).status_code == 302
    assert behind.one("select count(*) from ab_role where name = 'college_clerk copy'") == 1
    assert (
        cast.login("clerk").post(f"/users/action/resetpasswords/{clerk}").location != f"/resetpassword/form?pk={clerk}"
    )
