"""Loyalty: shapes and routes."""

from typing import Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from pydantic import Field

from rebound.customers.domain import Customer
from rebound.kernel.ids import id_of_external
from rebound.loyalty import wiring
from rebound.platform.http.routes import (
    CustomerInPath,
    ExternalIdInPath,
    business_of,
    json_answer,
    no_content,
    nothing,
    responses,
)
from rebound.platform.http.shapes import Answer


class FavouriteAnswer(Answer):
    """A customer whom the staff chose."""

    customer_id: str
    external_id: str | None = Field(description="The business's own id, if the customer has one.")

    @classmethod
    def of(cls, customer: Customer) -> Self:
        """The answer for a favourite."""
        return cls.filled(customer)


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""
    tags, one = ["Loyalty"], responses(FavouriteAnswer)
    chosen = "Make a customer a favourite"
    left = "Make a customer no favourite any more"

    def added(customer_id: str) -> Response[str]:
        return json_answer(FavouriteAnswer.of(wiring.use_cases().favourites.add(business_of(app), customer_id)))

    def removed(customer_id: str) -> Response[str]:
        wiring.use_cases().favourites.remove(business_of(app), customer_id)
        return nothing()

    @app.put("/v1/loyalty/favourites/<customer_id>", summary=chosen, tags=tags, responses=one)
    def add_favourite(customer_id: CustomerInPath) -> Response[str]:
        return added(customer_id)

    @app.delete("/v1/loyalty/favourites/<customer_id>", summary=left, tags=tags, responses=no_content())
    def remove_favourite(customer_id: CustomerInPath) -> Response[str]:
        return removed(customer_id)

    @app.put(
        "/v1/loyalty/favourites/by-external-id/<external_id>",
        summary=f"{chosen}, by your own id",
        tags=tags,
        responses=one,
    )
    def add_favourite_by_external_id(external_id: ExternalIdInPath) -> Response[str]:
        return added(id_of_external(business_of(app), external_id))

    @app.delete(
        "/v1/loyalty/favourites/by-external-id/<external_id>",
        summary=f"{left}, by your own id",
        tags=tags,
        responses=no_content(),
    )
    def remove_favourite_by_external_id(external_id: ExternalIdInPath) -> Response[str]:
        return removed(id_of_external(business_of(app), external_id))
