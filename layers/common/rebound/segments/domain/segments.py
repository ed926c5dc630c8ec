"""Saved segments, and the customers that a clean-up removes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct, field

from rebound.contacts.domain.contacts import Contact
from rebound.customers.domain import Customer

MAX_ORDERED: Final = 1000
"""Segments that an order may name."""


class Segment(Struct, frozen=True):
    """A saved filter under a name of the client's choosing; ``filter`` is as the client wrote it."""

    business_id: str
    segment_id: str
    name: str
    filter: Mapping[str, Any]
    updated_at: datetime


class SavedSegments(Struct, frozen=True):
    """All segments of a business, by id. ``version`` grows with everything that is written to any of them.

    ``order`` names those that the business has put in an order; the others follow them by id.
    """

    segments: Mapping[str, Segment] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    version: int = 0

    @property
    def in_order(self) -> Sequence[Segment]:
        """All of them as lists show them."""
        known = [*(id_ for id_ in self.order if id_ in self.segments), *sorted(self.segments.keys() - set(self.order))]
        return [self.segments[id_] for id_ in known]


class Removal(Struct, frozen=True):
    """Customers to delete, and their contacts with these customers taken out."""

    customers: Sequence[Customer]
    contacts: Sequence[Contact]
