"""A Chromium, and the real application behind a real server, for tests that click."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from sqlalchemy import create_engine, text
from werkzeug.serving import make_server

from app import cluster, create_app
from app.models import db
from app.reference import load_reference
from tests.cast import PASSWORD
from tests.conftest import Bed, settings_for
from tests.flows.many import make_leaves

QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
LEAVES = 60


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.skip("no Chromium here: `make test` brings one, or set CHROMIUM to its path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*QUIET])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site(bed: Bed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server on a database of its own: the cast, the code sets, and leaves that wait for the clerk."""
    database = bed.copy()
    with create_engine(bed.cluster.url(cluster.OWNER, database)).begin() as connection:
        load_reference(connection)
        make_leaves(connection, LEAVES)
        connection.execute(text("update case_step set due_on = date '2026-09-03' where state = 'open'"))
    settings = settings_for(bed, database, tmp_path_factory.mktemp("site")) | {"WTF_CSRF_ENABLED": True}
    app = create_app(settings)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    with app.app_context():
        db.engine.dispose()


class Visitor:
    """A person at a browser: `visitor.page`, and what the browser complained about."""

    def __init__(self, context: BrowserContext, site: str) -> None:
        self.context = context
        self.site = site
        self.complaints: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)

    def open(self, path: str) -> Page:
        self.page.goto(self.site + path)
        return self.page

    def log_in(self, username: str) -> None:
        self.open("/login/")
        self.page.fill("#username", username)
        self.page.fill("#password", PASSWORD)
        self.page.click("button.btn-block")
        self.page.wait_for_url(lambda url: "/login" not in url)


@pytest.fixture
def visit(chromium: Browser, site: str) -> Iterator[Callable[..., Visitor]]:
    """`visit("clerk", width=390, dark=True, english=True)` is that person at such a screen."""
    contexts = []

    def visit(username: str | None = None, *, width: int = 1440, dark: bool = False, english: bool = False) -> Visitor:
        context = chromium.new_context(
            viewport={"width": width, "height": 844 if width < 500 else 900},
            color_scheme="dark" if dark else "light", locale="en" if english else "zh-CN",
        )  # fmt: skip
        context.set_default_timeout(10_000)
        contexts.append(context)
        visitor = Visitor(context, site)
        if english:
            visitor.open("/lang/en")
        if username:
            visitor.log_in(username)
        return visitor

    yield visit
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def axe() -> str:
    path = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
    if not path.exists():
        pytest.skip("axe-core is not installed: `make test` installs it")
    return path.read_text()
