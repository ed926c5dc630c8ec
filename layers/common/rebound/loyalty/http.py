"""Loyalty: shapes and routes."""

from http import HTTPStatus
from typing import Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from pydantic import Field

from rebound.activity.http import SummaryAnswer
from rebound.customers.domain import Customer
from rebound.jobs.http import JobAnswer, accepted
from rebound.kernel.ids import id_of_external
from rebound.kernel.times import write_time
from rebound.loyalty import wiring
from rebound.loyalty.application.rank_customers import NO_TIER
from rebound.loyalty.domain.ranking import Ranking
from rebound.loyalty.domain.tiers import Tier
from rebound.platform.http.routes import (
    CustomerInPath,
    ExternalIdInPath,
    business_of,
    json_answer,
    name_of_request,
    no_content,
    nothing,
    prefers_a_job,
    responses,
)
from rebound.platform.http.shapes import Answer, Time


class FavouriteAnswer(Answer):
    """A customer whom the staff chose."""

    customer_id: str
    external_id: str | None = Field(description="The business's own id, if the customer has one.")

    @classmethod
    def of(cls, customer: Customer) -> Self:
        """The answer for a favourite."""
        return cls.filled(customer)


class TiersAnswer(Answer):
    """How many customers are of each tier; a customer is of one at most."""

    ranked_at: Time = Field(description="As of when.")
    tiers: dict[Tier, int]
    without_tier: int

    @classmethod
    def of(cls, ranking: Ranking) -> Self:
        """The answer for a ranking."""
        counts = ranking.counts
        return cls(
            ranked_at=write_time(ranking.ranked_at),
            tiers={tier: counts.get(tier, 0) for tier in Tier},
            without_tier=counts.get(NO_TIER, 0),
        )


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

    @app.get(
        "/v1/loyalty",
        summary="Count customers by loyalty tier: now, or as of the last ranking where there are many",
        description="A job (202) where there are many and they have not been ranked yet, or for Prefer: respond-async.",
        tags=tags,
        responses=responses(TiersAnswer) | accepted(),
    )
    def get_loyalty() -> Response[str]:
        use_rankings = wiring.use_cases().use_rankings
        ranking = None if prefers_a_job(app) else use_rankings.anew(business_of(app))
        if ranking is not None:
            return json_answer(TiersAnswer.of(ranking))
        view = wiring.use_cases().start_ranking(business_of(app), name_of_request(app))
        return json_answer(JobAnswer.of(view), HTTPStatus.ACCEPTED)

    @app.get(
        "/v1/customers/<customer_id>/summary",
        summary="What a customer did, in numbers",
        tags=["Activity"],
        responses=responses(SummaryAnswer),
    )
    def get_summary(customer_id: CustomerInPath) -> Response[str]:
        use_cases = wiring.use_cases()
        customer, summary = use_cases.read_activity.summary(business_of(app), customer_id)
        tier, ranked_at = use_cases.tier_of_customer(customer, summary)
        return json_answer(SummaryAnswer.of(customer, summary, wiring.ports().clock.now(), tier, ranked_at))

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
