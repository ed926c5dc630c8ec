"""The rows of the Activity table."""

from __future__ import annotations

from typing import Final

from pynamodb.attributes import Attribute, NumberAttribute, UnicodeAttribute
from pynamodb.constants import BINARY

from rebound.platform.adapters.dynamo import Model

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


def owner_of(business_id: str, customer_id: str) -> str:
    """The partition of a customer."""
    return f"{business_id}#{customer_id}"
