"""The text part of an email that has only HTML."""

from hypothesis import given
from hypothesis import strategies as st

from rebound.messages.domain.rendering import html_as_text


def test_styles_and_scripts_are_not_read_and_blocks_are_lines() -> None:
    source = (
        "<!DOCTYPE html><head><title>T</title><style>p { color: red }</style></head><h1>Hi &amp; bye</h1>"
        "<script>if (a<b) x()</script><p>One<br>two</p><ul><li>a<li>b</ul><!-- c --><a href='#'>##{{first_name}}</a>"
    )

    assert html_as_text(source) == "Hi & bye\n\nOne\ntwo\n\na\nb\n##{{first_name}}"


@given(st.text(alphabet="<>/ab!-'\" \n&;"))
def test_whatever_is_no_html_is_read_somehow(source: str) -> None:
    text = html_as_text(source)

    assert text == text.strip()
    assert "\n\n\n" not in text
