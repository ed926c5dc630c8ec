"""A link of a layout may be a variable that is a whole address, and no other."""

from typing import Any, Final

import pytest

from rebound.kernel.errors import InvalidInputError
from rebound.templates.domain.footers import ALL_LINKS
from rebound.templates.domain.layout import Button, Image, Layout
from rebound.templates.domain.layout_reading import read_layout
from rebound.templates.domain.rendering import VARIABLES

DECLARED: Final = ("url", "photo_url", "note", "my.url")
ADDRESSES: Final = (*ALL_LINKS, "url", "photo_url", "my.url")


def read(block: dict[str, Any]) -> Layout:
    return read_layout({"blocks": [block]}, (*DECLARED, *ALL_LINKS, *VARIABLES), VARIABLES, "", ADDRESSES)


def wrong(block: dict[str, Any]) -> str:
    with pytest.raises(InvalidInputError) as caught:
        read(block)
    return str(caught.value)


def button(link: str) -> dict[str, Any]:
    return {"kind": "button", "text": "Sign", "link": link}


def image(source: str) -> dict[str, Any]:
    return {"kind": "image", "source": source, "alt": "A photo"}


@pytest.mark.parametrize(
    ("written", "link"),
    [
        ("##{{url}}", "##{{url}}"),
        ("##{{unsubscribe_url}}", "##{{unsubscribe_url}}"),
        ("##{{url}}?from=email", "##{{url}}?from=email"),
        ("##%7B%7Burl%7D%7D", "##{{url}}"),
        ("http://##{{url}}", "##{{url}}"),
        ("https://a.example/?n=##{{note}}", "https://a.example/?n=##{{note}}"),
    ],
)
def test_a_link_may_be_a_variable_that_is_an_address(written: str, link: str) -> None:
    [block] = read(button(written)).blocks

    assert isinstance(block, Button)
    assert block.link == link


@pytest.mark.parametrize("link", ["##{{note}}", "##{{first_name}}", "##{{myxurl}}", "url", "javascript:##{{url}}"])
def test_a_link_is_no_other_variable(link: str) -> None:
    assert "##{{my.url}}" in wrong(button(link)) or "Unknown variable" in wrong(button(link))


def test_a_picture_may_be_a_variable_of_the_templates_own_and_no_link_of_ours() -> None:
    [block] = read(image("##{{photo_url}}")).blocks

    assert isinstance(block, Image)
    assert block.source == "##{{photo_url}}"
    assert "or be one of ##{{url}}, ##{{photo_url}}" in wrong(image("##{{unsubscribe_url}}"))
