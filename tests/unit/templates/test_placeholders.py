"""Placeholders as editors leave them are mended or refused, and values go in encoded by where they stand."""

import html as html_of
import re
from html.parser import HTMLParser
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.kernel.categories import Category
from rebound.kernel.errors import InvalidInputError
from rebound.templates.domain.content import EmailContent, TextContent
from rebound.templates.domain.footers import ALL_LINKS, LINKS
from rebound.templates.domain.placeholders import repaired
from rebound.templates.domain.rendering import (
    VARIABLES,
    RenderedEmail,
    check_content,
    render_email,
    render_text,
)

UNSUBSCRIBE = "https://r.example.com/v1/unsubscribe/T-_9"
PREFERENCES = "https://r.example.com/v1/preferences/T"
PLAIN = st.sampled_from(["first_name", "last_name", "full_name", "business_name", "mobile_phone"])


def sent(content: EmailContent, **values: str) -> RenderedEmail:
    """An email as it goes out, if it may be posted at all."""
    check_content(content, Category.MARKETING)
    links = dict(zip(LINKS, (UNSUBSCRIBE, PREFERENCES), strict=True))
    return render_email(
        content, Category.MARKETING, "en", {**dict.fromkeys(VARIABLES, "Ana"), "postal_address": "", **links, **values}
    )


def refusals(content: EmailContent | TextContent) -> dict[str, str]:
    try:
        check_content(content, Category.MARKETING)
    except InvalidInputError as error:
        return {each.field: each.message for each in error.errors}
    return {}


