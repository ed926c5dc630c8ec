"""The rows of an import that is under way."""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from rebound.platform.adapters.dynamo import JsonAttribute, Model


class PartRow(Model):
    """In the Chunks table, ``campaign_id`` = an import's id, ``chunk`` = ``part#<number>``: how far a part of it is."""

    campaign_id = UnicodeAttribute(hash_key=True)
    chunk = UnicodeAttribute(range_key=True)
    counts = JsonAttribute()
    reported = NumberAttribute()
    version = NumberAttribute()
    expires_at = NumberAttribute()


class BadRowRow(Model):
    """In the Chunks table, ``campaign_id`` = an import's id, ``chunk`` = ``bad#<line>``: what is wrong with a row."""

    campaign_id = UnicodeAttribute(hash_key=True)
    chunk = UnicodeAttribute(range_key=True)
    errors = JsonAttribute()
    expires_at = NumberAttribute()
