"""What people text: keywords, which mean something by themselves, and replies as they are kept."""

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
    """The letters and digits of a text, in lower case: ``*Stop* 🛑`` becomes ``stop``."""
    folded = unicodedata.normalize("NFKC", body).casefold()
    return "".join(character for character in folded if character.isalnum())


class FirstReceipt(Struct, frozen=True):
    """When a text was received for the first time, and the contacts, under their hashes, that it came from then."""

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
    REACTION = "reaction"
    """A phone repeats one of our texts with what its owner thinks of it, such as a heart."""
    OTHER = "other"


_ANSWERS: Final = frozenset({Meaning.CONFIRMATION, Meaning.OTHER})


class Decision(StrEnum):
    """What staff made of a text that they had to read."""

    OPT_OUT = "opt_out"
    """The sender wants no more texts: as if they had texted STOP."""
    KEEP = "keep"
    """Nothing that changes anything, or that is dealt with."""


class Reply(Struct, frozen=True):
    """One text that somebody sent to a business, as it was understood when it came.

    ``key`` is the contact, under its hash. ``number`` and ``body`` are ``None`` once nobody uses the address any more.
    ``at`` is when we received the text first: Twilio gives no time. ``message_id``, ``customer_id`` and
    ``appointment_id`` name our message that it answers, where that is known. ``needs_staff`` says that a person must
    read it. It waits until ``resolved_at``; ``resolved_by`` names who resolved it, as the API's client calls them.
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
        """The id of the text: the same when the provider delivers it again."""
        return self.reply_id

    @property
    def is_waiting(self) -> bool:
        """Whether a person must still read the text, and it still has its words."""
        return self.needs_staff and self.resolved_at is None and self.number is not None

    @property
    def is_answer(self) -> bool:
        """Whether somebody has answered in their own words, and did not ask for silence."""
        return self.meaning in _ANSWERS

    @property
    def confirms(self) -> bool:
        """Whether the text confirms the appointment of the message that it answers."""
        return self.meaning is Meaning.CONFIRMATION and not self.needs_staff

    @property
    def contact(self) -> ContactKey:
        """The contact under its address while that is known, else under its hash."""
        return self.key if self.number is None else ContactKey.of(self.key.business_id, self.key.channel, self.number)

    @property
    def evidence(self) -> tuple[ConsentEvidence, ...]:
        """The consent evidence of the text by itself. STOP opts out of everything, and START ends what STOP did.

        A text that reads like a revocation holds marketing back. That evidence does not repeat the words, because
        statements about consent are kept for good.
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
        """The opt-out that staff read in the text: the sender's own statement, made when the text came."""
        return replace(self._said(Scope.ALL, ConsentSource.KEYWORD, opted_out=True), who=self.resolved_by)

    @property
    def release(self) -> ConsentEvidence:
        """The evidence that ends the holds on marketing up to and including this text's, and no later one."""
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
        """The reply as it is kept once its address is forgotten: without number and words."""
        return replace(self, number=None, body=None)
