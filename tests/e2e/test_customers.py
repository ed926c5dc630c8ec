"""Customers: what is kept of them, how they are found, and that one business never sees another's."""

from collections.abc import Mapping
from typing import Final

import pytest

from tests.e2e.rebound_api import CONTENT, EVERYBODY, Json, ReboundApi, few_at_once
from tests.e2e.surroundings import Calm, Operator
from tests.e2e.waiting import until

BAD_EMAIL: Final = "bounce+{}@simulator.amazonses.com"
FLAGGED: Final[Mapping[str, Mapping[str, str]]] = {
    "Phoebe": {"email": "phoebe@example.com", "mobile_phone": "+15553000541"},
    "Emil": {"email": BAD_EMAIL.format("emil"), "mobile_phone": "+14155550151"},
    "Bonnie": {"email": BAD_EMAIL.format("bonnie"), "mobile_phone": "+15553000542"},
    "Nora": {"email": "nora@example.com", "mobile_phone": "+14155550152"},
}
CROWD: Final = 19


@pytest.fixture(scope="module")
def ids(api: ReboundApi, calm: Calm) -> Mapping[str, str]:
    """Customers by first name: four with each kind of failure, and a crowd that was never written to."""
    ids = {
        name: api.new_customer(name, "Testa", general_tags=["written-to", name.lower()], **profile)
        for name, profile in FLAGGED.items()
    }
    for customer_id in ids.values():
        for channel in ("email", "sms"):
            api.new_message(customer_id, channel)

    def add_member(number: int) -> tuple[str, str]:
        name, tags = f"Member{number}", ["crowd", "Even"] if number % 2 == 0 else ["crowd"]
        return name, api.new_customer(name, "Crowd", general_tags=tags)

    ids |= few_at_once(add_member, range(CROWD))
    calm.wait()
    return ids


def _names(customers: list[Json]) -> list[str]:
    return sorted(customer["first_name"] for customer in customers)


@pytest.mark.parametrize(
    ("failed", "names"),
    [
        ("phone", ["Bonnie", "Phoebe"]),
        ("email", ["Bonnie", "Emil"]),
        ("any", ["Bonnie", "Emil", "Phoebe"]),
        ("both", ["Bonnie"]),
    ],
)
def test_customers_are_listed_by_what_failed(
    api: ReboundApi, ids: Mapping[str, str], failed: str, names: list[str]
) -> None:
    assert ids
    # The filter reads copies of the flags, which follow a moment later.
    listed = until(
        f"those with {failed} failed are listed",
        lambda: api.listing("/v1/customers", failed=failed),
        lambda found: _names(found) == names,
    )
    for customer in listed:
        contacts = customer["contacts"]
        assert failed in {"phone", "any"} or contacts["email"]["reason"] == "bounce:mailbox_does_not_exist"
        assert failed in {"email", "any"} or contacts["sms"]["reason"] == "text:unknown_number"
        assert all(contact["since"] for contact in contacts.values() if contact["invalid"])


def test_filters_of_the_list_are_combined(api: ReboundApi, ids: Mapping[str, str]) -> None:
    assert ids
    until(
        "the copies of the flags have followed",
        lambda: _names(api.listing("/v1/customers", failed="any")),
        lambda names: len(names) == 3,
    )
    assert _names(api.listing("/v1/customers", failed="any", tag="phoebe")) == ["Phoebe"]
    assert _names(api.listing("/v1/customers", failed="any", q="emil")) == ["Emil"]
    assert _names(api.listing("/v1/customers", failed="phone", tag="written-to", q="testa bon")) == ["Bonnie"]
    assert api.listing("/v1/customers", failed="both", tag="crowd") == []


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"tag": "even"}, 10),
        ({"tag": "EVEN"}, 10),
        ({"tag": "eve"}, 0),
        ({"q": "crowd"}, CROWD),
        ({"q": "member18"}, 1),
        ({"q": "nora@example.com"}, 1),
        ({"q": "4155550151"}, 1),
        ({"q": "nobody"}, 0),
        ({}, CROWD + len(FLAGGED)),
    ],
    ids=str,
)
def test_customers_are_found_by_tag_and_by_words(
    api: ReboundApi, ids: Mapping[str, str], query: dict[str, str], names: int
) -> None:
    assert ids
    assert len(api.listing("/v1/customers", **query)) == names


@pytest.mark.parametrize(
    ("limit", "query", "expected"),
    [
        (1, {"tag": "even"}, 10),
        (4, {}, CROWD + len(FLAGGED)),
        (7, {"q": "crowd"}, CROWD),
        (CROWD, {"q": "crowd"}, CROWD),
        (100, {}, CROWD + len(FLAGGED)),
    ],
    ids=str,
)
def test_paging_gives_every_customer_exactly_once(
    api: ReboundApi, ids: Mapping[str, str], limit: int, query: dict[str, str], expected: int
) -> None:
    assert ids
    pages = list(api.pages("/v1/customers", limit=limit, **query))
    assert all(len(page) <= limit for page in pages)
    found = [customer["customer_id"] for page in pages for customer in page]
    assert len(found) == len(set(found)) == expected


