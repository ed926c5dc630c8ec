"""Declared variables: what may be declared, what may be given, and what a recipient reads."""

from copy import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.customers.domain import PROFILE, Kind
from rebound.kernel.errors import InvalidInputError
from rebound.kernel.languages import LANGUAGES
from rebound.templates.domain.footers import ALL_LINKS
from rebound.templates.domain.rendering import VARIABLES
from rebound.templates.domain.typed_values import Reader, VariableType, checked, written
from rebound.templates.domain.variables import (
    MOST_VARIABLES,
    Declared,
    Filled,
    Variable,
    check_declared,
    check_given,
    check_required,
    examples_of,
    filled,
    links_of,
    missing_of,
)

ROME: Final = Reader("it", "IT", "Europe/Rome")
NEW_YORK: Final = Reader("en", "US", "America/New_York")
TEXT, NUMBER, MONEY, DATE, TIME, URL = VariableType
EMPTY: Final = (None, "", " ", "\t\n", "\u00a0", "\u200b \ufeff", {"amount": None, "currency": "EUR"})
OF_EACH: Final[dict[VariableType, Any]] = {
    TEXT: "Cut",
    NUMBER: 12.5,
    MONEY: {"amount": "12.50", "currency": "EUR"},
    DATE: "2026-12-31",
    TIME: "2026-12-31T17:30:00+01:00",
    URL: "https://salon.example/b?id=1",
}

NO_CURRENCIES: Final[list[Any]] = ["EURO", "E", "ZZZ", "€", None, 5, "EUR USD"]
NO_AMOUNTS: Final[list[Any]] = ["1.234", "x", "1,5", True, [], 1e300]
WRONG: Final[dict[VariableType, list[Any]]] = {
    TEXT: [[], {}, True, "x" * 1001, "a\x00b", "a\x1bb", "\ud800"],
    NUMBER: ["1,5", "1e5", "٣", True, "0x1", [], 1e300, float("nan"), float("inf"), 0.1 + 0.2],
    MONEY: [
        *(12, "12", "$12", "12.50", "EUR", "EUR 1 EUR", "1,50 EUR", [], True, {"amount": "1"}, {"currency": "EUR"}),
        {"amount": 1, "currency": "EUR", "x": 1},
        {"amount": "12.5", "currency": "JPY"},
        *({"amount": "1", "currency": wrong} for wrong in NO_CURRENCIES),
        *({"amount": wrong, "currency": "EUR"} for wrong in NO_AMOUNTS),
    ],
    DATE: [
        *("31.12.2026", "2026-02-29", "2026-13-01", "today", "20261231", 2026, "0000-01-01", []),
        *("2026-12-31T25:00", "2026-12-31T", "2026-12-31T17:30+1", "9999-12-31T00:00Z"),
    ],
    TIME: ["5pm", "17.30", "24:00", "17", "1730", "17:30Z", "17:60", 17, "2026-12-31"],
    URL: [
        *("salon.example", "javascript:alert(1)", "//x.example", "https://", "http:///a", "mailto:a", 5, "https://[x"),
        *("https://a.example/ b", 'https://a.example/"', "https://a.example/\nx", "https://a.example/{{x}}"),
        *("https://a.example/" + "x" * 2000, "data:text/html,x", "https:a.example"),
    ],
}


def refusals(declared: Declared, given: dict[str, Any] | None = None) -> dict[str, str]:
    try:
        check_declared(declared)
        if given is not None:
            check_given(declared, given)
    except InvalidInputError as error:
        return {each.field: each.message for each in error.errors}
    return {}


def said(kind: VariableType, value: object, reader: Reader = ROME) -> str:
    """What a value reads like on the whole way: given, kept, filled in."""
    declared = {"it": Variable(kind)}
    return filled(declared, check_given(declared, {"it": value}), {}, reader).values["it"]


# --- what may be declared ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a", "aptTime", "apt_time", "Z9_", "x" * 64])
def test_a_name_is_a_letter_and_letters_digits_and_underscores(name: str) -> None:
    assert refusals({name: Variable()}) == {}


@pytest.mark.parametrize("name", ["", "9a", "_a", "a b", "a-b", "ä", "a}", "x" * 65, "##{{a}}", "a\n"])
def test_another_name_is_refused(name: str) -> None:
    assert refusals({name: Variable()}).keys() == {f"variables.{name}"}


