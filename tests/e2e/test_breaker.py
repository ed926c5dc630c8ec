"""Campaigns that go wrong through our own fault stop by themselves, blame nobody, and go on when it is mended."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from tests.contract.events.test_domain_events import problems
from tests.e2e.rebound_api import Json, ReboundApi, few_at_once
from tests.e2e.surroundings import Calm, EmbeddedAws, Settled, Subscriber, Twin
from tests.e2e.test_imports import imported
from tests.e2e.waiting import until

PEOPLE: Final = 300
FILTERED: Final = 30007
NOT_REGISTERED: Final = 30034
NO_REGION: Final = "+15005550003"
"""Refused at the call: texts to this country are not enabled."""
REFUSED: Final = 60
BOUNCED: Final = 30
MOST_SECONDS: Final = 150


@pytest.fixture(scope="module")
def subscriber(aws: EmbeddedAws, api: ReboundApi) -> Iterator[Subscriber]:
    with Subscriber.to(aws, api.business_id) as subscriber:
        yield subscriber


def add_people(api: ReboundApi, tag: str, numbers: list[str]) -> None:
    rows = ["external_id,first_name,last_name,mobile_phone,general_tags"]
    rows.extend(f"{tag}-{n},Person{n},Faulty,{number},{tag}" for n, number in enumerate(numbers))
    assert imported(api, "csv", "\n".join(rows) + "\n")["counts"]["created"] == len(numbers)


def stopped(api: ReboundApi, campaign_id: str) -> Json:
    """The campaign once it has paused by itself."""
    return until(
        "the campaign pauses by itself",
        lambda: api.campaign(campaign_id),
        lambda found: found["status"] == "paused",
        MOST_SECONDS,
    )


def resting(api: ReboundApi, calm: Calm, campaign_id: str) -> Settled:
    """The paused campaign when all words on what had gone out are in and counted."""
    calm.wait(MOST_SECONDS)
    return until(
        "the campaign's counts are those of its messages",
        lambda: Settled.read(api, campaign_id),
        lambda seen: seen.results == seen.by_status,
    )


def accepted(twin: Twin, api: ReboundApi, campaign_id: str) -> Counter[str]:
    """How often the twin took the campaign's message, by customer."""
    messages = {m["message_id"] for m in api.listing(f"/v1/campaigns/{campaign_id}/messages")}
    return Counter(send.customer_id for send in twin.sends_of(api) if send.message_id in messages and send.customer_id)


def test_a_campaign_whose_texts_all_fail_through_our_fault_stops_and_after_a_resume_reaches_the_rest(
    api: ReboundApi, calm: Calm, twin: Twin, subscriber: Subscriber
) -> None:
    tag = "our-fault"
    numbers = [f"+1555{code}{n:02d}" for code in (FILTERED, NOT_REGISTERED) for n in range(50)]
    # A number is shared by three people: what is wrong is not the numbers. Each gets a reminder of their own.
    add_people(api, tag, [numbers[n % len(numbers)] for n in range(PEOPLE)])
    campaign_id = api.new_campaign("sms", category="reminder", filter={"tag": tag})
    assert "a fault of the sender or of the content" in stopped(api, campaign_id)["reason"]
    at_rest = resting(api, calm, campaign_id)
    assert at_rest.campaign["status"] == "paused"
    assert at_rest.audience["targeted"] == PEOPLE
    failed = at_rest.results["failed"]
    assert 10 <= failed < PEOPLE
    assert at_rest.results == {"failed": failed, "queued": PEOPLE - failed}
    assert len(accepted(twin, api, campaign_id)) == failed
    assert api.listing("/v1/customers", failed="any", tag=tag) == []

    waiting = [m["customer_id"] for m in api.listing(f"/v1/campaigns/{campaign_id}/messages", status="queued")]
    assert len(waiting) == PEOPLE - failed
    # The fault is mended: at the twin, by other numbers for those who have not been texted.
    few_at_once(
        lambda one: api.patch(f"/v1/customers/{one[1]}", {"mobile_phone": f"+1415555{4000 + one[0]}"}),
        list(enumerate(waiting)),
    )
    resumed = api.post(f"/v1/campaigns/{campaign_id}/resume", status=200)
    assert (resumed["status"], resumed["reason"]) == ("sending", None)
    done = calm.settled(api, campaign_id, MOST_SECONDS)
    assert (done.campaign["status"], done.campaign["reason"]) == ("completed", None)
    assert done.results == {"failed": failed, "delivered": PEOPLE - failed}
    assert set(accepted(twin, api, campaign_id).values()) == {1}
    assert len(accepted(twin, api, campaign_id)) == PEOPLE
    assert api.listing("/v1/customers", failed="any", tag=tag) == []

    heard = until(
        "the bus hears that it is completed",
        lambda: [event for event in subscriber.listen() if event["detail"].get("campaign_id") == campaign_id],
        lambda events: any(event["detail-type"] == "CampaignCompleted" for event in events),
        MOST_SECONDS,
    )
    assert [event["detail-type"] for event in heard] == ["CampaignPaused", "CampaignCompleted"]
    assert [problems(event["detail-type"], event["detail"]) for event in heard] == [[], []]
    paused, completed = (event["detail"] for event in heard)
    assert (paused["by"], paused["reason"]) == ("breaker", at_rest.campaign["reason"])
    assert (completed["matched"], completed["targeted"], completed["results"]["queued"]) == (PEOPLE, PEOPLE, 0)
    assert sum(completed["results"].values()) == PEOPLE
    assert completed["version"] > paused["version"]


