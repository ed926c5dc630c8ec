"""Sequences in memory."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import replace
from datetime import timedelta
from functools import cached_property
from itertools import count

from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from rebound.kernel.pages import Page
from rebound.segments.domain.segments import SavedSegments
from rebound.sequences.domain.enrolments import Enrolment, EnrolmentKey, entry_name
from rebound.sequences.domain.members import Look, Member, MemberKey
from rebound.sequences.domain.results import CountedChange, counts_of
from rebound.sequences.domain.sequences import Definition, KnownSequence, SavedSequence
from rebound.sequences.domain.tasks import HearTask, NewcomersTask, QueuedTask, StepTask
from rebound.sequences.domain.waivers import Ask, AskKey, Waiver, ask_counts_of, sequence_of
from tests.contract.campaigns.fakes import MemorySequenceGates, MemoryTallyBook
from tests.contract.platform.fakes import FakeClock
from tests.contract.recurring.fakes import MemoryRecurringPorts
from tests.contract.segments.fakes import MemorySegmentBook
from tests.fakes.cursors import page_of, read_cursor
from tests.fakes.queues import MemoryQueue
from tests.fakes.streams import Change, ChangeStream


class MemorySequenceBook:
    """Implements ``SequenceBook``."""

    def __init__(self, segments: MemorySegmentBook, gates: MemorySequenceGates) -> None:
        self._gates = gates
        self.rows: dict[tuple[str, str], SavedSequence] = {}
        self.written: dict[tuple[str, str, int], Definition] = {}
        self._numbers = count(1)
        self._segments = segments

    def get(self, business_id: str, sequence_id: str) -> SavedSequence:
        try:
            return self.rows[business_id, sequence_id]
        except KeyError:
            raise NotFoundError("sequence") from None

    def known(self, business_id: str, sequence_id: str) -> KnownSequence:
        return self.get(business_id, sequence_id).known

    def version(self, business_id: str, uid: str, number: int) -> Definition:
        try:
            return self.written[business_id, uid, number]
        except KeyError:
            raise NotFoundError("sequence version") from None

    def versions(self, business_id: str, uid: str, numbers: Collection[int]) -> Mapping[int, Definition]:
        keys = {number: (business_id, uid, number) for number in numbers}
        return {number: self.written[key] for number, key in keys.items() if key in self.written}

    def all(self, business_id: str) -> Sequence[KnownSequence]:
        return [row.known for row in self._of(business_id)]

    def _of(self, business_id: str) -> Sequence[SavedSequence]:
        return [
            row for (business, _), row in sorted(self.rows.items(), key=lambda one: one[0]) if business == business_id
        ]

    def save(self, sequence: SavedSequence, segments: SavedSegments | None = None) -> None:
        self._check(sequence)
        if segments is not None:
            self._segments.use(sequence.business_id, segments)
        key = (sequence.business_id, sequence.sequence_id)
        version = next(self._numbers)
        self.rows[key] = replace(sequence, row_version=version)
        self._gates.write(*key, sequence.gate(version))
        self.written[sequence.business_id, sequence.uid, sequence.version] = sequence.definition

    def delete(self, sequence: SavedSequence) -> None:
        self._check(sequence)
        key = (sequence.business_id, sequence.sequence_id)
        del self.rows[key]
        self._gates.write(*key, None)
        for gone in [each for each in self.written if each[:2] == (sequence.business_id, sequence.uid)]:
            del self.written[gone]

    def _check(self, sequence: SavedSequence) -> None:
        stored = self.rows.get((sequence.business_id, sequence.sequence_id))
        if (0 if stored is None else stored.row_version) != sequence.row_version:
            raise ConcurrentChangeError

    def using(self, business_id: str, segment_id: str) -> Sequence[str]:
        return [each.sequence_id for each in self._of(business_id) if segment_id in each.definition.segments]


class MemoryEnrolmentBook:
    """Implements ``EnrolmentBook``; what it forgets after a time, it never forgets. Has the table's change stream."""

    def __init__(self) -> None:
        self.stream: ChangeStream[Enrolment | None] = ChangeStream(3)
        self.rows: dict[EnrolmentKey, Enrolment] = {}
        self.entries: set[tuple[EnrolmentKey, str]] = set()
        self._numbers = count(1)

    def get_many(self, keys: Collection[EnrolmentKey]) -> Mapping[EnrolmentKey, Enrolment]:
        return {key: self.rows[key] for key in keys if key in self.rows}

    def enter(self, enrolment: Enrolment, before: Enrolment | None, *, once: bool) -> bool:
        entry = (enrolment.key, entry_name(enrolment.entry_key))
        if not once and entry in self.entries:
            return False
        self._write(before, enrolment)
        if not once:
            self.entries.add(entry)
        return True

    def replace(self, before: Enrolment, after: Enrolment, *, once: bool = True) -> Enrolment:
        return self._write(before, after)

    def _write(self, before: Enrolment | None, after: Enrolment) -> Enrolment:
        stored = self.rows.get(after.key)
        if (0 if stored is None else stored.row_version) != (0 if before is None else before.row_version):
            raise ConcurrentChangeError
        self.rows[after.key] = replace(after, row_version=next(self._numbers))
        self.stream.record(str(after.key), stored, self.rows[after.key])
        return self.rows[after.key]

    def page(self, business_id: str, sequence_id: str, limit: int, cursor: str | None) -> Page[Enrolment]:
        after = read_cursor(cursor) or ""
        own = [
            (key.customer_id, row)
            for key, row in sorted(self.rows.items())
            if (key.business_id, key.sequence_id) == (business_id, sequence_id) and key.customer_id > after
        ]
        return page_of(own, limit)

    def forget(self, enrolment: Enrolment) -> None:
        stored = self.rows.pop(enrolment.key, None)
        if stored is not None:
            self.stream.record(str(enrolment.key), stored, None)
        self.entries = {entry for entry in self.entries if entry[0] != enrolment.key}


