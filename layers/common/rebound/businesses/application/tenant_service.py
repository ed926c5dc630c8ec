"""What the operator does with businesses and their API keys, by command and over the API."""

from __future__ import annotations

from collections.abc import Sequence
from copy import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.access.domain import ApiKey, hash_of, write_token
from rebound.businesses.application.settings_of_business import changed_business
from rebound.businesses.domain.business import BUSINESS_ID, NO_BUSINESS_ID, RESERVED_IDS, Business, Recopying
from rebound.kernel.api_scopes import ALL_SCOPES, ApiScope
from rebound.kernel.errors import (
    ConcurrentChangeError,
    ConflictError,
    FieldError,
    InvalidInputError,
    NotFoundError,
)
from rebound.kernel.provider_codes import DEFAULT_TEXT_PROVIDER, Provider
from rebound.kernel.retrying import retried

if TYPE_CHECKING:
    from rebound.access.ports import ApiKeyBook
    from rebound.businesses.application.sender_grants import SenderGrants
    from rebound.businesses.application.settings_of_business import BusinessChange
    from rebound.businesses.domain.senders import SenderHolders
    from rebound.businesses.ports import BusinessDirectory, RecopyQueue
    from rebound.contacts.ports import AddressReader
    from rebound.kernel.pages import Page
    from rebound.platform.ports import Clock, Ids

DEFAULT_GRACE = timedelta(hours=24)
PAGE: Final = 100
"""Businesses looked at at a time."""


class NewKey(Struct, frozen=True):
    """A key and its token; the token is shown this once and stored nowhere."""

    key: ApiKey
    token: str


