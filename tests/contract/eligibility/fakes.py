"""What customers have been handed of late, in memory."""

from collections.abc import Callable, Iterable, Mapping
from copy import replace
from datetime import date, datetime
from functools import cached_property

from rebound.businesses.domain.frequency import Frequency
from rebound.eligibility.domain.bulk_days import BulkDay
from rebound.kernel.errors import ConcurrentChangeError
from tests.contract.messages.fakes import MemoryMessagesPorts
from tests.contract.segments.fakes import MemorySegmentsPorts


class MemoryFrequencyBook:
    """Implements ``FrequencyBook``; counts what it is asked for and what it is told.

    ``behind`` says whether what is read next, and not of now, misses its last write.
    """

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Frequency] = {}
        self.behind: Callable[[], bool] = lambda: False
        self._earlier: dict[tuple[str, str], Frequency | None] = {}
        self.reads = 0
        self.writes = 0

    def get_many(
        self, business_id: str, customer_ids: Iterable[str], *, consistent: bool = True
    ) -> Mapping[str, Frequency]:
        wanted = dict.fromkeys(customer_ids)
        self.reads += len(wanted)
        return {
            id_: (self._earlier if not consistent and self.behind() else self.rows).get((business_id, id_))
            or Frequency(business_id, id_)
            for id_ in wanted
        }

    def save(self, frequency: Frequency, until: datetime) -> Frequency:
        key = (frequency.business_id, frequency.customer_id)
        known = self.rows.get(key)
        self.writes += 1
        if frequency.version != (known.version if known is not None else 0):
            raise ConcurrentChangeError
        self._earlier[key] = known
        self.rows[key] = stored = replace(frequency, version=frequency.version + 1)
        return stored


class MemoryBulkDays:
    """Implements ``BulkDayBook``; counts what it is asked for and what it is told."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, date], BulkDay] = {}
        self.reads = 0
        self.writes = 0

    def get(self, business_id: str, day: date) -> BulkDay:
        self.reads += 1
        return self.rows.get((business_id, day), BulkDay(business_id, day))

    def save(self, day: BulkDay) -> None:
        self.writes += 1
        key = (day.business_id, day.day)
        if day.version != self.rows.get(key, BulkDay(*key)).version:
            raise ConcurrentChangeError
        self.rows[key] = replace(day, version=day.version + 1)


class MemoryEligibilityPorts(MemorySegmentsPorts, MemoryMessagesPorts):
    """Implements ``EligibilityPorts``."""

    @cached_property
    def bulk_days(self) -> MemoryBulkDays:
        return MemoryBulkDays()

    @cached_property
    def frequencies(self) -> MemoryFrequencyBook:
        return MemoryFrequencyBook()
