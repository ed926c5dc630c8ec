"""Customers into a file: shapes and routes."""

from http import HTTPStatus
from typing import Annotated, Literal, Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import Field

from rebound.imports_exports import wiring
from rebound.imports_exports.application.export_customers import ExportView
from rebound.platform.http.routes import business_of, json_answer, responses
from rebound.platform.http.shapes import Answer, Time, one_of
from rebound.segments.http.customer_filters import CustomersRequest


class NewExportRequest(CustomersRequest):
    """Which customers: everything that is given must hold; with nothing given, all of them."""

    format: Literal["csv", "jsonl"]


class ExportAnswer(Answer):
    """An export and how far it is."""

    export_id: str
    status: Annotated[str, one_of(("queued", "running", "completed", "failed"))]
    format: Annotated[str, one_of(("csv", "jsonl"))]
    created_at: Time
    rows: int = Field(description="Customers in the file so far.")
    reason: str | None = Field(description="Why the export failed.")
    download_url: str | None = Field(description="Once it is completed: GET the file here within an hour.")
    expires_at: Time = Field(description="Until then the file can be downloaded.")

    @classmethod
    def of(cls, view: ExportView) -> Self:
        """The answer for an export."""
        return cls.filled(view.job, reason=view.job.failure, download_url=view.download_url, expires_at=view.expires_at)


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""

    @app.post(
        "/v1/exports",
        summary="Export customers: all, or those that a filter names",
        tags=["Customers"],
        responses=responses(ExportAnswer, HTTPStatus.ACCEPTED),
    )
    def create_export(request: Annotated[NewExportRequest, Body()]) -> Response[str]:
        view = wiring.use_cases().start_export(business_of(app), request.format, request.wanted(app))
        return json_answer(ExportAnswer.of(view), HTTPStatus.ACCEPTED)

    @app.get(
        "/v1/exports/<export_id>",
        summary="How far an export is, and where its file is",
        tags=["Customers"],
        responses=responses(ExportAnswer),
    )
    def get_export(export_id: str) -> Response[str]:
        return json_answer(ExportAnswer.of(wiring.use_cases().start_export.get(business_of(app), export_id)))
