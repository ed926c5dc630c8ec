"""The rows of a job that is under way."""

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute

from rebound.platform.adapters.dynamo import JsonAttribute, Model


class JobRangeRow(Model):
    """In the Chunks table, ``campaign_id`` = a job's id, ``chunk`` = ``phase#<phase>#<index>``: progress of a range."""

    campaign_id = UnicodeAttribute(hash_key=True)
    chunk = UnicodeAttribute(range_key=True)
    cursor = UnicodeAttribute(null=True)
    counts = JsonAttribute()
    spared = JsonAttribute()
    done = BooleanAttribute()
    version = NumberAttribute()
    expires_at = NumberAttribute()


class FrozenRow(Model):
    """In the Chunks table, ``campaign_id`` = a job's id, ``chunk`` = ``frozen#<index>#<number>``: part of a list."""

    campaign_id = UnicodeAttribute(hash_key=True)
    chunk = UnicodeAttribute(range_key=True)
    customers = JsonAttribute()
    expires_at = NumberAttribute()
