"""字形 glyphs: which characters of a paper no font of ours can print."""

import functools
import os
import re
import unicodedata
from collections.abc import Iterable

from flask import current_app

RANGE = re.compile(r"unicode-range:([^;}]+)")
PRETENDED = ("ARABIC", "ARMENIAN", "DEVANAGARI", "THAI", "YI")  # scripts of which the slices name signs that they lack
TAG = re.compile(r"<[^>]*>")


def without_glyph(texts: Iterable[str]) -> list[str]:
    """The characters of these texts that are in no font which fonts.py lays out, in order of their code points."""
    path = os.path.join(current_app.static_folder or "", "fonts", "papers.css")
    try:
        covered = _covered(path, os.stat(path).st_mtime_ns)
    except OSError:
        return []  # without the fonts of `make assets` papers are printed with the reader's own
    return sorted(one for one in set().union(*(TAG.sub("", text) for text in texts)) if not _prints(one, covered))


def _prints(one: str, covered: frozenset[int]) -> bool:
    kind = unicodedata.category(one)
    if kind in ("Cc", "Cf", "Mn"):  # controls and marks that only change their neighbour have no glyph of their own
        return True
    return kind not in ("Co", "Cn") and ord(one) in covered and unicodedata.name(one, "").split()[0] not in PRETENDED


@functools.lru_cache(maxsize=1)
def _covered(path: str, _changed: int) -> frozenset[int]:
    with open(path) as sheet:
        ranges = RANGE.findall(sheet.read())
    found: set[int] = set()
    for one in ",".join(ranges).split(","):
        first, _dash, last = one.strip().removeprefix("U+").removeprefix("u+").partition("-")
        found.update(range(int(first, 16), int(last or first, 16) + 1))
    return frozenset(found)
