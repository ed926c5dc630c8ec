"""A layout in a request: JSON that the domain checks, and what the document says of it."""

from typing import Annotated, Any, Final

from pydantic import Field

from rebound.platform.http.shapes import DocumentedAs

EXAMPLE: Final = {
    "subject": "##{{first_name}}, your mat is waiting",
    "blocks": [
        {"kind": "heading", "text": "Hello ##{{first_name}}"},
        {"kind": "text", "text": "The autumn timetable is out.\n\nTwo classes are new."},
        {"kind": "button", "text": "Book a class", "link": "https://studio.example.com/book"},
    ],
    "style": {"font": "Georgia", "button_color": "#1b5e20"},
}


def _shape() -> object:
    from rebound.templates.http.layout_language import layout  # noqa: PLC0415 - only for the document

    return layout()


GivenLayout = Annotated[
    dict[str, Any],
    DocumentedAs(_shape),
    Field(description="An email as blocks of data, one below the other.", examples=[EXAMPLE]),
]
"""What ``RenderLayout`` reads."""
