"""An identity is taken back by one hand: it opens nothing from that moment, its owner is told, and what was done in it stays."""

from datetime import timedelta

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from app import cluster
from app.access import Role, actor_of
from app.access.actor import counts
from app.kit.operation import NotAllowed
from app.models import Identity, db
from app.operations.accounts.delegation import as_deputy, delegate
from tests.access.test_identity import form, second_identity, students
from tests.access.test_login import is_in, log_in
from tests.cast import PASSWORD
from tests.conftest import ROOT, TODAY
from tests.flows.conftest import acting, cases  # noqa: F401 - the fixture


def end(cast, identity_id: int, who: str = "admin"):
    return cast.login(who).post(f"/identityscreen/action/end/{identity_id}", follow_redirects=True)


def ended_on(behind, identity_id: int):
    return behind.one("select ended_on from identity where id = :i", i=identity_id)


def test_an_ended_identity_opens_nothing_and_stays_as_it_was(app, cast, behind):
    client, clerk = cast.login("clerk"), cast.clerk
    token = app.test_client(use_cookies=False).post(
        "/api/v1/security/login", json={"username": "clerk", "password": PASSWORD, "provider": "db"}
    ).json["access_token"]  # fmt: skip
    assert students(client) == {"学生11"}
    assert "该身份已终止" in end(cast, clerk.identity_id).text
    assert not is_in(client)
    bare = app.test_client(use_cookies=False)
    assert bare.get("/api/v1/student/", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    log_in(client, "clerk")
    assert students(client) == set() and client.get("/").status_code == 403
    assert ended_on(behind, clerk.identity_id) == TODAY
    assert behind.one("select count(*) from identity_role where identity_id = :i", i=clerk.identity_id) == 1
    assert behind.one("select count(*) from role_holder where identity_id = :i", i=clerk.identity_id) == 0


def test_another_identity_of_hers_goes_on(app, cast, behind):
    other = second_identity(behind, "clerk", "college_clerk", "college", 2)
    end(cast, cast.clerk.identity_id)
    client = cast.login("clerk")
    assert students(client) == {"学生21"}
    assert client.post("/identity/", data={"identity": cast.clerk.identity_id}).status_code == 404
    assert ended_on(behind, other) is None


def test_owner_and_registry_are_told_and_the_audit_has_what_it_was(cast, behind):
    end(cast, cast.clerk.identity_id)
    rows = behind.rows("select u.username, n.text_zh, n.text_en, m.recipient from notice n join ab_user u on u.id = n.user_id"
                       " left join mail m on m.notice_id = n.id where n.key like 'identity:%'")  # fmt: skip
    told = {row["username"]: row for row in rows}
    assert told.keys() == {"clerk", "registry", "registry_b", "registry_c"}
    assert told["clerk"]["recipient"] == "clerk@example.invalid"
    assert "计算机学院 · 二级学院学籍管理员" in told["clerk"]["text_zh"] and "College clerk" in told["clerk"]["text_en"]
    (row,) = behind.rows("select user_name, old, new, subject_id from audit_entry where action = 'identity:end'")
    assert (row["user_name"], row["subject_id"], row["new"]) == ("admin", cast.clerk.user_id, {"ended_on": str(TODAY)})
    assert (row["old"]["roles"], row["old"]["college"]) == (["college_clerk"], "计算机学院")


@pytest.mark.parametrize("who", ["student", "clerk", "leader", "registry", "auditor", "director"])
def test_nobody_but_the_administrator_ends_one(cast, behind, who):
    end(cast, cast.clerk2.identity_id, who)
    assert ended_on(behind, cast.clerk2.identity_id) is None


def test_nobody_ends_his_own_and_none_ends_twice(cast, behind):
    assert "自己的身份" in end(cast, cast.admin.identity_id).text
    assert ended_on(behind, cast.admin.identity_id) is None
    end(cast, cast.clerk.identity_id)
    page = end(cast, cast.clerk.identity_id)
    assert (
        "已终止，保留原样" in page.text and "/action/end/" not in page.text and "/identityscreen/edit/" not in page.text
    )
    assert cast.login("admin").get(f"/identityscreen/edit/{cast.clerk.identity_id}").status_code == 409
    assert behind.one("select count(*) from audit_entry where action = 'identity:end'") == 1


def test_an_ended_one_is_neither_changed_nor_proposed_for(cast, behind):
    leader = cast.leader
    role = behind.one("select id from ab_role where name = 'registry'")
    asked = form(leader.user_id, role, scope="school", college="")
    cast.login("admin").post(f"/identityscreen/edit/{leader.identity_id}", data=asked)
    waits = behind.one("select id from account_proposal where state = 'pending'")
    end(cast, leader.identity_id)
    assert behind.one("select state from account_proposal where id = :p", p=waits) == "declined"
    assert cast.login("registry").post(f"/proposals/{waits}/decide", data={"act": "confirm"}).status_code == 409
    for more in ({}, {"title": "x"}):
        page = cast.login("admin").post(f"/identityscreen/edit/{leader.identity_id}", data=asked | more)
        assert "请新增身份" in page.text
    assert behind.one("select count(*) from account_proposal where state = 'pending'") == 0
    assert behind.one("select scope from identity where id = :i", i=leader.identity_id) == "college"


def test_what_then_waits_for_nobody_is_said(cast, cases, behind):  # noqa: F811
    cases.at("college")
    behind.run("update ab_user set active = false where username = 'leader_b'")
    page = end(cast, cast.leader.identity_id)
    assert ended_on(behind, cast.leader.identity_id) == TODAY
    assert "1 件办件无人可签（计算机学院 二级学院学籍分管院领导）" in page.text


def test_a_deputy_of_an_ended_identity_signs_no_more(cast, behind):
    acting(cast.leader, delegate, cast.leader_b.user_id, TODAY, TODAY + timedelta(days=1), "出差")
    given = behind.one("select max(id) from delegation")
    assert acting(cast.leader_b, as_deputy, given)
    end(cast, cast.leader.identity_id)
    with pytest.raises(NotAllowed):
        acting(cast.leader_b, as_deputy, given)


# mixed scopes


def test_a_role_counts_for_its_own_rows_alone():
    assert counts("registry", "school") and counts("admin", "school") and counts("own role", "college")
    for role, scope in (
        ("registry", "college"),
        ("auditor", "school"),
        ("college_clerk", "school"),
        ("teacher", "none"),
    ):
        assert not counts(role, scope)


def test_a_mixed_identity_of_before_opens_what_it_reaches(app, cast, behind):
    behind.run("insert into identity_role select :i, id from ab_role where name = 'auditor'", i=cast.clerk.identity_id)
    assert cast.login("clerk").get("/auditscreen/list/").status_code in (302, 403)
    assert cast.login("auditor").get("/auditscreen/list/").status_code == 200
    db.session.remove()
    assert actor_of(db.session.get_one(Identity, cast.clerk.identity_id)).roles == {Role.COLLEGE_CLERK}


BEFORE = """
insert into ab_user (id, first_name, last_name, username, email, password, active) values (1, 'a', 'b', 'mixed', 'm@e.invalid',
    'x', true), (2, 'a', 'b', 'lost', 'l@e.invalid', 'x', true), (3, 'a', 'b', 'fine', 'f@e.invalid', 'x', true);
insert into ab_role (id, name) values (1, 'registry'), (2, 'auditor'), (3, 'college_clerk'), (4, 'admin'), (5, 'own');
insert into identity (id, user_id, scope) overriding system value values (1, 1, 'school'), (2, 2, 'none'), (3, 3, 'school');
insert into identity_role (identity_id, role_id) values (1, 1), (1, 2), (1, 4), (2, 3), (3, 1), (3, 5);
"""


def test_mixed_identities_of_before_are_brought_into_line_and_reported(bed, capsys):
    (file,) = (ROOT / "migrations/versions").glob("*_identity_ends.py")
    revision, name = file.name[:4], f"before_{next(bed.numbers)}"
    cluster.create_database(bed.admin, name)
    config = Config(str(ROOT / "alembic.ini"))
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.attributes["url"] = bed.cluster.url(cluster.OWNER, name)
    before = ScriptDirectory.from_config(config).get_revision(revision).down_revision
    command.upgrade(config, before)
    engine = create_engine(config.attributes["url"])
    with engine.begin() as connection:
        for statement in BEFORE.strip().split(";\n"):
            connection.execute(text(statement))
    command.upgrade(config, revision)
    with engine.connect() as connection:
        held = "select identity_id, role_id from identity_role order by 1, 2"
        assert [tuple(row) for row in connection.execute(text(held))] == [(1, 1), (1, 4), (3, 1), (3, 5)]
        ended = "select id from identity where ended_on is not null"
        assert connection.scalars(text(ended)).all() == [2]
        audited = "select subject_id, old ->> 'roles', new ->> 'roles' from audit_entry order by 1"
        assert [tuple(row) for row in connection.execute(text(audited))] == [
            (1, '["admin", "auditor", "registry"]', '["admin", "registry"]'),
            (2, '["college_clerk"]', "[]"),
        ]
    engine.dispose()
    cluster.drop_database(bed.admin, name)
    said = capsys.readouterr().out
    assert "mixed" in said and "auditor taken away" in said and "lost" in said and "fine" not in said
