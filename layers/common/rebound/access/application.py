"""Who is calling: the key behind an ``Authorization`` header, and what the operator's own keys are made by."""

from __future__ import annotations

from collections.abc import Sequence
from copy import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.access.domain import (
    ApiKey,
    OperatorKey,
    hash_of,
    read_operator_token,
    read_token,
    write_operator_token,
)
from rebound.kernel.api_scopes import OPERATOR_SCOPES, OperatorScope
from rebound.kernel.errors import NotFoundError

if TYPE_CHECKING:
    from rebound.access.ports import ApiKeyBook, OperatorKeyBook
    from rebound.platform.ports import Clock, Ids


class AuthorizeRequest(Struct, frozen=True, kw_only=True):
    """Finds the key that a bearer token stands for, of a business or of the operator: the token's form says which."""

    keys: ApiKeyBook
    operator_keys: OperatorKeyBook
    clock: Clock

    def __call__(self, authorization: str | None) -> ApiKey | OperatorKey | None:
        """The key behind ``Bearer <token>``; ``None`` when there is no such key or it has expired."""
        scheme, _, token = (authorization or "").strip().partition(" ")
        if scheme.lower() != "bearer":
            return None
        found = self._find(token.strip())
        if found is None:
            return None
        key, secret = found
        return key if key is not None and key.opens_with(secret, self.clock.now()) else None

    def _find(self, token: str) -> tuple[ApiKey | OperatorKey | None, str] | None:
        if (parts := read_token(token)) is not None:
            business_id, key_id, secret = parts
            return self.keys.find(business_id, key_id), secret
        if (of_operator := read_operator_token(token)) is not None:
            key_id, secret = of_operator
            return self.operator_keys.find(key_id), secret
        return None


class NewOperatorKey(Struct, frozen=True):
    """A key and its token; the token is shown this once and stored nowhere."""

    key: OperatorKey
    token: str


class OperatorKeyService(Struct, frozen=True, kw_only=True):
    """Makes, ends and lists the operator's keys: by command only, so that such a key cannot make another."""

    operator_keys: OperatorKeyBook
    clock: Clock
    ids: Ids

    def create(
        self, scopes: Sequence[OperatorScope] = OPERATOR_SCOPES, label: str = "", lasts: timedelta | None = None
    ) -> NewOperatorKey:
        """A new key, which ends after ``lasts`` or, without it, when it is revoked."""
        now, secret = self.clock.now(), self.ids.secret()
        expires_at = None if lasts is None else now + lasts
        key = OperatorKey(self.ids.ulid(now).lower(), hash_of(secret), tuple(scopes), now, label, expires_at)
        self.operator_keys.add(key)
        return NewOperatorKey(key, write_operator_token(key.key_id, secret))

    def revoke(self, key_id: str) -> OperatorKey:
        """End a key now. Raises ``NotFoundError``."""
        key = self.operator_keys.find(key_id)
        if key is None:
            raise NotFoundError("operator's key")
        now = self.clock.now()
        ended = replace(key, expires_at=now if key.expires_at is None else min(now, key.expires_at))
        self.operator_keys.replace(ended)
        return ended

    def list(self) -> Sequence[OperatorKey]:
        """All keys, also those that have ended."""
        return self.operator_keys.list()
