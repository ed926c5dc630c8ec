"""Which tier a customer is of: the first of the five that holds, and one tier each."""

from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, Protocol

from msgspec import Struct

from rebound.contacts.domain.contacts import Contact
from rebound.customers.domain import Customer
from rebound.kernel.channels import ContactKey
from rebound.kernel.consent_words import Scope
from rebound.loyalty.domain.standings import Standings

NEW_FOR: Final = timedelta(days=60)
RECENT: Final = timedelta(days=30)
"""Sessions of the last 30 days are those of today and of the 30 days before; who came in none of them is inactive."""
SEASON: Final = 3
"""In months of the calendar."""
POSITIVE: Final = 4
"""The latest rating, out of five, that makes a review a positive one."""
FEW: Final = 3
FIRST: Final = date.min


class Tier(StrEnum):
    """The tiers, in the order in which they are tried."""

    FAVOURITE = "favourite"
    NEW = "new"
    TOP = "top"
    INACTIVE = "inactive"
    LOYAL = "loyal"


class Doings(Protocol):
    """What is known of what a customer did, by local calendar days of the business."""

    @property
    def first_visit(self) -> date | None:
        """The day of the first visit."""

    @property
    def last_visit(self) -> date | None:
        """The day of the last visit."""

    @property
    def rating(self) -> int | None:
        """The rating of the latest review."""

    def visits(self, first: date, last: date) -> int:
        """How many visits, first and last day included."""


class Person(Struct, frozen=True):
    """One customer to find the tier of."""

    customer: Customer
    doings: Doings
    standings: Standings
    joined: date

    @property
    def is_pleased(self) -> bool:
        """Whether the latest review is positive; everybody's is until the business has posted one."""
        rating = self.doings.rating
        return not self.standings.is_reviewed or (rating is not None and rating >= POSITIVE)

    @property
    def is_on_top(self) -> bool:
        """Whether the customer is among those with the most sessions."""
        return self.customer.customer_id in self.standings.top

    @property
    def visits(self) -> int:
        """All visits so far."""
        return self.doings.visits(FIRST, self.standings.day)

    def came_before(self, day: date) -> bool:
        """Whether the customer has come, and not since ``day``."""
        last = self.doings.last_visit
        return last is not None and last < day


def is_new(person: Person) -> bool:
    """The first visit was within 60 days, and the review is positive."""
    first, day = person.doings.first_visit, person.standings.day
    return first is not None and first >= day - NEW_FOR and person.is_pleased


def is_top(person: Person) -> bool:
    """More than three visits or joined less than three months ago; a positive review, on top, and not new."""
    joined_lately = person.joined > months_before(person.standings.day, SEASON)
    return (person.visits > FEW or joined_lately) and person.is_pleased and person.is_on_top and not is_new(person)


def is_inactive(person: Person) -> bool:
    """The last visit is more than 30 days ago, and there were three at least; a positive review."""
    gone = person.came_before(person.standings.day - RECENT)
    return gone and person.visits >= FEW and person.is_pleased


def is_loyal(person: Person) -> bool:
    """Three visits at least, or none within three months; neither on top nor new, and a positive review.

    Who never came is not loyal.
    """
    away = person.came_before(months_before(person.standings.day, SEASON))
    return (person.visits >= FEW or away) and not person.is_on_top and not is_new(person) and person.is_pleased


def is_favourite(person: Person) -> bool:
    """The staff chose the customer."""
    return person.customer.favourite


DEFINITIONS: Final[Mapping[Tier, Callable[[Person], bool]]] = {
    Tier.FAVOURITE: is_favourite,
    Tier.NEW: is_new,
    Tier.TOP: is_top,
    Tier.INACTIVE: is_inactive,
    Tier.LOYAL: is_loyal,
}
"""Each says by itself whether it holds; several may, and ``Tier`` says which comes first."""


def tier_of(
    customer: Customer, contacts: Mapping[ContactKey, Contact], doings: Doings, standings: Standings, joined: date
) -> Tier | None:
    """The customer's tier on the day of the standings; ``None`` for no tier.

    ``contacts`` has those of the customer's addresses. ``joined`` is as ``joined_on`` says.
    """
    if is_blacklisted(customer, contacts):
        return None
    person = Person(customer, doings, standings, joined)
    return next((tier for tier in Tier if DEFINITIONS[tier](person)), None)


def is_blacklisted(customer: Customer, contacts: Mapping[ContactKey, Contact]) -> bool:
    """Whether the customer has opted out of loyalty on any channel, by itself or with more."""
    return any(contacts[key].consent.keeps_back(Scope.LOYALTY) for key in customer.contact_keys)


def joined_on(customer: Customer, doings: Doings, created: date) -> date:
    """When the customer joined: what the profile says, else the first visit or the day on which it was made."""
    if customer.customer_since is not None:
        return customer.customer_since
    return min(created, doings.first_visit or created)


def months_before(day: date, months: int) -> date:
    """The same day of an earlier month, or the last one of a month that has fewer."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