@pytest.mark.parametrize("name", ALL_LINKS)
def test_a_link_of_rebounds_cannot_be_declared(name: str) -> None:
    assert "Is a link" in refusals({name: Variable(URL)})[f"variables.{name}"]


@pytest.mark.parametrize("name", VARIABLES)
@pytest.mark.parametrize("kind", VariableType)
def test_a_variable_that_every_template_has_can_be_declared_as_what_it_is(name: str, kind: VariableType) -> None:
    is_date = name in PROFILE and PROFILE[name].kind is Kind.DATE

    assert (refusals({name: Variable(kind)}) == {}) is (kind is TEXT or (kind is DATE and is_date))


def test_two_names_that_differ_in_style_alone_are_refused() -> None:
    assert refusals({"aptTime": Variable(), "apt_time": Variable()}).keys() == {"variables.apt_time"}


def test_there_are_so_many_variables_at_most() -> None:
    assert refusals({f"v{n}": Variable() for n in range(MOST_VARIABLES)}) == {}
    assert refusals({f"v{n}": Variable() for n in range(MOST_VARIABLES + 1)}).keys() == {"variables"}


@pytest.mark.parametrize("kind", VariableType)
def test_a_default_and_an_example_are_of_the_type(kind: VariableType) -> None:
    wrong, right = WRONG[kind][0], OF_EACH[kind]

    assert refusals({"it": Variable(kind, default=right, example=right)}) == {}
    assert refusals({"it": Variable(kind, default=wrong, example=right)}).keys() == {"variables.it.default"}
    assert refusals({"it": Variable(kind, default=" ", example=wrong)}).keys() == {"variables.it.example"}


# --- what may be given ------------------------------------------------------------------------------------------------


def test_an_unknown_name_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(InvalidInputError) as caught:
        check_given({"apt_time": Variable(), "note": Variable()}, {"aptTime": "x", "zzz": "x", "first_name": "Ana"})
    errors = {each.field: each for each in caught.value.errors}

    assert errors["variables.aptTime"].did_you_mean == "apt_time"
    assert errors["variables.aptTime"].message == (
        "No such variable; the template has apt_time, note. Did you mean apt_time?"
    )
    assert errors["variables.zzz"].did_you_mean is None
    assert "by itself" in errors["variables.first_name"].message


def test_a_customers_own_value_can_be_given_where_the_template_declares_it() -> None:
    declared = {"first_name": Variable()}
    given = check_given(declared, {"first_name": "Dr Silva"})

    assert filled(declared, given, {"first_name": "Ana"}, ROME).values == {"first_name": "Dr Silva"}


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, wrong in WRONG.items() for value in wrong])
def test_a_value_of_another_type_is_refused_with_what_is_allowed(kind: VariableType, value: object) -> None:
    message = refusals({"it": Variable(kind)}, {"it": value})["variables.it"]

    assert message.endswith(".")


anything: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(VariableType), anything)
def test_whatever_is_given_is_read_or_refused_and_what_is_kept_is_read_again(kind: VariableType, value: object) -> None:
    declared = {"it": Variable(kind)}
    try:
        kept = check_given(declared, {"it": value})
    except InvalidInputError:
        return

    assert check_given(declared, kept) == kept
    assert filled(declared, kept, {}, NEW_YORK).missing == ()


# --- what is empty ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nothing", EMPTY)
@pytest.mark.parametrize("kind", VariableType)
def test_what_is_empty_is_filled_by_the_default_or_is_missing(kind: VariableType, nothing: object) -> None:
    default = OF_EACH[kind]
    declared = {
        "has_default": Variable(kind, required=True, default=default),
        "needed": Variable(kind, required=True, default=nothing),
        "may_be_empty": Variable(kind),
        "not_given": Variable(kind, required=True),
    }
    given = check_given(declared, dict.fromkeys(("has_default", "needed", "may_be_empty"), nothing))
    result = filled(declared, given, {}, ROME)

    assert given == {}
    assert result == Filled(
        {"has_default": written(kind, default, ROME), "needed": "", "may_be_empty": "", "not_given": ""},
        ("needed", "not_given"),
    )
    with pytest.raises(InvalidInputError) as caught:
        check_required(declared, result.missing)
    assert [error.field for error in caught.value.errors] == ["variables.needed", "variables.not_given"]


