"""SES's suppression list and our contacts never contradict each other for long."""

import json
import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local.stack import Stack
from tests.e2e.rebound_api import Json, ReboundApi
from tests.e2e.surroundings import RUN, STACK_NAME, Calm, Twin
from tests.e2e.waiting import until

PATIENCE_SECONDS = 240.0


def _client(service: str, endpoint_url: str, region: str) -> Any:
    make: Any = boto3.client
    return make(
        service,
        endpoint_url=endpoint_url,
        region_name=region,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - the twin and the embedded AWS take any
        config=Config(proxies={}),
    )


class Listed:
    """The suppression list of the account, as anybody with the account's rights sees it."""

    def __init__(self, ses: Any) -> None:
        self._ses = ses

    def put(self, address: str, reason: str = "BOUNCE") -> datetime:
        """An entry, and when it came."""
        self._ses.put_suppressed_destination(EmailAddress=address, Reason=reason)
        found: datetime = self._ses.get_suppressed_destination(EmailAddress=address)["SuppressedDestination"][
            "LastUpdateTime"
        ]
        return found

    def __contains__(self, address: str) -> bool:
        try:
            self._ses.get_suppressed_destination(EmailAddress=address)
        except self._ses.exceptions.NotFoundException:
            return False
        return True


@pytest.fixture(scope="module")
def listed(stack: Stack) -> Iterator[Listed]:
    ses = _client("sesv2", stack.twin_url, stack.region)
    yield Listed(ses)
    ses.close()


def _flagged(api: ReboundApi, address: str) -> str:
    """A customer whose address has just failed for good."""
    customer_id = api.new_customer(email=address)
    api.new_message(customer_id, "email")
    until("flagged", lambda: api.contact(customer_id, "email")["invalid"], bool, PATIENCE_SECONDS)
    return customer_id


def _why(api: ReboundApi, customer_id: str) -> Json:
    return api.get(f"/v1/customers/{customer_id}/reachability", channel="email", category="marketing")


def test_a_campaign_that_overrides_the_flag_takes_the_address_off_the_list_and_arrives(
    api: ReboundApi, calm: Calm, listed: Listed, twin: Twin
) -> None:
    address = f"recovers+override{RUN}@twin.example.com"
    customer_id = _flagged(api, address)
    listed.put(address)
    campaign_id = api.new_campaign("email", customer_ids=[customer_id], exclude_failed=False)
    settled = calm.settled(api, campaign_id, PATIENCE_SECONDS)

    assert settled.results == {"delivered": 1}
    assert address not in listed
    assert len(twin.sends_of(api, address)) == 2
    assert api.contact(customer_id, "email")["invalid"] is False


@pytest.mark.parametrize("how", ["edit", "confirmation"])
def test_clearing_a_flag_takes_the_address_off_the_list(api: ReboundApi, listed: Listed, how: str) -> None:
    address = f"mailboxfull+{how}{RUN}@twin.example.com"
    customer_id = _flagged(api, address)
    listed.put(address)
    if how == "edit":
        api.patch(f"/v1/customers/{customer_id}", {"email": address})
    else:
        api.call("POST", f"/v1/customers/{customer_id}/contacts/email/confirm").expecting(200)

    assert address not in listed
    assert api.contact(customer_id, "email")["invalid"] is False


def test_a_complaint_on_the_list_stays_there_and_opts_out_of_marketing(api: ReboundApi, listed: Listed) -> None:
    address = f"complained{RUN}@example.com"
    customer_id = api.new_customer(email=address)
    listed.put(address, "COMPLAINT")
    message_id = api.new_message(customer_id, "email")
    contact = until(
        "opted out",
        lambda: api.contact(customer_id, "email"),
        lambda contact: bool(contact["opted_out"]),
        PATIENCE_SECONDS,
    )

    assert (contact["opted_out"], contact["invalid"]) == (["marketing"], False)
    assert api.message(customer_id, message_id)["status"] == "failed"
    api.patch(f"/v1/customers/{customer_id}", {"email": address})
    api.call("POST", f"/v1/customers/{customer_id}/contacts/email/confirm").expecting(200)
    assert address in listed


def test_a_message_that_was_not_tried_flags_at_the_date_of_the_bounce_on_the_list(
    api: ReboundApi, listed: Listed
) -> None:
    address = f"suppressionlist+{RUN}@simulator.amazonses.com"
    since = listed.put(address)
    customer_id = _flagged(api, address)
    contact = api.contact(customer_id, "email")

    assert contact["reason"] == "bounce:on_suppression_list"
    assert abs(datetime.fromisoformat(contact["since"]) - since).total_seconds() < 1
    assert contact["evidence"]["message_id"] is None
    found = _why(api, customer_id)
    assert "suppression list" in found["verdict"]["sentence"]
    assert "suppression list" in found["next_step"]
    assert address in listed


def _reconcile(stack: Stack) -> Json:
    """One run of the nightly comparison; what it found by kind."""
    steps = _client("stepfunctions", stack.aws_endpoint_url, stack.region)
    try:
        (machine,) = [
            found["stateMachineArn"]
            for found in steps.list_state_machines()["stateMachines"]
            if found["name"] == f"{STACK_NAME}-reconcile-suppressions"
        ]
        started = steps.start_execution(stateMachineArn=machine, name=f"by-hand-{uuid.uuid4()}")
        ended = until(
            "the comparison has ended",
            lambda: steps.describe_execution(executionArn=started["executionArn"]),
            lambda execution: execution["status"] != "RUNNING",
            PATIENCE_SECONDS,
        )
        assert ended["status"] == "SUCCEEDED", ended
        assert "@" not in str(steps.get_execution_history(executionArn=started["executionArn"])["events"])
        report: Json = json.loads(ended["output"])
        assert report["done"] is True
        drift: Json = report["drift"]
        return drift
    finally:
        steps.close()


def test_the_nightly_comparison_repairs_what_differs_and_finds_nothing_the_second_time(
    api: ReboundApi, listed: Listed, stack: Stack
) -> None:
    names = ("stale", "news", "complained")
    addresses = {name: f"{name}+night{RUN}@example.com" for name in names}
    ids = {name: api.new_customer(email=address) for name, address in addresses.items()}
    stranger = f"stranger{RUN}@example.com"
    listed.put(stranger)
    dates = {name: listed.put(addresses[name], "COMPLAINT" if name == "complained" else "BOUNCE") for name in names}
    # Nothing was known against it, so the edit had nothing to take off.
    api.patch(f"/v1/customers/{ids['stale']}", {"email": addresses["stale"]})
    assert addresses["stale"] in listed

    assert _reconcile(stack) == {"stale_entry": 1, "unknown_bounce": 1, "unknown_complaint": 1}
    assert {name: address in listed for name, address in addresses.items()} == {
        "stale": False,
        "news": True,
        "complained": True,
    }
    assert stranger in listed
    contacts = {name: api.contact(customer_id, "email") for name, customer_id in ids.items()}
    assert {name: (contact["invalid"], contact["opted_out"]) for name, contact in contacts.items()} == {
        "stale": (False, []),
        "news": (True, []),
        "complained": (False, ["marketing"]),
    }
    assert abs(datetime.fromisoformat(contacts["news"]["since"]) - dates["news"]).total_seconds() < 1
    assert _reconcile(stack) == {}
