"""Who is calling: the business and the scopes behind an ``Authorization`` header."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.access.domain import ApiKey, read_token

if TYPE_CHECKING:
    from rebound.access.ports import ApiKeyBook
    from rebound.platform.ports import Clock


class AuthorizeRequest(Struct, frozen=True, kw_only=True):
    """Finds the API key that a bearer token stands for."""

    keys: ApiKeyBook
    clock: Clock

    def __call__(self, authorization: str | None) -> ApiKey | None:
        """The key behind ``Bearer <token>``; ``None`` when there is no such key or it has expired."""
        scheme, _, token = (authorization or "").strip().partition(" ")
        parts = read_token(token.strip()) if scheme.lower() == "bearer" else None
        if parts is None:
            return None
        business_id, key_id, secret = parts
        key = self.keys.find(business_id, key_id)
        return key if key is not None and key.opens_with(secret, self.clock.now()) else None
