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
from rebound.domain.appointments import Answered
from rebound.domain.channels import Channel, ContactKey
from rebound.domain.consent import Scope
from rebound.domain.events import AppointmentConfirmed
from rebound.domain.keyword_answers import answer_to
from rebound.domain.messages import MessageStatus
from rebound.domain.replies import understood
from rebound.domain.text_answers import AnsweredBy

if TYPE_CHECKING:
    from datetime import datetime

    from rebound.application.ports import (
        AppointmentBook,
        BusinessDirectory,
        Clock,
        ContactBook,
        DomainEvents,
        MessageLog,
        ReplyBook,
    )
    from rebound.application.tell_contact import TellContact
    from rebound.domain.business import Business
    from rebound.domain.replies import Asked, IncomingText, Reply

TRIED_AGAIN_FOR: Final = timedelta(hours=1)
"""So long after the first receipt a text that is not kept may be one that failed half way; Twilio tries for seconds."""
WENT_OUT: Final = frozenset(
    {MessageStatus.SENDING, MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.UNCERTAIN}
)


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
        messages: MessageLog,
        appointments: AppointmentBook,
        events: DomainEvents,
        tell: TellContact,
        clock: Clock,
    ) -> None:
        self._businesses = businesses
        self._contacts = contacts
        self._replies = replies
        self._messages = messages
        self._appointments = appointments
        self._events = events
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
            reply = reply or self._replies.add(self._understood(text, business, receipt.at))
            self._apply(ContactKey(key.business_id, Channel.SMS, text.number), reply)
            replies.append((business, reply))
        answer = None if text.keyword is not None else _answer(replies)
        return Received(tuple(business.business_id for business, _ in replies), answer)

    def _understood(self, text: IncomingText, business: Business, at: datetime) -> Reply:
        key = ContactKey(business.business_id, Channel.SMS, text.number)
        consent = self._contacts.get_many([key])[key].consent
        return understood(
            text,
            business.business_id,
            at,
            asked=self._open(key),
            stopped=consent.of(Scope.ALL).opted_out,
            opting_in=business.double_opt_in.sms and not consent.is_confirmed,
            confirming=business.text_answers.confirmation_words,
        )

    def _open(self, key: ContactKey) -> Sequence[Asked]:
        """The questions that have gone out, the latest first."""
        asked = self._appointments.asked(key)
        messages = self._messages.get_many([question.key for question in asked])
        went_out = {key for key, message in messages.items() if message.status in WENT_OUT}
        return [question for question in asked if question.key in went_out]

    def _apply(self, key: ContactKey, reply: Reply) -> None:
        # What staff have decided since is not undone: a hold weighs less, and is older, than its release.
        if reply.evidence:
            self._tell(self._contacts.get_many([key])[key], reply.evidence)
        if reply.appointment_id is not None:
            answered = Answered(reply.at, reply.reply_id, reply.confirms)
            self._appointments.record(key.business_id, reply.appointment_id, answered)
        if reply.confirms:
            self._confirm(key, reply)

    def _confirm(self, key: ContactKey, reply: Reply) -> None:
        """Tell, and close what was asked about the appointment; nothing once it is closed."""
        about = (reply.customer_id, reply.appointment_id)
        answered = [a for a in self._appointments.asked(key) if (a.key.customer_id, a.appointment_id) == about]
        # Asked again since is another question.
        answered = [question for question in answered if question.at <= reply.at]
        if not answered or reply.customer_id is None or reply.appointment_id is None or reply.message_id is None:
            return
        confirmed = AppointmentConfirmed(
            key.business_id,
            reply.appointment_id,
            reply.customer_id,
            reply.message_id,
            reply.reply_id,
            reply.at,
            reply.reply_id,
        )
        self._events.publish([confirmed])
        self._appointments.close(key, answered)


def _answer(replies: Sequence[tuple[Business, Reply]]) -> str | None:
    """One answer for all the businesses of a sender; what Twilio does for one of them it does for the number."""
    keywords = {reply.keyword for _, reply in replies if reply.keyword is not None}
    businesses = [business for business, _ in replies]
    if len(keywords) != 1 or any(b.text_answers.keywords is AnsweredBy.TWILIO for b in businesses):
        return None
    return answer_to(keywords.pop(), businesses)