@pytest.mark.parametrize("nothing", ["", " ", "\u00a0"])
def test_a_value_of_the_customer_may_be_required_or_have_a_default(nothing: str) -> None:
    declared = {
        "first_name": Variable(default="there"),
        "gender": Variable(required=True),
        "postal_address": Variable(),
    }

    assert filled(declared, {}, dict.fromkeys(declared, nothing), ROME) == Filled(
        {"first_name": "there", "gender": "", "postal_address": ""}, ("gender",)
    )
    assert filled(declared, {}, {**dict.fromkeys(declared, nothing), "gender": "f"}, ROME).missing == ()


def test_nothing_is_refused_where_nothing_is_missing() -> None:
    check_required({"it": Variable(required=True)}, ())


names: Final = st.sampled_from(["first_name", "postal_address", "apt_time", "price"])


@given(
    st.dictionaries(names, st.tuples(st.booleans(), st.sampled_from(["", " ", "x"]))),
    st.dictionaries(names, st.sampled_from(["", " ", "y"])),
    st.dictionaries(names, st.sampled_from(["", " ", "z"])),
)
def test_what_is_missing_is_the_same_whether_or_not_it_is_written(
    rows: dict[str, tuple[bool, str]], given: dict[str, str], known: dict[str, str]
) -> None:
    declared = {name: Variable(required=required, default=default) for name, (required, default) in rows.items()}
    result = filled(declared, given, known, ROME)

    assert missing_of(declared, given, known) == result.missing
    assert all(not result.values[name] and declared[name].required for name in result.missing)
    assert all(result.values[name] or not declared[name].required for name in set(declared) - set(result.missing))


# --- what it reads like -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "value", "in_rome", "in_new_york"),
    [
        (TEXT, " Cut & dry ", "Cut & dry", "Cut & dry"),
        (TEXT, 12, "12", "12"),
        (TEXT, "two\nlines", "two\nlines", "two\nlines"),
        (NUMBER, 1234.5, "1.234,5", "1,234.5"),
        (NUMBER, "12345.50", "12.345,50", "12,345.50"),
        (NUMBER, 30, "30", "30"),
        (NUMBER, -0.0, "0,0", "0.0"),
        (MONEY, {"amount": "1234.5", "currency": "EUR"}, "1.234,50\u00a0€", "€1,234.50"),
        (MONEY, {"amount": 12, "currency": "usd"}, "12,00\u00a0USD", "$12.00"),
        (MONEY, "12.50 EUR", "12,50\u00a0€", "€12.50"),
        (MONEY, "eur12.5", "12,50\u00a0€", "€12.50"),
        (MONEY, "JPY 1200", "1.200\u00a0JPY", "¥1,200"),
        (MONEY, "-3.00 EUR", "-3,00\u00a0€", "-€3.00"),
        (DATE, "2026-12-31", "31 dicembre 2026", "December 31, 2026"),
        (DATE, "2026-12-31T23:30:00Z", "1 gennaio 2027", "December 31, 2026"),
        (DATE, "2026-12-31t23:30", "31 dicembre 2026", "December 31, 2026"),
        (TIME, "17:05", "17:05", "5:05\u202fPM"),
        (TIME, "17:05:30.25", "17:05", "5:05\u202fPM"),
        (TIME, "2026-07-01T17:05:00+02:00", "17:05", "11:05\u202fAM"),
        (TIME, "2026-07-01 17:05", "17:05", "5:05\u202fPM"),
        (TIME, "2026-12-31T17:05z", "18:05", "12:05\u202fPM"),
        (URL, " https://salon.example/b?id=1#x ", "https://salon.example/b?id=1#x", "https://salon.example/b?id=1#x"),
    ],
)
def test_a_value_is_written_in_the_readers_language_and_zone(
    kind: VariableType, value: object, in_rome: str, in_new_york: str
) -> None:
    assert said(kind, value, ROME) == in_rome
    assert said(kind, value, NEW_YORK) == in_new_york


