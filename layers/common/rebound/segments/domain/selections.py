"""Who is meant: by a list, by a saved segment, by a filter."""

from collections.abc import Mapping
from copy import replace
from datetime import datetime
from typing import Any

from msgspec import Struct

from rebound.contacts.domain.contacts import FAILED_VALUES
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.search import NOTHING_SEEN, is_unseen
from rebound.segments.domain.filters import as_written, compile_filter
from rebound.segments.domain.leaves import changed_since, failing, searching, tagged
from rebound.segments.domain.matching import CustomerMatcher, Moment, all_of, by_profile


class CustomerFilter(Struct, frozen=True):
    """Which customers a list, a count or a clean-up is about: those who meet every condition that is given.

    ``q`` has words that must all occur in name, addresses, numbers or external id; ``segment`` is the filter of a saved
    segment, and ``filter`` a filter of the client's own, both with the segments that they name (``pinned``).
    ``updated_since`` is for those whose profile, flags or consent have been written since (``last_change``), and
    ``location_id`` for those who visited a location or have a booking there. ``as_of`` is the moment of the request,
    where a condition asks for it.
    """

    failed: str | None = None
    tag: str | None = None
    q: str | None = None
    segment: Mapping[str, Any] | None = None
    filter: Mapping[str, Any] | None = None
    updated_since: datetime | None = None
    location_id: str | None = None
    as_of: Moment | None = None

    @property
    def is_everybody(self) -> bool:
        """Whether no condition is given, so that every customer matches."""
        return self == CustomerFilter(as_of=self.as_of)

    def compiled(self) -> CustomerMatcher:
        """The predicate that tells whether a customer matches.

        :raises InvalidInputError: with each field that is wrong.
        """
        parts: list[CustomerMatcher] = []
        if self.failed is not None:
            if self.failed not in FAILED_VALUES:
                raise InvalidInputError(FieldError("failed", f"Must be one of {', '.join(FAILED_VALUES)}."))
            parts.append(failing(self.failed))
        for field in ("segment", "filter"):
            tree = getattr(self, field)
            if tree is not None:
                parts.append(compile_filter(tree, field, self.as_of))
        if self.tag is not None:
            parts.append(tagged(self.tag))
        if self.q is not None:
            if is_unseen(self.q):
                raise InvalidInputError(FieldError("q", NOTHING_SEEN))
            parts.append(searching(self.q))
        if self.updated_since is not None:
            parts.append(changed_since(self.updated_since))
        if self.location_id is not None:
            parts.append(compile_filter(_at(self.location_id), "location_id", self.as_of))
        return all_of(parts)


def _at(location_id: str) -> Mapping[str, Any]:
    """Who visited a location or has a booking there, as a filter."""
    visits = {"visits": {"at_least": 1, "location_id": location_id}}
    return {"any": [visits, {"bookings": {"upcoming": True, "location_id": location_id}}]}


class Selection(Struct, frozen=True):
    """Who is meant: exactly one of a saved segment, a filter and a list of customers.

    ``external_ids`` are the business's own ids of the customers of the list, where it was given by these. ``filter`` is
    also that of the segment, once it is fixed (``pinned``); ``as_of`` is then the moment at which it is asked, where a
    condition asks for it.
    """

    segment_id: str | None = None
    filter: Mapping[str, Any] | None = None
    customer_ids: tuple[str, ...] | None = None
    external_ids: tuple[str, ...] | None = None
    as_of: Moment | None = None

    @property
    def ranked_at(self) -> datetime | None:
        """As of when customers were ranked, once it is fixed; ``None`` where no condition asks for a tier."""
        return None if self.as_of is None else self.as_of.ranked_at


def as_asked(selection: Selection) -> Selection:
    """The selection as it was asked for, before it was fixed what that means."""
    if selection.segment_id is not None or selection.filter is None:
        return replace(selection, filter=None, as_of=None)
    return replace(selection, filter=as_written(selection.filter), as_of=None)


def meant_by(selection: Selection) -> CustomerMatcher:
    """Whether a selection means a customer; one without a filter means everybody. Raises ``InvalidInputError``."""
    if selection.customer_ids is not None:
        listed = frozenset(selection.customer_ids)
        return by_profile(lambda customer: customer.customer_id in listed)
    return compile_filter(selection.filter, at=selection.as_of) if selection.filter is not None else all_of(())
