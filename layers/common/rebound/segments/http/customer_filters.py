"""Which customers a request is about."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field, StringConstraints

from rebound.contacts.domain.contacts import FAILED_VALUES
from rebound.customers.domain import SORTS
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.platform.http.routes import business_of, no_number
from rebound.platform.http.shapes import Moment, Request, one_of, text_of
from rebound.segments import wiring
from rebound.segments.application.find_customers import DIRECTIONS
from rebound.segments.domain.selections import CustomerFilter
from rebound.segments.http.filters import MAX_FILTER_BYTES, Filter, SegmentId

FailedContact = Annotated[str, one_of(FAILED_VALUES)]
Failed = Annotated[FailedContact | None, Query(description="phone, email, any or both failed.")]
Tag = Annotated[str | None, Query(max_length=64)]
Words = Annotated[
    str | None,
    Query(
        max_length=200,
        description="A list with no other filter has those of whose name every word begins a word, or whose number "
        "(however it is written), email (or its beginning) or external_id it is. Beside other filters, and in counts: "
        "words in name, address, number or id.",
    ),
]
Sort = Annotated[
    Annotated[str, one_of(SORTS)] | None,
    Query(description="name (first, then last) or created; not with q. With filters a page may be short or empty."),
]
OrderBy = Annotated[Annotated[str, one_of(DIRECTIONS)] | None, Query(description="Of a sorted list; asc.")]
OfSegment = Annotated[SegmentId | None, Query(max_length=64, description="Only customers of this segment.")]
UpdatedSince = Annotated[
    Moment | None,
    Query(
        description="RFC 3339; only customers whose updated_at is not before: profile, flags or consent. A sync asks "
        "from some minutes before the last one began."
    ),
]
MAX_IN_ADDRESS: Final = 5000
"""More than API Gateway lets through: 10,240 bytes of address and headers."""
FilterText = Annotated[
    Annotated[str, text_of(maxLength=MAX_IN_ADDRESS)] | None,
    Query(
        max_length=MAX_FILTER_BYTES,
        description="Only customers that match: a filter as segments have it, as JSON, URL-encoded.",
        examples=['{"not": {"tag": "vip"}}'],
    ),
]


class CustomersRequest(Request):
    """Which customers: everything that is given must hold; with nothing given, all of them."""

    failed: FailedContact | None = Field(default=None, description="phone, email, any or both failed.")
    tag: Annotated[str, StringConstraints(max_length=64)] | None = None
    q: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        default=None, description="Words in name, address, number or id."
    )
    segment_id: SegmentId | None = None
    filter: Filter | None = None

    def wanted(self, app: APIGatewayRestResolver) -> CustomerFilter:
        """The filter; a saved segment is read now."""
        return customers_wanted(app, self.failed, self.tag, self.q, self.segment_id, self.filter)


def customers_wanted(
    app: APIGatewayRestResolver,
    failed: str | None,
    tag: str | None,
    q: str | None,
    segment_id: str | None,
    filter_: Mapping[str, Any] | None,
    updated_since: datetime | None = None,
    *,
    is_next_page: bool = False,
) -> CustomerFilter:
    """Which customers a request is about; saved segments are read now, and the day is today."""
    business_id, pin = business_of(app), wiring.use_cases().pin_filters
    segment = None if segment_id is None else pin.segment(business_id, segment_id)
    own = None if filter_ is None else pin.filter(business_id, filter_)
    wanted = CustomerFilter(failed=failed, tag=tag, q=q, segment=segment, filter=own, updated_since=updated_since)
    return pin.wanted(business_id, wanted, is_next_page=is_next_page)


def read_filter(text: str | None) -> Mapping[str, Any] | None:
    """A filter that came in the address, where only text can stand."""
    if text is None:
        return None
    try:
        given = json.loads(text, parse_constant=no_number)
    except (ValueError, RecursionError):
        raise InvalidInputError(FieldError("filter", "Must be a filter as JSON, URL-encoded.")) from None
    if not isinstance(given, dict):
        raise InvalidInputError(FieldError("filter", "Must be an object."))
    return given