@pytest.mark.parametrize(
    ("language", "country", "day", "hour", "price"),
    [
        ("en", "GB", "5 March 2027", "17:05", "£1,234.50"),
        ("en", "DE", "5 March 2027", "17:05", "1.234,50\u00a0£"),
        ("de", "DE", "5. März 2027", "17:05", "1.234,50\u00a0£"),
        ("de", "US", "5. März 2027", "17:05", "1.234,50\u00a0£"),
        ("es", "ES", "5 de marzo de 2027", "17:05", "1.234,50\u00a0GBP"),
        ("es", "US", "5 de marzo de 2027", "5:05\u202fp.m.", "GBP1,234.50"),
        ("fr", "FR", "5 mars 2027", "17:05", "1\u202f234,50\u00a0£GB"),
        ("pt", "BR", "5 de março de 2027", "17:05", "£\u00a01.234,50"),
        ("pt", "PT", "5 de março de 2027", "17:05", "1\u00a0234,50\u00a0£"),
        ("it", "CH", "5 marzo 2027", "17:05", "£\u00a01'234.50"),
    ],
)
def test_the_country_of_the_business_decides_where_a_language_is_written_in_several(
    language: str, country: str, day: str, hour: str, price: str
) -> None:
    reader = Reader(language, country, "UTC")

    assert [said(kind, value, reader) for kind, value in ((DATE, "2027-03-05"), (TIME, "17:05"))] == [day, hour]
    assert said(MONEY, "1234.50 GBP", reader) == price


@given(
    st.sampled_from(LANGUAGES),
    st.sampled_from(["US", "DE", "CH", "FR", "CA", "BR", "ES", "IN", "MX", "XX"]),
    st.builds(datetime.combine, st.dates(date(1000, 1, 2), date(9998, 12, 30)), st.times()),
    st.decimals(-(10**9), 10**9, places=2),
)
def test_a_text_gets_no_space_that_would_make_it_longer(
    language: str, country: str, at: datetime, amount: Decimal
) -> None:
    reader = Reader(language, country, "UTC", spaces_may_break=True)
    values = [
        (DATE, at.date().isoformat()),
        (TIME, f"{at:%H:%M}"),
        (NUMBER, str(amount)),
        (MONEY, {"amount": str(amount), "currency": "EUR"}),
    ]

    for kind, value in values:
        assert not set(said(kind, value, reader)) & set("\u00a0\u202f\u2009\u2019\u200f\u200e")


