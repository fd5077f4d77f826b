"""Commands of the records office's machine: `flask xueji …`."""

from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import AppGroup
from sqlalchemy import Engine, create_engine, insert, select, text
from werkzeug.security import generate_password_hash

from app.access.roles import Role
from app.kit import clock
from app.kit.flow.publishing import publish
from app.models.accounts.account import AccountRole
from app.operations.roster.spelling import spell_anew
from app.papers import load_templates
from app.reference import load_reference

group = AppGroup("xueji", help="Commands of the roster system.")


def owner() -> Engine:
    """An engine of the database's owner, for what no web request may do."""
    url = current_app.config["XUEJI_OWNER_URL"]
    if not url:
        raise click.ClickException("Set DATABASE_URL to the owner's address of the database.")
    return create_engine(url)


@group.command()
def sync() -> None:
    """After each deploy: reference data, default wordings, roles, and the permission names of all screens."""
    appbuilder = current_app.extensions["appbuilder"]
    manager = appbuilder.sm
    pairs = {(p, view.class_permission_name) for view in appbuilder.baseviews for p in view.base_permissions}
    pairs |= {("menu_access", item) for item in manager.menu_names()}
    engine = owner()
    with engine.begin() as connection:
        load_reference(connection)
        load_templates(connection)
        published = publish(connection)
        known = set(connection.scalars(select(AccountRole.name)))
        for name in [*(role.value for role in Role), manager.auth_role_public, manager.auth_role_admin]:
            if name not in known:
                connection.execute(insert(AccountRole).values(name=name))
        write_permissions(connection, pairs)
        spelled = spell_anew(connection)
    engine.dispose()
    click.echo("Reference data, roles and permissions are up to date.")
    if published:
        click.echo(f"Published: {', '.join(published)}.")
    if spelled:
        click.echo(f"{spelled} names are spelled anew for the search.")


def write_permissions(connection, pairs: set[tuple[str, str]]) -> None:
    """Make the (permission, view) pairs of the screens known to the role screen, in three statements."""
    permissions, views = sorted({p for p, _view in pairs}), sorted({view for _p, view in pairs})
    values = {"p": permissions, "v": views, "pp": [p for p, _ in sorted(pairs)], "vv": [v for _, v in sorted(pairs)]}
    for statement in (
        "insert into ab_permission (name) select unnest(cast(:p as text[])) on conflict do nothing",
        "insert into ab_view_menu (name) select unnest(cast(:v as text[])) on conflict do nothing",
        "insert into ab_permission_view (permission_id, view_menu_id) select p.id, v.id"
        " from unnest(cast(:pp as text[]), cast(:vv as text[])) pair(permission, view)"
        " join ab_permission p on p.name = pair.permission join ab_view_menu v on v.name = pair.view"
        " on conflict do nothing",
    ):
        connection.execute(text(statement), values)


@group.command()
@click.option("--students", default=24000, show_default=True, help="How many students the university has.")
def demo(students: int) -> None:
    """A plausible university with staff, students and open windows; does nothing where it is already."""
    from app.demo import make_demo

    password = current_app.config["XUEJI_DEMO_PASSWORD"]
    if current_app.config["XUEJI_MODE"] == "production" or not password:
        raise click.ClickException("Demo accounts have a known password, so there are none in production.")
    hashed = generate_password_hash(password)
    engine = owner()
    with engine.begin() as connection:
        made = make_demo(
            connection, students, clock.today(), lambda _username: hashed, Path(current_app.config["XUEJI_FILES"])
        )
    engine.dispose()
    click.echo(f"{made.students} students and {made.accounts} accounts made; {made.total} students in all."
               if made.changed else "The demo is there already; nothing changed.")  # fmt: skip


@group.command("admissions-file")
@click.option("--students", default=6000, show_default=True)
@click.option("--bad", default="1%", show_default=True, help="The share of rows with a fault, e.g. 1%.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("admissions.xlsx"), show_default=True)
def admissions_file(students: int, bad: str, out: Path) -> None:
    """The workbook that the admissions office delivers, with realistic faults."""
    from app.demo import write_admissions_file

    faults = write_admissions_file(out, students, float(bad.rstrip("%")) / 100, clock.today())
    click.echo(f"{out}: {students} rows, {len({f.row for f in faults if not f.harmless})} of them with a fault.")


def install(app: Flask) -> None:
    app.cli.add_command(group)
