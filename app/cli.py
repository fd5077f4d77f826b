"""Commands of the records office's machine: `flask xueji …`."""

import click
from flask import Flask, current_app
from flask.cli import AppGroup
from sqlalchemy import create_engine, select

from app.access.roles import Role
from app.models import db
from app.models.accounts import AccountRole

group = AppGroup("xueji", help="Commands of the roster system.")


def owner_engine():
    """An engine of the database's owner, for what no web request may do."""
    return create_engine(current_app.config["XUEJI_OWNER_URL"])


@group.command()
def sync() -> None:
    """Write roles and the permission names of all screens (after each deploy)."""
    manager = current_app.appbuilder.sm
    known = set(db.session.scalars(select(AccountRole.name)))
    for name in [*(role.value for role in Role), manager.auth_role_public]:
        if name not in known:
            manager.add_role(name)
    for view in current_app.appbuilder.baseviews:
        for permission in view.base_permissions:
            manager.add_permission_view_menu(permission, view.class_permission_name)
    for item in sorted(manager.menu_names()):
        manager.add_permission_view_menu("menu_access", item)
    db.session.commit()
    click.echo("Roles and permissions are up to date.")


def install(app: Flask) -> None:
    app.cli.add_command(group)
