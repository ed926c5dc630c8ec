"""Who asks.

API keys: each belongs to one business, or to the operator, and has scopes; of its secret, only a hash is kept.

People: what asks on somebody's behalf says so once, around all that it does: the console for whoever is signed in. What
is noted meanwhile, for the logs that people read, names them; no decision is based on it. Programs that call the API
are nobody in particular, and neither are customers on their own pages.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
from typing import Final

from msgspec import Struct

from rebound.kernel.api_scopes import ApiScope, OperatorScope, Realm

PREFIX: Final = "rb"
"""Lets secret scanners recognise a leaked key."""
OPERATOR_PREFIX: Final = "rbo"
"""The same for an operator's key."""
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

    @property
    def realm(self) -> Realm:
        """Which part of the API it opens."""
        return Realm.BUSINESS

    @property
    def known(self) -> Mapping[str, str]:
        """What a request with it is told besides its id and scopes."""
        return {"business_id": self.business_id}

    def opens_with(self, secret: str, now: datetime) -> bool:
        """Whether ``secret`` is this key's secret and the key is not expired at ``now``; compared in constant time."""
        return _opens(self, secret, now)


class OperatorKey(Struct, frozen=True):
    """A key of whoever runs Rebound, for the operator's part of the API and for nothing else."""

    key_id: str
    secret_hash: str
    scopes: tuple[OperatorScope, ...]
    created_at: datetime
    label: str = ""
    expires_at: datetime | None = None

    @property
    def realm(self) -> Realm:
        """As ``ApiKey.realm``."""
        return Realm.OPERATOR

    @property
    def known(self) -> Mapping[str, str]:
        """As ``ApiKey.known``."""
        return {}

    def opens_with(self, secret: str, now: datetime) -> bool:
        """As ``ApiKey.opens_with``."""
        return _opens(self, secret, now)


def _opens(key: ApiKey | OperatorKey, secret: str, now: datetime) -> bool:
    return compare_digest(hash_of(secret), key.secret_hash) and (key.expires_at is None or now < key.expires_at)


def hash_of(secret: str) -> str:
    """The hash of a secret as it is kept: SHA-256 is enough for 256 random bits; a slow hash would only cost time."""
    return sha256(secret.encode()).hexdigest()


def write_token(business_id: str, key_id: str, secret: str) -> str:
    """The token that the client is shown once: it names the key's row, so that no index over hashes is needed."""
    return _SEPARATOR.join((PREFIX, business_id, key_id, secret))


def read_token(token: str) -> tuple[str, str, str] | None:
    """Business id, key id and secret of a token; ``None`` when it does not have this form."""
    match _parts(token):
        case [prefix, business_id, key_id, secret] if prefix == PREFIX:
            return business_id, key_id, secret
        case _:
            return None


def write_operator_token(key_id: str, secret: str) -> str:
    """The token of an operator's key, as ``write_token``."""
    return _SEPARATOR.join((OPERATOR_PREFIX, key_id, secret))


def read_operator_token(token: str) -> tuple[str, str] | None:
    """Key id and secret of an operator's token; ``None`` when it does not have this form."""
    match _parts(token):
        case [prefix, key_id, secret] if prefix == OPERATOR_PREFIX:
            return key_id, secret
        case _:
            return None


def _parts(token: str) -> list[str]:
    parts = token.split(_SEPARATOR) if len(token) <= MAX_TOKEN else []
    return parts if all(parts) else []


_ACTOR: Final[ContextVar[str | None]] = ContextVar("actor", default=None)


def actor() -> str | None:
    """Who it is, by the email with which they sign in; ``None`` where it is nobody in particular."""
    return _ACTOR.get()


@contextmanager
def acting(who: str | None) -> Iterator[None]:
    """While the block runs, it is they who do what is done."""
    before = _ACTOR.set(who)
    try:
        yield
    finally:
        _ACTOR.reset(before)
