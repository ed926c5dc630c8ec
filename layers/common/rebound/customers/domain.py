"""A customer of a business and the addresses they can be reached at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import replace
from datetime import date, datetime
from typing import Any, Final

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.kernel.channels import Channel, ContactKey


class Customer(Struct, frozen=True):
    """One customer's profile.

    Phone numbers are E.164; only ``mobile_phone`` is texted. ``language`` is one of ``LANGUAGES``. ``failed_email`` and
    ``failed_phone`` are copies of the contacts' flags for listing and filtering; what is sent to whom is decided on
    the contacts themselves.
    ``former_contacts`` are those that the customer used before, which list the customer still. ``version`` grows
    with each write of the stored row and is never used again after a deletion; 0 for none yet.
    """

    business_id: str
    customer_id: str
    first_name: str
    last_name: str
    created_at: datetime
    updated_at: datetime
    external_id: str | None = None
    email: str | None = None
    mobile_phone: str | None = None
    day_phone: str | None = None
    night_phone: str | None = None
    gender: str | None = None
    birthday: date | None = None
    customer_since: date | None = None
    general_tags: tuple[str, ...] = ()
    time_zone: str | None = None
    language: str | None = None
    failed_email: bool = False
    failed_phone: bool = False
    former_contacts: frozenset[ContactKey] = frozenset()
    version: int = 0

    def contact_key(self, channel: Channel) -> ContactKey | None:
        """The contact that a message on ``channel`` goes to; ``None`` without an address."""
        address = self.email if channel is Channel.EMAIL else self.mobile_phone
        if address is None:
            return None
        return ContactKey(self.business_id, channel, address.lower())

    def address(self, channel: Channel) -> str | None:
        """The address as the customer writes it."""
        return self.email if channel is Channel.EMAIL else self.mobile_phone

    @property
    def contact_keys(self) -> tuple[ContactKey, ...]:
        """The contacts of all channels."""
        return tuple(key for channel in Channel if (key := self.contact_key(channel)) is not None)

    @property
    def all_contact_keys(self) -> frozenset[ContactKey]:
        """Every contact that lists this customer: of the addresses used now, and of those used before."""
        return self.former_contacts.union(self.contact_keys)

    def changed(self, at: datetime, **fields: Any) -> Customer:
        """The customer after an edit; contacts that are left become former ones.

        ``updated_at`` always moves, so that it tells one state of the profile from the next.
        """
        after = replace(self, updated_at=max(at, self.updated_at + datetime.resolution), **fields)
        return replace(after, former_contacts=self.all_contact_keys.difference(after.contact_keys))


PROFILE_FIELDS: Final = frozenset(Customer.__struct_fields__) - {
    "business_id",
    "customer_id",
    "created_at",
    "updated_at",
    "failed_email",
    "failed_phone",
    "former_contacts",
    "version",
}
"""What a client may set."""

TEXT_FIELDS: Final = PROFILE_FIELDS - {"general_tags"}
"""Profile fields with one value, which filters can compare and messages can show."""


def field_text(customer: Customer, name: str) -> str:
    """A profile field as text, ``""`` when it is empty; dates in ISO 8601."""
    value = getattr(customer, name)
    return "" if value is None else str(value)


def language_for(customer: Customer | None, business: Business) -> str:
    """The customer's own, else the business's."""
    own = None if customer is None else customer.language
    return own or business.language


def shared_language(customers: Iterable[Customer]) -> str | None:
    """The one language of people who cannot be told apart; ``None`` when they have several, or nobody says which."""
    spoken = {customer.language for customer in customers if customer.language is not None}
    return spoken.pop() if len(spoken) == 1 else None


Matcher = Callable[[Customer], bool]


def has_failed(customer: Customer, which: str) -> bool:
    """Whether the customer's failed contacts are as asked: ``phone``, ``email``, ``any`` or ``both``."""
    match which:
        case "phone":
            return customer.failed_phone
        case "email":
            return customer.failed_email
        case "any":
            return customer.failed_phone or customer.failed_email
        case _:
            return customer.failed_phone and customer.failed_email
