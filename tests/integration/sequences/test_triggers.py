"""What starts sequences, from where it really happens: requests, texts, files, streams."""

import json
from typing import Any, Final

import pytest
from moto.dynamodb.models import dynamodb_backends
from samtranslator.yaml_helper import yaml_parse

from rebound.kernel.channels import Channel, ContactKey
from rebound.sequences.domain.enrolments import EnrolmentKey
from tests.fakes import house
from tests.fakes.aws import ACCOUNT, REGION, REPOSITORY
from tests.fakes.deployment import _matches
from tests.fakes.making import BUSINESS_ID
from tests.integration.conftest import Stack
from tests.integration.inbound.test_received_texts import NUMBER, receive, text
from tests.integration.sequences.test_sequences import SEND, goes_on, sends

TEMPLATE: Final = yaml_parse((REPOSITORY / "template.yaml").read_text(encoding="utf-8"))
[FILTER] = TEMPLATE["Resources"]["HearTagsFunction"]["Properties"]["Events"]["Customers"]["Properties"][
    "FilterCriteria"
]["Filters"]
PATTERN: Final = json.loads(FILTER["Pattern"])
RENEWS: Final = [{"tag": {"add": "vip"}}]
"""The tag that began it all."""


@pytest.fixture
def ana(stack: Stack) -> str:
    given = {"first_name": "Ana", "last_name": "Silva", "email": "ana@example.com", "mobile_phone": NUMBER}
    return str(stack.api("POST", "/v1/customers", given).body["customer_id"])


def put(stack: Stack, sequence_id: str = "welcome", **given: Any) -> None:
    answer = stack.api(
        "PUT", f"/v1/sequences/{sequence_id}", {"name": "Welcome", "status": "on", "steps": [SEND], **given}
    )
    assert answer.status == 200, answer.body


def test_a_text_of_a_customer_starts_it_and_a_stop_does_not(stack: Stack, ana: str) -> None:
    put(stack, trigger={"kind": "reply"})
    receive(stack, text(MessageSid="SM1", Body="HELP"))
    assert stack.received("STEPS_QUEUE_URL") == []
    for _ in range(2):
        receive(stack, text(MessageSid="SM2", Body="Do you have time on Friday?"))
    goes_on(stack)

    assert sends(stack) == ["Hello Ana"]
    [found] = stack.api("GET", "/v1/sequences/welcome/enrolments", query={"customer_id": ana}).body["items"]
    assert found["entry_key"] == "SM2"


def tagged(stack: Stack) -> list[dict[str, Any]]:
    """What the stream has for the function that hears tags: what its filter lets through."""
    shard = dynamodb_backends[ACCOUNT][REGION].tables[stack.settings["CUSTOMERS_TABLE"]].stream_shard
    assert shard is not None
    told = [json.loads(json.dumps(each.to_json(), default=str)) for each in shard.items]
    return [each for each in told if _matches(PATTERN, each)]


def hears(stack: Stack) -> None:
    """The stream is read from its beginning each time."""
    assert stack.invoke("hear_tags", {"Records": tagged(stack)}) is None
    goes_on(stack)


def test_tags_start_it_whoever_gives_them_once_for_each_time(stack: Stack, ana: str) -> None:
    put(stack, trigger={"kind": "tag_added", "tag": "vip"}, reentry="after_exit")
    assert stack.api("PATCH", f"/v1/customers/{ana}", {"general_tags": ["VIP", "other"]}).status == 200
    for _ in range(2):
        hears(stack)
    assert sends(stack) == ["Hello Ana"]
    # What is written besides is nothing, nor is a flag that comes later.
    stack.api("PATCH", f"/v1/customers/{ana}", {"general_tags": ["vip"], "first_name": "Bea"})
    house.ports().customers.choose(BUSINESS_ID, ana, favourite=True)
    hears(stack)
    assert sends(stack) == ["Hello Ana"]
    for tags in ([], ["vip"]):
        stack.api("PATCH", f"/v1/customers/{ana}", {"general_tags": tags})
    hears(stack)
    assert sends(stack) == ["Hello Ana", "Hello Bea"]
    given = [(each.had, each.tags) for each in house.ports().tags_given_of(tagged(stack))]
    assert given == [((), ("VIP", "other")), ((), ("vip",))]


