"""Layouts: whatever is in them arrives, in HTML and in plain text, and what is wrong is said with its place."""

import json
import os
import re
import time
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rebound.kernel.categories import Category
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.templates.adapters.mrml_renderer import MrmlRenderer
from rebound.templates.adapters.nh3_cleaner import Nh3Cleaner
from rebound.templates.application.render_layout import MOST_BYTES, RenderedLayout, RenderLayout
from rebound.templates.domain.content import EmailContent
from rebound.templates.domain.contrast import contrast
from rebound.templates.domain.footers import ALL_LINKS
from rebound.templates.domain.html_reading import read_for_footer
from rebound.templates.domain.rendering import VARIABLES, check_content, render_email
from rebound.templates.domain.sendable import MANY_BYTES
from tests.contract.templates.fakes import MemoryTemplatesPorts
from tests.fakes.layouts import COLOURS, IN_COLUMNS, LAYOUTS, links_of, texts_of
from tests.fakes.making import BUSINESS_ID, business

GOLDEN: Final = Path(__file__).parent / "layouts"
VALUES: Final[Mapping[str, str]] = {
    **dict.fromkeys(VARIABLES, "Zoë <&\"' O'Hara"),
    **{name: f"https://links.example.com/{name}/x?a=1&b=2" for name in ALL_LINKS},
}
MOST_SECONDS: Final = 8
"""Of processor time, a third of what a client waits at most."""
A_LINK: Final = "https://studio.example.com/book"


@cache
def renderer() -> RenderLayout:
    businesses = MemoryTemplatesPorts(business()).businesses
    return RenderLayout(mjml_renderer=MrmlRenderer(), html_cleaner=Nh3Cleaner(), businesses=businesses)


def rendered(document: object, category: Category = Category.MARKETING, path: str = "") -> RenderedLayout:
    return renderer()(BUSINESS_ID, document, category, path)


def wrong(document: object, category: Category = Category.MARKETING) -> list[FieldError]:
    with pytest.raises(InvalidInputError) as caught:
        rendered(document, category)
    return list(caught.value.errors)


def one_block(**block: Any) -> dict[str, Any]:
    return {"blocks": [block]}


