"""What one administrator changes of another's account: its owner is told, a used one stays, roles are not its form's to give."""

import pytest

from tests.access.test_own_account import held, named  # noqa: F401 - the fixture
from tests.cast import PASSWORD


def form(**more) -> dict:
    return {
        "username": "clerk",
        "first_name": "小芳",
        "last_name": "王",
        "email": "clerk@example.invalid",
        "active": "y",
    } | more


def told(behind, like: str) -> dict[str, dict]:
    rows = behind.rows("select u.username, n.title_zh, n.text_zh, n.text_en, m.recipient from notice n"
                       " join ab_user u on u.id = n.user_id left join mail m on m.notice_id = n.id where n.key like :k",
                       k=like)  # fmt: skip
    return {row["username"]: row for row in rows}


# names and addresses


def test_a_new_name_is_told_to_its_owner_and_to_the_registry(cast, behind, named):  # noqa: F811
    answer = cast.login("admin").post(f"/users/edit/{cast.clerk.user_id}", data=form(first_name="明", last_name="李"))
    assert answer.status_code == 302
    people = told(behind, "account:%")
    assert people.keys() == {"clerk", "registry", "registry_b", "registry_c"}
    assert "王小芳 (clerk)" in people["clerk"]["text_zh"] and "李明 (clerk)" in people["clerk"]["text_en"]
    assert people["clerk"]["recipient"] == "clerk@example.invalid" and "admin" in people["registry"]["text_zh"]
    (row,) = behind.rows("select old, new from audit_entry where action = 'ab_user.edit'")
    assert (row["old"], row["new"]) == (
        {"first_name": "小芳", "last_name": "王"},
        {"first_name": "明", "last_name": "李"},
    )


def test_a_new_address_is_told_by_a_letter_to_the_old_one(cast, behind, named):  # noqa: F811
    cast.login("admin").post(f"/users/edit/{cast.clerk.user_id}", data=form(email="other@example.invalid"))
    assert held(behind, "clerk")["email"] == "other@example.invalid"
    people = told(behind, "account:%")
    assert people["clerk"]["recipient"] == "clerk@example.invalid"
    assert people.keys() == {"clerk", "registry", "registry_b", "registry_c"}
    (row,) = behind.rows("select old, new from audit_entry where action = 'ab_user.edit'")
    assert (row["old"]["email"], row["new"]["email"]) == ("clerk@example.invalid", "other@example.invalid")


def test_of_an_account_that_reaches_nobody_its_owner_alone_is_told(cast, behind, named):  # noqa: F811
    behind.run("update identity set scope = 'none', college_id = null where user_id = :u", u=cast.clerk.user_id)
    behind.run("delete from identity_role where identity_id = :i", i=cast.clerk.identity_id)
    cast.login("admin").post(f"/users/edit/{cast.clerk.user_id}", data=form(first_name="明"))
    assert told(behind, "account:%").keys() == {"clerk"}


def test_nothing_changed_is_told_to_nobody(cast, behind, named):  # noqa: F811
    assert cast.login("admin").post(f"/users/edit/{cast.clerk.user_id}", data=form()).status_code == 302
    assert told(behind, "%") == {}


@pytest.mark.parametrize(("email", "words"), [
    ("x@y.cn\r\nBcc: z@z.cn", "不是电子邮箱"), ("x@y.cn, z@z.cn", "不是电子邮箱"), ("a@b", "不是电子邮箱"),
    ("DIRECTOR@example.invalid", "另一个账号"),
])  # fmt: skip
def test_an_address_is_one_and_its_accounts_alone(cast, behind, email, words):
    admin = cast.login("admin")
    answer = admin.post(f"/users/edit/{cast.clerk.user_id}", data=form(email=email))
    assert answer.status_code == 200 and words in answer.text
    assert held(behind, "clerk")["email"] == "clerk@example.invalid"
    made = form(username="fresh", email=email, password=PASSWORD, conf_password=PASSWORD)
    assert words in admin.post("/users/add", data=made).text
    assert behind.one("select count(*) from ab_user where username = 'fresh'") == 0


def test_the_database_keeps_addresses_apart_too(cast, behind):
    behind.run("do $$ begin update ab_user set email = 'Director@example.invalid' where username = 'clerk';"
               " exception when unique_violation then null; end $$")  # fmt: skip
    assert held(behind, "clerk")["email"] == "clerk@example.invalid"


def test_an_account_with_a_bad_address_of_before_is_edited_all_the_same(cast, behind):
    behind.run("update ab_user set email = 'a@b' where username = 'clerk'")
    kept = form(first_name="芳", email="a@b")
    assert cast.login("admin").post(f"/users/edit/{cast.clerk.user_id}", data=kept).status_code == 302


@pytest.mark.parametrize(("first", "last", "warned"), [
    ("明", "李", True), ("明 ", " 李", True), ("小明", "李", False), ("学生101", "", False),
])  # fmt: skip
def test_a_name_that_another_officer_bears_is_told(cast, behind, named, first, last, warned):  # noqa: F811
    behind.run("update ab_user set first_name = '学生101', last_name = '' where username = 'student'")
    changed = form(first_name=first, last_name=last)
    page = cast.login("admin").post(f"/users/edit/{cast.clerk.user_id}", data=changed, follow_redirects=True).text
    assert ("李明 (director)" in page and "已有其他工作人员使用同一姓名" in page) == warned
    made = form(username="fresh", email="f@example.invalid", password=PASSWORD, conf_password=PASSWORD) | {
        "first_name": first, "last_name": last}  # fmt: skip
    page = cast.login("admin").post("/users/add", data=made, follow_redirects=True).text
    assert ("同一姓名" in page) == (warned or first == "小明")  # the clerk is called so by now


