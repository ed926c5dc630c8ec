"""Messages that wait for a day far off: foreseen, changed, moved with their appointment, and taken back."""

from datetime import UTC, datetime, timedelta

from tests.e2e.rebound_api import Json, ReboundApi
from tests.e2e.surroundings import Calm, Twin
from tests.e2e.waiting import until

REMINDER: Json = {"category": "reminder", "channel": "sms", "content": {"body": "See you tomorrow"}}


def in_days(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_a_reminder_moves_with_its_appointment_and_goes_out_when_its_time_is_over(api: ReboundApi, twin: Twin) -> None:
    number = "+14155550191"
    customer_id = api.new_customer(mobile_phone=number)
    about = {"customer_id": customer_id, "appointment_id": "visit-1", "starts_at": in_days(200)}
    day = api.post("/v1/messages", {**REMINDER, **about, "send_before": {"hours": 24}})
    week = api.post("/v1/messages", {**REMINDER, **about, "send_before": {"hours": 24 * 7}})
    assert day["foreseen"]["decision"] == week["foreseen"]["decision"] == "held"
    assert day["foreseen"]["until"] == day["held_until"] == day["send_at"]

    api.patch(f"/v1/messages/{week['message_id']}", {"content": {"body": "See you this week"}})
    moved = api.post("/v1/appointments/visit-1/reschedule", {"starts_at": in_days(3)}, status=200)
    assert [message["message_id"] for message in moved["moved"]] == [day["message_id"]]
    assert [message["message_id"] for message in moved["sent_now"]] == [week["message_id"]]
    until("accepted", lambda: twin.sends_of(api, number), bool)
    assert [send.content for send in twin.sends_of(api, number)] == [{"body": "See you this week"}]

    late = api.post("/v1/appointments/visit-1/reschedule", {"starts_at": in_days(-1)}, status=200)
    assert [(each["message_id"], each["reason"]) for each in late["expired"]] == [(day["message_id"], "expired")]
    statuses = {item["message"]["status"] for item in api.get("/v1/appointments/visit-1/log")["items"]}
    assert "excluded" in statuses


def test_what_is_cancelled_is_never_handed_over_and_what_is_handed_over_not_cancelled(
    api: ReboundApi, calm: Calm, twin: Twin
) -> None:
    number = "+14155550192"
    customer_id = api.new_customer(mobile_phone=number)
    whom = {**REMINDER, "customer_id": customer_id}
    later = api.post("/v1/messages", {**whom, "send_at": in_days(30)})
    answered = api.post(f"/v1/messages/{later['message_id']}/cancel", status=200)
    assert (answered["status"], answered["reason"]) == ("cancelled", "cancelled_by_request")
    told = [api.post("/v1/messages", {**whom, "appointment_id": "visit-2", "send_at": in_days(9)}) for _ in range(2)]
    gone = api.post("/v1/appointments/visit-2/cancel-messages", status=200)["cancelled"]
    assert {each["message_id"] for each in gone} == {each["message_id"] for each in told}

    sent = api.post("/v1/messages", whom)["message_id"]
    until("sent", lambda: api.get(f"/v1/messages/{sent}"), lambda message: message["status"] == "delivered")
    refused = api.call("POST", f"/v1/messages/{sent}/cancel").expecting(409).json()
    assert (refused["code"], refused["message_status"]) == ("message_not_waiting", "delivered")
    calm.wait()
    assert len(twin.sends_of(api, number)) == 1
