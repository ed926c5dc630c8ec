"""A value goes in as text: never as a template, never as markup, never as another header line."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.domain.campaigns import EmailContent, TextContent
from rebound.domain.errors import InvalidInputError
from rebound.domain.rendering import VARIABLES, check_content, one_line, render_email, render_text, values_of
from tests.fakes.making import business, customer

LINE_ENDS = "\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
tricky = st.text(max_size=30) | st.text(alphabet="#{}<>&'\"\r\n\x00 first_nameé", max_size=40)


def values(**given_values: str) -> dict[str, str]:
    return {**dict.fromkeys(VARIABLES, ""), **given_values}


def shown(template: str, **given_values: str) -> str:
    return render_text(TextContent(template), values(**given_values))


@given(tricky, tricky, tricky, tricky)
def test_any_content_that_passes_the_check_can_be_rendered_with_any_values(
    subject: str, html: str, text: str, value: str
) -> None:
    content = EmailContent(subject, html, text)
    try:
        check_content(content)
    except InvalidInputError:
        return
    email = render_email(content, dict.fromkeys(VARIABLES, value))

    assert not set(email.subject) & set(LINE_ENDS)


@given(tricky)
def test_a_value_is_never_read_as_a_template(value: str) -> None:
    assert shown("[##{{first_name}}]", first_name=value, last_name="SECRET") == f"[{value}]"


def test_a_value_that_is_a_placeholder_itself_stays_as_it_is() -> None:
    assert shown("##{{first_name}} {{{last_name}}}", first_name="##{{last_name}}", last_name="Silva") == (
        "##{{last_name}} {{{last_name}}}"
    )


@given(tricky)
def test_no_value_puts_markup_into_an_email(value: str) -> None:
    email = render_email(EmailContent("s", "<p>##{{first_name}}</p>"), values(first_name=value))
    inside = email.html.removeprefix("<p>").removesuffix("</p>")

    assert not set("<>\"'") & set(inside)


def test_markup_in_a_value_is_shown_and_not_obeyed() -> None:
    email = render_email(EmailContent("s", "<p>##{{first_name}}</p>"), values(first_name="<b>&'\""))

    assert email.html == "<p>&lt;b&gt;&amp;&#x27;&quot;</p>"
    assert email.text == "<b>&'\""


@given(tricky, tricky)
def test_a_subject_is_one_line_whatever_template_and_value_say(template: str, value: str) -> None:
    subject = template.replace("##{{", "") + "##{{first_name}}"

    assert not set(render_email(EmailContent(subject, text="t"), values(first_name=value)).subject) & set(LINE_ENDS)


@pytest.mark.parametrize("line_end", [*LINE_ENDS, "\x00", "\x7f"])
def test_whatever_ends_a_line_becomes_one_space(line_end: str) -> None:
    assert one_line(f"a{line_end}{line_end}b") == "a b"


def test_an_email_without_html_gets_its_text_as_html_with_values_escaped() -> None:
    email = render_email(EmailContent("s", text="Hi ##{{first_name}}\nbye"), values(first_name="<i>"))

    assert email.html == "<p>Hi &lt;i&gt;<br>\nbye</p>"
    assert email.text == "Hi <i>\nbye"


def test_an_email_without_text_gets_its_html_without_tags() -> None:
    email = render_email(EmailContent("s", "<p>Hi <b>##{{first_name}}</b></p>"), values(first_name="Ana"))

    assert email.text.split() == ["Hi", "Ana"]


def test_spaces_around_a_variable_do_not_matter() -> None:
    assert shown("Hi ##{{ first_name }}!", first_name="Ana") == "Hi Ana!"


@pytest.mark.parametrize("field", ["subject", "html", "text"])
def test_a_misspelt_variable_is_refused_and_named_with_its_field(field: str) -> None:
    content = EmailContent(**{"subject": "s", "text": "t", field: "Hi ##{{frist_name}}"})
    with pytest.raises(InvalidInputError) as raised:
        check_content(content)

    assert [error.field for error in raised.value.errors] == [f"content.{field}"]
    assert "##{{frist_name}}" in raised.value.errors[0].message
    assert "first_name" in raised.value.errors[0].message


def test_other_template_languages_placeholders_are_left_alone() -> None:
    check_content(TextContent("{{first_name}} ${x} #{y} %s"))
    assert shown("{{first_name}} ${x} #{y} %s") == "{{first_name}} ${x} #{y} %s"


def test_every_variable_has_a_value_for_a_customer_with_nothing_but_a_name() -> None:
    nobody = customer(email=None, mobile_phone=None)
    rendered = render_text(
        TextContent(" ".join(f"##{{{{{name}}}}}" for name in VARIABLES)), values_of(nobody, business())
    )

    assert "None" not in rendered
    assert "##{{" not in rendered
    assert set(values_of(nobody, business())) == set(VARIABLES)


@pytest.mark.parametrize("part", ["##{{", "<", "##{{first_name}", "##{{first_name}}", "<!--", "&lt"])
def test_the_longest_content_is_checked_and_rendered_in_no_time(part: str) -> None:
    content = EmailContent("s", (part * 100_000)[:100_000])
    started = time.process_time()
    with contextlib.suppress(InvalidInputError):
        check_content(content)
        render_email(content, values())

    assert time.process_time() - started < 1


@pytest.mark.parametrize("unclosed", ["##{{first_name", "##{{first_name}", "Hi ##{{first_name}} and ##{{"])
def test_a_placeholder_that_is_not_closed_is_refused(unclosed: str) -> None:
    with pytest.raises(InvalidInputError):
        check_content(TextContent(unclosed))
