"""Saved segments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from rebound.kernel.errors import FieldError, InvalidInputError, NotFoundError
from rebound.kernel.pages import Page
from rebound.segments.domain.filters import compile_filter
from rebound.segments.domain.segments import Segment

if TYPE_CHECKING:
    from rebound.platform.ports import Clock
    from rebound.segments.ports import SegmentBook

SEGMENT_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class SegmentService(Struct, frozen=True, kw_only=True):
    """The segments of one business at a time."""

    segments: SegmentBook
    clock: Clock

    def put(self, business_id: str, segment_id: str, name: str, filter_: Mapping[str, Any]) -> Segment:
        """Create or replace. Raises ``InvalidInputError`` with each condition that is wrong."""
        if not SEGMENT_ID.fullmatch(segment_id):
            raise InvalidInputError(FieldError("segment_id", "Must be 1 to 64 letters, digits, - or _."))
        compile_filter(filter_)
        segment = Segment(business_id, segment_id, name.strip(), filter_, self.clock.now())
        self.segments.put(segment)
        return segment

    def get(self, business_id: str, segment_id: str) -> Segment:
        """Raises ``NotFoundError``."""
        return self.segments.get(business_id, segment_id)

    def delete(self, business_id: str, segment_id: str) -> None:
        """Raises ``NotFoundError``. Campaigns that were planned from it keep their filter."""
        self.segments.delete(business_id, segment_id)

    def page(self, business_id: str, limit: int, cursor: str | None) -> Page[Segment]:
        """The segments of a business, by id."""
        return self.segments.page(business_id, limit, cursor)


def filter_of(segments: SegmentBook, business_id: str, segment_id: str) -> Mapping[str, Any]:
    """The filter of a segment that a request names. Raises ``InvalidInputError`` when there is none."""
    try:
        return segments.get(business_id, segment_id).filter
    except NotFoundError:
        raise InvalidInputError(FieldError("segment_id", "There is no such segment.")) from None
