"""Templates with variables of their own, from saving one to what the providers get."""

from http import HTTPStatus
from typing import Final

from tests.e2e.rebound_api import Json, ReboundApi
from tests.e2e.surroundings import Twin
from tests.e2e.waiting import until

VARIABLES: Final[Json] = {
    "price": {"type": "money", "required": True},
    "at": {"type": "time", "default": "17:05"},
    "note": {"type": "text"},
    "url": {"type": "url", "default": "https://studio.example.com/b?id=1"},
    "gender": {"required": True},
}
HTML: Final = "<p>##{{first_name}}, ##{{price}}, ##{{at}}: ##{{note}} ##{{url}}</p><a href='https://x.example/?n=##{{note}}'>x</a>"


def test_each_variable_is_written_for_who_reads_it_and_nothing_is_left_to_fill_in(api: ReboundApi, twin: Twin) -> None:
    refused = api.call(
        "PUT",
        "/v1/templates/t",
        {
            "name": "T",
            "channel": "email",
            "variables": VARIABLES,
            "content": {"subject": "##{{frist_name}}", "text": "{{note"},
        },
    )
    assert refused.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert [error["field"] for error in refused.json()["errors"]] == ["content.subject", "content.text"]
    assert refused.json()["did_you_mean"] == {"content.subject": "first_name"}
    contents = {"en": {"subject": "Hi", "html": HTML}, "de": {"subject": "Hallo ##{{note}}", "html": HTML}}
    api.put("/v1/templates/t", {"name": "T", "channel": "email", "variables": VARIABLES, "contents": contents})
    api.patch("/v1/business", {"country": "DE"})
    api.new_customer("{{first_name}}", email="german@example.com", language="de", gender="f")
    without = api.new_customer("Ben", email="ben@example.com")
    whom = {"filter": {"all": []}, "channel": "email", "category": "marketing"}
    made: Json = {"template_id": "t", "variables": {"price": "1234.5 EUR", "note": "##{{last_name}} & {{x}}"}}

    foreseen = api.post("/v1/segments/preview/recipients?reason=missing_variable", whom | made, HTTPStatus.OK)
    assert [(each["customer_id"], each["missing_variables"]) for each in foreseen["items"]] == [(without, ["gender"])]
    assert api.preview("email", **made)["excluded"] == {"missing_variable": 1}
    campaign = api.post("/v1/campaigns", {"name": "N"} | whom | made)
    assert campaign["foreseen"]["excluded"] == {"missing_variable": 1}
    single: Json = {"customer_id": without, "channel": "email", "category": "reminder", **made}
    answer = api.call("POST", "/v1/messages", single)
    assert (answer.status, answer.json()["errors"][0]["field"]) == (HTTPStatus.UNPROCESSABLE_ENTITY, "variables.gender")

    [send] = until("sent", lambda: twin.sends_of(api), bool)
    content = send.content
    assert "{{" not in str(content)
    assert "{ {first_name}}, 1.234,50\u00a0€, 17:05: ##{ {last_name}} &amp; { {x}}" in content["html"]
    assert '<a href="https://studio.example.com/b?id=1">' in content["html"]
    assert "?n=%23%23%7B%7Blast_name%7D%7D%20%26%20%7B%7Bx%7D%7D" in content["html"]
    assert content["subject"] == "Hallo ##{ {last_name}} & { {x}}"
    assert api.campaign(campaign["campaign_id"])["audience"]["excluded"] == {"missing_variable": 1}
