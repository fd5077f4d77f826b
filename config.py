"""Settings from the environment."""

from collections.abc import Mapping


def load(env: Mapping[str, str] | None = None) -> dict[str, object]:
    import os

    env = os.environ if env is None else env
    web = env.get("XUEJI_WEB_DATABASE_URL", "")
    return dict(
        SQLALCHEMY_DATABASE_URI=web, XUEJI_OWNER_URL=env.get("DATABASE_URL", ""), SECRET_KEY="x" * 40,
        XUEJI_FILES=env.get("XUEJI_FILES", "var/files"),
        FAB_CREATE_DB=False, FAB_UPDATE_PERMS=False, BABEL_DEFAULT_LOCALE="zh",
        LANGUAGES={"zh": {"flag": "cn", "name": "中文"}, "en": {"flag": "gb", "name": "English"}},
        FAB_ADD_SECURITY_PERMISSION_VIEW=False, FAB_ADD_SECURITY_VIEW_MENU_VIEW=False,
        FAB_ADD_SECURITY_PERMISSION_VIEWS_VIEW=False,
    )
