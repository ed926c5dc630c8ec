"""Two braces side by side never go out, whatever a content and the values of its recipient are made of."""

import html as html_of
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from rebound.kernel.categories import Category
from rebound.kernel.errors import InvalidInputError
from rebound.kernel.languages import LANGUAGES
from rebound.templates.adapters.mrml_renderer import MrmlRenderer
from rebound.templates.adapters.nh3_cleaner import Nh3Cleaner
from rebound.templates.application.render_layout import RenderLayout, content_of
from rebound.templates.domain.content import EmailContent, TextContent
from rebound.templates.domain.footers import ALL_LINKS
from rebound.templates.domain.rendering import VARIABLES, check_content, render_email, render_text
from tests.contract.templates.fakes import MemoryTemplatesPorts
from tests.fakes.layouts import LAYOUTS
from tests.fakes.making import BUSINESS_ID, business

LINK: Final = "https://r.example.com/x"
FRAGMENTS: Final = st.sampled_from(
    [
        *(
            "##{{first_name}}",
            "##{{ last_name }}",
            "##&#123;{first_name}}",
            "##{{unsubscribe_url}}",
            "##{{business_name}}",
        ),
        *("{", "}", "{{", "}}", "{{{", "##", "##{{", "#", " ", "\n", "a", "first_name", "frist_name", ";", ":", "1"),
        *("{{first_name}}", "{{x}}", "{{1}}", "{{a;b}}", "{ {", "&#123;", "&lbrace;", "&#125;", "\u200b", "%7B%7B"),
        *("<b>", "</b>", "<p>", "</p>", "<style>a{{b}}</style>", "<!-- {{x}} -->", '<a href="', '">x</a>', "<br {{>"),
        *("https://x.example/?a=", "&", "<style>", "</style>", "<!--", "-->", "<!--[if mso]>", "<![endif]-->", "｛｛"),
    ]
)
WRITTEN: Final = st.lists(FRAGMENTS, max_size=12).map("".join)
VALUE: Final = st.text("{}# \nab<>&\"'", max_size=8) | st.sampled_from(
    ["{{first_name}}", "##{{last_name}}", "{", "}", ""]
)


@st.composite
def values(draw: st.DrawFn) -> Mapping[str, str]:
    """A value for every variable, also for those that a content could not be posted with."""
    other = draw(VALUE)
    known = {**{name: draw(VALUE) for name in VARIABLES}, **dict.fromkeys(ALL_LINKS, LINK)}
    return defaultdict(lambda: other, known)


def is_accepted(content: EmailContent | TextContent) -> bool:
    try:
        check_content(content, Category.MARKETING)
    except InvalidInputError:
        return False
    return True


def seen(markup: str) -> str:
    """What of HTML somebody sees, tags and what has no width apart."""
    shown = re.sub(r"(?is)<(style|script)\b.*?(</\1\s*>|$)|<!--.*?(-->|$)", " ", markup)
    return html_of.unescape(re.sub(r"<[^<>]*>|\u200b", "", shown))


@given(WRITTEN, WRITTEN | st.none(), WRITTEN | st.none(), values(), st.sampled_from(LANGUAGES))
def test_no_email_has_two_braces(
    subject: str, html: str | None, text: str | None, filled: Mapping[str, str], language: str
) -> None:
    content = EmailContent(subject, html or "", text)
    email = render_email(content, Category.MARKETING, language, filled)

    for part in (email.subject, email.html, email.text):
        assert "{{" not in part


@given(LAYOUTS, values())
def test_no_email_from_a_layout_has_two_braces(layout: Mapping[str, Any], filled: Mapping[str, str]) -> None:
    businesses = MemoryTemplatesPorts(business()).businesses
    render = RenderLayout(mjml_renderer=MrmlRenderer(), html_cleaner=Nh3Cleaner(), businesses=businesses)
    try:
        content = content_of(render(BUSINESS_ID, layout, Category.MARKETING, ""), "")
    except InvalidInputError:
        return
    email = render_email(content, Category.MARKETING, "en", filled)

    for part in (email.subject, email.html, email.text):
        assert "{{" not in part


