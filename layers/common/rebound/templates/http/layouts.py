"""Layouts: the route that renders one."""

import json
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from pydantic import Field

from rebound.kernel.categories import Category
from rebound.platform.http.routes import business_of, json_answer, responses
from rebound.platform.http.shapes import Answer, FieldProblem
from rebound.templates import wiring
from rebound.templates.domain.rendering import NONE_DECLARED
from rebound.templates.domain.variables import with_vouchers_of
from rebound.templates.http.given_layout import GivenLayout


class RenderedLayoutAnswer(Answer):
    """A layout as HTML and text; placeholders are as they were, and there is no footer yet."""

    html: str
    text: str
    size: int = Field(
        description="Bytes of the HTML in UTF-8, with the longest footer and the longest values. More than 100,000 are "
        "refused: Gmail clips an email at 102,000, and its footer with it."
    )
    warnings: list[FieldProblem] = Field(
        description="What had better be mended: colours that are hard to read (WCAG 2.2, AA), a size above 80,000 "
        "bytes, HTML that was taken out, images that are not on https."
    )


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""

    @app.post(
        "/v1/layouts/render",
        summary="Render a layout, and look for what is wrong with it",
        tags=["Layouts"],
        responses=responses(RenderedLayoutAnswer),
    )
    def render_layout(
        layout: Annotated[GivenLayout, Body()],
        category: Annotated[
            Category,
            Query(description="What kind of message it is for: which links of ours it may have, and which footer."),
        ] = Category.MARKETING,
    ) -> Response[str]:
        # A layout with a voucher is tried before there is a campaign that has one.
        declared = with_vouchers_of(json.dumps(layout), NONE_DECLARED)
        rendered = wiring.use_cases().render_layout(business_of(app), layout, category, declared=declared)
        warnings = [FieldProblem.of(each) for each in rendered.warnings]
        return json_answer(RenderedLayoutAnswer.filled(rendered, warnings=warnings))
