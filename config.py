"""The settings of the application, from the environment; README lists the variables."""

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from flask_appbuilder.const import AUTH_DB
from flask_appbuilder.exceptions import PasswordComplexityValidationError
from flask_babel import gettext as _
from sqlalchemy import make_url

from app.cluster import OWNER, WEB, Cluster, LoginFacts, login_facts

ROOT = Path(__file__).parent
MODES = ("demo", "production", "test")
DEMO_SECRET = "everybody-knows-this-secret-of-the-demo"  # noqa: S105 - production refuses it
DEMO_PASSWORD = "Xueji-demo-1"  # noqa: S105 - of invented people, in demo mode only
SHORTEST_SECRET = 32
SHORTEST_PASSWORD = 10
ADDRESS = re.compile(r"https?://[^/\s?#]+(/[^\s?#]*)?")
KINDS_OF_CHARACTER = (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^a-zA-Z0-9]")


class UnsafeSettings(Exception):
    """The application must not start like this; the text has one reason a line, in English and Chinese."""


def load(env: Mapping[str, str] = os.environ) -> dict[str, object]:
    """Flask's settings. Naming a database of one's own means production, unless XUEJI_MODE says otherwise."""
    web, owner = env.get("XUEJI_WEB_DATABASE_URL"), env.get("DATABASE_URL")
    mode = env.get("XUEJI_MODE") or ("production" if web or owner else "demo")
    if mode not in MODES:
        raise UnsafeSettings(
            f"XUEJI_MODE is {mode!r}; it may be {', '.join(MODES)}. 运行模式只能是 {'、'.join(MODES)}。"
        )
    embedded = Cluster(data_folder(env) / "pg")
    demo_password = DEMO_PASSWORD if mode == "demo" else ""
    return {
        "XUEJI_MODE": mode,
        "SQLALCHEMY_DATABASE_URI": psycopg_url(web) if web else "" if owner else embedded.url(WEB),
        "XUEJI_OWNER_URL": psycopg_url(owner) if owner else "" if web else embedded.url(OWNER),
        "SECRET_KEY": env.get("XUEJI_SECRET_KEY") or DEMO_SECRET,
        "XUEJI_DEMO_PASSWORD": env.get("XUEJI_DEMO_PASSWORD", demo_password),
        "XUEJI_FILES": str(Path(env.get("XUEJI_FILES") or data_folder(env) / "files").resolve()),
        "XUEJI_PROXIES": int(env.get("XUEJI_PROXIES") or 0),
        # Letters: smtp://user:password@host:587 (STARTTLS where offered) or smtps://…; without one they become files.
        "XUEJI_SMTP_URL": env.get("XUEJI_SMTP_URL", ""),
        "XUEJI_MAIL_FROM": env.get("XUEJI_MAIL_FROM", "xueji@localhost"),
        "XUEJI_ADDRESS": env.get("XUEJI_ADDRESS", "").rstrip("/"),  # of the pages, for links in letters and calendars
        "XUEJI_TODAY": env.get("XUEJI_TODAY", "") if mode == "test" else "",  # only a test has a clock of its own
        # Values of rows stay out of error messages and so out of the logs.
        "SQLALCHEMY_ENGINE_OPTIONS": {"hide_parameters": True, "pool_pre_ping": True, "pool_size": 10},
        **FAB,
        # FAB's limiter counts in the memory of each process. app/access/attempts.py counts wrong passwords for all of them.
        "RATELIMIT_ENABLED": False,
        "RATELIMIT_STORAGE_URI": "memory://",
        "AUTH_RATE_LIMITED": False,
        "SESSION_COOKIE_SECURE": mode == "production",
        "REMEMBER_COOKIE_SECURE": mode == "production",
    }


def data_folder(env: Mapping[str, str] = os.environ) -> Path:
    """Where all that this machine keeps lies: files, logs and the embedded database."""
    return Path(env.get("XUEJI_VAR") or ROOT / "var").resolve()


def strong_password(password: str) -> None:
    """Ten characters of three kinds; raises what FAB shows at the field."""
    kinds = sum(bool(re.search(kind, password)) for kind in KINDS_OF_CHARACTER)
    if len(password) < SHORTEST_PASSWORD or kinds < 3:
        raise PasswordComplexityValidationError(
            _(
                "Use at least %(length)s characters, of three kinds: small and capital letters, digits, other signs.",
                length=SHORTEST_PASSWORD,
            )
        )


