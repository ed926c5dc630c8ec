"""What a template says to one reader: shape and route."""

from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import Field

from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.ids import id_of_external
from rebound.kernel.languages import LANGUAGES
from rebound.platform.http.routes import authorizer, business_of, check_has, json_answer, responses
from rebound.platform.http.shapes import Answer, CustomerId, ExternalId, FieldProblem, Request, one_of
from rebound.templates import wiring
from rebound.templates.application.preview_template import WhatToShow
from rebound.templates.http.templates import TemplateInPath


class TemplatePreviewRequest(Request):
    """To whom a template is shown, and with which values; without a customer, to somebody made up."""

    customer_id: CustomerId | None = Field(default=None, description="Needs customers:read as well.")
    external_id: ExternalId | None = Field(default=None, description="In place of customer_id.")
    variables: dict[str, Any] = Field(
        default_factory=dict,
        description="As POST /v1/messages has them. For one that is left out its example is shown.",
    )
    language: Annotated[str, one_of(LANGUAGES)] | None = Field(
        default=None, description="As a reader of it; that of the customer, or of the business, where it is left out."
    )
    version: Annotated[int, Field(ge=1)] | None = Field(default=None, description="One that was published once.")
    status: Literal["published", "draft"] | None = Field(default=None, description="draft: the draft.")

    def asked(self, business_id: str) -> WhatToShow:
        """What is to be shown. Raises ``InvalidInputError``."""
        if self.customer_id is not None and self.external_id is not None:
            raise InvalidInputError(FieldError("external_id", "Give either customer_id or external_id."))
        if self.language is not None and self.language not in LANGUAGES:
            raise InvalidInputError(FieldError("language", f"Must be one of {', '.join(LANGUAGES)}."))
        theirs = None if self.external_id is None else id_of_external(business_id, self.external_id)
        return WhatToShow(
            variables=self.variables,
            customer_id=self.customer_id or theirs,
            customer_field="customer_id" if theirs is None else "external_id",
            language=self.language,
            number=self.version,
            is_draft=self.status == "draft",
        )


class TemplatePreviewAnswer(Answer):
    """What one reader would get; a text has no subject and no HTML. Links of ours lead nowhere yet."""

    subject: str | None
    html: str | None
    text: str
    warnings: list[FieldProblem] = Field(
        description="Required variables that say nothing here, so that their example is shown; what nobody would get, "
        "because it is empty or too long; HTML that Gmail may clip."
    )


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""

    @app.post(
        "/v1/templates/<template_id>/preview",
        summary="See what a template says to a customer, or with its examples",
        tags=["Templates"],
        responses=responses(TemplatePreviewAnswer),
    )
    def preview_template(
        template_id: TemplateInPath, request: Annotated[TemplatePreviewRequest | None, Body()] = None
    ) -> Response[str]:
        asked = (request or TemplatePreviewRequest()).asked(business_of(app))
        if asked.customer_id is not None:
            check_has(authorizer(app).get("scopes", ""), "customers:read")
        preview = wiring.use_cases().preview_template(business_of(app), template_id, asked)
        warnings = [FieldProblem.of(each) for each in preview.warnings]
        return json_answer(TemplatePreviewAnswer.filled(preview, warnings=warnings))
