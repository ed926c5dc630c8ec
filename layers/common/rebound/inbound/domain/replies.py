"""What people text back: the words that mean something by themselves, and what became of each text.

The words are those that Twilio acts on by itself ("Twilio support for opt-out keywords"); a word must be the whole
message, in any case, and whatever surrounds or divides its letters is ignored: ``Stop.``, ``"STOP"``, ``opt-out``. For
a STOP, the words of other languages and what people put around it count as well (``stop_words``).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from copy import replace
from datetime import datetime

from msgspec import Struct

from rebound.contacts.domain.replies import WORDS, Keyword, Meaning, Reply, plain
from rebound.inbound.domain.reactions import is_reaction
from rebound.inbound.domain.revocations import reads_like_a_revocation
from rebound.inbound.domain.stop_words import is_stop, says_cancel
from rebound.kernel.channels import Channel, ContactKey
from rebound.messages.domain.appointments import Asked


def keyword_of(text: IncomingText, languages: Collection[str] = ()) -> Keyword | None:
    """The keyword that the provider names for a text, else the one that its body is; ``None`` when it is none.

    ``languages`` are those of the customers who have the number.
    """
    if text.keyword is not None:
        return text.keyword
    return WORDS.get(plain(text.body)) or (Keyword.STOP if is_stop(text.body, languages) else None)


def may_stop(text: IncomingText) -> bool:
    """Whether a text is a STOP, or reads as if its sender wanted no more texts."""
    if text.keyword is None and is_reaction(text.body):
        return False
    keyword = keyword_of(text)
    return keyword is Keyword.STOP or (keyword is None and reads_like_a_revocation(text.body))


class IncomingText(Struct, frozen=True):
    """A text as the provider hands it on.

    ``reply_id`` is the provider's own id of the text, the same each time that the text is handed on. ``senders`` are
    the number that it was sent to and the messaging service of that number. ``keyword`` is set when the provider has
    already acted on the text and answered it (``OptOutType``). ``segments`` is how many the text has.
    """

    reply_id: str
    number: str
    to: str
    senders: tuple[str, ...]
    body: str
    keyword: Keyword | None = None
    segments: int = 1


def understood(
    text: IncomingText,
    business_id: str,
    at: datetime,
    *,
    asked: Sequence[Asked] = (),
    stopped: bool = False,
    opting_in: bool = False,
    confirming: Collection[str] = (),
    languages: Collection[str] = (),
) -> Reply:
    """What a text means for one business.

    ``asked`` holds the open questions for a confirmation, the latest first. ``stopped`` says whether the number has
    opted out of everything, ``opting_in`` whether a YES may also answer the question about marketing. ``confirming``
    holds the words that confirm, ``languages`` are those of the customers who have the number. The meanings are tried
    in this order:

    1. The reaction of a phone to one of our texts, which changes nothing.
    2. STOP and HELP, named by the provider or found as one of the words, whatever was asked. When something was asked,
       a CANCEL may be meant for the appointment: it stops all the same, because Twilio blocks the number at that word
       by itself, and staff must read it.
    3. A word that confirms, when something was asked. A YES confirms only while the number is not stopped, and is a
       START otherwise. The word answers the latest question. Staff must read it when the number's open questions are
       for several customers, or when a YES may be about marketing as well: nobody can know what is meant.
    4. START.
    5. A text that reads like a revocation: staff must read it.
    6. Anything else: staff must read it when something was asked, or when it confirms although nothing was asked.
    """
    key = ContactKey.of(business_id, Channel.SMS, text.number).hashed
    keyword = keyword_of(text, languages)
    reply = Reply(key, text.reply_id, at, text.to, Meaning.OTHER, text.number, text.body)
    confirms = plain(text.body) in {plain(word) for word in confirming}
    if text.keyword is None and is_reaction(text.body):
        return replace(reply, meaning=Meaning.REACTION)
    if keyword in (Keyword.STOP, Keyword.HELP):
        reply = replace(reply, meaning=Meaning.KEYWORD, keyword=keyword)
        cancels = keyword is Keyword.STOP and asked and says_cancel(text.body)
        return replace(_answering(reply, asked[0]), needs_staff=True) if cancels else reply
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
