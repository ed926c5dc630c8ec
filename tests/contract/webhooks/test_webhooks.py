"""Webhooks, deliveries and their queue: one suite against the fakes and AWS in memory."""

import json
from copy import replace
from datetime import timedelta
from typing import Any

import pytest

from rebound.businesses.domain.business import WantedEvents
from rebound.kernel.errors import ConcurrentChangeError
from rebound.webhooks.adapters.sqs_webhook_queue import SqsWebhookQueue, decode_delivery, encode_delivery
from rebound.webhooks.domain.webhooks import Delivery, DeliveryStatus, DeliveryTask, Health, Secret, Webhook
from tests.contract.platform.fakes import FakeClock
from tests.fakes.aws import fake_aws, make
from tests.fakes.house import EveryPorts
from tests.fakes.making import BUSINESS_ID, at, business

WEBHOOK = Webhook(
    BUSINESS_ID,
    "crm",
    "https://hooks.example.com/in",
    ("ConsentChanged", "ReplyReceived"),
    (Secret("whsec_new"), Secret("whsec_old", at(86400))),
    at(0),
    at(1),
    Health(at(2), 4, at(3)),
)


def delivery(number: int, webhook_id: str = "crm", business_id: str = BUSINESS_ID) -> Delivery:
    return Delivery(business_id, webhook_id, f"{number:026d}", "ReplyReceived", '{"a":"é"}', at(number), at(number))


def test_a_webhook_is_kept_with_everything_and_with_the_settings_of_its_business(ports: EveryPorts) -> None:
    ports.businesses.add(business())
    settings = replace(ports.businesses.get(BUSINESS_ID), webhooks=(WantedEvents("crm", WEBHOOK.events),))
    saved = ports.webhooks.save(WEBHOOK, settings)

    assert saved == replace(WEBHOOK, version=1) == ports.webhooks.find(BUSINESS_ID, "crm")
    assert ports.businesses.get(BUSINESS_ID).webhooks == settings.webhooks
    dead = replace(saved, health=replace(saved.health, died_at=at(9), owner_told=True, resting_until=None))
    assert ports.webhooks.save(dead) == replace(dead, version=2) == ports.webhooks.find(BUSINESS_ID, "crm")
    assert ports.webhooks.find(BUSINESS_ID, "cr") is None
    assert ports.webhooks.find("other", "crm") is None


def test_all_of_one_business_are_listed_by_id(ports: EveryPorts) -> None:
    for webhook_id, business_id in (("b", BUSINESS_ID), ("a", BUSINESS_ID), ("c", "other")):
        ports.webhooks.save(replace(WEBHOOK, webhook_id=webhook_id, business_id=business_id))

    assert [webhook.webhook_id for webhook in ports.webhooks.list(BUSINESS_ID)] == ["a", "b"]


def test_who_has_read_something_older_writes_neither_the_webhook_nor_the_settings(ports: EveryPorts) -> None:
    ports.businesses.add(business())
    read = ports.businesses.get(BUSINESS_ID)
    saved = ports.webhooks.save(WEBHOOK)
    wanting = replace(read, webhooks=(WantedEvents("crm", ()),))
    for webhook, settings in (
        (WEBHOOK, wanting),
        (replace(saved, version=7), wanting),
        (saved, replace(wanting, version=read.version + 7)),
    ):
        with pytest.raises(ConcurrentChangeError):
            ports.webhooks.save(webhook, settings)
        if webhook.version:
            with pytest.raises(ConcurrentChangeError):
                ports.webhooks.delete(webhook, settings)
    with pytest.raises(ConcurrentChangeError):
        ports.webhooks.save(WEBHOOK)

    assert ports.webhooks.find(BUSINESS_ID, "crm") == saved
    assert ports.businesses.get(BUSINESS_ID) == read


