"""The name beside the address that emails come from: what it may say, and how it stands in a From line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.written_text import tidied

VARIABLES: Final = ("business_name", "postal_address")
"""What a sender's name may be filled in with: what is the business's, the same for all who get an email."""
MAX_MAILBOX: Final = 320
"""Of a name and its address as a From line has them: far below what a line may have (998, RFC 5322 §2.1.1)."""
LONGEST_ENCODED_WORD: Final = 75
"""RFC 2047 §2."""
_IS_IN_PLACEHOLDERS: Final = re.compile(r"[{}｛｝&%]")
"""What every placeholder has, also as an editor leaves it."""
_BRACES: Final = re.compile(r"[{}｛｝]")
_SIDE_BY_SIDE: Final = re.compile(r"\{(?=\{)")
_ENCODED_WORD: Final = "=?"


def check_sender_name(field: str, template: str) -> None:
    """Refuse a placeholder that nobody can fill in. Raises ``InvalidInputError`` on ``field``."""
    if not _IS_IN_PLACEHOLDERS.search(template):
        return
    from rebound.kernel.placeholders import PLACEHOLDER, mended  # noqa: PLC0415 - few names have placeholders

    template = mended(template)
    for name in PLACEHOLDER.findall(template):
        if name not in VARIABLES:
            what = f"Unknown variable ##{{{{{name[:MAX_MAILBOX]}}}}}; known are {', '.join(VARIABLES)}."
            raise InvalidInputError(FieldError.unknown(field, what, name, VARIABLES))
    if _BRACES.search(PLACEHOLDER.sub("", template)):
        known = " and ".join(f"##{{{{{name}}}}}" for name in VARIABLES)
        raise InvalidInputError(FieldError(field, f"Has braces that are no placeholder; placeholders are {known}."))


def filled_name(template: str, values: Mapping[str, str]) -> str:
    """The name on one line; empty when nothing of it is left to be read."""
    if _IS_IN_PLACEHOLDERS.search(template):
        from rebound.kernel.placeholders import PLACEHOLDER, mended  # noqa: PLC0415 - few names have placeholders

        template = PLACEHOLDER.sub(lambda found: values.get(found[1], ""), mended(template))
    return " ".join(tidied(_SIDE_BY_SIDE.sub("{ ", template)).split())


def mailbox(name: str, address: str) -> str:
    """A name and its address as a header has them: quoted where it must be, encoded where it is not ASCII.

    RFC 5322 §3.4, RFC 2047 §5. A name that looks encoded already is encoded, so that it is read as it was written.
    """
    if not name:
        return address
    if name.isascii() and _ENCODED_WORD not in name:
        from email.utils import formataddr  # noqa: PLC0415 - only businesses that have a name need it

        return formataddr((name, address))
    from email.header import Header  # noqa: PLC0415 - likewise

    return f"{Header(name, 'utf-8', LONGEST_ENCODED_WORD).encode(linesep='')} <{address}>"
