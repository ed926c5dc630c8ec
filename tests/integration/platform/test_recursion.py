"""What Lambda does to chains of messages in which a function comes up again and again."""

from collections.abc import Iterator

import pytest

from tests.fakes.deployment import LONGEST_CHAIN, Deployment, RecursiveInvocationError

TO = "ana@example.com"
DAYS_QUOTA = "ACCOUNT_DAILY_QUOTA_EXCEEDED"


@pytest.fixture
def deployment() -> Iterator[Deployment]:
    """A stack whose one email is told "not today" more often than Lambda follows a chain."""
    with Deployment() as deployment:
        deployment.providers.answers[TO] = [DAYS_QUOTA] * (LONGEST_CHAIN + 4)
        command = {"command": "create-business", "name": "Juniper", "country": "US", "time_zone": "America/New_York"}
        command |= {"email_from": "hello@example.com", "quiet_hours": "off"}
        business_id = deployment.invoke("OperateStackFunction", command)["business_id"]
        person = {"first_name": "Ana", "last_name": "Silva", "email": TO}
        customer_id = deployment.api("POST", "/v1/customers", person, business_id=business_id)["customer_id"]
        message = {"category": "transactional", "channel": "email", "content": {"subject": "Hi", "text": "Hello"}}
        deployment.api("POST", "/v1/messages", {**message, "customer_id": customer_id}, business_id=business_id)
        yield deployment


def test_what_waits_longer_than_lambda_follows_a_chain_goes_out_in_the_end(deployment: Deployment) -> None:
    deployment.rest()
    answers = [sent.answer for sent in deployment.providers.log]

    assert answers == [DAYS_QUOTA] * (LONGEST_CHAIN + 4) + ["SUCCESS"]
    assert not any(deployment.queued(dead=True).values())


def test_a_chain_that_the_template_does_not_allow_is_noticed(deployment: Deployment) -> None:
    del deployment.template.resources["SendEmailFunction"]["Properties"]["RecursiveLoop"]
    with pytest.raises(RecursiveInvocationError, match="SendEmailFunction"):
        deployment.rest()
