"""Sending one chunk of texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.campaigns.domain.breaker import FAULTS, reason_of_refusal
from rebound.campaigns.domain.campaigns import HALTED
from rebound.eligibility.domain.eligibility import Exclusion, Hold
from rebound.kernel.channels import Channel
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import Outcome, Receipt
from rebound.messages.domain.content import TextContent
from rebound.messages.domain.messages import MessageStatus
from rebound.messages.domain.rendering import MAX_TEXT_CHARACTERS, render_text, values_of
from rebound.rates.domain import Throttled
from rebound.sending.application.chunk_lifecycle import AFTER_A_STOP, NO_DELAY
from rebound.sending.domain.handovers import Accepted, Refused, Unknown
from rebound.sending.domain.outcomes import accepted, cannot_render, is_senders_fault, is_unrecorded, left_out, unknown

if TYPE_CHECKING:
    from datetime import datetime

    from rebound.businesses.domain.business import TextProvider
    from rebound.businesses.domain.sending_accounts import SendingAccount
    from rebound.businesses.ports import BusinessDirectory
    from rebound.eligibility.domain.eligibility import Decision
    from rebound.messages.domain.messages import Message
    from rebound.messages.ports import MessageLog
    from rebound.platform.ports import Clock
    from rebound.rates.application import MindThrottles
    from rebound.sending.application.admit_chunk import AdmitChunk
    from rebound.sending.application.chunk_lifecycle import ChunkLifecycle
    from rebound.sending.application.decide_recipients import DecideRecipients
    from rebound.sending.domain.outcomes import ClaimedChunk, Recipient
    from rebound.sending.domain.pacing import Ticket
    from rebound.sending.ports import ReceiptQueue, Texter

FRESH_FOR: Final = timedelta(seconds=1)
"""So long a decision holds: nobody is texted later than two seconds after their STOP was answered."""
OUT_OF_TIME: Final = Throttled("out_of_time")
"""Not the provider's word but our own: the function is about to end."""


class _Waiting:
    """The recipients of a chunk who are still to be sent to, each decided upon not longer ago than ``FRESH_FOR``.

    A slow sender takes a minute and more for a chunk, and a STOP must be heeded meanwhile. Who comes next is decided
    upon again, as many at a time as the pace so far will serve while that decision is fresh, so that each costs about
    one more read and a chunk that is served at once none.
    """

    def __init__(self, sender: SendText, claimed: ClaimedChunk, customer_ids: Sequence[str], booked: int) -> None:
        self._sender = sender
        self._work = claimed
        self._decided_at = sender.clock.now()
        self.held: dict[str, Hold] = {}
        """Those who wait for their hour."""
        self.beyond: list[str] = []
        """Those for whom nothing is booked."""
        self.recipients = self._decide(claimed, customer_ids, booked)
        """In their order, also the one who is being served."""
        self._fresh = len(self.recipients)
        self._served = 0

    def next(self) -> Recipient | None:
        """Who is to be sent to now; ``None`` when nobody is left."""
        while self.recipients:
            now = self._sender.clock.now()
            in_time = now - self._decided_at < FRESH_FOR
            if self._fresh and in_time:
                return self.recipients[0]
            self._decide_again(now, max(1, self._served * 2 if in_time else self._served))
        return None

    @property
    def left(self) -> list[str]:
        """Everybody who has not been dealt with."""
        return [*_ids(*self.recipients), *self.beyond, *self.held]

    def hold(self, hold: Hold) -> None:
        """The one who was to be sent to waits after all."""
        self.held[self.recipients[0].customer.customer_id] = hold
        self.served()

    def served(self) -> None:
        """The one who was to be sent to is dealt with."""
        del self.recipients[0]
        self._fresh -= 1
        self._served += 1

    def _decide_again(self, now: datetime, count: int) -> None:
        key = self._work.chunk.key
        claimed = replace(self._work, business=self._sender.businesses.get(key.business_id))
        self.recipients[:count] = again = self._decide(claimed, _ids(*self.recipients[:count]), count)
        self._decided_at, self._fresh, self._served = now, len(again), 0

    def _decide(self, claimed: ClaimedChunk, customer_ids: Sequence[str], booked: int) -> list[Recipient]:
        decided = self._sender.decide(claimed, customer_ids, booked)
        left_out = [message.key.customer_id for message in decided.excluded]
        self._sender.chunks.release_earlier(claimed, [*left_out, *decided.held])
        self._sender.messages.record(decided.excluded)
        self.held.update(decided.held)
        self.beyond.extend(decided.beyond)
        return list(decided.recipients)


