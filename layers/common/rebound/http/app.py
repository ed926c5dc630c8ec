"""The API: routes to use cases, behind checks of size, scope and idempotency."""

import base64
import json
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from rebound import wiring
from rebound.application.count_customers import write_filter
from rebound.application.manage_campaigns import NewCampaign
from rebound.application.manage_segments import filter_of
from rebound.application.preview_audience import Question
from rebound.application.report_replies import RepliesWanted, write_header, write_reply
from rebound.application.settings_of_business import (
    UNSET,
    BusinessChange,
    DoubleOptInChange,
    RecoveryChange,
    SwitchesChange,
    TextAnswersChange,
)
from rebound.domain.campaigns import Selection
from rebound.domain.categories import Category
from rebound.domain.channels import Channel
from rebound.domain.errors import FieldError, InvalidInputError, NotFoundError
from rebound.domain.jobs import JobKind
from rebound.domain.keys import ApiScope
from rebound.domain.messages import MessageStatus
from rebound.domain.replies import Meaning
from rebound.domain.segments import CustomerFilter, compile_filter
from rebound.http import schemas
from rebound.http.consent_answer import ConsentAnswer, ConsentRequest
from rebound.http.log_answers import AppointmentLogAnswer, TimelineAnswer
from rebound.http.openapi import write_document
from rebound.http.problems import ForbiddenError, MalformedError, TooLargeError, answer_to, install
from rebound.http.reachability_answer import ReachabilityAnswer
from rebound.http.reply_answers import ReplyAnswer, ReplyPage, ReportedReplyAnswer, ResolveRequest, ReviewPage

MAX_BODY: Final = 512 * 1024
MAX_IMPORT_BODY: Final = 5 * 1024 * 1024
"""Lambda takes 6 MB, of which API Gateway's own event needs some."""
IDEMPOTENCY_HEADER: Final = "Idempotency-Key"
MAX_KEY: Final = 128
MAX_ID: Final = 128
"""Longer than any id of ours."""
DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 100
MAX_ROWS: Final = 1000
"""Of a file."""

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="How many items at most.")]
Cursor = Annotated[str | None, Query(max_length=2000, description="next_cursor of the answer before.")]
CustomerId = Annotated[str, Path(description="32 hexadecimal digits.")]
ChannelName = Annotated[str, Path(description="email or sms")]
Failed = Annotated[str | None, Query(description="phone, email, any or both failed.")]
Tag = Annotated[str | None, Query(max_length=64)]
Words = Annotated[str | None, Query(max_length=200, description="Words in name, address, number or id.")]
SegmentId = Annotated[str | None, Query(max_length=64, description="Only customers of this segment.")]
FilterText = Annotated[
    str | None,
    Query(
        max_length=schemas.MAX_FILTER_BYTES,
        description="Only customers that match: a filter as segments have it, as JSON, URL-encoded.",
        examples=['{"not": {"tag": "vip"}}'],
    ),
]


@cache
def api() -> APIGatewayRestResolver:
    """The routes, behind validation and idempotency."""
    app = APIGatewayRestResolver(enable_validation=True)
    install(app)
    app.use(middlewares=[_once])
    for add_routes in (
        _business,
        _customers,
        _clean_up,
        _reachability,
        _consent,
        _jobs,
        _imports,
        _exports,
        _segments,
        _campaigns,
        _messages,
        _logs,
        _replies,
        _review,
        _document,
    ):
        add_routes(app)
    return app


# --- before every route -----------------------------------------------------------------------------------------------


def respond(event: dict[str, Any], context: Any) -> Mapping[str, Any]:
    """Answer one request: what may not be asked at all is refused before anything of it is looked at."""
    try:
        _check_size(event)
        _check_scope(event)
        _check_body(event)
    except (TooLargeError, MalformedError, ForbiddenError, NotFoundError) as error:
        refusal = answer_to(error)
        return {
            "statusCode": refusal.status_code,
            "headers": {"Content-Type": refusal.content_type},
            "body": refusal.body,
            "isBase64Encoded": False,
        }
    return api().resolve(event, context)


def _check_size(event: Mapping[str, Any]) -> None:
    if any(len(part) > MAX_ID for part in event["path"].split("/")):
        raise NotFoundError("address")
    is_import = event["path"].rstrip("/").endswith("/imports")
    most = MAX_IMPORT_BODY if is_import else MAX_BODY
    if len(event.get("body") or "") > most:
        hint = " Ask for an upload_url for larger files." if is_import else ""
        raise TooLargeError(f"The body may have at most {most} bytes.{hint}")


def _check_scope(event: Mapping[str, Any]) -> None:
    needed = _scope_of(event["httpMethod"], event["path"])
    scopes = (event["requestContext"].get("authorizer") or {}).get("scopes", "")
    _check_has(scopes, needed)


