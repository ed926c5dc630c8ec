"""What a text that somebody sends us changes, and what is answered to it.

A text belongs to every business that sends from the number it came to: customers cannot tell these businesses apart.
If no business sends from it any more, the text belongs to those that did, because people answer old messages. If others
send from it now, a former one gets only its own customers' texts that may be a stop: nobody can know who was meant.

What a text means is decided when it is first received, and kept. Each time that the text is received again, the kept
decision is applied again, which changes nothing if it was applied before. So a text delivered twice counts once, and
a text that somebody replays later cannot undo what was said since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.businesses.domain.business import AnsweredBy, Business
from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.replies import FirstReceipt, Keyword, Reply
from rebound.customers.domain import Customer, language_for, shared_language
from rebound.inbound.domain.replies import IncomingText, may_stop, understood
from rebound.inbound.domain.stop_words import depends_on_language
from rebound.inbound.domain.stopped_texts import answer_to
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import Scope
from rebound.kernel.events import AppointmentConfirmed, ReplyReceived
from rebound.messages.domain.appointments import Answered, Asked
from rebound.messages.domain.goals import GoalKind
from rebound.messages.domain.messages import MessageStatus
from rebound.text_plans.domain import InboundKind

if TYPE_CHECKING:
    from datetime import datetime

    from rebound.businesses.ports import BusinessDirectory
    from rebound.contacts.ports import ContactBook, ReplyBook
    from rebound.customers.ports import CustomerBook
    from rebound.inbound.application.tell_replies import TellReplies
    from rebound.messages.application.note_opt_outs import NoteOptOuts
    from rebound.messages.application.reach_goals import ReachGoals
    from rebound.messages.application.record_evidence import RecordEvidence
    from rebound.messages.ports import AppointmentBook, MessageLog
    from rebound.platform.ports import Clock
    from rebound.text_plans.application.meter_texts import MeterTexts
    from rebound.webhooks.application.publish_events import PublishEvents

TRIED_AGAIN_FOR: Final = timedelta(hours=1)
"""How long after its first receipt a text that is not kept may have failed half way; Twilio retries for seconds."""
WENT_OUT: Final = frozenset(
    {MessageStatus.SENDING, MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.UNCERTAIN}
)


class Received(Struct, frozen=True):
    """What became of a text: the businesses it was for, and the answer; ``None`` when there is none."""

    business_ids: tuple[str, ...]
    answer: str | None = None


class _Taken(Struct, frozen=True):
    """A text as one business takes it, and the contact as it was before."""

    business: Business
    contact: Contact
    reply: Reply


class ReceiveText(Struct, frozen=True, kw_only=True):
    """Receives one text. Everything is stored when it returns."""

    businesses: BusinessDirectory
    contacts: ContactBook
    customers: CustomerBook
    replies: ReplyBook
    messages: MessageLog
    appointments: AppointmentBook
    publish: PublishEvents
    record_evidence: RecordEvidence
    note_opt_outs: NoteOptOuts
    meter: Callable[[], MeterTexts]
    tell: Callable[[], TellReplies]
    reach: Callable[[], ReachGoals]
    clock: Clock

    def __call__(self, text: IncomingText) -> Received:
        """Keep and apply the text. Raises ``ConcurrentChangeError`` when others keep changing a contact: try again."""
        businesses = {business.business_id: business for business in self.businesses.having_sent_from(text.senders)}
        present = {id_ for id_, business in businesses.items() if business.text_from in text.senders}
        holders = present or set(businesses)
        numbers = {business_id: ContactKey.of(business_id, Channel.SMS, text.number) for business_id in businesses}
        contacts = self.contacts.get_many(numbers.values())
        heard = [
            key.hashed
            for business_id, key in numbers.items()
            if business_id in holders or (may_stop(text) and contacts[key].is_used)
        ]
        if not heard:
            return Received(())
        now = self.clock.now()
        receipt = self.replies.receive(text.reply_id, FirstReceipt(now, tuple(heard)))
        taken: list[_Taken] = []
        for key in receipt.keys:
            # Only those of the first receipt: a business that began to send from the number later was not meant.
            business = businesses.get(key.business_id)
            if business is None:
                continue
            if business.text_plan is not None and business.business_id in holders:
                self._count(text, business, receipt.at)
            reply = self.replies.get(key, receipt, text.reply_id)
            if reply is None and now - receipt.at > TRIED_AGAIN_FOR:
                # The reply was kept, for as long as replies are, and has expired.
                continue
            contact = contacts[numbers[key.business_id]]
            reply = reply or self.replies.add(self._understood(text, business, contact, receipt.at))
            self._apply(business, contact, reply)
            if reply.is_waiting and now - receipt.at <= TRIED_AGAIN_FOR:
                self.publish([_received(contact, reply)], reply.at, business=business)
            if now - receipt.at <= TRIED_AGAIN_FOR and reply.keyword is None:
                self.tell()(contact, reply)
            taken.append(_Taken(business, contact, reply))
        answering = [each for each in taken if each.business.business_id in holders]
        answer = None if text.keyword is not None else self._answer(answering)
        return Received(tuple(each.business.business_id for each in taken), answer)

    def _count(self, text: IncomingText, business: Business, at: datetime) -> None:
        """Count the text against the plan of a business that sends from the number, if that counts what comes in."""
        self.meter().count_inbound(business, InboundKind.TEXT, text.reply_id, text.segments, at)

    def _understood(self, text: IncomingText, business: Business, contact: Contact, at: datetime) -> Reply:
        consent = contact.consent
        return understood(
            text,
            business.business_id,
            at,
            asked=self._open(contact.key),
            stopped=consent.of(Scope.ALL).opted_out,
            opting_in=business.double_opt_in.sms and not consent.is_confirmed,
            confirming=business.text_answers.confirmation_words,
            languages=self._languages(contact, business) if depends_on_language(text.body) else (),
        )

    def _languages(self, contact: Contact, business: Business) -> frozenset[str]:
        """The languages of those who have the number; the business's for who has none, and for a number of nobody."""
        spoken = {language_for(owner, business) for owner in self._owners(contact)}
        return frozenset(spoken or {business.language})

    def _open(self, key: ContactKey) -> Sequence[Asked]:
        """The questions that have gone out, the latest first."""
        asked = self.appointments.asked(key)
        messages = self.messages.get_many([question.key for question in asked])
        went_out = {key for key, message in messages.items() if message.status in WENT_OUT}
        return [question for question in asked if question.key in went_out]

    def _apply(self, business: Business, contact: Contact, reply: Reply) -> None:
        key = contact.key
        # This undoes no later decision of staff: a hold has the least weight, and is older than its release.
        if reply.evidence:
            self.record_evidence(contact, reply.evidence)
        if reply.keyword is Keyword.STOP:
            self.note_opt_outs.by_text(contact.key, contact.customer_ids, reply.at)
        if reply.appointment_id is not None:
            answered = Answered(reply.at, reply.reply_id, reply.confirms)
            self.appointments.record(key.business_id, reply.appointment_id, answered)
        if reply.confirms:
            self._confirm(business, key, reply)
        if reply.is_answer and business.counts_goals(reply.at):
            self._reach_goals(contact, reply)

    def _reach_goals(self, contact: Contact, reply: Reply) -> None:
        """The text may be what a campaign was to bring about, unless a phone wrote it by itself."""
        from rebound.contacts.domain.automatic_replies import is_automatic  # noqa: PLC0415 - few campaigns have a goal

        if not is_automatic(reply.body or ""):
            for owner in self._owners(contact):
                self.reach()(owner.business_id, owner.customer_id, lambda: ({GoalKind.REPLY: [reply.at]}, False))

    def _confirm(self, business: Business, key: ContactKey, reply: Reply) -> None:
        """Publish the confirmation and close the appointment's open questions; does nothing once they are closed."""
        about = (reply.customer_id, reply.appointment_id)
        answered = [a for a in self.appointments.asked(key) if (a.key.customer_id, a.appointment_id) == about]
        # A question asked after the reply is another question.
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
        self.publish([confirmed], reply.at, business=business)
        self.appointments.close(key, answered)

    def _answer(self, taken: Sequence[_Taken]) -> str | None:
        """One answer for all businesses of a sender; none where Twilio answers for one of them, so for the number."""
        keywords = {each.reply.keyword for each in taken if each.reply.keyword is not None}
        businesses = [each.business for each in taken]
        if len(keywords) != 1 or any(b.text_answers.keywords is AnsweredBy.TWILIO for b in businesses):
            return None
        language = shared_language(customer for each in taken for customer in self._owners(each.contact))
        return answer_to(keywords.pop(), businesses, language or businesses[0].language)

    def _owners(self, contact: Contact) -> Iterable[Customer]:
        """The customers who have the number now."""
        known = self.customers.get_many(contact.key.business_id, sorted(contact.customer_ids))
        return [customer for customer in known.values() if customer.contact_key(Channel.SMS) == contact.key]


def _received(contact: Contact, reply: Reply) -> ReplyReceived:
    """The event that a text waits for staff; the same each time that the text is received again."""
    return ReplyReceived(
        reply.key.business_id,
        reply.reply_id,
        tuple(sorted(contact.customer_ids)),
        reply.meaning,
        reply.keyword,
        reply.message_id,
        reply.customer_id,
        reply.appointment_id,
        reply.at,
        reply.reply_id,
    )
