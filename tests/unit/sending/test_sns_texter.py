"""What SNS answers at once, in our words."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from rebound.kernel.provider_codes import FailureClass, Provider, look_up
from rebound.kernel.receipts import MessageKey
from rebound.rates.domain import Throttled
from rebound.sending.adapters.sns_texter import SnsTexter
from rebound.sending.domain.recipients import Refused, SendResult, Unknown, is_senders_fault

KEY = MessageKey("salon-juniper", "0" * 32, "01J00000000000000000000000")


def answer_to(code: str, message: str, status: int) -> SendResult:
    client: Any = boto3.client("sns", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")  # noqa: S106 - opens nothing
    with Stubber(client) as stub:
        stub.add_client_error("publish", code, message, status)
        return SnsTexter(client).send(None, KEY, "+14155550123", "Hello")


@pytest.mark.parametrize(
    ("code", "message", "failure_class"),
    [
        (
            "InvalidParameter",
            "Invalid parameter: PhoneNumber Reason: +1415555 is not valid to publish to",
            FailureClass.INVALID,
        ),
        ("InvalidParameter", "Invalid parameter: Message too long", FailureClass.UNKNOWN),
        ("InvalidParameterValue", "Invalid parameter: AWS.MM.SMS.OriginationNumber", FailureClass.UNKNOWN),
        ("OptedOut", "The number has opted out", FailureClass.OPTED_OUT),
    ],
)
def test_only_an_error_that_names_the_number_is_about_the_number(
    code: str, message: str, failure_class: FailureClass
) -> None:
    refused = answer_to(code, message, 400)

    assert isinstance(refused, Refused)
    assert look_up(Provider.SNS, refused.code).failure_class is failure_class


def test_a_call_that_was_not_allowed_has_not_gone_out_and_is_a_fault_of_ours() -> None:
    denied = answer_to("AccessDenied", "User is not authorized to perform: sns:Publish", 403)

    assert is_senders_fault(denied, Provider.SNS)
    assert isinstance(answer_to("ExpiredToken", "The security token is expired", 403), Throttled)


def test_a_throttle_has_not_gone_out_and_an_error_inside_may_have() -> None:
    assert isinstance(answer_to("Throttling", "Rate exceeded", 400), Throttled)
    assert isinstance(answer_to("InternalError", "", 500), Unknown)
