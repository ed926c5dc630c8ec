"""Texts for which the text plan has no room: by email where that may be sent, else not at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from copy import replace
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.businesses.domain.quiet_hours import Whereabouts
from rebound.campaigns.domain.chunks import Chunk, ChunkState
from rebound.eligibility.application.frequency_reservations import known_frequencies
from rebound.eligibility.domain.eligibility import Exclusion, decide
from rebound.kernel.channels import Channel
from rebound.messages.domain.appointments import question_of
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.sending.domain.chunk_tasks import ChunkTask, channel_of, lane_of
from rebound.sending.domain.outcomes import Outcome, Settled
from rebound.sending.domain.recipients import ClaimedChunk, Recipient, left_out

if TYPE_CHECKING:
    from rebound.campaigns.ports import ChunkLedger
    from rebound.contacts.ports import ContactBook
    from rebound.eligibility.application.limit_recipients import LimitRecipients
    from rebound.eligibility.ports import FrequencyBook
    from rebound.messages.ports import AppointmentBook, MessageLog
    from rebound.platform.ports import Clock
    from rebound.sending.ports import ChunkQueue


class FallBackToEmail(Struct, frozen=True, kw_only=True):
    """Moves messages of a chunk of texts to a chunk of their own on the email lane.

    A message is moved by a conditional write of its row, and only one that no provider can have: from then on no sender
    of texts can claim it. The row names the attempt that moved it, and so the one chunk of emails that it is in. A
    worker that dies before that chunk is there, or is on its lane, leaves rows that say so; whoever claims the chunk of
    texts next goes on from them (``go_on``). The sender of emails decides about each of them again (truth 6).
    """

    contacts: ContactBook
    frequencies: FrequencyBook
    messages: MessageLog
    appointments: AppointmentBook
    chunks: ChunkLedger
    queue: ChunkQueue
    limit_recipients: LimitRecipients
    whereabouts: Whereabouts
    clock: Clock

    def __call__(self, claimed: ClaimedChunk, recipients: Sequence[Recipient]) -> Mapping[str, Outcome]:
        """Move those who may get an email in place of their text; what becomes of each, by customer."""
        moved: list[Message] = []
        outcomes: dict[str, Outcome] = {}
        decided = list(self._decided(claimed, recipients))
        admitted = self._admitted(claimed, sum(message is not None for _, message in decided))
        for recipient, message in decided:
            if message is not None:
                admitted -= 1
            if message is None or admitted < 0:
                outcomes[recipient.customer_id] = left_out(recipient.message, Exclusion.TEXT_PLAN_EXHAUSTED)
                continue
            outcomes[recipient.customer_id] = Settled()
            if self.messages.fall_back(message):
                moved.append(message)
                self._move_question(recipient.message, message)
        self._bring(claimed, moved)
        return outcomes

    def go_on(self, claimed: ClaimedChunk, known: Iterable[Message]) -> None:
        """Bring those to their lane whom an earlier attempt has moved; doing it again changes nothing."""
        moved = [m for m in known if m.fell_back is not None and m.status is MessageStatus.QUEUED]
        self._bring(claimed, moved)

    def _admitted(self, claimed: ClaimedChunk, wanted: int) -> int:
        """How many may get an email in bulk on the day, where the business's bundles limit that."""
        campaign, key = claimed.campaign, claimed.chunk.key
        began_at = campaign.started_at or campaign.created_at
        part = f"{key.campaign_id}#{key.fallback(claimed.chunk.attempts).chunk}"
        return self.limit_recipients.admitted(claimed.business, campaign.by_email, part, wanted, began_at)

    def _decided(
        self, claimed: ClaimedChunk, recipients: Sequence[Recipient]
    ) -> Iterable[tuple[Recipient, Message | None]]:
        """Each with the message as it goes by email; with ``None`` where the decision is against it (truth 5)."""
        business, campaign = claimed.business, claimed.campaign.by_email
        customers = {recipient.customer_id: recipient.customer for recipient in recipients}
        keys = {c: customer.contact_key(Channel.EMAIL) for c, customer in customers.items()}
        contacts = self.contacts.get_many({key for key in keys.values() if key is not None})
        frequencies = known_frequencies(self.frequencies, business, campaign, list(customers), consistent=False)
        now = self.clock.now()
        for recipient in recipients:
            customer_id, key = recipient.customer_id, keys[recipient.customer_id]
            contact = contacts[key] if key is not None else None
            frequency = frequencies.get(customer_id)
            decision = decide(recipient.customer, contact, business, campaign, now, frequency, self.whereabouts)
            if key is None or isinstance(decision, Exclusion):
                yield recipient, None
            else:
                at_email = replace(recipient.message, channel=Channel.EMAIL, address=key.address)
                yield recipient, replace(at_email, fell_back=claimed.chunk.attempts)

    def _move_question(self, text: Message, email: Message) -> None:
        """The question that a message asks is one of the address that it goes to."""
        question = question_of(text)
        if question is not None:
            self.appointments.ask(email.contact, question, sent_at=self.clock.now())
            self.appointments.close(text.contact, [question])

    def _bring(self, claimed: ClaimedChunk, moved: Iterable[Message]) -> None:
        """Put messages that have been moved on the email lane, each in the chunk of the attempt that moved it."""
        by_attempt: defaultdict[int, list[str]] = defaultdict(list)
        for message in moved:
            by_attempt[message.fell_back or 0].append(message.key.customer_id)
        campaign, now = claimed.campaign, self.clock.now()
        for attempt, customer_ids in by_attempt.items():
            key, everybody = claimed.chunk.key.fallback(attempt), tuple(customer_ids)
            # Its attempts follow those of the texts: what these have reserved is known to be earlier, and each row is
            # read before anybody is sent to.
            self.chunks.add(Chunk(key, everybody, everybody, attempts=attempt, created_at=claimed.chunk.created_at))
            chunk = self.chunks.reopen(key, everybody, now)
            if chunk.state is ChunkState.PENDING and (chunk.not_before is None or chunk.not_before <= now):
                task = ChunkTask(key, len(chunk.remaining), lane_of(campaign))
                self.queue.put(channel_of(campaign, key), [task])
