"""The embedded PostgreSQL: who may enter, what survives, and the roles a DBA makes elsewhere."""

import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest
from sqlalchemy import create_engine, text

from app import cluster
from app.cluster import Cluster, ClusterError, connect, create_database, drop_database

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    server = Cluster(tmp_path_factory.mktemp("cluster") / "pg")
    server.start(cluster.VOLATILE)
    server.ensure_roles()
    yield server
    server.stop()


def psql(server: Cluster, script: str) -> None:
    """Run a script as a DBA would, stopping at the first error."""
    program = Path(cluster.EMBEDDED.origin).parent / "pginstall18/bin/psql"
    host = str(server.socket_folder())
    command = [program, "-X", "-v", "ON_ERROR_STOP=1", "-h", host, "-U", cluster.SUPERUSER, "postgres"]
    subprocess.run(command, input=script, text=True, check=True, capture_output=True)


@contextmanager
def as_stranger() -> Iterator[None]:
    """Be another user of the machine."""
    nobody, groups, group = pwd.getpwnam("nobody"), os.getgroups(), os.getegid()
    os.setgroups([])
    os.setegid(nobody.pw_gid)
    os.seteuid(nobody.pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)


@as_root
def test_another_user_of_the_machine_is_kept_out(server: Cluster) -> None:
    address = server.url(cluster.SUPERUSER, "postgres")
    with as_stranger(), pytest.raises(psycopg.OperationalError, match="Permission denied"):
        connect(address)


@as_root
def test_another_user_who_reaches_the_socket_is_no_role(server: Cluster) -> None:
    """Behind the folder's mode stands the server's own check of who asks."""
    socket = server.folder / ".s.PGSQL.5432"
    try:
        server.folder.chmod(0o711)
        socket.chmod(0o777)
        address = server.url(cluster.SUPERUSER, "postgres")
        with as_stranger(), pytest.raises(psycopg.OperationalError, match="Peer authentication failed"):
            connect(address)
    finally:
        socket.chmod(0o700)
        server.folder.chmod(0o700)


@as_root
def test_another_user_may_not_start_it(server: Cluster) -> None:
    with as_stranger(), pytest.raises(ClusterError, match="another user's: start as that user or as root"):
        server.start()


def test_no_tcp_and_a_private_folder(server: Cluster) -> None:
    assert server.folder.stat().st_mode & 0o777 == 0o700
    with connect(server.url(cluster.WEB)) as connection:
        assert connection.execute("show listen_addresses").fetchone() == ("",)


def test_web_role_owns_nothing_and_sees_only_through_a_scope_role(server: Cluster) -> None:
    with connect(server.url(cluster.OWNER)) as owner:
        owner.execute("create table probe as select 1 as id; grant select on probe to xueji_college")
    with connect(server.url(cluster.WEB)) as web:
        forbidden = (
            "create table mine (id int)",
            "create database mine",
            "select * from probe",
            "set role xueji_owner",
        )
        for statement in forbidden:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                web.execute(statement)
        web.execute("set role xueji_college")
        assert web.execute("select id from probe").fetchall() == [(1,)]
        flags = web.execute("select rolsuper, rolbypassrls from pg_roles where rolname = 'xueji_web'").fetchone()
        assert flags == (False, False)
    with connect(server.url(cluster.OWNER)) as owner:
        owner.execute("drop table probe")


def test_owner_bypasses_row_security_without_being_superuser(server: Cluster) -> None:
    with connect(server.url(cluster.OWNER)) as owner:
        row = owner.execute("select rolsuper, rolbypassrls, rolcreatedb from pg_roles where rolname = current_user")
        assert row.fetchone() == (False, True, True)


def test_roles_are_made_once(server: Cluster) -> None:
    server.ensure_roles()
    cluster.check_roles(server.url(cluster.OWNER))


def test_database_from_a_template(server: Cluster) -> None:
    admin = server.url(cluster.SUPERUSER, "postgres")
    create_database(admin, "pattern")
    with connect(server.url(cluster.OWNER, "pattern")) as owner:
        owner.execute("create table kept as select 7 as id")
    create_database(server.url(cluster.OWNER, "postgres"), "copy", "pattern")
    engine = create_engine(server.url(cluster.OWNER, "copy"))
    with engine.connect() as session:
        assert session.scalar(text("select id from kept")) == 7
        session.rollback()
        drop_database(admin, "copy")  # though a session is open
    drop_database(admin, "copy")
    drop_database(admin, "pattern")
    engine.dispose()
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        connect(server.url(cluster.OWNER, "copy"))


