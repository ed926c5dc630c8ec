"""Texts while they are written: as they are, with usual values, at the longest, in plain signs, and what they cost."""

from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.businesses.domain.business import Business
from rebound.businesses.domain.text_prices import TextPrice
from rebound.kernel.errors import InvalidInputError
from rebound.kernel.provider_codes import Provider
from rebound.templates.application.measure_text import MeasuredText
from rebound.templates.domain.content import TextContent
from rebound.templates.domain.examples import LETTER, example_customer, longest_values
from rebound.templates.domain.rendering import CUSTOMER_VARIABLES, VARIABLES, render_text, values_of
from rebound.templates.domain.text_size import ALPHABET, simplified, size_of_text
from tests.fakes.making import BUSINESS_ID, business, customer
from tests.fakes.world import World

WORDS: Final = st.sampled_from(["Hello ", "“", "” – ", "…", "€", "á", "\U0001f600", "a" * 40, "\n"])
PLACEHOLDERS: Final = st.sampled_from([f"##{{{{{name}}}}}" for name in (*VARIABLES, "stop_url")])
BODIES: Final = st.lists(WORDS | PLACEHOLDERS, max_size=8).map("".join)


def measured(body: str, sender: Business | None = None) -> MeasuredText:
    return World(*([sender] if sender else [])).measure_text(BUSINESS_ID, body)


@given(BODIES)
def test_a_text_is_measured_as_it_is_written(body: str) -> None:
    found = measured(body)

    assert (found.written.body, found.written.size) == (body, size_of_text(body))
    assert (found.with_examples is None) == (found.at_longest is None) == ("##{{" not in body)
    assert (found.simplified is None) == (simplified(body) == body)


@given(BODIES, st.booleans())
def test_readings_with_values_are_what_would_be_sent(body: str, smart: bool) -> None:
    sender = business(smart_encoding=smart)
    found = measured(body, sender)
    if found.with_examples is None or found.at_longest is None:
        return
    values = {**values_of(example_customer(sender), sender), "stop_url": "https://a.example/".ljust(84, "a")}

    sent = render_text(TextContent(body), values, smart=smart)
    assert found.with_examples.size.segments == size_of_text(sent).segments
    assert "##{{" not in found.with_examples.body + found.at_longest.body
    assert found.is_smart is smart


@given(
    BODIES,
    st.text(st.sampled_from([*sorted(ALPHABET - {"\n", "\r", "\f"}), "ł", "山"]), min_size=1, max_size=100),
)
def test_nobodys_text_is_larger_than_at_the_longest(body: str, name: str) -> None:
    sender = business()
    found = measured(body, sender).at_longest
    who = customer(1, first_name=name, last_name=name, gender=name[:32])
    values = {**longest_values(sender), **values_of(who, sender)}

    assert found is None or size_of_text(render_text(TextContent(body), values)).segments <= found.size.segments


def test_each_value_at_the_longest_is_as_long_as_the_profile_allows() -> None:
    longest = longest_values(business(name="Juniper"))

    assert longest["first_name"] == LETTER * 100
    assert longest["full_name"] == f"{LETTER * 100} {LETTER * 100}"
    assert longest["business_name"] == "Juniper"
    assert all(longest[name] for name in CUSTOMER_VARIABLES)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("firstname", "first_name"), ("frist_name", "first_name"), ("stopUrl", "stop_url"), ("zzz", None)],
)
def test_a_name_that_nobody_knows_is_refused_with_the_one_that_was_meant(written: str, meant: str | None) -> None:
    with pytest.raises(InvalidInputError) as refused:
        measured(f"Hi ##{{{{{written}}}}}")

    ((error),) = refused.value.errors
    assert (error.field, error.did_you_mean) == ("body", meant)


@pytest.mark.parametrize("body", ["Hi ##{{first_name", "Hi {{first_name}}"])
def test_a_placeholder_that_would_reach_the_customer_is_refused(body: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^body: "):
        measured(body)


@pytest.mark.parametrize("body", ["", " ", "a" * 1601, "\f^{}\\[~]|€"])
def test_what_could_not_be_sent_is_measured_as_well(body: str) -> None:
    found = measured(body).written

    assert (found.size, found.is_too_long) == (size_of_text(body), len(body) > 1600)


PRICES: Final[tuple[dict[str, Any], ...]] = (
    {"country": "US", "provider": "twilio", "price": "0.0083", "currency": "USD"},
    {"country": "US", "provider": "sns", "price": "0.00645", "currency": "USD"},
    {"country": "DE", "provider": "twilio", "price": "0.09", "currency": "EUR"},
)


@pytest.mark.parametrize(
    ("country", "provider", "price"),
    [("US", "twilio", "0.0083"), ("US", "sns", "0.00645"), ("DE", "twilio", "0.09"), ("DE", "sns", None)],
)
def test_the_price_is_that_of_the_businesss_country_and_provider(
    country: str, provider: Provider, price: str | None
) -> None:
    world = World(business(country=country, text_provider=Provider(provider)))
    for each in PRICES:
        world.text_price_table.set(**each)

    found = world.measure_text(BUSINESS_ID, "Hi").price

    assert (found and found.of(1)) == price


@given(st.integers(0, 10**12 - 1), st.integers(0, 6), st.integers(1, 40))
def test_money_is_exact_decimal_text(amount: int, places: int, segments: int) -> None:
    price = TextPrice("US", Provider.TWILIO, Decimal(amount).scaleb(-places), "USD")

    assert "e" not in price.of(segments).lower()
    assert Decimal(price.of(segments)) == Decimal(amount * segments).scaleb(-places)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        *(
            ({"price": each}, "price")
            for each in ("", "-1", "1e3", ".5", "1.", "0,5", "1" * 7, "0.1234567", "NaN", "٣")
        ),
        *(({"currency": each}, "currency") for each in ("", "usd", "US", "USDT", "U$D")),
        *(({"country": each}, "country") for each in ("", "ZZ", "USA")),
        *(({"provider": each}, "provider") for each in ("", "ses", "Twilio")),
    ],
)
def test_a_price_that_is_none_is_refused_and_changes_nothing(change: dict[str, Any], field: str) -> None:
    world = World()
    world.text_price_table.set(**PRICES[0])

    with pytest.raises(InvalidInputError) as refused:
        world.text_price_table.set(**{**PRICES[0], "price": "1", **change})

    assert [error.field for error in refused.value.errors] == [field]
    assert [each.of(1) for each in world.text_price_table.page(9, None).items] == ["0.0083"]
