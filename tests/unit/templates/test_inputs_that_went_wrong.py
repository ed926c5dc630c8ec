"""Emails, as they were written, that went wrong with other senders; the files beside this one try their kinds."""

import pytest

from rebound.kernel.categories import Category
from rebound.kernel.errors import InvalidInputError
from rebound.templates.domain.content import Content, EmailContent, TextContent
from rebound.templates.domain.footers import LINKS
from rebound.templates.domain.rendering import (
    MAX_EMAIL_CHARACTERS,
    VARIABLES,
    RenderedEmail,
    as_data,
    check_content,
    render_email,
    size_of,
)

UNSUBSCRIBE = "https://r.example.com/v1/unsubscribe/T"


def sent(html: str, **values: str) -> RenderedEmail:
    content = EmailContent("s", html)
    check_content(content, Category.MARKETING)
    links = dict(zip(LINKS, (UNSUBSCRIBE, "https://r.example.com/v1/preferences/T"), strict=True))
    return render_email(content, Category.MARKETING, "en", {**dict.fromkeys(VARIABLES, ""), **links, **values})


@pytest.mark.parametrize("address", ["http://##{{unsubscribe_url}}", "##%7B%7Bunsubscribe_url%7D%7D"])
def test_a_link_that_an_editor_changed_works(address: str) -> None:
    assert sent(f'<a href="{address}">Leave</a>').html == f'<a href="{UNSUBSCRIBE}">Leave</a>'


def test_the_end_of_the_body_in_a_comment_is_none() -> None:
    html = sent("<html><body><p>Hi</p></body></html><!-- </body> ends above -->").html

    assert html.index(UNSUBSCRIBE) < html.index("</body></html>")
    assert html.endswith("</body></html><!-- </body> ends above -->")


def test_a_placeholder_in_a_comment_is_no_footer() -> None:
    html = sent("<body><p>x</p><!-- put ##{{unsubscribe_url}} here --></body>").html

    assert f'<a href="{UNSUBSCRIBE}"' in html[html.index("-->") :]


def test_the_text_part_has_the_address_of_a_link() -> None:
    assert "Book here ( https://salon.example/book )" in sent('<a href="https://salon.example/book">Book here</a>').text


def test_the_text_part_has_no_comment_and_a_gap_between_cells() -> None:
    text = sent(
        '<!-- old: <b>50 % off</b> --><!--[if mso]><center>RSVP</center><![endif]--><a href="#">RSVP</a>'
        "<table><tr><td>Cut</td><td>45 EUR</td></tr></table>"
    ).text

    assert text.partition("\n\n--\n")[0].split() == ["RSVP", "Cut", "45", "EUR"]


def test_values_in_the_query_of_a_link_are_encoded() -> None:
    html = sent(
        '<a href="https://salon.example/b?e=##{{email}}&n=##{{first_name}}">x</a>',
        email="ana+vip@example.com",
        first_name="Tom & Ana",
    ).html

    assert '"https://salon.example/b?e=ana%2Bvip%40example.com&n=Tom%20%26%20Ana"' in html


def test_90_kilobytes_of_cyrillic_fit() -> None:
    assert size_of(as_data(sent(f"<p>{'Ж' * 45_000}</p>"))) < MAX_EMAIL_CHARACTERS


@pytest.mark.parametrize(
    "content",
    [
        EmailContent("s", text="Hi {{first_name}}"),
        TextContent("Hi {{first_name}}"),
        EmailContent("{{first_name}}", "x"),
    ],
)
def test_a_placeholder_without_hashes_is_refused_with_what_to_write(content: Content) -> None:
    with pytest.raises(InvalidInputError, match=r"##\{\{first_name\}\}"):
        check_content(content, Category.MARKETING)
