"""Tiers through the API: counted at once, or by a job."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from rebound.activity.domain.summary import NO_OFFER, Summary, Visits
from rebound.loyalty.application import rank_customers
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID
from tests.integration.conftest import Stack


def came(customer_id: str, *days_ago: int, rating: int | None = None) -> None:
    """Keep that a customer came so many days ago."""
    today = house.ports().businesses.get(BUSINESS_ID).local_day(datetime.now(UTC))
    days = sorted(today - timedelta(days=each) for each in days_ago)
    summary = Summary(
        zone="UTC",
        written_on=today,
        visited=tuple(Visits(day, day, NO_OFFER, 1) for day in days),
        first_visit=min(days, default=None),
        last_visit=max(days, default=None),
        rating=rating,
    )
    house.ports().activity.save_summary(BUSINESS_ID, customer_id, summary, read=0)


def added(stack: Stack, name: str, **more: Any) -> str:
    given = {"first_name": name, "last_name": "Silva", "customer_since": str(date(2020, 1, 1)), **more}
    customer_id: str = stack.api("POST", "/v1/customers", given).body["customer_id"]
    return customer_id


def salon(stack: Stack) -> dict[str, str]:
    ids = {name: added(stack, name) for name in ("Nora", "Tom", "Ina", "Lea", "Finn", "Zoe")}
    came(ids["Nora"], 10)
    came(ids["Tom"], 300, 200, 9, 8)
    came(ids["Ina"], 300, 200, 100)
    came(ids["Lea"], 200)
    came(ids["Finn"], 1)
    stack.api("PUT", f"/v1/loyalty/favourites/{ids['Finn']}")
    return ids


COUNTS = {"favourite": 1, "new": 1, "top": 1, "inactive": 1, "loyal": 1}


def test_few_customers_are_counted_now(stack: Stack) -> None:
    nothing = stack.api("GET", "/v1/loyalty")
    assert (nothing.status, nothing.body["tiers"]) == (200, dict.fromkeys(COUNTS, 0))
    salon(stack)
    answer = stack.api("GET", "/v1/loyalty")

    assert answer.status == 200, answer.text
    assert answer.body.pop("ranked_at").endswith("Z")
    assert answer.body["tiers"] == COUNTS
    assert answer.body["without_tier"] == 1


def test_the_summary_of_a_customer_has_their_tier(stack: Stack) -> None:
    ids = salon(stack)
    tiers = {name: stack.api("GET", f"/v1/customers/{id_}/summary").body["tier"] for name, id_ in ids.items()}

    assert tiers == {
        "Nora": "new", "Tom": "top", "Ina": "inactive", "Lea": "loyal", "Finn": "favourite", "Zoe": None,
    }  # fmt: skip
    # It is no use of the tiers that would rank the business each night.
    assert house.ports().rankings.used_on(BUSINESS_ID) is None


def test_a_preview_and_its_job_rank_few_customers_too_and_say_when(stack: Stack) -> None:
    earlier = stack.api("GET", "/v1/loyalty").body["ranked_at"]
    ids = salon(stack)
    asked = {"filter": {"tier": "top"}, "channel": "email", "category": "loyalty"}
    audience = stack.api("POST", "/v1/segments/preview", asked).body
    summary = stack.api("GET", f"/v1/customers/{ids['Tom']}/summary").body
    job = stack.api("POST", "/v1/segments/preview", asked, headers={"Prefer": "respond-async"}).body
    event = {"business_id": BUSINESS_ID, "job_id": job["job_id"]}
    for _ in range(2):
        for index in stack.invoke("run_job", event)["ranges"]:
            assert stack.invoke("run_job", {**event, "range": index})["done"]
    of_job = stack.api("GET", f"/v1/jobs/{job['job_id']}").body["audience"]

    assert (audience["matched"], summary["tier"], of_job["matched"]) == (1, "top", 1)
    assert earlier < audience["ranked_at"] < summary["ranked_at"] < of_job["ranked_at"]
    assert stack.api("GET", f"/v1/customers/{ids['Zoe']}/summary").body["ranked_at"] is None


def test_many_are_counted_by_a_job_and_then_as_of_its_ranking(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rank_customers, "FEW", 1)
    salon(stack)
    answer = stack.api("GET", "/v1/loyalty")
    assert (answer.status, answer.body["kind"]) == (202, "ranking")
    job_id = answer.body["job_id"]
    assert stack.api("GET", "/v1/loyalty").body["job_id"] == job_id

    event = {"business_id": BUSINESS_ID, "job_id": job_id}
    for _ in range(3):
        for index in stack.invoke("run_job", event)["ranges"]:
            assert stack.invoke("run_job", {**event, "range": index})["done"]
    job = stack.api("GET", f"/v1/jobs/{job_id}")
    assert (job.body["status"], job.body["report"]) == ("completed", None)
    assert stack.api("GET", "/v1/loyalty").body["tiers"] == COUNTS


def test_who_opted_out_of_loyalty_is_of_no_tier(stack: Stack) -> None:
    customer_id = added(stack, "Nora", email="nora@example.com")
    came(customer_id, 10)
    assert stack.api("GET", "/v1/loyalty").body["tiers"]["new"] == 1
    out = {"channel": "email", "scope": "loyalty", "opted_out": True, "who": "Kim"}
    assert stack.api("POST", f"/v1/customers/{customer_id}/consent", out).status == 200

    assert stack.api("GET", "/v1/loyalty").body["tiers"]["new"] == 0
