"""Compile the Chinese catalogue: every part under zh/parts, one family a file, into messages.mo."""

import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGE = "zh"
HOME = Path(__file__).parent / LANGUAGE


def parts() -> list[Path]:
    return sorted([*HOME.glob("LC_MESSAGES/*.po"), *HOME.glob("parts/*.po")])


def merged() -> Catalog:
    """All parts as one catalogue. Exits when two parts translate one text differently."""
    whole = Catalog(LANGUAGE, domain="messages", charset="utf-8")
    clashes = []
    for path in parts():
        with path.open("rb") as file:
            for message in read_po(file, LANGUAGE):
                if not message.id or not message.string:
                    continue
                found = whole.get(message.id, message.context)
                if found is not None and found.string != message.string:
                    clashes.append(
                        f"{path.name}: {message.id!r} is {found.string!r} elsewhere, here {message.string!r}"
                    )
                whole.add(message.id, message.string, context=message.context)
    if clashes:
        sys.exit("One text, two translations:\n" + "\n".join(clashes))
    return whole


def main() -> None:
    target = HOME / "LC_MESSAGES" / "messages.mo"
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        write_mo(file, merged())


if __name__ == "__main__":
    main()
