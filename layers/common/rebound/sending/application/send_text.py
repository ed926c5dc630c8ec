"""Sending one chunk of texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.businesses.domain.business import SendingAccount
from rebound.campaigns.domain.breaker import FAULTS, reason_of_refusal
from rebound.campaigns.domain.campaigns import HALTED
from rebound.eligibility.domain.eligibility import Hold
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import Scope
from rebound.kernel.placeholders import NOTHING_MORE
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import Outcome as ReceiptOutcome
from rebound.kernel.receipts import Receipt
from rebound.messages.domain.links import Purpose, links_among
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.rates.domain import Throttled
from rebound.sending.domain.chunk_tasks import ChunkTask
from rebound.sending.domain.outcomes import KeptBack, Outcome, Outcomes, PlanExhausted, Settled
from rebound.sending.domain.recipients import (
    NOT_OUT,
    Accepted,
    ClaimedChunk,
    Recipient,
    Refused,
    SendResult,
    Unknown,
    accepted,
    cannot_render,
    is_senders_fault,
    of_a_single_message,
    unknown,
)
from rebound.templates.domain.content import Said, TemplateContent, TextContent, contents_of
from rebound.templates.domain.footers import CONFIRM_URL, STOP_URL, scope_of
from rebound.templates.domain.rendering import uses
from rebound.templates.domain.sendable import for_one, text_to_send

if TYPE_CHECKING:
    from datetime import datetime

    from rebound.businesses.ports import BusinessDirectory
    from rebound.messages.application.write_links import LinkWriter
    from rebound.messages.domain.links import ShortLink
    from rebound.messages.ports import MessageLog, ShortLinkBook
    from rebound.platform.ports import Clock
    from rebound.rates.application import RecordThrottle
    from rebound.sending.application.acquire_send_slot import AcquireSendSlot
    from rebound.sending.application.chunk_lifecycle import ChunkLifecycle
    from rebound.sending.application.decide_recipients import DecideRecipients
    from rebound.sending.application.fall_back import FallBackToEmail
    from rebound.sending.ports import ReceiptQueue, Texter
    from rebound.text_plans.application.meter_texts import MeterTexts

FRESH_FOR: Final = timedelta(seconds=1)
"""How long a decision holds, so that nobody is texted later than two seconds after their STOP was answered."""


class SendText(Struct, frozen=True, kw_only=True):
    """Claims a chunk, decides again and hands the texts over one by one.

    Each text is a call of its own, so each recipient is claimed in the message log before the call. A worker that dies
    leaves at most one text ``uncertain``, and the next worker sends those to which it had not come.

    Texts that the provider refuses for a cause on our side are kept back at first. If many of a chunk are refused so,
    the campaign is paused and they remain to be sent; otherwise they have failed.
    """

    chunks: ChunkLifecycle
    decide: DecideRecipients
    messages: MessageLog
    businesses: BusinessDirectory
    clock: Clock
    texter: Callable[[Provider], Texter]
    receipts: ReceiptQueue
    fall_back: FallBackToEmail
    acquire_slot: AcquireSendSlot
    record_throttle: RecordThrottle
    meter: Callable[[], MeterTexts]
    links: Callable[[], LinkWriter]
    short_links: ShortLinkBook

    def __call__(self, task: ChunkTask, owner: str, may_go_on: Callable[[], bool]) -> None:
        """Send what is left of a chunk whose turn it is, while there is time.

        Raises ``ChunkHeldError`` when another worker has it.
        """
        account = self.businesses.get(task.key.business_id).text_account
        claimed = self.chunks.claim(task.key, owner, self.acquire_slot(Channel.SMS, task, account))
        if claimed is None:
            return
        known = self.chunks.known_of_earlier(claimed)
        self.fall_back.go_on(claimed, known.values())
        if claimed.settle:
            self._settle(claimed, known)
        elif claimed.campaign.status in HALTED:
            self.chunks.halt(claimed, claimed.unrecorded(known))
        else:
            self._send(claimed, claimed.unrecorded(known), task.size, account, may_go_on)

    def _settle(self, claimed: ClaimedChunk, known: Mapping[str, Message]) -> None:
        """End an attempt that died: texts claimed without an outcome are ``uncertain``; unclaimed ones come again."""
        lost = [customer_id for customer_id, message in known.items() if message.status is MessageStatus.SENDING]
        self.chunks.settle(claimed, lost, claimed.unrecorded(known), self._texter(claimed).provider)

    def _send(
        self,
        claimed: ClaimedChunk,
        remaining: Sequence[str],
        booked: int,
        account: SendingAccount,
        may_go_on: Callable[[], bool],
    ) -> None:
        """Read, decide, mark, then send and record one after the other until something speaks against the next."""
        decided_at = self.clock.now()
        outcomes = self._decide(claimed, remaining, booked)
        if outcomes.to_send or outcomes.without_room:
            self.chunks.mark(claimed)
        tried = 0
        for recipient in self._decided_lately(claimed, outcomes, decided_at):
            if self.chunks.is_halted(claimed):
                self.chunks.halt(claimed, outcomes.left)
                return
            outcome: Outcome = self.decide.again(claimed, recipient)
            if not isinstance(outcome, Hold):
                if not may_go_on():
                    break
                tried += 1
            outcomes[recipient] = outcome = self._recorded(claimed, recipient, outcome)
            if isinstance(outcome, KeptBack):
                outcomes.pause_because = self._reason_to_pause(claimed, outcomes.of(KeptBack), tried)
            if isinstance(outcome, Throttled) or outcomes.pause_because is not None:
                break
        self.record_throttle(account, outcomes.of(Throttled))
        if outcomes.pause_because is None:
            self._give_up(claimed, outcomes)
            self._fall_back(claimed, outcomes)
        self.chunks.finish(claimed, outcomes)

    def _decide(self, claimed: ClaimedChunk, customer_ids: Sequence[str], booked: int) -> Outcomes:
        """Decide, record who is left out, and reserve segments for the others."""
        outcomes = self.decide(claimed, customer_ids, booked)
        self.chunks.release_earlier(claimed, outcomes.kept_from_sending)
        self.messages.record(outcomes.of(Message))
        if claimed.business.text_plan is not None:
            self._reserve_segments(claimed, outcomes)
        return outcomes

    def _reserve_segments(self, claimed: ClaimedChunk, outcomes: Outcomes) -> None:
        """Reserve what the texts to send count, for all in one write; who gets none is not to be sent to."""
        from rebound.templates.domain.text_size import size_of_text  # noqa: PLC0415 - only where there is a plan

        bodies = {r.message.key: self._body(claimed, r, self._link_in(claimed, r)) for r in outcomes.to_send}
        wanted = {key: size_of_text(body).segments for key, body in bodies.items() if body is not None}
        reserved = self.meter().reserve(claimed.business, wanted)
        for recipient in outcomes.to_send:
            entry = reserved.get(recipient.message.key)
            if entry is not None:
                outcomes[recipient] = replace(recipient, message=replace(recipient.message, segments=entry.segments))
            elif recipient.message.key in wanted:
                outcomes[recipient] = PlanExhausted(recipient)

    def _decided_lately(self, claimed: ClaimedChunk, outcomes: Outcomes, decided_at: datetime) -> Iterator[Recipient]:
        """The recipients still to be sent to, one by one, each decided on at most ``FRESH_FOR`` ago.

        A slow sender takes a minute or more for a chunk, and a STOP must be heeded meanwhile. So the next recipients
        are decided on again, as many at a time as can be served at the pace so far while the decision is fresh. Each
        recipient costs about one more read, and a chunk that is served at once costs none.
        """
        waiting = list(outcomes.to_send)
        fresh, served = len(waiting), 0
        while waiting:
            now = self.clock.now()
            in_time = now - decided_at < FRESH_FOR
            if fresh and in_time:
                yield waiting.pop(0)
                fresh, served = fresh - 1, served + 1
            else:
                count = max(1, served * 2 if in_time else served)
                business = self.businesses.get(claimed.chunk.key.business_id)
                current = ClaimedChunk.under(business, claimed.chunk, claimed.campaign, settle=claimed.settle)
                again = self._decide(current, [recipient.customer_id for recipient in waiting[:count]], count)
                outcomes.by_customer.update(again.by_customer)
                waiting[:count] = again.to_send
                decided_at, fresh, served = now, len(again.to_send), 0

    def _recorded(self, claimed: ClaimedChunk, recipient: Recipient, outcome: Outcome) -> Outcome:
        """Hand the text over if the recipient is still to be sent to; record and return the outcome."""
        if isinstance(outcome, Recipient):
            outcome = self._hand_over(claimed, recipient)
        else:
            self.chunks.release_earlier(claimed, [recipient.customer_id])
        if isinstance(outcome, Message):
            self.messages.record([outcome])
        return outcome

    def _hand_over(self, claimed: ClaimedChunk, recipient: Recipient) -> Outcome:
        """Render, reserve, claim the message and hand it over."""
        message, texter, link = recipient.message, self._texter(claimed), self._link_in(claimed, recipient)
        body = self._body(claimed, recipient, link)
        if body is None:
            self.chunks.release_earlier(claimed, [recipient.customer_id])
            return cannot_render(message)
        reserved = self.decide.reserve(claimed, recipient)
        if isinstance(reserved, Message):
            self.chunks.release_segments(claimed, [recipient.customer_id])
            return reserved
        if link is not None:
            # Before the text can be on a phone.
            self.short_links.keep(link)
        if not self.messages.claim(message):
            return Settled()
        result = texter.send(claimed.business.text_from, message.key, recipient.address, body, self._valid_for(claimed))
        if claimed.campaign.single:
            result = of_a_single_message(result)
        if isinstance(result, NOT_OUT):
            self.chunks.release(claimed, [recipient.customer_id])
        return self._after(claimed, recipient, result)

    def _after(self, claimed: ClaimedChunk, recipient: Recipient, result: SendResult) -> Outcome:
        """What becomes of a recipient after the call; a text that remains to be sent loses its claim."""
        message, provider, now = recipient.message, self._texter(claimed).provider, self.clock.now()
        match result:
            case Accepted(provider_id, segments):
                message = self._settled(claimed, message, segments)
                if not provider.traits.returns_key:
                    self.messages.remember_provider_id(provider, provider_id, message.key)
                return accepted(message, provider, provider_id, now)
            case Refused() if is_senders_fault(result, provider) and not claimed.campaign.single:
                self.messages.release(message.key)
                return KeptBack(recipient, result)
            case Refused():
                return self._fail(claimed, message, result)
            case Throttled():
                self.messages.release(message.key)
                return result
            case Unknown():
                return unknown(message, provider, now)

    def _settled(self, claimed: ClaimedChunk, message: Message, segments: int | None) -> Message:
        """The message with the provider's own count of its segments, where it differs from ours, and says something."""
        if message.segments is None or not segments or segments == message.segments:
            return message
        self.meter().settle(message.key, segments, claimed.business)
        return replace(message, segments=segments)

    def _give_up(self, claimed: ClaimedChunk, outcomes: Outcomes) -> None:
        """Fail the texts kept back; they are claimed again, so that nobody tries them before their receipts arrive."""
        for kept in outcomes.of(KeptBack):
            if self.messages.claim(kept.recipient.message):
                self._fail(claimed, kept.recipient.message, kept.refused)
            outcomes[kept.recipient] = Settled()

    def _fall_back(self, claimed: ClaimedChunk, outcomes: Outcomes) -> None:
        """Let those go by email for whom the text plan has no room; record who is left out for that."""
        recipients = outcomes.without_room
        if not recipients:
            return
        if claimed.chunk.attempts > 1:
            self.chunks.release(claimed, [recipient.customer_id for recipient in recipients])
        became = self.fall_back(claimed, recipients)
        self.messages.record([outcome for outcome in became.values() if isinstance(outcome, Message)])
        outcomes.by_customer.update(became)

    def _fail(self, claimed: ClaimedChunk, message: Message, refused: Refused) -> Settled:
        """Put a refusal on the receipts queue, like all outcomes, because it may say something about the address."""
        provider, now = self._texter(claimed).provider, self.clock.now()
        self.receipts.put(
            Receipt(provider, ReceiptOutcome.FAILED, now, message.key, code=refused.code, detail=refused.detail)
        )
        return Settled()

    def _reason_to_pause(self, claimed: ClaimedChunk, kept: Sequence[KeptBack], tried: int) -> str | None:
        """Why the campaign should pause with so many of the ``tried`` texts kept back; ``None`` when it should not."""
        if not FAULTS.is_passed_by(len(kept), tried):
            return None
        return reason_of_refusal(self._texter(claimed).provider, kept[-1].refused.code, len(kept), tried)

    def _texter(self, claimed: ClaimedChunk) -> Texter:
        return self.texter(claimed.business.text_provider)

    def _link_in(self, claimed: ClaimedChunk, recipient: Recipient) -> ShortLink | None:
        """The recipient's own link in the text, if it has one, mostly to stop such texts: nobody else pays for it."""
        campaign, said = claimed.campaign, claimed.said_to(recipient.customer_id)
        scope, key = scope_of(campaign.category), recipient.customer.contact_key(Channel.SMS)
        purpose = next(iter(_own_links(said).values()), None)
        if purpose is not None and key is not None:
            return self.links().short_link(key, recipient.message.key, purpose)
        if scope is None or key is None or not any(uses(each, STOP_URL) for each in contents_of(said)):
            return None
        return self.links().stop_link(key, recipient.message.key, scope)

    def _valid_for(self, claimed: ClaimedChunk) -> timedelta | None:
        expires_at = claimed.campaign.expires_at
        return None if expires_at is None else expires_at - self.clock.now()

    def _voucher(self, claimed: ClaimedChunk, recipient: Recipient) -> Mapping[str, str]:
        """What the recipient's message says of the voucher, if the campaign has one: nobody else pays for it."""
        voucher = claimed.campaign.voucher
        if voucher is None:
            return NOTHING_MORE
        from rebound.messages.application.voucher_values import voucher_values  # noqa: PLC0415

        code = self.links().voucher_code(recipient.message.key, voucher.number)
        return voucher_values(
            voucher, code, recipient.customer, claimed.business, claimed.campaign.channel, self.clock.now()
        )

    def _body(self, claimed: ClaimedChunk, recipient: Recipient, link: ShortLink | None) -> str | None:
        """The text for one recipient, ``None`` when it cannot be sent. Only who may get tests is asked with a link."""
        said = claimed.said_to(recipient.customer_id)
        found = for_one(said, recipient.customer, claimed.business, self._voucher(claimed, recipient))
        if found is None or not isinstance(found.content, TextContent):
            return None
        content, values = found.content, found.values
        if link is not None:
            values = {**values, **dict.fromkeys([*_own_links(said), STOP_URL], link.url)}
        key = recipient.customer.contact_key(Channel.SMS)
        if claimed.campaign.test_to is not None and CONFIRM_URL in content.body and key is not None:
            urls = self.links().urls(key, recipient.message.key, {Purpose.CONFIRM: Scope.MARKETING})
            values = {**values, CONFIRM_URL: urls[Purpose.CONFIRM]}
        smart = claimed.business.smart_encoding
        return text_to_send(content, values, found.addresses, smart=smart)


def _own_links(said: Said) -> Mapping[str, Purpose]:
    """The variables of a message in whose place a link of the recipient's own is written."""
    return links_among(said.made_from.variables) if isinstance(said, TemplateContent) else {}
