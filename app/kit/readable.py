"""造字 characters that one program alone can show: told where somebody types them, before they are stored and printed."""

import re
from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import ValidationError

from app.models.language import listed
from app.models.text import NO_NAME, unknown_characters


def why_unreadable(text: str | None) -> Any | None:
    """What is wrong with a text that not everybody can read; None if nothing is."""
    unknown = unknown_characters(text or "")
    if not unknown:
        return None
    return _("The character %(characters)s is known to one program alone, or is broken. Enter the character of Unicode in"
             " its place, or another spelling.", characters=listed(unknown))  # fmt: skip


def why_no_name(text: str | None) -> Any | None:
    """Why a text cannot be what a person is called; None if it can."""
    if not text or not re.search(NO_NAME, text):
        return None
    return _("“%(name)s” is no name: only digits and signs, or a sign of formulas or tags.", name=text[:40])


def readable(_form: Any, field: Any) -> None:
    """A validator of fields of text."""
    if isinstance(field.data, str) and (why := why_unreadable(field.data)):
        raise ValidationError(str(why))
