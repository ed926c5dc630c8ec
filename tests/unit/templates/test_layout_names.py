"""Names in layouts that are nearly right are told with the right one; the style of a business is every layout's."""

from collections.abc import Iterator
from typing import Any, Final, get_args

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec import inspect

from rebound.businesses.domain.business import Business
from rebound.businesses.domain.layout_style import Font, Style, all_of, style_options
from rebound.kernel.categories import Category
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.templates.domain.layout import AnyBlock, Layout, Network
from tests.fakes.layouts import IN_COLUMNS, STYLES
from tests.fakes.making import BUSINESS_ID, business
from tests.fakes.world import World


def known_names() -> Iterator[tuple[str, tuple[str, ...]]]:
    """The kinds of blocks, each with the names that a block of it may have."""
    for block in get_args(AnyBlock):
        shape = inspect.type_info(block)
        assert isinstance(shape, inspect.StructType)
        names = [field.encode_name for field in shape.fields]
        yield str(shape.tag), ("kind", *names)


KINDS: Final = tuple(kind for kind, _ in known_names())
SHORTEST: Final = 4
"""Letters of a name that can be known again with one of them wrong."""


PLAIN: Final = {"blocks": [{"kind": "divider"}]}


def misspelt(data: st.DataObject, name: str) -> str:
    """A name as somebody writes it in a hurry, or in another language's manner."""
    at = data.draw(st.integers(1, len(name) - 2))
    wrong: str = data.draw(
        st.sampled_from(
            [
                name[:at] + name[at + 1 :],
                name[:at] + name[at] + name[at:],
                name[:at] + name[at + 1] + name[at] + name[at + 2 :],
                name.upper(),
                name.replace("_", "-"),
                "".join(part.title() for part in name.split("_")),
            ]
        )
    )
    return wrong


def wrong_in(document: object) -> list[FieldError]:
    with pytest.raises(InvalidInputError) as refused:
        World().render_layout(BUSINESS_ID, document, Category.MARKETING)
    return list(refused.value.errors)


@given(st.data())
def test_a_name_of_a_field_that_is_nearly_right_is_told(data: st.DataObject) -> None:
    places = [*known_names(), ("style", Style.__struct_fields__), ("layout", tuple(Layout.__struct_fields__))]
    kind, known = data.draw(st.sampled_from(places))
    name = data.draw(st.sampled_from([each for each in known if len(each) >= SHORTEST]))
    written = misspelt(data, name)
    assume(written not in known)
    document: dict[str, Any] = {"blocks": [{"kind": "divider"}]}
    match kind:
        case "layout":
            path, document[written] = written, 1
        case "style":
            path, document["style"] = f"style.{written}", {written: 1}
        case _:
            path, document["blocks"] = f"blocks[0].{written}", [{"kind": kind, written: 1}]

    [meant] = [error.did_you_mean for error in wrong_in(document) if error.field == path]
    assert meant in known
    assert meant == name or len(name) <= SHORTEST


@given(st.data())
def test_a_word_of_a_closed_set_that_is_nearly_right_is_told(data: st.DataObject) -> None:
    field, known = data.draw(
        st.sampled_from([("kind", KINDS), ("network", tuple(map(str, Network))), ("font", tuple(map(str, Font)))])
    )
    name = data.draw(st.sampled_from([each for each in known if len(each) > SHORTEST]))
    written = misspelt(data, name)
    assume(written not in known)
    documents: dict[str, tuple[str, dict[str, Any]]] = {
        "kind": ("blocks[0].kind", {"blocks": [{"kind": written}]}),
        "network": (
            "blocks[0].links[0].network",
            {"blocks": [{"kind": "social", "links": [{"network": written, "link": "https://a.example"}]}]},
        ),
        "font": ("style.font", {"blocks": [{"kind": "divider"}], "style": {"font": written}}),
    }
    path, document = documents[field]

    [error] = wrong_in(document)
    assert (error.field, error.did_you_mean) == (path, name)


def html_of(sender: Business, style: dict[str, Any], blocks: list[Any]) -> str:
    document = {"blocks": blocks, **({"style": style} if style else {})}
    return World(sender).render_layout(BUSINESS_ID, document, Category.MARKETING).html


@settings(max_examples=30, deadline=None)
@given(STYLES, STYLES, st.lists(IN_COLUMNS, min_size=1, max_size=3))
def test_what_a_layout_does_not_say_is_as_the_business_says(
    theirs: dict[str, Any], own: dict[str, Any], blocks: list[Any]
) -> None:
    styled = business(layout_style=Style(**style_options(theirs, "layout_style")))

    assert html_of(styled, own, blocks) == html_of(business(), {**theirs, **own}, blocks)


VALUES: Final[st.SearchStrategy[Any]] = st.sampled_from(
    [None, True, -1, 0, 30, 31, 6.5, "", "#fff", "#1a73e8", "#1A73E8\n", "red", "Arial", "arial", [], {}]
) | st.builds(
    lambda name, sheet: {"name": name, "stylesheet": sheet},
    st.sampled_from(["Lato", "", "La'to", "x" * 61]),
    st.sampled_from(["https://fonts.example/css?family=Lato", "http://a.example/b", "x"]),
)


@given(st.dictionaries(st.sampled_from([*Style.__struct_fields__, "colour", "textColor"]), VALUES, max_size=4))
def test_a_business_may_set_what_a_layout_may_say_and_nothing_else(style: dict[str, Any]) -> None:
    given = {name: value for name, value in style.items() if value is not None}
    document = {**PLAIN, "style": given}
    try:
        options = style_options(given, "style")
    except InvalidInputError as error:
        refused = {each.field.split(".")[1] for each in error.errors}
        assert refused == {each.field.split(".")[1] for each in wrong_in(document)}
    else:
        World().render_layout(BUSINESS_ID, document, Category.MARKETING)
        assert all_of(Style(**options)).items() >= given.items()
