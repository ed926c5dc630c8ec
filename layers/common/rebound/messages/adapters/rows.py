"""The rows of the message log, and of what was sent about appointments."""

import re
from typing import Final

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute

from rebound.platform.adapters.dynamo import InstantAttribute, JsonAttribute, Model

APPOINTMENT_KEYS: Final = re.compile(r"[0-9T:.Z-]{27}#(told|answered)#[0-9A-Za-z]+")


class MessageRow(Model):
    """``recipient_id`` (business and customer) / ``message_id``; the table also holds the rows below.

    ``single`` is true for a message that is of no campaign, and absent else: the change stream is filtered by it.
    """

    recipient_id = UnicodeAttribute(hash_key=True)
    message_id = UnicodeAttribute(range_key=True)
    channel = UnicodeAttribute()
    category = UnicodeAttribute()
    address = UnicodeAttribute()
    status = UnicodeAttribute()
    rank = NumberAttribute()
    campaign_id = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    provider = UnicodeAttribute(null=True)
    provider_id = UnicodeAttribute(null=True)
    provider_code = UnicodeAttribute(null=True)
    queued_at = InstantAttribute(null=True)
    sent_at = InstantAttribute(null=True)
    delivered_at = InstantAttribute(null=True)
    failed_at = InstantAttribute(null=True)
    window = NumberAttribute(null=True)
    appointment_id = UnicodeAttribute(null=True)
    asks_confirmation = BooleanAttribute(null=True)
    free_again_at = InstantAttribute(null=True)
    barrier = UnicodeAttribute(null=True)
    held_until = InstantAttribute(null=True)
    sealed = UnicodeAttribute(null=True)
    segments = NumberAttribute(null=True)
    fell_back = NumberAttribute(null=True)
    voucher = NumberAttribute(null=True)
    copy_of = UnicodeAttribute(null=True)
    relation_id = UnicodeAttribute(null=True)
    variant = UnicodeAttribute(null=True)
    goal = UnicodeAttribute(null=True)
    reached_at = InstantAttribute(null=True)
    opted_out_at = InstantAttribute(null=True)
    expires_at = NumberAttribute(null=True)
    claim = UnicodeAttribute(null=True)
    single = BooleanAttribute(null=True)


class PointerRow(Model):
    """In the Messages table: what an id from elsewhere means.

    ``recipient_id`` is ``<provider>#<provider id>`` and points to a message, or ``#stop#<code>`` and points to the
    token of a link in a text.
    """

    recipient_id = UnicodeAttribute(hash_key=True)
    message_id = UnicodeAttribute(range_key=True)
    points_to = UnicodeAttribute()
    expires_at = NumberAttribute()


class AppointmentRow(Model):
    """In the Messages table: what has happened about an appointment; ``message_id`` begins with the time.

    ``recipient_id`` is ``appointment#<business>#<the client's name for it>``.
    """

    recipient_id = UnicodeAttribute(hash_key=True)
    message_id = UnicodeAttribute(range_key=True)
    document = JsonAttribute()
    expires_at = NumberAttribute()


class AppointmentTimeRow(Model):
    """In the Messages table: when an appointment begins, once a client has moved it; ``message_id`` is ``now``.

    ``recipient_id`` is ``appointment-time#<business>#<the client's name for it>``.
    """

    recipient_id = UnicodeAttribute(hash_key=True)
    message_id = UnicodeAttribute(range_key=True)
    starts_at = InstantAttribute()
    version = NumberAttribute()
    expires_at = NumberAttribute()
