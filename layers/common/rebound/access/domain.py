"""API keys: each belongs to one business and has scopes; of its secret, only a hash is kept."""

from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
from typing import Final

from msgspec import Struct

from rebound.kernel.api_scopes import ApiScope

PREFIX: Final = "rb"
"""Lets secret scanners recognise a leaked key."""
MAX_TOKEN: Final = 256
_SEPARATOR: Final = "."


class ApiKey(Struct, frozen=True):
    """A key as it is kept. A revocation sets ``expires_at``: at once or, in a rotation, after a grace period."""

    business_id: str
    key_id: str
    secret_hash: str
    scopes: tuple[ApiScope, ...]
    created_at: datetime
    label: str = ""
    expires_at: datetime | None = None

    def opens_with(self, secret: str, now: datetime) -> bool:
        """Whether ``secret`` is this key's secret and the key is not expired at ``now``; compared in constant time."""
        return compare_digest(hash_of(secret), self.secret_hash) and (self.expires_at is None or now < self.expires_at)


def hash_of(secret: str) -> str:
    """The hash of a secret as it is kept: SHA-256 is enough for 256 random bits; a slow hash would only cost time."""
    return sha256(secret.encode()).hexdigest()


def write_token(business_id: str, key_id: str, secret: str) -> str:
    """The token that the client is shown once: it names the key's row, so that no index over hashes is needed."""
    return _SEPARATOR.join((PREFIX, business_id, key_id, secret))


def read_token(token: str) -> tuple[str, str, str] | None:
    """Business id, key id and secret of a token; ``None`` when it does not have this form."""
    if len(token) > MAX_TOKEN:
        return None
    match token.split(_SEPARATOR):
        case [prefix, business_id, key_id, secret] if prefix == PREFIX and business_id and key_id and secret:
            return business_id, key_id, secret
        case _:
            return None
