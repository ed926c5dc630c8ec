"""Answers of AWS that are lost on their way: the client asks again, and finds what it did itself."""

from typing import Any
from unittest.mock import patch

from botocore.exceptions import ConnectionClosedError
from moto.core.botocore_stubber import BotocoreStubber

from rebound.messages.adapters.dynamo_messages import DynamoMessageLog
from rebound.messages.domain.messages import MessageStatus
from tests.fakes.aws import fake_aws_with_tables
from tests.fakes.making import message


def test_a_claim_whose_answer_is_lost_is_ours_and_nobody_elses() -> None:
    answer: Any = BotocoreStubber.__call__
    asked: list[str] = []

    def lose_the_first(stubber: Any, event_name: str, request: Any, **given: Any) -> Any:
        response = answer(stubber, event_name, request, **given)
        asked.append(event_name)
        if len(asked) == 1:
            raise ConnectionClosedError(endpoint_url=request.url)
        return response

    with fake_aws_with_tables() as tables:
        log, queued = DynamoMessageLog(tables["MESSAGES_TABLE"]), message(1, MessageStatus.QUEUED)
        with patch.object(BotocoreStubber, "__call__", lose_the_first):
            assert log.claim(queued)

        assert asked == ["before-send.dynamodb.PutItem"] * 2
        assert not log.claim(queued)
        assert log.get_many([queued.key])[queued.key].status is MessageStatus.SENDING
