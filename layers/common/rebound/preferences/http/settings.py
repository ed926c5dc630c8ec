"""The settings of a business: routes. A change may have to be followed by a question to somebody."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from rebound.businesses.http import BusinessAnswer, BusinessChangeRequest, given
from rebound.platform.http.routes import business_of, json_answer, responses
from rebound.preferences import wiring


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""

    @app.get("/v1/business", summary="The settings", tags=["Business"], responses=responses(BusinessAnswer))
    def get_business() -> Response[str]:
        business = wiring.use_cases().settings_of_business.get(business_of(app))
        return json_answer(BusinessAnswer.of(business))

    @app.patch("/v1/business", summary="Change settings", tags=["Business"], responses=responses(BusinessAnswer))
    def change_business(request: Annotated[BusinessChangeRequest, Body()]) -> Response[str]:
        business = wiring.use_cases().change_settings(business_of(app), given(request))
        return json_answer(BusinessAnswer.of(business))
