"""Settings from the environment, and what keeps the application from starting."""

from pathlib import Path

import pytest
from flask import Flask
from flask_appbuilder.exceptions import PasswordComplexityValidationError
from sqlalchemy import make_url

from app import cluster
from app.cluster import LoginFacts, login_facts
from config import DEMO_PASSWORD, DEMO_SECRET, UnsafeSettings, load, refuse_unsafe, strong_password

PLAIN = LoginFacts("xueji_web", superuser=False, bypasses=False, owns=False)
REAL = {
    "XUEJI_WEB_DATABASE_URL": "postgres://xueji_web:p%40ss@db.example:5433/xueji?sslmode=require",
    "XUEJI_SECRET_KEY": "k" * 32,
    "XUEJI_ADDRESS": "https://xueji.example.edu.cn/",
}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"XUEJI_SECRET_KEY": ""}, "Set XUEJI_SECRET_KEY to a random text"),
        ({"XUEJI_SECRET_KEY": DEMO_SECRET}, "请将 XUEJI_SECRET_KEY 设为"),
        ({"XUEJI_SECRET_KEY": "k" * 31}, "32 characters or more"),
        ({"XUEJI_ADDRESS": ""}, "Set XUEJI_ADDRESS to the address"),
        ({"XUEJI_ADDRESS": "xueji.example.edu.cn"}, "请将 XUEJI_ADDRESS 设为系统网址"),
        ({"XUEJI_DEMO_PASSWORD": "x"}, "Remove XUEJI_DEMO_PASSWORD"),
    ],
)
def test_production_refuses(change: dict[str, str], reason: str) -> None:
    with pytest.raises(UnsafeSettings, match=reason):
        refuse_unsafe(load(REAL | change), PLAIN)


def test_production_refuses_debug() -> None:
    with pytest.raises(UnsafeSettings, match="Switch debug off"):
        refuse_unsafe(load(REAL) | {"DEBUG": True}, PLAIN)


@pytest.mark.parametrize("strength", ["superuser", "bypasses", "owns"])
@pytest.mark.parametrize("mode", ["production", "demo"])
def test_a_login_above_row_security_is_refused(mode: str, strength: str) -> None:
    facts = LoginFacts("boss", **{"superuser": False, "bypasses": False, "owns": False, strength: True})
    with pytest.raises(UnsafeSettings, match="The database login boss") as refusal:
        refuse_unsafe(load(REAL | {"XUEJI_MODE": mode}), facts)
    assert "可绕过行级安全" in str(refusal.value)


def test_all_reasons_are_told_at_once() -> None:
    with pytest.raises(UnsafeSettings) as refusal:
        refuse_unsafe(load({"XUEJI_MODE": "production", "XUEJI_DEMO_PASSWORD": "x"}), PLAIN)
    assert len(str(refusal.value).splitlines()) == 3


def test_production_as_it_should_be_is_accepted() -> None:
    settings = load(REAL)
    assert settings["XUEJI_MODE"] == "production"
    assert settings["SESSION_COOKIE_SECURE"] is settings["SESSION_COOKIE_HTTPONLY"] is True
    assert settings["XUEJI_DEMO_PASSWORD"] == settings["XUEJI_OWNER_URL"] == ""
    refuse_unsafe(settings, PLAIN)


def test_demo_is_accepted_with_what_is_built_in() -> None:
    settings = load({})
    assert (settings["XUEJI_MODE"], settings["XUEJI_DEMO_PASSWORD"]) == ("demo", DEMO_PASSWORD)
    refuse_unsafe(settings, PLAIN)


def test_unknown_mode_is_refused() -> None:
    with pytest.raises(UnsafeSettings, match="XUEJI_MODE is 'prod'; it may be demo, production, test"):
        load({"XUEJI_MODE": "prod"})


def test_without_addresses_the_embedded_database_is_meant() -> None:
    settings = load({})
    web, owner = make_url(str(settings["SQLALCHEMY_DATABASE_URI"])), make_url(str(settings["XUEJI_OWNER_URL"]))
    assert (web.username, owner.username, web.database) == ("xueji_web", "xueji_owner", "xueji")
    assert Path(str(web.query["host"])).is_absolute()


def test_a_real_address_keeps_its_password_and_options() -> None:
    url = make_url(str(load(REAL)["SQLALCHEMY_DATABASE_URI"]))
    assert (url.drivername, url.password, url.host, url.port) == ("postgresql+psycopg", "p@ss", "db.example", 5433)
    assert url.query == {"sslmode": "require"}


def test_the_owners_address_alone_serves_no_pages() -> None:
    """The web must never fall back to the owner or to another database than the one that was named."""
    assert load({"DATABASE_URL": "postgresql://xueji_owner@db.example/xueji"})["SQLALCHEMY_DATABASE_URI"] == ""


@pytest.mark.parametrize("password", ["", "short-A1", "onlysmallletters", "small1234567", "SMALL1234567"])
def test_weak_password_is_refused(password: str, plain_app: Flask) -> None:
    with plain_app.test_request_context(), pytest.raises(PasswordComplexityValidationError):
        strong_password(password)


@pytest.mark.parametrize("password", [DEMO_PASSWORD, "Small12345", "小猫爱吃鱼yu-abc123"])
def test_strong_password_is_taken(password: str) -> None:
    strong_password(password)


@pytest.fixture
def plain_app() -> Flask:
    from flask_babel import Babel

    app = Flask("plain")
    Babel(app)
    return app


def test_facts_of_logins(tmp_path: Path) -> None:
    server = cluster.Cluster(tmp_path / "pg")
    server.start(cluster.VOLATILE)
    server.ensure_roles()
    with cluster.connect(server.url(cluster.OWNER)) as owner:
        owner.execute("create table student (id int)")
    assert login_facts(server.url(cluster.WEB)) == PLAIN
    assert login_facts(server.url(cluster.OWNER)) == LoginFacts("xueji_owner", False, True, True)
    assert login_facts(server.url(cluster.SUPERUSER)).superuser
    with cluster.connect(server.url(cluster.SUPERUSER)) as admin:
        admin.execute("grant xueji_owner to xueji_web with inherit false, set true")
    assert login_facts(server.url(cluster.WEB)) == LoginFacts("xueji_web", False, True, True)
    server.stop()


def test_only_a_test_has_a_clock_of_its_own() -> None:
    day = {"XUEJI_TODAY": "2026-09-02"}
    assert load(REAL | day)["XUEJI_TODAY"] == load({"XUEJI_MODE": "demo"} | day)["XUEJI_TODAY"] == ""
    assert load({"XUEJI_MODE": "test"} | day)["XUEJI_TODAY"] == "2026-09-02"
