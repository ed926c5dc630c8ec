"""Webhooks, what is posted to them, and their queue, in memory."""

from collections.abc import Callable, Mapping, Sequence
from copy import replace
from functools import cached_property

from rebound.businesses.domain.business import Business
from rebound.kernel.errors import ConcurrentChangeError
from rebound.kernel.pages import Page
from rebound.webhooks.domain.webhooks import Delivery, DeliveryTask, Posted, Webhook
from tests.contract.businesses.fakes import MemoryBusinessDirectory
from tests.contract.customers.fakes import MemoryCustomersPorts
from tests.contract.platform.fakes import FakeClock
from tests.fakes.cursors import page_of, read_cursor
from tests.fakes.queues import MemoryQueue


class MemoryWebhookBook:
    """Implements ``WebhookBook``."""

    def __init__(self, businesses: MemoryBusinessDirectory) -> None:
        self.rows: dict[tuple[str, str], Webhook] = {}
        self._businesses = businesses

    def find(self, business_id: str, webhook_id: str) -> Webhook | None:
        return self.rows.get((business_id, webhook_id))

    def list(self, business_id: str) -> Sequence[Webhook]:
        return [webhook for (owner, _), webhook in sorted(self.rows.items()) if owner == business_id]

    def save(self, webhook: Webhook, business: Business | None = None) -> Webhook:
        self._check(webhook)
        if business is not None:
            self._businesses.replace(business)
        saved = replace(webhook, version=webhook.version + 1)
        self.rows[webhook.business_id, webhook.webhook_id] = saved
        return saved

    def delete(self, webhook: Webhook, business: Business) -> None:
        self._check(webhook)
        self._businesses.replace(business)
        del self.rows[webhook.business_id, webhook.webhook_id]

    def _check(self, webhook: Webhook) -> None:
        stored = self.find(webhook.business_id, webhook.webhook_id)
        if (stored.version if stored is not None else 0) != webhook.version:
            raise ConcurrentChangeError


class MemoryDeliveryLedger:
    """Implements ``DeliveryLedger``."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str, str], Delivery] = {}

    def find(self, business_id: str, webhook_id: str, delivery_id: str) -> Delivery | None:
        return self.rows.get((business_id, webhook_id, delivery_id))

    def save(self, delivery: Delivery) -> Delivery:
        key = (delivery.business_id, delivery.webhook_id, delivery.delivery_id)
        stored = self.rows.get(key)
        if (stored.version if stored is not None else 0) != delivery.version:
            raise ConcurrentChangeError
        self.rows[key] = replace(delivery, version=delivery.version + 1)
        return self.rows[key]

    def page(self, business_id: str, webhook_id: str, limit: int, cursor: str | None) -> Page[Delivery]:
        before = read_cursor(cursor)
        kept = sorted(((key[2], each) for key, each in self.rows.items() if key[:2] == (business_id, webhook_id)))
        return page_of([(name, each) for name, each in reversed(kept) if before is None or name < before], limit)


class MemoryWebhookQueue:
    """Implements ``WebhookQueue``."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.queue: MemoryQueue[DeliveryTask] = MemoryQueue(clock)

    def put(self, tasks: Sequence[DeliveryTask]) -> None:
        now = self.clock.now()
        for task in tasks:
            self.queue.send(task, max((task.not_before or now) - now, now - now))


class ScriptedReceiver:
    """Implements ``WebhookPoster``: a receiver of a client, which answers what ``answer`` says to what it got."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, bytes, Mapping[str, str]]] = []
        self.answer: Callable[[str], Posted] = lambda _: Posted(200)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Posted:
        self.posted.append((url, body, headers))
        return self.answer(url)


class MemoryWebhooksPorts(MemoryCustomersPorts):
    """Implements ``WebhooksPorts``."""

    loopback_webhooks = False

    @cached_property
    def webhooks(self) -> MemoryWebhookBook:
        return MemoryWebhookBook(self.businesses)

    @cached_property
    def webhook_deliveries(self) -> MemoryDeliveryLedger:
        return MemoryDeliveryLedger()

    @cached_property
    def webhook_queue(self) -> MemoryWebhookQueue:
        return MemoryWebhookQueue(self.clock)

    @cached_property
    def webhook_poster(self) -> ScriptedReceiver:
        return ScriptedReceiver()
