"""Messages that wait for their hour on the deployed stack: nothing before it, nobody forgotten, and changes heeded.

The hours are those of UTC, so that the tests can be run at any time of the day, and who is awake lives five and a half
hours ahead of it.
"""

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from tests.e2e.rebound_api import Json, ReboundApi
from tests.e2e.surroundings import Calm, Operator, Send, Twin
from tests.e2e.waiting import until

HOUR: Final = timedelta(hours=1)
MINUTE: Final = timedelta(minutes=1)
SETTING_UP: Final = timedelta(seconds=30)
"""So long the night lasts at least from when the test begins to post what waits for its end."""
ROUNDS: Final = 120.0
"""Seconds: the first rounds on the held queue, of which each takes as long again as something has waited."""
SENDER: Final = "+15005550026"
ASLEEP: Final = ("+14155557011", "+14155557012", "+14155557013")
AWAKE: Final = "+14155557014"
WARM: Final = "+14155557015"
SOMEBODY_ASLEEP: Final = {"first_name": "Sleepy", "time_zone": "UTC"}
SOMEBODY_AWAKE: Final = {"first_name": "Wake", "time_zone": "Asia/Kolkata"}


@pytest.fixture
def api(operator: Operator) -> ReboundApi:
    """A business with a sender of its own, which is where UTC is."""
    settings = ("--text-from", SENDER, "--text-rate", "1000", "--email-from", "hello@salon.example.com")
    made = operator.new_business("Night", *settings)
    made.patch("/v1/business", {"time_zone": "UTC"})
    return made


def night(begin: datetime, end: datetime) -> Json:
    """Quiet hours for texts, as a change of settings."""
    return {"quiet_hours": {"sms": {"from": f"{begin:%H:%M}", "until": f"{end:%H:%M}"}}}


