"""What an import is told when its tables take no more."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from rebound.kernel.errors import ComeAgainError, ConcurrentChangeError
from rebound.platform.wiring import AwsPorts
from tests.fakes.aws import fake_aws_with_tables
from tests.fakes.house import EveryPorts
from tests.fakes.house import ports as ports_of_this_process
from tests.fakes.making import customer


@pytest.fixture
def aws_ports() -> Iterator[EveryPorts]:
    with fake_aws_with_tables() as names, patch.dict("os.environ", names), patch.object(AwsPorts, "made", {}):
        yield ports_of_this_process()


@contextmanager
def _refusing(operation: str, refusal: Any) -> Iterator[None]:
    client_of_all: Any = BaseClient
    answered = client_of_all._make_api_call

    def answer(client: Any, asked: str, given: Any) -> Any:
        if asked == operation:
            raise ClientError(refusal, operation)
        return answered(client, asked, given)

    with patch.object(BaseClient, "_make_api_call", answer):
        yield


@pytest.mark.parametrize("code", ["ProvisionedThroughputExceededException", "ThrottlingException"])
def test_rows_that_find_customers_are_to_come_again_too(aws_ports: EveryPorts, code: str) -> None:
    progress = aws_ports.import_ledger.get("i1", 0)
    with _refusing("BatchWriteItem", {"Error": {"Code": code, "Message": code}}), pytest.raises(ComeAgainError):
        aws_ports.import_ledger.commit(progress, [customer(1)])

    assert aws_ports.import_ledger.parts("i1") == []


@pytest.mark.parametrize(
    ("code", "reasons", "told"),
    [
        ("TransactionCanceledException", ["None", "ThrottlingError", "ProvisionedThroughputExceeded"], ComeAgainError),
        ("ProvisionedThroughputExceededException", [], ComeAgainError),
        ("ThrottlingException", [], ComeAgainError),
        ("TransactionCanceledException", ["ThrottlingError", "ConditionalCheckFailed"], ConcurrentChangeError),
        ("TransactionCanceledException", ["TransactionConflict", "None"], ConcurrentChangeError),
    ],
)
def test_a_throttled_transaction_is_to_come_again_and_a_lost_race_to_be_decided_again(
    aws_ports: EveryPorts, code: str, reasons: list[str], told: type[Exception]
) -> None:
    progress = aws_ports.import_ledger.get("i1", 0)
    refusal: Any = {
        "Error": {"Code": code, "Message": code},
        "CancellationReasons": [{"Code": reason} for reason in reasons],
    }
    with _refusing("TransactWriteItems", refusal), pytest.raises(told):
        aws_ports.import_ledger.commit(progress, [customer(1)])

    assert aws_ports.import_ledger.parts("i1") == []
