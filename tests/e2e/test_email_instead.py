"""A question without room in the text plan goes by email and is answered behind its link, on the deployed stack."""

import re
from typing import Any, Final

from tests.e2e.rebound_api import exchange
from tests.e2e.surroundings import Operator, Twin
from tests.e2e.waiting import until

TO: Final = "uma.instead@example.com"
EMAIL: Final = {"subject": "Tomorrow at ten?", "html": None, "text": "Hello ##{{first_name}}, will you come?"}
FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
ASKED: Final[dict[str, Any]] = {
    "category": "reminder",
    "channel": "sms",
    "appointment_id": "a-9",
    "asks_confirmation": True,
    "content": {"body": "Tomorrow at ten? Answer C to confirm."},
    "email_content": EMAIL,
}


def test_a_question_without_room_is_asked_by_email_and_confirmed_by_its_link(operator: Operator, twin: Twin) -> None:
    salon = operator.new_business("Instead", "--email-from", "hello@salon.example.com", "--text-from", "+14155550143")
    operator.run("set-text-plan", "--business-id", str(salon.business_id), "--included", "0")
    uma = salon.new_customer("Uma", "Lind", email=TO, mobile_phone="+14155550188")
    posted = salon.post("/v1/messages", {**ASKED, "customer_id": uma}, status=202)
    assert (posted["foreseen"]["decision"], posted["foreseen"]["channel"]) == ("send", "email")

    path = f"/v1/messages/{posted['message_id']}"
    sent = until("it is delivered", lambda: salon.get(path), lambda message: message["status"] == "delivered", 200.0)
    assert (sent["channel"], sent["address"], sent["email_content"]) == ("email", TO, EMAIL)
    [email] = [send for send in twin.sends() if send.to == TO]
    [link] = set(re.findall(r"http[^\s\"<>\\]*/v1/appointment/[\w-]+", email.content["text"]))
    assert b"Will you come?" in exchange("GET", link).expecting(200).body
    pressed = exchange("POST", link, b"confirm=yes", FORM).expecting(200)
    assert b"Thank you, your appointment is confirmed" in pressed.body
    log = salon.get("/v1/appointments/a-9/log")
    assert log["confirmed_at"] is not None
    assert log["items"][0]["sentence"] == "Confirmed via the link in an email."
