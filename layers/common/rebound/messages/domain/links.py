"""The links in a message: whoever opens one is trusted to speak for the address that the message went to.

A link is a bearer token, so it is signed. It ends up in logs that are not ours, so it holds ids and the hash of the
address, never the address itself. It names the message, because the message log knows exactly where the message went,
even when the customer has another address since, or none. It does not expire: an email that can still be read can still
be answered, and an old link allows no more than to choose what an address gets (CAN-SPAM asks for 30 days).
"""

from __future__ import annotations

import binascii
import hmac
from base64 import b32encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Final

from msgspec import Struct
from msgspec.structs import astuple

from rebound.kernel.channels import HASHED, Channel, ContactKey
from rebound.kernel.consent_words import Scope
from rebound.kernel.receipts import MessageKey
from rebound.templates.domain.footers import APPOINTMENT_URL, CONFIRM_URL, PREFERENCES_URL, UNSUBSCRIBE_URL

MAX_TOKEN: Final = 512
_VERSION: Final = 1
_HEAD: Final = 3
"""Version, id of the key, and one byte for purpose, scope and channel."""
_ID: Final = 16
_DIGEST: Final = 32
_SIGNATURE: Final = 16
"""128 of the HMAC's 256 bits, as RFC 2104 §5 allows: links stand in header lines and should be short."""
_CODE: Final = 10
CODE_LENGTH: Final = 16
"""Characters of a short link's code, which no token is as short as."""
_CONTEXT: Final = b"rebound-link"
"""Signed with each link, so that nothing else that is signed with the same key is taken for a link."""
_SEEN: Final = b"rebound-seen"
_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_AS_PYTHON_COUNTS: Final = str.maketrans(_CROCKFORD, "0123456789abcdefghijklmnopqrstuv")
_ULID: Final = 26


class Purpose(StrEnum):
    """What a link is for, and its path; a link for one purpose is never accepted for another."""

    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    CONFIRM = "confirm"
    APPOINTMENT = "appointment"
    """To confirm the appointment that its message asks about."""
    PROFILE = "profile"
    """To fill in the form with one's own details, once."""
    RELATION = "relation"
    """To accept or decline being linked with another customer."""


VARIABLE_OF: Final = {
    Purpose.UNSUBSCRIBE: UNSUBSCRIBE_URL,
    Purpose.PREFERENCES: PREFERENCES_URL,
    Purpose.CONFIRM: CONFIRM_URL,
    Purpose.APPOINTMENT: APPOINTMENT_URL,
}
"""The variable that stands for a link in what a message says."""
PLACES: Final = {f"https://signed.invalid/{purpose}": purpose for purpose in (Purpose.PROFILE, Purpose.RELATION)}
"""What a template's variable has in the place of a link, until the sender writes the link itself.

What is kept and shown of a message has no such link in it: whoever has one speaks for the customer.
"""
_PURPOSES: Final = tuple(Purpose)
_SCOPES: Final = (Scope.ALL, Scope.MARKETING, Scope.LOYALTY, Scope.TRANSACTIONAL)
"""By their number in a token, which has two bits for it; links that are out there keep theirs."""
_CHANNELS: Final = (Channel.EMAIL, Channel.SMS)


class Link(Struct, frozen=True):
    """What a link says. ``contact`` has the address as a hash; ``message`` is the message that the link is in.

    ``scope`` is what an unsubscribing link stops, or what a confirming link allows.
    """

    purpose: Purpose
    contact: ContactKey
    message: MessageKey
    scope: Scope = Scope.ALL

    @classmethod
    def to(cls, purpose: Purpose, contact: ContactKey, message: MessageKey, scope: Scope = Scope.ALL) -> Link:
        """The link that goes into a message to an address."""
        return cls(purpose, contact.hashed, message, scope)


def place_of(purpose: Purpose) -> str:
    """What stands in the place of a link in what a template's variables are given."""
    return next(place for place, each in PLACES.items() if each is purpose)


def links_among(given: Mapping[str, object]) -> dict[str, Purpose]:
    """The variables in whose place the sender writes a link, with the purpose of each."""
    return {name: PLACES[value] for name, value in given.items() if isinstance(value, str) and value in PLACES}


class LinkKeys(Struct, frozen=True):
    """The signing keys of links by id. ``current`` signs new links; an old link is valid while its key is here."""

    current: int
    keys: Mapping[int, bytes]

    def __repr__(self) -> str:
        """Leaves out the keys themselves, which must not get into any log."""
        return f"LinkKeys(current={self.current})"


def write_token(link: Link, keys: LinkKeys) -> str:
    """The token of a link, which is one part of a URL path."""
    return write_tokens(link.contact, link.message, {link.purpose: link.scope}, keys)[link.purpose]


