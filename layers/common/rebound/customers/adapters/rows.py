"""The row of a customer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute

from rebound.customers.domain import PROFILE, REQUIRED_FIELDS, Kind
from rebound.platform.adapters.dynamo import DateAttribute, InstantAttribute, Model, TextListAttribute

if TYPE_CHECKING:
    from pynamodb.attributes import Attribute

CUSTOMER_KEYS: Final = re.compile(r"[0-9a-f]{32}")
_BY_KIND: Final[Mapping[Kind, type[Attribute[Any]]]] = {Kind.DATE: DateAttribute, Kind.TAGS: TextListAttribute}
"""As what a profile field is kept; every other kind is text."""


class CustomerRow(Model):
    """``business_id`` / ``customer_id``; the profile has its fields' names."""

    business_id = UnicodeAttribute(hash_key=True)
    customer_id = UnicodeAttribute(range_key=True)
    created_at = InstantAttribute()
    updated_at = InstantAttribute()
    failed_email = BooleanAttribute(default=False)
    failed_phone = BooleanAttribute(default=False)
    former_contacts = TextListAttribute(null=True)
    version = NumberAttribute()
    vars().update(
        (name, _BY_KIND.get(row.kind, UnicodeAttribute)(null=name not in REQUIRED_FIELDS))
        for name, row in PROFILE.items()
    )