class Links(HTMLParser):
    """The addresses that a mail program sees in an email, and the attributes of all of its tags."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.hrefs: list[str | None] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "a":
            self.hrefs.append(dict(attrs).get("href"))


# --- what editors make of them ----------------------------------------------------------------------------------------

CHARACTERS = {
    "#": ["#", "#", "&#35;", "&#x23;", "&num;", "%23", "%2523", "\\#"],
    "{": ["{", "{", "&#123;", "&#x7B;", "&#0123;", "&lbrace;", "&lcub;", "%7B", "%7b", "%257B", "\\{"],
    "}": ["}", "}", "&#125;", "&#x7d;", "&rbrace;", "&rcub;", "%7D", "%7d", "%257D", "\\}"],
    "_": ["_", "_", "\\_", "&lowbar;", "&#95;", "%5F"],
}
UNSEEN = ["", "", "", "\u200b", "\ufeff", "\u00ad", "&nbsp;", "\u00a0", "&shy;", "&#8203;", "\n  ", "&zwnj;", "%C2%A0"]
MARKUP = ["", "", "<b>", "</b>", "<wbr>", "<span class='x y'>", "<!-- c -->"]


@st.composite
def mangled(draw: st.DrawFn, name: str, *, markup: bool = False) -> str:
    """A placeholder as an editor, a mail program or Markdown may leave it."""
    among = st.sampled_from(UNSEEN + (MARKUP if markup else []))
    written = [draw(st.sampled_from(CHARACTERS.get(character, [character]))) for character in f"##{{{{{name}}}}}"]
    return "".join(
        character + (draw(among) if number < len(written) - 1 else "") for number, character in enumerate(written)
    )


@given(PLAIN.flatmap(lambda name: st.tuples(st.just(name), mangled(name, markup=True))))
def test_a_mangled_placeholder_is_what_it_was(case: tuple[str, str]) -> None:
    name, written = case
    email = sent(EmailContent("s", f"<p>Hi {written}!</p>"), **{name: "Zoë"})

    assert "Hi Zoë!" in email.text
    assert html_of.unescape(re.sub("<[^<>]*>", "", email.html)).startswith("Hi Zoë!")


@given(PLAIN.flatmap(lambda name: st.tuples(st.just(name), mangled(name))))
def test_a_mangled_placeholder_is_what_it_was_in_texts_and_subjects_too(case: tuple[str, str]) -> None:
    name, written = case
    email = sent(EmailContent(f"Hi {written}!", text=f"Hi {written}!"), **{name: "Zoë"})
    check_content(TextContent(written), Category.MARKETING)

    assert email.subject == "Hi Zoë!"
    assert email.text.startswith("Hi Zoë!")
    assert render_text(TextContent(f"Hi {written}!"), {**dict.fromkeys(VARIABLES, ""), name: "Zoë"}) == "Hi Zoë!"


PUT_BEFORE = [
    *(
        "",
        "http://",
        "https://",
        "HTTP://",
        "http:/",
        "http:",
        "http://https://",
        "http://www.",
        "//",
        "/",
        "../../",
        "./",
    ),
    *("mailto:", "http&#58;//", "http:&#x2F;&#x2F;", "http%3A%2F%2F", "https:\\\\"),
]


@given(st.sampled_from(PUT_BEFORE), mangled("unsubscribe_url"), st.sampled_from(["", "/", "?utm_source=x", "#top"]))
def test_a_link_with_a_scheme_or_path_put_before_it_is_one_working_link(before: str, written: str, after: str) -> None:
    email = sent(EmailContent("s", f'<p>Hi</p><a class="b" href="{before}{written}{after}">Leave</a>'))

    assert Links(email.html).hrefs == [UNSUBSCRIBE + after]
    assert email.text == f"Hi\nLeave ( {UNSUBSCRIBE}{after} )"


@pytest.mark.parametrize("around", ["\u200b", "&nbsp;", " ", "\ufeff\n"])
def test_what_nobody_sees_around_an_address_is_no_part_of_it(around: str) -> None:
    email = sent(EmailContent("s", f'<a href="{around}##{{{{unsubscribe_url}}}}{around}">Leave</a>'))

    assert Links(email.html).hrefs == [UNSUBSCRIBE]


@pytest.mark.parametrize("before", [before for before in PUT_BEFORE if before not in {"/", "../../", "./"}])
def test_so_it_is_in_a_text(before: str) -> None:
    email = sent(EmailContent("s", text=f"Hi. {before}##{{{{unsubscribe_url}}}}"))

    assert email.text == f"Hi. {UNSUBSCRIBE}"
    assert Links(email.html).hrefs == [UNSUBSCRIBE]


@given(st.sampled_from(["https://salon.example/", "http://localhost:3000/a/", "x-webdoc://1F/", "file:///C:/", "x "]))
def test_a_link_behind_another_address_is_refused_with_its_place(before: str) -> None:
    content = EmailContent("s", f'<p>Hi</p>\n<a href="{before}##{{{{unsubscribe_url}}}}">Leave</a>')

    assert refusals(content)["content.html"].startswith("Line 2: ##{{unsubscribe_url}} is a whole address")
    assert "content.html" in refusals(EmailContent("s", '<a href="##{{unsubscribe_url}}.html">Leave</a>'))


@given(st.text(alphabet="#{}%7B&;<>ab_ /:\\\"'-!\n", max_size=60), st.booleans())
def test_mending_twice_is_mending_once(source: str, is_html: bool) -> None:
    once = repaired(source, ALL_LINKS, is_html=is_html)

    assert repaired(once, ALL_LINKS, is_html=is_html) == once


@given(st.text(alphabet="ab{}:;.# \n<>/=\"'%&", max_size=60))
def test_what_has_no_two_hashes_stays_as_it_is(source: str) -> None:
    source = source.replace("##", "#-").replace("# ", "#-").replace("#\n", "#-").replace("#<", "#-")

    assert repaired(source, ALL_LINKS, is_html=True) == source


# --- braces without hashes --------------------------------------------------------------------------------------------

BARE = {"{{%s}}", "{{ %s }}", "{{{%s}}}", "#{{%s}}", "&#123;&#123;%s}}", "{ {%s} }", "{{<b>%s</b>}}"}
NAMES = st.from_regex(r"[a-zA-Z][a-z0-9_]{0,12}([ .][a-z]{1,8})?", fullmatch=True)
WITHOUT = st.sampled_from(
    [
        "{{ %s | default: 'you' }}",
        "{{#if %s}}",
        "{{~%s~}}",
        "{{> %s}}",
        "{{%s}}",
        "{{ %s }}",
        "{{{%s}}}",
        "#{{%s}}",
        "&#123;&#123;%s}}",
        "{ {%s} }",
        "{{<b>%s</b>}}",
    ]
)


@given(NAMES | PLAIN, WITHOUT)
def test_a_name_in_braces_without_hashes_is_refused_with_the_hint(name: str, written: str) -> None:
    said = written % name
    plain = "<" not in written
    if " " in name and written not in BARE:
        return
    assert f"##{{{{{name}}}}}" in refusals(EmailContent("s", f"<p>\nHi {said}</p>"))["content.html"]
    assert refusals(EmailContent("s", f"<p>\nHi {said}</p>"))["content.html"].startswith("Line 2")
    if plain:
        assert refusals(EmailContent(f"Hi {said}", text="t")).keys() == {"content.subject"}
        assert refusals(EmailContent("s", text=f"Hi {said}")).keys() == {"content.text"}
        assert refusals(TextContent(f"Hi {said}")).keys() == {"content.body"}


@pytest.mark.parametrize("written", ["##{first_name}", "##{ first_name }", '<a href="##{unsubscribe_url}">x</a>'])
def test_a_placeholder_that_lost_a_brace_is_refused(written: str) -> None:
    assert refusals(EmailContent("s", written))["content.html"].startswith("Line 1: ##{")


@pytest.mark.parametrize("written", ["{{first_name}", "{first_name}}", "{{ first_name }"])
def test_a_name_of_ours_that_lacks_a_brace_and_its_hashes_is_refused_and_another_is_text(written: str) -> None:
    assert written.replace(" ", "") in refusals(TextContent(f"Hi {written}!"))["content.body"]
    assert written.replace(" ", "") in refusals(EmailContent("s", f"<p>Hi {written}</p>"))["content.html"]
    if not written.startswith("{{"):
        check_content(TextContent(f"Hi {written.replace('first_name', 'as_it_is')}!"), Category.REMINDER)
    check_content(EmailContent("s", f"<style>p{written}</style><p>Hi ##{{{{first_name}}}}</p>"), Category.REMINDER)


@pytest.mark.parametrize("written", ["%7B%7Bunsubscribe_url%7D%7D", "{{unsubscribe_url}}", "http://{{first_name}}"])
def test_so_it_is_in_an_address(written: str) -> None:
    assert refusals(EmailContent("s", f'<a href="{written}">x</a>')).keys() == {"content.html"}


@pytest.mark.parametrize(
    "harmless",
    [
        "<style>@media print{a{color:red}}</style>",
        "<style>.a{b:{{c}}}</style>",
        "<script>var a = {{x}}; f({b: {c: 1}})</script>",
        "<!-- {{first_name}} of the old tool -->",
        "<p>{{}} {{ }} {{1}} {{a:b}} {{$x}} {a}</p>",
        '<a href="https://x.example/?f=%7B%7Bbrand%7D%7D">x</a>',
        "<p>C{color:red}} and {{a;b}}</p>",
    ],
)
def test_braces_without_a_name_are_fine(harmless: str) -> None:
    assert refusals(EmailContent("s", harmless)) == {}
    assert sent(EmailContent("s", harmless)).html.startswith(harmless.replace("{{", "{ {"))


def test_outlook_reads_its_own_comments() -> None:
    assert refusals(EmailContent("s", "<!--[if mso]>Hi {{first_name}}<![endif]-->")).keys() == {"content.html"}


# --- values -----------------------------------------------------------------------------------------------------------

tricky = st.text(max_size=20) | st.text(alphabet="&=?#/+% \"'<>@:é`\n\t", max_size=12)
"""Also what cannot be written in UTF-8 is written somehow."""


def known_again(value: str) -> str:
    return value.encode("utf-8", "replace").decode()


@given(tricky, st.sampled_from(['"', "'", ""]))
def test_a_value_in_a_link_is_encoded_by_where_it_stands(value: str, quotes: str) -> None:
    address = "https://salon.example/##{{first_name}}/b?e=##{{first_name}}&amp;n=1##{{first_name}}#f##{{first_name}}"
    email = sent(EmailContent("s", f"<a class=a href={quotes}{address}{quotes} id=b>Book</a>"), first_name=value)
    (href, *_) = Links(email.html).hrefs
    assert href is not None
    link = urlsplit(href)

    assert (link.scheme, link.netloc, link.path.count("/")) == ("https", "salon.example", 2)
    assert unquote(link.path) == f"/{known_again(value)}/b"
    assert parse_qs(link.query, keep_blank_values=True) == {"e": [known_again(value)], "n": [f"1{known_again(value)}"]}
    assert unquote(link.fragment) == f"f{known_again(value)}"
    assert f"Book ( {href} )" in email.text


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("https://salon.example/b?e=##{{email}}&n=##{{first_name}}", "e=ana%2Bvip%40example.com&n=Tom%20%26%20Ana"),
        ("mailto:##{{email}}?subject=For ##{{first_name}}", "mailto:ana%2Bvip@example.com?subject=For Tom%20%26%20Ana"),
        ("tel:##{{mobile_phone}}", "tel:+14155550123"),
        ("sms:##{{mobile_phone}}?body=##{{first_name}}", "sms:+14155550123?body=Tom%20%26%20Ana"),
        ("##{{external_id}}", "https://own.example/?a=1&amp;b=2"),
        (" ##{{external_id}} ", "https://own.example/?a=1&amp;b=2"),
        ("https://t.example/r?to=##{{unsubscribe_url}}&x", f"to={quote(UNSUBSCRIBE, safe='')}&x"),
        ("https://t.example/r?to=http%3A%2F%2F##{{unsubscribe_url}}", f"to={quote(UNSUBSCRIBE, safe='')}"),
    ],
)
@pytest.mark.parametrize("around", ['<a href="{}">x</a>', "<!--[if mso]><v:rect href='{}'/><![endif]-->"])
def test_what_is_a_whole_address_is_not_encoded_and_the_rest_is(template: str, filled: str, around: str) -> None:
    email = sent(
        EmailContent("s", around.format(template)),
        email="ana+vip@example.com",
        first_name="Tom & Ana",
        mobile_phone="+14155550123",
        external_id="https://own.example/?a=1&b=2",
    )

    assert filled in email.html


@given(tricky)
def test_a_value_in_a_link_of_a_text_is_encoded_and_elsewhere_it_is_not(value: str) -> None:
    template = "##{{first_name}} https://salon.example/b?n=##{{first_name}}, ##{{first_name}}"
    values = {**dict.fromkeys(VARIABLES, ""), "first_name": value}
    inside = quote(value, safe="", errors="replace")

    assert render_text(TextContent(template), values) == f"{value} https://salon.example/b?n={inside}, {value}"
    assert sent(EmailContent("s", text=template), first_name=value).text.startswith(f"{value} https://")


@given(tricky, st.sampled_from(['"', "'", ""]), st.sampled_from(["title", "alt", "data-x", "style", "value", "class"]))
def test_no_value_ends_the_attribute_that_it_stands_in(value: str, quotes: str, name: str) -> None:
    email = sent(
        EmailContent("s", f"<p {name}={quotes}a##{{{{first_name}}}}##{{{{first_name}}}}b{quotes} id=b>x</p>"),
        first_name=value,
    )
    tag, attributes = Links(email.html).tags[0]

    assert (tag, sorted(attributes)) == ("p", sorted({name, "id"}))
    assert attributes["id"] == "b"
    assert re.sub(r"[\r\n\x00]", "", attributes[name] or "") == re.sub(r"[\r\n\x00]", "", f"a{value}{value}b")


class Addresses(HTMLParser):
    """The addresses that a browser loads from an email for its tags and styles, all but links."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._styles = False
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._styles = tag == "style"
        self.found += [each.split()[0] for each in re.split(r",\s+", given.get("srcset", "")) if each.strip()]
        self._read_css(given.get("style", ""))
        if tag == "meta" and given.get("http-equiv", "").lower() == "refresh":
            self.found.append(re.sub(r"(?i)^\s*\d+\s*[;,]\s*url\s*=\s*", "", given["content"]).strip("'\""))

    def handle_data(self, data: str) -> None:
        if self._styles:
            self._read_css(data)
            self._styles = False

    def _read_css(self, style: str) -> None:
        for quoted, bare in re.findall(r"""(?i)url\(\s*(?:["']([^"']*)["']|([^\s"')]*))\s*\)""", style):
            self.found.append(quoted or bare)


