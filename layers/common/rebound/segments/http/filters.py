"""Filters and saved segments in requests and answers: JSON that the domain checks, and what the document says of it."""

import json
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from rebound.platform.http.shapes import DocumentedAs, text_of
from rebound.segments.application.segment_service import SEGMENT_ID

MAX_FILTER_BYTES: Final = 20_000
SegmentId = Annotated[str, text_of(pattern=f"^{SEGMENT_ID.pattern}$")]
"""The name of a saved segment, which is looked up."""


def _fits(value: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(value, ensure_ascii=False).encode(errors="replace")) > MAX_FILTER_BYTES:
        raise ValueError(f"Must have at most {MAX_FILTER_BYTES} bytes.")
    return value


def _language() -> object:
    from rebound.segments.http.filter_language import Filter  # noqa: PLC0415 - only for the document

    return Filter


Filter = Annotated[
    dict[str, Any],
    AfterValidator(_fits),
    DocumentedAs(_language),
    Field(
        examples=[
            {"all": []},
            {"tag": "vip"},
            {"all": [{"failed": "email"}, {"not": {"field": "gender", "equals": "f"}}]},
            {"consent": {"channel": "sms", "scope": "marketing", "is": "opted_in"}},
        ]
    ),
]