def test_chinese_is_stored_and_time_is_local(server: Cluster) -> None:
    with connect(server.url(cluster.WEB)) as web:
        found = web.execute("select length('学籍通'), upper('é'), current_setting('timezone')").fetchone()
    assert found == (3, "É", "Asia/Shanghai")


def test_killed_server_starts_again_with_its_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPORT", "1")  # settings of another PostgreSQL on this machine change nothing
    monkeypatch.setenv("PGDATA", "/nowhere")
    server = Cluster(tmp_path / "pg")
    assert server.start()
    assert not server.start()
    server.ensure_roles()
    with connect(server.url(cluster.OWNER)) as owner:
        owner.execute("create table kept as select 7 as id")
    pid = int((server.folder / "postmaster.pid").read_text().split("\n")[0])
    everyone = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    for process in everyone:
        process.send_signal(signal.SIGKILL)
    psutil.wait_procs(everyone, timeout=10)
    assert not server.running()
    assert server.start()
    with connect(server.url(cluster.OWNER)) as owner:
        assert owner.execute("select id from kept").fetchall() == [(7,)]
    server.stop()
    server.stop()


def test_pid_of_another_program_is_not_taken_for_the_server(tmp_path: Path) -> None:
    server = Cluster(tmp_path / "pg")
    server.start(cluster.VOLATILE)
    server.stop()
    (server.folder / "postmaster.pid").write_text(f"{os.getpid()}\n")
    assert not server.running()
    assert server.start(cluster.VOLATILE)
    server.stop()


def test_creation_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(folder: Path, *arguments: str) -> None:
        (folder / "PG_VERSION").write_text("18\n")
        raise ClusterError("no space left")

    with monkeypatch.context() as patched, pytest.raises(ClusterError, match="no space left"):
        patched.setattr(cluster, "_run", fail)
        Cluster(tmp_path / "pg").start()
    assert [path.name for path in tmp_path.iterdir()] == ["pg.lock"]


def test_path_too_long_for_a_socket(tmp_path: Path) -> None:
    server = Cluster(tmp_path / ("long" * 30) / "pg")
    server.start(cluster.VOLATILE)
    socket = server.socket_folder()
    server.ensure_roles()
    assert socket.stat().st_mode & 0o777 == 0o700
    server.stop()
    assert not socket.exists()


def test_stopping_removes_nobody_elses_files(tmp_path: Path) -> None:
    """Neither a folder that was given for the socket, nor one of its own that somebody wrote into."""
    for name in ("given", f"{cluster.SOCKET_PREFIX}x"):
        socket = tmp_path / name
        socket.mkdir()
        (socket / "thesis.txt").write_text("three years")
        server = Cluster(tmp_path / f"pg-{name}")
        socket.chmod(0o777)
        server.start(cluster.VOLATILE | {"unix_socket_directories": str(socket)})
        server.stop()
        assert (socket / "thesis.txt").read_text() == "three years"


def test_failure_to_start_says_why(tmp_path: Path) -> None:
    server = Cluster(tmp_path / "pg")
    with pytest.raises(ClusterError, match="shared_buffers"):
        server.start({"shared_buffers": "lots"})


def test_dba_script_makes_what_check_roles_misses(tmp_path: Path) -> None:
    server = Cluster(tmp_path / "pg")
    server.start(cluster.VOLATILE)
    with pytest.raises(ClusterError, match=r"no role xueji_owner, xueji_web, .*app\.cluster sql"):
        cluster.check_roles(server.url(cluster.SUPERUSER, "postgres"))
    printed = subprocess.run([sys.executable, "-m", "app.cluster", "sql"], check=True, capture_output=True, text=True)
    psql(server, printed.stdout)
    psql(server, printed.stdout)
    cluster.check_roles(server.url(cluster.OWNER))
    with connect(server.url(cluster.WEB)) as web:
        locale = web.execute("select datlocprovider, datlocale from pg_database where datname = current_database()")
        assert locale.fetchone() == ("b", "C.UTF-8")
    server.stop()
