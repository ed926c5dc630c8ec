"""After customers are deleted no row of any table has an address of theirs, in any spelling; links still work."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import boto3
import pytest

from tests.fakes.aws import REGION, rows
from tests.fakes.deployed_day import BODY, EMAILED, ONE_CLICK, DeployedDay, email_of, phone_of
from tests.fakes.deployment import Deployment

PEOPLE: Final = (*range(EMAILED), *range(50, 53), 60)
KEPT_FOR_A_DAY: Final = "IdempotencyTable"
"""The first answer to a request with an Idempotency-Key; nobody reads it by anything but that key."""
DAY: Final = timedelta(days=1)


def spellings() -> frozenset[str]:
    """Everything by which one of the customers can be written to, as it may stand in a row."""
    numbers = [phone_of(number).removeprefix("+1") for number in PEOPLE]
    written = [form for n in numbers for form in (n, f"({n[:3]}) {n[3:6]}-{n[6:]}", f"{n[:3]}-{n[3:6]}-{n[6:]}")]
    return frozenset([*written, *(email_of(number) for number in PEOPLE)])


def found(texts: Mapping[str, list[str]]) -> set[str]:
    """Where an address stands."""
    return {where for where, lines in texts.items() for line in lines if any(a in line.lower() for a in spellings())}


def stored() -> dict[str, list[str]]:
    return {name: [json.dumps(row, default=str) for row in table] for name, table in rows().items()}


@dataclass(frozen=True)
class Erased:
    """What is left of the day when everybody is gone."""

    deployment: Deployment
    day: DeployedDay
    before: set[str]
    single: list[str]


@pytest.fixture(scope="module")
def erased() -> Iterator[Erased]:
    with Deployment() as deployment:
        day = DeployedDay(deployment)
        day.prepare()
        day.play()
        day.say_what_they_want()
        day.wait_for_the_morning()
        day.try_again()
        day.go_and_come_back()
        day.ask_and_be_answered()
        day.text_back()
        first = day.business_ids[0]
        mixed = {
            "first_name": "Ida",
            "last_name": "Roe",
            "email": email_of(60).upper(),
            "mobile_phone": "(415) 556-7060",
        }
        made = deployment.api("POST", "/v1/customers", mixed, business_id=first)["customer_id"]
        shared = {**mixed, "first_name": "Ole", "email": email_of(60).title()}
        deployment.api("POST", "/v1/customers", shared, business_id=first)
        moved = {"email": "ida@quackenbush.example.org"}
        deployment.api("PATCH", f"/v1/customers/{made}", moved, business_id=first)
        later = (deployment.clock.now() + DAY).isoformat()
        held = {"customer_id": made, "category": "reminder", "channel": "email", "send_at": later}
        content = {"subject": "Hi", "text": f"{BODY}, {email_of(60)}"}
        single = deployment.api("POST", "/v1/messages", {**held, "content": content}, business_id=first)
        before = found(stored())
        for business_id in day.business_ids:
            while listed := deployment.api("GET", "/v1/customers?limit=100", business_id=business_id)["items"]:
                for who in listed:
                    deployment.api("DELETE", f"/v1/customers/{who['customer_id']}", business_id=business_id)
        deployment.rest()
        yield Erased(deployment, day, before, [single["message_id"]])


def test_no_row_has_an_address(erased: Erased) -> None:
    assert erased.before >= {"CustomersTable", "ContactsTable", "MessagesTable", "CampaignsTable"}
    assert found({name: lines for name, lines in stored().items() if name != KEPT_FOR_A_DAY}) == set()


def test_what_is_kept_for_a_day_says_so(erased: Erased) -> None:
    latest = (erased.deployment.clock.now() + DAY).timestamp()

    assert rows()[KEPT_FOR_A_DAY]
    assert all(float(row["expiration"]["N"]) <= latest for row in rows()[KEPT_FOR_A_DAY])


def test_no_queue_has_an_address(erased: Erased) -> None:
    waiting = {name for name, count in erased.deployment.queued().items() if count}
    dead = {name for name, count in erased.deployment.queued(dead=True).items() if count}

    assert (waiting, dead) == (set(), set())


def test_files_with_addresses_are_those_that_expire(erased: Erased) -> None:
    s3: Any = boto3.client("s3", region_name=REGION)
    buckets = erased.deployment.template.of_type("AWS::S3::Bucket")
    for bucket, properties in buckets.items():
        names = [o["Key"] for o in s3.list_objects_v2(Bucket=bucket.lower()).get("Contents", [])]
        rules = properties["LifecycleConfiguration"]["Rules"]
        assert {name.split("/")[0] for name in names} <= {"imports", "exports"}
        assert any(
            rule["Status"] == "Enabled" and rule["ExpirationInDays"] <= 7 and "Prefix" not in rule for rule in rules
        )


def test_single_messages_say_nothing_any_more_and_the_log_still_counts(erased: Erased) -> None:
    carriers = [row for row in rows()["CampaignsTable"] if row["campaign_id"]["S"].startswith("single-")]
    messages = [row for row in rows()["MessagesTable"] if "status" in row]
    hashed = [row for row in messages if row["address"]["S"].startswith("sha256:")]

    assert len(carriers) > 8
    assert {
        json.loads(row["content"]["S"]).get("text", json.loads(row["content"]["S"]).get("body")) for row in carriers
    } == {""}
    assert len(hashed) > 40
    assert {row["address"]["S"] for row in messages} - {row["address"]["S"] for row in hashed} <= {""}


def test_a_message_that_waited_for_who_is_gone_is_left_out(erased: Erased) -> None:
    erased.deployment.clock.move(DAY)
    erased.deployment.rest()
    [row] = [row for row in rows()["MessagesTable"] if row["message_id"]["S"] in erased.single]

    assert (row["status"]["S"], row["reason"]["S"]) == ("excluded", "not_found")
    assert found({"row": [json.dumps(row)]}) == set()


def test_whoever_still_has_an_email_can_unsubscribe_and_is_heard_when_they_come_back(erased: Erased) -> None:
    first = erased.day.business_ids[0]
    path = erased.day._link_to(20)
    pages = [erased.deployment.open_link(path), erased.deployment.open_link(path, ONE_CLICK)]
    back = {"first_name": "Zoe", "last_name": "Back", "email": email_of(20)}
    made = erased.deployment.api("POST", "/v1/customers", back, business_id=first)

    assert [page["statusCode"] for page in pages] == [200, 200]
    assert made["contacts"]["email"]["opted_out"] == ["marketing"]
    again = erased.day._link_to(21)
    there = erased.deployment.api("POST", "/v1/customers", {**back, "email": email_of(21)}, business_id=first)
    erased.deployment.open_link(again, ONE_CLICK)
    contact = erased.deployment.api("GET", f"/v1/customers/{there['customer_id']}", business_id=first)["contacts"][
        "email"
    ]
    assert contact["opted_out"] == ["marketing"]
