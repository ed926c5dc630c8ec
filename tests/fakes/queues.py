"""Queues that deliver at least once and in any order, and the other ways out, in memory."""

import io
import random
from collections import Counter
from collections.abc import Callable, Sequence
from copy import replace
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import IO, Final

from rebound.businesses.domain.recopying import Recopying
from rebound.imports_exports.domain.import_records import ImportFile
from rebound.kernel.channels import Channel
from rebound.kernel.errors import NotFoundError
from rebound.kernel.events import DomainEvent
from rebound.kernel.receipts import Receipt
from rebound.operations.domain import DeadLetter, Redriven
from rebound.rates.domain import Lane
from rebound.sending.domain.pacing import HeldTicket, Ticket
from tests.fakes.system import FakeClock

VISIBILITY: Final = timedelta(minutes=6)
REDELIVERED: Final = 2


@dataclass(frozen=True, slots=True)
class Waiting[T]:
    """One message on a queue."""

    name: str
    body: T
    visible_at: datetime
    receives: int = 0


class MemoryQueue[T]:
    """Standard queue: no order, at least once; a message that is not deleted comes again."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._count = 0
        self.messages: dict[str, Waiting[T]] = {}
        self.redeliveries: Sequence[timedelta] = ()
        """How long after its time a message comes once more, although it has been deleted.

        Only the first ``REDELIVERED`` that say the same: what comes again may be put back, which must come to an end.
        """
        self._alike: Counter[str] = Counter()
        self.most_receives = 0
        """How often the message that came most often came: too often, and AWS would have put it to the dead letters."""

    def send(self, body: T, delay: timedelta = timedelta()) -> None:
        """Enqueue."""
        again: Sequence[timedelta] = ()
        if self.redeliveries:
            self._alike[repr(body)] += 1
            again = self.redeliveries if self._alike[repr(body)] <= REDELIVERED else ()
        for later in (timedelta(), *again):
            self._count += 1
            name = f"queued-{self._count}"
            self.messages[name] = Waiting(name, body, self._clock.now() + delay + later)

    def receive(self, chance: random.Random, most: int = 1) -> list[Waiting[T]]:
        """Some messages that are visible, which then are not for the visibility timeout."""
        visible = [waiting for waiting in self.messages.values() if waiting.visible_at <= self._clock.now()]
        taken = chance.sample(visible, min(most, len(visible)))
        for waiting in taken:
            self.retry(waiting.name, VISIBILITY)
            self.most_receives = max(self.most_receives, waiting.receives + 1)
        return taken

    def retry(self, name: str, after: timedelta) -> None:
        """Let a message that was received be seen again later."""
        waiting = self.messages[name]
        self.messages[name] = replace(
            waiting, visible_at=self._clock.now() + after, receives=waiting.receives + (after == VISIBILITY)
        )

    def delete(self, name: str) -> None:
        """The message has been dealt with."""
        del self.messages[name]

    @property
    def next_visible_at(self) -> datetime | None:
        """When the next message can be received."""
        return min((waiting.visible_at for waiting in self.messages.values()), default=None)


class MemoryChunkQueue:
    """Implements ``ChunkQueue``."""

    def __init__(self, clock: FakeClock) -> None:
        self.queues = {(channel, lane): MemoryQueue[Ticket](clock) for channel in Channel for lane in Lane}
        self.delays: list[timedelta] = []

    def put(self, channel: Channel, tickets: Sequence[Ticket], delay: timedelta = timedelta()) -> None:
        if delay > timedelta(minutes=15):
            raise ValueError("at most 15 minutes of delay")
        self.delays.append(delay)
        for ticket in tickets:
            self.queues[channel, ticket.lane].send(ticket, delay)

    def waiting(self, channel: Channel, lane: Lane) -> int:
        return len(self.queues[channel, lane].messages)


class MemoryHeldQueue:
    """Implements ``HeldQueue``."""

    def __init__(self, clock: FakeClock) -> None:
        self.queue: MemoryQueue[HeldTicket] = MemoryQueue(clock)

    def put(self, held: Sequence[HeldTicket], now: datetime) -> None:
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


class MemoryRecopyQueue:
    """Implements ``RecopyQueue``."""

    def __init__(self, clock: FakeClock) -> None:
        self.queue: MemoryQueue[Recopying] = MemoryQueue(clock)

    def put(self, work: Recopying) -> None:
        self.queue.send(work)


class MemoryDeadLetterQueues:
    """Implements ``DeadLetterQueues``; a message moves from ``letters`` to ``redriven``."""

    def __init__(self, *names: str) -> None:
        self.letters: dict[str, list[DeadLetter]] = {name: [] for name in names}
        self.redriven: dict[str, list[DeadLetter]] = {name: [] for name in names}

    @property
    def names(self) -> Sequence[str]:
        return sorted(self.letters)

    def waiting(self, name: str) -> int:
        return len(self.letters[name])

    def read(self, name: str, limit: int) -> Sequence[DeadLetter]:
        return self.letters[name][:limit]

    def redrive(self, name: str, may_go_on: Callable[[], bool]) -> Redriven:
        count = 0
        while may_go_on():
            if not self.letters[name]:
                return Redriven(count, done=True)
            self.redriven[name].append(self.letters[name].pop(0))
            count += 1
        return Redriven(count, done=False)


class RecordingRunner:
    """Implements ``CampaignRunner``; starting twice is starting once."""

    def __init__(self) -> None:
        self.started: list[tuple[str, str]] = []
        self.scheduled: dict[tuple[str, str], datetime] = {}
        self.errands: list[tuple[str, str]] = []
        self.rollbacks: list[tuple[str, str, str]] = []
        self._known: set[str] = set()

    def requeue(self, business_id: str, campaign_id: str, name: str) -> None:
        self.errands.append((business_id, campaign_id))

    def roll_back(self, business_id: str, campaign_id: str, rollback_id: str) -> None:
        if rollback_id not in self._known:
            self._known.add(rollback_id)
            self.rollbacks.append((business_id, campaign_id, rollback_id))

    def start(self, business_id: str, campaign_id: str) -> None:
        if (business_id, campaign_id) not in self.started:
            self.started.append((business_id, campaign_id))

    def schedule(self, business_id: str, campaign_id: str, at: datetime) -> None:
        self.scheduled.setdefault((business_id, campaign_id), at)


class RecordingDomainEvents:
    """Implements ``DomainEvents``."""

    def __init__(self) -> None:
        self.published: list[DomainEvent] = []

    def publish(self, events: Sequence[DomainEvent]) -> None:
        self.published.extend(events)


class RecordingFileRunner:
    """Implements ``FileRunner``."""

    def __init__(self) -> None:
        self.started: list[tuple[str, str]] = []

    def start(self, business_id: str, work_id: str) -> None:
        if (business_id, work_id) not in self.started:
            self.started.append((business_id, work_id))


class MemoryImportStore:
    """Implements ``ImportStore``."""

    def __init__(self) -> None:
        self._files: dict[tuple[str, str], bytes] = {}
        self.pieces: dict[tuple[str, str, int, int], bytes] = {}

    def put(self, business_id: str, import_id: str, content: str) -> None:
        self._files[business_id, import_id] = content.encode()

    def upload_url(self, business_id: str, import_id: str) -> str:
        return f"https://imports.example.com/{business_id}/{import_id}"

    def open(self, business_id: str, import_id: str, offset: int = 0) -> ImportFile:
        try:
            content = self._files[business_id, import_id]
        except KeyError:
            raise NotFoundError("import file") from None
        version = sha256(content).hexdigest()
        return ImportFile(io.BytesIO(content[offset if offset <= len(content) else 0 :]), len(content), version)

    def put_piece(self, business_id: str, import_id: str, part: int, piece: int, content: bytes) -> None:
        self.pieces[business_id, import_id, part, piece] = content

    def open_piece(self, business_id: str, import_id: str, part: int, piece: int) -> IO[bytes]:
        try:
            return io.BytesIO(self.pieces[business_id, import_id, part, piece])
        except KeyError:
            raise NotFoundError("import file") from None

    def remove_pieces(self, business_id: str, import_id: str, parts: int, pieces: int) -> None:
        for part in range(parts):
            for piece in range(pieces):
                self.pieces.pop((business_id, import_id, part, piece), None)


class MemoryExportStore:
    """Implements ``ExportStore``."""

    def __init__(self) -> None:
        self.files: dict[tuple[str, str], bytes] = {}
        self._uploads: dict[str, dict[str, bytes]] = {}
        self._rests: dict[tuple[str, str, int], bytes] = {}
        self._begun = 0

    def begin(self, business_id: str, export_id: str, format_: str) -> str:
        self._begun += 1
        self._uploads[f"upload-{self._begun}"] = {}
        return f"upload-{self._begun}"

    def put_part(self, business_id: str, export_id: str, upload_id: str, number: int, content: bytes) -> str:
        tag = f"{number}-{sha256(content).hexdigest()}"
        self._uploads[upload_id][tag] = content
        return tag

    def complete(self, business_id: str, export_id: str, upload_id: str, tags: Sequence[str]) -> None:
        parts = self._uploads.pop(upload_id, None)
        if parts is not None:
            self.files[business_id, export_id] = b"".join(parts[tag] for tag in tags)
        elif (business_id, export_id) not in self.files:
            raise NotFoundError("upload")

    def put_rest(self, business_id: str, export_id: str, name: int, content: bytes) -> None:
        self._rests[business_id, export_id, name] = content

    def read_rest(self, business_id: str, export_id: str, name: int) -> bytes:
        try:
            return self._rests[business_id, export_id, name]
        except KeyError:
            raise NotFoundError("export file") from None

    def download_url(self, business_id: str, export_id: str) -> str:
        return f"https://exports.example.com/{business_id}/{export_id}"
