"""The two ways to reach a customer, and the identity of a contact."""

from __future__ import annotations

from enum import StrEnum
from hashlib import sha256
from typing import Final

from msgspec import Struct

HASHED: Final = "sha256:"
"""Prefix of the hash that is kept in place of an address; no address begins with it."""


class Channel(StrEnum):
    """How a message travels."""

    EMAIL = "email"
    SMS = "sms"


class ContactKey(Struct, frozen=True):
    """A contact is an address, not a customer: business, channel and *normalised* address (truth 1).

    Normalised means E.164 for phone numbers and, for email, the domain in lower case ASCII and the local part in lower
    case; two customers whose addresses normalise alike share one contact.
    """

    business_id: str
    channel: Channel
    address: str

    def __str__(self) -> str:
        return f"{self.business_id}#{self.channel}#{self.address}"

    @property
    def hashed(self) -> ContactKey:
        """The key of what is kept after the address is gone; the hash differs between businesses and channels."""
        if self.is_hashed:
            return self
        digest = sha256(f"{self.business_id}#{self.channel}#{self.address}".encode()).hexdigest()
        return ContactKey(self.business_id, self.channel, HASHED + digest)

    @property
    def digest(self) -> str:
        """The hash by itself, in hexadecimal digits."""
        return self.hashed.address.removeprefix(HASHED)

    @property
    def is_hashed(self) -> bool:
        """Whether this key holds a hash in place of an address."""
        return self.address.startswith(HASHED)

    @classmethod
    def parse(cls, text: str) -> ContactKey:
        """The key that ``str`` wrote; an address may itself hold a ``#``."""
        business_id, channel, address = text.split("#", 2)
        return cls(business_id, Channel(channel), address)
