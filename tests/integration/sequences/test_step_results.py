"""Results of sequences by step: counted from the stream's images, kept in few rows, shown in the API."""

import json
from datetime import UTC, datetime, timedelta
from typing import Final

from moto.dynamodb.models import dynamodb_backends

from rebound.sequences.adapters.dynamo_step_tallies import CLOSED_AFTER, DynamoStepTallies, StepTallyRow
from tests.fakes import house
from tests.fakes.aws import ACCOUNT, REGION
from tests.fakes.making import BUSINESS_ID, customer, id_of
from tests.integration.conftest import Stack
from tests.integration.sequences.test_sequences import PATH, SEND, WELCOME, goes_on, sends

SHARD: Final = "shardId-00000001732968000000-1a2b3c4d"
UID: Final = "01M7W6ARGFEXM6PVNM0V1C8F0N"
NOBODY: Final = {"ended": 0, "goal": 0, "exit": 0, "lapsed": 0, "not_matching": 0, "removed": 0}
STEPS: Final = [
    {"id": "asked", "if": {"tag": "vip"}, "else": [{"exit": {}}]},
    {"id": "hello", **SEND},
    {"id": "pause", "wait": {"hours": 2}},
]


def counted(stack: Stack) -> None:
    """All that ever changed is told, in parts, and each part again."""
    shard = dynamodb_backends[ACCOUNT][REGION].tables[stack.settings["SEQUENCES_TABLE"]].stream_shard
    assert shard is not None
    told = [json.loads(json.dumps(each.to_json(), default=str)) for each in shard.items]
    for end in (3, len(told), len(told)):
        assert stack.invoke("count_steps", {"shardId": SHARD, "Records": told[:end]}) == {"state": {}}
    assert stack.invoke("count_steps", {"shardId": SHARD, "isFinalInvokeForWindow": True}) == {"state": {}}


def begin(stack: Stack, number: int) -> None:
    asked = {"customer_id": id_of(number), "entry_key": "a"}
    assert stack.api("POST", f"{PATH}/enrolments", asked).body == {"enrolled": True}


def test_results_are_told_by_step_for_each_version_and_for_all(stack: Stack) -> None:
    people = [customer(number, general_tags=("vip",) if number else ()) for number in range(3)]
    house.ports().customers.save(people, [])
    stack.api("PUT", PATH, {**WELCOME, "steps": STEPS, "filter": None})
    for number in range(3):
        begin(stack, number)
    goes_on(stack)
    sends(stack)
    stack.api("PUT", PATH, {**WELCOME, "steps": STEPS[1:], "filter": None})
    house.ports().customers.save([customer(3)], [])
    begin(stack, 3)
    counted(stack)

    found = stack.api("GET", f"{PATH}/results")
    assert found.status == 200
    newest, first = found.body["versions"]
    assert (newest["version"], first["version"], found.body["version"]) == (2, 1, 2)
    assert (newest["entered"], newest["inside"], newest["beginning"]) == (1, 1, 1)
    assert (first["entered"], first["inside"], first["left"]) == (3, 2, {**NOBODY, "ended": 1})
    by_id = {step["step_id"]: step for step in first["steps"]}
    assert [(each["step_id"], each["kind"]) for each in first["steps"]] == [
        ("asked", "if"),
        ("asked.else.1", "exit"),
        ("hello", "send"),
        ("pause", "wait"),
    ]
    assert (by_id["asked"]["entered"], by_id["asked"]["then"], by_id["asked"]["else"]) == (3, 2, 1)
    assert by_id["asked.else.1"]["left"] == {**NOBODY, "ended": 1}
    assert by_id["pause"] | {"waiting": 2, "entered": 2, "passed": 0} == by_id["pause"]
    assert (by_id["pause"]["then"], by_id["pause"]["messages"], by_id["asked"]["messages"]) == (None, None, None)
    nothing = {"sent": 0, "delivered": 0, "bounced": 0, "failed": 0, "uncertain": 0, "cancelled": 0, "excluded": {}}
    assert by_id["hello"]["messages"] == nothing
    total = found.body["total"]
    assert (total["entered"], total["inside"], total["beginning"]) == (4, 3, 1)
    assert [each["step_id"] for each in total["steps"]] == ["hello", "pause", "asked", "asked.else.1"]


def test_results_of_one_that_nobody_has_begun_are_nothing_and_of_none_are_not_found(stack: Stack) -> None:
    stack.api("PUT", PATH, {**WELCOME, "steps": STEPS})
    found = stack.api("GET", f"{PATH}/results").body
    assert [each["version"] for each in found["versions"]] == [1]
    assert (found["total"]["entered"], found["total"]["steps"][0]["entered"]) == (0, 0)
    assert stack.api("GET", "/v1/sequences/other/results").status == 404


def test_shards_that_are_closed_become_one_row_and_those_that_may_come_again_stay(stack: Stack) -> None:
    tallies = DynamoStepTallies(stack.settings["SEQUENCES_TABLE"])
    for number in range(4):
        tallies.add(BUSINESS_ID, UID, f"s{number}", {"1|entered|": 1}, after=None, position=str(number))
    for number in range(3):
        age(tallies, f"s{number}", CLOSED_AFTER + timedelta(minutes=1))
    age(tallies, "s3", CLOSED_AFTER - timedelta(minutes=1))
    tallies.add(BUSINESS_ID, UID, "s4", {"1|entered|": 1}, after=None, position="1")
    assert entries(tallies) == ["shard#s3", "shard#s4", "sum"]
    assert tallies.counts(BUSINESS_ID, UID) == {"1|entered|": 5}

    age(tallies, "s3", CLOSED_AFTER + timedelta(minutes=1))
    tallies.add(BUSINESS_ID, UID, "s5", {"1|entered|": -1}, after=None, position="1")
    assert entries(tallies) == ["shard#s4", "shard#s5", "sum"]
    assert tallies.counts(BUSINESS_ID, UID) == {"1|entered|": 4}


def rows(tallies: DynamoStepTallies) -> list[StepTallyRow]:
    return list(tallies._all(BUSINESS_ID, UID))


def entries(tallies: DynamoStepTallies) -> list[str]:
    return [row.entry for row in rows(tallies)]


def age(tallies: DynamoStepTallies, shard: str, by: timedelta) -> None:
    """A shard was counted for the last time so long ago."""
    [row] = [row for row in rows(tallies) if row.entry == f"shard#{shard}"]
    row.counted_at = datetime.now(UTC) - by
    row.save()
