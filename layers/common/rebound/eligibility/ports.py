"""What the use cases of eligibility need from outside."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Protocol

from rebound.businesses.domain.frequency import Frequency
from rebound.eligibility.domain.bulk_days import BulkDay
from rebound.messages.ports import MessagesPorts
from rebound.segments.ports import SegmentsPorts


class FrequencyBook(Protocol):
    """The recent hand-overs of every customer, for the caps."""

    def get_many(
        self, business_id: str, customer_ids: Iterable[str], *, consistent: bool = True
    ) -> Mapping[str, Frequency]:
        """The frequencies of any number of customers, by customer; an empty one where nothing is kept.

        Where a decision will be made again, eventually consistent reads are good enough, and cost half.
        """

    def save(self, frequency: Frequency, until: datetime) -> Frequency:
        """Write a frequency that is still as it was read (``version``); it expires some time after ``until``.

        Returns it as it is stored now. Raises ``ConcurrentChangeError`` when somebody else has written it.
        """


class BulkDayBook(Protocol):
    """How many recipients bulk campaigns of a business have reserved on its days; of limited businesses alone."""

    def get(self, business_id: str, day: date) -> BulkDay:
        """The day as of now; an empty one when nothing is kept."""

    def save(self, day: BulkDay) -> None:
        """Write a day that is still as it was read (``version``). Raises ``ConcurrentChangeError`` when it is not."""


class EligibilityPorts(SegmentsPorts, MessagesPorts, Protocol):
    """What the use cases of eligibility need from outside."""

    @property
    def bulk_days(self) -> BulkDayBook: ...

    @property
    def frequencies(self) -> FrequencyBook: ...
