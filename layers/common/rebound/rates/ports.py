"""What the use cases of rates need from outside."""

from datetime import datetime, timedelta
from typing import Protocol

from rebound.platform.ports import PlatformPorts
from rebound.rates.domain import Flow, Quota, RateState, Stop


class RateBook(Protocol):
    """What the workers know together of how fast each sending account may be used."""

    def current(self, account: str, now: datetime) -> RateState:
        """The state of the account, some seconds old at most."""

    def book(self, account: str, flow: Flow, width: timedelta, now: datetime, latest: datetime) -> datetime | None:
        """Book ``width`` for a flow behind what it has booked, or from ``now``; the moment at which it begins.

        ``None``, with nothing booked, when the flow is booked beyond ``latest`` already. Atomic: no moment of a flow is
        given twice.
        """

    def brake(self, account: str, left: float, now: datetime) -> None:
        """Keep ``left`` of the rate from ``now`` on, unless somebody braked within the last second."""

    def stop(self, account: str, stop: Stop) -> None:
        """Hand over nothing until it is over; one that ends later stays."""

    def claim_quota(self, account: str, read_at: datetime | None, now: datetime) -> bool:
        """Whether it is for us to ask the provider for its quota, which was last asked for at ``read_at``."""

    def keep_quota(self, account: str, quota: Quota) -> None:
        """Tell the others what the provider allows."""


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
