"""What sets and clears the flag of an address, and whose address it is."""

from collections.abc import Mapping

import pytest

from tests.e2e.rebound_api import ReboundApi
from tests.e2e.surroundings import Calm, Operator, Send, TwilioCallback, Twin
from tests.e2e.waiting import until

NO_CALLBACKS = {"provider": "twilio", "kind": "drop_callbacks", "rate": 1}


def _full(label: str) -> str:
    return f"mailboxfull+{label}@twin.example.com"


PROFILES: Mapping[str, Mapping[str, str]] = {
    "edited": {"email": _full("edited")},
    "retyped": {"email": _full("retyped")},
    "renamed": {"email": _full("renamed")},
    "confirmed": {"email": _full("confirmed"), "mobile_phone": "+15553000521"},
    "husband": {"email": "bounce+family@simulator.amazonses.com", "mobile_phone": "+15553000522"},
    "wife": {"email": "Bounce+Family@simulator.amazonses.com", "mobile_phone": "(555) 300-0522"},
}


@pytest.fixture(scope="module")
def ids(api: ReboundApi, calm: Calm) -> Mapping[str, str]:
    """Customers by nickname; whoever is the first to have an address has had a failure there."""
    ids = {nickname: api.new_customer(nickname, "Silva", **profile) for nickname, profile in PROFILES.items()}
    for nickname in ("edited", "retyped", "renamed", "confirmed", "husband"):
        api.new_message(ids[nickname], "email")
    for nickname in ("confirmed", "husband"):
        api.new_message(ids[nickname], "sms")
    calm.wait()
    return ids


def _is_flagged(api: ReboundApi, customer_id: str, channel: str = "email") -> bool:
    return bool(api.contact(customer_id, channel)["invalid"])


def test_another_address_is_not_flagged_for_what_the_old_one_did(api: ReboundApi, ids: Mapping[str, str]) -> None:
    assert _is_flagged(api, ids["edited"])
    changed = api.patch(f"/v1/customers/{ids['edited']}", {"email": "edited@example.com"})
    assert changed["contacts"]["email"] == {
        "address": "edited@example.com",
        "invalid": False,
        "reason": None,
        "since": None,
        "evidence": None,
        "next_try_at": None,
        "opted_out": [],
        "effective": dict.fromkeys(("all", "marketing", "loyalty", "transactional"), "opted_in"),
    }
    assert not _is_flagged(api, ids["edited"])


def test_giving_the_same_address_again_clears_its_flag(api: ReboundApi, ids: Mapping[str, str]) -> None:
    assert _is_flagged(api, ids["retyped"])
    changed = api.patch(f"/v1/customers/{ids['retyped']}", {"email": _full("retyped")})
    assert changed["contacts"]["email"]["invalid"] is False
    assert not _is_flagged(api, ids["retyped"])


def test_a_change_of_something_else_leaves_the_flag(api: ReboundApi, ids: Mapping[str, str]) -> None:
    before = api.contact(ids["renamed"], "email")
    assert before["invalid"] is True
    changed = api.patch(f"/v1/customers/{ids['renamed']}", {"first_name": "Renata", "day_phone": "+14155550199"})
    assert (changed["first_name"], changed["contacts"]["email"]) == ("Renata", before)


def test_confirming_clears_the_flag_of_that_channel_only(api: ReboundApi, ids: Mapping[str, str]) -> None:
    customer_id = ids["confirmed"]
    assert _is_flagged(api, customer_id, "email")
    assert _is_flagged(api, customer_id, "sms")
    confirmed = api.post(f"/v1/customers/{customer_id}/contacts/sms/confirm", status=200)
    assert confirmed["contacts"]["sms"]["invalid"] is False
    assert _is_flagged(api, customer_id, "email")
    api.post(f"/v1/customers/{customer_id}/contacts/email/confirm", status=200)
    assert not _is_flagged(api, customer_id, "email")


def test_customers_who_share_an_address_share_its_flag(api: ReboundApi, ids: Mapping[str, str]) -> None:
    for channel in ("email", "sms"):
        shared = [api.contact(ids[nickname], channel) for nickname in ("husband", "wife")]
        assert [contact["invalid"] for contact in shared] == [True, True]
        assert shared[0]["reason"] == shared[1]["reason"]
        assert shared[0]["since"] == shared[1]["since"]
    # The list's filter reads copies of the flags, which follow a moment later.
    both = {ids["husband"], ids["wife"]}
    until(
        "both are in the list of those with both contacts failed",
        lambda: {customer["customer_id"] for customer in api.listing("/v1/customers", failed="both")},
        lambda found: both <= found,
    )
    daughter = api.new_customer("daughter", "Silva", mobile_phone="+15553000522")
    assert _is_flagged(api, daughter, "sms"), "a new customer says nothing of an address that failed for others"
    api.post(f"/v1/customers/{daughter}/contacts/sms/confirm", status=200)
    assert not any(_is_flagged(api, ids[nickname], "sms") for nickname in ("husband", "wife"))


def test_the_same_address_at_another_business_is_another_contact(
    api: ReboundApi, operator: Operator, ids: Mapping[str, str]
) -> None:
    assert ids
    elsewhere = operator.new_business("Elsewhere")
    customer_id = elsewhere.new_customer(email=_full("renamed"), mobile_phone="+15553000521")
    assert not _is_flagged(elsewhere, customer_id, "email")
    assert not _is_flagged(elsewhere, customer_id, "sms")
    assert _is_flagged(api, ids["renamed"])


@pytest.fixture
def unanswered(api: ReboundApi, calm: Calm, twin: Twin) -> tuple[str, Send]:
    """A customer whose text was accepted, and of which Twilio has said nothing yet."""
    calm.wait()
    with twin.with_faults(NO_CALLBACKS):
        customer_id = api.new_customer(mobile_phone="+15553000523")
        message_id = api.new_message(customer_id, "sms")
        until("accepted", lambda: api.message(customer_id, message_id), lambda message: message["status"] == "sent")
    (send,) = [send for send in twin.sends_of(api, "+15553000523") if send.message_id == message_id]
    return customer_id, send


def test_news_of_an_old_address_does_not_touch_the_new_one(
    api: ReboundApi, calm: Calm, unanswered: tuple[str, Send]
) -> None:
    customer_id, send = unanswered
    roommate = api.new_customer(mobile_phone="+15553000523")
    api.patch(f"/v1/customers/{customer_id}", {"mobile_phone": "+14155550123"})
    TwilioCallback.about(api, send, "undelivered", 30005).deliver().expecting(200, 204)
    calm.wait()
    message = until(
        "the message bounced",
        lambda: api.message(customer_id, str(send.message_id)),
        lambda message: message["status"] == "bounced",
    )
    assert (message["address"], message["provider_code"]) == ("+15553000523", "30005")
    contact = api.contact(customer_id, "sms")
    assert (contact["address"], contact["invalid"]) == ("+14155550123", False)
    assert _is_flagged(api, roommate, "sms"), "who still has the old number shares its flag"
