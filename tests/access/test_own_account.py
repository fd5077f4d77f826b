"""What a person changes of her own account, what only its administrator does, and how both are written down."""

import pytest

from tests.access.test_login import NEW, is_in, log_in
from tests.cast import PASSWORD
from tests.flows.conftest import cases  # noqa: F401 - the fixture


def held(behind, username: str) -> dict:
    (row,) = behind.rows("select first_name, last_name, email from ab_user where username = :u", u=username)
    return row


@pytest.fixture
def named(behind) -> None:
    """The clerk and the director have names of people; in the cast names are accounts."""
    behind.run("update ab_user set first_name = '小芳', last_name = '王' where username = 'clerk'")
    behind.run("update ab_user set first_name = '明', last_name = '李' where username = 'director'")


# names


@pytest.mark.parametrize("path", ["/userinfoeditview/form", "/account/letters", "/account/"])
def test_nobody_renames_himself(cast, behind, named, path):
    forged = {"first_name": "明", "last_name": "李", "username": "director2", "email": "clerk@example.invalid"}
    cast.login("clerk").post(path, data=forged)
    assert held(behind, "clerk") | {"email": ""} == {"first_name": "小芳", "last_name": "王", "email": ""}
    assert behind.one("select count(*) from ab_user where username = 'clerk'") == 1


def test_the_old_address_leads_to_what_may_be_changed(cast):
    for path in ("/userinfoeditview/form", "/users/userinfo/"):
        answer = cast.login("clerk").get(path)
        assert (answer.status_code, answer.location) == (302, "/account/"), path


def test_an_administrator_does_not_rename_himself_either(cast, behind):
    admin, user_id = cast.login("admin"), cast.admin.user_id
    role = behind.one("select id from ab_role where name = 'admin'")
    form = {
        "username": "admin",
        "first_name": "明",
        "last_name": "李",
        "email": "a@example.invalid",
        "active": "y",
        "roles": role,
    }
    answer = admin.post(f"/users/edit/{user_id}", data=form, follow_redirects=True)
    assert "不得修改自己的姓名" in answer.text
    assert held(behind, "admin")["first_name"] == "admin"


def test_row_security_lets_nobody_write_a_name(cast, behind):
    """What a page's mistake could do, the database does not do."""
    for scope in ("college", "school", "student"):
        granted = behind.rows("select column_name from information_schema.column_privileges where table_name = 'ab_user'"
                              " and privilege_type = 'UPDATE' and grantee = :g", g=f"xueji_{scope}")  # fmt: skip
        assert [row["column_name"] for row in granted] == ["email"], scope


# signatures


def test_what_is_signed_names_the_account_too(cast, cases, behind, named):  # noqa: F811
    case_id = cases.at("college")
    assert behind.one("select actor_name from case_event where act = 'approve'") == "王小芳 (clerk)"
    assert behind.one("select user_name from audit_entry where action = 'case:approve'") == "王小芳 (clerk)"
    page = cast.login("leader").get(f"/casescreen/show/{case_id}").text
    assert "王小芳 (clerk)" in page


def test_the_history_of_a_student_names_the_account(cast, behind, named):
    client = cast.login("clerk")
    client.post("/studentscreen/contact/101", data={"version": 1, "phone": "13911112222"})
    assert behind.one("select changed_by_name from field_change where field = 'phone'") == "王小芳 (clerk)"


def test_a_name_as_long_as_may_be_is_signed_without_an_error(cast, behind):
    behind.run("update ab_user set first_name = :n, last_name = :n where username = 'clerk'", n="长" * 60)
    client = cast.login("clerk")
    assert client.post("/account/letters", data={"email": "new@example.invalid"}).status_code == 302
    (row,) = behind.rows("select user_name from audit_entry where action = 'account:contact'")
    assert row["user_name"].endswith(" (clerk)") and len(row["user_name"]) == 80


def test_the_greeting_is_by_name_alone(cast, named):
    assert "王小芳 (clerk)" not in cast.login("clerk").get("/").text


# what is one's own


def test_letters_go_where_one_says_and_the_audit_has_both(cast, behind):
    client = cast.login("clerk")
    assert client.get("/account/").status_code == 200
    assert client.post("/account/letters", data={"email": " new@example.invalid "}).status_code == 302
    assert held(behind, "clerk")["email"] == "new@example.invalid"
    (row,) = behind.rows("select old, new from audit_entry where action = 'account:contact'")
    assert row == {"old": {"email": "clerk@example.invalid"}, "new": {"email": "new@example.invalid"}}


@pytest.mark.parametrize(("email", "words"), [
    ("abc", "不是电子邮箱"), ("director@example.invalid", "另一个账号"), ("Director@EXAMPLE.invalid", "另一个账号"), ("a@b", "不是电子邮箱"),
])  # fmt: skip
def test_a_wrong_address_is_told_and_kept_in_the_form(cast, behind, email, words):
    answer = cast.login("clerk").post("/account/letters", data={"email": email})
    assert answer.status_code == 422
    assert words in answer.text
    assert f'value="{email}"' in answer.text
    assert held(behind, "clerk")["email"] == "clerk@example.invalid"


