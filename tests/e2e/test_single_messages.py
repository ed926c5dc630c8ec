"""A message to one person: what they get, and what the client log says."""

from typing import Final

import pytest

from tests.e2e.rebound_api import Json, ReboundApi
from tests.e2e.surroundings import Calm, Send, Twin
from tests.e2e.waiting import until

FIELDS: Final = {
    "message_id",
    "campaign_id",
    "category",
    "channel",
    "address",
    "status",
    "reason",
    "provider",
    "provider_code",
    "queued_at",
    "sent_at",
    "final_at",
}


def _delivered(api: ReboundApi, customer_id: str, message_id: str) -> Json:
    return until(
        "delivered", lambda: api.message(customer_id, message_id), lambda message: message["status"] == "delivered"
    )


def _only_send_to(api: ReboundApi, twin: Twin, address: str) -> Send:
    (send,) = twin.sends_of(api, address)
    return send


@pytest.mark.parametrize(
    ("channel", "profile"),
    [("email", {"email": "queued@example.com"}), ("sms", {"mobile_phone": "+14155550181"})],
)
def test_a_message_is_queued_and_then_delivered(
    api: ReboundApi, twin: Twin, channel: str, profile: dict[str, str]
) -> None:
    (address,) = profile.values()
    customer_id = api.new_customer(**profile)
    body: Json = {"customer_id": customer_id, "category": "one_to_one", "channel": channel}
    body["content"] = {"subject": "Hi", "text": "Hi"} if channel == "email" else {"body": "Hi"}
    posted = api.post("/v1/messages", body)
    assert set(posted) >= FIELDS
    assert (posted["status"], posted["sent_at"], posted["final_at"]) == ("queued", None, None)
    message = _delivered(api, customer_id, posted["message_id"])
    assert set(message) >= FIELDS
    assert (message["category"], message["channel"], message["address"]) == ("one_to_one", channel, address)
    assert (message["campaign_id"], message["reason"], message["provider_code"]) == (None, None, None)
    assert message["provider"] == {"email": "ses", "sms": "twilio"}[channel]
    assert message["queued_at"] <= message["sent_at"]
    assert message["queued_at"] <= message["final_at"]
    assert all(message[at].endswith("Z") for at in ("queued_at", "sent_at", "final_at"))
    assert _only_send_to(api, twin, address).message_id == posted["message_id"]
    assert api.listing("/v1/campaigns") == [], "a message to one person is no campaign to clients"


def test_the_client_log_has_the_newest_first_and_pages(api: ReboundApi, calm: Calm) -> None:
    customer_id = api.new_customer(email="often@example.com")
    posted = [api.new_message(customer_id, "email") for _ in range(5)]
    calm.wait()
    pages = list(api.pages(f"/v1/customers/{customer_id}/messages", limit=2))
    assert all(len(page) <= 2 for page in pages)
    assert [message["message_id"] for page in pages for message in page] == posted[::-1]


def test_an_email_is_personal_and_nothing_in_a_name_can_become_html_or_a_header(api: ReboundApi, twin: Twin) -> None:
    address = "tricky@example.com"
    name = '<b onclick="x">Ana</b> & ##{{last_name}} {{html}}'
    customer_id = api.new_customer(name, "O'Neil", email=address)
    api.new_message(
        customer_id,
        "email",
        subject="Hello ##{{first_name}}",
        html="<p>Dear ##{{first_name}} ##{{ last_name }}, {as; it: is} too</p>",
        text="Dear ##{{first_name}} ##{{last_name}}",
    )
    until("accepted", lambda: twin.sends_of(api, address), bool)
    content = _only_send_to(api, twin, address).content
    # Two braces side by side never go out.
    shown = name.replace("{{", "{ {")
    assert content["subject"] == f"Hello {shown}"
    assert content["text"].startswith(f"Dear {shown} O'Neil\n\n--\n")
    escaped = "&lt;b onclick=&quot;x&quot;&gt;Ana&lt;/b&gt; &amp; ##{ {last_name}} { {html}}"
    assert content["html"].startswith(f"<p>Dear {escaped} O&#x27;Neil, {{as; it: is}} too</p>")
    assert "<b onclick" not in content["html"]


