"""What the use cases of webhooks need from outside."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from rebound.businesses.domain.business import Business
from rebound.customers.ports import CustomersPorts
from rebound.kernel.pages import Page
from rebound.webhooks.domain.webhooks import Delivery, DeliveryTask, Posted, Webhook


class WebhookBook(Protocol):
    """The webhooks of all businesses."""

    def find(self, business_id: str, webhook_id: str) -> Webhook | None:
        """Strongly consistent; ``None`` when there is none."""

    def list(self, business_id: str) -> Sequence[Webhook]:
        """All of a business, by id (strongly consistent)."""

    def save(self, webhook: Webhook, business: Business | None = None) -> Webhook:
        """Write a webhook, and with it the settings of its business, all or nothing; the webhook as stored now.

        Raises ``ConcurrentChangeError`` unless each stored row still is as it was read.
        """

    def delete(self, webhook: Webhook, business: Business) -> None:
        """Remove a webhook and write the settings of its business; as ``save``."""


class DeliveryLedger(Protocol):
    """Deliveries to webhooks, kept for 30 days."""

    def find(self, business_id: str, webhook_id: str, delivery_id: str) -> Delivery | None:
        """Strongly consistent; ``None`` when there is none (any more)."""

    def save(self, delivery: Delivery) -> Delivery:
        """Write a delivery if its row still is as it was read; the delivery as stored now.

        Raises ``ConcurrentChangeError`` otherwise, also when it is new and there is one.
        """

    def page(self, business_id: str, webhook_id: str, limit: int, cursor: str | None) -> Page[Delivery]:
        """The deliveries to a webhook, the latest event first (strongly consistent)."""


class WebhookQueue(Protocol):
    """Deliveries on their way."""

    def put(self, tasks: Sequence[DeliveryTask]) -> None:
        """Enqueue; all are on the queue when this returns, and each may be delivered more than once.

        A task comes no earlier than at its ``not_before``, or in 15 minutes, if that is earlier.
        """


class WebhookPoster(Protocol):
    """Posts to the receivers of clients."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Posted:
        """Post once, within seconds, to an address on the internet only; whatever goes wrong is in the answer."""


class WebhooksPorts(CustomersPorts, Protocol):
    """What the use cases of webhooks need from outside."""

    @property
    def webhooks(self) -> WebhookBook: ...

    @property
    def webhook_deliveries(self) -> DeliveryLedger: ...

    @property
    def webhook_queue(self) -> WebhookQueue: ...

    @property
    def webhook_poster(self) -> WebhookPoster: ...

    @property
    def loopback_webhooks(self) -> bool:
        """Whether webhooks may be on the machine of the functions, which only makes sense where all is on one."""
