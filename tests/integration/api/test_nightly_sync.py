"""A system that asks each night for what has changed since the night before ends with what is there."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any, Final

import pytest

from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.reachability import Cleared, ClearedBy, Evidence, Failure
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.provider_codes import Provider
from rebound.kernel.times import write_time
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID, NO_SUCH_MAILBOX
from tests.integration.conftest import Stack
from tests.integration.jobs.test_jobs import run

LONG_AGO: Final = datetime(2025, 3, 1, tzinfo=UTC)


def created(stack: Stack, number: int, **given: Any) -> str:
    profile = {"first_name": f"N{number}", "last_name": "Silva", "email": f"n{number}@example.com", **given}
    answer = stack.api("POST", "/v1/customers", profile)
    assert answer.status == 201, answer.text
    customer_id: str = answer.body["customer_id"]
    return customer_id


def changed(stack: Stack, since: str, limit: int = 100) -> list[dict[str, Any]]:
    """Everybody who is listed as changed, page by page."""
    found: list[dict[str, Any]] = []
    query = {"updated_since": since, "limit": str(limit)}
    while True:
        page = stack.api("GET", "/v1/customers", query=query)
        assert page.status == 200, page.text
        assert len(page.body["items"]) <= limit
        found += page.body["items"]
        if page.body["next_cursor"] is None:
            return found
        query["cursor"] = page.body["next_cursor"]


def learn(email: str, *evidence: Evidence | ConsentEvidence) -> None:
    """What a receipt or an import says of an address."""
    key = ContactKey.of(BUSINESS_ID, Channel.EMAIL, email)
    contacts = house.ports().contacts
    contacts.save(contacts.get_many([key])[key].with_evidence(*evidence))


def bounce(at: datetime) -> Failure:
    return Failure(at, "m1", Provider.SES, NO_SUCH_MAILBOX)


def test_those_are_listed_whose_profile_flag_or_consent_was_written_since(stack: Stack) -> None:
    ids = [created(stack, number) for number in range(7)]
    since = datetime.now(UTC)
    stack.api("PATCH", f"/v1/customers/{ids[1]}", {"first_name": "Nora"})
    said = {"channel": "email", "scope": "marketing", "opted_out": True, "who": "Kim"}
    assert stack.api("POST", f"/v1/customers/{ids[2]}/consent", said).status == 200
    learn("n3@example.com", bounce(LONG_AGO))
    # What was said, or went wrong, long ago is new to whoever did not know it.
    learn("n4@example.com", ConsentEvidence(LONG_AGO, Scope.ALL, opted_out=True, source=ConsentSource.IMPORT))
    house.ports().customers.copy_flag(ContactKey.of(BUSINESS_ID, Channel.EMAIL, "n5@example.com"), ids[5], invalid=True)
    new = created(stack, 8)
    expected = sorted([*ids[1:6], new])
    there = since.astimezone(timezone(timedelta(hours=-5)))

    for written in (since.isoformat(), write_time(since), there.isoformat()):
        assert [each["customer_id"] for each in changed(stack, written)] == expected
    assert [each["customer_id"] for each in changed(stack, since.isoformat(), limit=2)] == expected
    assert all(each["updated_at"] >= write_time(since) for each in changed(stack, since.isoformat()))
    seconds = f"{since + timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}"
    assert {each["customer_id"] for each in changed(stack, f"{since:%Y-%m-%dT%H:%M:%SZ}")} >= set(expected)
    assert len(changed(stack, seconds)) <= len(expected)
    tagged = {"updated_since": since.isoformat(), "tag": "vip"}
    assert stack.api("GET", "/v1/customers", query=tagged).body["items"] == []


def test_they_can_be_counted_also_by_a_job(stack: Stack) -> None:
    for number in range(3):
        created(stack, number)
    since = write_time(datetime.now(UTC) + timedelta(milliseconds=1))
    learn("n1@example.com", bounce(LONG_AGO))
    created(stack, 4)
    query = {"updated_since": since}
    counted = stack.api("GET", "/v1/customers/count", query=query)
    job = stack.api("GET", "/v1/customers/count", query=query, headers={"Prefer": "respond-async"})

    assert (counted.status, counted.body["count"], job.status) == (200, len(changed(stack, since)), 202)
    assert run(stack, job.body)["count"] == counted.body


@pytest.mark.parametrize("since", ["yesterday", "1764000000", "2026-11-29T17:13:03", "", "2026-13-01T00:00:00Z"])
def test_what_is_no_time_is_refused(stack: Stack, since: str) -> None:
    for path in ("/v1/customers", "/v1/customers/count"):
        answer = stack.api("GET", path, query={"updated_since": since})
        assert (answer.status, answer.fields) == (422, ["updated_since"]), answer.text


@pytest.mark.parametrize("seed", range(3))
def test_whoever_asks_each_night_from_the_night_before_has_everything_in_the_end(stack: Stack, seed: int) -> None:
    draw = Random(seed)  # noqa: S311 - nothing secret
    ids = [created(stack, number, email=f"n{number % 4}@example.com") for number in range(6)]
    words = [{"channel": "email", "scope": str(scope), "opted_out": out} for scope in Scope for out in (True, False)]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)  # noqa: E731
    changes: list[Callable[[], object]] = [
        lambda: ids.append(created(stack, len(ids), email=f"n{draw.randrange(9)}@example.com")),
        lambda: stack.api("PATCH", f"/v1/customers/{draw.choice(ids)}", {"last_name": f"Of {draw.random()}"}),
        lambda: stack.api("PATCH", f"/v1/customers/{draw.choice(ids)}", {"email": f"n{draw.randrange(9)}@example.com"}),
        lambda: stack.api("POST", f"/v1/customers/{draw.choice(ids)}/consent", draw.choice(words)),
        lambda: learn(f"n{draw.randrange(4)}@example.com", bounce(draw.choice([LONG_AGO, now()]))),
        lambda: learn(f"n{draw.randrange(4)}@example.com", Cleared(now(), ClearedBy.DELIVERY, "m2")),
        lambda: stack.api("POST", f"/v1/customers/{draw.choice(ids)}/contacts/email/confirm"),
    ]
    mirror: dict[str, dict[str, Any]] = {}
    since = LONG_AGO
    given = 0
    for _ in range(8):
        began = now()
        found = changed(stack, write_time(since), limit=draw.choice([1, 3, 100]))
        mirror |= {each["customer_id"]: each for each in found}
        given += len(found)
        since = began
        if draw.random() < 0.8:
            for change in draw.choices(changes, k=draw.randrange(3)):
                change()
    mirror |= {each["customer_id"]: each for each in changed(stack, write_time(since))}
    there = stack.api("GET", "/v1/customers", query={"limit": "100"}).body["items"]

    assert mirror == {each["customer_id"]: each for each in there}
    assert given < 9 * len(ids)
