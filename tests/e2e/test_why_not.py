"""Why does this customer not get our messages? Asked of the deployed stack about people in every plight."""

from collections.abc import Mapping

import pytest

from rebound.eligibility.domain.eligibility import RULES
from tests.e2e.rebound_api import Json, ReboundApi
from tests.e2e.surroundings import RUN, Calm
from tests.e2e.waiting import until

PROFILES: Mapping[str, Mapping[str, str]] = {
    "healthy": {"email": "healthy@example.com"},
    "flagged": {"email": "bounce+why@simulator.amazonses.com"},
    "full": {"email": "mailboxfull+why@twin.example.com"},
    "recovers": {"email": f"recovers+why-{RUN}@twin.example.com"},
    "complains": {"email": "complaint+why@simulator.amazonses.com"},
    "stops": {"mobile_phone": "+15005550004"},
    "off": {"mobile_phone": "+15553000361"},
    "nowhere": {"day_phone": "+14155550161"},
}


@pytest.fixture(scope="module")
def ids(api: ReboundApi, calm: Calm) -> Mapping[str, str]:
    """Customers by nickname; everybody with an address has been sent one message."""
    ids = {nickname: api.new_customer(nickname, "Silva", **profile) for nickname, profile in PROFILES.items()}
    for nickname, profile in PROFILES.items():
        for field, channel in (("email", "email"), ("mobile_phone", "sms")):
            if field in profile:
                api.new_message(ids[nickname], channel)
    calm.wait()
    return ids


def _why(api: ReboundApi, customer_id: str, channel: str = "email", category: str = "marketing") -> Json:
    found = api.get(f"/v1/customers/{customer_id}/reachability", channel=channel, category=category)
    assert [rule["rule"] for rule in found["rules"]] == [exclusion.value for exclusion, _ in RULES]
    stops = [rule["rule"] for rule in found["rules"] if rule["outcome"] == "stops_here"]
    assert stops == ([] if found["verdict"]["decision"] == "send" else [found["verdict"]["reason"]])
    assert found["next_step"].endswith(".")
    return found


def _after(api: ReboundApi, customer_id: str, status: str, channel: str = "email", category: str = "marketing") -> Json:
    """The answer once the last attempt has come to its end."""
    return until(
        f"the last attempt is {status}",
        lambda: _why(api, customer_id, channel, category),
        lambda found: bool(found["attempts"]) and found["attempts"][0]["status"] == status,
    )


def test_a_healthy_customer_is_sent_to_and_the_last_message_arrived(api: ReboundApi, ids: Mapping[str, str]) -> None:
    found = _after(api, ids["healthy"], "delivered")
    assert found["verdict"]["decision"] == "send"
    assert found["attempts"][0]["sentence"] == "It was delivered."
    assert found["next_step"].startswith("Nothing to do")
    assert (found["address"], found["opt_outs"]) == ("healthy@example.com", [])


def test_a_flagged_address_shows_the_bounce_and_asks_for_another(api: ReboundApi, ids: Mapping[str, str]) -> None:
    found = _after(api, ids["flagged"], "bounced")
    evidence, (attempt,) = found["validity"]["evidence"], found["attempts"]
    assert found["verdict"]["reason"] == "invalid_contact"
    assert (evidence["failure_class"], evidence["provider"], evidence["code"]) == (
        "invalid",
        "ses",
        "Permanent/NoEmail",
    )
    assert evidence["message_id"] == attempt["message_id"]
    assert evidence["words"]
    assert attempt["words"] == evidence["words"]
    assert evidence["sentence"] == attempt["sentence"] == "This mailbox does not exist."
    assert (
        found["next_step"] == "Ask the customer for another email address, then correct it here: that clears the flag."
    )
    assert found["validity"]["since"] == api.contact(ids["flagged"], "email")["since"]


def test_a_full_mailbox_is_left_alone_because_reminders_are_still_tried(
    api: ReboundApi, ids: Mapping[str, str]
) -> None:
    marketing, reminder = _after(api, ids["full"], "bounced"), _why(api, ids["full"], category="reminder")
    assert marketing["verdict"]["reason"] == "invalid_contact"
    assert marketing["next_step"].startswith("Nothing to do: the next reminder is still tried")
    assert (reminder["verdict"]["decision"], reminder["validity"]["invalid"]) == ("send", True)


