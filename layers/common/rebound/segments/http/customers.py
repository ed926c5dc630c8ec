"""Customers by filter: lists, counts, clean-ups."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any, Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import Field, model_validator

from rebound.customers.http import CustomerAnswer
from rebound.jobs.domain import JobKind
from rebound.jobs.http import CountAnswer, JobAnswer, accepted, started
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.platform.http.routes import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    business_of,
    json_answer,
    name_of_request,
    prefers_a_job,
    responses,
)
from rebound.platform.http.shapes import Answer, CustomerIds, ExternalIds, customers_named
from rebound.segments import wiring
from rebound.segments.application.find_customers import read_order, write_filter
from rebound.segments.http.customer_filters import (
    CustomersRequest,
    Failed,
    FilterText,
    OfSegment,
    OrderBy,
    Sort,
    Tag,
    UpdatedSince,
    Words,
    customers_wanted,
    read_filter,
)


class CustomerPage(Answer):
    """Part of a list of customers."""

    items: list[CustomerAnswer]
    next_cursor: str | None


class BulkDeleteRequest(CustomersRequest):
    """Whom to delete: everything that is given must hold; with ``customer_ids`` or ``external_ids`` only these."""

    customer_ids: CustomerIds | None = None
    external_ids: ExternalIds | None = None
    confirm_count: Annotated[int, Field(ge=0)] = Field(
        description="The number of customers that you expect to delete; with another number nothing is deleted."
    )

    @model_validator(mode="before")
    @classmethod
    def _says_how_to_count(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("confirm_count") is None:
            how = "GET /v1/customers/count with the same filters says it; of a list of ids it is how many there are"
            raise InvalidInputError(FieldError("confirm_count", f"Is required: {how}."))
        return given

    @model_validator(mode="after")
    def _at_most_one(self) -> Self:
        if self.customer_ids is not None and self.external_ids is not None:
            raise ValueError("Give at most one of customer_ids, external_ids.")
        return self

    def named(self, business_id: str) -> Sequence[str] | None:
        """The customers of the list, if there is one."""
        if self.customer_ids is None and self.external_ids is None:
            return None
        return customers_named(business_id, self.customer_ids, self.external_ids)


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""
    tags = ["Customers"]

    @app.get(
        "/v1/customers",
        summary="List customers; with more than failed alone or q alone, a page may be short or empty and still have a "
        "next_cursor",
        tags=tags,
        responses=responses(CustomerPage),
    )
    def list_customers(
        failed: Failed = None,
        tag: Tag = None,
        q: Words = None,
        segment_id: OfSegment = None,
        filter: FilterText = None,  # noqa: A002 - the parameter's name in the contract
        updated_since: UpdatedSince = None,
        sort: Sort = None,
        order: OrderBy = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response[str]:
        own, is_next_page = read_filter(filter), cursor is not None
        wanted = customers_wanted(app, failed, tag, q, segment_id, own, updated_since, is_next_page=is_next_page)
        page = wiring.use_cases().list_customers(
            business_of(app), wanted, limit=limit, cursor=cursor, order=read_order(sort, order)
        )
        items = [CustomerAnswer.of(view) for view in page.items]
        return json_answer(CustomerPage(items=items, next_cursor=page.next_cursor))

    @app.get(
        "/v1/customers/count",
        summary="Count customers, with the filters of the list; a job when there are too many to count while the "
        "request waits",
        tags=tags,
        responses=responses(CountAnswer) | accepted(),
    )
    def count_customers(
        failed: Failed = None,
        tag: Tag = None,
        q: Words = None,
        segment_id: OfSegment = None,
        filter: FilterText = None,  # noqa: A002 - the parameter's name in the contract
        updated_since: UpdatedSince = None,
    ) -> Response[str]:
        wanted = customers_wanted(app, failed, tag, q, segment_id, read_filter(filter), updated_since)
        wanted.compiled()
        counts = None if prefers_a_job(app) else wiring.use_cases().count_customers(business_of(app), wanted)
        if counts is not None:
            return json_answer(CountAnswer.of(counts))
        return started(app, JobKind.COUNT, {"wanted": write_filter(wanted)})

    @app.post(
        "/v1/customers/bulk-delete",
        summary="Delete the customers of a filter, when there are as many as you say",
        tags=tags,
        responses=responses(JobAnswer, HTTPStatus.ACCEPTED),
    )
    def bulk_delete_customers(request: Annotated[BulkDeleteRequest, Body()]) -> Response[str]:
        business_id, wanted = business_of(app), request.wanted(app)
        view = wiring.use_cases().bulk_delete(
            business_id, wanted, request.named(business_id), request.confirm_count, name_of_request(app)
        )
        return json_answer(JobAnswer.of(view), HTTPStatus.ACCEPTED)
