"""Layouts: what a request gives as one, and the route that renders it."""

from typing import Annotated, Any, Final

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from pydantic import Field

from rebound.kernel.categories import Category
from rebound.platform.http.routes import business_of, json_answer, responses
from rebound.platform.http.shapes import Answer, DocumentedAs, FieldProblem
from rebound.templates import wiring

EXAMPLE: Final = {
    "subject": "##{{first_name}}, your mat is waiting",
    "blocks": [
        {"kind": "heading", "text": "Hello ##{{first_name}}"},
        {"kind": "text", "text": "The autumn timetable is out.\n\nTwo classes are new."},
        {"kind": "button", "text": "Book a class", "link": "https://studio.example.com/book"},
    ],
    "style": {"font": "Georgia", "button_color": "#1b5e20"},
}


def _shape() -> object:
    from rebound.templates.http.layout_language import layout  # noqa: PLC0415 - only for the document

    return layout()


GivenLayout = Annotated[
    dict[str, Any],
    DocumentedAs(_shape),
    Field(description="An email as blocks of data, one below the other.", examples=[EXAMPLE]),
]
"""What ``RenderLayout`` reads."""


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
        language = wiring.use_cases().settings_of_business.get(business_of(app)).language
        rendered = wiring.use_cases().render_layout(layout, category, language)
        warnings = [FieldProblem.of(each) for each in rendered.warnings]
        return json_answer(RenderedLayoutAnswer.filled(rendered, warnings=warnings))