class Reader(HTMLParser):
    """What a parser that knows nothing of ours reads in HTML."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.links, self.images, self.tags = "", list[str](), list[Mapping[str, str | None]](), list[str]()
        self._skipped = 0
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._skipped += tag in {"style", "title", "head"}
        if tag == "a":
            self.links.append(dict(attrs).get("href") or "")
        if tag == "img":
            self.images.append(dict(attrs))
        if tag == "br":
            self.text += "\n"

    def handle_endtag(self, tag: str) -> None:
        self._skipped -= tag in {"style", "title", "head"}

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self.text += data


def written(template: str, *, in_link: bool = False) -> str:
    """A template as it ought to read with ``VALUES``, by a rule of our own."""

    def value(found: re.Match[str]) -> str:
        text = VALUES[found[1]]
        return quote(text, safe="") if in_link and found[1] not in ALL_LINKS else text

    return re.sub(r"##\{\{(\w+)\}\}", value, template)


def squeezed(text: str) -> str:
    return "".join(text.split())


# --- whatever is in a layout arrives ----------------------------------------------------------------------------------


@given(LAYOUTS)
@settings(max_examples=50)
def test_every_text_and_link_of_a_layout_is_read_back_from_its_html(document: dict[str, Any]) -> None:
    layout = rendered(document)

    email = render_email(EmailContent("s", layout.html, layout.text), Category.MARKETING, "en", VALUES)

    read = Reader(email.html)
    seen = squeezed(read.text)
    for text in texts_of(document):
        assert squeezed(written(text)) in seen
    links = [written(link, in_link=True) for link in links_of(document)]
    # In their order, with those of images, of HTML blocks and of the footer among them.
    ours = iter(read.links)
    for link in links:
        assert link in ours, (link, read.links)
    assert all(image.get("alt") for image in read.images)
    assert not {"script", "iframe", "form", "object"} & set(read.tags)


@given(LAYOUTS)
@settings(max_examples=50)
def test_the_plain_text_of_a_layout_has_every_text_and_every_link(document: dict[str, Any]) -> None:
    layout = rendered(document)

    email = render_email(EmailContent("s", layout.html, layout.text), Category.MARKETING, "en", VALUES)

    words = squeezed(email.text)
    for text in texts_of(document):
        assert squeezed(written(text)) in words
    runs = set(email.text.split())
    for link in links_of(document):
        shown = written(link, in_link=True).removeprefix("mailto:").removeprefix("tel:")
        # Mail programs end a link at white space alone.
        assert shown in runs, (shown, email.text)


def test_an_address_that_is_written_out_touches_nothing_in_plain_text() -> None:
    link = {"text": A_LINK, "link": A_LINK}
    spans = ["Go to", link, "now, or", {**link, "text": "here"}, ". ", link, {**link, "text": f"see {A_LINK}"}]

    layout = rendered(one_block(kind="text", parts=[{"paragraph": spans}]))

    assert layout.text == f"Go to {A_LINK} now, orhere ( {A_LINK} ). {A_LINK} see {A_LINK}\n"


def test_a_longer_address_does_not_stand_for_the_one_that_is_linked() -> None:
    layout = rendered(one_block(kind="button", text=f"{A_LINK}/all", link=A_LINK))

    assert layout.text == f"{A_LINK}/all ( {A_LINK} )\n"


@given(LAYOUTS)
@settings(max_examples=50)
def test_nothing_is_left_to_fill_in_and_the_footer_can_be_seen(document: dict[str, Any]) -> None:
    layout = rendered(document)
    content = EmailContent("s", layout.html, layout.text)

    check_content(content, Category.MARKETING)
    email = render_email(content, Category.MARKETING, "en", VALUES)

    assert "{{" not in email.html + email.text
    assert "__put" not in email.html
    assert "rebound:footer" in layout.html
    assert VALUES["unsubscribe_url"] in Reader(email.html).links
    assert "unsubscribe" in read_for_footer(email.html).links
    assert VALUES["unsubscribe_url"] in email.text


@given(LAYOUTS)
@settings(max_examples=50)
def test_a_layout_is_the_same_each_time(document: dict[str, Any]) -> None:
    before = deepcopy(document)

    assert rendered(document) == rendered(document)
    assert document == before


@given(
    st.text(min_size=1, max_size=300).map(lambda text: f"<p>{text}</p>")
    | st.sampled_from(
        [
            "<img src=x onerror=alert(1)>",
            "<svg><script>alert(1)</script></svg>",
            "<a href='java\tscript:alert(1)'>x</a>",
            "<math><mtext></p><style><img src=x onerror=alert(1)></style></mtext></math>",
            "<form action='https://e.example'><input name=x></form>",
            "<style>*{display:none}</style><p>y</p>",
            "<div style='position:fixed;top:0;display:none;background:url(https://e.example)'>z</div>",
            "<!--[if mso]><v:rect></v:rect><![endif]--><p>y</p>",
            "<base href='https://e.example'><meta http-equiv=refresh content='0;url=https://e.example'>",
            "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
        ]
    )
)
def test_html_of_a_clients_own_runs_loads_and_hides_nothing(markup: str) -> None:
    try:
        layout = rendered({"blocks": [{"kind": "html", "html": markup}, {"kind": "text", "text": "After it."}]})
    except InvalidInputError:
        return
    own = layout.html.partition("<body")[2]

    read = Reader(own)
    assert not {"script", "iframe", "form", "input", "svg", "math", "style", "base", "meta"} & set(read.tags)
    assert not re.search(r"<[^>]*\son\w+\s*=", own)
    assert all(re.match(r"https?:|mailto:|tel:|sms:|$|[^:]*$", link) for link in read.links)
    assert "display:none" not in own
    assert "After it." in read_for_footer(layout.html).text


# --- what is wrong is said --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "field", "says"),
    [
        ({}, "blocks", "required"),
        ({"blocks": []}, "blocks", "at least 1"),
        ({"blocks": {}}, "blocks", "list"),
        ({"blocks": ["x"]}, "blocks[0]", "object"),
        ({"blocks": [{"text": "x"}]}, "blocks[0].kind", "heading, text, button, image, divider, spacer, columns"),
        ({"blocks": [{"kind": "headin", "text": "x"}]}, "blocks[0].kind", "Did you mean heading?"),
        ({"blocks": [{"kind": 7}]}, "blocks[0].kind", "one of heading"),
        (one_block(kind="heading"), "blocks[0].text", "required"),
        (one_block(kind="heading", text="  "), "blocks[0].text", "read"),
        (one_block(kind="heading", text="a\nb"), "blocks[0].text", "one line"),
        (one_block(kind="heading", text="a", level=4), "blocks[0].level", "from 1 to 3"),
        (one_block(kind="heading", text="a", level=True), "blocks[0].level", "from 1 to 3"),
        (one_block(kind="heading", text="a", colour="#ffffff"), "blocks[0].colour", "Did you mean color?"),
        (one_block(kind="heading", text="a", color="red"), "blocks[0].color", "six hexadecimal digits"),
        (one_block(kind="heading", text="a", color="#ffffff\n"), "blocks[0].color", "six hexadecimal digits"),
        (one_block(kind="heading", text="a", align="middle"), "blocks[0].align", "left, center, right"),
        (one_block(kind="text"), "blocks[0]", "exactly one of text, parts"),
        (one_block(kind="text", text="a", parts=[{"paragraph": ["b"]}]), "blocks[0]", "exactly one of text, parts"),
        (one_block(kind="text", parts=[{}]), "blocks[0].parts[0]", "exactly one of paragraph, list"),
        (one_block(kind="text", parts=[{"paragraph": [7]}]), "blocks[0].parts[0].paragraph[0]", "a text or an object"),
        (
            one_block(kind="text", parts=[{"paragraph": [{"text": "a", "bold": "yes"}]}]),
            "blocks[0].parts[0].paragraph[0].bold",
            "true or false",
        ),
        (one_block(kind="text", text="a\x00b"), "blocks[0].text", "control characters"),
        (one_block(kind="button", text="a", link="javascript:alert(1)"), "blocks[0].link", "https://"),
        (one_block(kind="button", text="a", link="studio.example.com"), "blocks[0].link", "https://"),
        (one_block(kind="button", text="a", link="##{{first_name}}"), "blocks[0].link", "##{{preferences_url}}"),
        (one_block(kind="button", text="a", link='https://e.example/" onclick="x'), "blocks[0].link", "no spaces"),
        (one_block(kind="button", text="a", link="https://"), "blocks[0].link", "https://"),
        (one_block(kind="image", source=A_LINK), "blocks[0].alt", "required"),
        (one_block(kind="image", source=A_LINK, alt=" "), "blocks[0].alt", "read"),
        (one_block(kind="image", source="data:image/png;base64,AA", alt="a"), "blocks[0].source", "https://"),
        (one_block(kind="image", source=A_LINK, alt="a", width=601), "blocks[0].width", "from 16 to 600"),
        (one_block(kind="columns", columns=[]), "blocks[0].columns", "at least 1"),
        (one_block(kind="columns", columns=[{"blocks": [{"kind": "divider"}]}] * 4), "blocks[0].columns", "at most 3"),
        (
            one_block(kind="columns", columns=[{"blocks": [{"kind": "columns", "columns": []}]}]),
            "blocks[0].columns[0].blocks[0].kind",
            "within columns",
        ),
        (
            one_block(kind="social", links=[{"network": "myspace", "link": A_LINK}]),
            "blocks[0].links[0].network",
            "instagram",
        ),
        ({"blocks": [{"kind": "divider"}], "subject": "##{{unsubscribe_url}}"}, "subject", "Unknown variable"),
        ({"blocks": [{"kind": "divider"}], "subject": "a\nb"}, "subject", "one line"),
        (one_block(kind="voucher", title="a", code="b", link_text="c"), "blocks[0].link_text", "link"),
        (one_block(kind="spacer", height=1000), "blocks[0].height", "from 4 to 100"),
        ({"blocks": [{"kind": "divider"}], "style": {"font": "Comic Sans"}}, "style.font", "Georgia"),
        (
            {
                "blocks": [{"kind": "divider"}],
                "style": {"web_font": {"name": "L'", "stylesheet": "https://f.example/"}},
            },
            "style.web_font.name",
            "letters",
        ),
        (
            {"blocks": [{"kind": "divider"}], "style": {"web_font": {"name": "L", "stylesheet": "http://f.example/"}}},
            "style.web_font.stylesheet",
            "https",
        ),
        ({"blocks": [{"kind": "divider"}], "language": "english"}, "language", "such as en"),
        ({"blocks": [{"kind": "divider"}] * 101}, "blocks", "at most 100"),
        (
            {"blocks": [{"kind": "columns", "columns": [{"blocks": [{"kind": "divider"}] * 60}] * 2}]},
            "blocks",
            "121 blocks",
        ),
    ],
)
def test_a_mistake_is_told_at_its_place_with_what_is_allowed(document: object, field: str, says: str) -> None:
    errors = wrong(document)

    assert [error.field for error in errors] == [field]
    assert says in errors[0].message


def test_all_mistakes_are_told_at_once() -> None:
    document = {"blocks": [{"kind": "heading"}, {"kind": "button", "text": "a", "link": "x", "size": 3}], "styles": {}}

    assert {error.field for error in wrong(document)} == {
        "blocks[0].text",
        "blocks[1].link",
        "blocks[1].size",
        "styles",
    }


@given(LAYOUTS, st.data())
@settings(max_examples=50)
def test_no_document_of_whatever_form_is_more_than_refused(document: dict[str, Any], data: st.DataObject) -> None:
    """A value somewhere in a layout is replaced by any other."""
    places: list[tuple[Any, Any]] = []

    def visit(node: Any) -> None:
        for key in node if isinstance(node, dict) else range(len(node)):
            places.append((node, key))
            if isinstance(node[key], dict | list):
                visit(node[key])

    broken = deepcopy(document)
    visit(broken)
    node, key = data.draw(st.sampled_from(places))
    anything = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=4,
    )
    node[key] = data.draw(anything)
    try:
        rendered(broken)
    except InvalidInputError as error:
        assert all(each.field and each.message.endswith((".", "?")) for each in error.errors)  # noqa: PT017


@pytest.mark.parametrize(
    ("block", "field"),
    [
        ({"kind": "heading", "text": "Hi ##{{frist_name}}"}, "blocks[0].text"),
        ({"kind": "text", "text": "Hi ##{{firstname}}"}, "blocks[0].text"),
        (
            {"kind": "text", "parts": [{"list": [["a", {"text": "b", "link": f"{A_LINK}?n=##{{{{FirstName}}}}"}]]}]},
            "blocks[0].parts[0].list[0][1].link",
        ),
        ({"kind": "image", "source": A_LINK, "alt": "For ##{{first_nam}}"}, "blocks[0].alt"),
        ({"kind": "image", "source": f"{A_LINK}?n=##{{{{first-name}}}}", "alt": "x"}, "blocks[0].source"),
        ({"kind": "voucher", "title": "x", "code": "##{{first_name_}}"}, "blocks[0].code"),
        ({"kind": "html", "html": "<p>##{{first<b>nam</b>}}</p>"}, "blocks[0].html"),
    ],
)
def test_a_variable_that_there_is_not_is_told_with_the_one_that_was_meant(block: dict[str, Any], field: str) -> None:
    (error,) = wrong({"blocks": [block]})

    assert (error.field, error.did_you_mean) == (field, "first_name")


@pytest.mark.parametrize(
    "text", ["Hi {{first_name}}", "Hi ##{{first_name", "Hi ##{first_name}", "Hi {{first_name | x}}"]
)
def test_a_placeholder_that_would_reach_the_customer_as_it_stands_is_refused(text: str) -> None:
    for name, block in {
        "text": {"kind": "text", "text": text},
        "alt": {"kind": "image", "source": A_LINK, "alt": text},
        "code": {"kind": "voucher", "title": "x", "code": text},
    }.items():
        assert {error.field for error in wrong({"blocks": [block]})} == {f"blocks[0].{name}"}


@given(st.text(alphabet="#{}ab_ <>", max_size=30))
def test_no_two_braces_are_left_of_whatever_is_written(text: str) -> None:
    for block in (
        {"kind": "text", "text": text},
        {"kind": "button", "text": text, "link": f"{A_LINK}?{text.replace(' ', '')}"},
        {"kind": "html", "html": text},
    ):
        try:
            layout = rendered({"blocks": [block]})
        except InvalidInputError:
            continue
        email = render_email(EmailContent("s", layout.html, layout.text), Category.MARKETING, "en", VALUES)
        assert "{{" not in email.html + email.text


@pytest.mark.parametrize(
    "block",
    [
        {"kind": "html", "html": "<b><i>" * 8000},
        {"kind": "html", "html": "<table><tr><td>" * 3000},
        {"kind": "text", "text": "##{{first_name}}" * 1200},
        {"kind": "text", "parts": [{"paragraph": [{"text": "<", "bold": True}] * 200}] * 10},
    ],
)
def test_what_is_far_too_large_is_refused_without_long_work(block: dict[str, Any]) -> None:
    begun = time.process_time()

    (error,) = wrong({"blocks": [block] * 9})

    assert error.field == "blocks"
    assert time.process_time() - begun < MOST_SECONDS


def test_a_placeholder_that_an_editor_mangled_is_mended_wherever_it_stands() -> None:
    document = {
        "subject": "For \\##{{first\\_name}}",
        "blocks": [
            {"kind": "text", "text": "Hi ##{{ first_name }}"},
            {"kind": "button", "text": "Go", "link": f"{A_LINK}?n=%23%23%7B%7Bfirst_name%7D%7D"},
            {"kind": "button", "text": "Off", "link": "https://##{{unsubscribe_url}}"},
        ],
    }

    layout = rendered(document)

    assert layout.html.count("##{{first_name}}") == layout.html.count("##") - layout.html.count("##{{unsubscribe_url}}")
    assert f'href="{A_LINK}?n=##{{{{first_name}}}}"' in layout.html
    assert 'href="##{{unsubscribe_url}}"' in layout.html
    assert "Hi ##{{first_name}}\n" in layout.text


def test_links_of_ours_are_those_of_the_kind_of_message() -> None:
    document = one_block(kind="button", text="Yes", link="##{{confirm_url}}")

    assert "confirm_url" in rendered(document, Category.TRANSACTIONAL).html
    assert "unsubscribe_url" in wrong(document)[0].message


def test_fields_are_named_from_where_the_layout_stands_in_the_request() -> None:
    with pytest.raises(InvalidInputError) as caught:
        rendered(one_block(kind="text"), path="layout")
    pale = rendered(one_block(kind="text", text="a", color="#eeeeee"), path="layout")

    assert [error.field for error in caught.value.errors] == ["layout.blocks[0]"]
    assert [warning.field for warning in pale.warnings] == ["layout.blocks[0].color"]


# --- colours, sizes, fonts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21),
        ("#ffffff", "#ffffff", 1),
        # As the W3C's own and every other checker has them.
        ("#767676", "#ffffff", 4.54),
        ("#777777", "#ffffff", 4.48),
        ("#ff0000", "#ffffff", 4.0),
        ("#0000ff", "#ffffff", 8.59),
    ],
)
def test_contrast_is_as_wcag_reckons_it(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.005)


@given(COLOURS, COLOURS)
def test_contrast_is_between_1_and_21_and_the_same_both_ways(one: str, other: str) -> None:
    assert 1 <= contrast(one, other) == contrast(other, one) <= 21


GREY: Final = "#777777"
"""4.48 to 1 on white: enough for large letters alone."""


@pytest.mark.parametrize(
    ("document", "fields"),
    [
        (one_block(kind="text", text="a"), []),
        (one_block(kind="text", text="a", color=GREY), ["blocks[0].color"]),
        (one_block(kind="heading", text="a", color=GREY), []),
        (one_block(kind="heading", text="a", level=3, color=GREY), ["blocks[0].color"]),
        (one_block(kind="button", text="a", link=A_LINK, color="#ffcc00"), ["blocks[0].color"]),
        (one_block(kind="button", text="a", link=A_LINK, color="#ffcc00", text_color="#000000"), []),
        (one_block(kind="button", text="a", link=A_LINK, text_color="#0b57d0"), ["blocks[0].text_color"]),
        ({**one_block(kind="text", text="a"), "style": {"text_color": GREY}}, ["style.text_color"]),
        ({**one_block(kind="divider"), "style": {"text_color": GREY}}, []),
        ({**one_block(kind="heading", level=3, text="a"), "style": {"heading_color": GREY}}, ["style.heading_color"]),
        ({**one_block(kind="text", text="a"), "style": {"link_color": GREY}}, []),
        (
            {
                **one_block(kind="text", parts=[{"paragraph": [{"text": "a", "link": A_LINK}]}]),
                "style": {"link_color": GREY},
            },
            ["style.link_color"],
        ),
        ({**one_block(kind="divider"), "style": {"background_color": "#333333"}}, ["style.background_color"]),
        (
            one_block(
                kind="columns", background_color="#222222", columns=[{"blocks": [{"kind": "text", "text": "a"}]}]
            ),
            ["style.text_color"],
        ),
    ],
)
def test_colours_that_are_hard_to_read_are_told_where_they_are_given(document: object, fields: list[str]) -> None:
    layout = rendered(document)

    assert [warning.field for warning in layout.warnings] == fields
    assert all("WCAG" in warning.message for warning in layout.warnings)


def of_size(paragraphs: int, text: str = "y") -> dict[str, Any]:
    return {"blocks": [{"kind": "text", "text": text * 1000} for _ in range(paragraphs)]}


def test_the_size_is_that_of_the_html_as_it_is_sent_in_bytes_with_footer_and_the_longest_values() -> None:
    plain, accented = rendered(of_size(10)), rendered(of_size(10, "é"))

    assert plain.size > len(plain.html.encode())
    assert accented.size == plain.size + 10_000
    assert (
        rendered(one_block(kind="text", text="##{{first_name}}")).size
        == rendered(one_block(kind="text", text="y" * 200)).size
    )


def test_a_size_near_what_gmail_clips_is_warned_of_and_then_refused() -> None:
    sizes = {}
    for count in range(40, 80, 3):
        try:
            layout = rendered(of_size(count))
        except InvalidInputError as error:
            sizes[count] = "refused"
            assert [each.field for each in error.errors] == ["blocks"]  # noqa: PT017
            assert str(MOST_BYTES) in error.errors[0].message  # noqa: PT017
        else:
            sizes[count] = "warned" if layout.warnings else "fine"
            assert layout.size <= MOST_BYTES
            assert (layout.size > MANY_BYTES) == bool(layout.warnings)

    assert list(dict.fromkeys(sizes.values())) == ["fine", "warned", "refused"]


def test_long_values_are_refused_though_the_layout_itself_is_small() -> None:
    """Each ``##{{first_name}}`` may be 200 letters long."""
    (error,) = wrong({"blocks": [{"kind": "text", "text": "##{{first_name}}" * 260} for _ in range(2)]})

    assert error.field == "blocks"
    assert "the longest values" in error.message