IMAGE = "https://img.example/##{{first_name}}/i.png?n=##{{first_name}}&amp;m=1"
PLACES = [
    "<img srcset='{}'>",
    "<img srcset='{} 2x'>",
    "<source srcset='https://img.example/a.png 1x, {} 2x, https://img.example/b.png 3x'>",
    '<img srcset="https://img.example/a,b.png 1x,\n{}">',
    "<p style='background:url({})'>x</p>",
    "<p style='color:red;background:URL( &quot;{}&quot; ) no-repeat'>x</p>",
    "<p style=\"background:#fff url('{}')\">x</p>",
    "<p style=background:url({}) class=x>x</p>",
    "<style>p{{background:url({})}}</style>",
    "<style>p{{background:url(https://img.example/a.png);}} .x {{ background-image: url( '{}' ) }}</style>",
    '<META HTTP-EQUIV=Refresh content="0;url={}">',
    "<meta http-equiv='refresh' content='0; URL=\"{}\"'>",
]


@given(tricky, st.sampled_from(PLACES))
def test_a_value_in_any_other_address_is_encoded_by_where_it_stands(value: str, place: str) -> None:
    raw = "style>" in place
    html = place.format(IMAGE.replace("&amp;", "&") if raw else IMAGE)
    found = [urlsplit(each) for each in Addresses(sent(EmailContent("s", html), first_name=value).html).found]
    ours = [each for each in found if each.query]

    assert len(found) == place.count("img.example") + 1
    assert [unquote(each.path) for each in ours] == [f"/{known_again(value)}/i.png"]
    assert parse_qs(ours[0].query, keep_blank_values=True) == {"n": [known_again(value)], "m": ["1"]}