def test_a_webhook_goes_with_what_it_wanted(ports: EveryPorts) -> None:
    ports.businesses.add(business())
    wanting = replace(ports.businesses.get(BUSINESS_ID), webhooks=(WantedEvents("crm", WEBHOOK.events),))
    saved = ports.webhooks.save(WEBHOOK, wanting)
    ports.webhooks.delete(saved, replace(ports.businesses.get(BUSINESS_ID), webhooks=()))

    assert ports.webhooks.list(BUSINESS_ID) == []
    assert ports.businesses.get(BUSINESS_ID).webhooks == ()


def test_a_delivery_is_kept_as_it_is_and_written_only_by_who_has_read_it(ports: EveryPorts) -> None:
    ledger = ports.webhook_deliveries
    new = replace(delivery(1), next_attempt_at=at(5))
    saved = ledger.save(new)
    assert saved == replace(new, version=1) == ledger.find(BUSINESS_ID, "crm", new.delivery_id)
    for status, problem in ((500, None), (None, "The name has no address.")):
        saved = ledger.save(
            replace(
                saved,
                status=DeliveryStatus.FAILED,
                attempts=3,
                run=2,
                last_attempt_at=at(7),
                next_attempt_at=None,
                response_status=status,
                problem=problem,
            )
        )
        assert saved == ledger.find(BUSINESS_ID, "crm", new.delivery_id)
    for stale in (new, replace(saved, version=saved.version - 1), delivery(1)):
        with pytest.raises(ConcurrentChangeError):
            ledger.save(stale)
    assert ledger.find(BUSINESS_ID, "crm", f"{2:026d}") is None


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
def test_deliveries_to_one_webhook_come_in_pages_the_latest_first(ports: EveryPorts, limit: int) -> None:
    for number in (2, 1, 3):
        ports.webhook_deliveries.save(delivery(number))
        ports.webhook_deliveries.save(delivery(number, "crm2"))
        ports.webhook_deliveries.save(delivery(number, business_id="other"))
    seen: list[Delivery] = []
    cursor: str | None = None
    for _ in range(9):
        page = ports.webhook_deliveries.page(BUSINESS_ID, "crm", limit, cursor)
        assert len(page.items) <= limit
        seen.extend(page.items)
        cursor = page.next_cursor
        if cursor is None:
            break

    assert [each.created_at for each in seen] == [at(3), at(2), at(1)]


# --- the queue --------------------------------------------------------------------------------------------------------


TASKS = (
    DeliveryTask(BUSINESS_ID, "crm", "1", type="ReplyReceived", body='{"a":"é"}'),
    DeliveryTask(BUSINESS_ID, "crm", "2", 3, at(60.5)),
    DeliveryTask(BUSINESS_ID, "other", "3", not_before=at(-5)),
    DeliveryTask(BUSINESS_ID, "other", "4", not_before=at(0) + timedelta(days=1)),
    DeliveryTask("b" * 64, "w" * 64, "5"),
)


def test_a_task_comes_from_its_body_as_it_was_put() -> None:
    assert [decode_delivery(encode_delivery(task)) for task in TASKS] == list(TASKS)


def test_tasks_wait_on_the_queue_as_long_as_it_lets_them_and_each_webhook_is_a_group() -> None:
    with fake_aws():
        sqs = make("sqs")
        put: list[dict[str, Any]] = []
        sqs.meta.events.register(
            "provide-client-params.sqs.SendMessageBatch", lambda params, **_: put.extend(params["Entries"])
        )
        url = sqs.create_queue(QueueName="webhook")["QueueUrl"]
        SqsWebhookQueue(sqs, url, FakeClock()).put(TASKS)

    assert [entry["DelaySeconds"] for entry in put] == [0, 61, 0, 900, 0]
    assert len({entry["MessageGroupId"] for entry in put}) == 3
    assert all(len(entry["MessageGroupId"]) <= 128 for entry in put)
    assert [json.loads(entry["MessageBody"])["delivery_id"] for entry in put] == list("12345")
