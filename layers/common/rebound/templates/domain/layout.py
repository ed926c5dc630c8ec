"""Layouts: emails as blocks of data, which are rendered to HTML for every screen and to plain text.

The shapes below are all that is said of a block: what it may have is read from them (``layout_reading``), and the
OpenAPI document is written from them. A ``Text`` may have placeholders, as may a ``Link``.
"""

import re
from collections.abc import Callable, Iterator
from copy import replace
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct, field

from rebound.businesses.domain.layout_style import Colour, Shape, Style

MAX_BLOCKS: Final = 100
"""Of a layout, those in columns included."""
MAX_COLUMNS: Final = 3
"""More are too narrow to be read."""
WIDTH: Final = 600
"""Pixels: what mail programs on a desk show beside their lists."""

Text = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=5_000,
        extra={"form": "text"},
        description="What people read; placeholders are filled in.",
    ),
]
"""What people read."""
Line = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        extra={"form": "line"},
        description="What people read, on one line; placeholders are filled in.",
    ),
]
"""The same, on one line."""
Subject = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=500,
        extra={"form": "subject"},
        description="Of the email, which a layout that is sent must have. Placeholders are filled in.",
    ),
]
Link = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=2_000,
        extra={"form": "link"},
        description="https://, http://, mailto:, tel: or sms:, or a variable that is a whole address.",
    ),
]
"""Where a click leads: https, http, mailto, tel, sms, or a variable that is a whole address."""
Source = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=2_000,
        extra={"form": "source"},
        description="The address of an image, https:// or http://.",
    ),
]
"""Where an image is: https or http."""
Markup = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=50_000,
        extra={"form": "html"},
        description="Cleaned: no scripts, forms, style sheets, comments or positions.",
    ),
]
Language = Annotated[str, Meta(pattern="^[a-z]{2}(-[A-Z]{2})?$", extra={"form": "language"})]


class Align(StrEnum):
    """Where a block's content stands."""

    LEFT = "left"
    CENTER = "center"
    RIGHT = "right"


class Network(StrEnum):
    """Where a business can be followed."""

    BLUESKY = "bluesky"
    FACEBOOK = "facebook"
    INSTAGRAM = "instagram"
    LINKEDIN = "linkedin"
    MASTODON = "mastodon"
    PINTEREST = "pinterest"
    THREADS = "threads"
    TIKTOK = "tiktok"
    WEBSITE = "website"
    WHATSAPP = "whatsapp"
    X = "x"
    YOUTUBE = "youtube"

    @property
    def written(self) -> str:
        """As it writes itself."""
        return _WRITTEN.get(self, self.title())


_WRITTEN: Final = {
    Network.LINKEDIN: "LinkedIn",
    Network.TIKTOK: "TikTok",
    Network.WHATSAPP: "WhatsApp",
    Network.YOUTUBE: "YouTube",
}


class Span(Shape, frozen=True):
    """A run of text within a paragraph."""

    text: Text
    bold: bool = False
    italic: bool = False
    link: Link | None = None


Spans = Annotated[list[Text | Span], Meta(min_length=1, max_length=200)]


class Part(Shape, frozen=True):
    """A paragraph, in which a line break of a text is one in the email, or a list, with bullets or with numbers."""

    paragraph: Spans | None = None
    items: Annotated[list[Spans], Meta(min_length=1, max_length=100)] | None = field(name="list", default=None)
    ordered: bool = False

    @property
    def runs(self) -> list[list[str | Span]]:
        """The paragraph, or what each entry of the list says."""
        return self.items or [self.paragraph or []]


class Block(Shape, frozen=True, tag_field="kind"):
    """One block; ``kind`` says which."""


class Heading(Block, frozen=True, tag="heading"):
    """A heading, of the first level or of a lower one."""

    text: Line
    level: Annotated[int, Meta(ge=1, le=3)] = 1
    align: Align = Align.LEFT
    color: Colour | None = None


class TextBlock(Block, frozen=True, tag="text"):
    """Text: as one ``text``, in which an empty line begins a paragraph, or in ``parts``."""

    text: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=20_000,
                extra={"form": "text"},
                description="What people read; placeholders are filled in.",
            ),
        ]
        | None
    ) = None
    parts: Annotated[list[Part], Meta(min_length=1, max_length=100)] | None = None
    align: Align = Align.LEFT
    color: Colour | None = None

    @property
    def all_parts(self) -> list[Part]:
        """The parts, whichever way it is written."""
        if self.parts is not None:
            return self.parts
        return [Part([each.strip("\n")]) for each in _EMPTY_LINES.split(self.text or "") if each.strip()]


