"""The language of whoever reads: Chinese unless the person chose English."""

from collections.abc import Iterable

from flask_babel import get_locale


def in_chinese() -> bool:
    """True for a Chinese reader, and outside a request (jobs, papers), where Chinese is the language of record."""
    locale = get_locale()
    return locale is None or locale.language == "zh"


def listed(words: Iterable[object]) -> str:
    """Words as a sentence of the reader's language lists them."""
    return ("、" if in_chinese() else ", ").join(str(word) for word in words)
