"""The language of whoever reads: Chinese unless the person chose English."""

from flask_babel import get_locale


def in_chinese() -> bool:
    """True for a Chinese reader, and outside a request (jobs, papers), where Chinese is the language of record."""
    locale = get_locale()
    return locale is None or locale.language == "zh"
