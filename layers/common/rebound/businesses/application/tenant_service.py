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
from rebound.kernel.retrying import retried

if TYPE_CHECKING:
    from rebound.access.ports import ApiKeyBook
    from rebound.businesses.application.sender_grants import SenderGrants
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
    sender_grants: SenderGrants
    clock: Clock
    ids: Ids
    default_text_provider: Provider = DEFAULT_TEXT_PROVIDER

    def create_business(self, change: BusinessChange, *, share_sender: bool = False) -> Business:
        """A new business under a new id, with its ``email_from`` and ``text_from`` granted (``SenderGrants``).

        Raises ``InvalidInputError``.
        """
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
        return retried(lambda: self._create(blank, change, share_sender=share_sender))

    def _create(self, blank: Business, change: BusinessChange, *, share_sender: bool) -> Business:
        senders = {name: change[name] for name in ("email_from", "text_from") if change.get(name) is not None}
        errors: list[FieldError] = []
        business, holders = blank, []
        try:
            rest = {name: value for name, value in change.items() if name not in senders}
            business = changed_business(blank, rest, self.addresses)
        except InvalidInputError as error:
            errors += error.errors
        for name, sender in senders.items():
            try:
                business, held = self.sender_grants.granted(business, name, sender, share=share_sender)
            except InvalidInputError as error:
                errors += error.errors
            else:
                holders.append(held)
        if errors:
            raise InvalidInputError(*errors)
        business = changed_business(business, senders, self.addresses)
        self.businesses.add(business, holders)
        return business

    def set_bundle(self, business_id: str, bundle: Bundle) -> Business:
        """Set what the business has booked from now on. Raises ``NotFoundError`` when there is no such business."""
        return write_change(self.businesses, self.addresses, business_id, {"bundle": bundle})

    def set_text_rate(self, business_id: str, rate: float | None) -> Business:
        """Set how many texts a second go out over the business's sender. Raises ``NotFoundError``."""
        return write_change(self.businesses, self.addresses, business_id, {"text_rate": rate})

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
