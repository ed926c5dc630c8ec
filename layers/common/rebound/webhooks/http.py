"""Webhooks of a business: shapes and routes."""

from http import HTTPStatus
from typing import Annotated, Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from pydantic import Field

from rebound.kernel.events import EVENTS
from rebound.platform.http.routes import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    business_of,
    json_answer,
    no_content,
    nothing,
    responses,
    shown_once,
)
from rebound.platform.http.shapes import Answer, Request, Time, one_of, text_of
from rebound.webhooks import wiring
from rebound.webhooks.domain.places import MAX_URL
from rebound.webhooks.domain.webhooks import TEST_EVENT, Delivery, DeliveryStatus, Webhook, WebhookStatus

EventName = Annotated[str, one_of(EVENTS)]
Url = Annotated[str, text_of(format="uri", maxLength=MAX_URL, pattern="^https?://")]
WebhookInPath = Annotated[str, text_of(pattern="^[A-Za-z0-9_-]{1,64}$"), Path(description="Not twilio.")]
DeliveryInPath = Annotated[str, Path()]


class WebhookRequest(Request):
    """Where some events are posted to."""

    url: Url = Field(
        description="HTTPS, on the internet, at port 443 or one from 1024 on; without credentials and fragment.",
        examples=["https://hooks.example.com/rebound"],
    )
    events: Annotated[list[EventName], Field(min_length=1, max_length=100)] = Field(
        description="What is posted. Each is described in docs/events.",
        examples=[["ContactInvalidated", "ConsentChanged", "ReplyReceived"]],
    )


class WebhookAnswer(Answer):
    """A webhook, and how it does."""

    webhook_id: str
    url: str
    events: list[EventName]
    status: WebhookStatus = Field(
        description="failing: the latest attempt failed, and others follow; dead: it failed for a week, and nothing is "
        "posted until it is put again."
    )
    failing_since: Time | None = Field(description="The first failure since the last success.")
    created_at: Time
    updated_at: Time
    secret: str | None = Field(
        default=None,
        description="What signatures are made with. Shown once: by the PUT that creates the webhook, or a rotation.",
    )

    @classmethod
    def of(cls, webhook: Webhook, secret: str | None = None) -> Self:
        """The answer for a webhook."""
        events = list(webhook.events)
        return cls.filled(webhook, events=events, failing_since=webhook.health.failing_since, secret=secret)


class WebhookList(Answer):
    """All webhooks of a business."""

    items: list[WebhookAnswer]
    next_cursor: str | None = Field(default=None, description="Always null: a business has five at most.")


class DeliveryAnswer(Answer):
    """One event on its way to one webhook."""

    delivery_id: str
    type: Annotated[str, one_of((*EVENTS, TEST_EVENT))]
    status: DeliveryStatus = Field(
        description="pending: it is tried again; delivered: answered with 200 to 299; failed: given up after a day."
    )
    attempts: int = Field(description="Since it was last asked for.")
    response_status: int | None = Field(description="HTTP status of the latest answer.")
    problem: str | None = Field(description="Why there was no answer at the latest attempt.")
    created_at: Time
    last_attempt_at: Time | None
    next_attempt_at: Time | None

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        """The answer for a delivery."""
        return cls.filled(delivery)


class DeliveryPage(Answer):
    """Part of a list of deliveries, the latest event first; they are kept for 30 days."""

    items: list[DeliveryAnswer]
    next_cursor: str | None


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""
    tags = ["Webhooks"]
    one = responses(WebhookAnswer)
    under_way = responses(DeliveryAnswer, HTTPStatus.ACCEPTED)

    @app.get("/v1/webhooks", summary="List webhooks", tags=tags, responses=responses(WebhookList))
    def list_webhooks() -> Response[str]:
        found = wiring.use_cases().webhook_service.list(business_of(app))
        return json_answer(WebhookList(items=[WebhookAnswer.of(webhook) for webhook in found]))

    @app.put("/v1/webhooks/<webhook_id>", summary="Create or change a webhook", tags=tags, responses=one)
    def put_webhook(webhook_id: WebhookInPath, request: Annotated[WebhookRequest, Body()]) -> Response[str]:
        put = wiring.use_cases().webhook_service.put(business_of(app), webhook_id, request.url, request.events)
        return json_answer(WebhookAnswer.of(put.webhook, put.secret))

    @app.get("/v1/webhooks/<webhook_id>", summary="Read a webhook", tags=tags, responses=one)
    def get_webhook(webhook_id: WebhookInPath) -> Response[str]:
        return json_answer(WebhookAnswer.of(wiring.use_cases().webhook_service.get(business_of(app), webhook_id)))

    @app.delete("/v1/webhooks/<webhook_id>", summary="Remove a webhook", tags=tags, responses=no_content())
    def delete_webhook(webhook_id: WebhookInPath) -> Response[str]:
        wiring.use_cases().webhook_service.delete(business_of(app), webhook_id)
        return nothing()

    @app.post(
        "/v1/webhooks/<webhook_id>/rotate-secret", summary="Give a webhook a new secret", tags=tags, responses=one
    )
    def rotate_webhook_secret(webhook_id: WebhookInPath) -> Response[str]:
        """The secret before it stays valid for a day; until then both sign."""
        put = wiring.use_cases().webhook_service.rotate_secret(business_of(app), webhook_id)
        shown_once(app, webhook_id)
        return json_answer(WebhookAnswer.of(put.webhook, put.secret))

    @app.post("/v1/webhooks/<webhook_id>/test", summary="Post a test event", tags=tags, responses=under_way)
    def test_webhook(webhook_id: WebhookInPath) -> Response[str]:
        delivery = wiring.use_cases().webhook_service.test(business_of(app), webhook_id)
        return json_answer(DeliveryAnswer.of(delivery), HTTPStatus.ACCEPTED)

    @app.get(
        "/v1/webhooks/<webhook_id>/deliveries",
        summary="List what was posted to a webhook",
        tags=tags,
        responses=responses(DeliveryPage),
    )
    def list_webhook_deliveries(
        webhook_id: WebhookInPath, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Response[str]:
        page = wiring.use_cases().webhook_service.page(business_of(app), webhook_id, limit, cursor)
        items = [DeliveryAnswer.of(delivery) for delivery in page.items]
        return json_answer(DeliveryPage(items=items, next_cursor=page.next_cursor))

    @app.post(
        "/v1/webhooks/<webhook_id>/deliveries/<delivery_id>/replay",
        summary="Post an event once more",
        tags=tags,
        responses=under_way,
    )
    def replay_webhook_delivery(webhook_id: WebhookInPath, delivery_id: DeliveryInPath) -> Response[str]:
        delivery = wiring.use_cases().webhook_service.replay(business_of(app), webhook_id, delivery_id)
        return json_answer(DeliveryAnswer.of(delivery), HTTPStatus.ACCEPTED)
