"""Publishing domain events: on the bus, and to the webhooks that want them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from msgspec import Struct

from rebound.kernel.errors import NotFoundError
from rebound.kernel.events import MESSAGE_EVENTS, DomainEvent, detail_of
from rebound.kernel.ids import derived_ulid
from rebound.kernel.times import write_time
from rebound.webhooks.domain.webhooks import DeliveryTask

if TYPE_CHECKING:
    from rebound.businesses.domain.business import Business
    from rebound.businesses.ports import BusinessDirectory
    from rebound.customers.ports import CustomerBook
    from rebound.platform.ports import DomainEvents
    from rebound.webhooks.ports import WebhookQueue


class PublishEvents(Struct, frozen=True, kw_only=True):
    """Publishes events of one business; whatever fails, all of them may be published again.

    A business without webhooks pays for no message on their queue: what is wanted stands in its settings. An event
    about a single message goes on the bus only where the settings name it.
    """

    bus: DomainEvents
    businesses: BusinessDirectory
    customers: CustomerBook
    queue: WebhookQueue

    def __call__(
        self,
        events: Sequence[DomainEvent],
        at: datetime,
        *,
        business: Business | None = None,
        external_ids: Mapping[str, str | None] | None = None,
    ) -> None:
        """Publish what was written down ``at`` a time; the same events get the same ids again.

        Settings, and the client's ids of customers, are read where the caller has not read them anyway.
        """
        if not events:
            return
        business_id = events[0].business_id
        known = self._external_ids(business_id, events, external_ids or {})
        complete = [_completed(event, at, known) for event in events]
        if business is None:
            try:
                business = self.businesses.get(business_id)
            except NotFoundError:
                business = None
        named = () if business is None else business.message_events
        self.bus.publish([event for event in complete if name_of(event) in named or not _is_about_a_message(event)])
        tasks = [
            delivery_task(business_id, wanting.webhook_id, name_of(event), event.event_id or "", at, detail_of(event))
            for event in complete
            for wanting in (() if business is None else business.webhooks)
            if name_of(event) in wanting.events
        ]
        if tasks:
            self.queue.put(tasks)

    def _external_ids(
        self, business_id: str, events: Sequence[DomainEvent], known: Mapping[str, str | None]
    ) -> Mapping[str, str | None]:
        missing = {id_ for event in events for id_ in _customers_of(event)} - known.keys()
        read = self.customers.get_many(business_id, sorted(missing)) if missing else {}
        return {**known, **{customer_id: customer.external_id for customer_id, customer in read.items()}}


def delivery_task(
    business_id: str, webhook_id: str, kind: str, event_id: str, at: datetime, data: Mapping[str, Any]
) -> DeliveryTask:
    """The task to post an event to a webhook for the first time, with the body that is posted."""
    payload = {"id": event_id, "type": kind, "occurred_at": write_time(at), "business_id": business_id, "data": data}
    body = json.dumps(payload, separators=(",", ":"))
    return DeliveryTask(business_id, webhook_id, event_id, type=kind, body=body)


def name_of(event: DomainEvent) -> str:
    """The name of an event: its type to webhooks, its ``detail-type`` on the bus."""
    return type(event).__name__


def _is_about_a_message(event: DomainEvent) -> bool:
    return name_of(event) in MESSAGE_EVENTS


def _customers_of(event: DomainEvent) -> Sequence[str]:
    one: str | None = getattr(event, "customer_id", None)
    return (*getattr(event, "customer_ids", ()), *(() if one is None else (one,)))


def _completed(event: DomainEvent, at: datetime, external_ids: Mapping[str, str | None]) -> DomainEvent:
    """The event with its id, its time and the client's ids."""
    told = "|".join([name_of(event), event.business_id, event.change_id, str(getattr(event, "scope", ""))])
    more: dict[str, Any] = {"event_id": derived_ulid(at, told), "occurred_at": at}
    if "customer_ids" in event.__struct_fields__:
        more["external_ids"] = tuple(external_ids.get(id_) for id_ in getattr(event, "customer_ids"))  # noqa: B009
    if "customer_id" in event.__struct_fields__:
        more["external_id"] = external_ids.get(getattr(event, "customer_id") or "")  # noqa: B009
    completed: Any = replace(event, **more)
    return cast("DomainEvent", completed)
