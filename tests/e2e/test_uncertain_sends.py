"""A send of which nobody knows whether it went out: listed, not repeated, settled by the provider's callback."""

from tests.e2e.rebound_api import ReboundApi
from tests.e2e.surroundings import Calm, Settled, TwilioCallback, Twin
from tests.e2e.waiting import until

CRASHING = "+15552050001"


def test_it_is_uncertain_until_the_callback_comes_and_never_sent_again(api: ReboundApi, calm: Calm, twin: Twin) -> None:
    customer_id = api.new_customer(mobile_phone=CRASHING)
    calm.wait()
    with twin.with_faults({"provider": "twilio", "kind": "drop_callbacks", "rate": 1}):
        campaign_id = api.new_campaign("sms")
        settled = calm.settled(api, campaign_id)
    assert settled.results == {"uncertain": 1}
    assert [m["customer_id"] for m in api.listing(f"/v1/campaigns/{campaign_id}/messages", status="uncertain")] == [
        customer_id
    ]
    (message,) = api.client_log(customer_id)
    assert (message["status"], message["final_at"]) == ("uncertain", None)
    (send,) = [send for send in twin.sends_of(api, CRASHING) if send.message_id == message["message_id"]]

    TwilioCallback.about(api, send, "sent").deliver().expecting(200, 204)
    until("sent", lambda: Settled.read(api, campaign_id).results, lambda results: results == {"sent": 1})
    TwilioCallback.about(api, send, "delivered").deliver().expecting(200, 204)
    until("delivered", lambda: Settled.read(api, campaign_id).results, lambda results: results == {"delivered": 1})
    calm.wait()
    assert Settled.read(api, campaign_id).adds_up
    assert len([s for s in twin.sends_of(api, CRASHING) if s.message_id == message["message_id"]]) == 1
