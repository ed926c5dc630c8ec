"""A layout as plain text, in the order in which it is read, with the address of each link behind its words."""

from collections.abc import Iterable, Iterator
from typing import Final

from rebound.templates.domain.html_as_text import html_as_text
from rebound.templates.domain.layout import (
    AnyBlock,
    Button,
    Columns,
    Divider,
    Heading,
    Html,
    Image,
    Layout,
    Part,
    Social,
    Spacer,
    Span,
    TextBlock,
    Voucher,
    placed,
    shown_address,
)

_LINE: Final = "-" * 20


def layout_as_text(layout: Layout) -> str:
    """What a reader without HTML sees; placeholders stay as they are."""
    blocks = (_text_of(each.block) for each in placed(layout))
    return "\n\n".join(block for block in blocks if block) + "\n"


def _text_of(block: AnyBlock) -> str:
    match block:
        case Heading(text=text):
            return text
        case TextBlock():
            return "\n\n".join(map(_part, block.all_parts))
        case Button(text=text, link=link):
            return _linked(text, link)
        case Image(alt=alt, link=link):
            return _linked(alt, link)
        case Divider():
            return _LINE
        case Social(links=links):
            return "\n".join(_linked(each.network.written, each.link) for each in links)
        case Voucher():
            return "\n".join(_voucher(block))
        case Html(html=markup):
            return html_as_text(markup)
        case Spacer() | Columns():
            return ""


def _voucher(voucher: Voucher) -> Iterator[str]:
    yield voucher.title
    yield voucher.code
    if voucher.terms is not None:
        yield voucher.terms
    if voucher.link is not None:
        yield _linked(voucher.link_text or shown_address(voucher.link), voucher.link)


def _part(part: Part) -> str:
    if part.items is None:
        return _spans(part.paragraph or ())
    marks = (f"{number}." if part.ordered else "-" for number in range(1, len(part.items) + 1))
    return "\n".join(f"{mark} {_spans(item)}" for mark, item in zip(marks, part.items, strict=True))


def _spans(spans: Iterable[str | Span]) -> str:
    text, bare = "", False
    for span in spans:
        words, link = (span, None) if isinstance(span, str) else (span.text, span.link)
        written = _linked(words, link)
        touches = bool(text) and not text[-1].isspace() and not written[:1].isspace()
        # An address as it stands ends at a space, and what is before one is no part of it.
        stands = link is not None and written == words
        text += f" {written}" if touches and (bare or stands) else written
        bare = stands
    return text


def _linked(words: str, link: str | None) -> str:
    """Words and where they lead; brackets stand off, for mail programs."""
    if link is None:
        return words
    shown = shown_address(link)
    return words if shown in words.split() else f"{words} ( {shown} )"
