"""The Frequencies table: each customer's recent hand-overs."""

from collections.abc import Iterable, Mapping
from copy import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from rebound.businesses.domain.frequency import Frequency, HandOver
from rebound.eligibility.domain.bulk_days import BulkDay
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.receipts import MessageKey
from rebound.platform.adapters.dynamo import (
    JsonAttribute,
    Model,
    as_read,
    bind,
    expiry,
    lost_races,
    next_version,
    read_instant,
    write_instant,
)


class FrequencyRow(Model):
    """Keyed by ``recipient_id`` (business and customer): the customer's recent hand-overs, as JSON."""

    recipient_id = UnicodeAttribute(hash_key=True)
    hand_overs = JsonAttribute()
    version = NumberAttribute()
    expires_at = NumberAttribute()


class BulkDayRow(Model):
    """In the Frequencies table: what a limited business sends in bulk on a day.

    ``recipient_id`` is ``#bulk#<business>#<date>``; ``campaigns`` has a number for each, or ``null`` for one refused.
    """

    recipient_id = UnicodeAttribute(hash_key=True)
    campaigns = JsonAttribute()
    version = NumberAttribute()
    expires_at = NumberAttribute()


BULK_DAY_KEPT: Final = timedelta(days=3)
"""A day is over for everybody two days after it began for the first."""
KEPT_LONGER: Final = timedelta(days=1)
"""Rows outlive their use by this much, so that a worker that has just read a row still finds it."""


class DynamoFrequencyBook:
    """Implements ``FrequencyBook``. A hand-over is a short list, because rows are billed by the started kilobyte."""

    def __init__(self, table_name: str) -> None:
        self._row = bind(FrequencyRow, table_name)

    def get_many(
        self, business_id: str, customer_ids: Iterable[str], *, consistent: bool = True
    ) -> Mapping[str, Frequency]:
        found = {id_: Frequency(business_id, id_) for id_ in customer_ids}
        if found:
            keys = [_recipient_id(business_id, id_) for id_ in found]
            for row in self._row.batch_get(keys, consistent_read=consistent):
                frequency = _read(row)
                found[frequency.customer_id] = frequency
        return found

    def save(self, frequency: Frequency, until: datetime) -> Frequency:
        stored = replace(frequency, version=next_version(frequency.version))
        row = self._row(
            _recipient_id(frequency.business_id, frequency.customer_id),
            hand_overs=[_written(hand_over) for hand_over in frequency.hand_overs],
            version=stored.version,
            expires_at=expiry(until, KEPT_LONGER),
        )
        with lost_races():
            row.save(condition=as_read(FrequencyRow, frequency.version))
        return stored


class DynamoBulkDays:
    """Implements ``BulkDayBook``."""

    def __init__(self, table_name: str) -> None:
        self._row = bind(BulkDayRow, table_name)

    def get(self, business_id: str, day: date) -> BulkDay:
        found = self._row.batch_get([_bulk_day_id(business_id, day)], consistent_read=True)
        kept = [BulkDay(business_id, day, row.campaigns, int(row.version)) for row in found]
        return kept[0] if kept else BulkDay(business_id, day)

    def save(self, day: BulkDay) -> None:
        row = self._row(
            _bulk_day_id(day.business_id, day.day),
            campaigns=dict(day.campaigns),
            version=next_version(day.version),
            expires_at=expiry(datetime.combine(day.day, time(), UTC), BULK_DAY_KEPT),
        )
        with lost_races():
            row.save(condition=as_read(BulkDayRow, day.version))


def _bulk_day_id(business_id: str, day: date) -> str:
    return f"#bulk#{business_id}#{day}"


def _recipient_id(business_id: str, customer_id: str) -> str:
    return MessageKey(business_id, customer_id, "").recipient_id


def _written(hand_over: HandOver) -> list[Any]:
    return [
        hand_over.message_id,
        write_instant(hand_over.at),
        hand_over.category,
        hand_over.channel,
        hand_over.segment_id,
        hand_over.attempt,
    ]


def _read(row: FrequencyRow) -> Frequency:
    key = MessageKey.of(row.recipient_id, "")
    hand_overs = tuple(
        HandOver(message_id, read_instant(at), Category(category), Channel(channel), segment_id, attempt)
        for message_id, at, category, channel, segment_id, attempt in row.hand_overs
    )
    return Frequency(key.business_id, key.customer_id, hand_overs, int(row.version))
