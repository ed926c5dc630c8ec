"""Saved segments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from rebound.kernel.errors import ChangedMeanwhileError, ConflictError, FieldError, InvalidInputError, NotFoundError
from rebound.kernel.pages import Page
from rebound.kernel.retrying import retried
from rebound.segments.domain.filters import compile_filter, pinned, segments_in
from rebound.segments.domain.segments import MAX_ORDERED, SavedSegments, Segment

if TYPE_CHECKING:
    from datetime import datetime

    from rebound.platform.ports import Clock
    from rebound.segments.ports import SegmentBook, SegmentUser

SEGMENT_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class SegmentService(Struct, frozen=True, kw_only=True):
    """The segments of one business at a time.

    A write holds only if nothing of the business's segments was written since they were read, so that two at once
    neither close a circle nor take away a segment that another, or one of the ``users``, has just begun to name.
    """

    segments: SegmentBook
    users: Sequence[SegmentUser]
    clock: Clock

    def put(
        self,
        business_id: str,
        segment_id: str,
        name: str,
        filter_: Mapping[str, Any],
        instead_of: datetime | None = None,
    ) -> Segment:
        """Create or replace; ``instead_of`` is when what it is to replace was saved.

        Raises ``InvalidInputError`` with each condition that is wrong, and ``ChangedMeanwhileError`` where another is
        there than was to be replaced, or none.
        """
        if not SEGMENT_ID.fullmatch(segment_id):
            raise InvalidInputError(FieldError("segment_id", "Must be 1 to 64 letters, digits, - or _."))
        # What is wrong by itself is refused before anything is read.
        compile_filter(filter_, find=lambda _: {"all": []}, within=(segment_id,))

        def write() -> Segment:
            saved = self.segments.all(business_id)
            there = saved.segments.get(segment_id)
            if instead_of is not None and (there is None or there.updated_at != instead_of):
                raise ChangedMeanwhileError("Somebody else has changed the segment meanwhile.")
            segment = Segment(business_id, segment_id, name.strip(), filter_, self.clock.now())
            self._check(saved, segment)
            self.segments.put(segment, saved)
            return segment

        return retried(write)

    @staticmethod
    def _check(saved: SavedSegments, segment: Segment) -> None:
        """Check that the segment can be used, and so can still those that name it."""
        trees = {**{id_: each.filter for id_, each in saved.segments.items()}, segment.segment_id: segment.filter}
        compile_filter(segment.filter, find=trees.get, within=(segment.segment_id,))
        pinned(segment.filter, "filter", trees.get)
        for user in _users(saved, segment.segment_id):
            try:
                pinned(trees[user], "filter", trees.get)
            except InvalidInputError as error:
                message = f"Segment {user}, which names this one, could no longer be used: {error.errors[0].message}"
                raise InvalidInputError(FieldError("filter", message)) from None

    def get(self, business_id: str, segment_id: str) -> Segment:
        """Raises ``NotFoundError``."""
        return self.segments.get(business_id, segment_id)

    def delete(self, business_id: str, segment_id: str) -> None:
        """Raises ``NotFoundError``, and ``ConflictError`` while other segments or recurring campaigns use it.

        Campaigns that were planned from it keep their filter.
        """

        def write() -> None:
            saved = self.segments.all(business_id)
            if segment_id not in saved.segments:
                raise NotFoundError("segment")
            naming = [id_ for id_, each in saved.segments.items() if segment_id in segments_in(each.filter)]
            recurring = [id_ for users in self.users for id_ in users(business_id, segment_id)]
            if naming or recurring:
                raise ConflictError(
                    "segment_in_use",
                    "Other segments or recurring campaigns use this one: change those first.",
                    segment_ids=sorted(naming),
                    recurring_campaign_ids=sorted(recurring),
                )
            self.segments.delete(business_id, segment_id, saved)

        retried(write)

    def known(self, business_id: str) -> SavedSegments:
        """All segments of a business in one request, to choose from and to look at."""
        return self.segments.known(business_id)

    def page(self, business_id: str, limit: int, cursor: str | None) -> Page[Segment]:
        """The segments of a business, in its order; those that it names nowhere follow by id."""
        return self.segments.page(business_id, limit, cursor)

    def put_order(self, business_id: str, segment_ids: Sequence[str]) -> Sequence[str]:
        """Put segments in an order; the whole order as it is then. Raises ``InvalidInputError``."""

        def write() -> Sequence[str]:
            saved = self.segments.all(business_id)
            problems = list(_wrong_with(segment_ids, saved))
            if problems:
                raise InvalidInputError(*problems)
            self.segments.reorder(business_id, segment_ids, saved)
            return [*segment_ids, *sorted(saved.segments.keys() - set(segment_ids))]

        return retried(write)


def _wrong_with(segment_ids: Sequence[str], saved: SavedSegments) -> Iterator[FieldError]:
    if len(segment_ids) > MAX_ORDERED:
        yield FieldError("segment_ids", f"At most {MAX_ORDERED} segments.")
    seen: set[str] = set()
    for index, segment_id in enumerate(segment_ids[:MAX_ORDERED]):
        if segment_id in seen:
            yield FieldError(f"segment_ids[{index}]", "Stands in the list already: each segment once.")
        elif segment_id not in saved.segments:
            yield FieldError.unknown(
                f"segment_ids[{index}]", "There is no such segment.", segment_id, sorted(saved.segments)
            )
        seen.add(segment_id)


def _users(saved: SavedSegments, segment_id: str) -> Sequence[str]:
    """The segments that name one, or name one that does, and so on."""
    named = {id_: segments_in(each.filter) for id_, each in saved.segments.items()}
    found = {segment_id}
    while more := {id_ for id_, names in named.items() if id_ not in found and names & found}:
        found |= more
    return sorted(found - {segment_id})