def _check_has(scopes: str, needed: ApiScope | None) -> None:
    if needed is not None and needed not in scopes.split():
        raise ForbiddenError(f"This key lacks the scope {needed}.")


def _check_body(event: Mapping[str, Any]) -> None:
    body = event.get("body") or ""
    if not body:
        return
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    if headers.get("content-type", "application/json").split(";")[0].strip().lower() != "application/json":
        raise MalformedError("The body must be JSON, with Content-Type: application/json.")
    try:
        text = base64.b64decode(body, validate=True).decode() if event.get("isBase64Encoded") else body
        given = json.loads(text, parse_constant=_no_number)
        # A half of a surrogate pair is JSON and no text: it could be neither stored nor answered.
        json.dumps(given, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise MalformedError("The body is not JSON, or not text in UTF-8.") from None
    if not isinstance(given, dict):
        raise MalformedError("The body must be a JSON object.")


def _no_number(name: str) -> None:
    """NaN and the infinities are not JSON, though Python's reader takes them."""
    raise ValueError(name)


_AREAS_OF_MESSAGES: Final = ("appointments", "replies", "replies.csv")
"""Whoever may read messages may read what was answered."""


def _scope_of(method: str, path: str) -> ApiScope | None:
    """Reading and writing are scopes of their own for each kind of thing."""
    parts = [part for part in path.split("/") if part]
    area = parts[1] if len(parts) > 1 else ""
    if area == "imports":
        area = "customers"
    elif area == "exports":
        # Asking for a file of customers reads them, although it is a POST.
        area, method = "customers", "GET"
    elif area in _AREAS_OF_MESSAGES or (area == "customers" and parts[-1] in ("messages", "log")):
        area = "messages"
    elif area == "segments" and parts[-1] == "preview":
        method = "GET"
    action = "read" if method == "GET" else "write"
    return ApiScope(f"{area}:{action}") if f"{area}:{action}" in list(ApiScope) else None


def _authorizer(app: APIGatewayRestResolver) -> dict[str, str]:
    context: dict[str, str] = app.current_event.raw_event["requestContext"].get("authorizer") or {}
    return context


def _once(app: APIGatewayRestResolver, next_middleware: NextMiddleware) -> Response[Any]:
    """With an ``Idempotency-Key`` a POST is done once; the same request again gets the first answer again for a day."""
    event = app.current_event
    key = event.headers.get(IDEMPOTENCY_HEADER)
    if key is None or event.http_method != "POST":
        return next_middleware(app)
    if not 0 < len(key) <= MAX_KEY or not key.isprintable():
        raise MalformedError(f"{IDEMPOTENCY_HEADER} must have 1 to {MAX_KEY} printable characters.")
    # Loaded for who asks for it: reading and a client without keys need none of it.
    from rebound.http.once import do_once  # noqa: PLC0415

    def perform() -> dict[str, Any]:
        response = next_middleware(app)
        body = response.body
        return {"status": response.status_code, "body": body if isinstance(body, str) else json.dumps(body)}

    given = json.loads(event.decoded_body or "{}")
    done = do_once(perform, [_business_id(app), event.path, key], given, app.lambda_context)
    return Response(status_code=done["status"], content_type="application/json", body=done["body"])


def _business_id(app: APIGatewayRestResolver) -> str:
    return _authorizer(app)["business_id"]


def _request(app: APIGatewayRestResolver) -> str | None:
    """The client's name for the request, ``None`` when it gave none."""
    key = app.current_event.headers.get(IDEMPOTENCY_HEADER)
    return None if key is None else f"{app.current_event.path}#{key}"


def _demand(app: APIGatewayRestResolver, needed: ApiScope) -> None:
    """For what only shows when a thing has been read."""
    _check_has(_authorizer(app).get("scopes", ""), needed)


def _prefers_a_job(app: APIGatewayRestResolver) -> bool:
    """RFC 7240: the client would rather poll than wait."""
    given = app.current_event.headers.get("Prefer") or ""
    return "respond-async" in [wish.split(";")[0].strip().lower() for wish in given.split(",")]


def _started(app: APIGatewayRestResolver, kind: JobKind, asked: Mapping[str, Any]) -> Response[str]:
    """The answer that says where to ask for the result."""
    view = wiring.manage_jobs().start(_business_id(app), kind, asked, request=_request(app))
    return _answer(schemas.JobAnswer.of(view), HTTPStatus.ACCEPTED)


def _wanted(
    app: APIGatewayRestResolver,
    failed: str | None,
    tag: str | None,
    q: str | None,
    segment_id: str | None,
    filter_: Mapping[str, Any] | None,
) -> CustomerFilter:
    """Which customers a request is about; a saved segment is read now."""
    segment = None if segment_id is None else filter_of(wiring.segments(), _business_id(app), segment_id)
    return CustomerFilter(failed=failed, tag=tag, q=q, segment=segment, filter=filter_)


def _channel(name: str) -> Channel:
    if name not in list(Channel):
        raise InvalidInputError(FieldError("channel", f"Must be one of {', '.join(Channel)}."))
    return Channel(name)


def _read_filter(text: str | None) -> Mapping[str, Any] | None:
    """A filter that came in the address, where only text can stand."""
    if text is None:
        return None
    try:
        given = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise InvalidInputError(FieldError("filter", "Must be a filter as JSON, URL-encoded.")) from None
    if not isinstance(given, dict):
        raise InvalidInputError(FieldError("filter", "Must be an object."))
    return given


def _answer(answer: schemas.Answer, status: HTTPStatus = HTTPStatus.OK) -> Response[str]:
    return Response(status_code=status, content_type="application/json", body=answer.model_dump_json())


def _responses(model: type[schemas.Answer], status: HTTPStatus = HTTPStatus.OK) -> dict[int, Any]:
    """What a route answers, for the OpenAPI document."""

    def problem(what: str) -> dict[str, Any]:
        return {"description": what, "content": {"application/problem+json": {"model": schemas.Problem}}}

    return {
        int(status): {"description": status.phrase, "content": {"application/json": {"model": model}}},
        400: problem("Malformed"),
        401: problem("No key, or one that opens nothing"),
        403: problem("The key lacks the scope"),
        404: problem("Not found, also for what belongs to another business"),
        409: problem("Conflicts with the present state"),
        413: problem("Too large"),
        422: problem("Values that are not acceptable, each with its field"),
        429: problem("Too many requests"),
    }


def _accepted() -> dict[int, Any]:
    """What a route answers that may also start a job."""
    described = {"description": "A job to poll", "content": {"application/json": {"model": schemas.JobAnswer}}}
    return {int(HTTPStatus.ACCEPTED): described}


def _no_content() -> dict[int, Any]:
    """What a route answers that removes something."""
    described = _responses(schemas.Answer)
    del described[HTTPStatus.OK]
    return {int(HTTPStatus.NO_CONTENT): {"description": "Removed"}, **described}


# --- routes -----------------------------------------------------------------------------------------------------------


def _business(app: APIGatewayRestResolver) -> None:
    @app.get("/v1/business", summary="The settings", tags=["Business"], responses=_responses(schemas.BusinessAnswer))
    def get_business() -> Response[str]:
        business = wiring.settings_of_business().get(_business_id(app))
        return _answer(schemas.BusinessAnswer.of(business))

    @app.patch(
        "/v1/business", summary="Change settings", tags=["Business"], responses=_responses(schemas.BusinessAnswer)
    )
    def change_business(request: Annotated[schemas.BusinessChangeRequest, Body()]) -> Response[str]:
        given = request.model_fields_set
        change = BusinessChange(
            name=request.name if "name" in given else None,
            country=request.country if "country" in given else None,
            time_zone=request.time_zone if "time_zone" in given else None,
            text_provider=request.text_provider if "text_provider" in given else None,
            owner_email=request.owner_email if "owner_email" in given else UNSET,
            email_from=request.email_from if "email_from" in given else UNSET,
            text_from=request.text_from if "text_from" in given else UNSET,
            text_rate=request.text_rate if "text_rate" in given else UNSET,
            policy=request.policy.read() if "policy" in given else None,
            frequency_caps=tuple(cap.read() for cap in request.frequency_caps) if "frequency_caps" in given else None,
            quiet_hours=request.quiet_hours.read() if "quiet_hours" in given else None,
            recovery=RecoveryChange(**request.recovery.model_dump(exclude_unset=True)) if "recovery" in given else None,
            switches=SwitchesChange(**request.switches.model_dump(exclude_unset=True)) if "switches" in given else None,
            double_opt_in=(
                DoubleOptInChange(**request.double_opt_in.model_dump(exclude_unset=True))
                if "double_opt_in" in given
                else None
            ),
            text_answers=_text_answers(request.text_answers) if "text_answers" in given else None,
        )
        business = wiring.settings_of_business().change(_business_id(app), change)
        return _answer(schemas.BusinessAnswer.of(business))


def _text_answers(request: schemas.TextAnswersRequest) -> TextAnswersChange:
    given = request.model_dump(exclude_unset=True)
    if "confirmation_words" in given:
        given["confirmation_words"] = tuple(given["confirmation_words"])
    return TextAnswersChange(**given)


def _customers(app: APIGatewayRestResolver) -> None:
    tags = ["Customers"]
    one = _responses(schemas.CustomerAnswer)

    @app.post(
        "/v1/customers",
        summary="Create a customer",
        tags=tags,
        responses=_responses(schemas.CustomerAnswer, HTTPStatus.CREATED),
    )
    def create_customer(request: Annotated[schemas.NewCustomerRequest, Body()]) -> Response[str]:
        view = wiring.manage_customers().create(_business_id(app), request.model_dump(exclude_unset=True))
        return _answer(schemas.CustomerAnswer.of(view), HTTPStatus.CREATED)

    @app.get(
        "/v1/customers",
        summary="List customers; a page may be short or empty and still have a next_cursor",
        tags=tags,
        responses=_responses(schemas.CustomerPage),
    )
    def list_customers(
        failed: Failed = None,
        tag: Tag = None,
        q: Words = None,
        segment_id: SegmentId = None,
        filter: FilterText = None,  # noqa: A002 - the parameter's name in the contract
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response[str]:
        wanted = _wanted(app, failed, tag, q, segment_id, _read_filter(filter))
        page = wiring.manage_customers().list(_business_id(app), wanted, limit=limit, cursor=cursor)
        items = [schemas.CustomerAnswer.of(view) for view in page.items]
        return _answer(schemas.CustomerPage(items=items, next_cursor=page.next_cursor))

    @app.get("/v1/customers/<customer_id>", summary="Read a customer", tags=tags, responses=one)
    def get_customer(customer_id: CustomerId) -> Response[str]:
        view = wiring.manage_customers().get(_business_id(app), customer_id)
        return _answer(schemas.CustomerAnswer.of(view))

    @app.patch("/v1/customers/<customer_id>", summary="Change a customer", tags=tags, responses=one)
    def change_customer(
        customer_id: CustomerId, request: Annotated[schemas.CustomerChangeRequest, Body()]
    ) -> Response[str]:
        given = request.model_dump(exclude_unset=True)
        view = wiring.manage_customers().change(_business_id(app), customer_id, given)
        return _answer(schemas.CustomerAnswer.of(view))

    @app.delete("/v1/customers/<customer_id>", summary="Remove a customer", tags=tags, responses=_no_content())
    def delete_customer(customer_id: CustomerId) -> Response[str]:
        wiring.manage_customers().delete(_business_id(app), customer_id)
        return Response(status_code=HTTPStatus.NO_CONTENT, body="")

    @app.post(
        "/v1/customers/<customer_id>/contacts/<channel>/confirm",
        summary="Say that an address is right: clears its flag",
        tags=tags,
        responses=one,
    )
    def confirm_contact(customer_id: CustomerId, channel: ChannelName) -> Response[str]:
        view = wiring.manage_customers().confirm(_business_id(app), customer_id, _channel(channel))
        return _answer(schemas.CustomerAnswer.of(view))

    @app.get(
        "/v1/customers/<customer_id>/messages",
        summary="The client log, newest first",
        tags=["Messages"],
        responses=_responses(schemas.MessagePage),
    )
    def list_customer_messages(
        customer_id: CustomerId, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Response[str]:
        page = wiring.read_client_log()(_business_id(app), customer_id, limit, cursor)
        items = [schemas.MessageAnswer.of(message) for message in page.items]
        return _answer(schemas.MessagePage(items=items, next_cursor=page.next_cursor))


def _reachability(app: APIGatewayRestResolver) -> None:
    @app.get(
        "/v1/customers/<customer_id>/reachability",
        summary="Why a customer does not get our messages, and what to do",
        tags=["Customers"],
        responses=_responses(ReachabilityAnswer),
    )
    def explain_reachability(
        customer_id: CustomerId,
        channel: Annotated[Channel, Query(description="Which address.")],
        category: Annotated[Category, Query(description="Which kind of message.")],
        asks_confirmation: Annotated[  # noqa: FBT002 - a parameter of the query
            bool, Query(description="A text that asks the customer to confirm an appointment.")
        ] = False,
        segment_id: Annotated[
            str | None,
            Query(
                description="Of a campaign for this saved segment; matters to caps that count segments apart.",
                max_length=64,
            ),
        ] = None,
    ) -> Response[str]:
        explanation = wiring.explain_reachability()(
            _business_id(app),
            customer_id,
            channel,
            category,
            asks_confirmation=asks_confirmation,
            segment_id=segment_id,
        )
        return _answer(ReachabilityAnswer.of(explanation))


def _consent(app: APIGatewayRestResolver) -> None:
    tags, one = ["Consent"], _responses(ConsentAnswer)

    @app.get(
        "/v1/customers/<customer_id>/consent",
        summary="What a customer may be sent, and who said so when: the history comes newest first",
        tags=tags,
        responses=one,
    )
    def get_consent(customer_id: CustomerId, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response[str]:
        return _answer(ConsentAnswer.of(wiring.read_consent()(_business_id(app), customer_id, limit, cursor)))

    @app.post(
        "/v1/customers/<customer_id>/consent/<channel>/confirmation",
        summary="Ask a customer whether they want marketing: a link by email, START by text; at most once a day",
        tags=tags,
        responses=_responses(schemas.MessageAnswer, HTTPStatus.ACCEPTED),
    )
    def ask_for_confirmation(customer_id: CustomerId, channel: ChannelName) -> Response[str]:
        message = wiring.ask_for_confirmation()(_business_id(app), customer_id, _channel(channel))
        return _answer(schemas.MessageAnswer.of(message), HTTPStatus.ACCEPTED)

    @app.post(
        "/v1/customers/<customer_id>/consent",
        summary="Unsubscribe or resubscribe a customer on one channel in one scope",
        tags=tags,
        responses=one,
    )
    def state_consent(customer_id: CustomerId, request: Annotated[ConsentRequest, Body()]) -> Response[str]:
        business_id = _business_id(app)
        wiring.state_consent()(business_id, customer_id, request.read())
        return _answer(ConsentAnswer.of(wiring.read_consent()(business_id, customer_id, DEFAULT_LIMIT, None)))


def _clean_up(app: APIGatewayRestResolver) -> None:
    tags = ["Customers"]

    @app.get(
        "/v1/customers/count",
        summary="Count customers, with the filters of the list; a job when there are too many to count while the "
        "request waits",
        tags=tags,
        responses=_responses(schemas.CountAnswer) | _accepted(),
    )
    def count_customers(
        failed: Failed = None,
        tag: Tag = None,
        q: Words = None,
        segment_id: SegmentId = None,
        filter: FilterText = None,  # noqa: A002 - the parameter's name in the contract
    ) -> Response[str]:
        wanted = _wanted(app, failed, tag, q, segment_id, _read_filter(filter))
        wanted.compiled()
        counts = None if _prefers_a_job(app) else wiring.count_customers()(_business_id(app), wanted)
        if counts is not None:
            return _answer(schemas.CountAnswer.of(counts))
        return _started(app, JobKind.COUNT, {"wanted": write_filter(wanted)})

    @app.post(
        "/v1/customers/bulk-delete",
        summary="Delete the customers of a filter, when there are as many as you say",
        tags=tags,
        responses=_responses(schemas.JobAnswer, HTTPStatus.ACCEPTED),
    )
    def bulk_delete(request: Annotated[schemas.BulkDeleteRequest, Body()]) -> Response[str]:
        wanted = _wanted(app, request.failed, request.tag, request.q, request.segment_id, request.filter)
        view = wiring.bulk_delete()(
            _business_id(app), wanted, request.customer_ids, request.confirm_count, _request(app)
        )
        return _answer(schemas.JobAnswer.of(view), HTTPStatus.ACCEPTED)


def _jobs(app: APIGatewayRestResolver) -> None:
    tags, one = ["Jobs"], _responses(schemas.JobAnswer)

    @app.get("/v1/jobs/<job_id>", summary="How a job stands", tags=tags, responses=one)
    def get_job(job_id: str) -> Response[str]:
        view = wiring.manage_jobs().get(_business_id(app), job_id)
        _demand(app, ApiScope(f"{_AREA_OF_JOB[view.job.kind]}:read"))
        return _answer(schemas.JobAnswer.of(view))

    @app.post("/v1/jobs/<job_id>/resume", summary="Go on with a paused job", tags=tags, responses=one)
    def resume_job(job_id: str) -> Response[str]:
        kind = wiring.manage_jobs().get(_business_id(app), job_id).job.kind
        _demand(app, ApiScope(f"{_AREA_OF_JOB[kind]}:{'write' if kind is JobKind.BULK_DELETE else 'read'}"))
        return _answer(schemas.JobAnswer.of(wiring.manage_jobs().resume(_business_id(app), job_id)))


_AREA_OF_JOB: Final = {JobKind.COUNT: "customers", JobKind.PREVIEW: "segments", JobKind.BULK_DELETE: "customers"}
"""Whose scopes a job asks for: those of the request that started it."""


def _imports(app: APIGatewayRestResolver) -> None:
    @app.post(
        "/v1/imports",
        summary="Import customers",
        tags=["Customers"],
        responses=_responses(schemas.ImportAnswer, HTTPStatus.ACCEPTED),
    )
    def create_import(request: Annotated[schemas.NewImportRequest, Body()]) -> Response[str]:
        view, upload_url = wiring.start_import()(_business_id(app), request.format, request.content)
        return _answer(schemas.ImportAnswer.of(view, upload_url), HTTPStatus.ACCEPTED)

    @app.get(
        "/v1/imports/<import_id>",
        summary="How far an import is",
        tags=["Customers"],
        responses=_responses(schemas.ImportAnswer),
    )
    def get_import(import_id: str) -> Response[str]:
        return _answer(schemas.ImportAnswer.of(wiring.start_import().get(_business_id(app), import_id)))


def _exports(app: APIGatewayRestResolver) -> None:
    @app.post(
        "/v1/exports",
        summary="Export customers: all, or those that a filter names",
        tags=["Customers"],
        responses=_responses(schemas.ExportAnswer, HTTPStatus.ACCEPTED),
    )
    def create_export(request: Annotated[schemas.NewExportRequest, Body()]) -> Response[str]:
        wanted = _wanted(app, request.failed, request.tag, request.q, request.segment_id, request.filter)
        view = wiring.start_export()(_business_id(app), request.format, wanted)
        return _answer(schemas.ExportAnswer.of(view), HTTPStatus.ACCEPTED)

    @app.get(
        "/v1/exports/<export_id>",
        summary="How far an export is, and where its file is",
        tags=["Customers"],
        responses=_responses(schemas.ExportAnswer),
    )
    def get_export(export_id: str) -> Response[str]:
        return _answer(schemas.ExportAnswer.of(wiring.start_export().get(_business_id(app), export_id)))


def _segments(app: APIGatewayRestResolver) -> None:
    tags = ["Segments"]
    one = _responses(schemas.SegmentAnswer)

    @app.post(
        "/v1/segments/preview",
        summary="Who would get a message now; a job when there are too many to count while the request waits",
        tags=tags,
        responses=_responses(schemas.AudienceAnswer) | _accepted(),
    )
    def preview(request: Annotated[schemas.PreviewRequest, Body()]) -> Response[str]:
        business_id, segment_id = _business_id(app), request.segment_id
        tree = filter_of(wiring.segments(), business_id, segment_id) if segment_id is not None else request.filter
        compile_filter(tree)
        question = Question(
            tree or {},
            request.channel,
            request.category,
            request.exclude_failed,
            frozenset(request.include_customer_ids),
            segment_id,
        )
        audience = None if _prefers_a_job(app) else wiring.preview_audience()(business_id, question)
        if audience is not None:
            return _answer(schemas.AudienceAnswer.of(audience))
        return _started(app, JobKind.PREVIEW, question.written())

    @app.get("/v1/segments", summary="List segments", tags=tags, responses=_responses(schemas.SegmentPage))
    def list_segments(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response[str]:
        page = wiring.manage_segments().page(_business_id(app), limit, cursor)
        items = [schemas.SegmentAnswer.of(segment) for segment in page.items]
        return _answer(schemas.SegmentPage(items=items, next_cursor=page.next_cursor))

    @app.put("/v1/segments/<segment_id>", summary="Create or replace a segment", tags=tags, responses=one)
    def put_segment(segment_id: str, request: Annotated[schemas.SegmentRequest, Body()]) -> Response[str]:
        segment = wiring.manage_segments().put(_business_id(app), segment_id, request.name, request.filter)
        return _answer(schemas.SegmentAnswer.of(segment))

    @app.get("/v1/segments/<segment_id>", summary="Read a segment", tags=tags, responses=one)
    def get_segment(segment_id: str) -> Response[str]:
        return _answer(schemas.SegmentAnswer.of(wiring.manage_segments().get(_business_id(app), segment_id)))

    @app.delete("/v1/segments/<segment_id>", summary="Remove a segment", tags=tags, responses=_no_content())
    def delete_segment(segment_id: str) -> Response[str]:
        wiring.manage_segments().delete(_business_id(app), segment_id)
        return Response(status_code=HTTPStatus.NO_CONTENT, body="")


def _campaigns(app: APIGatewayRestResolver) -> None:
    tags = ["Campaigns"]

    @app.post(
        "/v1/campaigns",
        summary="Post a campaign",
        tags=tags,
        responses=_responses(schemas.PostedCampaignAnswer, HTTPStatus.ACCEPTED),
    )
    def create_campaign(request: Annotated[schemas.NewCampaignRequest, Body()]) -> Response[str]:
        customer_ids = request.customer_ids
        new = NewCampaign(
            name=request.name,
            category=request.category,
            channel=request.channel,
            selection=Selection(
                request.segment_id,
                request.filter,
                None if customer_ids is None else tuple(dict.fromkeys(customer_ids)),
            ),
            content=schemas.content_of(request.channel, request.content),
            exclude_failed=request.exclude_failed,
            include_customer_ids=frozenset(request.include_customer_ids),
            timing=request.timing(),
        )
        view = wiring.manage_campaigns().post(_business_id(app), new, _request(app))
        return _answer(schemas.PostedCampaignAnswer.of(view), HTTPStatus.ACCEPTED)

    @app.get(
        "/v1/campaigns", summary="List campaigns, newest first", tags=tags, responses=_responses(schemas.CampaignPage)
    )
    def list_campaigns(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response[str]:
        page = wiring.manage_campaigns().page(_business_id(app), limit, cursor)
        items = [schemas.CampaignAnswer.of(view) for view in page.items]
        return _answer(schemas.CampaignPage(items=items, next_cursor=page.next_cursor))

    @app.get(
        "/v1/campaigns/<campaign_id>",
        summary="How a campaign stands",
        tags=tags,
        responses=_responses(schemas.CampaignAnswer),
    )
    def get_campaign(campaign_id: str) -> Response[str]:
        return _answer(schemas.CampaignAnswer.of(wiring.manage_campaigns().get(_business_id(app), campaign_id)))

    one = _responses(schemas.CampaignAnswer)

    @app.post("/v1/campaigns/<campaign_id>/pause", summary="Hand over nothing more", tags=tags, responses=one)
    def pause_campaign(campaign_id: str) -> Response[str]:
        return _answer(schemas.CampaignAnswer.of(wiring.steer_campaign().pause(_business_id(app), campaign_id)))

    @app.post("/v1/campaigns/<campaign_id>/resume", summary="Go on after a pause", tags=tags, responses=one)
    def resume_campaign(campaign_id: str) -> Response[str]:
        return _answer(schemas.CampaignAnswer.of(wiring.steer_campaign().resume(_business_id(app), campaign_id)))

    @app.post("/v1/campaigns/<campaign_id>/cancel", summary="End a campaign", tags=tags, responses=one)
    def cancel_campaign(campaign_id: str) -> Response[str]:
        return _answer(schemas.CampaignAnswer.of(wiring.steer_campaign().cancel(_business_id(app), campaign_id)))

    @app.post(
        "/v1/campaigns/<campaign_id>/rollback-flags",
        summary="Take back the flags that its bounces raised",
        tags=tags,
        responses=_responses(schemas.CampaignAnswer, HTTPStatus.ACCEPTED),
    )
    def roll_back_flags(
        campaign_id: str, request: Annotated[schemas.RollbackRequest | None, Body()] = None
    ) -> Response[str]:
        asked = request or schemas.RollbackRequest()
        view = wiring.ask_for_rollback()(_business_id(app), campaign_id, asked.since, asked.until)
        return _answer(schemas.CampaignAnswer.of(view), HTTPStatus.ACCEPTED)

    @app.get(
        "/v1/campaigns/<campaign_id>/messages",
        summary="A campaign's messages",
        tags=tags,
        responses=_responses(schemas.MessagePage),
    )
    def list_campaign_messages(
        campaign_id: str,
        status: Annotated[str | None, Query(description="Only messages with this status.")] = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response[str]:
        shown = [known for known in MessageStatus if known is not MessageStatus.SENDING]
        if status is not None and status not in shown:
            raise InvalidInputError(FieldError("status", f"Must be one of {', '.join(shown)}."))
        page = wiring.manage_campaigns().messages(
            _business_id(app),
            campaign_id,
            status=MessageStatus(status) if status is not None else None,
            limit=limit,
            cursor=cursor,
        )
        items = [schemas.MessageAnswer.of(message) for message in page.items]
        return _answer(schemas.MessagePage(items=items, next_cursor=page.next_cursor))


def _messages(app: APIGatewayRestResolver) -> None:
    @app.post(
        "/v1/messages",
        summary="Send a message to one person",
        tags=["Messages"],
        responses=_responses(schemas.MessageAnswer, HTTPStatus.ACCEPTED),
    )
    def post_message(request: Annotated[schemas.NewMessageRequest, Body()]) -> Response[str]:
        message = wiring.post_message()(
            _business_id(app),
            customer_id=request.customer_id,
            category=request.category,
            channel=request.channel,
            content=schemas.content_of(request.channel, request.content),
            appointment_id=request.appointment_id,
            asks_confirmation=request.asks_confirmation,
            timing=request.timing(),
            request=_request(app),
        )
        return _answer(schemas.MessageAnswer.of(message), HTTPStatus.ACCEPTED)


def _logs(app: APIGatewayRestResolver) -> None:
    @app.get(
        "/v1/customers/<customer_id>/log",
        summary="Everything that happened with a customer, newest first: messages, replies, consent, flags",
        tags=["Messages"],
        responses=_responses(TimelineAnswer),
    )
    def read_timeline(customer_id: CustomerId, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response[str]:
        return _answer(TimelineAnswer.of(wiring.read_timeline()(_business_id(app), customer_id, limit, cursor)))

    @app.get(
        "/v1/appointments/<appointment_id>/log",
        summary="What was sent about an appointment, and what the customer answered, newest first",
        tags=["Messages"],
        responses=_responses(AppointmentLogAnswer),
    )
    def read_appointment_log(
        appointment_id: Annotated[str, Path(description="As appointment_id of the messages names it.")],
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response[str]:
        log = wiring.read_appointment_log()(_business_id(app), appointment_id, limit, cursor)
        return _answer(AppointmentLogAnswer.of(appointment_id, log))


Since = Annotated[schemas.Moment | None, Query(description="RFC 3339; only replies from then on.")]
Until = Annotated[schemas.Moment | None, Query(description="RFC 3339; only replies before.")]
KindOfReply = Annotated[Meaning | None, Query(description="What the reply was taken for.")]
FromCustomer = Annotated[
    str | None, Query(pattern=schemas.CUSTOMER_ID, description="Only from numbers that this customer uses or used.")
]
WordsOfReply = Annotated[
    str | None, Query(max_length=200, description="Words, each of which stands in the text or the number.")
]
Waiting = Annotated[bool | None, Query(description="Only those that wait for somebody to read them, or only others.")]
Rows = Annotated[int, Query(ge=1, le=MAX_ROWS, description="How many rows at most.")]


def _replies(app: APIGatewayRestResolver) -> None:
    @app.get(
        "/v1/replies",
        summary="What customers texted, newest first; a page may be short or empty and still have a next_cursor",
        tags=["Messages"],
        responses=_responses(ReplyPage),
    )
    def list_replies(
        since: Since = None,
        until: Until = None,
        kind: KindOfReply = None,
        customer_id: FromCustomer = None,
        q: WordsOfReply = None,
        needs_staff: Waiting = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response[str]:
        wanted = RepliesWanted(since, until, kind, customer_id, q, needs_staff)
        page = wiring.report_replies()(_business_id(app), wanted, limit, cursor)
        items = [ReportedReplyAnswer.of_view(view) for view in page.items]
        return _answer(ReplyPage(items=items, next_cursor=page.next_cursor))

    @app.get(
        "/v1/replies.csv",
        summary="The same as CSV; when there is more, Link says where (RFC 8288), and only the first part has a header",
        tags=["Messages"],
        responses=_csv_responses(),
    )
    def write_replies(
        since: Since = None,
        until: Until = None,
        kind: KindOfReply = None,
        customer_id: FromCustomer = None,
        q: WordsOfReply = None,
        needs_staff: Waiting = None,
        limit: Rows = MAX_ROWS,
        cursor: Cursor = None,
    ) -> Response[str]:
        wanted = RepliesWanted(since, until, kind, customer_id, q, needs_staff)
        views, after = wiring.report_replies().file(_business_id(app), wanted, limit, cursor)
        header = write_header() if cursor is None else ""
        asked = dict(app.current_event.query_string_parameters or {})
        more = {} if after is None else {"Link": f'<?{urlencode({**asked, "cursor": after})}>; rel="next"'}
        return Response(
            status_code=HTTPStatus.OK,
            content_type="text/csv; charset=utf-8",
            body=header + "".join(write_reply(view) for view in views),
            headers={"Content-Disposition": 'attachment; filename="replies.csv"', **more},
        )


def _csv_responses() -> dict[int, Any]:
    described = _responses(schemas.Answer)
    return {**described, 200: {"description": "CSV", "content": {"text/csv": {"schema": {"type": "string"}}}}}


def _review(app: APIGatewayRestResolver) -> None:
    tags = ["Messages"]

    @app.get(
        "/v1/replies/review",
        summary="Texts of customers that somebody must read, the oldest first",
        tags=tags,
        responses=_responses(ReviewPage),
    )
    def list_replies_to_review(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response[str]:
        page = wiring.review_replies().waiting(_business_id(app), limit, cursor)
        return _answer(ReviewPage(items=[ReplyAnswer.of(r) for r in page.items], next_cursor=page.next_cursor))

    @app.post(
        "/v1/replies/<reply_id>/resolve",
        summary="Say what a text that somebody had to read means",
        tags=tags,
        responses=_responses(ReplyAnswer),
    )
    def resolve_reply(reply_id: str, request: Annotated[ResolveRequest, Body()]) -> Response[str]:
        who = request.who or _authorizer(app)["key_id"]
        reply = wiring.review_replies().resolve(_business_id(app), reply_id, request.decision, who)
        return _answer(ReplyAnswer.of(reply))


def _document(app: APIGatewayRestResolver) -> None:
    @app.get("/v1/openapi.json", include_in_schema=False)
    def get_document() -> Response[str]:
        return Response(status_code=HTTPStatus.OK, content_type="application/json", body=document())


@cache
def document() -> str:
    """The OpenAPI document, generated from the routes and schemas."""
    return write_document(api())
