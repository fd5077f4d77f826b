"""What the README shows is really added to a copy of the product, in so many files, and really used there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

COPIED = ("app", "migrations", "translations", "tests", "config.py", "run.py", "alembic.ini", "pyproject.toml")
BLOCK = re.compile(r"```(?:python|po)\n# (?P<path>[\w/.]+\.(?:py|po))(?P<place>:[^\n]*)?\n(?P<text>.*?)```", re.DOTALL)
MOST = 5  # files of one addition


def sections() -> dict[str, list[re.Match[str]]]:
    """Heading → the files that its section shows."""
    parts = re.split(r"^## (.+)$", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {title: list(BLOCK.finditer(text)) for title, text in zip(parts[1::2], parts[2::2], strict=True)}


def newest_revision() -> str:
    return max(path.name for path in (ROOT / "migrations" / "versions").glob("[0-9]*.py")).partition("_")[0]


def write(home: Path, block: re.Match[str]) -> None:
    """Do to the copy what a block of the README says."""
    path, place, text = home / block["path"], block["place"], block["text"]
    if not place:
        assert not path.exists(), f"{block['path']} is there already: the README's example needs another name"
        path.write_text(text.replace('"…"', f'"{newest_revision()}"'), encoding="utf-8")
    elif above := re.search(r"above (.+)", place):
        before, line, after = path.read_text(encoding="utf-8").partition(f"\n{above[1]}\n")
        assert line, f"{block['path']} has no line {above[1]}"
        path.write_text(f"{before}\n{text}{line[1:]}{after}", encoding="utf-8")
    elif below := re.search(r"below (.+)", place):
        before, line, after = path.read_text(encoding="utf-8").partition(f"\n{below[1]}\n")
        assert line, f"{block['path']} has no line {below[1]}"
        path.write_text(f"{before}{line}{text}{after}", encoding="utf-8")
    else:
        assert place == ": at its end"
        path.write_text(f"{path.read_text(encoding='utf-8')}\n{text}", encoding="utf-8")


@pytest.mark.parametrize("title", ["How to add a table", "How to add a flow", "How to add a workbook"])
def test_an_addition_is_a_few_files(title):
    files = {block["path"] for block in sections()[title]}
    assert 0 < len(files) <= MOST


def test_what_the_readme_adds_works(tmp_path):
    home = tmp_path / "copy"
    home.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, home / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, home / name)
    for blocks in sections().values():
        for block in blocks:
            if not block["path"].startswith("app/operations/"):  # of "How to add a clock", which shows a part
                write(home, block)
    subprocess.run([sys.executable, "translations/build.py"], cwd=home, check=True)
    for check in (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"], ["lint-imports"]):
        command = [str(Path(sys.executable).with_name(check[0])), *check[1:]]
        done = subprocess.run(command, cwd=home, capture_output=True, text=True)
        assert done.returncode == 0, f"{check}: {done.stdout[-3000:]}{done.stderr[-2000:]}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {"PYTHONPATH": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/examples/newcomer.py"]
    done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert re.search(r"\[100%\]", done.stdout), done.stdout
