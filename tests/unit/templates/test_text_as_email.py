"""What a text says, as an email: nothing of it is lost, and no placeholder is left that an email has not."""

import re
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.kernel.categories import Category
from rebound.kernel.languages import LANGUAGES
from rebound.templates.domain.content import (
    ANY_LANGUAGE,
    EmailContent,
    MadeFrom,
    TemplateContent,
    TextContent,
    read_content,
    written_content,
)
from rebound.templates.domain.footers import links_for, scope_of
from rebound.templates.domain.rendering import VARIABLES, render_email
from rebound.templates.domain.text_as_email import said_by_email, text_as_email, with_link_to_confirm

GIVEN: Final = EmailContent("Given", "<p>Given</p>", "Given")
WORDS: Final = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp"), exclude_characters="{}%&#<")
).filter(lambda words: not re.search(r"www\.|//", words, re.IGNORECASE))
"""Without the beginning of a link: what is filled in to that is encoded."""
PLACEHOLDERS: Final = st.sampled_from(VARIABLES).map(lambda name: f"##{{{{{name}}}}}")


def values(category: Category) -> dict[str, str]:
    links = links_for(category)
    return {name: f"<{name}>" for name in (*VARIABLES, *links, "appointment_url")}


@given(
    parts=st.lists(st.tuples(WORDS, PLACEHOLDERS), min_size=1, max_size=5),
    category=st.sampled_from(Category),
    stops=st.booleans(),
)
def test_the_email_of_a_text_says_what_the_text_says_under_the_name_of_the_business(
    parts: list[tuple[str, str]], category: Category, stops: bool
) -> None:
    stops = stops and scope_of(category) is not None
    body = "".join(word + placeholder for word, placeholder in parts) + (" ##{{stop_url}}" if stops else "")
    filled = values(category)
    email = render_email(text_as_email(TextContent(body)), category, "en", filled)
    expected = body.replace("##{{stop_url}}", filled.get("unsubscribe_url", ""))
    for name in VARIABLES:
        expected = expected.replace(f"##{{{{{name}}}}}", filled[name])

    assert email.text.startswith(expected.rstrip())
    assert email.subject == "<business_name>"
    assert "{{" not in email.text + email.html + email.subject


def test_a_template_goes_by_its_own_email_or_else_in_each_of_its_languages() -> None:
    made = TemplateContent(MadeFrom("t", 1), {"de": TextContent("Hallo"), "en": TextContent("Hello")})
    own = TemplateContent(MadeFrom("t", 1), made.contents, email_content=GIVEN)
    by_email, by_own = said_by_email(made), said_by_email(own)

    assert isinstance(by_email, TemplateContent)
    assert isinstance(by_own, TemplateContent)
    found = by_email.in_language("de")
    assert isinstance(found, EmailContent)
    assert (found.subject, found.text) == ("##{{business_name}}", "Hallo")
    assert by_own.contents == {ANY_LANGUAGE: GIVEN}
    assert by_own.in_language("de") == GIVEN


@pytest.mark.parametrize("content", [TextContent("Hi"), TextContent("Hi", GIVEN), GIVEN])
def test_content_is_kept_with_its_email(content: TextContent | EmailContent) -> None:
    assert read_content(written_content(content)) == content
    assert "email_content" not in written_content(TextContent("Hi"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("html", ["<p>Come?</p>", "<html><body><p>Come?</p></body></html>", None])
@pytest.mark.parametrize("text", ["Come?", None])
def test_each_part_of_an_email_that_asks_has_the_link_once(language: str, html: str | None, text: str | None) -> None:
    content = EmailContent("Come?", html, text or (None if html else "Come?"))
    email = render_email(
        with_link_to_confirm(content, language), Category.REMINDER, language, values(Category.REMINDER)
    )

    assert email.text.count("<appointment_url>") == 1
    assert email.html.count("&lt;appointment_url&gt;") >= 1
    assert "{{" not in email.text + email.html
