"""Telling sequences of tags that customers were given, whoever gave them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.sequences.domain.happenings import Happened, Kind, tag_name
from rebound.sequences.domain.tasks import Told

if TYPE_CHECKING:
    from rebound.customers.application.tagging import TagsGiven
    from rebound.sequences.application.tell import TellSequences


class HearTags(Struct, frozen=True, kw_only=True):
    """Tells of a batch of the change stream: one read for each business in it."""

    tell: TellSequences

    def __call__(self, given: Iterable[TagsGiven]) -> None:
        """Tell; again changes nothing."""
        told: dict[str, list[Told]] = {}
        for one in given:
            had = tuple(map(tag_name, one.had))
            told.setdefault(one.business_id, []).extend(Told(one.customer_id, each, had) for each in _happenings(one))
        for business_id, of_business in told.items():
            self.tell(business_id, of_business)


def _happenings(given: TagsGiven) -> Iterator[Happened]:
    """What it means; a tag that was taken away and is given again is another happening."""
    for name in map(tag_name, given.tags):
        yield Happened(
            kind=Kind.TAG_ADDED,
            key=f"{name}#{given.at.isoformat()}",
            at=given.at,
            about={"tag": name},
            is_live=True,
            caused_by=given.by,
        )