def test_flags_that_a_campaign_raised_are_rolled_back_and_the_next_campaign_goes_to_them(
    api: ReboundApi, calm: Calm, subscriber: Subscriber
) -> None:
    rows = ["external_id,first_name,last_name,email,general_tags"]
    rows.extend(f"back-{n},Person{n},Back,bounce+back{n}@simulator.amazonses.com,back" for n in range(BOUNCED))
    assert imported(api, "csv", "\n".join(rows) + "\n")["counts"]["created"] == BOUNCED
    settled = calm.settled(api, api.new_campaign("email", filter={"tag": "back"}), MOST_SECONDS)
    assert settled.results == {"bounced": BOUNCED}
    flagged = until(
        "everybody is flagged",
        lambda: {c["customer_id"] for c in api.listing("/v1/customers", failed="email", tag="back")},
        lambda found: len(found) == BOUNCED,
        MOST_SECONDS,
    )
    campaign_id = settled.campaign["campaign_id"]
    tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
    later = api.post(f"/v1/campaigns/{campaign_id}/rollback-flags", {"since": tomorrow})
    assert later["rolled_back"]["status"] == "running"
    assert rolled_back(api, campaign_id)["bounces"] == 0
    assert api.preview("email", filter={"tag": "back"})["excluded"] == {"invalid_contact": BOUNCED}

    api.post(f"/v1/campaigns/{campaign_id}/rollback-flags")
    assert rolled_back(api, campaign_id)["bounces"] == BOUNCED
    until(
        "nobody is flagged",
        lambda: api.listing("/v1/customers", failed="email", tag="back"),
        lambda found: found == [],
        MOST_SECONDS,
    )
    contact = api.contact(min(flagged), "email")
    assert (contact["invalid"], contact["reason"], contact["evidence"]) == (False, None, None)
    assert api.preview("email", filter={"tag": "back"}) == {"matched": BOUNCED, "excluded": {}, "targeted": BOUNCED}
    until(
        "the bus hears of everybody",
        lambda: {
            customer_id
            for event in subscriber.listen()
            if event["detail-type"] == "ContactRestored"
            for customer_id in event["detail"]["customer_ids"]
        },
        lambda heard: heard >= flagged,
        MOST_SECONDS,
    )


def rolled_back(api: ReboundApi, campaign_id: str) -> Json:
    """The rollback once it is done."""
    return until(
        "the rollback is completed",
        lambda: api.campaign(campaign_id)["rolled_back"],
        lambda found: found["status"] == "completed",
        MOST_SECONDS,
    )


def test_texts_that_are_refused_at_the_call_are_nobodys_failure_and_are_sent_after_a_resume(
    api: ReboundApi, calm: Calm, twin: Twin
) -> None:
    add_people(api, "abroad", [NO_REGION] * REFUSED)
    campaign_id = api.new_campaign("sms", category="reminder", filter={"tag": "abroad"})
    reason = stopped(api, campaign_id)["reason"]
    assert "21408" in reason
    assert "not switched on" in reason
    assert resting(api, calm, campaign_id).results == {"queued": REFUSED}
    assert not accepted(twin, api, campaign_id)

    waiting = [m["customer_id"] for m in api.listing(f"/v1/campaigns/{campaign_id}/messages", status="queued")]
    few_at_once(
        lambda one: api.patch(f"/v1/customers/{one[1]}", {"mobile_phone": f"+1415555{5000 + one[0]}"}),
        list(enumerate(waiting)),
    )
    api.post(f"/v1/campaigns/{campaign_id}/resume", status=200)
    done = calm.settled(api, campaign_id, MOST_SECONDS)
    assert done.results == {"delivered": REFUSED}
    assert Counter(accepted(twin, api, campaign_id).values()) == {1: REFUSED}
