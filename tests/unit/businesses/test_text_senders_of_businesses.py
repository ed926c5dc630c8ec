"""A business texts from a number, a short code, a messaging service or a name."""

from typing import Any

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.businesses.domain.business import Barrier
from rebound.businesses.domain.senders import Senders
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConflictError, InvalidInputError
from rebound.kernel.provider_codes import Provider
from rebound.kernel.text_senders import countries_with_names
from tests.fakes.making import BUSINESS_ID, business, customer, id_of
from tests.fakes.world import World

SERVICE = "MG" + "0" * 32
COUNTRIES = sorted(phonenumbers.SUPPORTED_REGIONS)
codes = st.integers(0, 999_999).map(str).filter(lambda code: len(code) > 2) | st.just("012345")


def granted(country: str, sender: str, **given: Any) -> str | None:
    """What a business of a country has as its ``text_from`` after it was granted the sender, and chose it."""
    world = World(business(country=country, text_from=None, text_rate=None, **given))
    business_of = world.sender_grants.add(BUSINESS_ID, sender)
    assert len(business_of.senders.sms) == 1
    return world.settings_of_business.change(BUSINESS_ID, {"text_from": sender}).text_from


@given(st.sampled_from(COUNTRIES), codes)
def test_a_short_code_is_kept_as_it_is_given_in_every_country(country: str, code: str) -> None:
    assert granted(country, code) == code
    assert granted(country, f" {code}\u200b") == code


@pytest.mark.parametrize("country", COUNTRIES)
def test_a_name_is_granted_where_the_country_allows_it(country: str) -> None:
    if country in countries_with_names():
        assert granted(country, "Juniper") == "Juniper"
        return
    with pytest.raises(InvalidInputError, match=rf"^sender: Texts cannot come from a name in {country}"):
        granted(country, "Juniper")


@given(st.text("aZ9 -_&+", min_size=1, max_size=13))
def test_a_name_has_up_to_eleven_characters_and_a_letter(name: str) -> None:
    world = World(business(country="GB", text_from=None))
    wanted = name.strip()
    is_name = len(wanted) <= 11 and any(c in "aZ" for c in wanted) and wanted[0] in "aZ9"
    try:
        [sender] = world.sender_grants.add(BUSINESS_ID, name).senders.sms
    except InvalidInputError:
        assert not is_name
    else:
        assert (sender == wanted) is (is_name or wanted.isdecimal())


@pytest.mark.parametrize(
    "sender", ["Café", "Juniper & Vale", "美容室", "MG12", "x" * 12, "a\tb\nc", "555-0123 Mom", "!"]
)
def test_what_is_no_sender_is_refused_and_nothing_is_changed(sender: str) -> None:
    world = World(business(text_from=None))
    with pytest.raises(InvalidInputError, match=r"^sender: "):
        world.sender_grants.add(BUSINESS_ID, sender)

    assert world.businesses.get(BUSINESS_ID) == business(text_from=None)


def test_a_number_is_still_read_in_the_country_of_the_business() -> None:
    assert granted("GB", "020 7946 0958") == "+442079460958"
    assert granted("US", "(415) 555-0100") == "+14155550100"
    assert granted("US", SERVICE) == SERVICE


@pytest.mark.parametrize(
    ("before", "change", "field"),
    [
        ({}, {"country": "US"}, "country"),
        ({"text_from": "A&B"}, {"text_provider": Provider.SNS}, "text_provider"),
        ({"text_from": None, "text_provider": Provider.SNS}, {"text_from": "Jo"}, "text_from"),
        ({"text_from": None, "text_provider": Provider.SNS}, {"text_from": "A&B"}, "text_from"),
    ],
)
def test_a_change_after_which_the_name_is_none_any_more_is_refused(
    before: dict[str, Any], change: dict[str, Any], field: str
) -> None:
    own = Senders(sms=("Juniper", "A&B", "Jo"))
    start = business(**{"country": "GB", "text_from": "Juniper", "text_rate": None, "senders": own} | before)
    world = World(start)
    with pytest.raises(InvalidInputError, match=rf"^{field}: "):
        world.settings_of_business.change(BUSINESS_ID, change)

    assert world.businesses.get(BUSINESS_ID) == start


def test_two_spellings_of_a_name_are_one_sender() -> None:
    world = World(business(country="GB", text_from=None), business(business_id="cedar", country="GB"))
    world.sender_grants.add(BUSINESS_ID, "Juniper")

    with pytest.raises(InvalidInputError, match="Another business has this sender"):
        world.sender_grants.add("cedar", "JUNIPER")


def test_nobody_can_answer_a_name() -> None:
    named, number = business(country="GB", text_from="Juniper"), business(text_from="72345")

    assert named.barrier(Channel.SMS, asks_confirmation=True) is Barrier.NO_ANSWERS
    assert named.barrier(Channel.SMS) is None
    assert number.barrier(Channel.SMS, asks_confirmation=True) is None


def test_nobody_is_asked_to_answer_a_name() -> None:
    world = World(business(country="GB", text_from="Juniper"))
    world.add(customer(1))
    with pytest.raises(ConflictError, match="nobody can answer") as raised:
        world.ask_for_confirmation(BUSINESS_ID, id_of(1), Channel.SMS)

    assert raised.value.code == "no_answers"
