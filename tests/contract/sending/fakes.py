"""The queues of a run in memory, and providers that answer by script."""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from copy import replace
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from rebound.kernel.channels import Channel
from rebound.kernel.provider_codes import TEXT_PROVIDERS, Provider
from rebound.kernel.receipts import MessageKey, Receipt
from rebound.rates.domain import Lane
from rebound.sending.domain.chunk_tasks import ChunkTask, DeferredChunkTask
from rebound.sending.domain.recipients import Accepted, OutgoingEmail, SendResult
from tests.contract.campaigns.fakes import MemoryCampaignsPorts
from tests.contract.platform.fakes import FakeClock
from tests.contract.timers.fakes import MemoryTimersPorts
from tests.fakes.queues import MemoryQueue

Taken = Callable[[MessageKey, str, str], None]
"""Told of each message that the provider has: its key, its address and the provider's id."""


@dataclass(frozen=True, slots=True)
class Handed:
    """One message that was handed to a provider, and the answer."""

    key: MessageKey
    to: str
    subject: str
    body: str
    result: SendResult
    went_out: bool


class _Script:
    """Answers by address; afterwards, and for other addresses, everything is accepted."""

    def __init__(self) -> None:
        self._answers: defaultdict[str, deque[tuple[SendResult, bool]]] = defaultdict(deque)
        self.handed: list[Handed] = []
        self.taken: list[Taken] = []

    def answer(self, address: str, *results: SendResult, went_out: bool = False) -> None:
        """What the next attempts at an address get; ``went_out`` says whether an unknown outcome was a send."""
        self._answers[address].extend((result, went_out) for result in results)

    def accept_everything(self) -> None:
        """Forget the answers that have not been given."""
        self._answers.clear()

    def hand(self, key: MessageKey, to: str, subject: str, body: str) -> SendResult:
        waiting = self._answers[to]
        result, went_out = waiting.popleft() if waiting else (Accepted(f"id-{len(self.handed) + 1}"), True)
        self.handed.append(Handed(key, to, subject, body, result, went_out or isinstance(result, Accepted)))
        if self.handed[-1].went_out:
            provider_id = result.provider_id if isinstance(result, Accepted) else f"lost-{len(self.handed)}"
            for tell in self.taken:
                tell(key, to, provider_id)
        return result

    @property
    def went_out(self) -> Counter[MessageKey]:
        """How often each message really went out."""
        return Counter(handed.key for handed in self.handed if handed.went_out)

    @property
    def addresses(self) -> list[str]:
        """To whom something was handed, in order."""
        return [handed.to for handed in self.handed]


class ScriptedMailer(_Script):
    """Implements ``Mailer``."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.emails: list[OutgoingEmail] = []
        """All that were handed over, as they were."""
        self.answered_at: set[str | None] = set()
        """Where answers to them go."""
        self.senders: set[str] = set()

    def send(self, sender: str, emails: Sequence[OutgoingEmail], reply_to: str | None = None) -> Sequence[SendResult]:
        if len(emails) > 50:
            raise ValueError("at most 50 emails a call")
        self.calls += 1
        self.emails.extend(emails)
        self.answered_at.add(reply_to)
        self.senders.add(sender)
        return [self.hand(email.key, email.to, email.content.subject, email.content.text) for email in emails]


class ScriptedTexter(_Script):
    """Implements ``Texter``."""

    def __init__(self, provider: Provider = Provider.TWILIO) -> None:
        super().__init__()
        self._provider = provider
        self.segments: Callable[[str], int | None] = lambda _: None
        """How many the provider says that a text has, by its body."""
        self.validities: list[timedelta | None] = []
        """How long each text was to be of use, in order."""
        self.senders: set[str | None] = set()

    @property
    def provider(self) -> Provider:
        return self._provider

    def send(
        self, sender: str | None, key: MessageKey, to: str, body: str, valid_for: timedelta | None = None
    ) -> SendResult:
        self.validities.append(valid_for)
        self.senders.add(sender)
        result = self.hand(key, to, "", body)
        return replace(result, segments=self.segments(body)) if isinstance(result, Accepted) else result


class MemoryChunkQueue:
    """Implements ``ChunkQueue``."""

    def __init__(self, clock: FakeClock) -> None:
        self.queues = {(channel, lane): MemoryQueue[ChunkTask](clock) for channel in Channel for lane in Lane}
        self.delays: list[timedelta] = []

    def put(self, channel: Channel, tasks: Sequence[ChunkTask], delay: timedelta = timedelta()) -> None:
        if delay > timedelta(minutes=15):
            raise ValueError("at most 15 minutes of delay")
        self.delays.append(delay)
        for task in tasks:
            self.queues[channel, task.lane].send(task, delay)

    def waiting(self, channel: Channel, lane: Lane) -> int:
        return len(self.queues[channel, lane].messages)


class MemoryDeferredChunkQueue:
    """Implements ``DeferredChunkQueue``."""

    def __init__(self, clock: FakeClock) -> None:
        self.queue: MemoryQueue[DeferredChunkTask] = MemoryQueue(clock)

    def put(self, held: Sequence[DeferredChunkTask], now: datetime) -> None:
        for each in held:
            self.queue.send(each, each.round_from(now))


class MemoryReceiptQueue:
    """Implements ``ReceiptQueue``; what comes from it has lost address and detail, as on the wire."""

    def __init__(self, clock: FakeClock) -> None:
        self.queue: MemoryQueue[tuple[Receipt, ...]] = MemoryQueue(clock)

    def put(self, receipt: Receipt) -> None:
        if receipt.key is None:
            raise ValueError("a receipt of our own making needs the message's key")
        self.queue.send((replace(receipt, address=None, detail=None, provider_id=None),))


class MemorySendingPorts(MemoryCampaignsPorts, MemoryTimersPorts):
    """Implements ``SendingPorts``; some dozen rows are worth several ranges."""

    worth_a_range = 3

    @cached_property
    def chunk_queue(self) -> MemoryChunkQueue:
        return MemoryChunkQueue(self.clock)

    @cached_property
    def deferred_queue(self) -> MemoryDeferredChunkQueue:
        return MemoryDeferredChunkQueue(self.clock)

    @cached_property
    def mailer(self) -> ScriptedMailer:
        return ScriptedMailer()

    @cached_property
    def _texters(self) -> Mapping[Provider, ScriptedTexter]:
        return {provider: ScriptedTexter(provider) for provider in TEXT_PROVIDERS}

    def texter(self, provider: Provider) -> ScriptedTexter:
        return self._texters[provider]

    @property
    def twilio_texter(self) -> ScriptedTexter:
        return self.texter(Provider.TWILIO)

    @property
    def sns_texter(self) -> ScriptedTexter:
        return self.texter(Provider.SNS)

    @cached_property
    def receipt_queue(self) -> MemoryReceiptQueue:
        return MemoryReceiptQueue(self.clock)

    def chance(self) -> float:
        return self.random.random()
