"""Events and summaries in memory."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from rebound.activity.domain.summary import Summary
from rebound.kernel.errors import ConcurrentChangeError
from tests.contract.customers.fakes import MemoryCustomersPorts
from tests.contract.timers.fakes import MemoryTimersPorts


@dataclass(frozen=True, slots=True)
class KeptSummary:
    """A summary as it is stored."""

    summary: Summary | None
    version: int
    erased: str | None


class MemoryActivityBook:
    """Implements ``ActivityBook``."""

    def __init__(self) -> None:
        self.summaries: dict[tuple[str, str], KeptSummary] = {}

    def save_summary(
        self, business_id: str, customer_id: str, summary: Summary | None, *, read: int, erased: str | None = None
    ) -> None:
        stored = self.summaries.get((business_id, customer_id))
        if (stored.version if stored is not None else 0) != read:
            raise ConcurrentChangeError
        self.summaries[business_id, customer_id] = KeptSummary(summary, read + 1, erased)


class MemorySummaryBook:
    """Implements ``SummaryBook``; a test may put summaries into ``given``."""

    def __init__(self, book: MemoryActivityBook) -> None:
        self._book = book
        self.given: dict[tuple[str, str], Summary] = {}

    def get_many(self, business_id: str, customer_ids: Collection[str]) -> Mapping[str, Summary]:
        return {customer_id: self._of(business_id, customer_id) for customer_id in customer_ids}

    def _of(self, business_id: str, customer_id: str) -> Summary:
        given = self.given.get((business_id, customer_id))
        if given is not None:
            return given
        kept = self._book.summaries.get((business_id, customer_id))
        return kept.summary if kept is not None and kept.summary is not None else Summary.empty()


class MemoryActivityPorts(MemoryCustomersPorts, MemoryTimersPorts):
    """Implements ``ActivityPorts``."""

    @cached_property
    def activity(self) -> MemoryActivityBook:
        return MemoryActivityBook()

    @cached_property
    def summaries(self) -> MemorySummaryBook:
        return MemorySummaryBook(self.activity)
