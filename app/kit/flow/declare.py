"""流程 flow as a declaration: who applies, when, with what, who signs, what it does. Data that round-trips to JSON."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from app.access import Actor, Role
from app.models import Case, MeetingKind, RosterStatus

# What a flow does beyond its words is done by named functions, each for any number of cases at once:
Effect = Callable[[Actor, list[int]], None]  # changes what the cases were about; also: issues their papers
Rule = Callable[[list[int], dict[str, Any]], dict[int, Any]]  # case → why it may not pass, for those that may not
Fills = Callable[[dict[str, Any]], dict[str, Any]]  # what a step records → the columns that follow from it
Prepare = Callable[[Case], None]  # fills in what follows from the student and the form, whenever the form is saved
Check = Callable[[Any, Any], dict[str, Any]]  # (case, its student) → field → what cannot be; asked when it is saved
Concerns = Callable[[int], bool]  # student → whether there is anything that she could apply about today

HOOKS: dict[str, Callable[..., Any]] = {}


class BrokenFlow(Exception):
    """A declaration refers to something that does not exist, or takes a name that is taken. Stops the start."""


def hook(function: Callable[..., Any]) -> Callable[..., Any]:
    """Register a function under its name, by which stored definitions refer to it. Raises BrokenFlow if it is taken.

    Definitions outlive the code: who moves or renames a hook writes a migration that renames it where it is stored
    (`rename_hooks` in migrations/hooks.py).
    """
    name = hook_name(function)
    if HOOKS.setdefault(name, function) is not function:
        raise BrokenFlow(f"{name}: two hooks have this name; call one of the two functions something else")
    return function


def hook_name(function: Callable[..., Any]) -> str:
    """The whole path of its module below `app`, and its own name: `operations.roster.leaves.suspend`."""
    return f"{function.__module__.removeprefix('app.')}.{function.__name__}"


@dataclass(frozen=True)
class When:
    """A condition on the case: one of its columns has one of these values."""

    column: str
    values: tuple[str, ...]

    def holds(self, case: Any) -> bool:
        return getattr(case, self.column) in self.values


def when(column: str, *values: str) -> When:
    return When(column, values)


@dataclass(frozen=True)
class Field:
    """A column that the applicant fills in; required unless `optional`, and only asked for `when`."""

    key: str
    when: When | None = None
    optional: bool = False


@dataclass(frozen=True)
class Material:
    """A scan that must be attached before the first step passes, or only `when`."""

    key: str
    when: When | None = None


@dataclass(frozen=True)
class Within:
    """Outside the window too: at most `days` days after the date in the case's column `of`, for the cases `when`."""

    days: int
    of: str
    when: When


@dataclass(frozen=True)
class Window:
    """The rows of the term's windows in which a case may be handed in."""

    keys: tuple[str, ...]
    unless: Within | None = None