def test_an_own_stop_names_the_number_to_text_start_to(api: ReboundApi, ids: Mapping[str, str]) -> None:
    found = _after(api, ids["stops"], "failed", "sms", "reminder")
    (opt_out,) = found["opt_outs"]
    number = api.get("/v1/business")["text_from"]
    assert found["verdict"]["reason"] == "opted_out"
    assert (opt_out["scope"], opt_out["source"], opt_out["applies"]) == ("all", "provider", True)
    assert found["next_step"] == f"Only the customer can undo this: they text START to {number}."
    assert found["attempts"][0]["sentence"] == "This phone number has answered STOP."


def test_a_complaint_keeps_marketing_away_and_reminders_not(api: ReboundApi, ids: Mapping[str, str]) -> None:
    found = until("the complaint is known", lambda: _why(api, ids["complains"]), lambda found: bool(found["opt_outs"]))
    assert (found["verdict"]["reason"], found["opt_outs"][0]["source"]) == ("opted_out", "complaint")
    assert _why(api, ids["complains"], category="reminder")["verdict"]["decision"] == "send"


def test_a_phone_that_was_off_once_counts_and_is_not_flagged(api: ReboundApi, ids: Mapping[str, str]) -> None:
    found = _after(api, ids["off"], "bounced", "sms")
    assert found["verdict"]["decision"] == "send"
    assert found["validity"]["counts"] == [{"failure_class": "unreachable", "count": 1, "threshold": 5}]
    assert "1 of the 5" in found["next_step"]


def test_who_has_no_address_is_asked_for_one(api: ReboundApi, ids: Mapping[str, str]) -> None:
    for channel, noun in (("email", "an email address"), ("sms", "a mobile number")):
        found = _why(api, ids["nowhere"], channel)
        assert (found["verdict"]["reason"], found["address"], found["attempts"]) == ("no_address", None, [])
        assert found["next_step"] == f"Ask the customer for {noun} and enter it here."


def test_after_recovery_nothing_stands_in_the_way_and_both_attempts_are_told(
    api: ReboundApi, calm: Calm, ids: Mapping[str, str]
) -> None:
    assert _after(api, ids["recovers"], "bounced")["verdict"]["reason"] == "invalid_contact"
    api.new_message(ids["recovers"], "email")
    calm.wait()
    found = _after(api, ids["recovers"], "delivered")
    assert found["verdict"]["decision"] == "send"
    assert found["validity"]["invalid"] is False
    assert found["validity"]["cleared"]["by"] == "delivery"
    assert [attempt["status"] for attempt in found["attempts"]] == ["delivered", "bounced"]
    assert found["attempts"][1]["sentence"] == "The recipient's mailbox is full."


def test_the_answer_is_what_a_preview_counts(api: ReboundApi, ids: Mapping[str, str]) -> None:
    for channel, category in (("email", "marketing"), ("sms", "marketing"), ("email", "reminder")):
        reasons = [_why(api, customer_id, channel, category)["verdict"]["reason"] for customer_id in ids.values()]
        excluded = {reason: reasons.count(reason) for reason in reasons if reason is not None}
        preview = api.preview(channel, category)
        assert (preview["matched"], preview["excluded"]) == (len(ids), excluded)


def test_what_cannot_be_asked_is_refused_with_what_can(
    api: ReboundApi, other: ReboundApi, ids: Mapping[str, str]
) -> None:
    path = f"/v1/customers/{ids['healthy']}/reachability"
    problem = api.call("GET", f"{path}?channel=fax&category=marketing").expecting(422).json()
    assert problem["errors"][0]["field"] == "channel"
    assert "email" in problem["errors"][0]["message"]
    other.call("GET", f"{path}?channel=email&category=marketing").expecting(404)
    api.with_key(None).call("GET", f"{path}?channel=email&category=marketing").expecting(401)
