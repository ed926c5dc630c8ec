"""What the OpenAPI document says of filters is what the compiler takes, no more and no less."""

import re
from collections.abc import Mapping
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from rebound.customers.domain import TEXT_FIELDS
from rebound.kernel.errors import InvalidInputError
from rebound.segments.domain.filters import compile_filter
from rebound.segments.http.filter_language import Filter
from tests.fakes import strategies

SCHEMA: Final = Filter.model_json_schema()
CONDITIONS: Final = [
    re.sub(r"(?<=[a-z])([A-Z])", r"_\1", kind["$ref"].removeprefix("#/$defs/Filter")).lower()
    for kind in SCHEMA["$defs"]["Filter"]["anyOf"]
]
DOCUMENTED: Final = Draft202012Validator(SCHEMA)


def compiles(tree: object) -> bool:
    try:
        compile_filter(tree)
    except InvalidInputError:
        return False
    return True


@given(strategies.filters)
def test_what_compiles_is_documented(tree: Mapping[str, Any]) -> None:
    assert compiles(tree)
    assert DOCUMENTED.is_valid(tree)


WORDS: Final = (
    "segment",
    "birthday",
    "all",
    "any",
    "not",
    "tag",
    "failed",
    "consent",
    "field",
    "equals",
    "in",
    "present",
    "before",
    "after",
)
MOSTLY_RIGHT: Final[st.SearchStrategy[Any]] = st.sampled_from(
    [
        *(
            1,
            0,
            400,
            401,
            3.5,
            "100.00",
            "0.00",
            "1e3",
            "EUR",
            "eur",
            "yoga",
            "",
            True,
            False,
            None,
            [],
            ["a", "b"],
            [1],
        ),
        *({"any": ["a"]}, {"any": []}, {"any": "a"}, {"all": ["a"]}, "active", "never", "gone"),
    ]
)
ASKED: Final = {
    "visits": [
        *("at_least", "at_most", "within_days", "class_id", "class_type", "template_id", "series_id", "location_id"),
    ],
    "last_visit": ["before_days", "within_days"],
    "bookings": ["upcoming", "class_id", "location_id"],
    "purchases": ["at_least", "amount_at_least", "currency", "within_days", "product_id"],
    "membership": ["id", "is"],
    "birthday": ["within_days", "before_days"],
}
ABOUT_ACTIVITY: Final = st.sampled_from(sorted(ASKED)).flatmap(
    lambda name: st.dictionaries(st.sampled_from([*ASKED[name], "of"]), MOSTLY_RIGHT, max_size=3).map(
        lambda asked: {name: asked}
    )
)
"""Conditions about what customers did, of the right words and of values that may be right."""
VALUES: Final = st.sampled_from(
    [
        True,
        {"within_days": 400},
        {"within_days": 401},
        {"within": 7},
        "vip",
        " ",
        "",
        "email",
        "fax",
        "gender",
        "birthday",
        "2026-02-28",
        "2026-2-8",
        "general_tags",
        [],
        ["f"],
        [1],
        {},
        5,
    ]
)
CONSENT: Final[st.SearchStrategy[dict[str, Any]]] = st.dictionaries(
    st.sampled_from(["channel", "scope", "is", "who"]),
    st.sampled_from(["email", "sms", "text", "all", "marketing", "opted_in", "opted_out", "confirmed", None, [], 1]),
    max_size=3,
) | st.fixed_dictionaries(
    {
        "channel": st.sampled_from(["email", "sms", "text", ["sms"]]),
        "scope": st.sampled_from(["all", "marketing", "loyalty", "reminder", {}]),
        "is": st.sampled_from(["opted_in", "opted_out", "confirmed", "not_confirmed", True]),
    }
)
NEARLY: Final = st.recursive(
    st.dictionaries(st.sampled_from(WORDS), VALUES, max_size=3) | st.builds(lambda asked: {"consent": asked}, CONSENT),
    lambda inner: st.dictionaries(st.sampled_from(WORDS), inner | st.lists(inner, max_size=3) | VALUES, max_size=2),
    max_leaves=6,
)
"""Made of the language's words, right or wrong."""


@given(NEARLY)
def test_of_everything_made_of_its_words_the_same_is_documented_and_taken(tree: Mapping[str, Any]) -> None:
    assert DOCUMENTED.is_valid(tree) is compiles(tree)


@settings(max_examples=1000)
@given(ABOUT_ACTIVITY)
def test_of_every_condition_about_activity_the_same_is_documented_and_taken(tree: Mapping[str, Any]) -> None:
    assert DOCUMENTED.is_valid(tree) is compiles(tree)


@given(strategies.json_values)
def test_of_any_json_the_same_is_documented_and_taken(tree: object) -> None:
    assert DOCUMENTED.is_valid(tree) is compiles(tree)


@pytest.mark.parametrize("field", sorted(TEXT_FIELDS))
def test_each_field_is_documented(field: str) -> None:
    assert DOCUMENTED.is_valid({"field": field, "present": True})
    assert field in SCHEMA["$defs"]["FilterField"]["enum"]


def test_the_conditions_are_those_that_a_refusal_names() -> None:
    with pytest.raises(InvalidInputError) as refused:
        compile_filter({"leaf": 1})
    named = refused.value.errors[0].message.removesuffix(".").split("one of ")[1].split(", ")
    kinds = dict.fromkeys(("equals", "in", "present", "before", "after", "between"), "field")
    assert {kinds.get(name, name) for name in CONDITIONS} == set(named)
