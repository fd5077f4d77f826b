"""学号规则 the rule of student numbers, as the registry writes it in the settings, read without running anything of it."""

import re
from dataclasses import dataclass
from string import Formatter

from flask_babel import lazy_gettext as _

from app.kit.operation import Refused
from app.models.organisation.settings import setting_check

LONGEST = 15  # characters of a student number
# What a rule may speak of, and the SQL that says it.
FIELDS = {
    "entry_year": "cast(s.entry_year as text)",
    "college": "c.code",
    "major": "m.code",
    "class": "g.code",
}
WIDTH = re.compile(r"0([1-6])")
PLAIN = re.compile(r"[0-9A-Za-z]*")


@dataclass(frozen=True)
class NumberRule:
    """SQL for what stands before and after the serial, the serial's digits, and whether a class is needed."""

    prefix: str
    suffix: str
    width: int
    needs_class: bool


def read_rule(rule: str) -> NumberRule:
    """`{entry_year}{college}{major}{class}{serial:02}`, in any order and with letters and digits between. Raises Refused."""
    try:
        pieces = list(Formatter().parse(rule))
    except ValueError as wrong:
        raise Refused(
            _("The rule of student numbers has a brace too many or too few. Correct it in the settings.")
        ) from wrong
    before: list[str] = []
    after: list[str] = []
    width, at = 0, before
    for plain, name, spec, conversion in pieces:
        if not PLAIN.fullmatch(plain):
            raise Refused(_("Outside its braces, the rule of student numbers may have letters and digits alone."))
        if plain:
            at.append(f"'{plain}'")
        if name is None:
            continue
        if name == "serial":
            match = WIDTH.fullmatch(spec or "")
            if width or conversion or not match:
                raise Refused(_("The rule of student numbers needs one serial with its digits, such as {serial:02}."))
            width, at = int(match[1]), after
        elif name not in FIELDS or spec or conversion:
            known = ", ".join(f"{{{field}}}" for field in [*FIELDS, "serial:02"])
            raise Refused(_("The rule of student numbers has “{%(name)s}”, which is unknown. It may have %(known)s.",
                            name=name, known=known))  # fmt: skip
        else:
            at.append(FIELDS[name])
    if not width:
        raise Refused(_("The rule of student numbers needs one serial with its digits, such as {serial:02}."))
    whole = {name for _plain, name, _spec, _conversion in pieces}
    return NumberRule(joined(before), joined(after), width, "class" in whole)


@setting_check("student_number_rule")
def check_rule(text: str) -> None:
    """Raise ValueError for a rule that makes no numbers."""
    try:
        read_rule(text)
    except Refused as refused:
        raise ValueError(str(refused)) from refused


def joined(parts: list[str]) -> str:
    return " || ".join(parts) or "''"
