"""For whom there is nothing to send is known beforehand, and asked only of content that does not suit everybody."""

from typing import Final

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from rebound.kernel.categories import Category
from rebound.kernel.languages import LANGUAGES
from rebound.templates.domain.content import MAX_TEXT_CHARACTERS, Content, EmailContent, TextContent
from rebound.templates.domain.rendering import (
    MAX_EMAIL_CHARACTERS,
    VARIABLES,
    as_data,
    size_of,
)
from rebound.templates.domain.sendable import (
    MAX_SUBJECT,
    email_to_send,
    is_always_sendable,
    is_sendable,
    text_to_send,
)
from tests.fakes.making import GREETING, SHORT_GREETING, at, business, customer

WORDS: Final = st.sampled_from(
    ["", " ", "Hello ", "\n", "ÄÖ", "<p>", "##{{first_name}}", "##{{birthday}}", "##{{ gender }}"]
)
NAMES: Final = st.text(
    st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn"]), min_size=1, max_size=100
) | st.sampled_from(['"' * 100, "\N{GRINNING FACE}" * 100, "Ana"])
TEMPLATES: Final = st.builds(
    lambda words, times: "".join(words) * times, st.lists(WORDS, max_size=4), st.integers(1, 40)
)


@st.composite
def contents(draw: st.DrawFn) -> Content:
    """Texts and emails with and without fixed words, of all sizes."""
    if draw(st.booleans()):
        return TextContent(draw(TEMPLATES))
    html, text = draw(TEMPLATES), draw(TEMPLATES)
    if draw(st.integers(0, 4)) == 0:
        html = html * (90_000 // max(1, len(html)))
    return EmailContent(draw(TEMPLATES), html, draw(st.sampled_from([None, text])))


@settings(max_examples=80, deadline=None)
@given(contents(), NAMES, st.sampled_from(Category), st.sampled_from([None, *LANGUAGES]))
def test_what_suits_everybody_suits_each(content: Content, name: str, category: Category, language: str | None) -> None:
    who = customer(1, first_name=name, gender=name[:32], language=language)
    everybody, one = is_always_sendable(content, category), is_sendable(content, category, who, business())
    event(f"{everybody}, {one}")

    assert one or not everybody


@pytest.mark.parametrize("content", [GREETING, SHORT_GREETING, EmailContent("Hi", "<p>x</p>" * 10_000)])
def test_ordinary_content_is_rendered_for_nobody_beforehand(content: Content) -> None:
    assert is_always_sendable(content, Category.MARKETING)


@pytest.mark.parametrize("subject", ["##{{birthday}}", " ##{{gender}}  ##{{external_id}} ", "##{{day_phone}}\n"])
def test_an_email_needs_a_subject(subject: str) -> None:
    content = EmailContent(subject, "<p>Hi</p>")
    known = customer(1, gender="f", external_id="7", day_phone="+14155550123", birthday=at(0).date())

    assert not is_always_sendable(content, Category.REMINDER)
    assert not is_sendable(content, Category.REMINDER, customer(1), business())
    assert is_sendable(content, Category.REMINDER, known, business())


@pytest.mark.parametrize("extra", [0, 1])
def test_a_subject_and_a_text_may_be_as_long_as_they_may_be(extra: int) -> None:
    subject = EmailContent("##{{first_name}}" + "x" * (MAX_SUBJECT - 3 + extra), text="Hi")
    body = TextContent("##{{first_name}}" + "x" * (MAX_TEXT_CHARACTERS - 3 + extra))
    who = customer(1, first_name="Ana")

    assert is_sendable(subject, Category.REMINDER, who, business()) is (extra == 0)
    assert is_sendable(body, Category.REMINDER, who, business()) is (extra == 0)


def test_an_email_that_is_too_large_for_one_is_sent_to_others() -> None:
    content = EmailContent("Hello", "<p>##{{first_name}}</p>" * 500)
    quotes, plain = customer(1, first_name='"' * 100), customer(2, first_name="Ana")

    assert not is_always_sendable(content, Category.MARKETING)
    assert not is_sendable(content, Category.MARKETING, quotes, business())
    assert is_sendable(content, Category.MARKETING, plain, business())


@given(st.integers(-3, 3))
def test_what_is_sent_is_never_larger_than_ses_takes(beyond: int) -> None:
    values = dict.fromkeys((*VARIABLES, "unsubscribe_url", "preferences_url"), "")
    empty = email_to_send(EmailContent("Hi", "<p></p>", "x"), Category.MARKETING, "en", values)
    assert empty is not None
    room = MAX_EMAIL_CHARACTERS - size_of(as_data(empty))
    content = EmailContent("Hi", "<p>" + "x" * (room + beyond) + "</p>", "x")

    assert (email_to_send(content, Category.MARKETING, "en", values) is None) is (beyond > 0)


def test_a_text_is_sent_as_it_is_rendered() -> None:
    assert text_to_send(SHORT_GREETING, {"first_name": "Ana"}) == "Hi Ana"
    assert text_to_send(TextContent("##{{first_name}}"), {"first_name": " "}) is None


def test_a_text_may_have_as_many_characters_as_its_providers_take() -> None:
    assert text_to_send(TextContent("x" * 1600), {}) == "x" * 1600
    assert text_to_send(TextContent("x" * 1601), {}) is None
