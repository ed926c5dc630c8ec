"""The row of a customer."""

from __future__ import annotations

import re
from typing import Final

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute

from rebound.platform.adapters.dynamo import DateAttribute, InstantAttribute, Model, TextListAttribute

CUSTOMER_KEYS: Final = re.compile(r"[0-9a-f]{32}")


class CustomerRow(Model):
    """``business_id`` / ``customer_id``."""

    business_id = UnicodeAttribute(hash_key=True)
    customer_id = UnicodeAttribute(range_key=True)
    first_name = UnicodeAttribute()
    last_name = UnicodeAttribute()
    created_at = InstantAttribute()
    updated_at = InstantAttribute()
    external_id = UnicodeAttribute(null=True)
    email = UnicodeAttribute(null=True)
    mobile_phone = UnicodeAttribute(null=True)
    day_phone = UnicodeAttribute(null=True)
    night_phone = UnicodeAttribute(null=True)
    gender = UnicodeAttribute(null=True)
    birthday = DateAttribute(null=True)
    customer_since = DateAttribute(null=True)
    general_tags = TextListAttribute(null=True)
    time_zone = UnicodeAttribute(null=True)
    language = UnicodeAttribute(null=True)
    failed_email = BooleanAttribute(default=False)
    failed_phone = BooleanAttribute(default=False)
    former_contacts = TextListAttribute(null=True)
    version = NumberAttribute()
