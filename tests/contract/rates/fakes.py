"""The pace of each account in memory, and a provider's quota by script."""

from collections import defaultdict
from copy import replace
from datetime import datetime, timedelta
from functools import cached_property
from types import MappingProxyType
from typing import Final

from rebound.rates.domain import Flow, Pace, Quota, Stop
from tests.contract.platform.fakes import MemoryPlatformPorts

PLENTY: Final = Quota(rate=5000.0)
_A_SECOND: Final = timedelta(seconds=1)


class MemoryPaceBook:
    """Implements ``PaceBook``; always up to date."""

    def __init__(self) -> None:
        self._paces: defaultdict[str, Pace] = defaultdict(Pace)

    def pace(self, account: str, now: datetime) -> Pace:
        return self._paces[account]

    def book(self, account: str, flow: Flow, width: timedelta, now: datetime, latest: datetime) -> datetime | None:
        pace = self._paces[account]
        begins = max(pace.booked.get(flow, now), now)
        if begins > latest:
            return None
        self._paces[account] = replace(pace, booked=MappingProxyType({**pace.booked, flow: begins + width}))
        return begins

    def brake(self, account: str, left: float, now: datetime) -> None:
        pace = self._paces[account]
        if pace.braked_at is None or now - pace.braked_at >= _A_SECOND:
            self._paces[account] = replace(pace, brake=left, braked_at=now)

    def stop(self, account: str, stop: Stop) -> None:
        pace = self._paces[account]
        if pace.stop is None or pace.stop.until < stop.until:
            self._paces[account] = replace(pace, stop=stop)

    def claim_quota(self, account: str, read_at: datetime | None, now: datetime) -> bool:
        pace = self._paces[account]
        if pace.quota_read_at != read_at:
            return False
        self._paces[account] = replace(pace, quota_read_at=now)
        return True

    def keep_quota(self, account: str, quota: Quota) -> None:
        self._paces[account] = replace(self._paces[account], quota=quota)


class ScriptedQuota:
    """Implements ``QuotaSource``; allows ``now``, and counts how often it was asked."""

    def __init__(self) -> None:
        self.now: Quota | None = PLENTY
        self.asked = 0

    def quota(self) -> Quota | None:
        self.asked += 1
        return self.now


class MemoryRatesPorts(MemoryPlatformPorts):
    """Implements ``RatesPorts``."""

    @cached_property
    def paces(self) -> MemoryPaceBook:
        return MemoryPaceBook()

    @cached_property
    def quotas(self) -> ScriptedQuota:
        return ScriptedQuota()
