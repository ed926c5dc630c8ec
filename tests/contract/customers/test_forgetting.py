"""Deleted customers who are kept until everything of them is erased: one suite against the fake and the table."""

import json
from typing import Final

import pytest

from rebound.businesses.adapters.sqs_recopy_queue import encode_recopying
from rebound.businesses.domain.business import Recopying
from rebound.customers.adapters.forgetting import (
    SqsForgetQueue,
    decode_forgetting,
    deleted_customer_of,
    new_customer_of,
)
from rebound.kernel.channels import Channel, ContactKey
from tests.fakes.aws import make
from tests.fakes.house import EveryPorts
from tests.fakes.making import BUSINESS_ID, customer, id_of

FORMER: Final = frozenset({ContactKey(BUSINESS_ID, Channel.EMAIL, "old@example.com")})


def test_a_customer_is_kept_as_they_were_until_all_is_erased(ports: EveryPorts) -> None:
    who = customer(
        1, general_tags=("vip", "new"), file_values={"email": "0"}, former_contacts=FORMER, external_id="x", version=3
    )
    for _ in range(2):
        ports.unforgotten.keep(who)
    ports.unforgotten.keep(customer(2))

    assert ports.unforgotten.find(BUSINESS_ID, id_of(1)) == who
    assert ports.unforgotten.find("other", id_of(1)) is None
    for _ in range(2):
        ports.unforgotten.remove(who)
    assert ports.unforgotten.find(BUSINESS_ID, id_of(1)) is None
    assert ports.unforgotten.find(BUSINESS_ID, id_of(2)) == customer(2)


def test_the_stream_tells_who_was_deleted_and_who_is_new_and_nothing_of_other_changes() -> None:
    image = {
        "business_id": {"S": BUSINESS_ID},
        "customer_id": {"S": id_of(1)},
        "first_name": {"S": "Ana"},
        "last_name": {"S": "Silva"},
        "created_at": {"S": "2026-03-02T12:00:00.000000Z"},
        "updated_at": {"S": "2026-03-02T12:00:00.000000Z"},
        "version": {"N": "7"},
    }
    deleted = deleted_customer_of({"dynamodb": {"OldImage": image}})

    assert deleted is not None
    assert (deleted.customer_id, deleted.full_name, deleted.version) == (id_of(1), "Ana Silva", 7)
    assert deleted_customer_of({"dynamodb": {"OldImage": image, "NewImage": image}}) is None
    assert deleted_customer_of({"dynamodb": {"NewImage": image}}) is None
    assert new_customer_of({"dynamodb": {"NewImage": image}}) == deleted
    assert new_customer_of({"dynamodb": {"OldImage": image, "NewImage": image}}) is None
    assert new_customer_of({"dynamodb": {"OldImage": image}}) is None


def test_the_queue_has_ids_and_nothing_else(on_aws: bool) -> None:
    if not on_aws:
        pytest.skip("the fake keeps what it is given")
    sqs = make("sqs")
    url = sqs.create_queue(QueueName="forget")["QueueUrl"]
    SqsForgetQueue(sqs, url).put(BUSINESS_ID, id_of(1))
    [message] = sqs.receive_message(QueueUrl=url)["Messages"]

    assert decode_forgetting(message["Body"]) == (BUSINESS_ID, id_of(1))
    assert json.loads(message["Body"]).keys() == {"business_id", "customer_id"}
    assert decode_forgetting(encode_recopying(Recopying(BUSINESS_ID, "cursor", fills=True))) is None
