"""Telling sequences of what the change stream of customers has: of tags, whoever gave them, and of who is new.

What happened with somebody whom nobody knows yet waits in the log (``activity.application``), and whoever hears of it
finds no customer. So each new customer who has a log is told of, and what it says is heard then, as if it were told
now. Whatever is told stands in the log before anybody hears of it, and a customer is there before anybody is told of
them: of the two, the one that comes last finds the other. Where both do, what is told twice is done once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import batched
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.kernel.errors import NotFoundError
from rebound.sequences.domain.happenings import Happened, Kind, tag_name
from rebound.sequences.domain.tasks import TOLD_TOGETHER, Came, NewcomersTask, Told

if TYPE_CHECKING:
    from rebound.activity.ports import ActivityBook
    from rebound.businesses.ports import BusinessDirectory
    from rebound.customers.application.tagging import TagsGiven
    from rebound.customers.domain import Customer
    from rebound.sequences.application.tell import TellSequences
    from rebound.sequences.ports import SequenceBook, StepQueue


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


class TellOfNewcomers(Struct, frozen=True, kw_only=True):
    """Tells of new customers, as the change stream of customers has them, by way of the queue.

    To be called after everything is erased of who had the id of one of them before, and was deleted.
    """

    sequences: SequenceBook
    businesses: BusinessDirectory
    activity: ActivityBook
    step_queue: StepQueue

    def __call__(self, customers: Iterable[Customer]) -> None:
        """Tell of those who have a log; again changes nothing.

        Up to two reads for each business, and where a sequence listens to what customers do, or they are asked to sign
        waivers, another for a hundred of them.
        """
        came: dict[str, dict[str, Came]] = {}
        for each in customers:
            if each.external_id is not None:
                # Nobody else could be named before they were there.
                came.setdefault(each.business_id, {})[each.customer_id] = Came(each.customer_id, each.created_at)
        for business_id, new in came.items():
            if not self._is_heard(business_id):
                continue
            known = self.activity.known_of(business_id, list(new))
            told = [each for customer_id, each in new.items() if customer_id in known]
            tasks = [NewcomersTask(business_id, some) for some in batched(told, TOLD_TOGETHER, strict=False)]
            if tasks:
                self.step_queue.tell(tasks)

    def _is_heard(self, business_id: str) -> bool:
        if any(each.may_hear_activity for each in self.sequences.all(business_id)):
            return True
        with suppress(NotFoundError):
            return self.businesses.get(business_id).has_waivers
        return False