@given(tricky, st.sampled_from(PLACES))
def test_a_whole_address_anywhere_else_stays_one(value: str, place: str) -> None:
    address = f"https://own.example/?a=1#{value}"
    found = Addresses(sent(EmailContent("s", place.format("##{{external_id}}")), external_id=address).html).found

    assert len(found) == place.count("img.example") + 1
    assert sum(each.startswith("https://own.example/?a=1#") for each in found) == 1


@pytest.mark.parametrize("place", PLACES)
def test_our_own_link_anywhere_else_is_as_it_was_written(place: str) -> None:
    assert UNSUBSCRIBE in Addresses(sent(EmailContent("s", place.format("##{{unsubscribe_url}}"))).html).found


@given(
    tricky,
    st.sampled_from(
        ['&quot;##{{first_name}}"', "&lt;##{{first_name}}>", "a b##{{first_name}}", "&nbsp;##{{first_name}}"]
    ),
)
def test_a_value_behind_any_character_of_a_link_is_encoded_in_the_text_made_from_it(value: str, behind: str) -> None:
    link = f"https://salon.example/{'x' * 600}?n={behind.rstrip('"')}"
    text = sent(EmailContent("s", f'<a href="{link}">Book</a>'), first_name=value).text
    address = text.removeprefix("Book ( ").partition(" )")[0]

    assert parse_qs(urlsplit(address).query, keep_blank_values=True)["n"][0].rstrip('">') == (
        html_of.unescape(behind).partition("#")[0] + known_again(value)
    ).rstrip('">')


