"""A birthday campaign on the deployed stack: swept each minute, it mails today's birthday child once."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final
from zoneinfo import ZoneInfo

from tests.e2e.rebound_api import ReboundApi
from tests.e2e.surroundings import RUN
from tests.e2e.waiting import until

LONGEST: Final = 300.0
"""Seconds: until the minute comes, the sweep of that minute, the look, and the campaign."""


def test_a_birthday_is_celebrated_once(api: ReboundApi) -> None:
    zone = api.get("/v1/business")["time_zone"]
    then = datetime.now(ZoneInfo(zone)) + timedelta(minutes=2)
    born = then.date().replace(year=1992).isoformat()
    customer_id = api.new_customer("Ida", "Berg", email=f"ida+{RUN}@example.com", birthday=born)
    content = {"subject": "Happy birthday", "text": "Dear ##{{first_name}}"}
    given: dict[str, Any] = {"name": f"Birthdays {RUN}", "channel": "email", "category": "reminder", "content": content}
    given |= {"audience": {"birthday": {}}, "at": f"{then:%H:%M}"}
    made = api.post("/v1/recurring-campaigns", given, HTTPStatus.CREATED)
    own = f"/v1/recurring-campaigns/{made['recurring_campaign_id']}"

    def sent() -> int:
        items = api.get(f"/v1/customers/{customer_id}/messages")["items"]
        return sum(message["status"] == "delivered" for message in items)

    try:
        until("sent", sent, lambda count: count == 1, LONGEST)
        (occurrence,) = api.get(f"{own}/occurrences")["items"]
        assert occurrence["occurrence_date"] == then.date().isoformat()
        # Another hour of the same day is no other birthday.
        api.patch(own, {"at": f"{datetime.now(ZoneInfo(zone)) + timedelta(minutes=1):%H:%M}"})
        assert sent() == 1
    finally:
        api.delete(own)
