"""A value goes in as text: never as a template, never as markup, never as another header line."""

import contextlib
import re
import time
from collections.abc import Mapping
from copy import replace
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import Scope
from rebound.kernel.errors import InvalidInputError
from rebound.kernel.languages import LANGUAGES
from rebound.kernel.placeholders import PLACEHOLDER
from rebound.templates.domain.content import EmailContent, TextContent
from rebound.templates.domain.footers import LINKS, PREFERENCES_URL, UNSUBSCRIBE_URL, footer_words, scope_of
from rebound.templates.domain.rendering import (
    MAX_EMAIL_CHARACTERS,
    VARIABLES,
    RenderedEmail,
    as_data,
    check_content,
    one_line,
    render_email,
    render_text,
    size_of,
    values_of,
    warnings_about,
)
from tests.fakes.making import business, customer

LINE_ENDS = "\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
tricky = st.text(max_size=30) | st.text(alphabet="#{}<>&'\"\r\n\x00 first_nameé", max_size=40)


def values(**given_values: str) -> dict[str, str]:
    return {**dict.fromkeys((*VARIABLES, *LINKS), ""), **given_values}


def without_footer(content: EmailContent, given_values: Mapping[str, str]) -> RenderedEmail:
    """A rendered email, but for the footer that it ends with."""
    email = render_email(content, Category.MARKETING, "en", given_values)
    footer = render_email(EmailContent("s", "", ""), Category.MARKETING, "en", given_values)
    assert email.html.endswith(footer.html)
    assert email.text.endswith(footer.text)
    return replace(email, html=email.html.removesuffix(footer.html), text=email.text.removesuffix(footer.text))


def shown(template: str, **given_values: str) -> str:
    return render_text(TextContent(template), values(**given_values))


@given(tricky, tricky, tricky, tricky)
def test_any_content_that_passes_the_check_can_be_rendered_with_any_values(
    subject: str, html: str, text: str, value: str
) -> None:
    content = EmailContent(subject, html, text)
    try:
        check_content(content, Category.MARKETING)
    except InvalidInputError:
        return
    email = render_email(content, Category.MARKETING, "en", dict.fromkeys((*VARIABLES, *LINKS), value))

    assert not set(email.subject) & set(LINE_ENDS)


@given(tricky)
def test_a_value_is_never_read_as_a_template(value: str) -> None:
    assert shown("[##{{first_name}}]", first_name=value, last_name="SECRET") == f"[{re.sub(r'{(?={)', '{ ', value)}]"


def test_a_value_that_is_a_placeholder_itself_is_not_read_and_does_not_look_like_one() -> None:
    assert shown("##{{first_name}}!", first_name="##{{last_name}}", last_name="Silva") == "##{ {last_name}}!"


@given(tricky)
def test_no_value_puts_markup_into_an_email(value: str) -> None:
    email = without_footer(EmailContent("s", "<p>##{{first_name}}</p>"), values(first_name=value))
    inside = email.html.removeprefix("<p>").removesuffix("</p>")

    assert not set("<>\"'") & set(inside.replace("<br>", ""))


def test_markup_in_a_value_is_shown_and_not_obeyed() -> None:
    email = without_footer(EmailContent("s", "<p>##{{first_name}}</p>"), values(first_name="<b>&'\""))

    assert email.html == "<p>&lt;b&gt;&amp;&#x27;&quot;</p>"
    assert email.text == "<b>&'\""


@given(tricky, tricky)
def test_a_subject_is_one_line_whatever_template_and_value_say(template: str, value: str) -> None:
    subject = template.replace("##{{", "") + "##{{first_name}}"

    assert not set(without_footer(EmailContent(subject, text="t"), values(first_name=value)).subject) & set(LINE_ENDS)


@pytest.mark.parametrize("line_end", [*LINE_ENDS, "\x00", "\x7f"])
def test_whatever_ends_a_line_becomes_one_space(line_end: str) -> None:
    assert one_line(f"a{line_end}{line_end}b") == "a b"


def test_an_email_without_html_gets_its_text_as_html_with_values_escaped() -> None:
    email = without_footer(EmailContent("s", text="Hi ##{{first_name}}\nbye"), values(first_name="<i>"))

    assert email.html == "<p>Hi &lt;i&gt;<br>\nbye</p>"
    assert email.text == "Hi <i>\nbye"


def test_an_email_without_text_gets_its_html_without_tags() -> None:
    email = without_footer(EmailContent("s", "<p>Hi <b>##{{first_name}}</b></p>"), values(first_name="Ana"))

    assert email.text.split() == ["Hi", "Ana"]


