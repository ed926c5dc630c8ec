"""What people text: the words that mean something by themselves, and a text as it is kept."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from copy import replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import ClassVar, Final

from msgspec import Struct

from rebound.consent.domain.consent import ConsentEvidence
from rebound.kernel.channels import ContactKey
from rebound.kernel.consent_words import ConsentSource, Scope


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


class FirstReceipt(Struct, frozen=True):
    """When a text was received for the first time, and which contacts, under their hashes, it came from then."""

    at: datetime
    keys: tuple[ContactKey, ...]


class Meaning(StrEnum):
    """What a text was taken for."""

    KEYWORD = "keyword"
    """One of the words."""
    CONFIRMATION = "confirmation"
    """The answer to a text that asked for one."""
    REVOCATION = "revocation"
    """Somebody asks in their own words not to be texted."""
    OTHER = "other"


class Decision(StrEnum):
    """What staff made of a text that they had to read."""

    OPT_OUT = "opt_out"
    """The sender wants no more texts: as if they had texted STOP."""
    KEEP = "keep"
    """Nothing that changes anything, or that is dealt with."""


class Reply(Struct, frozen=True):
    """One text that somebody sent to a business, as it was understood when it came.

    ``key`` is the contact, under its hash. ``number`` and ``body`` are ``None`` once nobody uses the address any more.
    ``at`` is when we received it for the first time: Twilio gives no time. ``message_id``, ``customer_id`` and
    ``appointment_id`` name our message that it answers, where that is known. ``needs_staff`` says that a person must
    read it; it waits until ``resolved_at``, and ``resolved_by`` names who did, as they are called there.
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
    decision: Decision | None = None

    @property
    def entry_id(self) -> str:
        """The same for the same text handed on again."""
        return self.reply_id

    @property
    def is_waiting(self) -> bool:
        """Whether a person must still read it, and can."""
        return self.needs_staff and self.resolved_at is None and self.number is not None

    @property
    def confirms(self) -> bool:
        """Whether it confirms the appointment that it answers about."""
        return self.meaning is Meaning.CONFIRMATION and not self.needs_staff

    @property
    def contact(self) -> ContactKey:
        """The contact under its address, as long as that is known."""
        return self.key if self.number is None else replace(self.key, address=self.number)

    @property
    def evidence(self) -> tuple[ConsentEvidence, ...]:
        """What it says about consent by itself. A STOP takes everything, and a START gives back what a STOP took.

        What reads like a revocation holds marketing back. The words are not repeated there, because what was said about
        consent is kept for good.
        """
        if self.keyword in (Keyword.STOP, Keyword.START):
            return (self._said(Scope.ALL, ConsentSource.KEYWORD, opted_out=self.keyword is Keyword.STOP),)
        if self.meaning is Meaning.REVOCATION:
            held = ConsentEvidence(
                self.at, Scope.MARKETING, opted_out=True, source=ConsentSource.REVIEW, message_id=self.reply_id
            )
            return (held,)
        return ()

    @property
    def opt_out(self) -> ConsentEvidence:
        """What staff read in it: the sender's own word, said when the text came."""
        return replace(self._said(Scope.ALL, ConsentSource.KEYWORD, opted_out=True), who=self.resolved_by)

    @property
    def release(self) -> ConsentEvidence:
        """The end of what holds marketing back, up to this text and not beyond."""
        return ConsentEvidence(
            self.at + datetime.resolution,
            Scope.MARKETING,
            opted_out=False,
            source=ConsentSource.REVIEW,
            message_id=self.reply_id,
            who=self.resolved_by,
        )

    def _said(self, scope: Scope, source: ConsentSource, *, opted_out: bool) -> ConsentEvidence:
        return ConsentEvidence(self.at, scope, opted_out, source, message_id=self.reply_id, words=self.body)

    def forgotten(self) -> Reply:
        """What is kept when the address is not."""
        return replace(self, number=None, body=None)
