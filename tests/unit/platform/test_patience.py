"""How long a call of DynamoDB that met others is tried again."""

import json
from typing import Any, cast

import pytest
from botocore.awsrequest import AWSResponse
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse
from pynamodb.attributes import UnicodeAttribute

from rebound.kernel.errors import ComeAgainError
from rebound.platform.adapters.aws import PATIENCE, _patience, _Rest, session
from rebound.platform.adapters.dynamo import Model, bind
from tests.fakes.aws import fake_aws, make


def met(code: str, *reasons: str) -> tuple[None, dict[str, Any]]:
    return None, {"Error": {"Code": code}, "CancellationReasons": [{"Code": reason} for reason in reasons]}


CONFLICT = met("TransactionConflictException")
TOO_MUCH = met("TransactionCanceledException", "None", "ThrottlingError", "ProvisionedThroughputExceeded")


@pytest.mark.parametrize("response", [CONFLICT, TOO_MUCH], ids=["conflict", "too much"])
def test_what_was_refused_for_others_comes_again_later_each_time_and_not_for_ever(response: Any) -> None:
    waits = [_patience(response, attempts) for attempts in range(1, PATIENCE + 2)]

    assert waits[-1] is None
    assert all(0.025 <= wait <= 2 for wait in waits[:-1] if wait is not None)
    assert None not in waits[:-1]
    assert 3 < sum(wait for wait in waits if wait is not None) < 8


@pytest.mark.parametrize(
    "response",
    [
        None,
        met("ConditionalCheckFailedException"),
        met("TransactionCanceledException"),
        met("TransactionCanceledException", "None", "ConditionalCheckFailed"),
        met("TransactionCanceledException", "ThrottlingError", "ConditionalCheckFailed"),
        met("TransactionCanceledException", "TransactionConflict"),
    ],
    ids=str,
)
def test_what_has_to_be_decided_again_is_left_to_the_caller(response: Any) -> None:
    assert _patience(response, 1) is None


KEY = {"T": {"Keys": [{"id": {"S": "1"}}]}}
LEFT = [{"UnprocessedKeys": KEY}, {"UnprocessedItems": {"T": [{"PutRequest": {"Item": {}}}]}}]
NOTHING_LEFT: list[dict[str, Any]] = [{}, {"UnprocessedKeys": {}}, {"UnprocessedItems": {}}]


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited, instead of waiting."""
    waited: list[float] = []
    monkeypatch.setattr("rebound.platform.adapters.aws.sleep", waited.append)
    return waited


@pytest.mark.parametrize("left", LEFT, ids=str)
def test_what_is_left_of_a_batch_is_asked_for_later_each_time_and_not_for_ever(left: Any, waits: list[float]) -> None:
    rest = _Rest()
    for _ in range(PATIENCE):
        rest(left)
    with pytest.raises(ComeAgainError):
        rest(left)

    assert len(waits) == PATIENCE
    assert all(0.025 <= wait <= 2 for wait in waits)
    assert 3 < sum(waits) < 8
    # Whoever comes again begins anew.
    rest(left)
    assert waits[-1] <= 0.05


@pytest.mark.parametrize("answered", NOTHING_LEFT, ids=str)
def test_a_batch_of_which_nothing_is_left_waits_for_nobody_and_forgets_what_was(
    answered: Any, waits: list[float]
) -> None:
    rest = _Rest()
    left: Any
    for left in LEFT * PATIENCE:
        rest(left)
        rest(answered)

    assert len(waits) == 2 * PATIENCE
    assert max(waits) <= 0.05


class Thing(Model):
    """A row."""

    id = UnicodeAttribute(hash_key=True)


@pytest.mark.parametrize("times", [1, PATIENCE, PATIENCE + 1])
def test_rows_that_dynamodb_leaves_again_and_again_are_read_and_written_in_the_end_or_come_again(
    monkeypatch: pytest.MonkeyPatch, waits: list[float], times: int
) -> None:
    """Through botocore and pynamodb, which would ask for the rest at once, and give up writing after the third time."""
    real: Any = BotocoreStubber.__call__
    left = {"BatchGetItem": times, "BatchWriteItem": times}

    def meet(stubber: Any, event_name: str, request: Any, **given: Any) -> Any:
        operation = event_name.rpartition(".")[2]
        if not left.get(operation):
            return real(stubber, event_name, request, **given)
        left[operation] -= 1
        asked = json.loads(request.body)["RequestItems"]
        answer = (
            {"Responses": {}, "UnprocessedKeys": asked} if operation == "BatchGetItem" else {"UnprocessedItems": asked}
        )
        return AWSResponse(request.url, 200, cast("Any", {}), cast("Any", MockRawResponse(json.dumps(answer).encode())))

    session.cache_clear()
    monkeypatch.setattr(BotocoreStubber, "__call__", meet)
    with fake_aws():
        make("dynamodb").create_table(
            TableName="T",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        )
        row = bind(Thing, "T")
        # More than one batch of writes takes.
        ids = {str(number) for number in range(60)}

        def write() -> None:
            with row.batch_write() as batch:
                for each in sorted(ids):
                    batch.save(row(each))

        for do in (write, lambda: list(row.batch_get(sorted(ids)))):
            if times > PATIENCE:
                with pytest.raises(ComeAgainError):
                    do()
            do()
        assert {found.id for found in row.batch_get(sorted(ids))} == ids
    session.cache_clear()

    assert len(waits) == 2 * min(times, PATIENCE)