class TenantService(Struct, frozen=True, kw_only=True):
    """Makes, changes and lists businesses; creates, rotates, revokes and lists their API keys."""

    businesses: BusinessDirectory
    keys: ApiKeyBook
    addresses: AddressReader
    sender_grants: SenderGrants
    recopyings: RecopyQueue
    clock: Clock
    ids: Ids
    default_text_provider: Provider = DEFAULT_TEXT_PROVIDER

    def create_business(
        self, change: BusinessChange, *, share_sender: bool = False, new_id: str | None = None
    ) -> Business:
        """A new business under a new id, with its ``email_from`` and ``text_from`` granted (``SenderGrants``).

        ``new_id`` is one that was made for it before. Raises ``InvalidInputError``, and ``ConflictError`` where there
        is a business under ``new_id``.
        """
        business_id = new_id or self.ids.ulid(self.clock.now()).lower()
        return retried(lambda: self._create(business_id, change, share_sender=share_sender))

    def put_business(self, business_id: str, change: BusinessChange) -> tuple[Business, bool]:
        """The business under an id of the operator's own, changed or made; and whether it was made.

        The same again changes nothing. Raises ``InvalidInputError``.
        """

        def write() -> tuple[Business, bool]:
            try:
                return self._change(business_id, change), False
            except NotFoundError:
                _check_id(business_id)
            try:
                return self._create(business_id, change, share_sender=False), True
            except ConflictError as error:
                raise ConcurrentChangeError from error

        business, made = retried(write)
        if not made:
            self._copy_flags_again(business_id, change)
        return business, made

    def change_business(self, business_id: str, change: BusinessChange) -> Business:
        """Change settings as the operator may, who grants a sender by choosing it; what is left out stays.

        Raises ``NotFoundError`` and ``InvalidInputError``, and then nothing is changed.
        """
        business = retried(lambda: self._change(business_id, change))
        self._copy_flags_again(business_id, change)
        return business

    def get_business(self, business_id: str) -> Business:
        """The settings now. Raises ``NotFoundError``."""
        return self.businesses.get(business_id)

    def list_businesses(self, limit: int, cursor: str | None, q: str | None = None) -> Page[Business]:
        """A page of all businesses, by id; ``q`` is part of a name or of an id."""
        return self.businesses.page(limit, cursor, q)

    def fill_index(self, business_id: str) -> None:
        """Let all customers of a business be written to the index that finds them. Raises ``NotFoundError``."""
        self.recopyings.put(Recopying(self.businesses.get(business_id).business_id, fills=True))

    def fill_indexes(self, cursor: str | None) -> tuple[Sequence[str], str | None]:
        """``fill_index`` for a page of businesses whose customers are not in it yet: which, and where to go on."""
        page = self.businesses.page(PAGE, cursor, None)
        waiting = [business.business_id for business in page.items if not business.customers_indexed]
        for business_id in waiting:
            self.fill_index(business_id)
        return waiting, page.next_cursor

    def _create(self, business_id: str, change: BusinessChange, *, share_sender: bool) -> Business:
        required = [name for name in ("name", "country", "time_zone") if change.get(name) is None]
        if required:
            raise InvalidInputError(*(FieldError(name, "Is required.") for name in required))
        blank = Business(
            business_id,
            name="",
            country="",
            time_zone="",
            text_provider=self.default_text_provider,
            customers_indexed=True,
        )
        given = {name: value for name, value in change.items() if value is not None}
        business, holders = self._changed(blank, given, share_sender=share_sender)
        self.businesses.add(business, holders)
        return business

    def _change(self, business_id: str, change: BusinessChange) -> Business:
        before = self.businesses.get(business_id)
        business, holders = self._changed(before, change, share_sender=False)
        if business.text_account.name != before.text_account.name and "text_rate" not in change:
            # It was granted for the other account.
            business = replace(business, text_rate=None)
        if business != before:
            self.businesses.replace(business, holders)
        return business

    def _changed(
        self, business: Business, change: BusinessChange, *, share_sender: bool
    ) -> tuple[Business, Sequence[SenderHolders]]:
        """The business with the change, its senders granted, and those who have them, nothing written yet."""
        present = (business.email_from, business.text_from)
        senders = {name: change[name] for name in ("email_from", "text_from") if change.get(name) is not None}
        errors: list[FieldError] = []
        holders: list[SenderHolders] = []
        try:
            rest = {name: value for name, value in change.items() if name not in senders}
            business = changed_business(business, rest, self.addresses)
        except InvalidInputError as error:
            errors += error.errors
        for name, sender in senders.items():
            if sender in present:
                continue
            try:
                business, held = self.sender_grants.granted(business, name, sender, share=share_sender)
            except InvalidInputError as error:
                errors += error.errors
            else:
                holders.append(held)
        if errors:
            raise InvalidInputError(*errors)
        return changed_business(business, senders, self.addresses), holders

    def _copy_flags_again(self, business_id: str, change: BusinessChange) -> None:
        """As ``SettingsOfBusiness.change``."""
        if "policy" in change:
            self.recopyings.put(Recopying(business_id))

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
        """A successor with the same scopes; the old key goes on working for ``grace``, so that there is no gap.

        One that was rotated before may be so again while it works. Raises ``ConflictError`` for one that has ended:
        what it opened stays closed.
        """
        old = self._find(business_id, key_id)
        if old.expires_at is not None and old.expires_at <= self.clock.now():
            message = "The key has ended, so that no other can follow it; create a new one."
            raise ConflictError("key_ended", message)
        successor = self.create_key(business_id, old.scopes, old.label)
        self._expire(old, self.clock.now() + grace)
        return successor

    def revoke_key(self, business_id: str, key_id: str) -> ApiKey:
        """End a key now."""
        return self._expire(self._find(business_id, key_id), self.clock.now())

    def list_keys(self, business_id: str) -> Sequence[ApiKey]:
        """All keys of a business, also those that have ended."""
        return self.keys.list(business_id)

    def page_of_keys(self, business_id: str, limit: int, cursor: str | None) -> Page[ApiKey]:
        """A page of them, oldest first. Raises ``NotFoundError`` when there is no such business."""
        self.businesses.get(business_id)
        return self.keys.page(business_id, limit, cursor)

    def _find(self, business_id: str, key_id: str) -> ApiKey:
        key = self.keys.find(business_id, key_id)
        if key is None:
            raise NotFoundError("API key")
        return key

    def _expire(self, key: ApiKey, at: datetime) -> ApiKey:
        expired = replace(key, expires_at=at if key.expires_at is None else min(at, key.expires_at))
        self.keys.replace(expired)
        return expired


def _check_id(business_id: str) -> None:
    """Raises ``InvalidInputError`` for what cannot be the id of a new business."""
    if not BUSINESS_ID.fullmatch(business_id):
        raise InvalidInputError(FieldError("business_id", NO_BUSINESS_ID))
    if business_id in RESERVED_IDS:
        raise InvalidInputError(FieldError("business_id", "Is kept for Rebound itself; choose another."))
