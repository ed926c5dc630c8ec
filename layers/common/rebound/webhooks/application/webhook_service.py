"""The webhooks of a business: put, tried, given new secrets, taken away; and what was posted to them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import replace
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.businesses.domain.business import Business, WantedEvents
from rebound.kernel.errors import ConflictError, FieldError, InvalidInputError, NotFoundError, TooSoonError
from rebound.kernel.events import EVENTS
from rebound.kernel.retrying import retried
from rebound.webhooks.application.publish_events import delivery_task
from rebound.webhooks.domain.places import problem_of
from rebound.webhooks.domain.webhooks import (
    MOST_SECRETS,
    MOST_WEBHOOKS,
    SECRET_PREFIX,
    TEST_EVENT,
    Delivery,
    DeliveryTask,
    Health,
    Secret,
    Webhook,
)

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.kernel.pages import Page
    from rebound.platform.ports import Clock, Ids
    from rebound.webhooks.ports import DeliveryLedger, WebhookBook, WebhookQueue

WEBHOOK_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
RESERVED: Final = "twilio"
"""Below this name are the addresses that Twilio calls."""


class PutWebhook(Struct, frozen=True):
    """A webhook as it is now, and its secret if it is new."""

    webhook: Webhook
    secret: str | None


class WebhookService(Struct, frozen=True, kw_only=True):
    """Looks after the webhooks of one business at a time.

    What each wants stands in the business's settings as well, in the same write: whoever publishes an event reads it
    there.
    """

    businesses: BusinessDirectory
    webhooks: WebhookBook
    deliveries: DeliveryLedger
    queue: WebhookQueue
    clock: Clock
    ids: Ids
    loopback: bool

    def put(self, business_id: str, webhook_id: str, url: str, events: Sequence[str]) -> PutWebhook:
        """Create a webhook, or change it and keep its secret; a dead one lives again.

        Raises ``InvalidInputError``, and ``ConflictError`` when the business has as many as it may have.
        """
        self._check(webhook_id, url, events)
        wanted = WantedEvents(webhook_id, tuple(dict.fromkeys(events)))

        def write() -> PutWebhook:
            business, known = self.businesses.get(business_id), self.webhooks.find(business_id, webhook_id)
            if known is None and len(self.webhooks.list(business_id)) >= MOST_WEBHOOKS:
                raise ConflictError("too_many_webhooks", f"A business has at most {MOST_WEBHOOKS} webhooks.")
            now = self.clock.now()
            secret = f"{SECRET_PREFIX}{self.ids.secret()}" if known is None else None
            new = known or Webhook(business_id, webhook_id, url, (), (Secret(secret or ""),), now, now)
            webhook = replace(new, url=url, events=wanted.events, updated_at=now, health=Health())
            return PutWebhook(self.webhooks.save(webhook, _wanting(business, webhook_id, wanted)), secret)

        return retried(write)

    def get(self, business_id: str, webhook_id: str) -> Webhook:
        """Raises ``NotFoundError``."""
        webhook = self.webhooks.find(business_id, webhook_id)
        if webhook is None:
            raise NotFoundError("webhook")
        return webhook

    def list(self, business_id: str) -> Sequence[Webhook]:
        """All of the business, by id."""
        return self.webhooks.list(business_id)

    def delete(self, business_id: str, webhook_id: str) -> None:
        """Remove a webhook: nothing that is still on its way is posted. Raises ``NotFoundError``."""

        def write() -> None:
            business = self.businesses.get(business_id)
            self.webhooks.delete(self.get(business_id, webhook_id), _wanting(business, webhook_id, None))

        retried(write)

    def rotate_secret(self, business_id: str, webhook_id: str) -> PutWebhook:
        """Give a webhook a new secret; the one before stays valid for a day, and both sign until then.

        Raises ``NotFoundError``, and ``TooSoonError`` while there are as many valid secrets as a header has room for.
        """

        def write() -> PutWebhook:
            webhook, now = self.get(business_id, webhook_id), self.clock.now()
            *_, oldest = valid = webhook.secrets_at(now)
            if len(valid) >= MOST_SECRETS and oldest.valid_until is not None:
                wait = int((oldest.valid_until - now).total_seconds()) + 1
                raise TooSoonError(f"{MOST_SECRETS} secrets of this webhook are valid; wait for one to end.", wait)
            secret = f"{SECRET_PREFIX}{self.ids.secret()}"
            return PutWebhook(self.webhooks.save(webhook.with_new_secret(secret, now)), secret)

        return retried(write)

    def test(self, business_id: str, webhook_id: str) -> Delivery:
        """Post an event of no meaning. Raises ``NotFoundError``, and ``ConflictError`` for a dead webhook."""
        webhook, now = self._living(business_id, webhook_id), self.clock.now()
        event_id = self.ids.ulid(now)
        data = {"business_id": business_id, "webhook_id": webhook.webhook_id, "event_id": event_id}
        task = delivery_task(business_id, webhook_id, TEST_EVENT, event_id, now, data)
        made = Delivery(business_id, webhook_id, event_id, TEST_EVENT, task.body or "", now, now, next_attempt_at=now)
        delivery = self.deliveries.save(made)
        self.queue.put([DeliveryTask(business_id, webhook_id, event_id)])
        return delivery

    def page(self, business_id: str, webhook_id: str, limit: int, cursor: str | None) -> Page[Delivery]:
        """What was posted to a webhook, the latest event first. Raises ``NotFoundError``."""
        self.get(business_id, webhook_id)
        return self.deliveries.page(business_id, webhook_id, limit, cursor)

    def replay(self, business_id: str, webhook_id: str, delivery_id: str) -> Delivery:
        """Post a kept event once more, whatever became of it.

        Raises ``NotFoundError``, and ``ConflictError`` for a dead webhook.
        """
        self._living(business_id, webhook_id)

        def write() -> Delivery:
            delivery = self.deliveries.find(business_id, webhook_id, delivery_id)
            if delivery is None:
                raise NotFoundError("delivery")
            return self.deliveries.save(delivery.replayed(self.clock.now()))

        delivery = retried(write)
        self.queue.put([DeliveryTask(business_id, webhook_id, delivery_id, delivery.run)])
        return delivery

    def _living(self, business_id: str, webhook_id: str) -> Webhook:
        webhook = self.get(business_id, webhook_id)
        if webhook.is_dead:
            raise ConflictError("webhook_dead", "The webhook failed for a week and is dead; put it again to revive it.")
        return webhook

    def _check(self, webhook_id: str, url: str, events: Sequence[str]) -> None:
        errors: list[FieldError] = []
        if not WEBHOOK_ID.fullmatch(webhook_id) or webhook_id.lower() == RESERVED:
            what = f"Must be 1 to 64 of A-Z, a-z, 0-9, _ and -, and not {RESERVED}."
            errors.append(FieldError("webhook_id", what))
        problem = problem_of(url, loopback=self.loopback)
        if problem is not None:
            errors.append(FieldError("url", problem))
        if not events:
            errors.append(FieldError("events", "Must name at least one event."))
        for place, name in enumerate(events):
            if name not in EVENTS:
                errors.append(FieldError.unknown(f"events[{place}]", "There is no such event.", name, EVENTS))
        if errors:
            raise InvalidInputError(*errors)


def _wanting(business: Business, webhook_id: str, wanted: WantedEvents | None) -> Business:
    """The business after one of its webhooks wants other events, or none."""
    others = tuple(each for each in business.webhooks if each.webhook_id != webhook_id)
    return replace(business, webhooks=others if wanted is None else (*others, wanted))


def no_longer_wanted(business: Business, webhook_id: str) -> Business:
    """The business after one of its webhooks wants no events any more."""
    return _wanting(business, webhook_id, None)
