"""The rows of the Activity table, whose partition keys begin with the business."""

from __future__ import annotations

from typing import Final

from pynamodb.attributes import Attribute, BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.constants import BINARY

from rebound.platform.adapters.dynamo import InstantAttribute, Model

SUMMARY: Final = "!"
"""The sort key of a customer's summary, before all of their events."""


class BytesAttribute(Attribute[bytes]):
    """Bytes as they are."""

    attr_type = BINARY

    def serialize(self, value: bytes) -> bytes:
        return value

    def deserialize(self, value: bytes) -> bytes:
        return value


class SummaryRow(Model):
    """``<business_id>#<customer_id>`` / ``!``: the summary of a customer's events."""

    owner = UnicodeAttribute(hash_key=True)
    entry_id = UnicodeAttribute(range_key=True)
    packed = BytesAttribute(null=True)
    """Absent when all was erased."""
    erased = UnicodeAttribute(null=True)
    """Up to where in the order of words everything is erased, and stays so whatever comes late."""
    version = NumberAttribute()
    expires_at = NumberAttribute(null=True)


class CellRow(Model):
    """``<business_id>#<customer_id>`` / ``<time>#<event_id>``: an event of a customer, or that it is gone."""

    owner = UnicodeAttribute(hash_key=True)
    entry_id = UnicodeAttribute(range_key=True)
    stamp = UnicodeAttribute()
    event = BytesAttribute(null=True)
    external = BooleanAttribute(null=True)
    expires_at = NumberAttribute(null=True)


class OwnedRow(Model):
    """Either of the two above, where all of a customer is read."""

    owner = UnicodeAttribute(hash_key=True)
    entry_id = UnicodeAttribute(range_key=True)
    packed = BytesAttribute(null=True)
    erased = UnicodeAttribute(null=True)
    version = NumberAttribute(null=True)
    stamp = UnicodeAttribute(null=True)
    event = BytesAttribute(null=True)
    external = BooleanAttribute(null=True)


class PointerRow(Model):
    """``<business_id>#event#<event_id>`` / ``.``: the last word about an event, and where the event is."""

    owner = UnicodeAttribute(hash_key=True)
    entry_id = UnicodeAttribute(range_key=True)
    stamp = UnicodeAttribute()
    digest = UnicodeAttribute(null=True)
    place = UnicodeAttribute(null=True)
    first = UnicodeAttribute(null=True)
    """The stamp of the first word about it, where that is another."""
    soonest = NumberAttribute(null=True)
    """How many microseconds after it happened it was told at best, where that was by another word."""
    expires_at = NumberAttribute(null=True)


class PlacedRow(Model):
    """``<business_id>#at#<location_id>`` / customer: who is looked for at a location."""

    owner = UnicodeAttribute(hash_key=True)
    entry_id = UnicodeAttribute(range_key=True)
    until = InstantAttribute(null=True)
    """When the last booking there begins, of who has not been there."""


class LocationRow(Model):
    """``<business_id>#locations`` / location: that it was heard of."""

    owner = UnicodeAttribute(hash_key=True)
    entry_id = UnicodeAttribute(range_key=True)


class StagedRow(Model):
    """``<business_id>#batch#<batch_id>`` / part: what a request said, until it is applied."""

    owner = UnicodeAttribute(hash_key=True)
    entry_id = UnicodeAttribute(range_key=True)
    words = BytesAttribute()
    expires_at = NumberAttribute()


def owner_of(business_id: str, customer_id: str) -> str:
    """The partition of a customer."""
    return f"{business_id}#{customer_id}"


def at_location(business_id: str, location_id: str) -> str:
    """The partition of those who are looked for at a location."""
    return f"{business_id}#at#{location_id}"


def locations_of(business_id: str) -> str:
    """The partition of the locations of a business."""
    return f"{business_id}#locations"