@given(
    st.builds(datetime.combine, st.dates(date(1971, 1, 1), date(2100, 1, 1)), st.times(), st.just(UTC)),
    st.sampled_from(["Europe/Rome", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati"]),
    st.sampled_from(range(-14, 15)),
)
def test_a_moment_is_the_same_from_whatever_offset_it_is_given(at: datetime, zone: str, hours: int) -> None:
    reader = Reader("de", "DE", zone)
    there = at.astimezone(ZoneInfo(zone))
    elsewhere = (at + timedelta(hours=hours)).replace(tzinfo=None).isoformat() + f"{hours:+03}:00"

    assert said(TIME, elsewhere, reader) == f"{there:%H:%M}"
    assert said(DATE, elsewhere, reader) == said(DATE, there.date().isoformat(), reader)


@given(st.dates(date(1000, 1, 1), date(9998, 12, 31)), st.times(), st.sampled_from(LANGUAGES))
def test_what_has_no_offset_is_local_already(day: date, hour: time, language: str) -> None:
    reader = Reader(language, "US", "Pacific/Kiritimati")
    together = f"{day.isoformat()}T{hour:%H:%M:%S}"

    assert said(DATE, together, reader) == said(DATE, day.isoformat(), reader)
    assert said(TIME, together, reader) == said(TIME, f"{hour:%H:%M}", reader)
    assert str(day.year) in said(DATE, together, reader)


@given(st.decimals(-(10**14), 10**14, places=2), st.sampled_from(LANGUAGES), st.sampled_from(["US", "IN", "CH"]))
def test_no_digit_of_an_amount_is_lost(amount: Decimal, language: str, country: str) -> None:
    reader = Reader(language, country, "UTC")
    digits = "".join(filter(str.isdigit, f"{amount:f}"))

    assert "".join(filter(str.isdigit, said(MONEY, f"{amount:f} EUR", reader))) == digits
    assert "".join(filter(str.isdigit, said(NUMBER, f"{amount:f}", reader))) == digits


def test_a_birthday_is_written_where_it_is_declared_as_a_date() -> None:
    known = {"birthday": "1990-02-03"}

    assert filled({"birthday": Variable(DATE)}, {}, known, ROME).values == {"birthday": "3 febbraio 1990"}
    assert filled({"birthday": Variable(TEXT)}, {}, known, ROME).values == known


# --- examples ---------------------------------------------------------------------------------------------------------


@given(st.sampled_from(VariableType), st.booleans(), st.booleans())
def test_a_preview_shows_the_example_else_the_default_else_some_value(
    kind: VariableType, has_example: bool, has_default: bool
) -> None:
    variable = Variable(
        kind,
        required=True,
        example=OF_EACH[kind] if has_example else " ",
        default=OF_EACH[kind] if has_default else None,
    )
    shown = examples_of({"apt": variable})

    assert filled({"apt": variable}, check_given({"apt": variable}, shown), {}, ROME).missing == ()
    assert (shown["apt"] == OF_EACH[kind]) or not (has_example or has_default)


REFUND: Final = Variable(
    texts={"card": {"en": "Back on your card.", "it": "Sulla sua carta."}, "gift_card": {"de": "Gutgeschrieben."}}
)


@pytest.mark.parametrize(
    ("value", "reader", "said"),
    [
        ("card", ROME, "Sulla sua carta."),
        (" card\n", ROME, "Sulla sua carta."),
        ("card", NEW_YORK, "Back on your card."),
        ("card", replace(ROME, language="pt"), "Back on your card."),
        ("gift_card", ROME, "Gutgeschrieben."),
        ("We talk about it.", ROME, "We talk about it."),
        ("Card", ROME, "Sulla sua carta."),
        ("CARD ", ROME, "Sulla sua carta."),
        ("Cards", ROME, "Cards"),
        ("", ROME, ""),
    ],
)
def test_the_word_for_a_case_is_written_as_its_text_in_the_readers_language(
    value: str, reader: Reader, said: str
) -> None:
    given = check_given({"refund": REFUND}, {"refund": value})

    assert filled({"refund": REFUND}, given, {}, reader).values == {"refund": said}


def test_a_default_and_an_example_may_be_words_for_cases() -> None:
    declared = {"refund": replace(REFUND, default="card", example="gift_card")}

    check_declared(declared)
    assert filled(declared, {}, {}, ROME).values == {"refund": "Sulla sua carta."}
    assert filled(declared, examples_of(declared), {}, ROME).values == {"refund": "Gutgeschrieben."}


@pytest.mark.parametrize(
    ("word", "meant"), [("crad", "card"), ("CRAD", "card"), ("giftcard", "gift_card"), ("paypal", None)]
)
def test_a_mistaken_word_is_not_taken_for_a_text(word: str, meant: str | None) -> None:
    with pytest.raises(InvalidInputError, match="Must be one of card, gift_card, or a text of more") as caught:
        check_given({"refund": REFUND}, {"refund": word})

    assert [(error.field, error.did_you_mean) for error in caught.value.errors] == [("variables.refund", meant)]
    with pytest.raises(InvalidInputError):
        check_declared({"refund": replace(REFUND, default=word)})


@pytest.mark.parametrize(
    ("texts", "field"),
    [
        ({}, ""),
        ({f"k{number}": {"en": "x"} for number in range(21)}, ""),
        ({"Card": {"en": "x"}}, ".Card"),
        ({"": {"en": "x"}}, "."),
        ({"card": {}}, ".card"),
        ({"card": {"nl": "x"}}, ".card.nl"),
        ({"card": {"en": " "}}, ".card.en"),
        ({"card": {"en": "x" * 1001}}, ".card.en"),
        ({"card": {"en": "Hello ##{{first_name}}"}}, ".card.en"),
    ],
)
def test_texts_that_nobody_could_be_sent_are_refused(texts: dict[str, dict[str, str]], field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        check_declared({"refund": Variable(texts=texts)})

    assert [error.field for error in caught.value.errors] == [f"variables.refund.texts{field}"]


@pytest.mark.parametrize("kind", [kind for kind in VariableType if kind is not TEXT])
def test_other_values_have_no_cases(kind: VariableType) -> None:
    with pytest.raises(InvalidInputError, match=r"variables\.v\.texts"):
        check_declared({"v": replace(REFUND, type=kind)})


def test_addresses_are_told_apart_from_other_variables() -> None:
    assert links_of({kind.value: Variable(kind) for kind in VariableType}) == ("url",)
    assert checked(URL, " https://x.example ") == "https://x.example"
