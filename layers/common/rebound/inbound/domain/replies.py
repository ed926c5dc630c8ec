"""What people text back: the words that mean something by themselves, and what became of each text.

The words are those that Twilio acts on by itself ("Twilio support for opt-out keywords"), which for us are the whole
message in any case, with whatever surrounds or divides the letters left aside: ``Stop.``, ``"STOP"``, ``opt-out``.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from copy import replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Final

from msgspec import Struct

from rebound.consent.domain.consent import ConsentEvidence, ConsentSource, Scope
from rebound.inbound.domain.revocations import reads_like_a_revocation
from rebound.kernel.channels import Channel, ContactKey

if TYPE_CHECKING:
    from rebound.kernel.receipts import MessageKey


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


def keyword_of(text: IncomingText) -> Keyword | None:
    """The provider's word for a text, else the word that it is."""
    return text.keyword or WORDS.get(plain(text.body))


def may_stop(text: IncomingText) -> bool:
    """Whether a text is a STOP, or reads as if its sender wanted no more of them."""
    keyword = keyword_of(text)
    return keyword is Keyword.STOP or (keyword is None and reads_like_a_revocation(text.body))


class Meaning(StrEnum):
    """What a text was taken for."""

    KEYWORD = "keyword"
    """One of the words."""
    CONFIRMATION = "confirmation"
    """The answer to a text that asked for one."""
    REVOCATION = "revocation"
    """Somebody asks in their own words not to be texted."""
    OTHER = "other"


class IncomingText(Struct, frozen=True):
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


class Decision(StrEnum):
    """What staff made of a text that they had to read."""

    OPT_OUT = "opt_out"
    """The sender wants no more texts: as if they had texted STOP."""
    KEEP = "keep"
    """Nothing that changes anything, or that is dealt with."""


class Asked(Struct, frozen=True):
    """A text that asked its recipient to confirm an appointment, and has not been confirmed."""

    at: datetime
    key: MessageKey
    appointment_id: str

    @property
    def entry_id(self) -> str:
        """The same for the same message."""
        return self.key.message_id


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


def understood(
    text: IncomingText,
    business_id: str,
    at: datetime,
    *,
    asked: Sequence[Asked] = (),
    stopped: bool = False,
    opting_in: bool = False,
    confirming: Collection[str] = (),
) -> Reply:
    """What a text means for one business.

    ``asked`` are the open questions for a confirmation, the latest first; ``stopped`` whether the number has opted out
    of everything; ``opting_in`` whether a YES may also be the answer to the question for marketing; ``confirming`` the
    words by which one confirms. In this order:

    1. STOP and HELP, by the provider's word for it or as one of the words, whatever was asked.
    2. A word that confirms, when something was asked. A YES is one only while the number is not stopped: otherwise it
       is a START. It answers the latest question; when the number's open questions are for several customers, or a YES
       may be about marketing as well, nobody can know what is meant, and staff must read it.
    3. START.
    4. What reads like a revocation: staff must read it.
    5. Anything else: staff must read it when something was asked, or when it confirms and nothing was.
    """
    key = ContactKey(business_id, Channel.SMS, text.number).hashed
    keyword = keyword_of(text)
    reply = Reply(key, text.reply_id, at, text.to, Meaning.OTHER, text.number, text.body)
    confirms = plain(text.body) in {plain(word) for word in confirming}
    if keyword in (Keyword.STOP, Keyword.HELP):
        return replace(reply, meaning=Meaning.KEYWORD, keyword=keyword)
    if confirms and asked and not (keyword is Keyword.START and stopped):
        if len({question.key.customer_id for question in asked}) > 1 or (keyword is Keyword.START and opting_in):
            return replace(reply, meaning=Meaning.CONFIRMATION, needs_staff=True)
        return replace(_answering(reply, asked[0]), meaning=Meaning.CONFIRMATION)
    if keyword is Keyword.START:
        return replace(reply, meaning=Meaning.KEYWORD, keyword=keyword)
    if reads_like_a_revocation(text.body):
        return replace(reply, meaning=Meaning.REVOCATION, needs_staff=True)
    if asked:
        return replace(_answering(reply, asked[0]), needs_staff=True)
    return replace(reply, meaning=Meaning.CONFIRMATION, needs_staff=True) if confirms else reply


def _answering(reply: Reply, asked: Asked) -> Reply:
    return replace(
        reply,
        message_id=asked.key.message_id,
        customer_id=asked.key.customer_id,
        appointment_id=asked.appointment_id,
    )
