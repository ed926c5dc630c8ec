"""A line of a text that is nothing but a variable is not there where the variable says nothing."""

import re
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.kernel.categories import Category
from rebound.templates.domain.content import EmailContent, TextContent
from rebound.templates.domain.rendering import VARIABLES, render_email, render_text

NOTHING: Final = ("", " ", "\u200b", "\t")
LINES: Final = st.lists(
    st.sampled_from(["##{{first_name}}", "##{{last_name}}", "See you.", "", "  ", "Hi ##{{first_name}}"])
)


def text(body: str, **values: str) -> str:
    return render_text(TextContent(body), {**dict.fromkeys(VARIABLES, "x"), **values})


@pytest.mark.parametrize("nothing", NOTHING)
@pytest.mark.parametrize(
    ("body", "read"),
    [
        ("Cancelled.\n##{{first_name}}\n##{{last_name}}", "Cancelled.\nSilva"),
        ("Cancelled.\n##{{last_name}}\n##{{first_name}}", "Cancelled.\nSilva"),
        ("Cancelled.\n\n  ##{{first_name}}  \n\nBye", "Cancelled.  \n\nBye"),
        ("Cancelled.\r\n##{{first_name}}\r\nBye", "Cancelled.\r\nBye"),
        ("Hi ##{{last_name}}\n##{{first_name}}\n- Ana", "Hi Silva\n- Ana"),
    ],
)
def test_a_line_that_says_nothing_is_left_out(body: str, read: str, nothing: str) -> None:
    assert text(body, first_name=nothing, last_name="Silva") == read


@pytest.mark.parametrize(
    "body", ["Hi ##{{first_name}}", "##{{first_name}}, hi", "##{{first_name}}##{{last_name}}\nBye"]
)
def test_what_has_more_in_its_line_stays(body: str) -> None:
    assert text(body, first_name="", last_name="") == re.sub(r"##\{\{\w+\}\}", "", body)


@given(LINES)
def test_nothing_is_left_out_where_everything_says_something(lines: list[str]) -> None:
    body = "\n".join(lines)

    assert text(body) == re.sub(r"##\{\{\w+\}\}", "x", body)


@given(LINES)
def test_only_lines_without_words_are_left_out(lines: list[str]) -> None:
    body = "\n".join(lines)
    seen = [line.strip() for line in text(body, first_name="", last_name="").splitlines() if line.strip()]

    assert seen == [line for line in (re.sub(r"##\{\{\w+\}\}", "", each).strip() for each in lines) if line]


def test_both_parts_of_an_email_that_has_text_alone_leave_it_out() -> None:
    values = {**dict.fromkeys(VARIABLES, ""), "preferences_url": "https://l.example.com/p"}
    content = EmailContent("s", None, "Cancelled.\n\n##{{first_name}}\n\nBye")

    email = render_email(content, Category.TRANSACTIONAL, "en", values)

    assert email.text.startswith("Cancelled.\n\nBye\n")
    assert email.html.startswith("<p>Cancelled.<br>\n<br>\nBye</p>")
