"""电子邮箱 one form of e-mail address for every door: an account's, a student's, and the last look before a letter goes out."""

import re

LONGEST = 254  # RFC 5321
_NAME = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_FORM = re.compile(rf"(?=.{{1,64}}@){_NAME}(?:\.{_NAME})*@(?:{_LABEL}\.)+(?=[A-Za-z]){_LABEL}")


def is_address(text: str) -> bool:
    """Whether this is one address that a mail server takes: no second one, no line of a header, a domain with a dot."""
    return len(text) <= LONGEST and _FORM.fullmatch(text) is not None