class MemoryStepCarriers:
    """Implements ``StepCarriers``."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], set[str]] = {}

    def note(self, business_id: str, uid: str, campaign_id: str) -> None:
        self.rows.setdefault((business_id, uid), set()).add(campaign_id)

    def of(self, business_id: str, uid: str) -> Sequence[str]:
        return sorted(self.rows.get((business_id, uid), ()))


def enrolment_changes(changes: Iterable[Change[Enrolment | None]]) -> list[CountedChange]:
    """What the stream says to who counts."""
    found = []
    for change in changes:
        either, counts = change.after or change.before, counts_of(change.before, change.after)
        if either is not None and counts:
            found.append(CountedChange(str(change.position), either.key.business_id, either.uid, counts))
    return found


def ask_changes(changes: Iterable[Change[Ask | None]]) -> list[CountedChange]:
    """The same of who was asked to sign waivers."""
    found = []
    for change in changes:
        either, counts = change.after or change.before, ask_counts_of(change.before, change.after)
        if either is not None and counts:
            key = either.key
            found.append(CountedChange(str(change.position), key.business_id, sequence_of(key.waiver_id), counts))
    return found


class MemoryStepTallies:
    """Implements ``StepTallies``: campaigns' tallies, by another name."""

    def __init__(self) -> None:
        self._tallies = MemoryTallyBook()
        self._gone: set[tuple[str, str]] = set()

    def counts(self, business_id: str, uid: str) -> Mapping[str, int]:
        return self._tallies.counts(f"{business_id}#{uid}")

    def position(self, business_id: str, uid: str, shard: str) -> str | None:
        return self._tallies.position(f"{business_id}#{uid}", shard)

    def add(
        self, business_id: str, uid: str, shard: str, counts: Mapping[str, int], *, after: str | None, position: str
    ) -> None:
        if after is not None or (business_id, uid) not in self._gone:
            self._tallies.add(f"{business_id}#{uid}", shard, counts, after=after, position=position)

    def delete(self, business_id: str, uid: str) -> None:
        self._gone.add((business_id, uid))
        self._tallies.forget(f"{business_id}#{uid}")


