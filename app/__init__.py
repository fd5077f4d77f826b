"""学籍通 Xueji: the application factory, the only place where the parts are wired together."""

from collections.abc import Mapping
from typing import Any

from flask import Flask, session
from flask_appbuilder import AppBuilder
from flask_wtf.csrf import CSRFProtect
from jinja2 import ChoiceLoader, PackageLoader, PrefixLoader
from werkzeug.middleware.proxy_fix import ProxyFix

from app.access import scope
from app.access.security import (
    enter_request,
    renew_sessions,
    require_own_password,
)
from app.access.startup import refuse_unsafe_database
from app.kit.flow.publishing import refuse_changed
from app.kit.flow.registry import check_words
from app.models import Model, db


def keep_session() -> None:
    """Before each request: a session ends some hours after its last request, not with the browser."""
    session.permanent = True


def create_app(settings: Mapping[str, Any] | None = None) -> Flask:
    """The web application (and the worker's context). `settings` as `config.load` gives them."""
    from app import cli, errors, flows, headers, jobs, logs, statics, texts, typed, views  # noqa: F401  (importing flows and jobs registers them)
    from config import load, refuse_unsafe

    app = Flask(__name__)
    app.request_class = typed.CleanRequest
    app.config.update(load() if settings is None else settings)
    refuse_unsafe(app.config)
    if proxies := app.config["XUEJI_PROXIES"]:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)  # type: ignore[method-assign]
    logs.install(app)
    assert app.jinja_loader is not None  # Flask always has one for a package with a templates folder
    originals = PrefixLoader({"fab": PackageLoader("flask_appbuilder", "templates")})
    app.jinja_loader = ChoiceLoader([app.jinja_loader, originals])
    db.init_app(app)
    with app.app_context():
        with db.engine.connect() as connection:
            refuse_unsafe_database(connection, Model.metadata)
            refuse_changed(connection)
        db.engine.dispose()  # processes that are forked from here open connections of their own
    scope.install()
    csrf = CSRFProtect(app)
    headers.install(app)
    with app.app_context():
        appbuilder = AppBuilder(security_manager_class=views.AccountManager, indexview=views.HomeView)
        appbuilder.init_app(app, db.session)
        texts.install(app)
        check_words()
        views.register(appbuilder)
        csrf.exempt(app.blueprints["SecurityApi"])  # JSON with a password or token; no cookie speaks for anybody
    renew_sessions(app)
    app.before_request(keep_session)
    app.before_request(enter_request)
    app.before_request(require_own_password)
    views.install(app)
    errors.install(app)
    statics.install(app)
    cli.install(app)
    app.wsgi_app = jobs.daily.BeforeReaders(app)  # type: ignore[method-assign]
    return app
