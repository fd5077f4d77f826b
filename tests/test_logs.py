"""What the logs say, and above all what they do not."""

import json
import logging
import sys

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import IntegrityError

from app import logs
from app.logs import JsonFormatter

NAME, NUMBER = "张小明", "110101200001011237"


class Violation(Exception):
    sqlstate = "23505"


def line(name: str, message: str, *args: object, error: BaseException | None = None) -> dict:
    info = (type(error), error, error.__traceback__) if error else None
    text = JsonFormatter().format(logging.LogRecord(name, logging.INFO, "f.py", 1, message, args, info))
    assert "\n" not in text
    return json.loads(text)


def test_a_line_cannot_be_forged() -> None:
    assert line("app", 'a\n{"level": "x"}')["message"] == 'a\n{"level": "x"}'


def test_the_framework_names_no_user() -> None:
    said = line("flask_appbuilder.security.manager", "Login Failed for user: %s", "20240001")
    assert said["message"] == "Login Failed for user: %s"


def test_a_database_error_in_a_message_loses_its_values() -> None:
    text = f"Add record error: (psycopg.errors.UniqueViolation) duplicate key\nDETAIL: Key (name)=({NAME})"
    assert line("flask_appbuilder.models", text)["message"] == "Add record error: (UniqueViolation)"


def test_a_database_error_loses_its_values() -> None:
    cause = Violation(f"DETAIL: Key (id_number)=({NUMBER})")
    try:
        raise IntegrityError("insert into student …", {"name": NAME}, cause) from cause
    except IntegrityError as error:
        said = line("app.errors", "not saved", error=error)
    assert said["error"]["sqlstate"] == said["error"]["cause"]["sqlstate"] == "23505"
    assert NAME not in str(said) and NUMBER not in str(said)


def test_another_error_keeps_its_text_and_place() -> None:
    try:
        raise KeyError("college")
    except KeyError as error:
        said = line("app", "failed", error=error)["error"]
    assert (said["type"], said["message"]) == ("KeyError", "'college'")
    assert said["at"][-1].endswith("test_another_error_keeps_its_text_and_place")


def test_an_access_line_has_no_query_no_address_no_name() -> None:
    atoms = {"m": "GET", "U": "/students/list/", "q": f"q={NAME}", "r": f"GET /students/list/?q={NAME}", "s": "200",
             "B": 512, "M": 12, "h": "10.1.2.3", "u": "20240001", "f": f"/list?q={NAME}", "a": "Firefox",
             "{x-request-id}o": "abcdef123456"}  # fmt: skip
    record = logging.LogRecord("gunicorn.access", logging.INFO, "f", 1, "%(h)s %(r)s", (atoms,), None)
    said = json.loads(JsonFormatter().format(record))
    del said["time"]
    assert said == {"level": "info", "logger": "gunicorn.access", "request": "abcdef123456", "method": "GET",
                    "path": "/students/list/", "status": 200, "bytes": 512, "milliseconds": 12}  # fmt: skip


def test_the_secret_of_a_calendar_stays_out_of_the_log() -> None:
    path, masked = "/calendar-feed/12/0123456789abcdef.ics", "/calendar-feed/12/…"
    atoms = {"m": "GET", "U": path, "s": "200", "B": 1, "M": 1}
    record = logging.LogRecord("gunicorn.access", logging.INFO, "f", 1, "%(h)s", (atoms,), None)
    assert json.loads(JsonFormatter().format(record))["path"] == masked
    assert masked in json.dumps(line("app", f"refused: {path} is gone"), ensure_ascii=False)


@pytest.fixture
def client(caplog: pytest.LogCaptureFixture) -> FlaskClient:
    app = Flask("plain")
    app.add_url_rule("/", view_func=lambda: logging.getLogger("app.plain").warning("here") or "fine")
    logs.install(app)
    caplog.handler.setFormatter(JsonFormatter())
    return app.test_client()


@pytest.mark.parametrize("given", ["", "short", "x" * 65, "with space 1", "tab\tinside", "<script>alert</script>"])
def test_a_strange_request_id_is_replaced(client: FlaskClient, given: str) -> None:
    own = client.get("/", headers={"X-Request-ID": given}).headers["X-Request-ID"]
    assert own != given and logs.SANE.fullmatch(own)


def test_a_proxys_request_id_is_kept_in_answer_and_log(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    assert client.get("/", headers={"X-Request-ID": "proxy-0001"}).headers["X-Request-ID"] == "proxy-0001"
    assert json.loads(caplog.text.splitlines()[0])["request"] == "proxy-0001"
    assert "request" not in line("app", "afterwards")


def test_a_jobs_lines_carry_its_id() -> None:
    with logs.about("job-7"):
        assert line("app.jobs", "half done")["request"] == "job-7"
    assert "request" not in line("app.jobs", "done")


def test_gunicorn_takes_the_configuration() -> None:
    from gunicorn.config import Config
    from gunicorn.glogging import Logger

    config = Config()
    config.set("logconfig_dict", logs.LOGGING)
    before = logging.root.handlers[:], logging.root.level
    try:
        logger = Logger(config)
        assert [type(h.formatter) for h in logger.access_log.handlers + logger.error_log.handlers] == [
            JsonFormatter
        ] * 2
        assert logger.access_log.handlers[0].stream is sys.stderr
    finally:
        logging.root.handlers[:], logging.root.level = before
