"""The rows of contacts, and of their history."""

import re
from typing import Final

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from rebound.platform.adapters.dynamo import InstantAttribute, JsonAttribute, Model, TextListAttribute

HISTORY_KEYS: Final = re.compile(r"[0-9T:.Z-]{27}#[a-z]+#[0-9A-Za-z]+")


REPLY_KEYS: Final = re.compile(r"[0-9a-f]{64}#[0-9T:.Z-]{27}#reply#[0-9A-Za-z]+")


class ContactRow(Model):
    """``contact_id`` is business, channel and address; the evidence of both folds is JSON.

    When nobody uses the address any more, the consent evidence alone is kept, under the hash of the address. Under the
    hash of a former spelling, ``same_as`` is the row of today's; its version is 0. ``joined_from`` has the rows that
    the last write took in.
    """

    contact_id = UnicodeAttribute(hash_key=True)
    customer_ids = UnicodeSetAttribute(null=True)
    left = UnicodeSetAttribute(null=True)
    freed = UnicodeSetAttribute(null=True)
    departed_at = InstantAttribute(null=True)
    reachability = JsonAttribute(null=True)
    consent = JsonAttribute(null=True)
    joined_from = TextListAttribute(null=True)
    same_as = UnicodeAttribute(null=True)
    version = NumberAttribute()


class RepliesOfBusiness(GlobalSecondaryIndex["HistoryRow"]):  # type: ignore[no-untyped-call]
    """The replies to a business by time."""

    class Meta:
        """What pynamodb wants to know of an index."""

        index_name = "RepliesOfBusiness"
        projection = AllProjection()

    business_id = UnicodeAttribute(hash_key=True)
    received_at = InstantAttribute(range_key=True)


class RepliesToReview(GlobalSecondaryIndex["HistoryRow"]):  # type: ignore[no-untyped-call]
    """The replies to a business that somebody must read, by time."""

    class Meta:
        """What pynamodb wants to know of an index."""

        index_name = "RepliesToReview"
        projection = AllProjection()

    waiting_for = UnicodeAttribute(hash_key=True)
    received_at = InstantAttribute(range_key=True)


class HistoryRow(Model):
    """``contact_id`` (business, channel and the hash of the address) / ``entry_id``, which begins with the time.

    Only replies have ``business_id`` and ``received_at``, by which an index finds them, and ``expires_at``;
    ``waiting_for`` is their business as long as somebody must read them.
    """

    contact_id = UnicodeAttribute(hash_key=True)
    entry_id = UnicodeAttribute(range_key=True)
    document = JsonAttribute()
    business_id = UnicodeAttribute(null=True)
    received_at = InstantAttribute(null=True)
    waiting_for = UnicodeAttribute(null=True)
    expires_at = NumberAttribute(null=True)
    replies_of_business = RepliesOfBusiness()
    replies_to_review = RepliesToReview()


class FirstReceiptRow(Model):
    """In the history's table: ``contact_id`` is ``text#<the provider's id>``, ``entry_id`` is ``-``."""

    contact_id = UnicodeAttribute(hash_key=True)
    entry_id = UnicodeAttribute(range_key=True)
    received_at = InstantAttribute()
    keys = TextListAttribute()
