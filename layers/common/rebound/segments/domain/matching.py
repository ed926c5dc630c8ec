"""Whether a customer matches: conditions that may ask for more than the profile, and how they are joined.

A condition answers ``None`` while it cannot tell. So what the profile says decides first, then what is known of the
contacts, and only where neither is enough what the customer did is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Self

from msgspec import Struct, field

from rebound.businesses.domain.business import Business
from rebound.contacts.domain.contacts import Contact
from rebound.customers.domain import Customer
from rebound.kernel.channels import Channel, ContactKey
from rebound.loyalty.domain.standings import Standings

if TYPE_CHECKING:
    from rebound.activity.domain.summary import Summary

KnownContacts = Mapping[ContactKey, Contact]
NO_CONTACTS: Final[KnownContacts] = MappingProxyType({})
type Summaries = Mapping[str, Summary]
"""What customers did, by their ids."""
NO_SUMMARIES: Final[Summaries] = MappingProxyType({})


class Moment(Struct, frozen=True):
    """When a filter is asked: the instant, and the day on the business's calendar.

    It is fixed when a run or a job is planned, so that all ranges and every retry mean the same day.
    """

    now: datetime
    today: date
    standings: Standings | None = None
    """The ranking of the customers, where a condition asks for a loyalty tier."""

    @property
    def ranked_at(self) -> datetime | None:
        """As of when customers were ranked; ``None`` where no condition asks for a tier."""
        return None if self.standings is None else self.standings.ranked_at

    @classmethod
    def of(cls, business: Business, now: datetime) -> Self:
        """The moment by a business's calendar."""
        return cls(now, business.local_day(now))


class Known(Struct, frozen=True):
    """What has been read about some customers besides their profiles."""

    contacts: KnownContacts = field(default_factory=dict)
    summaries: Summaries = field(default_factory=dict)


NOTHING_KNOWN: Final = Known()
Test = Callable[[Customer, Known], bool | None]
"""Whether a customer matches; ``None`` when that depends on something that is not known."""


class CustomerMatcher(Struct, frozen=True):
    """Whether a customer matches a filter.

    ``channels`` are those whose contacts it may ask for; ``asks_activity`` says that it may ask what the customer did.
    ``is_timed`` says that it depends on the day; without a
    ``Moment`` to compile it for, such a matcher can be checked and not asked.
    """

    test: Test
    channels: frozenset[Channel] = frozenset()
    is_timed: bool = False
    asks_activity: bool = False
    is_ranked: bool = False
    """Whether the moment must have the standings of the business."""

    def __call__(
        self, customer: Customer, contacts: KnownContacts = NO_CONTACTS, summaries: Summaries = NO_SUMMARIES
    ) -> bool:
        """Whether the customer matches. Raises ``LookupError`` when that depends on what is not given."""
        return self.decided(customer, Known(contacts, summaries))

    def decided(self, customer: Customer, known: Known) -> bool:
        """Whether the customer matches, once all is known that it asks for. Raises ``LookupError`` before."""
        answer = self.test(customer, known)
        if answer is None:
            raise LookupError("what decides is not known")
        return answer


def by_profile(test: Callable[[Customer], bool]) -> CustomerMatcher:
    """A condition that the profile alone decides."""
    return CustomerMatcher(lambda customer, _: test(customer))


NOBODY: Final = by_profile(lambda _: False)


def all_of(parts: Iterable[CustomerMatcher]) -> CustomerMatcher:
    """Whoever matches each of them; of none, everybody."""
    ordered = _cheapest_first(parts)
    tests = [part.test for part in ordered]

    def test(customer: Customer, known: Known) -> bool | None:
        answer: bool | None = True
        for each in tests:
            said = each(customer, known)
            if said is None:
                answer = None
            elif not said:
                return False
        return answer

    return _asking_for(ordered, test)


def any_of(parts: Iterable[CustomerMatcher]) -> CustomerMatcher:
    """Whoever matches one of them at least; of none, nobody."""
    ordered = _cheapest_first(parts)
    tests = [part.test for part in ordered]

    def test(customer: Customer, known: Known) -> bool | None:
        answer: bool | None = False
        for each in tests:
            said = each(customer, known)
            if said is None:
                answer = None
            elif said:
                return True
        return answer

    return _asking_for(ordered, test)


def none_of(part: CustomerMatcher) -> CustomerMatcher:
    """Whoever does not match it."""

    def test(customer: Customer, known: Known) -> bool | None:
        said = part.test(customer, known)
        return None if said is None else not said

    return _asking_for([part], test)


def _cheapest_first(parts: Iterable[CustomerMatcher]) -> Sequence[CustomerMatcher]:
    return sorted(parts, key=lambda part: (part.asks_activity, len(part.channels)))


def _asking_for(parts: Sequence[CustomerMatcher], test: Test) -> CustomerMatcher:
    return CustomerMatcher(
        test,
        frozenset().union(*(part.channels for part in parts)),
        any(part.is_timed for part in parts),
        any(part.asks_activity for part in parts),
        any(part.is_ranked for part in parts),
    )
