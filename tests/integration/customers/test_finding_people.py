"""Lists of customers over HTTP: what they are asked, in which pages, and with how many requests."""

from typing import Any, Final

import pytest

from rebound.businesses.domain.business import Recopying
from rebound.contacts.domain.contacts import Contact
from rebound.kernel.channels import Channel
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID, contact_key, customer, id_of
from tests.fakes.troubles import recorded_requests
from tests.integration.conftest import Stack

PATH: Final = "/v1/customers"


@pytest.fixture
def indexed(stack: Stack) -> Stack:
    """A business whose index is filled, by the work that fills it."""
    house.use_cases().recopy_flags(Recopying(BUSINESS_ID, fills=True), lambda: True)
    return stack


def made(stack: Stack, first: str, last: str, **given: Any) -> str:
    made_id: str = stack.api("POST", PATH, {"first_name": first, "last_name": last, **given}).body["customer_id"]
    return made_id


def names(stack: Stack, **query: str) -> list[str]:
    items = stack.api("GET", PATH, query=query).body["items"]
    return [f"{item['first_name']} {item['last_name']}" for item in items]


def test_people_are_found_as_they_are_typed_right_after_they_are_made(indexed: Stack) -> None:
    made(indexed, "María", "García-López", email="maria@example.com", external_id="crm/1")
    own = made(indexed, "Diana", "Silva", day_phone="+442079460958")

    found = {q: names(indexed, q=q) for q in ("lopez gar", "MARIA", "iana", "020 7946 0958", "maria@", "CRM/1", "zz")}
    assert found == {
        "lopez gar": ["María García-López"],
        "MARIA": ["María García-López"],
        "iana": [],
        "020 7946 0958": ["Diana Silva"],
        "maria@": ["María García-López"],
        "CRM/1": ["María García-López"],
        "zz": [],
    }
    assert names(indexed, sort="name") == ["Diana Silva", "María García-López"]
    assert names(indexed, sort="created", order="desc") == ["Diana Silva", "María García-López"]
    indexed.api("PATCH", f"{PATH}/{own}", {"last_name": "Souza"})
    assert (names(indexed, q="silva"), names(indexed, q="diana sou")) == ([], ["Diana Souza"])
    indexed.api("DELETE", f"{PATH}/{own}")
    assert names(indexed, q="diana") == []


def test_beside_other_filters_words_are_found_inside_as_before(indexed: Stack) -> None:
    made(indexed, "Diana", "Silva", general_tags=["vip"])

    assert names(indexed, q="iana", tag="vip") == ["Diana Silva"]
    assert names(indexed, sort="name", tag="vip") == ["Diana Silva"]
    assert indexed.api("GET", f"{PATH}/count", query={"q": "iana"}).body["count"] == 1


def test_until_the_index_is_filled_lists_work_as_they_did_and_none_is_sorted(stack: Stack) -> None:
    made(stack, "Diana", "Silva")
    refused = stack.api("GET", PATH, query={"sort": "name"})

    assert names(stack, q="iana") == ["Diana Silva"]
    assert (refused.status, refused.body["code"], refused.body["retryable"]) == (409, "index_not_filled", True)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"q": "ana", "sort": "name"}, "sort"),
        ({"sort": "age"}, "sort"),
        ({"order": "desc"}, "order"),
        ({"sort": "name", "order": "down"}, "order"),
        ({"q": "ana", "cursor": "nonsense"}, "cursor"),
        ({"q": "\u200b"}, "q"),
    ],
)
def test_what_cannot_be_asked_is_refused(indexed: Stack, query: dict[str, str], field: str) -> None:
    refused = indexed.api("GET", PATH, query=query)

    assert (refused.status, refused.fields) == (422, [field])


def test_a_cursor_is_for_the_list_that_gave_it(indexed: Stack) -> None:
    for number in range(3):
        made(indexed, "Ana", f"N{number}", general_tags=["vip"])
    lists: list[dict[str, str]] = [
        {"q": "ana"},
        {"sort": "name"},
        {"sort": "name", "order": "desc"},
        {"tag": "vip"},
        {},
    ]
    for own in lists:
        cursor = indexed.api("GET", PATH, query={**own, "limit": "1"}).body["next_cursor"]
        for other in lists:
            status = indexed.api("GET", PATH, query={**other, "limit": "1", "cursor": cursor}).status
            assert (status == 200) == (own == other), (own, other)


@pytest.mark.parametrize("limit", ["50", "100"])
def test_a_full_page_takes_six_requests_at_most(indexed: Stack, limit: str) -> None:
    for first in range(0, 120, 20):
        some = [
            customer(n, first_name="Ana", last_name=f"Silva N{n:03}", failed_phone=True)
            for n in range(first, first + 20)
        ]
        contacts = [
            Contact(contact_key(n, channel), customer_ids=frozenset({id_of(n)}))
            for n in range(first, first + 20)
            for channel in Channel
        ]
        house.ports().customers.save(some, contacts)
    for query in ({}, {"q": "ana"}, {"q": "sil ana"}, {"q": "ana n"}, {"failed": "any"}, {"sort": "name"}):
        with recorded_requests() as asked:
            page = indexed.api("GET", PATH, query={**query, "limit": limit}).body
        made_for_it = [what for what, of in asked if "IDEMPOTENCY" not in str(of)]
        assert len(page["items"]) == int(limit)
        assert page["next_cursor"]
        assert len(made_for_it) <= 6, (query, made_for_it)


def test_an_edit_of_nothing_that_is_searched_writes_no_row_of_the_index(indexed: Stack) -> None:
    own = made(indexed, "Ana", "Silva", email="ana@example.com", mobile_phone="+14155550123")
    written: dict[str, int] = {}
    for what, body in {
        "gender": {"gender": "f"},
        "same": {"first_name": "Ana"},
        "email": {"email": "new@example.com"},
        "name": {"last_name": "Souza"},
    }.items():
        with recorded_requests() as asked:
            indexed.api("PATCH", f"{PATH}/{own}", body)
        rows = [of["RequestItems"]["CustomerIndexTable"] for op, of in asked if op == "BatchWriteItem"]
        written[what] = sum(map(len, rows))

    assert written == {"gender": 0, "same": 0, "email": 4, "name": 10}