FAB = {
    "APP_NAME": "学籍通",
    "AUTH_TYPE": AUTH_DB,
    "AUTH_USER_REGISTRATION": False,
    "BABEL_DEFAULT_LOCALE": "zh",
    "BABEL_DEFAULT_TIMEZONE": "Asia/Shanghai",
    "BABEL_TRANSLATION_DIRECTORIES": str(ROOT / "translations"),
    "LANGUAGES": {"zh": {"flag": "cn", "name": "中文"}, "en": {"flag": "gb", "name": "English"}},
    # Migrations make the tables and `flask xueji sync` the permissions: 0 statements at start instead of 276.
    "FAB_CREATE_DB": False,
    "FAB_UPDATE_PERMS": False,
    # Roles are code; their raw tables are no screens.
    "FAB_ADD_SECURITY_PERMISSION_VIEW": False,
    "FAB_ADD_SECURITY_VIEW_MENU_VIEW": False,
    "FAB_ADD_SECURITY_PERMISSION_VIEWS_VIEW": False,
    "FAB_API_MAX_PAGE_SIZE": 200,
    "FAB_API_SHOW_STACKTRACE": False,
    "FAB_API_SWAGGER_UI": True,
    "FAB_PASSWORD_COMPLEXITY_ENABLED": True,
    "FAB_PASSWORD_COMPLEXITY_VALIDATOR": strong_password,
    "JWT_ACCESS_TOKEN_EXPIRES": timedelta(minutes=15),
    "JWT_REFRESH_TOKEN_EXPIRES": timedelta(hours=8),
    "MAX_CONTENT_LENGTH": 64 * 1024 * 1024,
    "MAX_FORM_MEMORY_SIZE": 4 * 1024 * 1024,  # a pasted list of some 200,000 student numbers
    "MAX_FORM_PARTS": 20_000,  # a page of ticked rows
    "PERMANENT_SESSION_LIFETIME": timedelta(hours=8),  # since the last request
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_NAME": "xueji",
    "SESSION_COOKIE_SAMESITE": "Lax",
    "REMEMBER_COOKIE_HTTPONLY": True,
    "REMEMBER_COOKIE_SAMESITE": "Lax",
    "WTF_CSRF_TIME_LIMIT": None,  # as long as the session: a form may stay open over lunch
}


def psycopg_url(url: str) -> str:
    """A database address as operators write it, with the driver that SQLAlchemy is to use."""
    return (
        make_url(url.replace("postgres://", "postgresql://", 1))
        .set(drivername="postgresql+psycopg")
        .render_as_string(hide_password=False)
    )


def refuse_unsafe(settings: Mapping[str, object], login: LoginFacts | None = None) -> None:
    """Raise UnsafeSettings if rows or accounts would lie open. Only tests may do as they like.

    `login` is looked up in the database of the settings where it is not given.
    """
    if settings["XUEJI_MODE"] == "test":
        return
    reasons = []
    login = login or login_facts(str(settings["SQLALCHEMY_DATABASE_URI"]))
    if login.superuser or login.bypasses or login.owns:
        reasons.append(
            f"The database login {login.name} is a superuser, bypasses row security or owns tables; "
            f"let XUEJI_WEB_DATABASE_URL name {WEB}. "
            f"数据库登录角色 {login.name} 可绕过行级安全，请在 XUEJI_WEB_DATABASE_URL 中使用 {WEB}。"
        )
    if settings["XUEJI_MODE"] == "production":
        secret = str(settings["SECRET_KEY"])
        if secret == DEMO_SECRET or len(secret) < SHORTEST_SECRET:
            reasons.append(
                f"Set XUEJI_SECRET_KEY to a random text of {SHORTEST_SECRET} characters or more, and keep it secret. "
                f"请将 XUEJI_SECRET_KEY 设为不少于 {SHORTEST_SECRET} 个字符的随机字符串并妥善保管。"
            )
        if not ADDRESS.fullmatch(str(settings["XUEJI_ADDRESS"])):
            reasons.append(
                "Set XUEJI_ADDRESS to the address of the pages, such as https://xueji.example.edu.cn: links in letters and "
                "calendars are made from it, never from what a request says of itself. "
                "请将 XUEJI_ADDRESS 设为系统网址，如 https://xueji.example.edu.cn，邮件和日历中的链接以它为准。"
            )
        if settings["XUEJI_DEMO_PASSWORD"]:
            reasons.append("Remove XUEJI_DEMO_PASSWORD: it is for demos. 请删除 XUEJI_DEMO_PASSWORD，它只用于演示。")
        if settings.get("DEBUG"):
            reasons.append("Switch debug off: it shows code and data to anyone. 请关闭调试模式，它会泄露代码和数据。")
    if reasons:
        raise UnsafeSettings("\n".join(reasons))
