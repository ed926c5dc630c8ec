"""What the use cases of recurring campaigns need from outside."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Protocol

from rebound.jobs.domain import JobProgress
from rebound.kernel.pages import Page
from rebound.recurring.domain.looks import Insight
from rebound.recurring.domain.marking import Marking
from rebound.recurring.domain.recurring_campaigns import RecurringCampaign
from rebound.segments.domain.segments import SavedSegments
from rebound.sending.ports import SendingPorts
from rebound.timers.ports import TimersPorts


class RecurringBook(Protocol):
    """The recurring campaigns of all businesses."""

    def get(self, business_id: str, recurring_id: str) -> RecurringCampaign:
        """Strongly consistent. Raises ``NotFoundError``."""

    def add(self, recurring: RecurringCampaign, segments: SavedSegments | None = None) -> None:
        """Write a new one. Raises ``ConcurrentChangeError`` when its id is taken.

        Of one that begins to use ``segments``, also when any of the business's was written since they were read.
        """

    def replace(
        self, before: RecurringCampaign, after: RecurringCampaign, segments: SavedSegments | None = None
    ) -> None:
        """Write ``after``. Raises ``ConcurrentChangeError`` when somebody has written since ``before`` was read.

        ``segments`` as in ``add``.
        """

    def delete(self, recurring: RecurringCampaign) -> None:
        """Remove one that is as it was read. Raises ``ConcurrentChangeError`` otherwise."""

    def page(self, business_id: str, limit: int, cursor: str | None) -> Page[RecurringCampaign]:
        """Those of a business, the oldest first."""

    def using(self, business_id: str, segment_id: str) -> Sequence[str]:
        """The ids of those that use a segment, on or off; strongly consistent."""


class MarkBook(Protocol):
    """For what each customer got an occurrence last (truth 14).

    A ``series`` is what marks are compared within: a recurring campaign and the kind of its audience.
    """

    def known(self, business_id: str, series: str, customer_ids: Collection[str]) -> Mapping[str, date]:
        """Those of customers who are marked; strongly consistent."""

    def commit(
        self, business_id: str, series: str, progress: JobProgress, marked: Sequence[Marking] = ()
    ) -> JobProgress:
        """Mark customers, list them as members of their occurrences, and write the progress: all or nothing.

        At most ``MOST_MARKED``. Raises ``ConcurrentChangeError`` when the progress or a mark is not as it was read.
        """

    def forget(self, business_id: str, customer_id: str) -> None:
        """Remove all marks of a customer."""


class Occurrences(Protocol):
    """The occurrences of recurring campaigns, and what looks have found out."""

    def note(self, business_id: str, recurring_id: str, campaign_id: str, day: date) -> None:
        """Remember an occurrence; doing it again changes nothing."""

    def page(self, business_id: str, recurring_id: str, limit: int, cursor: str | None) -> Page[str]:
        """The ids of the campaigns, newest first."""

    def begin(self, business_id: str, recurring_id: str, job_id: str) -> None:
        """Remember a look that begins; doing it again changes nothing."""

    def end(self, business_id: str, recurring_id: str, job_id: str) -> None:
        """Forget a look that has ended, whether or not it is there."""

    def under_way(self, business_id: str, recurring_id: str) -> Sequence[str]:
        """The jobs of the looks that have begun and not ended."""

    def insight(self, business_id: str, recurring_id: str) -> Insight:
        """What looks have found out; an empty one before the first."""

    def learn(self, business_id: str, recurring_id: str, insight: Insight) -> None:
        """Write what a look has found out; the last one counts."""


class RecurringPorts(SendingPorts, TimersPorts, Protocol):
    """What the use cases of recurring campaigns need from outside."""

    @property
    def recurring(self) -> RecurringBook: ...

    @property
    def marks(self) -> MarkBook: ...

    @property
    def occurrences(self) -> Occurrences: ...