@given(tricky)
def test_a_value_behind_a_link_of_ours_in_a_text_is_encoded(value: str) -> None:
    text = sent(
        EmailContent("s", text="##{{unsubscribe_url}}?n=##{{first_name}} ##{{first_name}}"), first_name=value
    ).text

    assert text.startswith(f"{UNSUBSCRIBE}?n={quote(value, safe='', errors='replace')} {value}")


@pytest.mark.parametrize(
    ("written", "hrefs"),
    [
        ("<p>Leave: ##{{unsubscribe_url}}.</p>", [UNSUBSCRIBE]),
        ("<a href='https://x.example/'>x</a> ##{{unsubscribe_url}}", ["https://x.example/", UNSUBSCRIBE]),
        ('<a href="##{{unsubscribe_url}}">Go to <b>##{{unsubscribe_url}}</b></a>', [UNSUBSCRIBE]),
        ("<!--[if mso]><p>##{{unsubscribe_url}}</p><![endif]--><p>##{{unsubscribe_url}}</p>", [UNSUBSCRIBE]),
    ],
)
def test_an_address_in_a_text_of_html_can_be_pressed_and_is_bare_in_plain_text(written: str, hrefs: list[str]) -> None:
    email = sent(EmailContent("s", written))

    assert [href for href in Links(email.html).hrefs if href != PREFERENCES] == hrefs
    assert "<a" not in email.text
    assert UNSUBSCRIBE in email.text


def test_a_text_of_several_lines_breaks_in_html_where_it_breaks() -> None:
    html = "<p title='##{{first_name}}'>##{{first_name}}</p><a href='https://x.example/?n=##{{first_name}}'>##{{first_name}}</a>"
    email = sent(EmailContent("##{{first_name}}", html), first_name="<a>\r\nb\nc")

    assert email.html.count("&lt;a&gt;<br>b<br>c") == 2
    assert "?n=%3Ca%3E%0D%0Ab%0Ac" in email.html
    assert "title='&lt;a&gt;\r\nb\nc'" in email.html
    assert email.subject == "<a> b c"


def test_an_address_is_no_link_in_a_title() -> None:
    assert "<title>" + UNSUBSCRIBE + "</title>" in sent(EmailContent("s", "<title>##{{unsubscribe_url}}</title>x")).html


def test_an_empty_value_leaves_an_empty_attribute() -> None:
    email = sent(EmailContent("s", "<p title=##{{first_name}} class=x>x</p>"), first_name="")

    assert email.html.startswith('<p title="" class=x>')


@pytest.mark.parametrize("tag", ["<p ##{{first_name}}>", "<p ##{{first_name}}=a>", '<p a="b" ##{{first_name}} c>'])
def test_a_placeholder_in_a_tag_but_in_no_value_is_refused(tag: str) -> None:
    assert refusals(EmailContent("s", f"{tag}x</p>"))["content.html"].startswith(
        "Line 1: ##{{first_name}} stands within"
    )
