"""The decision is taken again right before the send: what becomes known while a campaign runs still counts."""

from collections.abc import Mapping
from typing import Final

from tests.e2e.rebound_api import ReboundApi
from tests.e2e.surroundings import Calm, Send, TwilioCallback, Twin
from tests.e2e.waiting import until

NUMBERS: Final = {"stopped": "+14155550311", "bad": "+14155550312", "fine": "+14155550313"}
SILENT: Final = {"provider": "twilio", "kind": "drop_callbacks", "rate": 1}
BUSY: Final = {"provider": "twilio", "kind": "throttle", "rate": 1}


def _accepted(api: ReboundApi, twin: Twin, ids: Mapping[str, str]) -> Mapping[str, Send]:
    """A reminder to everybody, of which Twilio says nothing for now."""
    with twin.with_faults(SILENT):
        posted = {who: api.new_message(customer_id, "sms") for who, customer_id in ids.items()}
        until(
            "all accepted",
            lambda: [api.message(ids[who], message_id)["status"] for who, message_id in posted.items()],
            lambda statuses: set(statuses) == {"sent"},
        )
    sends = {send.message_id: send for send in twin.sends_of(api)}
    return {who: sends[message_id] for who, message_id in posted.items()}


def test_who_opts_out_or_is_flagged_while_a_campaign_waits_is_excluded_and_not_targeted(
    api: ReboundApi, calm: Calm, twin: Twin
) -> None:
    ids = {who: api.new_customer(who, mobile_phone=number) for who, number in NUMBERS.items()}
    calm.wait()
    earlier = _accepted(api, twin, ids)
    with twin.with_faults(BUSY):
        campaign_id = api.new_campaign("sms")
        waiting = until(
            "the campaign is expanded and waits for Twilio",
            lambda: api.campaign(campaign_id),
            lambda campaign: campaign["status"] == "sending" and campaign["audience"]["targeted"] == len(ids),
        )
        assert waiting["results"]["queued"] == len(ids)
        TwilioCallback.about(api, earlier["stopped"], "undelivered", 21610).deliver().expecting(200, 204)
        TwilioCallback.about(api, earlier["bad"], "undelivered", 30005).deliver().expecting(200, 204)
        until("opted out", lambda: api.contact(ids["stopped"], "sms")["opted_out"], lambda found: found == ["all"])
        until("flagged", lambda: api.contact(ids["bad"], "sms")["invalid"], bool)
        assert api.campaign(campaign_id)["results"]["queued"] == len(ids)
    settled = calm.settled(api, campaign_id)
    assert settled.audience == {
        "matched": len(ids),
        "excluded": {"invalid_contact": 1, "opted_out": 1},
        "targeted": 1,
    }
    assert settled.results == {"delivered": 1}
    message_id = settled.messages[ids["fine"]]["message_id"]
    assert [send.to for send in twin.sends_of(api) if send.message_id == message_id] == [NUMBERS["fine"]]
    (left_out, _) = api.client_log(ids["stopped"])
    assert (left_out["campaign_id"], left_out["status"], left_out["reason"]) == (campaign_id, "excluded", "opted_out")
