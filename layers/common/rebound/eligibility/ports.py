"""What the use cases of eligibility need from outside."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from rebound.businesses.domain.frequency import Frequency
from rebound.messages.ports import MessagesPorts
from rebound.segments.ports import SegmentsPorts


class FrequencyBook(Protocol):
    """What every customer has been handed of late, for the caps."""

    def get_many(
        self, business_id: str, customer_ids: Iterable[str], *, consistent: bool = True
    ) -> Mapping[str, Frequency]:
        """Everybody's, by customer, any number; empty for one of whom nothing is kept.

        Those of a moment ago are good enough, and cost half, where a decision will be taken again.
        """

    def save(self, frequency: Frequency, until: datetime) -> Frequency:
        """Write one that is still as it was read (``version``), to be forgotten some time after ``until``.

        As it is stored now. Raises ``ConcurrentChangeError`` when somebody else has written it.
        """


class EligibilityPorts(SegmentsPorts, MessagesPorts, Protocol):
    """What the use cases of eligibility need from outside."""

    @property
    def frequencies(self) -> FrequencyBook: ...
