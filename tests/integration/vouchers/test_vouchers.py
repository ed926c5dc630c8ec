"""Vouchers over HTTP and the real adapters: from the campaign to the order, and back."""

from copy import replace
from typing import Any, Final

import pytest

from rebound.campaigns.domain.campaigns import CampaignStatus
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.messages import MessageStatus
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID, NOON, RUN_ID, contacts_of, customer, id_of, message
from tests.integration.conftest import Stack

SAYS: Final = {"subject": "A gift", "text": "##{{voucher_value}} with ##{{voucher_code}} until ##{{voucher_until}}"}
PERCENT: Final = {"kind": "percent", "value": "10", "currency": "EUR", "valid_days": 14}
OFFER: Final = {"name": "Gift", "category": "marketing", "channel": "email", "filter": {"all": []}, "content": SAYS}


@pytest.fixture(autouse=True)
def people(stack: Stack) -> None:
    house.ports().customers.save([customer(1), customer(2)], contacts_of(customer(1), customer(2)))


def posted(stack: Stack, voucher: dict[str, Any] = PERCENT, **given: Any) -> dict[str, Any]:
    answer = stack.api("POST", "/v1/campaigns", {**OFFER, "voucher": voucher, **given})
    assert answer.status == 202, answer.text
    found: dict[str, Any] = answer.body
    return found


def sent(stack: Stack, voucher: dict[str, Any] = PERCENT) -> tuple[str, str]:
    """A campaign whose message went out to customer 1: its id, and the code in the message."""
    campaigns, campaign_id = house.ports().campaigns, posted(stack, voucher)["campaign_id"]
    campaign = campaigns.get(BUSINESS_ID, campaign_id)
    ran = replace(campaign, run_id=RUN_ID, status=CampaignStatus.COMPLETED)
    campaigns.replace(campaign, ran)
    key = MessageKey(BUSINESS_ID, id_of(1), ran.message_id(id_of(1)))
    now = house.ports().clock.now()
    assert ran.voucher is not None
    kept = message(
        1,
        MessageStatus.DELIVERED,
        key=key,
        campaign_id=campaign_id,
        queued_at=now,
        sent_at=now,
        voucher=ran.voucher.number,
    )
    house.ports().messages.record_new([kept])
    return campaign_id, house.use_cases().link_writer.voucher_code(key, ran.voucher.number)


def redeem(stack: Stack, code: str, order_id: str = "o-1", amount: str = "80.00", **given: Any) -> Any:
    body = {"customer_id": id_of(1), "order_id": order_id, "amount": amount, **given}
    return stack.api("POST", f"/v1/vouchers/{code}/redemptions", body)


def test_a_voucher_goes_from_the_campaign_to_the_order_and_back(stack: Stack) -> None:
    campaign_id, code = sent(stack)
    applies = stack.api("GET", f"/v1/customers/{id_of(1)}/vouchers").body["items"]
    assert [(each["code"], each["value"], each["campaign_id"]) for each in applies] == [(code, "10", campaign_id)]

    first = redeem(stack, code)
    assert (first.status, first.body["discount"], first.body["currency"]) == (200, "8.00", "EUR")
    again = redeem(stack, code.lower().replace("-", "%20"), amount="1.00")
    assert (again.status, again.body) == (200, first.body)
    used = redeem(stack, code, "o-2")
    assert (used.status, used.body["code"]) == (409, "voucher_used")
    assert stack.api("GET", f"/v1/customers/{id_of(1)}/vouchers").body["items"] == []

    view = stack.api("GET", f"/v1/campaigns/{campaign_id}").body
    assert (view["redeemed"], view["revenue"], view["reward"]) == (
        1,
        [{"amount": "72.00", "currency": "EUR"}],
        [{"amount": "7.20", "currency": "EUR"}],
    )
    stack.api("PATCH", "/v1/business", {"voucher_reward_percent": 5})
    [listed] = stack.api("GET", "/v1/campaigns").body["items"]
    assert listed["reward"] == [{"amount": "3.60", "currency": "EUR"}]

    for _ in range(2):
        assert stack.api("DELETE", f"/v1/vouchers/{code}/redemptions/o-1").status == 204
    assert stack.api("DELETE", f"/v1/vouchers/{code}/redemptions/o-9").status == 404
    view = stack.api("GET", f"/v1/campaigns/{campaign_id}").body
    assert (view["redeemed"], view["revenue"], view["reward"]) == (0, [], [])


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"customer_id": id_of(2)}, 404),
        ({"customer_id": id_of(3)}, 404),
        ({"amount": "x"}, 422),
        ({"amount": 80}, 422),
        ({"amount": "-1"}, 422),
        ({"order_id": ""}, 422),
        ({"order_id": "a/b"}, 422),
        ({"currency": "XXX1"}, 422),
        ({"customer_id": None}, 422),
        ({"orderid": "1"}, 422),
    ],
)
def test_what_is_no_order_of_the_customers_is_refused(stack: Stack, given: dict[str, Any], status: int) -> None:
    campaign_id, code = sent(stack)
    assert redeem(stack, code, **given).status == status
    assert stack.api("GET", f"/v1/campaigns/{campaign_id}").body["redeemed"] == 0