def test_spaces_around_a_variable_do_not_matter() -> None:
    assert shown("Hi ##{{ first_name }}!", first_name="Ana") == "Hi Ana!"


@pytest.mark.parametrize("field", ["subject", "html", "text"])
def test_a_misspelt_variable_is_refused_and_named_with_its_field(field: str) -> None:
    content = EmailContent(**{"subject": "s", "text": "t", field: "Hi ##{{frist_name}}"})
    with pytest.raises(InvalidInputError) as raised:
        check_content(content, Category.MARKETING)

    assert [error.field for error in raised.value.errors] == [f"content.{field}"]
    assert "##{{frist_name}}" in raised.value.errors[0].message
    assert "first_name" in raised.value.errors[0].message


def test_what_is_no_name_in_two_braces_is_taken_for_text_and_they_are_set_apart() -> None:
    written = "{first_name} ${x} #{y} %s [[a]] {{}} {{ 2 }} {{a:b}} {{$c}}"
    check_content(TextContent(written), Category.MARKETING)

    assert shown(written) == written.replace("{{", "{ {")


def test_every_variable_has_a_value_for_a_customer_with_nothing_but_a_name() -> None:
    nobody = customer(email=None, mobile_phone=None)
    rendered = render_text(
        TextContent(" ".join(f"##{{{{{name}}}}}" for name in VARIABLES)), values_of(nobody, business())
    )

    assert "None" not in rendered
    assert "##{{" not in rendered
    assert set(values_of(nobody, business())) == set(VARIABLES)


@pytest.mark.parametrize(
    "part",
    [
        *("##{{", "<", "##{{first_name}", "##{{first_name}}", "<!--", "&lt", "<a href='", '<a href="', "<a b=", "<p>"),
        *(
            "#<b>",
            "##<b>{",
            "%25",
            "##{{<b>",
            "##{{ ",
            "##{{a",
            "{{a",
            "http://",
            "<style>",
            "</style>",
            "<!--[if",
            "<i",
        ),
        *("<a href=http://##{{first_name}}>", "<div style='display:none'>", "http://##{{unsubscribe_url}}", "\\", "/"),
    ],
)
def test_the_longest_content_is_checked_and_rendered_in_no_time(part: str) -> None:
    content = EmailContent("s", (part * 100_000)[:100_000])
    started = time.process_time()
    with contextlib.suppress(InvalidInputError):
        check_content(content, Category.MARKETING)
        render_email(content, Category.MARKETING, "en", values())

    assert time.process_time() - started < 1


@pytest.mark.parametrize("unclosed", ["##{{first_name", "##{{first_name}", "Hi ##{{first_name}} and ##{{"])
def test_a_placeholder_that_is_not_closed_is_refused(unclosed: str) -> None:
    with pytest.raises(InvalidInputError):
        check_content(TextContent(unclosed), Category.MARKETING)


# --- footers ----------------------------------------------------------------------------------------------------------

UNSUBSCRIBE, PREFERENCES = "https://r.example.com/v1/unsubscribe/T", "https://r.example.com/v1/preferences/T"
PROMOTIONAL = [category for category in Category if category.is_promotional]
OTHERS = [category for category in Category if not category.is_promotional]
WITH_LINKS = {UNSUBSCRIBE_URL: UNSUBSCRIBE, PREFERENCES_URL: PREFERENCES, "business_name": "Bob & Ann's"}


def with_links(content: EmailContent, category: Category, language: str = "en") -> RenderedEmail:
    check_content(content, category)
    return render_email(content, category, language, values(**WITH_LINKS))


@pytest.mark.parametrize("content", [EmailContent("s", "<p>Hi</p>"), EmailContent("s", text="Hi")])
@pytest.mark.parametrize("category", PROMOTIONAL)
def test_what_is_sent_to_win_business_can_be_unsubscribed_from_in_both_parts(
    content: EmailContent, category: Category
) -> None:
    email = with_links(content, category)

    assert f'<a href="{UNSUBSCRIBE}"' in email.html
    assert f'<a href="{PREFERENCES}"' in email.html
    assert UNSUBSCRIBE in email.text.split()
    assert PREFERENCES in email.text.split()
    assert "customer of Bob &amp; Ann&#x27;s." in email.html
    assert "customer of Bob & Ann's." in email.text
    assert ("loyalty" in email.text) == (scope_of(category) is Scope.LOYALTY)


@pytest.mark.parametrize("content", [EmailContent("s", "<p>Hi</p>"), EmailContent("s", text="Hi")])
@pytest.mark.parametrize("category", OTHERS)
def test_everything_else_leads_to_the_preferences(content: EmailContent, category: Category) -> None:
    email = with_links(content, category)

    assert f'<a href="{PREFERENCES}"' in email.html
    assert PREFERENCES in email.text.split()
    assert UNSUBSCRIBE not in email.html + email.text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("category", Category)
