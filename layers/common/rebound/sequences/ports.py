"""What the use cases of sequences need from outside."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from rebound.kernel.pages import Page
from rebound.recurring.ports import RecurringPorts
from rebound.segments.domain.segments import SavedSegments
from rebound.sequences.domain.enrolments import Enrolment, EnrolmentKey
from rebound.sequences.domain.members import Look, Member, MemberKey
from rebound.sequences.domain.sequences import Definition, KnownSequence, SavedSequence
from rebound.sequences.domain.tasks import HearTask, NewcomersTask, StepTask
from rebound.sequences.domain.waivers import Ask, AskKey, Waiver


class SequenceBook(Protocol):
    """The sequences of all businesses, with every version of them that somebody may go through."""

    def get(self, business_id: str, sequence_id: str) -> SavedSequence:
        """With all that its newest version says; strongly consistent. Raises ``NotFoundError``."""

    def known(self, business_id: str, sequence_id: str) -> KnownSequence:
        """In one small read; strongly consistent. Raises ``NotFoundError``."""

    def version(self, business_id: str, uid: str, number: int) -> Definition:
        """What a version of a sequence says, named by its ``uid``; it never changes. Raises ``NotFoundError``."""

    def versions(self, business_id: str, uid: str, numbers: Collection[int]) -> Mapping[int, Definition]:
        """What some versions say, those that are there."""

    def all(self, business_id: str) -> Sequence[KnownSequence]:
        """Those of a business in the order of their ids, in one small read; strongly consistent."""

    def save(self, sequence: SavedSequence, segments: SavedSegments | None = None) -> None:
        """Write one, and its version where that is new: all or nothing.

        Raises ``ConcurrentChangeError`` when somebody has written since it was read (``row_version``), and, of one that
        begins to use ``segments``, when any of the business's was written since they were read.
        """

    def delete(self, sequence: SavedSequence) -> None:
        """Remove one that is as it was read, and its versions. Raises ``ConcurrentChangeError`` otherwise."""

    def using(self, business_id: str, segment_id: str) -> Sequence[str]:
        """The ids of those whose newest version names a segment, on or off; strongly consistent."""


class EnrolmentBook(Protocol):
    """Who stands where in which sequence, and what has begun it."""

    def get_many(self, keys: Collection[EnrolmentKey]) -> Mapping[EnrolmentKey, Enrolment]:
        """Those that are there, also of who has left; strongly consistent."""

    def enter(self, enrolment: Enrolment, before: Enrolment | None, *, once: bool) -> bool:
        """Write a new one in place of ``before``, which is over; ``False`` when the same entry has begun one already.

        ``once`` is for sequences that nobody goes through twice, of which nothing else is remembered. Raises
        ``ConcurrentChangeError`` when somebody has written since ``before`` was read.
        """

    def replace(self, before: Enrolment, after: Enrolment, *, once: bool = True) -> Enrolment:
        """Write ``after``; as it is then. Raises ``ConcurrentChangeError`` when it is not as ``before`` any more.

        Who has left is forgotten after ``KEPT_AFTER``, unless nobody may go through it again (``once``).
        """

    def page(self, business_id: str, sequence_id: str, limit: int, cursor: str | None) -> Page[Enrolment]:
        """Those of a sequence, in the order of the customers' ids."""

    def forget(self, enrolment: Enrolment) -> None:
        """Remove one, and what is remembered of its entries."""


class StepCarriers(Protocol):
    """Which campaigns carry the messages of a sequence's steps."""

    def note(self, business_id: str, uid: str, campaign_id: str) -> None:
        """Remember one; doing it again changes nothing."""

    def of(self, business_id: str, uid: str) -> Sequence[str]:
        """Those of a sequence; strongly consistent."""


class StepTallies(Protocol):
    """Exact counts of a sequence's enrolments by label (``domain.results``), kept from the table's change stream.

    Likewise of whom a waiver has asked, with what stands for it in place of a ``uid`` (``domain.waivers``).
    """

    def counts(self, business_id: str, uid: str) -> Mapping[str, int]:
        """The sum over all shards; strongly consistent."""

    def position(self, business_id: str, uid: str, shard: str) -> str | None:
        """The position of a shard's last change that was counted; ``None`` before the first."""

    def add(
        self, business_id: str, uid: str, shard: str, counts: Mapping[str, int], *, after: str | None, position: str
    ) -> None:
        """Add counts and move the position on; nothing of a sequence that is removed.

        Raises ``ConcurrentChangeError`` when it is not at ``after``.
        """

    def delete(self, business_id: str, uid: str) -> None:
        """Remove what was counted of a sequence, and count nothing of it any more."""


class MemberBook(Protocol):
    """Who matches what sequences are entered by, as looks have found."""

    def looked(self, business_id: str, uid: str) -> Look | None:
        """For what customers are looked at; strongly consistent."""

    def save_look(self, business_id: str, uid: str, look: Look) -> None:
        """Write it. Raises ``ConcurrentChangeError`` when somebody has written since it was read (``row_version``)."""

    def get_many(self, keys: Collection[MemberKey]) -> Mapping[MemberKey, Member]:
        """Those who are remembered; strongly consistent."""

    def write(self, member: Member) -> None:
        """Write one. Raises ``ConcurrentChangeError`` when somebody has written since it was read (``row_version``)."""

    def forget(self, key: MemberKey) -> None:
        """Remove one, whether or not they are there."""

    def forget_some(self, business_id: str, uid: str) -> bool:
        """Remove some hundred of a sequence's; whether there may be more."""


class StepQueue(Protocol):
    """Enrolments that are due, on their way to who goes on with them."""

    def put(self, tasks: Sequence[StepTask], delay: timedelta = timedelta()) -> None:
        """Enqueue; may deliver twice, and in any order."""

    def tell(self, tasks: Sequence[HearTask | NewcomersTask]) -> None:
        """Enqueue what happened, or who is new, likewise."""


class WaiverBook(Protocol):
    """The waivers of all businesses, with their versions."""

    def get(self, business_id: str, waiver_id: str) -> Waiver:
        """Strongly consistent. Raises ``NotFoundError``."""

    def all(self, business_id: str) -> Sequence[Waiver]:
        """Those of a business in the order of their ids; strongly consistent."""

    def save(self, waiver: Waiver) -> Waiver:
        """Write one; as it is then. Raises ``ConcurrentChangeError`` when somebody has written since it was read."""


class AskBook(Protocol):
    """Who was asked to sign which waiver."""

    def get(self, key: AskKey) -> Ask | None:
        """Strongly consistent; ``None`` for who never was."""

    def save(self, ask: Ask) -> Ask:
        """Write one; as it is then. Raises ``ConcurrentChangeError`` when somebody has written since it was read."""

    def forget(self, key: AskKey) -> None:
        """Remove one; nothing where there is none."""


class SequencesPorts(RecurringPorts, Protocol):
    """What the use cases of sequences need from outside."""

    @property
    def sequences(self) -> SequenceBook: ...

    @property
    def enrolments(self) -> EnrolmentBook: ...

    @property
    def step_carriers(self) -> StepCarriers: ...

    @property
    def step_tallies(self) -> StepTallies: ...

    @property
    def members_of_sequences(self) -> MemberBook: ...

    @property
    def step_queue(self) -> StepQueue: ...

    @property
    def waivers(self) -> WaiverBook: ...

    @property
    def asks(self) -> AskBook: ...
