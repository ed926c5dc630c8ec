"""What the use cases of activity need from outside."""

from collections.abc import Collection, Mapping
from typing import Protocol

from rebound.activity.domain.summary import Summary
from rebound.customers.ports import CustomersPorts
from rebound.timers.ports import TimersPorts


class SummaryBook(Protocol):
    """The summaries of customers, for who asks about them."""

    def get_many(self, business_id: str, customer_ids: Collection[str]) -> Mapping[str, Summary]:
        """That of each of these customers, ``Summary.empty()`` for who has none; eventually consistent.

        One item a customer, a hundred a request.
        """


class ActivityBook(Protocol):
    """The events of customers, and the summaries made of them."""

    def save_summary(
        self, business_id: str, customer_id: str, summary: Summary | None, *, read: int, erased: str | None = None
    ) -> None:
        """Write a customer's summary, on the condition that its version still is the one that was ``read``.

        0 is the version of none. ``erased`` says up to which word everything is erased; without a summary, nothing is
        left. Raises ``ConcurrentChangeError``.
        """


class ActivityPorts(CustomersPorts, TimersPorts, Protocol):
    """What the use cases of activity need from outside."""

    @property
    def activity(self) -> ActivityBook: ...

    @property
    def summaries(self) -> SummaryBook: ...
