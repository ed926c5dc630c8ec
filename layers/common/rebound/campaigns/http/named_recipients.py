"""Whom a campaign was for, by name: routes that need the right to read customers as well."""

from http import HTTPStatus
from typing import Annotated, Any, Final, Self
from urllib.parse import urlencode

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from rebound.campaigns import wiring
from rebound.campaigns.application.read_recipients import ExcludedCustomer
from rebound.campaigns.http.campaigns import known
from rebound.campaigns.http.recipients import SHOWN, Status
from rebound.eligibility.domain.eligibility import Exclusion
from rebound.messages.domain.messages import MessageStatus
from rebound.platform.http.routes import DEFAULT_LIMIT, Cursor, Limit, business_of, json_answer, responses
from rebound.platform.http.shapes import Answer, one_of

MAX_ROWS: Final = 5_000
"""Of a part of a file: some 250 bytes each, of the 6 MB with which Lambda answers."""


class ExcludedCustomerAnswer(Answer):
    """A customer who was left out, and why."""

    customer_id: str
    external_id: str | None = Field(description="Null for who is deleted.")
    name: str | None = Field(description="Null for who is deleted.")
    reason: Exclusion

    @classmethod
    def of(cls, excluded: ExcludedCustomer) -> Self:
        """The answer for a customer."""
        customer = excluded.customer
        return cls.filled(
            excluded,
            external_id=None if customer is None else customer.external_id,
            name=None if customer is None else customer.full_name,
        )


class ExcludedPage(Answer):
    """Part of whom a campaign left out; all of them are as many as ``audience.excluded`` counts."""

    items: list[ExcludedCustomerAnswer]
    next_cursor: str | None
    complete: bool = Field(
        description="False for a campaign that began before such lists were kept: those whom it left out at its "
        "beginning are counted and not named."
    )


Reason = Annotated[
    Annotated[str, one_of(Exclusion)] | None, Query(description="Only those who were left out for this reason.")
]
_ROWS: Final = Query(ge=1, le=MAX_ROWS, description="How many rows at most.")


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""
    tags = ["Campaigns"]

    @app.get(
        "/v1/campaigns/<campaign_id>/excluded",
        summary="Whom a campaign left out, by name and reason; a page may be short, or empty, and still have a "
        "next_cursor. Needs customers:read as well",
        tags=tags,
        responses=responses(ExcludedPage),
    )
    def list_excluded_customers(
        campaign_id: str, reason: Reason = None, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Response[str]:
        found = wiring.use_cases().read_recipients.excluded(
            business_of(app),
            campaign_id,
            reason=None if reason is None else known("reason", reason, Exclusion),
            limit=limit,
            cursor=cursor,
        )
        items = [ExcludedCustomerAnswer.of(each) for each in found.page.items]
        return json_answer(ExcludedPage(items=items, next_cursor=found.page.next_cursor, complete=found.complete))

    @app.get(
        "/v1/campaigns/<campaign_id>/messages.csv",
        summary="A campaign's messages as CSV, with names and ids; when there are more, Link says where (RFC 8288), "
        "and only the first part has a header. Needs customers:read as well",
        tags=tags,
        responses=_csv_responses(),
    )
    def download_campaign_messages(
        campaign_id: str,
        status: Status = None,
        limit: Annotated[int, _ROWS] = MAX_ROWS,
        cursor: Cursor = None,
    ) -> Response[str]:
        from rebound.campaigns.application.recipients_file import write_header, write_rows  # noqa: PLC0415

        page = wiring.use_cases().read_recipients.rows(
            business_of(app),
            campaign_id,
            status=None if status is None else MessageStatus(known("status", status, SHOWN)),
            limit=limit,
            cursor=cursor,
        )
        asked = dict(app.current_event.query_string_parameters or {})
        after = page.next_cursor
        more = {} if after is None else {"Link": f'<?{urlencode({**asked, "cursor": after})}>; rel="next"'}
        return Response(
            status_code=HTTPStatus.OK,
            content_type="text/csv; charset=utf-8",
            body=(write_header() if cursor is None else "") + write_rows(page.items),
            headers={"Content-Disposition": f'attachment; filename="campaign-{campaign_id}.csv"', **more},
        )


def _csv_responses() -> dict[int, Any]:
    return {**responses(Answer), 200: {"description": "CSV", "content": {"text/csv": {"schema": {"type": "string"}}}}}
