"""What a text that somebody sends us changes, and what is answered to it.

A text belongs to every business that sends from the number it came to: their customers cannot tell them apart. What
it means is decided once, when it comes for the first time, and kept; whenever it comes again, what was decided is
applied again, which changes nothing once it has been applied. So a text that is handed on twice counts once, and one
that somebody plays back later cannot undo what was said since.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from rebound.application.reply_records import FirstReceipt
from rebound.domain.channels import Channel, ContactKey
from rebound.domain.keyword_answers import answer_to
from rebound.domain.replies import understood

if TYPE_CHECKING:
    from rebound.application.ports import BusinessDirectory, Clock, ContactBook, ReplyBook
    from rebound.application.tell_contact import TellContact
    from rebound.domain.business import Business
    from rebound.domain.replies import IncomingText, Reply

TRIED_AGAIN_FOR: Final = timedelta(hours=1)
"""So long after the first receipt a text that is not kept may be one that failed half way; Twilio tries for seconds."""


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a text: for whom it was, and what is answered, ``None`` for nothing."""

    business_ids: tuple[str, ...]
    answer: str | None = None


class ReceiveText:
    """Receives one text. Everything is stored when it returns."""

    def __init__(
        self,
        businesses: BusinessDirectory,
        contacts: ContactBook,
        replies: ReplyBook,
        tell: TellContact,
        clock: Clock,
    ) -> None:
        self._businesses = businesses
        self._contacts = contacts
        self._replies = replies
        self._tell = tell
        self._clock = clock

    def __call__(self, text: IncomingText) -> Received:
        """Keep it and apply it. Raises ``ConcurrentChangeError`` when others keep changing a contact: come again."""
        businesses = {business.business_id: business for business in self._businesses.sending_from(text.senders)}
        if not businesses:
            return Received(())
        now = self._clock.now()
        keys = tuple(ContactKey(business_id, Channel.SMS, text.number).hashed for business_id in businesses)
        receipt = self._replies.receive(text.reply_id, FirstReceipt(now, keys))
        replies: list[tuple[Business, Reply]] = []
        for key in receipt.keys:
            # Whoever has come to send from the number since then was not meant.
            business = businesses.get(key.business_id)
            if business is None:
                continue
            reply = self._replies.get(key, receipt, text.reply_id)
            if reply is None and now - receipt.at > TRIED_AGAIN_FOR:
                # It was kept for as long as replies are.
                continue
            reply = reply or self._replies.add(understood(text, key.business_id, receipt.at))
            self._apply(ContactKey(key.business_id, Channel.SMS, text.number), reply)
            replies.append((business, reply))
        answer = None if text.keyword is not None else _answer(replies)
        return Received(tuple(business.business_id for business, _ in replies), answer)

    def _apply(self, key: ContactKey, reply: Reply) -> None:
        if reply.evidence:
            self._tell(self._contacts.get_many([key])[key], reply.evidence)


def _answer(replies: Sequence[tuple[Business, Reply]]) -> str | None:
    """One answer for all the businesses of a sender."""
    keywords = {reply.keyword for _, reply in replies if reply.keyword is not None}
    if len(keywords) != 1:
        return None
    return answer_to(keywords.pop(), [business for business, _ in replies])
