"""The row of a sending account."""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from rebound.platform.adapters.dynamo import InstantAttribute, Model


class RateRow(Model):
    """``account`` / ``flow``: until when a flow is booked; with flow ``-`` what holds for the whole account."""

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
