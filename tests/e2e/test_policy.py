"""A business chooses when failures flag an address, and everything follows from the evidence already kept."""

from collections.abc import Iterator, Mapping
from functools import partial
from operator import eq
from typing import Final

import pytest

from tests.e2e.rebound_api import Json, ReboundApi
from tests.e2e.surroundings import Calm, Operator
from tests.e2e.waiting import until

STANDARD: Final[Json] = {"preset": "standard", "counts": None}
PROFILES: Final[Mapping[str, Mapping[str, str]]] = {
    "Fulvia": {"email": "mailboxfull+fulvia@twin.example.com"},
    "Bonnie": {"email": "bounce+bonnie@simulator.amazonses.com"},
    "Hansi": {"mobile_phone": "+15553000361"},
    "Wanda": {"email": "wanda@example.com", "mobile_phone": "+14155550171"},
}


@pytest.fixture(scope="module")
def ids(api: ReboundApi, calm: Calm) -> Mapping[str, str]:
    """Customers by first name, each of whom was written to once at every address."""
    ids = {name: api.new_customer(name, **profile) for name, profile in PROFILES.items()}
    for name, profile in PROFILES.items():
        for field in profile:
            api.new_message(ids[name], "email" if field == "email" else "sms")
    calm.wait()
    return ids


@pytest.fixture(autouse=True)
def _back_to_standard(api: ReboundApi) -> Iterator[None]:
    yield
    api.patch("/v1/business", {"policy": {"preset": "standard"}})


def _choose(api: ReboundApi, policy: Json) -> Json:
    chosen: Json = api.patch("/v1/business", {"policy": policy})["policy"]
    assert api.get("/v1/business")["policy"] == chosen
    return chosen


def _failed(api: ReboundApi, which: str) -> set[str]:
    return {customer["first_name"] for customer in api.listing("/v1/customers", failed=which)}


def _wait_for_lists(api: ReboundApi, email: set[str], phone: set[str]) -> None:
    """The lists read copies of the flags, which follow a moment later; so do the filters of segments."""
    for which, names in (("email", email), ("phone", phone)):
        until(f"those with a failed {which} are {names}", partial(_failed, api, which), partial(eq, names))
        assert api.preview("email", filter={"failed": which}, exclude_failed=False)["matched"] == len(names)


def test_a_business_begins_with_the_standard_policy(api: ReboundApi, ids: Mapping[str, str]) -> None:
    assert api.get("/v1/business")["policy"] == STANDARD
    _wait_for_lists(api, {"Fulvia", "Bonnie"}, set())
    shown = api.contact(ids["Fulvia"], "email")
    (message,) = api.client_log(ids["Fulvia"])
    assert (shown["invalid"], shown["reason"]) == (True, "bounce:mailbox_full")
    evidence = shown["evidence"]
    assert evidence.pop("detail"), "the provider's own words"
    assert evidence == {
        "class": "invalid",
        "provider": "ses",
        "code": "Transient/MailboxFull",
        "message_id": message["message_id"],
        "at": shown["since"],
    }
    assert api.contact(ids["Hansi"], "sms")["evidence"] is None


def test_strict_lets_a_full_mailbox_be_and_standard_flags_it_again(
    api: ReboundApi, ids: Mapping[str, str], operator: Operator, calm: Calm
) -> None:
    elsewhere = operator.new_business("Of another opinion")
    theirs = elsewhere.new_customer("Fulvia", email=PROFILES["Fulvia"]["email"])
    elsewhere.new_message(theirs, "email")
    calm.wait()
    assert api.preview("email")["excluded"]["invalid_contact"] == 2

    assert _choose(api, {"preset": "strict"}) == {"preset": "strict", "counts": None}
    # Whoever decides or shows something does so from the evidence, at once.
    assert api.contact(ids["Fulvia"], "email")["invalid"] is False
    assert api.contact(ids["Bonnie"], "email")["invalid"] is True
    assert api.preview("email")["excluded"]["invalid_contact"] == 1
    _wait_for_lists(api, {"Bonnie"}, set())
    assert elsewhere.contact(theirs, "email")["invalid"] is True
    until(
        "it is in their list", lambda: elsewhere.listing("/v1/customers", failed="email"), lambda seen: len(seen) == 1
    )

    assert _choose(api, {"preset": "standard"}) == STANDARD
    assert api.contact(ids["Fulvia"], "email")["invalid"] is True
    _wait_for_lists(api, {"Fulvia", "Bonnie"}, set())


def test_a_phone_that_was_out_of_reach_once_is_flagged_when_once_is_enough(
    api: ReboundApi, ids: Mapping[str, str]
) -> None:
    assert api.contact(ids["Hansi"], "sms")["invalid"] is False
    custom = {"preset": "custom", "counts": {"unreachable": 1}}
    assert _choose(api, custom) == custom
    shown = api.contact(ids["Hansi"], "sms")
    assert (shown["invalid"], shown["reason"]) == (True, "text:unreachable_handset")
    assert (shown["evidence"]["class"], shown["evidence"]["code"]) == ("unreachable", "30003")
    _wait_for_lists(api, set(), {"Hansi"})

    _choose(api, {"preset": "standard"})
    _wait_for_lists(api, {"Fulvia", "Bonnie"}, set())


def test_of_many_changes_in_a_row_the_last_one_ends_in_the_lists(api: ReboundApi, ids: Mapping[str, str]) -> None:
    assert ids
    for policy in ({"preset": "strict"}, {"preset": "standard"}, {"preset": "custom", "counts": {}}) * 2:
        _choose(api, policy)
    _choose(api, {"preset": "custom", "counts": {"invalid": 1, "unreachable": 1}})
    _wait_for_lists(api, {"Fulvia", "Bonnie"}, {"Hansi"})


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        ({"preset": "lenient"}, "policy.preset"),
        ({"preset": "custom"}, "policy.counts"),
        ({"preset": "strict", "counts": {"invalid": 1}}, "policy.counts"),
        ({"preset": "custom", "counts": {"invalid": 0}}, "policy.counts.invalid"),
        ({"preset": "custom", "counts": {"blocked": 1}}, "policy.counts.blocked"),
    ],
)
def test_a_policy_that_cannot_be_changes_nothing(api: ReboundApi, policy: Json, field: str) -> None:
    answer = api.call("PATCH", "/v1/business", {"name": "Other", "policy": policy}).expecting(422)
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert (api.get("/v1/business")["name"], api.get("/v1/business")["policy"]) == ("test_policy", STANDARD)
