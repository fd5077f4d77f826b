"""Start everything on this machine (`make run`), or one part of it: `python run.py deploy`, `web` or `worker`."""

import contextlib
import ctypes
import fcntl
import http.client
import os
import secrets
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from alembic import command
from alembic.config import Config
from flask import Flask
from flask.cli import ScriptInfo
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from app import create_app
from app.access.startup import UnsafeDatabase
from app.cluster import OWNER, WEB, Cluster, ClusterError, check_roles
from app.demo import sample_accounts
from config import UnsafeSettings, data_folder, load

ROOT = Path(__file__).parent
VAR = data_folder()
COMMANDS = {
    "web": [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"],
    "worker": [sys.executable, "-m", "app.jobs"],
}
SLOWEST_START = 90.0  # seconds
SLOWEST_STOP = 15.0
SHORTEST_LIFE = 2.0  # a process that cannot live is not started again faster than this
LONGEST_LOG = 20_000_000  # bytes; beyond it the next start begins a new file
PR_SET_PDEATHSIG = 1  # Linux: a signal for the children of a process that is killed


class StartError(Exception):
    """Something keeps the application from running; the text says what, where and what to do."""


class Signals:
    """Waiting that signals end: each writes its number into a pipe, so none is lost and none interrupts anything."""

    def __init__(self) -> None:
        self.reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)

    def stop_within(self, seconds: float) -> bool:
        """Wait a while or until something happens; True if it is a request to stop."""
        ready, _, _ = select.select([self.reader], [], [], seconds)
        return bool(ready) and any(number != signal.SIGCHLD for number in os.read(self.reader, 64))


class Child:
    """A process that is started again when it ends, with a log of its own."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.log = VAR / "log" / f"{name}.log"
        self.log.parent.mkdir(exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LONGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))
        self.start()

    def start(self) -> None:
        self.started = time.monotonic()
        # Pages and jobs log in as xueji_web; they never learn the owner's address.
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own commands, no shell
                COMMANDS[self.name],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches the parent alone, which ends the others in order
                preexec_fn=end_with_parent,
            )

    def died(self) -> bool:
        return self.process.poll() is not None

    def last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])


def end_with_parent() -> None:
    """In a child: be asked to stop when the parent is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def door() -> tuple[str, int]:
    """The host and the port to listen on, from BIND or PORT."""
    host, _, port = (os.environ.get("BIND") or f"127.0.0.1:{os.environ.get('PORT') or 8000}").rpartition(":")
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise StartError(f"PORT is {port!r}; give a number up to 65535.")
    return host, int(port)


def run() -> None:
    """Everything, until Ctrl-C."""
    began = time.monotonic()
    host, port = door()
    address = f"http://{'127.0.0.1' if host in ('', '0.0.0.0', '[::]') else host}:{port}"  # noqa: S104 - only compared
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    with alone(address):
        require_free(host, port)
        with database():
            accounts = demo(deploy())
            signals = Signals()
            children = [Child(name) for name in COMMANDS]
            try:
                if wait_for_answer(port, children, signals):
                    announce(address, accounts, time.monotonic() - began)
                    keep_alive(children, signals)
            finally:
                print("Stopping …", flush=True)
                stop(children)


def deploy() -> Flask:
    """Migrate the database and bring its permissions up to date."""
    settings = load()
    if not (settings["XUEJI_OWNER_URL"] and settings["SQLALCHEMY_DATABASE_URI"]):
        raise StartError(
            "Set DATABASE_URL (the owner's, to migrate) and XUEJI_WEB_DATABASE_URL (xueji_web's, to check)."
        )
    check_roles(str(settings["XUEJI_OWNER_URL"]))
    command.upgrade(Config(ROOT / "alembic.ini"), "head")
    app = create_app(settings)
    flask(app, "xueji", "sync")
    return app


def demo(app: Flask) -> list[tuple[str, str]]:
    """In demo mode: data where there is none, windows that are open today, and the accounts to try."""
    if app.config["XUEJI_MODE"] != "demo":
        return []
    students = os.environ.get("XUEJI_DEMO_STUDENTS")
    flask(app, "xueji", "demo", *(["--students", students] if students else []))
    engine = create_engine(app.config["XUEJI_OWNER_URL"])
    with engine.connect() as connection:
        return sample_accounts(connection)


def flask(app: Flask, *arguments: str) -> None:
    app.cli.main(args=list(arguments), obj=ScriptInfo(create_app=lambda: app), standalone_mode=False)