def test_a_tag_that_is_given_besides_others_is_told_with_those_they_had(stack: Stack, ana: str) -> None:
    for tags in (["vip"], ["vip", "new", "other"]):
        stack.api("PATCH", f"/v1/customers/{ana}", {"general_tags": tags})

    given = [(each.had, each.tags) for each in house.ports().tags_given_of(tagged(stack))]
    assert given == [((), ("vip",)), (("vip",), ("new", "other"))]


def test_a_new_customer_with_the_tag_begins_it_and_who_has_none_wakes_nobody(stack: Stack) -> None:
    put(stack, trigger={"kind": "tag_added", "tag": "vip"})
    for name, tags in (("Ana", ["vip"]), ("Bea", [])):
        given = {"first_name": name, "last_name": "Roth", "email": f"{name}@example.com", "general_tags": tags}
        assert stack.api("PUT", f"/v1/customers/by-external-id/{name}", given).status == 201
    assert len(tagged(stack)) == 1
    hears(stack)

    assert sends(stack) == ["Hello Ana"]


def test_a_flag_that_is_copied_wakes_nobody_again(stack: Stack, ana: str) -> None:
    stack.api("PATCH", f"/v1/customers/{ana}", {"general_tags": ["vip"]})
    before = len(tagged(stack))
    key = ContactKey.of(BUSINESS_ID, Channel.EMAIL, "ana@example.com")
    house.ports().customers.copy_flag(key, ana, invalid=True)

    assert before == len(tagged(stack)) == 1
    assert stack.api("GET", f"/v1/customers/{ana}").body["general_tags"] == ["vip"]


def test_a_tag_that_a_step_gives_says_whose_doing_it_is(stack: Stack, ana: str) -> None:
    put(stack, "first", trigger={"kind": "custom", "name": "by hand"}, steps=[{"tag": {"add": "vip"}}])
    put(stack, "second", trigger={"kind": "tag_added", "tag": "vip"}, steps=[SEND, {"tag": {"add": "round"}}])
    put(stack, "third", trigger={"kind": "tag_added", "tag": "round"}, steps=[{"tag": {"remove": "vip"}}, *RENEWS])
    stack.api("POST", "/v1/sequences/first/enrolments", {"customer_id": ana, "entry_key": "e1"})
    goes_on(stack)
    for _ in range(4):
        hears(stack)

    assert sends(stack) == ["Hello Ana"]
    key = EnrolmentKey(BUSINESS_ID, ana, "third")
    [third] = house.ports().enrolments.get_many([key]).values()
    assert third.caused_by == ("first", "second")


def import_file(stack: Stack, rows: str) -> None:
    posted = stack.api("POST", "/v1/imports", {"format": "csv", "content": rows})
    assert posted.status == 202, posted.body
    what = {"business_id": BUSINESS_ID, "import_id": posted.body["import_id"]}
    for part in stack.invoke("split_import", what)["parts"]:
        assert stack.invoke("import_customers", {**what, "part": part})["done"]


def test_a_file_of_customers_gives_tags_as_well(stack: Stack) -> None:
    put(stack, trigger={"kind": "tag_added", "tag": "vip"})
    header = "external_id,first_name,last_name,email,general_tags"
    rows = f"{header}\n1,Ana,Roth,ana@example.com,vip;new\n2,Bea,Roth,b@example.com,\n"
    import_file(stack, rows)
    hears(stack)
    import_file(stack, rows.replace("b@example.com,", "b@example.com,VIP"))
    for _ in range(2):
        hears(stack)

    assert sorted(sends(stack)) == ["Hello Ana", "Hello Bea"]
