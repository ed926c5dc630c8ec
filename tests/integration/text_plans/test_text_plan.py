"""What a business reads of its text plan."""

from typing import Any

import pytest

from rebound.businesses.domain.text_plan import TextPlan
from rebound.text_plans.domain import Change, Entry
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID, business
from tests.integration.conftest import Stack

OTHER = "cedar"
UPGRADE = "https://platform.example/plans"


def plan(included: int, business_id: str = BUSINESS_ID) -> None:
    house.use_cases().set_text_plan(business_id, TextPlan(included, inbound_texts=True, upgrade_url=UPGRADE))


def use(segments: int, *, inbound: bool = False, business_id: str = BUSINESS_ID) -> str:
    """Count something in the month of now; the month."""
    now = house.use_cases().read_text_plan.of(business_id)
    assert now is not None
    month = now.month.month
    entry = Entry(f"{business_id}#{segments}#{inbound}", month, segments, is_inbound=inbound)
    house.ports().text_ledger.change(business_id, month, [Change(None, entry)])
    return month


@pytest.mark.parametrize(
    ("used", "inbound", "left", "status"),
    [(1, 0, 9, "ok"), (7, 1, 2, "warning"), (9, 1, 0, "exhausted"), (11, 2, 0, "exhausted")],
)
def test_a_business_reads_what_is_left(stack: Stack, used: int, inbound: int, left: int, status: str) -> None:
    plan(10)
    month = use(used)
    if inbound:
        use(inbound, inbound=True)

    body: dict[str, Any] = stack.api("GET", "/v1/text-plan").body
    assert body == {
        "month": month,
        "included": 10,
        "used": used + inbound,
        "inbound": inbound,
        "left": left,
        "status": status,
        "upgrade_url": UPGRADE,
    }


def test_each_business_reads_its_own_and_who_has_none_is_told_so(stack: Stack) -> None:
    house.ports().businesses.add(business(business_id=OTHER, text_from="+14155550177"))
    plan(10)
    use(4)
    assert stack.api("GET", "/v1/text-plan", business_id=OTHER).status == 404
    plan(20, OTHER)

    assert stack.api("GET", "/v1/text-plan", business_id=OTHER).body["used"] == 0
    assert stack.api("GET", "/v1/text-plan").body["used"] == 4
    assert stack.api("GET", "/v1/text-plan", query={"month": "2026-10"}).fields == ["month"]


def test_what_texts_would_take_is_foreseen_with_what_is_left(stack: Stack) -> None:
    person = {"first_name": "Ana", "last_name": "Silva", "mobile_phone": "+14155550123", "email": "ana@example.com"}
    customer_id = stack.api("POST", "/v1/customers", person).body["customer_id"]
    text = {"channel": "sms", "category": "reminder", "content": {"body": "Hi ##{{first_name}}" + "x" * 300}}
    everybody: dict[str, Any] = {"filter": {"all": []}}
    before = stack.api("POST", "/v1/segments/preview", {**text, **everybody}).body
    assert before == {"matched": 1, "excluded": {}, "targeted": 1}
    assert "text_plan" not in stack.api("POST", "/v1/messages", {**text, "customer_id": customer_id}).body["foreseen"]
    plan(10)
    use(4)
    wanted = {"segments": 2, "left": 6}

    assert stack.api("POST", "/v1/segments/preview", {**text, **everybody}).body == {**before, "text_plan": wanted}
    posted = stack.api("POST", "/v1/campaigns", {**text, **everybody, "name": "x"}).body
    assert posted["foreseen"] == {**before, "text_plan": wanted}
    assert "text_plan" not in posted["audience"]
    message = stack.api("POST", "/v1/messages", {**text, "customer_id": customer_id}).body
    assert message["foreseen"]["text_plan"] == wanted
    email = {"channel": "email", "category": "reminder", "content": {"subject": "x", "text": "x"}}
    assert "text_plan" not in stack.api("POST", "/v1/segments/preview", {**email, **everybody}).body
    assert "text_plan" not in stack.api("POST", "/v1/messages", {**email, "customer_id": customer_id}).body["foreseen"]
