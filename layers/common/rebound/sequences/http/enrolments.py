"""Who is in sequences: routes."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from pydantic import Field

from rebound.kernel.ids import id_of_external
from rebound.platform.http.routes import (
    DEFAULT_LIMIT,
    Cursor,
    CustomerInPath,
    Limit,
    business_of,
    json_answer,
    no_content,
    nothing,
    responses,
)
from rebound.platform.http.shapes import CustomerId, ExternalId, NamesACustomer
from rebound.sequences import wiring
from rebound.sequences.domain.enrolments import EnrolmentKey
from rebound.sequences.http.routes import SequenceInPath
from rebound.sequences.http.shapes import EnrolledAnswer, EnrolmentAnswer, EnrolmentPage


class EnrolRequest(NamesACustomer):
    """Whom to let begin a sequence."""

    entry_key: Annotated[str, Field(min_length=1, max_length=128)] = Field(
        description="What this is because of, such as the id of an order: the same key begins it once."
    )


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""
    tags = ["Sequences"]
    path = "/v1/sequences/<sequence_id>"

    @app.post(
        f"{path}/enrolments",
        summary="Let a customer begin a sequence",
        tags=tags,
        responses=responses(EnrolledAnswer),
    )
    def enrol(sequence_id: SequenceInPath, request: Annotated[EnrolRequest, Body()]) -> Response[str]:
        business_id = business_of(app)
        service = wiring.use_cases().sequence_service
        customer_id = request.customer_of(business_id)
        field = "customer_id" if request.external_id is None else "external_id"
        return json_answer(
            EnrolledAnswer(enrolled=service.enrol(business_id, sequence_id, customer_id, request.entry_key, field))
        )

    @app.delete(
        f"{path}/enrolments/<customer_id>",
        summary="Take a customer out of a sequence: nothing more of it is done for them",
        tags=tags,
        responses=no_content(),
    )
    def take_out(sequence_id: SequenceInPath, customer_id: CustomerInPath) -> Response[str]:
        wiring.use_cases().sequence_service.take_out(business_of(app), sequence_id, customer_id)
        return nothing()

    @app.get(
        f"{path}/enrolments",
        summary="List who is in a sequence, or was",
        tags=tags,
        responses=responses(EnrolmentPage),
    )
    def list_enrolments(
        sequence_id: SequenceInPath,
        customer_id: Annotated[CustomerId | None, Query(description="This customer alone.")] = None,
        external_id: Annotated[ExternalId | None, Query(description="The same, by your own id.")] = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response[str]:
        business_id, use_cases = business_of(app), wiring.use_cases()
        if external_id is not None:
            customer_id = id_of_external(business_id, external_id)
        if customer_id is None:
            page = use_cases.sequence_service.page(business_id, sequence_id, limit, cursor)
            found, next_cursor = page.items, page.next_cursor
        else:
            key = EnrolmentKey(business_id, customer_id, sequence_id)
            found, next_cursor = use_cases.sequence_service.of_customer(key), None
        ids = use_cases.external_ids(business_id, [each.key.customer_id for each in found])
        items = [EnrolmentAnswer.of(each, ids[each.key.customer_id]) for each in found]
        return json_answer(EnrolmentPage(items=items, next_cursor=next_cursor))