# deleting


@pytest.fixture
def fresh(cast, behind) -> int:
    """An account that nobody has used, as the administrator has just made it."""
    made = form(username="fresh", email="f@example.invalid", password=PASSWORD, conf_password=PASSWORD)
    page = cast.login("admin").post("/users/add", data=made, follow_redirects=True)
    assert "身份" in page.text
    return behind.one("select id from ab_user where username = 'fresh'")


def delete(cast, user_id: int):
    return cast.login("admin").post(f"/users/delete/{user_id}", follow_redirects=True)


def exists(behind, user_id: int) -> bool:
    return bool(behind.one("select count(*) from ab_user where id = :u", u=user_id))


def test_an_account_that_nobody_used_is_deleted(cast, behind, fresh):
    delete(cast, fresh)
    assert not exists(behind, fresh)
    assert behind.one("select old ->> 'username' from audit_entry where action = 'ab_user.delete'") == "fresh"
    again = form(username="fresh", email="f@example.invalid", password=PASSWORD, conf_password=PASSWORD)
    assert cast.login("admin").post("/users/add", data=again).status_code == 302  # nothing was done under this name


USES = {
    "logged in": "update ab_user set last_login = now() where id = :u",
    "has a login": "insert into user_session (user_id, kind, place) values (:u, 'browser', '10.0.0.1')",
    "is somebody": "insert into identity (user_id, scope) values (:u, 'none')",
    "acted": "insert into audit_entry (user_id, user_name, action) values (:u, 'fresh', 'export')",
    "was somebody": "insert into audit_entry (action, subject, subject_id) values ('identity:confirm', 'ab_user', :u)",
}


@pytest.mark.parametrize("use", USES)
def test_a_used_account_stays_and_is_put_out_of_use(cast, behind, fresh, use):
    behind.run(USES[use], u=fresh)
    page = delete(cast, fresh)
    assert "该账号已使用过" in page.text and "启用" in page.text
    assert exists(behind, fresh)
    behind.run(f"do $$ begin delete from ab_user where id = {fresh};"
               " exception when foreign_key_violation then null; end $$")  # fmt: skip
    assert exists(behind, fresh)  # the database says so, too


def test_the_name_of_a_deleted_account_that_acted_is_nobody_elses(cast, behind, fresh):
    """One of before, when used accounts could be deleted."""
    behind.run("insert into audit_entry (action, subject, subject_id, old) values"
               " ('ab_user.delete', 'ab_user', 99999, '{\"username\": \"gone\"}')")  # fmt: skip
    taken = form(username="Gone", email="g@example.invalid", password=PASSWORD, conf_password=PASSWORD)
    admin = cast.login("admin")
    behind.run("insert into audit_entry (user_id, user_name, action) values (99999, 'gone', 'export')")
    assert "请改用其他用户名" in admin.post("/users/add", data=taken, follow_redirects=True).text
    answer = admin.post(f"/users/edit/{fresh}", data=form(username="gone", email="f@example.invalid"))
    assert "请改用其他用户名" in answer.text
    assert behind.one("select count(*) from ab_user where username = 'gone'") == 0
    behind.run("delete from audit_entry where user_id = 99999")
    assert admin.post("/users/add", data=taken).status_code == 302


# roles


def test_the_form_of_an_account_offers_no_roles(cast, behind):
    admin, clerk = cast.login("admin"), cast.clerk.user_id
    for path in ("/users/add", f"/users/edit/{clerk}", f"/users/show/{clerk}", "/users/list/"):
        page = admin.get(path).text
        assert 'name="roles"' not in page and 'name="groups"' not in page and 'name="_flt_0_roles"' not in page, path
    role = behind.one("select id from ab_role where name = 'admin'")
    admin.post(f"/users/edit/{clerk}", data=form(roles=role))
    assert behind.one("select count(*) from ab_user_role where user_id = :u", u=clerk) == 0


def test_a_built_in_role_is_read_alone(cast, behind):
    admin = cast.login("admin")
    number, name = behind.rows("select id, name from ab_role where name = 'college_clerk'")[0].values()
    assert f"/roles/edit/{number}" not in admin.get("/roles/list/").text
    shown = admin.get(f"/roles/show/{number}").text
    assert "UserDBModelView" not in shown  # whom FAB's own form gave it
    assert "内置角色" in shown and f"/roles/edit/{number}" not in shown
    one = behind.one("select id from ab_permission_view order by id limit 1")
    before = behind.rows(
        "select permission_view_id from ab_permission_view_role where role_id = :r order by 1", r=number
    )
    for answer in (
        admin.get(f"/roles/edit/{number}"),
        admin.post(f"/roles/edit/{number}", data={"name": "other", "permissions": one}),
        admin.post(f"/roles/delete/{number}", follow_redirects=True),
    ):
        assert "内置角色" in answer.text
    assert behind.rows("select permission_view_id from ab_permission_view_role where role_id = :r order by 1",
                       r=number) == before  # fmt: skip
    assert behind.one("select name from ab_role where id = :r", r=number) == name
    admin.post("/roles/add", data={"name": "own", "permissions": one})
    own = behind.one("select id from ab_role where name = 'own'")
    assert "内置角色" not in admin.get(f"/roles/show/{own}").text
    assert admin.post(f"/roles/edit/{own}", data={"name": "ours", "permissions": one}).status_code == 302