class MemoryMemberBook:
    """Implements ``MemberBook``."""

    def __init__(self) -> None:
        self.rows: dict[MemberKey, Member] = {}
        self.looks: dict[tuple[str, str], Look] = {}
        self._numbers = count(1)

    def looked(self, business_id: str, uid: str) -> Look | None:
        return self.looks.get((business_id, uid))

    def save_look(self, business_id: str, uid: str, look: Look) -> None:
        stored = self.looks.get((business_id, uid))
        if (0 if stored is None else stored.row_version) != look.row_version:
            raise ConcurrentChangeError
        self.looks[business_id, uid] = replace(look, row_version=next(self._numbers))

    def get_many(self, keys: Collection[MemberKey]) -> Mapping[MemberKey, Member]:
        return {key: self.rows[key] for key in keys if key in self.rows}

    def write(self, member: Member) -> None:
        stored = self.rows.get(member.key)
        if (0 if stored is None else stored.row_version) != member.row_version:
            raise ConcurrentChangeError
        self.rows[member.key] = replace(member, row_version=next(self._numbers))

    def forget(self, key: MemberKey) -> None:
        self.rows.pop(key, None)

    def forget_some(self, business_id: str, uid: str) -> bool:
        for key in [key for key in self.rows if (key.business_id, key.uid) == (business_id, uid)]:
            del self.rows[key]
        self.looks.pop((business_id, uid), None)
        return False


class MemoryStepQueue:
    """Implements ``StepQueue``."""

    def __init__(self, clock: FakeClock) -> None:
        self.queue: MemoryQueue[QueuedTask] = MemoryQueue(clock)

    def put(self, tasks: Sequence[StepTask], delay: timedelta = timedelta()) -> None:
        for task in tasks:
            self.queue.send(task, delay)

    def tell(self, tasks: Sequence[HearTask | NewcomersTask]) -> None:
        for task in tasks:
            self.queue.send(task)


class MemoryWaiverBook:
    """Implements ``WaiverBook``."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Waiver] = {}

    def get(self, business_id: str, waiver_id: str) -> Waiver:
        try:
            return self.rows[business_id, waiver_id]
        except KeyError:
            raise NotFoundError("waiver") from None

    def all(self, business_id: str) -> Sequence[Waiver]:
        return [waiver for (business, _), waiver in sorted(self.rows.items()) if business == business_id]

    def save(self, waiver: Waiver) -> Waiver:
        key = (waiver.business_id, waiver.waiver_id)
        stored = self.rows.get(key)
        if (0 if stored is None else stored.row_version) != waiver.row_version:
            raise ConcurrentChangeError
        self.rows[key] = replace(waiver, row_version=waiver.row_version + 1)
        return self.rows[key]


class MemoryAskBook:
    """Implements ``AskBook``. Has the table's change stream."""

    def __init__(self) -> None:
        self.rows: dict[AskKey, Ask] = {}
        self.stream: ChangeStream[Ask | None] = ChangeStream(3)
        self._numbers = count(1)

    def get(self, key: AskKey) -> Ask | None:
        return self.rows.get(key)

    def save(self, ask: Ask) -> Ask:
        stored = self.rows.get(ask.key)
        if (0 if stored is None else stored.row_version) != ask.row_version:
            raise ConcurrentChangeError
        self.rows[ask.key] = replace(ask, row_version=next(self._numbers))
        self.stream.record(str(ask.key), stored, self.rows[ask.key])
        return self.rows[ask.key]

    def forget(self, key: AskKey) -> None:
        stored = self.rows.pop(key, None)
        if stored is not None:
            self.stream.record(str(key), stored, None)


class MemorySequencesPorts(MemoryRecurringPorts):
    """Implements ``SequencesPorts``."""

    @cached_property
    def sequences(self) -> MemorySequenceBook:
        return MemorySequenceBook(self.segments, self.sequence_gates)

    @cached_property
    def enrolments(self) -> MemoryEnrolmentBook:
        return MemoryEnrolmentBook()

    @cached_property
    def step_tallies(self) -> MemoryStepTallies:
        return MemoryStepTallies()

    @cached_property
    def step_carriers(self) -> MemoryStepCarriers:
        return MemoryStepCarriers()

    @cached_property
    def members_of_sequences(self) -> MemoryMemberBook:
        return MemoryMemberBook()

    @cached_property
    def step_queue(self) -> MemoryStepQueue:
        return MemoryStepQueue(self.clock)

    @cached_property
    def waivers(self) -> MemoryWaiverBook:
        return MemoryWaiverBook()

    @cached_property
    def asks(self) -> MemoryAskBook:
        return MemoryAskBook()
