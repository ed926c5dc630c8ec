"""Sending one chunk of texts."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from rebound.application.ports import (
    Accepted,
    MessageLog,
    ReceiptQueue,
    Refused,
    Texter,
    Throttled,
    Unknown,
)
from rebound.application.send_chunk import (
    LONGEST_DELAY,
    ChunkDesk,
    Recipient,
    Work,
    accepted,
    cannot_render,
    unknown,
)
from rebound.domain.business import TextProvider
from rebound.domain.campaigns import HALTED, TextContent
from rebound.domain.chunks import ChunkKey
from rebound.domain.messages import MessageStatus
from rebound.domain.provider_codes import Provider
from rebound.domain.receipts import Outcome, Receipt
from rebound.domain.rendering import MAX_TEXT_CHARACTERS, render_text, values_of

AT_ONCE: Final = timedelta()
OUT_OF_TIME: Final = Throttled("out_of_time")
"""Not the provider's word but our own: the function is about to end."""


class SendText:
    """Claims a chunk, decides again and hands the texts over one by one.

    Each text is a call of its own, so each recipient is claimed in the message log before the call: a worker that dies
    leaves at most one text ``uncertain``, and those it had not come to are sent by the next one.
    """

    def __init__(
        self, desk: ChunkDesk, texters: Mapping[TextProvider, Callable[[], Texter]], receipts: ReceiptQueue
    ) -> None:
        self._desk = desk
        self._texters = texters
        self._receipts = receipts

    def __call__(self, key: ChunkKey, owner: str, may_go_on: Callable[[], bool]) -> None:
        """Send what is left of a chunk while there is time. Raises ``ChunkHeldError`` when another worker has it."""
        work = self._desk.take(key, owner)
        if work is None:
            return
        texter = self._texters[work.business.text_provider]()
        remaining = self._settle(work, texter) if work.settle else work.chunk.remaining
        if work.campaign.status in HALTED:
            self._desk.halt(work, remaining)
            return
        decided = self._desk.decide(work, remaining)
        self._log.record(decided.excluded)
        if decided.recipients:
            self._desk.chunks.mark(work.chunk, self._desk.clock.now())
        for number, recipient in enumerate(decided.recipients):
            if self._desk.halted(work):
                self._desk.halt(work, [r.customer.customer_id for r in decided.recipients[number:]])
                return
            throttled = self._send(work, texter, recipient) if may_go_on() else OUT_OF_TIME
            if throttled is not None:
                rest = [r.customer.customer_id for r in decided.recipients[number:]]
                delay = AT_ONCE if throttled is OUT_OF_TIME else LONGEST_DELAY if throttled.daily else None
                self._desk.again_later(work, rest, delay)
                return
        self._desk.chunks.finish(work.chunk)

    @property
    def _log(self) -> MessageLog:
        return self._desk.messages

    def _settle(self, work: Work, texter: Texter) -> tuple[str, ...]:
        """Texts claimed and without an outcome are uncertain; those that were never claimed remain to be sent."""
        known = self._desk.known(work)
        lost = [c for c, message in known.items() if message.status is MessageStatus.SENDING]
        self._log.record(self._desk.uncertain(work, lost, texter.provider))
        return tuple(
            customer_id
            for customer_id in work.chunk.remaining
            if customer_id not in known or known[customer_id].status is MessageStatus.QUEUED
        )

    def _send(self, work: Work, texter: Texter, recipient: Recipient) -> Throttled | None:
        message, content = recipient.message, work.campaign.content
        body = ""
        if isinstance(content, TextContent):
            body = render_text(content, values_of(recipient.customer, work.business))
        if not 0 < len(body.strip()) <= len(body) <= MAX_TEXT_CHARACTERS:
            self._log.record([cannot_render(message)])
            return None
        if not self._log.claim(message):
            return None
        result = texter.send(work.business.text_from, message.key, recipient.address, body)
        now = self._desk.clock.now()
        match result:
            case Accepted(provider_id):
                if texter.provider is Provider.SNS:
                    self._log.remember_provider_id(Provider.SNS, provider_id, message.key)
                self._log.record([accepted(message, texter.provider, provider_id, now)])
            case Refused(code, detail):
                receipt = Receipt(texter.provider, Outcome.FAILED, now, message.key, code=code, detail=detail)
                self._receipts.put(receipt)
            case Throttled():
                self._log.release(message.key)
                return result
            case Unknown():
                self._log.record([unknown(message, texter.provider, now)])
        return None