def test_the_footer_is_in_the_language_that_is_asked_for_whatever_that_of_the_email_is(
    language: str, category: Category
) -> None:
    email = with_links(EmailContent("s", "<p>Hi</p>", "Hi"), category, language)
    words, scope = footer_words(language), scope_of(category)
    said = [words.said.replace("##{{business_name}}", "Bob & Ann's"), words.choose]
    said += [words.unsubscribe[scope]] if scope is not None else []

    assert f'<div lang="{language}"' in email.html
    for part in (unescape(email.html), email.text):
        assert all(each in part for each in said)
        assert not any(footer_words(each).choose in part for each in LANGUAGES if each != language)


def test_every_language_has_every_sentence_of_the_footer() -> None:
    for words in map(footer_words, LANGUAGES):
        assert PLACEHOLDER.findall(words.said) == ["business_name"]
        assert set(words.unsubscribe) == {Scope.MARKETING, Scope.LOYALTY}
        assert len({words.said, words.choose, *words.unsubscribe.values()}) == 4


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<html><body><p>Hi</p>", "</body></html>"),
        ("<p>See &lt;/body&gt; and </body> <p>Hi</p>", "</BODY >\n</html>"),
        ("<html><p>Hi</p>", "</html>"),
        ("<p>Hi İ</p>", ""),
    ],
)
def test_the_footer_is_the_end_of_the_body(before: str, after: str) -> None:
    html = with_links(EmailContent("s", before + after), Category.MARKETING).html
    footer = html.removeprefix(before).removesuffix(after)

    assert html == before + footer + after
    assert footer.strip().startswith("<div")
    assert footer.strip().endswith("</div>")


@pytest.mark.parametrize("placed", ["##{{unsubscribe_url}}", "##{{ unsubscribe_url }}"])
def test_a_part_in_which_the_client_has_put_the_link_has_no_footer(placed: str) -> None:
    email = with_links(EmailContent("s", f'<a href="{placed}">Leave</a>', "Hi"), Category.MARKETING)
    other = with_links(EmailContent("s", "<p>Hi</p>", f"Leave: {placed}"), Category.LOYALTY)

    assert email.html == f'<a href="{UNSUBSCRIBE}">Leave</a>'
    assert UNSUBSCRIBE in email.text.split()
    assert other.text == f"Leave: {UNSUBSCRIBE}"
    assert UNSUBSCRIBE in other.html


def test_the_text_made_from_html_has_a_link_of_its_own() -> None:
    email = with_links(EmailContent("s", '<a href="##{{unsubscribe_url}}">Leave</a>'), Category.MARKETING)

    assert email.text == f"Leave ( {UNSUBSCRIBE} )"


def test_the_preferences_alone_do_not_stand_for_the_unsubscribing() -> None:
    placed = EmailContent("s", '<a href="##{{preferences_url}}">More</a>', "##{{preferences_url}}")
    promotional, other = with_links(placed, Category.DAILY_DEAL), with_links(placed, Category.REMINDER)

    assert UNSUBSCRIBE in promotional.html
    assert UNSUBSCRIBE in promotional.text
    assert (other.html, other.text) == (f'<a href="{PREFERENCES}">More</a>', PREFERENCES)


@pytest.mark.parametrize("address", ["1 High St, Springfield", "Königsallee 1 & 2, Düsseldorf"])
@pytest.mark.parametrize("category", Category)
@pytest.mark.parametrize("content", [EmailContent("s", "<p>Hi</p>"), EmailContent("s", text="Hi")])
def test_promotional_emails_say_where_the_business_is(content: EmailContent, category: Category, address: str) -> None:
    given_values = values(**WITH_LINKS, postal_address=address)
    email = render_email(content, category, "en", given_values)

    assert [unescape(part).count(address) for part in (email.html, email.text)] == [int(category in PROMOTIONAL)] * 2
    assert "None" not in render_email(content, category, "en", values(**WITH_LINKS)).html


@pytest.mark.parametrize(
    "placed", ["##{{postal_address}}", "1 High St,  Springfield", "<b>1 High St,\nSpringfield</b>"]
)
def test_an_email_that_says_itself_where_the_business_is_is_not_told_again(placed: str) -> None:
    own = f'<p>{placed}</p><a href="##{{{{unsubscribe_url}}}}">Leave</a>'
    email = render_email(
        EmailContent("s", own), Category.MARKETING, "en", values(**WITH_LINKS, postal_address="1 High St, Springfield")
    )

    assert email.html == own.replace("##{{postal_address}}", "1 High St, Springfield").replace(
        "##{{unsubscribe_url}}", UNSUBSCRIBE
    )
    assert email.text == f"1 High St, Springfield\nLeave ( {UNSUBSCRIBE} )"


