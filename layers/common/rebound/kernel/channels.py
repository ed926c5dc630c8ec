"""The two ways to reach a customer, and the identity of a contact."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from hashlib import sha256
from typing import Final

from msgspec import Struct

HASHED: Final = "sha256:"
"""Prefix of the hash that is kept in place of an address; no address begins with it."""
MAX_EMAIL: Final = 254
"""Characters of an address (RFC 5321, 4.5.3.1.3)."""
MAX_PHONE: Final = 32
"""Characters of a number, as people write it."""


class Channel(StrEnum):
    """How a message travels."""

    EMAIL = "email"
    SMS = "sms"


def with_former_name[T](by_channel: Mapping[str, T]) -> dict[str, T]:
    """What is said of each channel, and of ``sms`` also as ``text``, which is what switches and senders called it."""
    return {**by_channel, "text": by_channel[Channel.SMS]}


class _NumberPlan(Struct, frozen=True):
    """Two spellings of the same phones in one country: an old one, which is still written, and that of today."""

    old: re.Pattern[str]
    today: re.Pattern[str]
    write_today: str
    write_old: str


_NUMBER_PLANS: Final = tuple(
    _NumberPlan(re.compile(old), re.compile(today), write_today, write_old)
    for old, today, write_today, write_old in (
        # Mexico: the 1 before mobile numbers, dropped in August 2019.
        (r"\+521([0-9]{10})", r"\+52([0-9]{10})", r"+52\1", r"+521\1"),
        # Argentina: the 9 before mobile numbers, which callers from abroad dial and domestic ones do not.
        (r"\+549([1-8][0-9]{9})", r"\+54([1-8][0-9]{9})", r"+54\1", r"+549\1"),
        # Brazil: the ninth digit of mobile numbers, complete in 2016. Landlines begin with 2 to 5.
        (r"\+55([1-9][0-9])([6-9][0-9]{7})", r"\+55([1-9][0-9])9([6-9][0-9]{7})", r"+55\g<1>9\2", r"+55\1\2"),
        # Benin: 01 before all numbers, since 30 November 2024.
        (r"\+229([2-9][0-9]{7})", r"\+22901([2-9][0-9]{7})", r"+22901\1", r"+229\1"),
    )
)
_PLANNED: Final = ("+52", "+54", "+55", "+229")


def canonical_number(number: str) -> str:
    """The one spelling under which a phone is known, of a number in E.164 (ITU-T E.164; the plans of each country)."""
    if number.startswith(_PLANNED):
        for plan in _NUMBER_PLANS:
            if plan.old.fullmatch(number):
                return plan.old.sub(plan.write_today, number)
    return number


def former_spelling(number: str) -> str | None:
    """The other spelling of the phone with a canonical number; ``None`` where there is only one."""
    if number.startswith(_PLANNED):
        for plan in _NUMBER_PLANS:
            if plan.today.fullmatch(number):
                return plan.today.sub(plan.write_old, number)
    return None


class ContactKey(Struct, frozen=True):
    """A contact is an address, not a customer: business, channel and *canonical* address (truths 1 and 13).

    Canonical means, for phone numbers, E.164 in the spelling of today (``canonical_number``) and, for email, the domain
    in lower case ASCII and the local part in lower case; customers whose addresses are canonically alike share one
    contact. What is sent to is the address as the customer writes it.
    """

    business_id: str
    channel: Channel
    address: str

    def __str__(self) -> str:
        return f"{self.business_id}#{self.channel}#{self.address}"

    @classmethod
    def of(cls, business_id: str, channel: Channel, address: str) -> ContactKey:
        """The contact that an address belongs to, in whatever spelling; a hash stays as it is."""
        if channel is Channel.SMS:
            return cls(business_id, channel, canonical_number(address))
        return cls(business_id, channel, address.lower())

    @property
    def former(self) -> ContactKey | None:
        """The key under which the same phone was known in its other spelling, if it has one."""
        number = former_spelling(self.address) if self.channel is Channel.SMS else None
        return None if number is None else ContactKey(self.business_id, self.channel, number)

    @property
    def all_hashed(self) -> tuple[ContactKey, ...]:
        """The hashed keys under which something may be kept: of this address, and of its former spelling."""
        former = self.former
        return (self.hashed,) if former is None else (self.hashed, former.hashed)

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
        """The key that ``str`` wrote, a number in its spelling of today; an address may itself hold a ``#``."""
        business_id, channel, address = text.split("#", 2)
        number = canonical_number(address) if channel == Channel.SMS else address
        return cls(business_id, Channel(channel), number)
