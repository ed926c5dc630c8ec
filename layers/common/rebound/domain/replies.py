"""What people text back: the words that mean something by themselves, and what became of each text.

The words are those that Twilio acts on by itself ("Twilio support for opt-out keywords"), which for us are the whole
message in any case, with whatever surrounds or divides the letters left aside: ``Stop.``, ``"STOP"``, ``opt-out``.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import ClassVar, Final

from rebound.domain.channels import Channel, ContactKey
from rebound.domain.consent import ConsentEvidence, ConsentSource, Scope


class Keyword(StrEnum):
    """What a word asks for."""

    STOP = "stop"
    """No more texts of any kind."""
    START = "start"
    """What a STOP took is back."""
    HELP = "help"
    """Who is this?"""


WORDS: Final[Mapping[str, Keyword]] = MappingProxyType(
    {
        **dict.fromkeys(
            ("stop", "stopall", "unsubscribe", "end", "quit", "cancel", "revoke", "optout"),
            Keyword.STOP,
        ),
        **dict.fromkeys(("start", "yes", "unstop"), Keyword.START),
        **dict.fromkeys(("help", "info"), Keyword.HELP),
    }
)


def plain(body: str) -> str:
    """The letters and digits of a text, in one case: what is left of ``*Stop* 🛑`` is ``stop``."""
    folded = unicodedata.normalize("NFKC", body).casefold()
    return "".join(character for character in folded if character.isalnum())


class Meaning(StrEnum):
    """What a text was taken for."""

    KEYWORD = "keyword"
    """One of the words."""
    CONFIRMATION = "confirmation"
    """The answer to a text that asked for one."""
    REVOCATION = "revocation"
    """Somebody asks in their own words not to be texted."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class IncomingText:
    """A text as the provider hands it on.

    ``reply_id`` is the provider's own id of it, the same each time that it is handed on. ``senders`` are the number
    that it was sent to and the messaging service that this belongs to. ``keyword`` is there when the provider has
    acted, and answered, by itself (``OptOutType``).
    """

    reply_id: str
    number: str
    to: str
    senders: tuple[str, ...]
    body: str
    keyword: Keyword | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """One text that somebody sent to a business, as it was understood when it came.

    ``key`` is the contact, under its hash. ``number`` and ``body`` are ``None`` once nobody uses the address any more.
    ``at`` is when we received it for the first time: Twilio gives no time. ``message_id``, ``customer_id`` and
    ``appointment_id`` name our message that it answers, where that is known. ``needs_staff`` says that a person must
    read it; it waits until ``resolved_at``.
    """

    kind: ClassVar = "reply"

    key: ContactKey
    reply_id: str
    at: datetime
    to: str
    meaning: Meaning
    number: str | None
    body: str | None
    keyword: Keyword | None = None
    message_id: str | None = None
    customer_id: str | None = None
    appointment_id: str | None = None
    needs_staff: bool = False
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    decision: str | None = None

    @property
    def entry_id(self) -> str:
        """The same for the same text handed on again."""
        return self.reply_id

    @property
    def is_waiting(self) -> bool:
        """Whether a person must still read it."""
        return self.needs_staff and self.resolved_at is None

    @property
    def contact(self) -> ContactKey:
        """The contact under its address, as long as that is known."""
        return self.key if self.number is None else replace(self.key, address=self.number)

    @property
    def evidence(self) -> tuple[ConsentEvidence, ...]:
        """What it says about consent. A STOP takes everything, and a START gives back no more than a STOP took."""
        if self.keyword not in (Keyword.STOP, Keyword.START):
            return ()
        stops = self.keyword is Keyword.STOP
        return (
            ConsentEvidence(
                self.at, Scope.ALL, stops, ConsentSource.KEYWORD, message_id=self.reply_id, words=self.body
            ),
        )

    def forgotten(self) -> Reply:
        """What is kept when the address is not."""
        return replace(self, number=None, body=None)


def understood(text: IncomingText, business_id: str, at: datetime) -> Reply:
    """What a text means for one business. What the provider took it for counts first."""
    key = ContactKey(business_id, Channel.SMS, text.number).hashed
    keyword = text.keyword or WORDS.get(plain(text.body))
    meaning = Meaning.OTHER if keyword is None else Meaning.KEYWORD
    return Reply(key, text.reply_id, at, text.to, meaning, text.number, text.body, keyword)