def test_an_email_with_a_link_of_its_own_is_only_told_the_address() -> None:
    own = '<p>Hi</p><a href="##{{unsubscribe_url}}">Leave</a>'
    email = render_email(
        EmailContent("s", own), Category.LOYALTY, "en", values(**WITH_LINKS, postal_address="1 High St")
    )

    assert email.html.count(UNSUBSCRIBE) == email.text.count(UNSUBSCRIBE) == 1
    assert PREFERENCES not in email.html
    assert "Bob &amp; Ann&#x27;s, 1 High St" in email.html
    assert email.text.endswith("Bob & Ann's, 1 High St\n")


@pytest.mark.parametrize(
    ("content", "category", "field"),
    [
        (EmailContent("##{{unsubscribe_url}}", "x"), Category.MARKETING, "content.subject"),
        (EmailContent("##{{preferences_url}}", "x"), Category.MARKETING, "content.subject"),
        (EmailContent("s", "##{{unsubscribe_url}}"), Category.ONE_TO_ONE, "content.html"),
        (EmailContent("s", text="##{{unsubscribe_url}}"), Category.ONE_TO_ONE, "content.text"),
        (TextContent("##{{unsubscribe_url}}"), Category.MARKETING, "content.body"),
        (TextContent("##{{preferences_url}}"), Category.MARKETING, "content.body"),
    ],
)
def test_a_link_where_there_is_none_is_refused(
    content: EmailContent | TextContent, category: Category, field: str
) -> None:
    with pytest.raises(InvalidInputError) as raised:
        check_content(content, category)

    assert [error.field for error in raised.value.errors] == [field]


@given(st.text(alphabet='ab"\\<&äß🎉\n', min_size=1, max_size=6), st.integers(1, 100_000), st.booleans(), st.booleans())
@settings(max_examples=40)
def test_what_may_be_posted_fits_what_ses_takes_of_an_email(piece: str, size: int, html: bool, text: bool) -> None:
    body = (piece * size)[:100_000]
    content = EmailContent("Hello ##{{first_name}}", body if html or not text else None, body if text else None)
    rendered = render_email(content, Category.MARKETING, "fr", dict.fromkeys((*VARIABLES, *LINKS), "Ana"))
    fields: list[str] = []
    try:
        check_content(content, Category.MARKETING)
    except InvalidInputError as error:
        fields = [wrong.field for wrong in error.errors]
    # What is filled in may be longer than here.
    left = MAX_EMAIL_CHARACTERS - size_of(as_data(rendered))

    assert (fields, left < 2_000) == (["content"], True) if fields else left >= 0


@pytest.mark.parametrize("category", list(Category))
@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("address", [None, "12 High St"])
def test_only_emails_that_sell_are_asked_to_say_where_the_business_is(
    category: Category, channel: Channel, address: str | None
) -> None:
    warnings = warnings_about(business(postal_address=address), category, channel)
    lacks = channel is Channel.EMAIL and category.is_promotional and address is None

    assert [warning.field for warning in warnings] == (["postal_address"] if lacks else [])


def test_tags_that_an_editor_put_within_the_braces_of_html_stand_before_the_value() -> None:
    mangled = "<p>##{{<b>first_name}}</b></p>"

    assert without_footer(EmailContent("Hi", html=mangled), values(first_name="Ana")).html == "<p><b>Ana</b></p>"


def test_the_variables_are_named_in_an_order_in_which_the_rarest_is_the_last_of_a_customers() -> None:
    assert VARIABLES[0] == "first_name"
    assert VARIABLES[-4:] == ("external_id", "full_name", "business_name", "postal_address")


@pytest.mark.parametrize(
    ("body", "name", "sent"),
    [
        ("Yours, ##{{last_name}}.", "King jun.", "Yours, King jun."),
        ("Yours, ##{{last_name}}. See you", "King jun.", "Yours, King jun. See you"),
        ("Yours, ##{{last_name}}.", "King", "Yours, King."),
        ("Yours, ##{{last_name}}…", "King jun.", "Yours, King jun.…"),
        ("Yours, ##{{last_name}}...", "King jun.", "Yours, King jun...."),
        ("https://salon.example/##{{last_name}}.html", "a.", "https://salon.example/a..html"),
    ],
)
def test_a_sentence_ends_in_one_full_stop(body: str, name: str, sent: str) -> None:
    assert render_text(TextContent(body), values(last_name=name)) == sent
