"""The row of what a customer has been handed of late."""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from rebound.platform.adapters.dynamo import JsonAttribute, Model


class FrequencyRow(Model):
    """``recipient_id`` (business and customer): what the customer has been handed of late, as JSON."""

    recipient_id = UnicodeAttribute(hash_key=True)
    hand_overs = JsonAttribute()
    version = NumberAttribute()
    expires_at = NumberAttribute()
