"""Webhooks in the Directory table, and deliveries to them in a table of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from msgspec import convert, to_builtins
from msgspec.structs import asdict
from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from rebound.kernel.pages import Page, read_cursor
from rebound.platform.adapters.directory import Directory
from rebound.platform.adapters.dynamo import (
    DirectoryRow,
    InstantAttribute,
    Model,
    as_read,
    bind,
    expiry,
    lost_races,
    newest,
    page_of,
    transaction,
)
from rebound.webhooks.domain.webhooks import Delivery, DeliveryStatus, Webhook

if TYPE_CHECKING:
    from rebound.businesses.domain.business import Business
    from rebound.businesses.ports import BusinessTransactions

KEPT: Final = timedelta(days=30)
_BESIDE: Final = frozenset({"business_id", "webhook_id", "version"})
_DELIVERIES: Final = re.compile(r"[0-9A-Z]{26}")


class DynamoWebhookBook(Directory):
    """Implements ``WebhookBook``. Secrets are kept as they are, because each signature is made with them."""

    kind = "webhook"

    def __init__(self, table_name: str, businesses: BusinessTransactions) -> None:
        super().__init__(table_name)
        self._businesses = businesses

    def find(self, business_id: str, webhook_id: str) -> Webhook | None:
        try:
            return _webhook(self.row.get(business_id, self.entry(webhook_id), consistent_read=True))
        except self.row.DoesNotExist:
            return None

    def list(self, business_id: str) -> Sequence[Webhook]:
        own = DirectoryRow.entry_id.startswith(self.entry(""))
        return [_webhook(row) for row in self.row.query(business_id, own, consistent_read=True)]

    def save(self, webhook: Webhook, business: Business | None = None) -> Webhook:
        row = self._row(webhook)
        condition = as_read(DirectoryRow, webhook.version)
        if business is None:
            with lost_races():
                row.save(condition=condition)
        else:
            with transaction(self.row) as writes:
                writes.save(row, condition=condition)
                self._businesses.replace_within(writes, business)
        return replace(webhook, version=webhook.version + 1)

    def delete(self, webhook: Webhook, business: Business) -> None:
        with transaction(self.row) as writes:
            writes.delete(self._row(webhook), condition=DirectoryRow.version == webhook.version)
            self._businesses.replace_within(writes, business)

    def _row(self, webhook: Webhook) -> DirectoryRow:
        document = {name: to_builtins(value) for name, value in asdict(webhook).items() if name not in _BESIDE}
        own = self.entry(webhook.webhook_id)
        return self.row(webhook.business_id, own, document=document, version=webhook.version + 1)


def _webhook(row: DirectoryRow) -> Webhook:
    document: Mapping[str, Any] = row.document
    beside = {"business_id": row.business_id, "webhook_id": row.entry_id.split("#", 1)[1], "version": int(row.version)}
    return convert({**document, **beside}, Webhook)


class DeliveryRow(Model):
    """``webhook`` (business and webhook) / ``delivery_id``, which begins with the event's time."""

    webhook = UnicodeAttribute(hash_key=True)
    delivery_id = UnicodeAttribute(range_key=True)
    type = UnicodeAttribute()
    body = UnicodeAttribute()
    status = UnicodeAttribute()
    created_at = InstantAttribute()
    begun_at = InstantAttribute()
    run = NumberAttribute()
    attempts = NumberAttribute()
    next_attempt_at = InstantAttribute(null=True)
    last_attempt_at = InstantAttribute(null=True)
    response_status = NumberAttribute(null=True)
    problem = UnicodeAttribute(null=True)
    version = NumberAttribute()
    expires_at = NumberAttribute()


_FIELDS: Final = tuple(
    name for name in Delivery.__struct_fields__ if name not in ("business_id", "webhook_id", "status", "version")
)
_NUMBERS: Final = ("run", "attempts", "response_status")


class DynamoDeliveryLedger:
    """Implements ``DeliveryLedger``."""

    def __init__(self, table_name: str) -> None:
        self._row = bind(DeliveryRow, table_name)

    def find(self, business_id: str, webhook_id: str, delivery_id: str) -> Delivery | None:
        try:
            return _delivery(self._row.get(f"{business_id}#{webhook_id}", delivery_id, consistent_read=True))
        except self._row.DoesNotExist:
            return None

    def save(self, delivery: Delivery) -> Delivery:
        row = self._row(
            f"{delivery.business_id}#{delivery.webhook_id}",
            status=delivery.status,
            version=delivery.version + 1,
            expires_at=_expires(delivery.created_at),
            **{name: getattr(delivery, name) for name in _FIELDS},
        )
        with lost_races():
            row.save(condition=as_read(DeliveryRow, delivery.version))
        return replace(delivery, version=delivery.version + 1)

    def page(self, business_id: str, webhook_id: str, limit: int, cursor: str | None) -> Page[Delivery]:
        before = read_cursor(cursor, _DELIVERIES)
        found = newest(self._row, f"{business_id}#{webhook_id}", DeliveryRow.delivery_id, before, limit)
        return page_of(found, _delivery, lambda row: row.delivery_id)


def _expires(at: datetime) -> int:
    return expiry(at, KEPT)


def _delivery(row: DeliveryRow) -> Delivery:
    business_id, webhook_id = row.webhook.rsplit("#", 1)
    fields = {name: getattr(row, name) for name in _FIELDS}
    numbers = {name: int(fields[name]) for name in _NUMBERS if fields[name] is not None}
    own = {"business_id": business_id, "webhook_id": webhook_id, "status": DeliveryStatus(row.status)}
    return Delivery(**{**fields, **numbers, **own, "version": int(row.version)})