class SendText(Struct, frozen=True, kw_only=True):
    """Claims a chunk, decides again and hands the texts over one by one.

    Each text is a call of its own, so each recipient is claimed in the message log before the call: a worker that dies
    leaves at most one text ``uncertain``, and those it had not come to are sent by the next one.

    Texts that Twilio refuses for a cause on our side are kept back at first: when many of a chunk are, the campaign is
    paused and they remain to be sent; else they have failed.
    """

    chunks: ChunkLifecycle
    decide: DecideRecipients
    messages: MessageLog
    businesses: BusinessDirectory
    clock: Clock
    texters: Mapping[TextProvider, Callable[[], Texter]]
    receipts: ReceiptQueue
    admit: AdmitChunk
    mind: MindThrottles

    def __call__(self, ticket: Ticket, owner: str, may_go_on: Callable[[], bool]) -> None:
        """Send what is left of a chunk whose turn it is, while there is time.

        Raises ``ChunkHeldError`` when another worker has it.
        """
        account = self.businesses.get(ticket.key.business_id).text_account
        admission = self.admit(Channel.SMS, ticket, account)
        claimed = self.chunks.claim(ticket.key, owner, admission)
        if claimed is None:
            return
        texter = self.texters[claimed.business.text_provider]()
        if claimed.settle:
            self._settle(claimed, texter)
            return
        remaining = self.chunks.unrecorded(claimed)
        if claimed.campaign.status in HALTED:
            self.chunks.halt(claimed, remaining)
            return
        waiting = _Waiting(self, claimed, remaining, ticket.size)
        if waiting.recipients:
            self.chunks.mark(claimed)
        self._hand_over(claimed, texter, account, waiting, may_go_on)

    def _hand_over(
        self,
        claimed: ClaimedChunk,
        texter: Texter,
        account: SendingAccount,
        waiting: _Waiting,
        may_go_on: Callable[[], bool],
    ) -> None:
        """Text one after the other until something speaks against the next; who is left comes again."""
        kept: list[tuple[Recipient, Refused]] = []
        tried = 0
        while (recipient := waiting.next()) is not None:
            if self.chunks.is_halted(claimed):
                self.chunks.halt(claimed, [*_ids(*(r for r, _ in kept)), *waiting.left])
                return
            said = self.decide.again(claimed, recipient)
            if isinstance(said, Hold):
                self.chunks.release_earlier(claimed, _ids(recipient))
                waiting.hold(said)
                continue
            result = self._send(claimed, texter, recipient, said) if may_go_on() else OUT_OF_TIME
            if isinstance(result, Throttled):
                self.mind(account, [result])
                self._give_up(kept, texter)
                delay = NO_DELAY if result is OUT_OF_TIME else AFTER_A_STOP if result.daily else None
                self.chunks.put_back(claimed, waiting.left, delay)
                return
            waiting.served()
            tried += 1
            if isinstance(result, Refused):
                kept.append((recipient, result))
                if FAULTS.is_passed_by(len(kept), tried):
                    because = reason_of_refusal(texter.provider, result.code, len(kept), tried)
                    self.chunks.pause(claimed, because, [*_ids(*(r for r, _ in kept)), *waiting.left])
                    return
        self._give_up(kept, texter)
        self.chunks.finish(claimed, waiting.beyond, waiting.held, NO_DELAY)

    def _settle(self, claimed: ClaimedChunk, texter: Texter) -> None:
        """Texts claimed and without an outcome are uncertain; those that were never claimed take another turn."""
        known = self.chunks.known(claimed)
        lost = [customer_id for customer_id, message in known.items() if message.status is MessageStatus.SENDING]
        again = [customer_id for customer_id in claimed.chunk.remaining if is_unrecorded(known.get(customer_id))]
        self.chunks.settle(claimed, lost, again, texter.provider)

    def _give_up(self, kept: Sequence[tuple[Recipient, Refused]], texter: Texter) -> None:
        """Those kept back have failed. Claimed again, so that nobody else tries them while the word is on its way."""
        for recipient, refused in kept:
            if self.messages.claim(recipient.message):
                self._fail(recipient.message, texter, refused)

    def _fail(self, message: Message, texter: Texter, refused: Refused) -> None:
        """A refusal takes the one way of all outcomes, because it may say something about the address."""
        now = self.clock.now()
        self.receipts.put(
            Receipt(texter.provider, Outcome.FAILED, now, message.key, code=refused.code, detail=refused.detail)
        )

    def _left_out(self, claimed: ClaimedChunk, recipient: Recipient, said: Decision, body: str) -> Message | None:
        """The message of somebody who does not get it after all."""
        if isinstance(said, Exclusion):
            self.chunks.release_earlier(claimed, _ids(recipient))
            return left_out(recipient.message, str(said))
        if not 0 < len(body.strip()) <= len(body) <= MAX_TEXT_CHARACTERS:
            self.chunks.release_earlier(claimed, _ids(recipient))
            return cannot_render(recipient.message)
        return self.decide.reserve(claimed, recipient)

    def _valid_for(self, claimed: ClaimedChunk) -> timedelta | None:
        expires_at = claimed.campaign.expires_at
        return None if expires_at is None else expires_at - self.clock.now()

    def _send(
        self, claimed: ClaimedChunk, texter: Texter, recipient: Recipient, said: Decision
    ) -> Throttled | Refused | None:
        """Hand over one text; ``None`` when it is settled. A refusal that comes back was for a cause on our side."""
        message, body = recipient.message, _body(claimed, recipient)
        missed = self._left_out(claimed, recipient, said, body)
        if missed is not None:
            self.messages.record([missed])
            return None
        if not self.messages.claim(message):
            return None
        result = texter.send(claimed.business.text_from, message.key, recipient.address, body, self._valid_for(claimed))
        now = self.clock.now()
        if isinstance(result, Refused | Throttled):
            self.chunks.release(claimed, _ids(recipient))
        match result:
            case Accepted(provider_id):
                if texter.provider is Provider.SNS:
                    self.messages.remember_provider_id(Provider.SNS, provider_id, message.key)
                self.messages.record([accepted(message, texter.provider, provider_id, now)])
            case Refused() if is_senders_fault(result, texter.provider) and not claimed.campaign.single:
                self.messages.release(message.key)
                return result
            case Refused():
                self._fail(message, texter, result)
            case Throttled():
                self.messages.release(message.key)
                return result
            case Unknown():
                self.messages.record([unknown(message, texter.provider, now)])
        return None


def _body(claimed: ClaimedChunk, recipient: Recipient) -> str:
    content = claimed.campaign.content
    if not isinstance(content, TextContent):
        return ""
    return render_text(content, values_of(recipient.customer, claimed.business))


def _ids(*recipients: Recipient) -> Sequence[str]:
    return [recipient.customer_id for recipient in recipients]