def serve(name: str) -> None:
    """Become one of the processes, with its log on the terminal, for a supervisor of the machine's own."""
    if not os.environ.get("XUEJI_WEB_DATABASE_URL"):
        embedded = Cluster(VAR / "pg")
        if os.environ.get("DATABASE_URL") or not embedded.running():
            raise StartError("Set XUEJI_WEB_DATABASE_URL to xueji_web's address; or let `make run` start everything.")
        use(embedded)
    os.environ.pop("DATABASE_URL", None)
    os.chdir(ROOT)
    os.execv(sys.executable, COMMANDS[name])  # noqa: S606 - our own commands, no shell


@contextlib.contextmanager
def alone(address: str) -> Iterator[None]:
    """Refuse a second start in the same folder."""
    VAR.mkdir(parents=True, exist_ok=True)
    with (VAR / "run.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise StartError(f"Xueji runs from this folder already: {lock.read()}") from None
        lock.truncate(0)
        lock.write(address)
        lock.flush()
        yield


def require_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise StartError(f"{host}:{port}: {error.strerror}. Choose another: PORT={port + 1} make run") from None


@contextlib.contextmanager
def database() -> Iterator[None]:
    """The database that the environment names, or else the embedded one, stopped again by whoever started it."""
    if os.environ.get("DATABASE_URL") or os.environ.get("XUEJI_WEB_DATABASE_URL"):
        yield
        return
    embedded = Cluster(VAR / "pg")
    started = embedded.start()
    try:
        embedded.ensure_roles()
        use(embedded)
        yield
    finally:
        if started:
            embedded.stop()


def use(embedded: Cluster) -> None:
    """Point this process and its children to the embedded database, as a demo unless the mode is set."""
    os.environ.setdefault("XUEJI_MODE", "demo")
    if os.environ["XUEJI_MODE"] == "demo":
        os.environ.setdefault("XUEJI_SECRET_KEY", own_secret())
    os.environ["DATABASE_URL"] = embedded.url(OWNER)
    os.environ["XUEJI_WEB_DATABASE_URL"] = embedded.url(WEB)


def own_secret() -> str:
    """A secret of this folder: sessions outlive a restart, and nobody can make one up."""
    path = VAR / "secret"
    if not path.exists():
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
    return path.read_text()


def wait_for_answer(port: int, children: list[Child], signals: Signals) -> bool:
    """Wait until a page is served; False if asked to stop before. Raises StartError if a process cannot start."""
    deadline = time.monotonic() + SLOWEST_START
    while not answers(port):
        for child in children:
            if child.died():
                raise StartError(f"The {child.name} process cannot start. {child.log} ends:\n{child.last_words()}")
        if time.monotonic() > deadline:
            raise StartError(f"No page was served within {SLOWEST_START:.0f} s; see {VAR / 'log'}.")
        if signals.stop_within(0.1):
            return False
    return True


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def announce(address: str, accounts: list[tuple[str, str]], seconds: float) -> None:
    print(f"\n学籍通 Xueji  {address}  ({seconds:.1f} s)\n")
    if accounts:
        print(f"Accounts of the demo, all with the password {load()['XUEJI_DEMO_PASSWORD']}")
        for username, title in accounts:
            print(f"  {username:<14} {title}")
    print(f"\nLogs: {VAR / 'log'}   Stop: Ctrl-C", flush=True)


def keep_alive(children: list[Child], signals: Signals) -> None:
    """Start again what ends, until asked to stop."""
    while not signals.stop_within(1.0):
        for child in children:
            if child.died() and time.monotonic() - child.started > SHORTEST_LIFE:
                print(f"The {child.name} process ended ({child.process.returncode}) and starts again.", flush=True)
                child.start()


def stop(children: list[Child]) -> None:
    """Ask all to stop, and end those that do not: their jobs go back to the queue."""
    for child in children:
        child.process.terminate()
    deadline = time.monotonic() + SLOWEST_STOP
    for child in children:
        try:
            child.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(child.process.pid, signal.SIGKILL)


def main(part: str = "") -> None:
    try:
        if part in COMMANDS:
            serve(part)
        elif part == "deploy":
            with database():
                deploy()
        elif part:
            raise StartError("usage: python run.py [deploy | web | worker]")
        else:
            run()
    except OperationalError as error:
        sys.exit(f"The database does not answer, or a lock is held for long: {error.orig}")
    except (StartError, ClusterError, UnsafeSettings, UnsafeDatabase) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main(*sys.argv[1:2])
