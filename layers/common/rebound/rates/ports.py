"""What the use cases of rates need from outside."""

from datetime import datetime, timedelta
from typing import Protocol

from rebound.platform.ports import PlatformPorts
from rebound.rates.domain import Flow, Quota, RateState, Stop


class RateBook(Protocol):
    """What all workers together know about how fast each sending account may be used."""

    def current(self, account: str, now: datetime) -> RateState:
        """The state of the account, some seconds old at most."""

    def book(self, account: str, flow: Flow, width: timedelta, now: datetime, latest: datetime) -> datetime | None:
        """Book ``width`` for a flow after its last booking, or from ``now``; the moment at which the new one begins.

        ``None``, with nothing booked, when the flow is booked beyond ``latest`` already. Atomic: no moment of a flow is
        booked twice.
        """

    def brake(self, account: str, left: float, now: datetime) -> None:
        """Reduce the rate to the share ``left`` from ``now`` on, unless a worker braked within the last second."""

    def stop(self, account: str, stop: Stop) -> None:
        """Hand over nothing until ``stop`` is over; a stored stop that ends later stays."""

    def claim_quota(self, account: str, read_at: datetime | None, now: datetime) -> bool:
        """Claim the next reading of the provider's quota, last read at ``read_at``; whether this worker has it."""

    def keep_quota(self, account: str, quota: Quota) -> None:
        """Store the provider's quota for all workers."""


class QuotaSource(Protocol):
    """Asks the provider what it allows."""

    def quota(self) -> Quota | None:
        """The quota; ``None`` when the provider could not be asked now."""


class RatesPorts(PlatformPorts, Protocol):
    """What the use cases of rates need from outside."""

    @property
    def rates(self) -> RateBook: ...

    @property
    def quotas(self) -> QuotaSource: ...
