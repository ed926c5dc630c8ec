"""Where customers stand in sequences, what comes next for them, and why somebody is not in one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from rebound.eligibility.domain.explanation import attempt_sentence
from rebound.kernel.errors import ConflictError, InvalidInputError
from rebound.kernel.ids import time_of
from rebound.kernel.pages import Page
from rebound.messages.domain.origins import step_of
from rebound.segments.domain.filters import pinned
from rebound.segments.domain.matching import NOTHING_KNOWN, Known
from rebound.segments.domain.selections import CustomerFilter
from rebound.sequences.domain.enrolments import EnrolmentKey
from rebound.sequences.domain.what_next import Place, next_of, place_of, sentence_inside, sentence_outside

if TYPE_CHECKING:
    from rebound.activity.domain.summary import Summary
    from rebound.activity.ports import SummaryBook
    from rebound.businesses.domain.business import Business
    from rebound.businesses.ports import BusinessDirectory
    from rebound.contacts.domain.contacts import Contact
    from rebound.contacts.ports import ContactBook
    from rebound.customers.domain import Customer
    from rebound.kernel.channels import ContactKey
    from rebound.messages.domain.messages import Message
    from rebound.messages.ports import MessageLog
    from rebound.platform.ports import Clock
    from rebound.segments.application.pin_filters import PinFilters
    from rebound.segments.domain.segments import SavedSegments
    from rebound.segments.ports import SegmentBook
    from rebound.sequences.domain.enrolments import Enrolment
    from rebound.sequences.domain.sequences import KnownSequence
    from rebound.sequences.domain.steps import Program
    from rebound.sequences.domain.what_next import Next
    from rebound.sequences.ports import EnrolmentBook, SequenceBook

LOOKED_THROUGH: Final = 50
"""How many of somebody's newest messages are looked through for the last one of each sequence."""

_MILLISECOND: Final = timedelta(milliseconds=1)


class Shown(Struct, frozen=True):
    """Somebody who is in a sequence, or was: what comes next (``None`` for who has left), and both in words."""

    enrolment: Enrolment
    follows: Next | None
    sentence: str


class Stand(Struct, frozen=True):
    """How somebody stands to a sequence.

    ``shown`` is their enrolment, also one that is over; ``sentence`` says of who is not inside why they are not.
    ``last`` is what the sequence sent last in that enrolment, or did not send and why, as far as it is among the
    newest messages.
    """

    sequence: KnownSequence
    place: Place
    sentence: str
    shown: Shown | None
    last: Message | None

    @property
    def last_sentence(self) -> str:
        """What became of it."""
        return "" if self.last is None else attempt_sentence(self.last)