_EMPTY_LINES: Final = re.compile(r"\r?\n[ \t]*(?:\r?\n[ \t]*)+")


class Button(Block, frozen=True, tag="button"):
    """A button, large enough for a thumb."""

    text: Line
    link: Link
    align: Align = Align.LEFT
    color: Colour | None = None
    """That of the style, or this one; so is the text's."""
    text_color: Colour | None = None


class Image(Block, frozen=True, tag="image"):
    """An image, as wide as there is room or as ``width`` says, in pixels. ``alt`` is for who does not see it."""

    source: Source
    alt: Line
    link: Link | None = None
    width: Annotated[int, Meta(ge=16, le=WIDTH)] | None = None
    align: Align = Align.CENTER


class Divider(Block, frozen=True, tag="divider"):
    """A line across."""

    color: Colour = "#d9d9d9"
    thickness: Annotated[int, Meta(ge=1, le=10)] = 1


class Spacer(Block, frozen=True, tag="spacer"):
    """Empty room, in pixels."""

    height: Annotated[int, Meta(ge=4, le=100)] = 24


class SocialLink(Shape, frozen=True):
    """A network, and the business's page there."""

    network: Network
    link: Link


class Social(Block, frozen=True, tag="social"):
    """Links to where the business can be followed, by name: no pictures are loaded from elsewhere."""

    links: Annotated[list[SocialLink], Meta(min_length=1, max_length=10)]
    align: Align = Align.CENTER


class Voucher(Block, frozen=True, tag="voucher"):
    """A code to show or to type, in a frame: what it is worth, and on which terms."""

    title: Line
    code: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=64,
            extra={"form": "line"},
            description="What people read, on one line; placeholders are filled in.",
        ),
    ]
    terms: Text | None = None
    link: Link | None = None
    link_text: Line | None = None


class Html(Block, frozen=True, tag="html"):
    """HTML of the client's own, of which what could do harm, or harm the layout, is taken out."""

    html: Markup


BlockInColumn = Heading | TextBlock | Button | Image | Divider | Spacer | Social | Voucher | Html


class Column(Shape, frozen=True):
    """Blocks one below the other."""

    blocks: Annotated[list[BlockInColumn], Meta(min_length=1, max_length=MAX_BLOCKS)]


class Columns(Block, frozen=True, tag="columns"):
    """Up to three columns of the same width; on a phone they stand one below the other."""

    columns: Annotated[list[Column], Meta(min_length=1, max_length=MAX_COLUMNS)]
    background_color: Colour | None = None


AnyBlock = Heading | TextBlock | Button | Image | Divider | Spacer | Columns | Social | Voucher | Html


class Layout(Shape, frozen=True):
    """An email as blocks.

    ``preheader`` is what lists of mail show behind the subject; ``language`` is that of the text, for who has it read
    aloud. A layout that is sent has a subject.
    """

    blocks: Annotated[list[AnyBlock], Meta(min_length=1, max_length=MAX_BLOCKS)]
    style: Style = field(default_factory=Style)
    subject: Subject | None = None
    preheader: Line | None = None
    language: Language | None = None


_SHOWN_WITHOUT: Final = re.compile(r"(?:mailto|tel|sms):([^?]*)", re.IGNORECASE)


def shown_address(link: str) -> str:
    """Where a link leads, as people read it."""
    without = _SHOWN_WITHOUT.match(link)
    return link if without is None else without[1]


class Placed(Struct, frozen=True):
    """A block, the path that a client would write to it, and the colour behind it."""

    path: str
    block: AnyBlock
    behind: str


def placed(layout: Layout) -> Iterator[Placed]:
    """All blocks in the order in which they are read, those in columns after the block that has these."""
    plain = layout.style.content_color
    for number, block in enumerate(layout.blocks):
        yield Placed(f"blocks[{number}]", block, plain)
        if isinstance(block, Columns):
            behind = block.background_color or plain
            for at, column in enumerate(block.columns):
                for inner, each in enumerate(column.blocks):
                    yield Placed(f"blocks[{number}].columns[{at}].blocks[{inner}]", each, behind)


def with_clean_html(layout: Layout, clean: Callable[[str], str]) -> Layout:
    """The layout with the HTML of its blocks cleaned."""

    def cleaned(block: BlockInColumn) -> BlockInColumn:
        return replace(block, html=clean(block.html)) if isinstance(block, Html) else block

    def changed(block: AnyBlock) -> AnyBlock:
        if not isinstance(block, Columns):
            return cleaned(block)
        columns = [replace(column, blocks=[cleaned(each) for each in column.blocks]) for column in block.columns]
        return replace(block, columns=columns)

    return replace(layout, blocks=[changed(block) for block in layout.blocks])
