"""导入 imports: workbooks that people send in, each about one subject (an entry year, a round): checked, then saved whole."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from app.access import Actor, Permission
from app.kit.workbook.declare import Column, Label, Workbook
from app.kit.workbook.staging import Staged


@dataclass(frozen=True)
class Import:
    """`workbook(actor, subject)` reads and saves the rows of the subject that was chosen beside the file.

    `subjects()` gives (id, words) of what may be chosen, `usual()` the one that is meant most often. Its jobs are called
    after its key; `examples` show what a right cell looks like, `kinds` say in few words what its own rules find.
    """

    key: str
    title: Label
    intro: Label
    needs: Permission
    columns: Sequence[Column]
    workbook: Callable[[Actor, int], Workbook]
    subject: Label
    subjects: Callable[[], list[tuple[int, str]]]
    usual: Callable[[], int | None]
    examples: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, Label] = field(default_factory=dict)
    # what its people should know although no cell is wrong: sentences, from the staged rows
    remarks: Callable[[Connection, Staged], list[str]] = lambda _connection, _staged: []
    figures: Sequence[str] = ("rows", "new", "changed", "unchanged")  # what a check and an import tell

    @property
    def check(self) -> str:
        return f"{self.key}_check"

    @property
    def commit(self) -> str:
        return f"{self.key}_import"


IMPORTS: dict[str, Import] = {}


def register_import(one: Import) -> Import:
    """Add an import to the application: its two jobs follow from it."""
    if one.key in IMPORTS:
        raise ValueError(f"There are two imports called {one.key!r}.")
    IMPORTS[one.key] = one
    return one
