"""AWS in memory answers calls of rows as moto does by itself: the same calls, the same answers and refusals."""

from collections.abc import Callable, Sequence
from typing import Any, Final
from unittest.mock import patch

import boto3
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from tests.fakes.aws import ENVIRONMENT, REGION
from tests.fakes.light_aws import light_aws

TABLE: Final = "rows"
_ONLY_MOTO: Final = ("ResponseMetadata", "ConsumedCapacity")
"""What no test looks at: of how it was answered, and units, which moto makes up."""

type Call = tuple[str, dict[str, Any]]

values: Final = st.sampled_from(
    [
        {"S": "García"},
        {"N": "12.50"},
        {"B": b"\x00\xff"},
        {"BS": [b"a", b"\x80"]},
        {"SS": ["x", "y"]},
        {"BOOL": True},
        {"NULL": True},
        {"L": [{"S": ""}, {"M": {"deep": {"B": b"z"}}}]},
        {"M": {"B": {"S": "a name like that of a type"}}},
    ]
)
keys: Final = st.builds(lambda p, s: {"p": {"S": p}, "s": {"S": s}}, st.sampled_from("ab"), st.sampled_from("123"))
items: Final = st.builds(lambda key, value: {**key, "v": value}, keys, values)
conditions: Final = st.sampled_from(
    [{}, {"ConditionExpression": "attribute_exists(p)"}, {"ConditionExpression": "attribute_not_exists(p)"}]
)
told: Final = st.sampled_from([{}, {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}])
setting: Final = st.builds(
    lambda value, condition: {
        "UpdateExpression": "SET v = :v ADD n :n",
        "ExpressionAttributeValues": {":v": value, ":n": {"N": "1"}},
        **condition,
    },
    values,
    conditions,
)


def _of_table(kind: str, given: dict[str, Any]) -> dict[str, Any]:
    return {kind: {"TableName": TABLE, **given}}


in_transactions: Final = (
    st.builds(
        lambda item, condition, tell: _of_table("Put", {"Item": item, **condition, **tell}), items, conditions, told
    )
    | st.builds(lambda key, change: _of_table("Update", {"Key": key, **change}), keys, setting)
    | st.builds(lambda key, condition: _of_table("Delete", {"Key": key, **condition}), keys, conditions)
    | keys.map(lambda key: _of_table("ConditionCheck", {"Key": key, "ConditionExpression": "attribute_exists(p)"}))
)
requests: Final = items.map(lambda item: {"PutRequest": {"Item": item}}) | keys.map(
    lambda key: {"DeleteRequest": {"Key": key}}
)
calls: Final = (
    st.builds(lambda item, more, tell: ("put_item", {"Item": item, **more, **tell}), items, conditions, told)
    | st.builds(
        lambda key, change, which: ("update_item", {"Key": key, "ReturnValues": which, **change}),
        keys,
        setting,
        st.sampled_from(["NONE", "ALL_OLD", "ALL_NEW", "UPDATED_NEW"]),
    )
    | st.builds(lambda key, more: ("delete_item", {"Key": key, "ReturnValues": "ALL_OLD", **more}), keys, conditions)
    | st.builds(lambda key, now: ("get_item", {"Key": key, "ConsistentRead": now}), keys, st.booleans())
    | st.builds(
        lambda p, limit, ahead: (
            "query",
            {
                "KeyConditionExpression": "p = :p",
                "FilterExpression": "attribute_exists(v)",
                "ExpressionAttributeValues": {":p": {"S": p}},
                "Limit": limit,
                "ScanIndexForward": ahead,
            },
        ),
        st.sampled_from("ab"),
        st.integers(1, 3),
        st.booleans(),
    )
    | st.builds(lambda limit: ("scan", {"Limit": limit}), st.integers(1, 4))
    | st.just(("update_item", {"Key": {"p": {"S": "a"}, "s": {"S": "1"}}, "UpdateExpression": "SET no sense"}))
    | st.just(("get_item", {"Key": {"p": {"S": "a"}}}))
    | st.lists(keys, min_size=1, max_size=3, unique_by=str).map(
        lambda wanted: ("batch_get_item", {"RequestItems": {TABLE: {"Keys": wanted}}})
    )
    | st.lists(requests, min_size=1, max_size=3).map(
        lambda written: ("batch_write_item", {"RequestItems": {TABLE: written}})
    )
    | st.lists(in_transactions, min_size=1, max_size=3).map(
        lambda written: ("transact_write_items", {"TransactItems": written})
    )
    | keys.map(lambda key: ("transact_get_items", {"TransactItems": [_of_table("Get", {"Key": key})]}))
)


def _answers(played: Sequence[Call]) -> list[Any]:
    client: Any = boto3.client("dynamodb", region_name=REGION)
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in "ps"],
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}],
    )
    return [_answer(getattr(client, name), TABLE, given) for name, given in played]


def _answer(call: Callable[..., Any], table: str, given: dict[str, Any]) -> Any:
    of_one = {} if {"RequestItems", "TransactItems"} & given.keys() else {"TableName": table}
    try:
        answer = call(**of_one, **given)
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        answer = {**error.response, "status": status}
    return {name: value for name, value in answer.items() if name not in _ONLY_MOTO}


@given(st.lists(calls, min_size=15, max_size=30))
def test_calls_of_rows_are_answered_as_by_moto_itself(played: Sequence[Call]) -> None:
    with patch.dict("os.environ", ENVIRONMENT):
        with mock_aws():
            wanted = _answers(played)
        with mock_aws(), light_aws():
            found = _answers(played)

    assert found == wanted
