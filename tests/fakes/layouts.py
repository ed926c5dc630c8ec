"""Layouts, generated as clients might write them."""

from collections.abc import Mapping
from typing import Any, Final

from hypothesis import strategies as st

from rebound.businesses.domain.layout_style import Font
from rebound.templates.domain.layout import Align, Network
from rebound.templates.domain.rendering import VARIABLES

type Block = dict[str, Any]

_CHARACTERS: Final = st.characters(
    codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="{}#%&｛｝＃\u0085"
)
"""Whatever people write; what mends placeholders is tried elsewhere."""
WORDS: Final = st.text(_CHARACTERS, min_size=1, max_size=30).filter(lambda text: len(text.strip()) > 0)
PLACEHOLDERS: Final = st.sampled_from([f"##{{{{{name}}}}}" for name in VARIABLES])
LINES: Final = st.lists(
    WORDS | PLACEHOLDERS | st.sampled_from(["<b>", "&amp;", '"', "'", "</div>", "<!--"]), min_size=1, max_size=3
).map(" ".join)
TEXTS: Final = st.lists(LINES, min_size=1, max_size=3).map("\n".join)
_PLACE: Final = st.sampled_from(
    ["", "/", "/a/b", "/?q=1&copy=2", "/?n=##{{first_name}}", "/##{{external_id}}/x", "/#top", "/'x'"]
)
LINKS: Final = st.builds(
    "{}{}.example.com{}".format,
    st.sampled_from(["https://", "http://"]),
    st.from_regex("[a-z]{3,9}", fullmatch=True),
    _PLACE,
) | st.sampled_from(["mailto:desk@example.com", "tel:+14155550100", "##{{unsubscribe_url}}", "##{{preferences_url}}"])
COLOURS: Final = st.from_regex("#[0-9a-fA-F]{6}", fullmatch=True)
_ALIGN: Final = st.sampled_from([str(each) for each in Align])


def _block(
    kind: str, needed: Mapping[str, st.SearchStrategy[Any]], **more: st.SearchStrategy[Any]
) -> st.SearchStrategy[Block]:
    return st.fixed_dictionaries({"kind": st.just(kind), **needed}, optional=more)


SPANS: Final = st.lists(
    LINES
    | LINKS.filter(lambda link: link.startswith("http")).map(lambda link: {"text": link, "link": link})
    | st.fixed_dictionaries({"text": LINES}, optional={"bold": st.booleans(), "italic": st.booleans(), "link": LINKS}),
    min_size=1,
    max_size=4,
)
PARTS: Final = st.lists(
    st.fixed_dictionaries({"paragraph": SPANS})
    | st.fixed_dictionaries({"list": st.lists(SPANS, min_size=1, max_size=3)}, optional={"ordered": st.booleans()}),
    min_size=1,
    max_size=3,
)
IN_COLUMNS: Final = st.one_of(
    _block("heading", {"text": LINES}, level=st.integers(1, 3), align=_ALIGN, color=COLOURS),
    _block("text", {"text": TEXTS}, align=_ALIGN, color=COLOURS),
    _block("text", {"parts": PARTS}, align=_ALIGN),
    _block("button", {"text": LINES, "link": LINKS}, align=_ALIGN, color=COLOURS, text_color=COLOURS),
    _block(
        "image",
        {"source": st.just("https://example.com/i.png?n=##{{first_name}}&x=1"), "alt": LINES},
        link=LINKS,
        width=st.integers(16, 600),
    ),
    _block("divider", {}, color=COLOURS, thickness=st.integers(1, 10)),
    _block("spacer", {}, height=st.integers(4, 100)),
    _block(
        "social",
        {
            "links": st.lists(
                st.fixed_dictionaries({"network": st.sampled_from([str(each) for each in Network]), "link": LINKS}),
                min_size=1,
                max_size=3,
            )
        },
    ),
    _block(
        "voucher",
        {"title": LINES, "code": st.from_regex("[A-Z0-9-]{3,12}", fullmatch=True)},
        terms=TEXTS,
        link=LINKS,
    ),
    _block(
        "voucher",
        {"title": LINES, "code": LINES.filter(lambda line: len(line) <= 64), "link": LINKS, "link_text": LINES},
    ),
    _block(
        "html",
        {
            "html": st.sampled_from(
                [
                    "<p>Hello ##{{first_name}}</p>",
                    "<b>unclosed",
                    "</div></td></table>x",
                    "a < b & c",
                    '<a href="https://example.com/?a=##{{first_name}}">x</a>',
                ]
            )
        },
    ),
)
COLUMNS: Final = _block(
    "columns",
    {
        "columns": st.lists(
            st.fixed_dictionaries({"blocks": st.lists(IN_COLUMNS, min_size=1, max_size=2)}), min_size=1, max_size=3
        )
    },
    background_color=COLOURS,
)
STYLES: Final = st.fixed_dictionaries(
    {},
    optional={
        "font": st.sampled_from([str(each) for each in Font]),
        "web_font": st.just({"name": "Lato", "stylesheet": "https://fonts.googleapis.com/css?family=Lato"}),
        **dict.fromkeys(
            (
                "text_color",
                "heading_color",
                "link_color",
                "button_color",
                "button_text_color",
                "content_color",
                "background_color",
            ),
            COLOURS,
        ),
        "corner_radius": st.integers(0, 30),
    },
)
LAYOUTS: Final = st.fixed_dictionaries(
    {"blocks": st.lists(IN_COLUMNS | COLUMNS, min_size=1, max_size=5)},
    optional={"style": STYLES, "subject": LINES, "preheader": LINES, "language": st.sampled_from(["de", "pt-BR"])},
)


def in_order(document: Mapping[str, Any]) -> list[Block]:
    """All blocks of a layout but columns, in the order in which they are read."""
    found: list[Block] = []
    for block in document["blocks"]:
        found += (
            [each for column in block["columns"] for each in column["blocks"]]
            if block["kind"] == "columns"
            else [block]
        )
    return found


def spans_of(block: Block) -> list[Block]:
    """The spans of a text with parts, each with its text."""
    runs = [
        run for part in block.get("parts", ()) for run in ([part["paragraph"]] if "paragraph" in part else part["list"])
    ]
    return [span if isinstance(span, dict) else {"text": span} for run in runs for span in run]


def texts_of(document: Mapping[str, Any]) -> list[str]:
    """All that people read in a layout, but for HTML of its own and alternative texts, in order."""
    found: list[str] = []
    for block in in_order(document):
        if block["kind"] not in {"image", "html"}:
            found += [block[name] for name in ("title", "code", "text", "terms", "link_text") if name in block]
            found += [span["text"] for span in spans_of(block)]
    return found


def links_of(document: Mapping[str, Any]) -> list[str]:
    """All addresses behind links of a layout, but for those in HTML of its own, in order."""
    found: list[str] = []
    for block in in_order(document):
        found += [each["link"] for each in (block, *block.get("links", ()), *spans_of(block)) if "link" in each]
    return found
