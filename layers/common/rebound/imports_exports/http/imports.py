"""Customers from a file: shapes and routes."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Literal, Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from msgspec.structs import asdict
from pydantic import BeforeValidator, Field

from rebound.imports_exports import wiring
from rebound.imports_exports.application.start_import import MAX_COLUMNS, MAX_ERRORS, ImportView
from rebound.imports_exports.domain import ERRORS_FILE, RESULT_FILE, ImportOptions, code_of_problem
from rebound.kernel.errors import FieldError
from rebound.platform.http.routes import business_of, json_answer, responses
from rebound.platform.http.shapes import Answer, Line, Request, Time, is_none, one_of, text_of


def _listed(value: object) -> object:
    """One word for a list of one."""
    return [value] if isinstance(value, str) else value


MatchBy = Annotated[list[Literal["email", "mobile_phone", "phone"]], BeforeValidator(_listed)]


class NewImportRequest(Request):
    """An import: with its content, or without it for an upload."""

    format: Literal["csv", "jsonl"]
    content: str | None = Field(
        default=None,
        description="The file, up to about 5 MB, of which quotes and line breaks take more. Without it the answer has "
        "an upload_url, for a file of any size.",
    )
    columns: dict[str, str | None] = Field(
        default={},
        max_length=MAX_COLUMNS,
        description="What the file calls a column, and the field that it is; null skips it. Fields in any case and "
        "spacing need none.",
        examples=[{"Mobile": "mobile_phone", "Notes": None}],
    )
    empty_cells: Literal["keep", "clear"] = Field(
        default="keep", description="Whether an empty cell keeps what is there, or clears it. null in JSON clears."
    )
    date_format: Line | None = Field(
        default=None,
        description="How dates are written besides YYYY-MM-DD: DD/MM/YYYY, M.D.YY or %d/%m/%Y. A time may follow.",
        examples=["DD/MM/YYYY"],
    )
    match_by: MatchBy | None = Field(
        default=None,
        description="A row without an id is about the customer with the same name and the same address of these; "
        "email and mobile_phone unless you say otherwise. Without any, it always is somebody new.",
    )
    protect: list[Annotated[str, text_of(maxLength=64)]] | None = Field(
        default=None,
        max_length=MAX_COLUMNS,
        description="Fields of known customers that are not overwritten. Unless you say otherwise those that were "
        "edited since the file last had another value; [] protects none.",
        examples=[["email", "mobile_phone"]],
    )

    def options(self) -> ImportOptions:
        """How the file is to be read, and what it may do."""
        match_by = ["email", "mobile_phone"] if self.match_by is None else self.match_by
        return ImportOptions(
            columns=self.columns,
            clears=self.empty_cells == "clear",
            date_format=self.date_format,
            match_by=tuple(dict.fromkeys("mobile_phone" if name == "phone" else name for name in match_by)),
            protect=None if self.protect is None else tuple(self.protect),
        )


class RowProblem(Answer):
    """One thing that is wrong with one row."""

    line: int
    field: str
    message: str
    code: Annotated[str, one_of(("locked",))] | None = Field(
        default=None,
        exclude_if=is_none,
        description="locked: only the customer changes the field (claimed_at). New ones may come.",
    )


class ProblemCount(Answer):
    """How many rows have one thing wrong with one field."""

    kind: Annotated[str, one_of(("error", "warning"))] = Field(
        description="error: the row was not imported; warning: it was, without this field."
    )
    field: str
    reason: str
    count: int
    code: Annotated[str, one_of(("locked",))] | None = Field(
        default=None, exclude_if=is_none, description="As code of errors and warnings."
    )


class ImportCounts(Answer):
    """Rows so far: ``rows`` = ``created`` + ``updated`` + ``unchanged`` + ``failed``."""

    rows: int
    created: int
    updated: int
    unchanged: int
    failed: int
    incomplete: int = Field(description="Of the rows that are in, those that went in without some of their fields.")


class ImportProgress(Answer):
    """The file is read from end to end before its first row goes in; then the rows that were read are done."""

    rows_read: int = Field(description="Rows found in the file so far.")
    all_read: bool = Field(description="Whether these are all.")
    rows_done: int = Field(description="As counts.rows.")


class ImportAnswer(Answer):
    """An import and how far it is."""

    import_id: str
    status: Annotated[str, one_of(("awaiting_upload", "queued", "running", "completed", "failed"))]
    format: Annotated[str, one_of(("csv", "jsonl"))]
    created_at: Time
    progress: ImportProgress
    counts: ImportCounts
    errors: list[RowProblem] = Field(description=f"Of rows that are not in, by line; the first {MAX_ERRORS}.")
    warnings: list[RowProblem] = Field(
        description=f"Fields that rows went in without, by line; the first {MAX_ERRORS}."
    )
    summary: list[ProblemCount] = Field(description="All errors and warnings by field and reason, the most first.")
    errors_url: str | None = Field(description="Once it is completed: GET all errors and warnings here, as CSV.")
    result_url: str | None = Field(
        description="Once it is completed: GET the customer_id of each row here, as CSV, within an hour."
    )
    reason: str | None = Field(description="Why the import as a whole failed.")
    upload_url: str | None = Field(default=None, description="PUT the file here within an hour.")

    @classmethod
    def of(cls, view: ImportView, upload_url: str | None = None) -> Self:
        """The answer for an import."""
        job, counts, splitting = view.job, view.counts, view.job.splitting
        errors = [(bad.line, error) for bad in view.bad_rows for error in bad.errors]
        warnings = [(bad.line, warning) for bad in view.incomplete_rows for warning in bad.warnings]
        summary = sorted(view.problems.items(), key=lambda item: (-item[1], item[0]))
        return cls.filled(
            job,
            progress=ImportProgress(
                rows_read=splitting.rows if splitting else 0,
                all_read=splitting.done if splitting else False,
                rows_done=counts.rows,
            ),
            counts=ImportCounts(**asdict(counts)),
            errors=_shown(errors),
            warnings=_shown(warnings),
            summary=[
                ProblemCount(
                    kind=problem.kind,
                    field=problem.field,
                    reason=problem.reason,
                    count=count,
                    code=code_of_problem(problem.reason),
                )
                for problem, count in summary
            ],
            errors_url=view.downloads.get(ERRORS_FILE),
            result_url=view.downloads.get(RESULT_FILE),
            reason=job.failure,
            upload_url=upload_url,
        )


def _shown(problems: Sequence[tuple[int, FieldError]]) -> list[RowProblem]:
    return [
        RowProblem(line=line, field=error.field, message=error.message, code=code_of_problem(error.message))
        for line, error in problems[:MAX_ERRORS]
    ]


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""

    @app.post(
        "/v1/imports",
        summary="Import customers",
        tags=["Customers"],
        responses=responses(ImportAnswer, HTTPStatus.ACCEPTED),
    )
    def create_import(request: Annotated[NewImportRequest, Body()]) -> Response[str]:
        view, upload_url = wiring.use_cases().start_import(
            business_of(app), request.format, request.content, request.options()
        )
        return json_answer(ImportAnswer.of(view, upload_url), HTTPStatus.ACCEPTED)

    @app.get(
        "/v1/imports/<import_id>",
        summary="How far an import is",
        tags=["Customers"],
        responses=responses(ImportAnswer),
    )
    def get_import(import_id: str) -> Response[str]:
        return json_answer(ImportAnswer.of(wiring.use_cases().start_import.get(business_of(app), import_id)))