def write_tokens(
    contact: ContactKey, message: MessageKey, wanted: Mapping[Purpose, Scope], keys: LinkKeys
) -> dict[Purpose, str]:
    """The tokens of one message's links, one for each purpose with its scope; every email needs them."""
    key, head = keys.keys[keys.current], bytes((_VERSION, keys.current))
    channel = _CHANNELS.index(contact.channel)
    rest = b"".join(
        (
            bytes.fromhex(message.customer_id),
            _pack(message.message_id),
            bytes.fromhex(contact.digest),
            message.business_id.encode(),
        )
    )
    tokens: dict[Purpose, str] = {}
    for purpose, scope in wanted.items():
        kind = _PURPOSES.index(purpose) << 4 | _SCOPES.index(scope) << 2 | channel
        body = head + bytes((kind,)) + rest
        tokens[purpose] = urlsafe_b64encode(body + _sign(body, key)).rstrip(b"=").decode()
    return tokens


class ShortLink(Struct, frozen=True):
    """A link in a text, where every character is paid for: ``code`` stands there, and leads to the link's ``token``."""

    code: str
    url: str
    token: str


def short_code_of(token: str) -> str:
    """The code of a link: 80 bits, as hard to guess as the token's signature makes them, and always the same."""
    return b32encode(sha256(token.encode()).digest()[:_CODE]).decode().lower()


def key_id_of(token: str) -> int | None:
    """The id of the key that a token says it was signed with; ``None`` when it is no token of ours."""
    raw = _decode(token)
    return None if raw is None else raw[1]


def read_token(token: str, purpose: Purpose, keys: LinkKeys) -> Link | None:
    """What a link says; ``None`` unless it is for this purpose and, to the last bit, signed with one of the keys."""
    raw = _decode(token)
    if raw is None:
        return None
    body, signature = raw[:-_SIGNATURE], raw[-_SIGNATURE:]
    key = keys.keys.get(raw[1])
    if key is None or not hmac.compare_digest(signature, _sign(body, key)):
        return None
    # The signature is good, so the body is what we wrote ourselves.
    kind, rest = body[2], body[_HEAD:]
    if _PURPOSES[kind >> 4] is not purpose:
        return None
    customer_id, message_id = rest[:_ID].hex(), _unpack(rest[_ID : 2 * _ID])
    digest, business_id = rest[2 * _ID : 2 * _ID + _DIGEST].hex(), rest[2 * _ID + _DIGEST :].decode()
    return Link(
        purpose,
        ContactKey(business_id, _CHANNELS[kind & 3], HASHED + digest),
        MessageKey(business_id, customer_id, message_id),
        _SCOPES[kind >> 2 & 3],
    )


def write_seen(link: Link, at: datetime, keys: LinkKeys) -> str:
    """A proof for a form that the holder of a link was shown it at a time."""
    body = f"{keys.current}.{int(at.timestamp())}"
    return f"{body}.{_proof(link, body, keys.keys[keys.current])}"


def read_seen(written: str, link: Link, keys: LinkKeys) -> datetime | None:
    """When the holder of a link was shown the form; ``None`` for what is no proof of ours."""
    body, _, proof = written.rpartition(".")
    key_id, _, seconds = body.partition(".")
    if not (key_id.isdecimal() and seconds.isdecimal() and int(key_id) in keys.keys):
        return None
    if not hmac.compare_digest(proof.encode(), _proof(link, body, keys.keys[int(key_id)]).encode()):
        return None
    return datetime.fromtimestamp(int(seconds), UTC)


def _proof(link: Link, body: str, key: bytes) -> str:
    said = "\x1f".join((link.purpose, str(link.contact), *map(str, astuple(link.message)), body))
    return hmac.digest(key, _SEEN + said.encode(), sha256)[:_SIGNATURE].hex()


def _decode(token: str) -> bytes | None:
    if len(token) > MAX_TOKEN:
        return None
    try:
        raw = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except (binascii.Error, UnicodeEncodeError):
        return None
    # The decoder skips characters that are not in its alphabet, and ignores bits that are left over.
    if urlsafe_b64encode(raw).rstrip(b"=").decode() != token:
        return None
    shortest = _HEAD + 2 * _ID + _DIGEST + 1 + _SIGNATURE
    return raw if len(raw) >= shortest and raw[0] == _VERSION else None


def _sign(body: bytes, key: bytes) -> bytes:
    return hmac.digest(key, _CONTEXT + body, sha256)[:_SIGNATURE]


def _pack(ulid: str) -> bytes:
    return int(ulid.translate(_AS_PYTHON_COUNTS), 32).to_bytes(_ID)


def _unpack(raw: bytes) -> str:
    number = int.from_bytes(raw)
    return "".join(_CROCKFORD[number >> 5 * place & 31] for place in reversed(range(_ULID)))