@dataclass(frozen=True)
class Step:
    """One signature. `records` are columns of the case that this step must fill in."""

    key: str
    role: Role
    days: int  # working days, or
    natural_days: bool = False  # days as the calendar counts them
    seal: bool = False  # the paper form carries the seal
    originals: bool = False  # whoever signs confirms that the originals are at hand
    takes_effect: bool = False  # its approval makes the change and issues the paper
    each_department: bool = False  # one row for each department that receives this flow
    checklist: bool = False  # each department ticks its leaving items before it signs
    meeting: MeetingKind | None = None  # records the meeting that agreed, of this kind
    publicity: bool = False  # passes when the published time is over and no objection is open
    document: bool = False  # decided by issuing a document: all of its cases together, or none
    target: bool = False  # signed by the college that the student goes to
    records: tuple[str, ...] = ()
    # steps, or "submit", that the same person must not have done; "about": anything in the case that this one is about
    hands_differ_from: tuple[str, ...] = ()
    due_by: str | None = None  # a column of the case: the day by which it is due, however many days it has
    timed: str | None = None  # a column of the case: the day before which it cannot pass, and from which its days count
    tells_refusal: bool = False  # opens as well when the case is refused: its student is told
    # what a refusal is here, where it is not a free one with a reason: "recorded" with all that an approval records,
    # or "barred", as what others have decided is only carried out
    refusal: str | None = None
    rule: Rule | None = None
    fills: Fills | None = None

    def to_json(self) -> dict[str, Any]:
        data = (
            asdict(self)
            | {"role": self.role.value}
            | {key: getattr(self, key) and hook_name(getattr(self, key)) for key in ("rule", "fills")}
        )
        return data | {"records": list(self.records), "hands_differ_from": list(self.hands_differ_from)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Step":
        tuples = {key: tuple(data[key]) for key in ("records", "hands_differ_from")}
        return cls(
            **data
            | tuples
            | {"role": Role(data["role"]), "rule": _hook(data["rule"]), "fills": _hook(data.get("fills"))}
            | {"meeting": data["meeting"] and MeetingKind(data["meeting"])}
        )


@dataclass(frozen=True)
class Flow:
    """A procedure of the manual. Approve, send back, refuse, take back and delegate belong to the engine."""

    key: str
    version: int
    title: Any = field(compare=False)
    prefix: str  # of the case numbers
    applicants: frozenset[Role]
    allowed_from: frozenset[RosterStatus]
    reasons: tuple[str, ...]
    fields: tuple[Field, ...]
    window: Window | None
    materials: tuple[Material, ...]
    steps: tuple[Step, ...]
    effect: Effect | None = None
    paper: Effect | None = None
    refused_paper: Effect | None = None  # where a refusal is a decision that is told in writing
    rule: Rule | None = None  # asked when a case is handed in
    grounds: Rule | None = None  # asked when it is handed in, and again at every signature until it takes effect
    prepare: Prepare | None = None
    check: Check | None = None  # asked whenever the form is saved, of what is filled in so far
    concerns: Concerns | None = None  # asked before it is offered to a student in one of these states
    derived: tuple[str, ...] = ()  # columns that `prepare` reckons, shown beside the fields
    before_registration: bool = False  # only for freshmen who do not hold the formal 学籍 yet
    remedy: tuple[str, str] | None = None  # settings: to whom, and how long, one may appeal against a refusal
    prevails: bool = False  # goes through while other changes of the student are under way
    place: float = field(default=99, compare=False)  # in lists: its row of the manual, and what follows from that row
    dated: str | None = None  # the field with the day of the change: never before the student's last one

    @property
    def model(self) -> type[Case]:
        return Case.__mapper__.polymorphic_map[self.key].class_

    @property
    def changes_roster(self) -> bool:
        """Whether its effect writes the ledger: of such cases a student has one at a time."""
        return hasattr(self.effect, "changes")

    def materials_for(self, case: Any) -> list[Material]:
        """What must be attached to this case."""
        return [material for material in self.materials if material.when is None or material.when.holds(case)]

    def fields_for(self, case: Any) -> list[Field]:
        """What this case's applicant fills in."""
        return [field for field in self.fields if field.when is None or field.when.holds(case)]

    def to_json(self) -> dict[str, Any]:
        """Everything but the title, which is translated, and the place in lists, as JSON types."""
        data = asdict(replace(self, title=None))
        del data["title"], data["place"]
        hooks = {key: getattr(self, key) and hook_name(getattr(self, key)) for key in _HOOKED}
        return _listed(
            data
            | hooks
            | {"applicants": sorted(self.applicants), "allowed_from": sorted(self.allowed_from)}
            | {"steps": [step.to_json() for step in self.steps]}
        )

    @classmethod
    def from_json(cls, data: dict[str, Any], title: Any) -> "Flow":
        """The flow that `to_json` described. Raises KeyError for a function that no longer exists."""
        window = data["window"]
        return cls(
            **data
            | {key: _hook(data[key]) for key in _HOOKED}
            | {
                "title": title,
                "applicants": frozenset(map(Role, data["applicants"])),
                "allowed_from": frozenset(map(RosterStatus, data["allowed_from"])),
                "reasons": tuple(data["reasons"]),
                "derived": tuple(data["derived"]),
                "remedy": data["remedy"] and tuple(data["remedy"]),
                "fields": tuple(Field(**item | {"when": _when(item["when"])}) for item in data["fields"]),
                "materials": tuple(Material(**item | {"when": _when(item["when"])}) for item in data["materials"]),
                "steps": tuple(map(Step.from_json, data["steps"])),
                "window": window and Window(tuple(window["keys"]), _within(window["unless"])),
            }
        )


_HOOKED = ("effect", "paper", "refused_paper", "rule", "grounds", "prepare", "check", "concerns")


def _hook(name: str | None) -> Callable[..., Any] | None:
    return None if name is None else HOOKS[name]


def _when(data: dict[str, Any] | None) -> When | None:
    return None if data is None else When(data["column"], tuple(data["values"]))


def _within(data: dict[str, Any] | None) -> Within | None:
    if data is None:
        return None
    return Within(data["days"], data["of"], when(data["when"]["column"], *data["when"]["values"]))


def _listed(value: Any) -> Any:
    """Tuples as lists, all the way down, so that what is stored equals what is read back."""
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, list | tuple) else value
