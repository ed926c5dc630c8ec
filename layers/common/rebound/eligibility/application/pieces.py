"""Some of a business's customers at a time, for who looks at all of them or at those of a list."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, Self

from msgspec import Struct, field

from rebound.jobs.domain import EXCLUDED, JobProgress, Spared

if TYPE_CHECKING:
    from rebound.customers.domain import Customer
    from rebound.customers.ports import CustomerBook

MOST_NAMED: Final = 500
"""Customers who are left out whom each range of a job names: the row of its progress has room for them."""


def read_piece(
    book: CustomerBook,
    business_id: str,
    listed: Sequence[str] | None,
    within: tuple[str, str],
    after: str | None,
    size: int,
) -> tuple[Mapping[str, Customer | None], str | None]:
    """The next customers of a range of ids, by id; and the id after which it goes on, ``None`` at the end.

    Those of a list alone where there is one: ``None`` for whom there is not (any more).
    """
    if listed is None:
        customers = book.read_range(business_id, *within, after, size)
        found: Mapping[str, Customer | None] = {each.customer_id: each for each in customers}
        return found, customers[-1].customer_id if len(customers) == size else None
    ids = sorted(set(listed))
    first, last = within
    start = bisect_left(ids, first) if after is None else bisect_right(ids, after)
    asked = ids[start : bisect_right(ids, last)][:size]
    known = book.get_many(business_id, asked) if asked else {}
    return {each: known.get(each) for each in asked}, asked[-1] if len(asked) == size else None


class Named(Struct, frozen=True):
    """Who is left out, by reason; where they are few enough to be named. Kept as those whom a job has ``spared``."""

    by_reason: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, progress: JobProgress) -> Self:
        """Those whom a range has named so far."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for one in progress.spared:
            found[one.reason].append(one.customer_id)
        return cls(found)

    def plus(self, others: Mapping[str, Sequence[str]]) -> Self:
        """With some more."""
        reasons = {*self.by_reason, *others}
        return type(self)({each: [*self.by_reason.get(each, ()), *others.get(each, ())] for each in reasons})

    def within(self, counts: Mapping[str, int]) -> tuple[Spared, ...]:
        """For as many reasons as there is room, rarest first, all whom these ``counts`` of the range count."""
        complete = {why: ids for why, ids in self.by_reason.items() if len(ids) == counts.get(f"{EXCLUDED}{why}")}
        kept: list[Spared] = []
        for why, ids in sorted(complete.items(), key=lambda each: (len(each[1]), each[0])):
            if len(kept) + len(ids) > MOST_NAMED:
                break
            kept += [Spared(customer_id, why) for customer_id in ids]
        return tuple(kept)
