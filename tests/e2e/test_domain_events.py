"""What other systems hear on the bus: one event for each change of state, as the published schemas say."""

import json
from collections.abc import Iterator

import pytest

from tests.contract.events.test_domain_events import problems, sample_of
from tests.e2e.rebound_api import Json, ReboundApi
from tests.e2e.surroundings import Calm, EmbeddedAws, Subscriber
from tests.e2e.waiting import until

COMPLAINS = "complaint+bus@simulator.amazonses.com"
BOUNCES = "bounce+bus@simulator.amazonses.com"
BOUNCES_TOO = "bounce+bus-too@simulator.amazonses.com"


@pytest.fixture(scope="module")
def subscriber(aws: EmbeddedAws, api: ReboundApi) -> Iterator[Subscriber]:
    with Subscriber.to(aws, api.business_id) as subscriber:
        yield subscriber


@pytest.fixture(scope="module")
def story(api: ReboundApi, calm: Calm, subscriber: Subscriber) -> tuple[str, str, list[Json]]:
    """Who complained (twice), whose mailbox does not exist until it is confirmed, and what was heard of it.

    The changes of contacts come in order, so that with the last event all those before it have been heard.
    """
    complainant = api.new_customer("Ana", "Silva", email=COMPLAINS)
    flagged = api.new_customer("Bram", "Dekker", email=BOUNCES)
    for customer_id in (complainant, complainant, flagged):
        api.new_message(customer_id, "email")
        calm.wait(120)
    subscriber.wait_for("ContactInvalidated")
    api.post(f"/v1/customers/{flagged}/contacts/email/confirm", status=200)
    subscriber.wait_for("ContactRestored")
    return complainant, flagged, list(subscriber.listen())


def test_each_change_of_state_is_heard_once(story: tuple[str, str, list[Json]]) -> None:
    complainant, flagged, heard = story

    assert [(event["detail-type"], event["detail"]["customer_ids"]) for event in heard] == [
        ("ContactOptedOut", [complainant]),
        ("ConsentChanged", [complainant]),
        ("ContactInvalidated", [flagged]),
        ("ContactRestored", [flagged]),
    ]
    assert len({event["detail"]["event_id"] for event in heard}) == len(heard)


def test_who_is_given_a_right_address_is_restored_and_the_old_one_says_nothing_more(
    api: ReboundApi, calm: Calm, subscriber: Subscriber, story: tuple[str, str, list[Json]]
) -> None:
    known = len(story[2])
    corrected = api.new_customer("Cleo", "Roux", email=BOUNCES_TOO)
    api.new_message(corrected, "email")
    until("the address is flagged", lambda: api.contact(corrected, "email")["invalid"], bool, 120)
    api.patch(f"/v1/customers/{corrected}", {"email": "success+bus@simulator.amazonses.com"})
    until("both changes are heard", subscriber.listen, lambda heard: len(heard) >= known + 2, 120)
    api.new_message(corrected, "email")
    calm.wait(120)

    assert [(event["detail-type"], event["detail"]["customer_ids"]) for event in subscriber.listen()[known:]] == [
        ("ContactInvalidated", [corrected]),
        ("ContactRestored", [corrected]),
    ]


def test_an_opt_out_says_what_it_covers_and_who_said_so(api: ReboundApi, story: tuple[str, str, list[Json]]) -> None:
    complainant, _, (opted_out, *_) = story
    detail = opted_out["detail"]

    assert (detail["channel"], detail["scope"], detail["source"]) == ("email", "marketing", "complaint")
    assert api.contact(complainant, "email")["opted_out"] == ["marketing"]


def test_events_are_as_the_schemas_and_the_samples_show_them_and_hold_no_address(
    story: tuple[str, str, list[Json]],
) -> None:
    for event in story[2]:
        sample = sample_of(event["detail-type"])
        assert set(event) == set(sample)
        assert set(event["detail"]) == set(sample["detail"])
        assert problems(event["detail-type"], event["detail"]) == []
        for address in (COMPLAINS, BOUNCES):
            assert address not in json.dumps(event)
