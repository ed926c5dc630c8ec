"""The emails by which people sign in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from rebound.kernel.errors import ComeAgainError, NotFoundError
from rebound.kernel.languages import LANGUAGES, LAST_RESORT, read_words

if TYPE_CHECKING:
    from rebound.businesses.domain.business import Business
    from rebound.businesses.ports import BusinessDirectory, ReboundMail
    from rebound.staff.domain import Person, StaffMember
    from rebound.staff.ports import SignInLog

OURSELVES: Final = "Rebound"
"""What operators are invited to."""
MAX_NAME: Final = 60
_LINK: Final = re.compile(r"\S*(?:://|www\.)\S*", re.IGNORECASE)


class WriteToStaff(Struct, frozen=True, kw_only=True):
    """Sends invitations and codes, in the person's language or their business's.

    They come from the sender of a business that the person belongs to; where none of them has one, and to operators,
    from the stack's own. What cannot be sent is logged: whoever asked is not told, or has the link anyway.
    """

    businesses: BusinessDirectory
    rebound_mail: ReboundMail
    sign_in_log: SignInLog
    console_sender: str

    def invitation(self, member: StaffMember, link: str, console_url: str) -> bool:
        """Send the link to somebody who was invited; whether it was taken."""
        business = self._business(member.business_id)
        name = OURSELVES if business is None else plain_name(business.name)
        given = {"name": name, "link": link, "console": console_url}
        return self._send(member, business, "invitation", given)

    def code(self, person: Person, code: str) -> bool:
        """Send a code to somebody who has memberships; whether it was taken."""
        found = [(member, self._business(member.business_id)) for member in person.memberships]
        member, business = next((pair for pair in found if pair[1] is not None and pair[1].email_from), found[0])
        return self._send(member, business, "code", {"code": code})

    def _business(self, business_id: str | None) -> Business | None:
        try:
            return None if business_id is None else self.businesses.get(business_id)
        except NotFoundError:
            return None

    def _send(self, member: StaffMember, business: Business | None, what: str, given: Mapping[str, str]) -> bool:
        sender = (business.email_sender if business is not None else "") or self.console_sender
        if not sender:
            self.sign_in_log.not_written("no sender")
            return False
        words = staff_words(member.language or (business.language if business is not None else LAST_RESORT))[what]
        try:
            self.rebound_mail.send(
                sender, member.email, words["subject"].format(**given), words["text"].format(**given) + "\n"
            )
        except ComeAgainError:
            self.sign_in_log.not_written("busy")
            return False
        return True


def plain_name(name: str) -> str:
    """A business's name as emails to strangers have it: one line of at most ``MAX_NAME`` characters, without links."""
    seen = "".join(" " if unicodedata.category(each)[0] in "CZ" else each for each in name)
    words = " ".join(_LINK.sub(" ", seen).split())
    return (f"{words[: MAX_NAME - 1].rstrip()}…" if len(words) > MAX_NAME else words) or OURSELVES


def staff_words(language: str) -> dict[str, Any]:
    """What is written to people who sign in."""
    return read_words("staff", language if language in LANGUAGES else LAST_RESORT)
