"""The ports of webhooks over AWS, and the use cases made from them (see ``platform.wiring``)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from rebound.customers.wiring import AwsCustomersPorts, CustomersUseCases
from rebound.platform.wiring import in_this_process, use_case

if TYPE_CHECKING:
    from rebound.webhooks.application.deliver_webhook import DeliverWebhook
    from rebound.webhooks.application.publish_events import PublishEvents
    from rebound.webhooks.application.webhook_service import WebhookService
    from rebound.webhooks.domain.webhooks import DeliveryTask
    from rebound.webhooks.ports import (
        DeliveryLedger,
        WebhookBook,
        WebhookPoster,
        WebhookQueue,
        WebhooksPorts,
    )


class AwsWebhooksPorts(AwsCustomersPorts):
    """The ports of webhooks, implemented over AWS."""

    @cached_property
    def webhooks(self) -> WebhookBook:
        from rebound.webhooks.adapters.dynamo_webhooks import DynamoWebhookBook

        return DynamoWebhookBook(self.settings["DIRECTORY_TABLE"], self.dynamo_businesses)

    @cached_property
    def webhook_deliveries(self) -> DeliveryLedger:
        from rebound.webhooks.adapters.dynamo_webhooks import DynamoDeliveryLedger

        return DynamoDeliveryLedger(self.settings["WEBHOOK_DELIVERIES_TABLE"])

    @cached_property
    def webhook_queue(self) -> WebhookQueue:
        from rebound.webhooks.adapters.sqs_webhook_queue import SqsWebhookQueue

        return SqsWebhookQueue(self.aws("sqs"), self.settings["WEBHOOK_QUEUE_URL"], self.clock)

    @cached_property
    def webhook_poster(self) -> WebhookPoster:
        from rebound.webhooks.adapters.pinned_http import PinnedHttpPoster

        return PinnedHttpPoster(loopback=self.loopback_webhooks)

    @property
    def loopback_webhooks(self) -> bool:
        return self.settings["LOOPBACK_WEBHOOKS"] == "true"

    @staticmethod
    def decode_delivery(body: str) -> DeliveryTask:
        """The delivery in a message of the webhooks' queue."""
        from rebound.webhooks.adapters.sqs_webhook_queue import decode_delivery

        return decode_delivery(body)


class WebhooksUseCases(CustomersUseCases):
    """The use cases of webhooks."""

    ports: WebhooksPorts

    publish_events: PublishEvents = use_case(
        "rebound.webhooks.application.publish_events", bus="domain_events", queue="webhook_queue"
    )
    webhook_service: WebhookService = use_case(
        "rebound.webhooks.application.webhook_service",
        deliveries="webhook_deliveries",
        queue="webhook_queue",
        loopback="loopback_webhooks",
    )
    deliver_webhook: DeliverWebhook = use_case(
        "rebound.webhooks.application.deliver_webhook",
        deliveries="webhook_deliveries",
        queue="webhook_queue",
        poster="webhook_poster",
    )


use_cases = in_this_process(WebhooksUseCases, AwsWebhooksPorts)
ports = AwsWebhooksPorts