class ReadEnrolments(Struct, frozen=True, kw_only=True):
    """Reads who is where. Nothing is changed."""

    sequences: SequenceBook
    enrolments: EnrolmentBook
    businesses: BusinessDirectory
    messages: MessageLog
    contacts: ContactBook
    summaries: SummaryBook
    segments: SegmentBook
    pin: PinFilters
    clock: Clock

    def page(self, business_id: str, sequence_id: str, limit: int, cursor: str | None) -> Page[Shown]:
        """Who is in one, or was, by the customers' ids. Raises ``NotFoundError``."""
        sequence = self.sequences.known(business_id, sequence_id)
        page = self.enrolments.page(business_id, sequence_id, limit, cursor)
        return Page(self._shown(sequence, page.items), page.next_cursor)

    def in_one(self, key: EnrolmentKey) -> Sequence[Shown]:
        """A customer in one, if they are or were in it. Raises ``NotFoundError`` for the sequence."""
        sequence = self.sequences.known(key.business_id, key.sequence_id)
        return self._shown(sequence, list(self.enrolments.get_many([key]).values()))

    def of_customer(self, customer: Customer, business: Business, *, with_last: bool = True) -> Sequence[Stand]:
        """How a customer stands to each sequence, by the sequences' ids; ``with_last`` with what it sent last.

        Filters are asked now, of those sequences alone that the customer might begin; what they ask about is read once.
        """
        business_id, customer_id = customer.business_id, customer.customer_id
        sequences = self.sequences.all(business_id)
        if not sequences:
            return ()
        keys = {each.sequence_id: EnrolmentKey(business_id, customer_id, each.sequence_id) for each in sequences}
        uids = {keys[each.sequence_id]: each.uid for each in sequences}
        there = self.enrolments.get_many(list(keys.values()))
        found = {key: each for key, each in there.items() if each.uid == uids[key]}
        known: Sequence[Message] = ()
        if found and with_last:
            known = self.messages.page(business_id, customer_id, LOOKED_THROUGH, None).items
        asked = _Asked(self, customer, business)
        return [self._stand(each, asked, found.get(keys[each.sequence_id]), known) for each in sequences]

    def _stand(
        self, sequence: KnownSequence, asked: _Asked, enrolment: Enrolment | None, known: Sequence[Message]
    ) -> Stand:
        place = place_of(sequence, enrolment, is_meant=True)
        if place is Place.NOT_STARTED and not asked.is_meant(sequence):
            place = Place.FILTER
        shown = None if enrolment is None else self._shown(sequence, [enrolment], asked.business)[0]
        return Stand(
            sequence,
            place,
            sentence_outside(place, sequence) if shown is None or place is not Place.INSIDE else shown.sentence,
            shown,
            None if enrolment is None else _last_of(enrolment, known),
        )

    def _shown(
        self, sequence: KnownSequence, found: Sequence[Enrolment], business: Business | None = None
    ) -> Sequence[Shown]:
        # A sequence that has had the id before may have left some behind.
        found = [each for each in found if each.uid == sequence.uid]
        if not found:
            return ()
        programs: dict[int, Program] = {}
        zone, now = (business or self.businesses.get(sequence.business_id)).time_zone, self.clock.now()
        shown = []
        for each in found:
            follows = None if each.is_over else next_of(each, self._program(sequence, each.version, programs))
            shown.append(Shown(each, follows, sentence_inside(each, follows, sequence, zone, now)))
        return shown

    def _program(self, sequence: KnownSequence, version: int, known: dict[int, Program]) -> Program:
        if version not in known:
            definition = self.sequences.version(sequence.business_id, sequence.uid, version)
            known[version] = definition.program
        return known[version]


class _Asked:
    """Asks filters about one customer; what they ask about is read when the first of them does."""

    def __init__(self, uses: ReadEnrolments, customer: Customer, business: Business) -> None:
        self._uses, self._customer, self.business = uses, customer, business

    def is_meant(self, sequence: KnownSequence) -> bool:
        """Whether the customer matches the filter of a sequence, if it has one."""
        tree = sequence.definition.filter
        if tree is None:
            return True
        customer, business_id = self._customer, sequence.business_id
        try:
            meant = CustomerFilter(filter=pinned(tree, "filter", self._find))
            matcher = self._uses.pin.wanted(business_id, meant, business=self.business).compiled()
        except (InvalidInputError, ConflictError):
            # It names a segment that is not there any more, or a tier while nobody is ranked: it is for nobody.
            return False
        for known in self._known():
            answer = matcher.test(customer, known)
            if answer is not None:
                return answer
        return False

    def _known(self) -> Iterator[Known]:
        """More and more of what filters ask about."""
        yield NOTHING_KNOWN
        yield Known(self._contacts)
        yield Known(self._contacts, self._did)

    def _find(self, segment_id: str) -> Mapping[str, Any] | None:
        found = self._segments.segments.get(segment_id)
        return None if found is None else found.filter

    @cached_property
    def _segments(self) -> SavedSegments:
        return self._uses.segments.known(self.business.business_id)

    @cached_property
    def _contacts(self) -> Mapping[ContactKey, Contact]:
        return self._uses.contacts.get_many(self._customer.contact_keys)

    @cached_property
    def _did(self) -> Mapping[str, Summary]:
        return self._uses.summaries.get_many(self._customer.business_id, [self._customer.customer_id])


def _last_of(enrolment: Enrolment, known: Sequence[Message]) -> Message | None:
    """The newest message of an enrolment, of some that are newest first."""
    for message in known:
        step = step_of(message.campaign_id)
        if step is not None and step.sequence_id == enrolment.key.sequence_id:
            # The id of a message has the milliseconds of its time.
            return message if time_of(message.key.message_id) + _MILLISECOND > enrolment.entered_at else None
    return None