FOOTER: Final = "You get this email"


def test_the_footer_stands_below_the_content_and_as_wide() -> None:
    layout = rendered(one_block(kind="text", text="The content"))

    email = render_email(EmailContent("s", layout.html, layout.text), Category.MARKETING, "en", VALUES)

    assert re.search(
        r'The content.*<div style="max-width:600px[^>]*>\s*<div lang="en"[^>]*>You get', email.html, re.DOTALL
    )


@pytest.mark.parametrize(
    ("around", "is_there"),
    [
        ("<div>{}</div>", True),
        ("<table><tr><td>{}</td></tr></table>", True),
        ('<div style="display:none">{}</div>', False),
        ('<div style="font-size:0">{}</div>', False),
        ("<!-- {} -->", False),
        ("<title>{}</title>", False),
        ("<style>{}</style>", False),
    ],
)
def test_a_footer_goes_where_its_comment_is_only_if_it_can_be_seen_there(around: str, is_there: bool) -> None:
    source = f"<html><body>{around.format('<!-- rebound:footer -->')}<p>The end</p></body></html>"

    email = render_email(EmailContent("s", source, "t"), Category.MARKETING, "en", VALUES)

    assert (email.html.index(FOOTER) < email.html.index("The end")) is is_there
    assert FOOTER in Reader(email.html).text