def test_a_text_is_personal_too(api: ReboundApi, twin: Twin) -> None:
    number = "+14155550182"
    customer_id = api.new_customer("Ana & Bo <3", "Silva", mobile_phone=number)
    api.new_message(customer_id, "sms", body="Hi ##{{first_name}}, it's ##{{business_name}}!")
    until("accepted", lambda: twin.sends_of(api, number), bool)
    assert _only_send_to(api, twin, number).content == {"body": "Hi Ana & Bo <3, it's test_single_messages!"}


def test_an_empty_profile_field_never_shows_a_placeholder(api: ReboundApi, twin: Twin) -> None:
    address = "empty@example.com"
    customer_id = api.new_customer(email=address)
    api.new_message(customer_id, "email", subject="For you", text="Born: [##{{birthday}}]")
    until("accepted", lambda: twin.sends_of(api, address), bool)
    content = _only_send_to(api, twin, address).content
    assert content["text"].startswith("Born: []\n\n--\n")
    assert "{{" not in content["html"]


def test_every_send_carries_what_finds_its_message_again_and_no_personal_data(api: ReboundApi, twin: Twin) -> None:
    address = "tagged@example.com"
    customer_id = api.new_customer(email=address)
    message_id = api.new_message(customer_id, "email")
    until("accepted", lambda: twin.sends_of(api, address), bool)
    assert _only_send_to(api, twin, address).tags == {
        "business_id": api.business_id,
        "customer_id": customer_id,
        "message_id": message_id,
    }


def test_after_a_marketing_opt_out_a_personal_message_still_goes_out_and_marketing_does_not(
    api: ReboundApi, calm: Calm
) -> None:
    customer_id = api.new_customer(email="complaint+single@simulator.amazonses.com")
    _delivered(api, customer_id, api.new_message(customer_id, "email", "marketing"))
    until("opted out", lambda: api.contact(customer_id, "email")["opted_out"], lambda found: found == ["marketing"])
    kept_away = api.new_message(customer_id, "email", "marketing")
    for category in ("one_to_one", "reminder", "transactional"):
        _delivered(api, customer_id, api.new_message(customer_id, "email", category))
    calm.wait()
    message = api.message(customer_id, kept_away)
    assert (message["status"], message["reason"], message["sent_at"]) == ("excluded", "opted_out", None)


def test_who_wants_no_texts_gets_none_of_any_kind(api: ReboundApi, calm: Calm, twin: Twin) -> None:
    number = "+15552161011"
    customer_id = api.new_customer(mobile_phone=number)
    api.new_message(customer_id, "sms")
    until("opted out", lambda: api.contact(customer_id, "sms")["opted_out"], lambda found: found == ["all"])
    posted = [api.new_message(customer_id, "sms", category) for category in ("reminder", "one_to_one", "marketing")]
    calm.wait()
    assert [
        (message["status"], message["reason"])
        for message in api.client_log(customer_id)
        if message["message_id"] in posted
    ] == [("excluded", "opted_out")] * 3
    assert len(twin.sends_of(api, number)) == 1
    assert api.contact(customer_id, "sms")["invalid"] is False


def test_a_marketing_message_to_a_flagged_contact_is_left_out_and_a_reminder_is_tried(
    api: ReboundApi, calm: Calm
) -> None:
    customer_id = api.new_customer(email="mailboxfull+single@twin.example.com")
    api.new_message(customer_id, "email")
    until("flagged", lambda: api.contact(customer_id, "email")["invalid"], bool)
    marketing = api.new_message(customer_id, "email", "marketing")
    reminder = api.new_message(customer_id, "email", "reminder")
    calm.wait()
    assert api.message(customer_id, marketing)["reason"] == "invalid_contact"
    assert api.message(customer_id, marketing)["status"] == "excluded"
    assert api.message(customer_id, reminder)["status"] == "bounced"


@pytest.mark.parametrize("channel", ["email", "sms"])
def test_a_customer_without_an_address_cannot_be_written_to(api: ReboundApi, channel: str) -> None:
    customer_id = api.new_customer()
    content = {"email": {"subject": "Hi", "text": "Hi"}, "sms": {"body": "Hi"}}[channel]
    body = {"customer_id": customer_id, "category": "reminder", "channel": channel, "content": content}
    assert api.call("POST", "/v1/messages", body).status in {409, 422}
    assert api.client_log(customer_id) == []
