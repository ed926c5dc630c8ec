"""How fast sending accounts may be used, and what a provider allows, in memory."""

from collections import defaultdict
from copy import replace
from datetime import datetime, timedelta
from functools import cached_property
from types import MappingProxyType
from typing import Final

from rebound.rates.domain import Flow, Quota, RateState, Stop
from tests.contract.platform.fakes import MemoryPlatformPorts

PLENTY: Final = Quota(rate=5000.0)
_A_SECOND: Final = timedelta(seconds=1)


class MemoryRateBook:
    """Implements ``RateBook``; always up to date."""

    def __init__(self) -> None:
        self._states: defaultdict[str, RateState] = defaultdict(RateState)

    def current(self, account: str, now: datetime) -> RateState:
        return self._states[account]

    def book(self, account: str, flow: Flow, width: timedelta, now: datetime, latest: datetime) -> datetime | None:
        state = self._states[account]
        begins = max(state.booked.get(flow, now), now)
        if begins > latest:
            return None
        self._states[account] = replace(state, booked=MappingProxyType({**state.booked, flow: begins + width}))
        return begins

    def brake(self, account: str, left: float, now: datetime) -> None:
        state = self._states[account]
        if state.braked_at is None or now - state.braked_at >= _A_SECOND:
            self._states[account] = replace(state, brake=left, braked_at=now)

    def stop(self, account: str, stop: Stop) -> None:
        state = self._states[account]
        if state.stop is None or state.stop.until < stop.until:
            self._states[account] = replace(state, stop=stop)

    def claim_quota(self, account: str, read_at: datetime | None, now: datetime) -> bool:
        state = self._states[account]
        if state.quota_read_at != read_at:
            return False
        self._states[account] = replace(state, quota_read_at=now)
        return True

    def keep_quota(self, account: str, quota: Quota) -> None:
        self._states[account] = replace(self._states[account], quota=quota)


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
    def rates(self) -> MemoryRateBook:
        return MemoryRateBook()

    @cached_property
    def quotas(self) -> ScriptedQuota:
        return ScriptedQuota()
