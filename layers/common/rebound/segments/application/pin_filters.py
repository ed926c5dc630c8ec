"""Fixing what a filter means: the segments that it names as they are now, and the moment at which it is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.kernel.errors import FieldError, InvalidInputError, NotFoundError
from rebound.loyalty.domain.standings import Standings
from rebound.segments.domain.filters import NO_SUCH_SEGMENT, pinned
from rebound.segments.domain.matching import CustomerMatcher, Moment
from rebound.segments.domain.selections import CustomerFilter, Selection, meant_by

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.platform.ports import Clock
    from rebound.segments.domain.segments import SavedSegments
    from rebound.segments.ports import SegmentBook


class PinFilters(Struct, frozen=True, kw_only=True):
    """Fixes filters, so that all ranges, pages and retries of what is done with one mean the same customers.

    A segment is read where a filter names it, and the business where a condition asks for the day.
    """

    segments: SegmentBook
    businesses: BusinessDirectory
    clock: Clock
    standings_at_need: Callable[[Business, datetime, bool], Standings]
    """``UseRankings.standings``, with ``is_next_page``."""

    def filter(self, business_id: str, tree: Mapping[str, Any], field: str = "filter") -> Mapping[str, Any]:
        """A client's tree with the segments that it names. Raises ``InvalidInputError``."""
        return pinned(tree, field, self._finder(business_id))

    def segment(self, business_id: str, segment_id: str) -> Mapping[str, Any]:
        """The filter of a saved segment, likewise. Raises ``InvalidInputError`` when there is none."""
        find = self._finder(business_id)
        tree = find(segment_id)
        if tree is None:
            raise InvalidInputError(FieldError("segment_id", NO_SUCH_SEGMENT))
        return pinned(tree, "segment_id", find)

    @staticmethod
    def filter_of(saved: SavedSegments, tree: Mapping[str, Any]) -> Mapping[str, Any]:
        """A client's tree with the segments that it names, which are read already. Raises ``InvalidInputError``."""
        return pinned(tree, "filter", {id_: each.filter for id_, each in saved.segments.items()}.get)

    @staticmethod
    def segment_of(saved: SavedSegments, segment_id: str) -> Mapping[str, Any]:
        """The filter of one of them. Raises ``InvalidInputError``."""
        known = {id_: each.filter for id_, each in saved.segments.items()}
        if segment_id not in known:
            raise InvalidInputError(FieldError("segment_id", NO_SUCH_SEGMENT))
        return pinned(known[segment_id], "segment_id", known.get)

    def selection(self, business_id: str, selection: Selection) -> Selection:
        """The selection with the filter that it means now. Raises ``InvalidInputError``."""
        if selection.segment_id is not None:
            return replace(selection, filter=self.segment(business_id, selection.segment_id))
        if selection.filter is not None:
            return replace(selection, filter=self.filter(business_id, selection.filter))
        return selection

    def at(self, business_id: str, selection: Selection, at: datetime, *, is_next_page: bool = False) -> Selection:
        """The selection as of a time, where that matters; one that has a moment keeps it."""
        if selection.as_of is not None:
            return selection
        matcher = meant_by(selection)
        if not matcher.is_timed:
            return selection
        business = self.businesses.get(business_id)
        return replace(selection, as_of=self._moment(business, matcher, at, is_next_page=is_next_page))

    def wanted(
        self,
        business_id: str,
        wanted: CustomerFilter,
        *,
        is_next_page: bool = False,
        business: Business | None = None,
    ) -> CustomerFilter:
        """A filter of a list as of now, where that matters; ``business`` has its settings, where they are known.

        Raises ``InvalidInputError``.
        """
        matcher = wanted.compiled()
        if not matcher.is_timed:
            return wanted
        now = self.clock.now()
        business = business or self.businesses.get(business_id)
        return replace(wanted, as_of=self._moment(business, matcher, now, is_next_page=is_next_page))

    def _moment(self, business: Business, matcher: CustomerMatcher, at: datetime, *, is_next_page: bool) -> Moment:
        """The moment, with the ranking where a condition asks for a tier. Raises ``ConflictError``."""
        moment = Moment.of(business, at)
        if not matcher.is_ranked:
            return moment
        return replace(moment, standings=self.standings_at_need(business, at, is_next_page))

    def _finder(self, business_id: str) -> Callable[[str], Mapping[str, Any] | None]:
        @cache
        def find(segment_id: str) -> Mapping[str, Any] | None:
            try:
                return self.segments.get(business_id, segment_id).filter
            except NotFoundError:
                return None

        return find