def written(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def read(text: str) -> datetime:
    return datetime.fromisoformat(text)


def warmed_up(api: ReboundApi, twin: Twin) -> timedelta:
    """How long it takes this machine to send something of each kind, with every function started."""
    began = datetime.now(UTC)
    customer_id = api.new_customer(**SOMEBODY_AWAKE, mobile_phone=WARM, email="warm@example.com", general_tags=["warm"])
    for channel in ("sms", "email"):
        api.new_campaign(channel, filter={"tag": "warm"})
    api.new_message(customer_id, "sms", "transactional")
    until("everything is warm", lambda: twin.sends_of(api), lambda seen: len(seen) == 3, 120)
    api.delete(f"/v1/customers/{customer_id}")
    return datetime.now(UTC) - began


def texts_to(twin: Twin, api: ReboundApi, *numbers: str) -> list[Send]:
    return [send for send in twin.sends_of(api) if send.to in numbers]


def held_campaign(api: ReboundApi, campaign_id: str) -> Json:
    """The campaign as soon as it says that it waits."""
    return until("it says that it waits", lambda: api.campaign(campaign_id), lambda seen: bool(seen["held_until"]))


def sends_after(twin: Twin, api: ReboundApi, earlier: int) -> list[Send]:
    return twin.sends_of(api)[earlier:]


def test_what_is_posted_at_night_goes_out_once_and_in_the_first_minute_of_the_morning(
    api: ReboundApi, twin: Twin, calm: Calm
) -> None:
    setting_up = max(SETTING_UP, 2 * warmed_up(api, twin))
    morning = (datetime.now(UTC) + setting_up).replace(second=0, microsecond=0) + MINUTE
    warm = len(twin.sends_of(api))
    api.patch("/v1/business", night(morning - HOUR, morning))
    sleepers = [
        api.new_customer(**SOMEBODY_ASLEEP, mobile_phone=number, email=f"sleepy{number[-1]}@example.com")
        for number in ASLEEP
    ]
    awake = api.new_customer(**SOMEBODY_AWAKE, mobile_phone=AWAKE, email="awake@example.com")

    offer = api.new_campaign("sms")
    too_late = api.new_campaign("sms", name="Until morning", expires_at=written(morning - timedelta(seconds=1)))
    by_clock = api.new_campaign("email", name="By the clock", send_at=f"{morning:%Y-%m-%dT%H:%M:%S}", local=True)
    about = {"customer_id": sleepers[0], "channel": "sms", "content": {"body": "Your code is 1234."}}
    code = api.post("/v1/messages", {**about, "category": "transactional"})
    reminder = api.post("/v1/messages", {**about, "category": "reminder"})
    assert datetime.now(UTC) < morning, "setting up has taken too long"
    assert code["held_until"] is None
    assert read(reminder["held_until"]) == morning

    # Those who need not wait do not.
    until("the code is there", lambda: twin.sends_of(api, ASLEEP[0]), lambda seen: len(seen) == 1)
    until("the awake have both", lambda: twin.sends_of(api, AWAKE), lambda seen: len(seen) == 2)
    until("the email is there", lambda: twin.sends_of(api, "awake@example.com"), lambda seen: len(seen) == 1)
    for campaign_id, why in ((offer, "quiet_hours"), (by_clock, "send_at")):
        waiting = held_campaign(api, campaign_id)
        assert (read(waiting["held_until"]), waiting["held_because"]) == (morning, why)
        assert waiting["audience"]["targeted"] == 4
        rows = api.listing(f"/v1/campaigns/{campaign_id}/messages")
        held = {row["customer_id"]: read(row["held_until"]) for row in rows if row["status"] == "queued"}
        assert held == dict.fromkeys(sleepers, morning)
    assert datetime.now(UTC) < morning, "looking has taken too long"
    assert [send.message_id for send in texts_to(twin, api, *ASLEEP)] == [code["message_id"]]

    time.sleep((morning - datetime.now(UTC)).total_seconds())
    until("everybody has everything", lambda: sends_after(twin, api, warm), lambda seen: len(seen) == 11)
    settled = {campaign_id: calm.settled(api, campaign_id) for campaign_id in (offer, too_late, by_clock)}

    assert {campaign_id: seen.results for campaign_id, seen in settled.items()} == {
        offer: {"delivered": 4},
        too_late: {"delivered": 1},
        by_clock: {"delivered": 4},
    }
    assert settled[too_late].audience["excluded"] == {"expired": 3}
    assert settled[too_late].messages[awake]["status"] == "delivered"
    sends = sends_after(twin, api, warm)
    assert set(Counter((send.customer_id, send.message_id) for send in sends).values()) == {1}
    assert len(sends) == 11
    late = [
        send.at - morning for send in sends if send.customer_id in sleepers and send.message_id != code["message_id"]
    ]
    assert len(late) == 7
    assert timedelta() <= min(late) <= max(late) < MINUTE
    assert api.message(sleepers[0], reminder["message_id"])["held_until"] is None


def test_a_change_of_the_hours_wakes_what_is_held_already(api: ReboundApi, twin: Twin) -> None:
    now = datetime.now(UTC)
    api.patch("/v1/business", night(now - HOUR, now + HOUR))
    sleepers = [api.new_customer(**SOMEBODY_ASLEEP, mobile_phone=number) for number in ASLEEP]
    campaign_id = api.new_campaign("sms")
    about = {"customer_id": sleepers[0], "channel": "sms", "category": "reminder", "content": {"body": "At ten."}}
    reminder = api.post("/v1/messages", about)
    held_campaign(api, campaign_id)
    assert read(reminder["held_until"]) > now + HOUR - MINUTE
    assert twin.sends_of(api) == []

    # Somebody is somewhere else after all, and the others stay asleep.
    api.patch(f"/v1/customers/{sleepers[2]}", {"time_zone": "Asia/Kolkata"})
    until("who is awake has it", lambda: twin.sends_of(api), lambda seen: len(seen) == 1, ROUNDS)
    assert [send.to for send in twin.sends_of(api)] == [ASLEEP[2]]
    assert api.campaign(campaign_id)["held_because"] == "quiet_hours"

    api.patch("/v1/business", {"quiet_hours": {"sms": None}})
    until("everybody has it", lambda: twin.sends_of(api), lambda seen: len(seen) == 4, ROUNDS)
    # Not when it is completed: the next look at a campaign that waited is as far away as it had waited.
    until("all is delivered", lambda: api.campaign(campaign_id), lambda seen: seen["results"]["delivered"] == 3)
    reminded = until(
        "the reminder too",
        lambda: api.message(sleepers[0], reminder["message_id"]),
        lambda seen: seen["status"] == "delivered",
    )

    assert sum(api.campaign(campaign_id)["results"].values()) == 3
    assert api.campaign(campaign_id)["held_until"] is None
    assert reminded["held_until"] is None
    assert set(Counter(send.message_id for send in twin.sends_of(api)).values()) == {1}
    assert len(twin.sends_of(api)) == 4
