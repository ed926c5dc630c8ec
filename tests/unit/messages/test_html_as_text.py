"""The text part of an email that has only HTML."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.messages.domain.rendering import html_as_text


def test_styles_and_scripts_are_not_read_and_blocks_are_lines() -> None:
    source = (
        "<!DOCTYPE html><head><title>T</title><style>p { color: red }</style></head><h1>Hi &amp; bye</h1>"
        "<script>if (a<b) x()</script><p>One<br>two</p><ul><li>a<li>b</ul><!-- c --><a href='#'>##{{first_name}}</a>"
    )

    assert html_as_text(source) == "Hi & bye\n\nOne\ntwo\n\na\nb\n##{{first_name}}"


@pytest.mark.parametrize("tag", ["style", "script", "title", "head", "STYLE"])
@pytest.mark.parametrize("template", ["<p>One</p></{}><p>Two</p>", "</{}>One<p>Two", "<p>One</{}  ><br>Two</p>"])
def test_an_end_that_nothing_began_takes_nothing_away(tag: str, template: str) -> None:
    assert html_as_text(template.format(tag)).split() == ["One", "Two"]


@pytest.mark.parametrize("source", ["<style>a</script>b</style>One", "<script><style>x</script>One", "<style>a"])
def test_what_is_not_read_ends_with_its_own_end_only(source: str) -> None:
    assert html_as_text(source) == ("One" if "One" in source else "")


@given(st.text(alphabet="<>/ab!-'\" \n&;"))
def test_whatever_is_no_html_is_read_somehow(source: str) -> None:
    text = html_as_text(source)

    assert text == text.strip()
    assert "\n\n\n" not in text
