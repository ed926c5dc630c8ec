"""Saved segments, and what a send to one would do."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from rebound.application.audience import select, supposed_campaign
from rebound.application.ports import BusinessDirectory, Clock, ContactBook, CustomerBook, Page, SegmentBook
from rebound.domain.campaigns import Audience, Category
from rebound.domain.channels import Channel
from rebound.domain.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from rebound.domain.key_ranges import bounds
from rebound.domain.segments import Segment, compile_filter

SEGMENT_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
PAGE: Final = 500
LONGEST_COUNT: Final = timedelta(seconds=20)
"""The gateway waits 29 seconds."""


class ManageSegments:
    """The segments of one business at a time."""

    def __init__(
        self,
        segments: SegmentBook,
        customers: CustomerBook,
        contacts: ContactBook,
        businesses: BusinessDirectory,
        clock: Clock,
    ) -> None:
        self._segments = segments
        self._customers = customers
        self._contacts = contacts
        self._businesses = businesses
        self._clock = clock

    def put(self, business_id: str, segment_id: str, name: str, filter_: Mapping[str, Any]) -> Segment:
        """Create or replace. Raises ``InvalidInputError`` with each condition that is wrong."""
        if not SEGMENT_ID.fullmatch(segment_id):
            raise InvalidInputError(FieldError("segment_id", "Must be 1 to 64 letters, digits, - or _."))
        compile_filter(filter_)
        segment = Segment(business_id, segment_id, name.strip(), filter_, self._clock.now())
        self._segments.put(segment)
        return segment

    def get(self, business_id: str, segment_id: str) -> Segment:
        """Raises ``NotFoundError``."""
        return self._segments.get(business_id, segment_id)

    def delete(self, business_id: str, segment_id: str) -> None:
        """Raises ``NotFoundError``. Campaigns that were planned from it keep their filter."""
        self._segments.delete(business_id, segment_id)

    def page(self, business_id: str, limit: int, cursor: str | None) -> Page[Segment]:
        """The segments of a business, by id."""
        return self._segments.page(business_id, limit, cursor)

    def preview(
        self,
        business_id: str,
        *,
        segment_id: str | None,
        filter_: Mapping[str, Any] | None,
        channel: Channel,
        category: Category,
        exclude_failed: bool,
    ) -> Audience:
        """How many would be meant, left out by reason, and targeted, if it were sent now.

        Raises ``ConflictError`` when there are more customers than can be counted while a request waits.
        """
        tree = filter_ if segment_id is None else filter_of(self._segments, business_id, segment_id)
        matcher = compile_filter(tree)
        business = self._businesses.get(business_id)
        supposed = supposed_campaign(
            business_id, channel, category, self._clock.now(), filter_=tree, exclude_failed=exclude_failed
        )
        audience, after = Audience(), None
        first, last = bounds(0, 1)
        deadline = self._clock.now() + LONGEST_COUNT
        while True:
            if self._clock.now() > deadline:
                raise ConflictError(
                    f"There are more customers than a preview can count in {LONGEST_COUNT.total_seconds():.0f} seconds."
                )
            customers = self._customers.read_range(business_id, first, last, after, PAGE)
            audience = audience.plus(select(customers, matcher, self._contacts, business, supposed).audience)
            if len(customers) < PAGE:
                return audience
            after = customers[-1].customer_id


def filter_of(segments: SegmentBook, business_id: str, segment_id: str) -> Mapping[str, Any]:
    """The filter of a segment that a request names. Raises ``InvalidInputError`` when there is none."""
    try:
        return segments.get(business_id, segment_id).filter
    except NotFoundError:
        raise InvalidInputError(FieldError("segment_id", "There is no such segment.")) from None