def test_a_new_password_asks_for_the_old_one(app, cast, behind):
    client = cast.login("clerk")
    for old in ("", "wrong", NEW):
        answer = client.post("/resetmypassword/form", data={"old_password": old, "password": NEW, "conf_password": NEW})
        assert answer.status_code in (200, 422), old
    assert "当前密码不正确" in answer.text
    assert log_in(app.test_client(), "clerk", NEW).location.startswith("/login/")
    answer = client.post(
        "/resetmypassword/form", data={"old_password": PASSWORD, "password": NEW, "conf_password": NEW}
    )
    assert answer.status_code == 302
    assert is_in(client)
    assert log_in(app.test_client(), "clerk", NEW).location == "/"


# what the administrator changes


def test_a_changed_account_is_audited_with_old_and_new(cast, behind):
    admin, clerk = cast.login("admin"), cast.clerk
    form = {"username": "clerk", "first_name": "新", "last_name": "名", "email": "clerk@example.invalid"}
    assert admin.post(f"/users/edit/{clerk.user_id}", data=form).status_code == 302
    (row,) = behind.rows("select old, new from audit_entry where action = 'ab_user.edit'")
    assert row["old"] == {"first_name": "clerk", "last_name": "", "active": "True"}
    assert row["new"] == {"first_name": "新", "last_name": "名", "active": "False"}


def test_a_new_account_is_audited_without_its_password(cast, behind):
    admin = cast.login("admin")
    role = behind.one("select id from ab_role where name = 'college_clerk'")
    made = {"first_name": "新", "last_name": "人", "username": "fresh", "email": "f@example.invalid", "active": "y",
            "roles": role, "password": PASSWORD, "conf_password": PASSWORD}  # fmt: skip
    assert admin.post("/users/add", data=made).status_code == 302
    (row,) = behind.rows("select new from audit_entry where action = 'ab_user.add'")
    assert row["new"]["username"] == "fresh" and row["new"]["roles"] == []  # which identities give, not the form
    assert "password" not in str(row["new"]) and "scrypt" not in str(row["new"])


def test_a_changed_role_is_audited_with_its_permissions(cast, behind):
    admin = cast.login("admin")
    one, two = (row["id"] for row in behind.rows("select id from ab_permission_view order by id limit 2"))
    assert admin.post("/roles/add", data={"name": "helpers", "permissions": one}).status_code == 302
    role = behind.one("select id from ab_role where name = 'helpers'")
    assert admin.post(f"/roles/edit/{role}", data={"name": "helpers", "permissions": [one, two]}).status_code == 302
    (row,) = behind.rows("select old, new from audit_entry where action = 'ab_role.edit'")
    assert len(row["old"]["permissions"]) == 1 and len(row["new"]["permissions"]) == 2
    admin.post(f"/roles/delete/{role}")
    (row,) = behind.rows("select old from audit_entry where action = 'ab_role.delete'")
    assert len(row["old"]["permissions"]) == 2


def test_an_account_longer_than_signatures_hold_is_refused(cast, behind):
    role = behind.one("select id from ab_role where name = 'college_clerk'")
    made = {"first_name": "新", "last_name": "人", "username": "x" * 41, "email": "f@example.invalid", "active": "y",
            "roles": role, "password": PASSWORD, "conf_password": PASSWORD}  # fmt: skip
    cast.login("admin").post("/users/add", data=made)
    assert behind.one("select count(*) from ab_user where username like 'xx%'") == 0


# user names


@pytest.mark.parametrize(("used", "name", "said", "kept"), [
    (True, "someone", "用户名不得修改", "fresh"), (False, "Someone", "", "someone"), (False, "сlerk", "用户名只能由", "fresh"),
    (False, "clerk\u200b9", "", "clerk9"), (False, ".", "用户名只能由", "fresh"), (False, "..", "用户名只能由", "fresh"),
    (False, "-a", "用户名只能由", "fresh"),
])  # fmt: skip
def test_a_user_name_stays_once_used_and_has_one_alphabet(cast, behind, used, name, said, kept):
    """An account that is somebody by an identity is used, though nobody has logged in with it yet."""
    clerk = behind.one(
        "insert into ab_user (id, first_name, last_name, username, email, active) select max(id) + 1, '芳', '王', 'fresh',"
        " 'c@example.invalid', true from ab_user returning id"
    )  # fmt: skip
    if used:
        behind.run("insert into identity (user_id, scope) values (:u, 'none')", u=clerk)
    role = behind.one("select id from ab_role where name = 'college_clerk'")
    form = {
        "username": name,
        "first_name": "芳",
        "last_name": "王",
        "email": "c@example.invalid",
        "active": "y",
        "roles": role,
    }
    page = cast.login("admin").post(f"/users/edit/{clerk}", data=form, follow_redirects=True)
    assert said in page.text
    assert behind.one("select username from ab_user where id = :u", u=clerk) == kept


def test_an_account_without_an_identity_is_told_whom_to_ask(app, cast, behind):
    behind.run("delete from identity where user_id = :u", u=cast.clerk.user_id)
    client = app.test_client()
    log_in(client, "clerk")
    page = client.get("/")
    assert page.status_code == 403 and "尚无身份" in page.text
    assert app.test_client().get("/").location.startswith("/login/")
