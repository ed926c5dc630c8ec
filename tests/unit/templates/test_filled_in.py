"""Filling in some variables of a content, and the others later."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.kernel.categories import Category
from rebound.templates.domain.content import EmailContent, TextContent
from rebound.templates.domain.footers import ALL_LINKS, LINKS
from rebound.templates.domain.rendering import filled_in, render_email, render_text

ADDRESSES: Final = (*ALL_LINKS, "url")
PARTS: Final = st.lists(
    st.sampled_from(
        [
            *("Dear ", "\n", "<p>", "</p>", "&amp; ", "https://example.com/?q=", "mailto:", " "),
            *("##{{own}}", "##{{url}}", "##{{first_name}}", "##{{preferences_url}}", "\\#\\#{{first_name}}"),
            *('<a href="##{{url}}">', '<a href="https://example.com/##{{own}}?x=##{{first_name}}">', "</a>"),
            *('<a href="##{{preferences_url}}">', "<style>p { color: red }</style>"),
        ]
    ),
    min_size=1,
    max_size=12,
).map("".join)
VALUES: Final = st.sampled_from(["", "Yin & Yang", "a b/ö", '<b>"x"</b>', "two\nlines", "{one} {{two}}"])
OTHERS: Final = {"first_name": "Ana", "business_name": "Juniper", **dict.fromkeys(LINKS, "https://example.com/p?a=b&c")}


@given(PARTS, VALUES)
def test_a_text_reads_the_same_in_one_step_and_in_two(body: str, own: str) -> None:
    known, content = {"own": own, "url": "https://example.com/u?v=w&x"}, TextContent(body)
    filled = filled_in(content, known, ADDRESSES)
    assert isinstance(filled, TextContent)
    assert render_text(filled, OTHERS) == render_text(content, {**OTHERS, **known}, ADDRESSES)


@given(PARTS, PARTS, PARTS, VALUES)
def test_an_email_reads_the_same_in_one_step_and_in_two(subject: str, html: str, text: str, own: str) -> None:
    known = {"own": own, "url": "https://example.com/u?v=w&x"}
    content = EmailContent(subject, html, text)
    filled = filled_in(content, known, ADDRESSES)
    assert isinstance(filled, EmailContent)
    kind, language = Category.MARKETING, "en"
    assert render_email(filled, kind, language, OTHERS) == render_email(
        content, kind, language, {**OTHERS, **known}, ADDRESSES
    )


@pytest.mark.parametrize("content", [EmailContent("S", text="T ##{{own}}"), EmailContent("S", "<p>T ##{{own}}</p>")])
def test_a_part_that_is_not_there_stays_so(content: EmailContent) -> None:
    filled = filled_in(content, {"own": "x"})
    assert isinstance(filled, EmailContent)
    assert (filled.html is None, filled.text is None) == (content.html is None, content.text is None)