def test_a_customer_may_be_named_by_the_businesss_own_id(stack: Stack) -> None:
    answer = stack.api(
        "POST",
        "/v1/vouchers/3-CDF-GHJ-KMN/redemptions",
        {"external_id": "crm-1", "order_id": "o-1", "amount": "1.00"},
    )
    assert answer.status == 404


def test_an_invented_code_is_none(stack: Stack) -> None:
    _, code = sent(stack)
    for invented in (f"{code[:-1]}{'C' if code[-1] != 'C' else 'D'}", "SAMPLE-CODE", "x", "9" * 100):
        assert redeem(stack, invented).status == 404
        assert stack.api("DELETE", f"/v1/vouchers/{invented}/redemptions/o-1").status == 404


def test_expired_and_not_yet_valid_say_so(stack: Stack) -> None:
    day = house.ports().clock.now().date()
    ahead = {**PERCENT, "valid_from": day.replace(year=day.year + 1, day=1).isoformat(), "valid_days": 365}
    _, code = sent(stack, {**ahead, "valid_from": ahead["valid_from"]})
    early = redeem(stack, code)
    assert (early.status, early.body["code"]) == (409, "voucher_not_yet_valid")
    assert early.body["valid_from"] > NOON.isoformat()


def test_the_voucher_is_shown_as_it_was_given_edited_and_taken_away(stack: Stack) -> None:
    draft = posted(stack, status="draft")
    path = f"/v1/campaigns/{draft['campaign_id']}"
    assert draft["voucher"] == {**PERCENT, "valid_from": None, "valid_until": None}
    changed = stack.api(
        "PATCH", path, {"voucher": {"kind": "amount", "value": "5", "currency": "eur", "valid_days": 3}}
    )
    assert (changed.status, changed.body["voucher"]["value"], changed.body["voucher"]["currency"]) == (
        200,
        "5.00",
        "EUR",
    )
    copied = stack.api("POST", path + "/copy", {})
    assert copied.body["voucher"] == changed.body["voucher"]
    refused = stack.api("PATCH", path, {"voucher": None})
    assert (refused.status, [each["field"] for each in refused.body["errors"]]) == (422, ["content.text"] * 3)
    taken = stack.api("PATCH", path, {"voucher": None, "content": {"subject": "Hi", "text": "Hi"}})
    assert (taken.status, taken.body["voucher"], taken.body["redeemed"]) == (200, None, None)


def test_layouts_and_texts_with_a_voucher_can_be_tried(stack: Stack) -> None:
    layout = {
        "subject": "A gift",
        "blocks": [{"kind": "voucher", "title": "##{{voucher_value}}", "code": "##{{voucher_code}}"}],
    }
    assert stack.api("POST", "/v1/layouts/render", layout).status == 200
    measured = stack.api("POST", "/v1/texts/measure", {"body": "##{{voucher_code}}: ##{{voucher_value}}"})
    assert measured.status == 200
    with_layout = {name: value for name, value in OFFER.items() if name != "content"}
    for voucher, status in ((PERCENT, 202), (None, 422)):
        answer = stack.api("POST", "/v1/campaigns", {**with_layout, "layout": layout, "voucher": voucher})
        assert answer.status == status, answer.text
    preview = {"filter": {"all": []}, "channel": "email", "category": "marketing", "content": SAYS}
    assert stack.api("POST", "/v1/segments/preview", preview).body["targeted"] == 2


@pytest.mark.parametrize(
    ("voucher", "field"),
    [
        ({"kind": "percent", "value": "10"}, "voucher.valid_until"),
        ({"kind": "half", "value": "10", "valid_days": 1}, "voucher.kind"),
        ({"kind": "percent", "value": 10, "valid_days": 1}, "voucher.value"),
        ({"kind": "amount", "value": "10", "valid_days": 1}, "voucher.currency"),
        ({"kind": "percent", "value": "10", "valid_days": "3"}, "voucher.valid_days"),
    ],
)
def test_bad_vouchers_are_refused_with_their_field(stack: Stack, voucher: dict[str, Any], field: str) -> None:
    answer = stack.api("POST", "/v1/campaigns", {**OFFER, "voucher": voucher})
    assert (answer.status, [each["field"] for each in answer.body["errors"]]) == (422, [field])
