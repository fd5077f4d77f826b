"""Databases to be killed on: made once, copied for each kill."""

import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from werkzeug.security import generate_password_hash

from app import cluster
from app.demo import make_demo, write_admissions_file
from tests.cast import PASSWORD
from tests.conftest import TODAY, Bed
from tests.flows.many import make_leaves
from tests.kills.house import House
from tests.kills.scenes import fill_cases

MORE_STUDENTS = """
insert into student (name, sex, birth_date, id_number, entry_year, student_no, college_id, major_id, class_group_id,
    grade, status, registered)
select '名册' || n, '1', '2006-01-01', lpad(n::text, 18, '6'), 2024, 'N' || n, 2, 3, 3, 2024, 'enrolled', true
from generate_series(1, :many) n
"""
Open = Callable[..., House]


@pytest.fixture(scope="session")
def moulds(bed: Bed, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """`moulds("cases", cases=600, students=40000)` is the name of a database to copy, made at the first call."""
    made: dict[tuple, str] = {}

    def mould(template: str, **size: int) -> str:
        key = (template, *sorted(size.items()))
        if key not in made:
            made[key] = bed.copy()
            {"cases": cases, "university": university}[template](
                bed, made[key], tmp_path_factory.mktemp("mould"), **size
            )
        return made[key]

    return mould


def cases(bed: Bed, database: str, folder: Path, *, cases: int = 600, students: int = 1000) -> None:
    owner = create_engine(bed.cluster.url(cluster.OWNER, database))
    with owner.begin() as connection:
        make_leaves(connection, cases)
        connection.execute(text(MORE_STUDENTS), {"many": students})
    owner.dispose()
    house = House(bed, database, folder)
    fill_cases(house, cases=cases)
    house.close()


def university(bed: Bed, database: str, folder: Path) -> None:
    hashed = generate_password_hash(PASSWORD, method="pbkdf2:sha256:1")
    owner = create_engine(bed.cluster.url(cluster.OWNER, database))
    with owner.begin() as connection:
        connection.execute(text("truncate college, ab_user, term cascade"))  # the cast leaves
        make_demo(connection, 1500, TODAY, lambda _username: hashed)
    owner.dispose()


@pytest.fixture(scope="session")
def admissions_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    made: dict[int, Path] = {}

    def write(students: int) -> Path:
        if students not in made:
            made[students] = tmp_path_factory.mktemp("admissions") / "admissions.xlsx"
            write_admissions_file(made[students], students, 0.0, TODAY)
        return made[students]

    return write


@pytest.fixture
def open_house(bed: Bed, moulds, admissions_file, tmp_path: Path) -> Iterator[Open]:
    """`open_house("cases", cases=600)` is a house on a copy of that mould; all are closed when the test ends."""
    numbers, opened = count(1), []

    def make(template: str, *, freshmen: int = 6000, **size: int) -> House:
        folder = tmp_path / str(next(numbers))
        database = bed.copy(moulds(template, **size))
        folder.mkdir()
        if template == "university":
            shutil.copy(admissions_file(freshmen), folder / "admissions.xlsx")
        house = House(bed, database, folder)
        opened.append(house)
        return house

    yield make
    for house in opened:
        house.close()  # once more does nothing
        cluster.drop_database(bed.admin, house.database)


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[..., None]:
    """Say in one line when a kill struck and what was there afterwards."""

    def tell(act: str, process: str, moment: float, whole: float, at: list[tuple], found: str) -> None:
        doing = "; ".join(f"{state} {query}" for _pid, state, _wait, query in at[:1]) or "no open transaction"
        with capsys.disabled():
            print(f"{process:7} {act:16} {moment:6.2f} of {whole:5.2f} s  {found:8} {doing}", flush=True)

    return tell
