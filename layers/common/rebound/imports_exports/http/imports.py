"""Customers from a file: shapes and routes."""

from http import HTTPStatus
from typing import Annotated, Literal, Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from msgspec.structs import asdict
from pydantic import Field

from rebound.imports_exports import wiring
from rebound.imports_exports.application.import_customers import MAX_ERRORS, ImportView
from rebound.platform.http.routes import business_of, json_answer, responses
from rebound.platform.http.shapes import Answer, Request, Time


class NewImportRequest(Request):
    """An import: with its content, or without it for an upload."""

    format: Literal["csv", "jsonl"]
    content: str | None = Field(default=None, description="The file. Without it the answer has an upload_url.")


class RowProblem(Answer):
    """One thing that is wrong with one row."""

    line: int
    field: str
    message: str


class ImportCounts(Answer):
    """Rows so far: ``rows`` = ``created`` + ``updated`` + ``unchanged`` + ``failed``."""

    rows: int
    created: int
    updated: int
    unchanged: int
    failed: int


class ImportProgress(Answer):
    """The file is read from end to end before its first row goes in; then the rows that were read are done."""

    rows_read: int = Field(description="Rows found in the file so far.")
    all_read: bool = Field(description="Whether these are all.")
    rows_done: int = Field(description="As counts.rows.")


class ImportAnswer(Answer):
    """An import and how far it is."""

    import_id: str
    status: str = Field(description="awaiting_upload, queued, running, completed, failed")
    format: str
    created_at: Time
    progress: ImportProgress
    counts: ImportCounts
    errors: list[RowProblem] = Field(description=f"By line; the first {MAX_ERRORS} are kept, counts has them all.")
    reason: str | None = Field(description="Why the import as a whole failed.")
    upload_url: str | None = Field(default=None, description="PUT the file here within an hour.")

    @classmethod
    def of(cls, view: ImportView, upload_url: str | None = None) -> Self:
        """The answer for an import."""
        job, counts, splitting = view.job, view.counts, view.job.splitting
        errors = [(bad.line, error) for bad in view.bad_rows for error in bad.errors][:MAX_ERRORS]
        return cls.filled(
            job,
            progress=ImportProgress(
                rows_read=splitting.rows if splitting else 0,
                all_read=splitting.done if splitting else False,
                rows_done=counts.rows,
            ),
            counts=ImportCounts(**asdict(counts)),
            errors=[RowProblem(line=line, field=error.field, message=error.message) for line, error in errors],
            reason=job.failure,
            upload_url=upload_url,
        )


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""

    @app.post(
        "/v1/imports",
        summary="Import customers",
        tags=["Customers"],
        responses=responses(ImportAnswer, HTTPStatus.ACCEPTED),
    )
    def create_import(request: Annotated[NewImportRequest, Body()]) -> Response[str]:
        view, upload_url = wiring.use_cases().start_import(business_of(app), request.format, request.content)
        return json_answer(ImportAnswer.of(view, upload_url), HTTPStatus.ACCEPTED)

    @app.get(
        "/v1/imports/<import_id>",
        summary="How far an import is",
        tags=["Customers"],
        responses=responses(ImportAnswer),
    )
    def get_import(import_id: str) -> Response[str]:
        return json_answer(ImportAnswer.of(wiring.use_cases().start_import.get(business_of(app), import_id)))
