"""What a message says, before it is rendered for somebody."""

from msgspec import Struct


class EmailContent(Struct, frozen=True):
    """An email with ``##{{field}}`` placeholders; at least one of ``html`` and ``text`` is there."""

    subject: str
    html: str | None = None
    text: str | None = None


class TextContent(Struct, frozen=True):
    """A text message with ``##{{field}}`` placeholders."""

    body: str


Content = EmailContent | TextContent
