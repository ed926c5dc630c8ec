"""What a client says of the email in place of a text, and what becomes of a text for which the plan has no room."""

from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from rebound.businesses.domain.text_plan import TextPlan
from rebound.messages.domain.messages import MessageStatus
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID, contacts_of, customer, id_of
from tests.integration.conftest import Stack

EMAIL: Final = {"subject": "Soon, ##{{first_name}}", "text": "See you soon.", "html": None}
TEXT: Final = {"channel": "sms", "category": "reminder", "content": {"body": "See you"}}
CAMPAIGN: Final = {"name": "Autumn", "filter": {"all": []}, **TEXT, "status": "draft"}


@pytest.fixture(autouse=True)
def ana(stack: Stack) -> Stack:
    house.ports().customers.save([customer(1)], contacts_of(customer(1)))
    return stack


def posted(stack: Stack, path: str, **given: Any) -> Any:
    whom = {"customer_id": id_of(1)} if path == "/v1/messages" else {}
    return stack.api("POST", path, {**(TEXT if whom else CAMPAIGN), **whom, **given})


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/campaigns"])
def test_the_email_in_place_of_a_text_is_kept_and_edited_apart_from_it(stack: Stack, path: str) -> None:
    answer = posted(stack, path, email_content=EMAIL)
    assert answer.status == 202, answer.text
    assert (answer.body["content"], answer.body["email_content"]) == ({"body": "See you"}, EMAIL)
    own = f"{path}/{answer.body['message_id' if path == '/v1/messages' else 'campaign_id']}"

    assert stack.api("GET", own).body["email_content"] == EMAIL
    changed = stack.api("PATCH", own, {"content": {"body": "Bye"}}).body
    assert (changed["content"], changed["email_content"]) == ({"body": "Bye"}, EMAIL)
    changed = stack.api("PATCH", own, {"email_content": {**EMAIL, "subject": "Later"}}).body
    assert (changed["content"], changed["email_content"]["subject"]) == ({"body": "Bye"}, "Later")
    assert stack.api("PATCH", own, {"email_content": None}).body["email_content"] is None


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/campaigns"])
@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({"email_content": {"subject": "Hi"}}, "email_content", "Give at least one of html, text."),
        ({"email_content": {"text": "Hi"}}, "email_content.subject", "Is required."),
        ({"email_content": {**EMAIL, "body": "Hi"}}, "email_content.body", "Is not a field of this request."),
        ({"email_content": {**EMAIL, "text": "Hi ##{{frist_name}}"}}, "email_content.text", "first_name"),
        ({"email_content": {**EMAIL, "text": "##{{stop_url}}"}}, "email_content.text", "stop_url"),
        (
            {"channel": "email", "content": {"subject": "Hi", "text": "Hi"}, "email_content": EMAIL},
            "email_content",
            "Is for texts alone.",
        ),
    ],
)
def test_an_email_that_cannot_be_sent_is_refused_with_the_field(
    stack: Stack, path: str, given: dict[str, Any], field: str, said: str
) -> None:
    answer = posted(stack, path, **given)

    assert answer.status == 422, answer.text
    found = {each["field"]: each["message"] + str(each.get("did_you_mean")) for each in answer.body["errors"]}
    assert list(found) == [field]
    assert said in found[field]


def test_a_text_for_which_the_plan_has_no_room_goes_by_email(stack: Stack) -> None:
    businesses = house.ports().businesses
    businesses.replace(replace(businesses.get(BUSINESS_ID), text_plan=TextPlan(0)))
    message = posted(stack, "/v1/messages", email_content=EMAIL).body
    for function, queue in (("send_text", "PROMPT_TEXT_QUEUE_URL"), ("send_email", "PROMPT_EMAIL_QUEUE_URL")):
        assert stack.invoke(function, {"Records": stack.received(queue)}) == {"batchItemFailures": []}

    shown = stack.api("GET", f"/v1/messages/{message['message_id']}").body
    assert (shown["channel"], shown["address"]) == ("email", "ana1@example.com")
    assert MessageStatus(shown["status"]) is MessageStatus.SENT
    assert shown["email_content"] == EMAIL


@pytest.mark.parametrize(
    ("included", "email", "foreseen"),
    [
        (5, "ana1@example.com", ("send", None, None)),
        (0, "ana1@example.com", ("send", "email", None)),
        (0, None, ("excluded", None, "text_plan_exhausted")),
        (None, None, ("send", None, None)),
    ],
)
def test_foreseen_says_by_which_channel_a_message_goes(
    stack: Stack, included: int | None, email: str | None, foreseen: tuple[str, str | None, str | None]
) -> None:
    businesses = house.ports().businesses
    plan = None if included is None else TextPlan(included)
    businesses.replace(replace(businesses.get(BUSINESS_ID), text_plan=plan))
    stack.api("PATCH", f"/v1/customers/{id_of(1)}", {"email": email})
    found = posted(stack, "/v1/messages").body["foreseen"]

    assert (found["decision"], found.get("channel"), found["reason"]) == foreseen
    assert found.get("text_plan") == (None if included is None else {"segments": 1, "left": included})


def test_a_text_for_next_year_is_not_foreseen_to_lack_room(stack: Stack) -> None:
    businesses = house.ports().businesses
    businesses.replace(replace(businesses.get(BUSINESS_ID), text_plan=TextPlan(0)))
    later = (datetime.now(UTC) + timedelta(days=200)).isoformat()

    assert "channel" not in posted(stack, "/v1/messages", send_at=later).body["foreseen"]