@given(WRITTEN, values())
def test_no_text_has_two_braces(body: str, filled: Mapping[str, str]) -> None:
    assert "{{" not in render_text(TextContent(body), filled)


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(WRITTEN)
def test_nobody_sees_two_braces_that_were_written(html: str) -> None:
    content = EmailContent("s", html or "x")
    assume(is_accepted(content))
    email = render_email(
        content, Category.MARKETING, "en", {**dict.fromkeys(VARIABLES, "Ana"), **dict.fromkeys(ALL_LINKS, LINK)}
    )

    assert "{{" not in seen(email.html)


# --- what is refused, with its place ----------------------------------------------------------------------------------


def refusals(content: EmailContent | TextContent) -> dict[str, str]:
    try:
        check_content(content, Category.MARKETING)
    except InvalidInputError as error:
        return {each.field: each.message for each in error.errors}
    return {}


UNCLOSED: Final = (
    "##{{first_name",
    "##{{",
    "{{",
    "{{first_name",
    "{{ x",
    "{{x} y",
    "##{{x} {{y",
    "##{{" + "x" * 65 + "}}",
)


@pytest.mark.parametrize("written", UNCLOSED)
def test_braces_that_are_not_closed_are_refused_with_their_place_in_every_part(written: str) -> None:
    assert refusals(EmailContent(f"Hi\n{written}", text="x"))["content.subject"].startswith("Line 2: ")
    assert refusals(EmailContent("s", f"<p>Hi\n{written}</p>"))["content.html"].startswith("Line 2: ")
    assert refusals(EmailContent("s", f"<p>\n{written}</p><style>a{{b:c}}}}</style>")).keys() == {"content.html"}
    assert refusals(EmailContent("s", text=f"Hi\n\n{written}"))["content.text"].startswith("Line 3: ")
    assert refusals(TextContent(f"Hi {written}"))["content.body"].startswith("Line 1: ")


@pytest.mark.parametrize(
    "written", ['{{first_name, "you"}}', "{{ firstName ?? 1 }}", "{{#first_name: x}}", "{{first_name\n}}"]
)
def test_a_name_of_ours_in_braces_is_refused_whatever_follows_it(written: str) -> None:
    assert "would reach the customer" in refusals(TextContent(f"Hi {written}"))["content.body"]
    assert "would reach the customer" in refusals(EmailContent("s", f"<p>Hi {written}</p>"))["content.html"]


@pytest.mark.parametrize(
    "html",
    [
        '<a href="https://x.example/?a={{1}}">x</a>',
        "<p {{>x</p>",
        "<p>&#123;&#123;1}}</p>",
        "<p>{<b>{1}}</b></p>",
        "<p>{\u200b{1}}</p>",
        "<!--[if mso]>{{<![endif]-->",
    ],
)
def test_braces_in_a_tag_or_as_an_editor_writes_them_are_refused(html: str) -> None:
    assert refusals(EmailContent("s", html))["content.html"].startswith("Line 1: Has {{")


@pytest.mark.parametrize("within", ["<style>a{}</style>", "<script>1</script>", "<title>x</title>"])
@pytest.mark.parametrize("name", ["first_name", "x"])
def test_a_placeholder_with_something_unseen_within_is_refused(within: str, name: str) -> None:
    assert refusals(EmailContent("s", f"<p>##{within}{{{{{name}}}}}</p>")).keys() == {"content.html"}


@pytest.mark.parametrize("name", ["firstname", "frist_name", "first", "fullName"])
@pytest.mark.parametrize("part", ["subject", "html", "text", "body"])
def test_the_name_that_was_meant_is_told_in_every_part(part: str, name: str) -> None:
    said: dict[str, Any] = {"subject": "s", "text": "t", part: f"Hi\n##{{{{first_name}}}} ##{{{{{name}}}}}"}
    content = TextContent(said["body"]) if part == "body" else EmailContent(**said)
    with pytest.raises(InvalidInputError) as caught:
        check_content(content, Category.MARKETING)
    [error] = caught.value.errors

    assert (error.field, error.did_you_mean) == (f"content.{part}", "full_name" if name == "fullName" else "first_name")
    assert error.message.startswith(f"Line 2: Unknown variable ##{{{{{name}}}}}")
    assert f"Did you mean ##{{{{{error.did_you_mean}}}}}?" in error.message


def test_the_name_that_was_meant_is_told_where_hashes_are_missing_too() -> None:
    with pytest.raises(InvalidInputError) as caught:
        check_content(TextContent("Hi {{frist_name}}"), Category.MARKETING)
    [error] = caught.value.errors

    assert error.did_you_mean == "first_name"
    assert "Did you mean ##{{first_name}}?" in error.message
