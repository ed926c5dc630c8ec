"""The Paces table: how fast each sending account may be used, and until when each flow is booked."""

from __future__ import annotations

from copy import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from rebound.kernel.errors import ConcurrentChangeError
from rebound.platform.adapters.dynamo import InstantAttribute, Model, bind, expiry, lost_races
from rebound.rates.domain import Flow, Quota, RateState, Stop

if TYPE_CHECKING:
    from rebound.platform.telemetry import Count
    from rebound.rates.ports import QuotaSource


class RateRow(Model):
    """``account`` / ``flow``: until when a flow is booked; the row of flow ``-`` is about the whole account."""

    account = UnicodeAttribute(hash_key=True)
    flow = UnicodeAttribute(range_key=True)
    booked_until = NumberAttribute(null=True)
    rate = NumberAttribute(null=True)
    daily = NumberAttribute(null=True)
    sent_today = NumberAttribute(null=True)
    quota_read_at = InstantAttribute(null=True)
    brake = NumberAttribute(null=True)
    braked_at = InstantAttribute(null=True)
    stopped_until = InstantAttribute(null=True)
    stopped_since = InstantAttribute(null=True)
    expires_at = NumberAttribute(null=True)


ACCOUNT: Final = "-"
"""The sort key of the account's own row; the name of a real flow is always longer."""
GOOD_FOR: Final = timedelta(seconds=2)
"""How old a known state may be: shares may lag some seconds behind flows that come and go."""
BRAKES_APART: Final = timedelta(seconds=1)
"""Throttles come in bursts; those within this time count as one."""
KEPT: Final = timedelta(days=1)
_ATTEMPTS: Final = 3
_MILLISECOND: Final = timedelta(milliseconds=1)


class DynamoRateBook:
    """Implements ``RateBook``. A booking is one number in milliseconds, which one conditional update moves."""

    def __init__(self, table_name: str) -> None:
        self._row = bind(RateRow, table_name)
        self._known: dict[str, tuple[datetime, RateState]] = {}

    def current(self, account: str, now: datetime) -> RateState:
        known = self._known.get(account)
        if known is None or not timedelta() <= now - known[0] < GOOD_FOR:
            known = self._known[account] = (now, self._read(account))
        return known[1]

    def book(self, account: str, flow: Flow, width: timedelta, now: datetime, latest: datetime) -> datetime | None:
        until, wide, present = RateRow.booked_until, max(width // _MILLISECOND, 1), _milliseconds(now)
        behind = (until.set(until + wide), (until > present) & (until <= _milliseconds(latest)))
        anew = (until.set(present + wide), until.does_not_exist() | (until <= present))
        known = self._known.get(account)
        booked = known[1].booked.get(flow) if known is not None else None
        # The known state is seconds old and only says which update is likelier to succeed; usually one write is enough.
        ways = [behind, anew] if booked is not None and booked > now else [anew, behind]
        for attempt in range(_ATTEMPTS):
            action, condition = ways[attempt % 2]
            row = self._row(account, str(flow))
            expires_at = RateRow.expires_at.set(expiry(now, KEPT))
            try:
                with lost_races():
                    row.update(actions=[action, expires_at], condition=condition)
            except ConcurrentChangeError:
                continue
            return _moment(int(row.booked_until or 0) - wide)
        return None

    def brake(self, account: str, left: float, now: datetime) -> None:
        braked = RateRow.braked_at
        calm = braked.does_not_exist() | (braked <= now - BRAKES_APART)
        self._change(account, [RateRow.brake.set(left), braked.set(now)], calm)

    def stop(self, account: str, stop: Stop) -> None:
        until = RateRow.stopped_until
        actions = [until.set(stop.until), RateRow.stopped_since.set(stop.since)]
        self._change(account, actions, until.does_not_exist() | (until < stop.until))

    def claim_quota(self, account: str, read_at: datetime | None, now: datetime) -> bool:
        known = RateRow.quota_read_at
        as_known = known.does_not_exist() if read_at is None else known == read_at
        return self._change(account, [known.set(now)], as_known)

    def keep_quota(self, account: str, quota: Quota) -> None:
        actions = [RateRow.rate.set(quota.rate), RateRow.sent_today.set(quota.sent_today)]
        actions.append(RateRow.daily.remove() if quota.daily is None else RateRow.daily.set(quota.daily))
        self._change(account, actions, None)

    def _change(self, account: str, actions: list[Any], condition: Any) -> bool:
        """Change the account's row; whether it was changed. A concurrent change of the same kind is as good as ours."""
        self._known.pop(account, None)
        try:
            with lost_races():
                self._row(account, ACCOUNT).update(actions=actions, condition=condition)
        except ConcurrentChangeError:
            return False
        return True

    def _read(self, account: str) -> RateState:
        rate_state, booked = RateState(), {}
        for row in self._row.query(account):
            if row.flow != ACCOUNT:
                booked[Flow.parse(row.flow)] = _moment(int(row.booked_until))
                continue
            quota = (
                Quota(float(row.rate), int(row.daily) if row.daily else None, int(row.sent_today)) if row.rate else None
            )
            rate_state = RateState(
                quota=quota,
                quota_read_at=row.quota_read_at,
                brake=float(row.brake or 1.0),
                braked_at=row.braked_at,
                stop=_stop(row.stopped_since, row.stopped_until),
            )
        return replace(rate_state, booked=MappingProxyType(booked))


def _stop(since: datetime | None, until: datetime | None) -> Stop | None:
    return None if since is None or until is None else Stop(since, until)


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


class CountedQuota:
    """Implements ``QuotaSource`` by another, and counts how often it was used up: then nothing is even tried."""

    def __init__(self, source: QuotaSource, count: Count) -> None:
        self.source = source
        self.count = count

    def quota(self) -> Quota | None:
        quota = self.source.quota()
        if quota is not None and quota.used_up:
            self.count("QuotaUsedUp")
        return quota


NO_LIMIT: Final = -1
"""``Max24HourSend`` in GetAccount's answer when there is no quota for 24 hours."""


class SesQuota:
    """Implements ``QuotaSource`` with GetAccount, which may be called about once a second."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def quota(self) -> Quota | None:
        try:
            sent = self._client.get_account()["SendQuota"]
        except (ClientError, BotoCoreError):
            return None
        daily = int(sent["Max24HourSend"])
        return Quota(float(sent["MaxSendRate"]), None if daily == NO_LIMIT else daily, int(sent["SentLast24Hours"]))