def test_no_font_is_loaded_unless_it_is_asked_for() -> None:
    document = one_block(kind="text", text="a")
    asked = {
        **document,
        "style": {"web_font": {"name": "Lato", "stylesheet": "https://fonts.googleapis.com/css?family=Lato"}},
    }

    assert not re.search(r"<link|@import|fonts\.", rendered(document).html)
    assert "https://fonts.googleapis.com/css?family=Lato" in rendered(asked).html
    assert "'Lato', Arial" in rendered(asked).html


def test_what_is_taken_out_of_html_is_told() -> None:
    layout = rendered(
        one_block(kind="html", html="<p onclick='x()' style='position:fixed;color:#333333'>a<script>b</script></p>")
    )

    (warning,) = layout.warnings
    assert warning.field == "blocks[0].html"
    assert all(each in warning.message for each in ("<script>", "onclick of <p>", "position in a style"))
    assert "color" not in warning.message


@given(IN_COLUMNS)
@settings(max_examples=10)
@example({"kind": "text", "text": "a"})
def test_columns_stand_one_below_the_other_on_a_phone(block: dict[str, Any]) -> None:
    three = rendered({"blocks": [{"kind": "columns", "columns": [{"blocks": [block]}] * 3}]})

    assert re.search(r"@media only screen and \(min-width:480px\) \{ \.mj-column-per-33", three.html)


# --- golden files -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(path.stem for path in GOLDEN.glob("*.json")))
def test_a_layout_renders_as_it_did(name: str) -> None:
    """After a wanted change, or with a new mrml: look at them, and write them anew with ``REBOUND_WRITE_GOLDEN=1``."""
    layout = rendered(json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8")))
    made = {"html": layout.html.replace("><", ">\n<") + "\n", "txt": layout.text}
    for suffix, text in made.items():
        file = GOLDEN / f"{name}.{suffix}"
        if os.environ.get("REBOUND_WRITE_GOLDEN"):
            file.write_text(text, encoding="utf-8")
        assert text == file.read_text(encoding="utf-8")


def test_there_is_a_golden_layout_with_blocks_of_every_kind() -> None:
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in GOLDEN.glob("*.json")]

    kinds = {block["kind"] for document in documents for block in document["blocks"]}
    assert kinds == {"heading", "text", "button", "image", "divider", "spacer", "columns", "social", "voucher", "html"}