def test_a_customer_is_kept_as_given_and_shown_in_full(api: ReboundApi) -> None:
    given: Json = {
        "external_id": "till-17",
        "first_name": "Zoë",
        "last_name": "O'Neil-Ødegård",
        "email": "Zoe.ONeil@Example.com",
        "mobile_phone": "(415) 555-0161",
        "day_phone": "+44 20 7946 0018",
        "night_phone": None,
        "gender": "f",
        "birthday": "1988-02-29",
        "customer_since": "2020-01-31",
        "general_tags": ["vip", "colour"],
        "time_zone": "America/Los_Angeles",
    }
    customer_id = api.new_customer(**given)
    try:
        shown = api.customer(customer_id)
        same = set(given) - {"email", "mobile_phone", "day_phone"}
        assert {name: shown[name] for name in same} == {name: given[name] for name in same}
        assert str(shown["email"]).lower() == "zoe.oneil@example.com"
        assert (shown["mobile_phone"], shown["day_phone"]) == ("+14155550161", "+442079460018")
        assert set(shown["contacts"]) == {"email", "sms"}
        assert shown["contacts"]["sms"] == {
            "address": "+14155550161",
            "invalid": False,
            "reason": None,
            "since": None,
            "evidence": None,
            "next_try_at": None,
            "opted_out": [],
            "effective": dict.fromkeys(("all", "marketing", "loyalty", "transactional"), "opted_in"),
        }
        changed = api.patch(f"/v1/customers/{customer_id}", {"email": None, "general_tags": [], "last_name": "Neil"})
        assert (changed["email"], changed["general_tags"], changed["last_name"]) == (None, [], "Neil")
        assert changed["contacts"]["email"] is None
        assert (changed["first_name"], changed["mobile_phone"]) == ("Zoë", "+14155550161")
        again = api.call("POST", "/v1/customers", {"external_id": "till-17", "first_name": "Z", "last_name": "O"})
        assert again.status == 409, again
    finally:
        api.delete(f"/v1/customers/{customer_id}")
    assert api.call("GET", f"/v1/customers/{customer_id}").status == 404
    assert api.call("DELETE", f"/v1/customers/{customer_id}").status == 404


def test_a_number_without_a_country_code_is_read_in_the_country_of_the_business(operator: Operator) -> None:
    british = operator.new_business("Rose & Crown", country="GB")
    customer = british.customer(british.new_customer(mobile_phone="07700 900123", day_phone="020 7946 0018"))
    assert (customer["mobile_phone"], customer["day_phone"]) == ("+447700900123", "+442079460018")


@pytest.fixture(scope="module")
def belongings(api: ReboundApi, ids: Mapping[str, str]) -> Mapping[str, str]:
    """Something of every kind."""
    api.put("/v1/segments/ours", {"name": "Ours", "filter": EVERYBODY})
    return {
        "customer": ids["Nora"],
        "segment": "ours",
        "campaign": api.new_campaign("email", filter={"tag": "nobody-has-this"}),
        "import": api.post("/v1/imports", {"format": "csv", "content": "first_name,last_name\n"})["import_id"],
    }


OTHERS_REQUESTS: Final = (
    ("GET", "/v1/customers/{customer}", None),
    ("PATCH", "/v1/customers/{customer}", {"first_name": "Eve"}),
    ("PATCH", "/v1/customers/{customer}", {"email": "eve@example.com"}),
    ("DELETE", "/v1/customers/{customer}", None),
    ("POST", "/v1/customers/{customer}/contacts/email/confirm", None),
    ("GET", "/v1/customers/{customer}/messages", None),
    ("GET", "/v1/imports/{import}", None),
    ("GET", "/v1/segments/{segment}", None),
    ("DELETE", "/v1/segments/{segment}", None),
    ("GET", "/v1/campaigns/{campaign}", None),
    ("GET", "/v1/campaigns/{campaign}/messages", None),
    ("POST", "/v1/segments/preview", {"segment_id": "ours", "channel": "email", "category": "marketing"}),
)


@pytest.mark.parametrize(("method", "path", "body"), OTHERS_REQUESTS, ids=str)
def test_what_belongs_to_another_business_is_not_there(
    api: ReboundApi, other: ReboundApi, belongings: Mapping[str, str], method: str, path: str, body: Json | None
) -> None:
    before = api.customer(belongings["customer"]), api.get("/v1/segments/ours")
    answer = other.call(method, path.format_map(belongings), body)
    # An id in a body is a value like any other, so 422 would do there as well.
    assert answer.status in ({404, 422} if body and "segment_id" in body else {404}), answer
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert (api.customer(belongings["customer"]), api.get("/v1/segments/ours")) == before


def test_nothing_of_another_business_can_be_named_in_a_request(
    api: ReboundApi, other: ReboundApi, calm: Calm, belongings: Mapping[str, str]
) -> None:
    log = api.client_log(belongings["customer"])
    answer = other.call(
        "POST",
        "/v1/messages",
        {
            "customer_id": belongings["customer"],
            "category": "reminder",
            "channel": "email",
            "content": CONTENT["email"],
        },
    )
    assert answer.status == 422, answer
    campaign = other.call(
        "POST",
        "/v1/campaigns",
        {
            "name": "Theirs",
            "category": "marketing",
            "channel": "email",
            "segment_id": belongings["segment"],
            "content": CONTENT["email"],
        },
    )
    assert campaign.status in {404, 422}, campaign
    listed = calm.settled(other, other.new_campaign("email", customer_ids=[belongings["customer"]]))
    assert listed.audience == {"matched": 1, "excluded": {"not_found": 1}, "targeted": 0}
    assert api.client_log(belongings["customer"]) == log


def test_lists_hold_nothing_of_another_business(
    api: ReboundApi, other: ReboundApi, belongings: Mapping[str, str]
) -> None:
    for path, name in (("customers", "customer"), ("segments", "segment"), ("campaigns", "campaign")):
        ours = {item[f"{name}_id"] for item in api.listing(f"/v1/{path}")}
        theirs = {item[f"{name}_id"] for item in other.listing(f"/v1/{path}")}
        assert belongings[name] in ours
        assert not ours & theirs
