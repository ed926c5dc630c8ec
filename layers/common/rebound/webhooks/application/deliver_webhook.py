"""One attempt at a delivery to a webhook, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from rebound.kernel.retrying import retried
from rebound.webhooks.application.webhook_service import no_longer_wanted
from rebound.webhooks.domain.webhooks import (
    PROBE,
    RESTS_AFTER,
    Delivery,
    DeliveryStatus,
    DeliveryTask,
    Health,
    Webhook,
    signature,
)

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory, ReboundMail
    from rebound.platform.ports import Clock
    from rebound.webhooks.ports import DeliveryLedger, WebhookBook, WebhookPoster, WebhookQueue

RESTED: Final = "The webhook failed all day, so that this was not tried any more."
DEAD: Final = "The webhook is dead."
SPREAD: Final = 30
"""Seconds over which those come back that waited for the end of a rest."""


class Ending(StrEnum):
    """What an attempt brought to an end, by the name of its metric."""

    DELIVERED = "WebhooksDelivered"
    GIVEN_UP = "WebhooksGivenUp"
    """Deliveries that are not tried any more."""
    DIED = "WebhooksDied"


class DeliverWebhook(Struct, frozen=True, kw_only=True):
    """Takes one task of the queue. A task that comes twice posts twice at most, with the same id.

    What has to wait goes back on the queue: until its next attempt, or until the webhook has rested. Whoever dies on
    the way leaves the task, and it is done again.
    """

    webhooks: WebhookBook
    deliveries: DeliveryLedger
    businesses: BusinessDirectory
    queue: WebhookQueue
    poster: WebhookPoster
    rebound_mail: ReboundMail
    clock: Clock

    def __call__(self, task: DeliveryTask) -> Sequence[Ending]:
        """Post, or wait, or give up; what has come to an end. Raises only for what is to be done again as it is."""
        now = self.clock.now()
        if task.not_before is not None and task.not_before > now:
            self.queue.put([task])
            return ()
        webhook = self.webhooks.find(task.business_id, task.webhook_id)
        if webhook is None:
            return ()
        delivery = self._delivery(task, now)
        open_ = delivery is not None and delivery.run == task.run and delivery.status is DeliveryStatus.PENDING
        if webhook.is_dead:
            ended = self._give_up(webhook, delivery, DEAD, now) if open_ and delivery is not None else ()
            self._tell_owner(webhook)
            return ended
        if not open_ or delivery is None:
            return ()
        if delivery.next_attempt_at is not None and delivery.next_attempt_at > now:
            return self._later(task, delivery.next_attempt_at)
        if delivery.is_too_old(now):
            return self._give_up(webhook, delivery, delivery.problem or RESTED, now)
        return self._try(task, webhook, delivery, now)

    def _delivery(self, task: DeliveryTask, now: datetime) -> Delivery | None:
        """The delivery as it stands; a new one is written when it is first tried or put off."""
        found = self.deliveries.find(task.business_id, task.webhook_id, task.delivery_id)
        if found is not None or task.body is None or task.type is None:
            return found
        key = (task.business_id, task.webhook_id, task.delivery_id)
        return Delivery(*key, task.type, task.body, now, now, next_attempt_at=now)

    def _try(self, task: DeliveryTask, webhook: Webhook, delivery: Delivery, now: datetime) -> Sequence[Ending]:
        rest = webhook.health.resting_until
        if rest is not None and (rest > now or not self._may_probe(webhook, now)):
            if not delivery.version:
                self._saved(delivery)
            until = max(rest, now + PROBE) if rest <= now else rest
            return self._later(task, until + timedelta(seconds=_number_of(delivery) % SPREAD))
        body = delivery.body.encode()
        headers = {
            "Content-Type": "application/json",
            "Rebound-Signature": signature(webhook.secrets_at(now), now, body),
        }
        posted = self.poster.post(webhook.url, body, headers)
        ended = self.clock.now()
        after = delivery.after(posted, ended)
        if posted.is_success:
            self._saved(after)
            if webhook.health != Health():
                self._change(webhook, lambda fresh: replace(fresh, health=Health()))
            return (Ending.DELIVERED,)
        self._change(webhook, lambda fresh: replace(fresh, health=fresh.health.after_failure(ended)))
        if after.status is DeliveryStatus.FAILED:
            return self._give_up(webhook, after, after.problem, ended)
        if self._saved(after) and after.next_attempt_at is not None:
            return self._later(task, after.next_attempt_at)
        return ()

    def _may_probe(self, webhook: Webhook, now: datetime) -> bool:
        """Whether this is the one delivery that is tried after a rest; the others wait for what comes of it."""
        if webhook.health.failures < RESTS_AFTER:
            return True
        try:
            self.webhooks.save(replace(webhook, health=replace(webhook.health, resting_until=now + PROBE)))
        except ConcurrentChangeError:
            return False
        return True

    def _later(self, task: DeliveryTask, until: datetime) -> Sequence[Ending]:
        self.queue.put([replace(task, not_before=until, type=None, body=None)])
        return ()

    def _saved(self, delivery: Delivery) -> bool:
        """Write the delivery; whether it still is as it was read: a replay may have begun, or another try ended."""
        try:
            self.deliveries.save(delivery)
        except ConcurrentChangeError:
            return False
        return True

    def _change(self, webhook: Webhook, change: Callable[[Webhook], Webhook]) -> None:
        """Change what is known of the webhook's health, unless it is gone, dead or was put anew meanwhile."""

        def write() -> None:
            fresh = self.webhooks.find(webhook.business_id, webhook.webhook_id)
            if fresh is not None and not fresh.is_dead and fresh.updated_at == webhook.updated_at:
                self.webhooks.save(change(fresh))

        retried(write)

    def _give_up(self, webhook: Webhook, delivery: Delivery, problem: str | None, now: datetime) -> Sequence[Ending]:
        self._saved(replace(delivery, status=DeliveryStatus.FAILED, next_attempt_at=None, problem=problem))
        if webhook.is_dead:
            return (Ending.GIVEN_UP,)

        def write() -> Webhook | None:
            fresh = self.webhooks.find(webhook.business_id, webhook.webhook_id)
            if fresh is None or fresh.is_dead or not fresh.health.is_beyond_hope(now):
                return None
            business = no_longer_wanted(self.businesses.get(fresh.business_id), fresh.webhook_id)
            return self.webhooks.save(replace(fresh, health=replace(fresh.health, died_at=now)), business)

        dead = retried(write)
        if dead is None:
            return (Ending.GIVEN_UP,)
        self._tell_owner(dead)
        return (Ending.GIVEN_UP, Ending.DIED)

    def _tell_owner(self, dead: Webhook) -> None:
        """Write to the owner, once: whoever dies before it is noted that they were told leaves it to the next task."""
        if dead.health.owner_told:
            return
        try:
            business = self.businesses.get(dead.business_id)
        except NotFoundError:
            return
        if business.owner_email is not None and business.email_from is not None:
            subject = f"The webhook {dead.webhook_id} of {business.name} gets no more events"
            self.rebound_mail.send(business.email_from, business.owner_email, subject, _note(dead))
        try:
            self.webhooks.save(replace(dead, health=replace(dead.health, owner_told=True)))
        except ConcurrentChangeError:
            # It was put anew, or another task told the owner.
            return


def _note(dead: Webhook) -> str:
    """What the owner of a dead webhook reads."""
    since = dead.health.failing_since or dead.updated_at
    return (
        f"Since {since:%d %B %Y, %H:%M} UTC the webhook {dead.webhook_id} has answered no event with success, so that "
        "Rebound does not try any more.\n\nOnce the receiver works again, put the webhook once more "
        f"(PUT /v1/webhooks/{dead.webhook_id}) and replay what was missed: GET "
        f"/v1/webhooks/{dead.webhook_id}/deliveries lists it for 30 days. Events that happen while it is dead are not "
        "kept for it.\n"
    )


def _number_of(delivery: Delivery) -> int:
    """A number by which deliveries differ."""
    return sum(map(ord, delivery.delivery_id[-8:]))
