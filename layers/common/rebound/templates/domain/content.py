"""What a message says before it is rendered for a recipient."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import asdict

MAX_TEXT_CHARACTERS: Final = 1600
"""Twilio and SNS take no longer body."""


class EmailContent(Struct, frozen=True):
    """An email with ``##{{field}}`` placeholders; at least one of ``html`` and ``text`` is there."""

    subject: str
    html: str | None = None
    text: str | None = None


class TextContent(Struct, frozen=True):
    """A text message with ``##{{field}}`` placeholders."""

    body: str


Content = EmailContent | TextContent


def written_content(content: Content) -> dict[str, Any]:
    """The content as JSON, in the form in which rows keep it."""
    return asdict(content)


def read_content(document: Mapping[str, Any]) -> Content:
    """The content that a row keeps."""
    return TextContent(**document) if "body" in document else EmailContent(**document)
