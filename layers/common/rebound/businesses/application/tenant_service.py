"""The operator's commands: businesses and their API keys."""

from __future__ import annotations

from collections.abc import Sequence
from copy import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.access.domain import ApiKey, hash_of, write_token
from rebound.businesses.application.settings_of_business import changed_business, write_change
from rebound.businesses.domain.business import Bundle, Business
from rebound.kernel.api_scopes import ALL_SCOPES, ApiScope
from rebound.kernel.errors import FieldError, InvalidInputError, NotFoundError
from rebound.kernel.provider_codes import DEFAULT_TEXT_PROVIDER, Provider

if TYPE_CHECKING:
    from rebound.access.ports import ApiKeyBook
    from rebound.businesses.application.settings_of_business import BusinessChange
    from rebound.businesses.ports import BusinessDirectory
    from rebound.contacts.ports import AddressReader
    from rebound.platform.ports import Clock, Ids

DEFAULT_GRACE = timedelta(hours=24)


class NewKey(Struct, frozen=True):
    """A key and its token; the token is shown this once and stored nowhere."""

    key: ApiKey
    token: str


class TenantService(Struct, frozen=True, kw_only=True):
    """Creates businesses and sets what they have booked; creates, rotates, revokes and lists API keys."""

    businesses: BusinessDirectory
    keys: ApiKeyBook
    addresses: AddressReader
    clock: Clock
    ids: Ids
    default_text_provider: Provider = DEFAULT_TEXT_PROVIDER

    def create_business(self, change: BusinessChange) -> Business:
        """A new business under a new id. Raises ``InvalidInputError``."""
        blank = Business(
            business_id=self.ids.ulid(self.clock.now()).lower(),
            name="",
            country="",
            time_zone="",
            text_provider=self.default_text_provider,
        )
        required = [name for name in ("name", "country", "time_zone") if change.get(name) is None]
        if required:
            raise InvalidInputError(*(FieldError(name, "Is required.") for name in required))
        business = changed_business(blank, change, self.addresses)
        self.businesses.add(business)
        return business

    def set_bundle(self, business_id: str, bundle: Bundle) -> Business:
        """Set what the business has booked from now on. Raises ``NotFoundError`` when there is no such business."""
        return write_change(self.businesses, self.addresses, business_id, {"bundle": bundle})

    def rewrite_settings(self) -> int:
        """Write every business's settings unchanged, with the rows kept beside them; the number of businesses.

        This adds rows that older businesses lack, such as the row that leads from a sender of texts to its business.
        """
        business_ids = self.businesses.ids()
        for business_id in business_ids:
            write_change(self.businesses, self.addresses, business_id, {})
        return len(business_ids)

    def create_key(self, business_id: str, scopes: Sequence[ApiScope] = ALL_SCOPES, label: str = "") -> NewKey:
        """A new key of a business. Raises ``NotFoundError`` when there is no such business."""
        self.businesses.get(business_id)
        now = self.clock.now()
        secret = self.ids.secret()
        key_id = self.ids.ulid(now).lower()
        key = ApiKey(business_id, key_id, hash_of(secret), tuple(scopes), created_at=now, label=label)
        self.keys.add(key)
        return NewKey(key, write_token(business_id, key_id, secret))

    def rotate_key(self, business_id: str, key_id: str, grace: timedelta = DEFAULT_GRACE) -> NewKey:
        """A successor with the same scopes; the old key goes on working for ``grace``, so that there is no gap."""
        old = self._find(business_id, key_id)
        successor = self.create_key(business_id, old.scopes, old.label)
        self._expire(old, self.clock.now() + grace)
        return successor

    def revoke_key(self, business_id: str, key_id: str) -> ApiKey:
        """End a key now."""
        return self._expire(self._find(business_id, key_id), self.clock.now())

    def list_keys(self, business_id: str) -> Sequence[ApiKey]:
        """All keys of a business, also those that have ended."""
        return self.keys.list(business_id)

    def _find(self, business_id: str, key_id: str) -> ApiKey:
        key = self.keys.find(business_id, key_id)
        if key is None:
            raise NotFoundError("API key")
        return key

    def _expire(self, key: ApiKey, at: datetime) -> ApiKey:
        expired = replace(key, expires_at=at if key.expires_at is None else min(at, key.expires_at))
        self.keys.replace(expired)
        return expired
