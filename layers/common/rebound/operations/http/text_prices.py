"""The operator's table of what texts cost."""

from http import HTTPStatus
from typing import Annotated, Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from pydantic import Field

from rebound.businesses import wiring
from rebound.businesses.domain.text_prices import AMOUNT, TextPrice
from rebound.businesses.http import TextProvider
from rebound.kernel.currencies import CODE
from rebound.operations.http.tenants import tell
from rebound.platform.http.routes import DEFAULT_LIMIT, Cursor, Limit, json_answer, no_content, nothing, responses
from rebound.platform.http.shapes import Answer, Request, text_of

CountryInPath = Annotated[str, Path(description="Of businesses, ISO 3166-1 alpha-2.")]
ProviderInPath = Annotated[str, Path(description=f"{' or '.join(TextProvider)}.")]


class TextPriceRequest(Request):
    """What a segment costs."""

    price: Annotated[str, text_of(pattern=f"^{AMOUNT.pattern}$")] = Field(
        description="Of one segment, as decimal text.", examples=["0.0083"]
    )
    currency: Annotated[str, text_of(pattern=f"^{CODE}$")] = Field(description="ISO 4217.", examples=["USD"])


class TextPriceAnswer(Answer):
    """What a segment costs that a business in a country sends over a provider."""

    country: str
    provider: TextProvider
    price: str
    currency: str

    @classmethod
    def of(cls, price: TextPrice) -> Self:
        """The answer for a price."""
        return cls.filled(price, price=price.of(1))


class TextPricePage(Answer):
    """Part of the table."""

    items: list[TextPriceAnswer]
    next_cursor: str | None


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""
    tags = ["Operator"]

    @app.get("/v1/operator/text-prices", summary="List what texts cost", tags=tags, responses=responses(TextPricePage))
    def list_text_prices(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response[str]:
        page = wiring.use_cases().text_price_table.page(limit, cursor)
        items = [TextPriceAnswer.of(price) for price in page.items]
        return json_answer(TextPricePage(items=items, next_cursor=page.next_cursor))

    @app.put(
        "/v1/operator/text-prices/<country>/<provider>",
        summary="Enter what a text costs",
        description="Businesses in the country are shown it while they write (POST /v1/texts/measure). Nothing is "
        "charged by it.",
        tags=tags,
        responses=responses(TextPriceAnswer),
    )
    def put_text_price(
        country: CountryInPath, provider: ProviderInPath, request: Annotated[TextPriceRequest, Body()]
    ) -> Response[str]:
        table = wiring.use_cases().text_price_table
        price = table.set(country=country, provider=provider, price=request.price, currency=request.currency)
        tell(app, "set_text_price")
        return json_answer(TextPriceAnswer.of(price), HTTPStatus.OK)

    @app.delete(
        "/v1/operator/text-prices/<country>/<provider>",
        summary="Take a price away",
        tags=tags,
        responses=no_content(),
    )
    def delete_text_price(country: CountryInPath, provider: ProviderInPath) -> Response[str]:
        wiring.use_cases().text_price_table.remove(country=country, provider=provider)
        tell(app, "remove_text_price")
        return nothing()
