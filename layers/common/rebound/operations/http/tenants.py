"""The operator's API: businesses, their keys, their senders and holds on them."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final, Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from pydantic import AfterValidator, Field, StringConstraints, model_validator

from rebound.access.domain import ApiKey
from rebound.businesses import wiring
from rebound.businesses.domain.business import BUSINESS_ID, NO_BUSINESS_ID, RECIPIENT_LIMIT, Bundle
from rebound.businesses.domain.holds import LARGEST_VOLUME, MAX_LINE, SMALLEST_SHARE
from rebound.businesses.http import (
    FORMER,
    MAX_SENDER,
    BusinessAnswer,
    BusinessChangeRequest,
    Email,
    FormerBundle,
    TextProvider,
    given,
)
from rebound.kernel.api_scopes import ALL_SCOPES, ApiScope
from rebound.kernel.errors import InvalidInputError, NotFoundError
from rebound.kernel.local_time import MAX_ZONE
from rebound.kernel.written_text import one_line
from rebound.platform.http.app import MAX_ID
from rebound.platform.http.routes import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    authorizer,
    json_answer,
    no_content,
    nothing,
    responses,
    shown_once,
)
from rebound.platform.http.shapes import Answer, Line, Request, Time, text_of
from rebound.platform.telemetry import logger

DEFAULT_GRACE_HOURS: Final = 24
MAX_GRACE_HOURS: Final = 24 * 30
MAX_LABEL: Final = 100


def _names_a_business(value: str) -> str:
    if not BUSINESS_ID.fullmatch(value):
        raise ValueError(NO_BUSINESS_ID)
    return value


NewId = Annotated[
    str,
    AfterValidator(_names_a_business),
    text_of(pattern=f"^{BUSINESS_ID.pattern}$"),
    Path(description="A name of your own, or one that Rebound gave: `a–z0–9_-`."),
]
BusinessInPath = Annotated[str, Path(description="The business.")]
KeyInPath = Annotated[str, Path(description="key_id of the key; not the key itself.")]
SenderInPath = Annotated[str, Path(description="As it is listed; it may be escaped for the path.")]
Search = Annotated[
    str | None, Query(min_length=1, max_length=100, description="Part of a name or of a business_id, in any case.")
]


class BusinessOfOperatorRequest(BusinessChangeRequest):
    """Fields to set, as the business itself may, and what only the operator may besides.

    An ``email_from`` or ``text_from`` that the business does not have yet is granted, unless another business has it.
    A ``text_rate`` is not bounded by what others send over the same account.
    """

    email_from: Email | None = Field(default=None, description="Granted and chosen.")
    text_from: Annotated[str, text_of(maxLength=MAX_SENDER)] | None = Field(
        default=None,
        description="Granted and chosen: a phone number, a short code, a Twilio messaging service (MG…), or a name of "
        "up to 11 characters where the country of the business allows it.",
    )
    bundles: list[Annotated[Bundle, Field(strict=False)]] = Field(
        default_factory=lambda: sorted(Bundle),
        description="All that the business has booked: premium comes with text confirmations, marketing with bulk "
        f"email to {RECIPIENT_LIMIT} recipients and more a day. An empty list for nothing.",
    )
    bundle: Annotated[FormerBundle, Field(strict=False)] = Field(
        default=FormerBundle.PREMIUM,
        description="In place of bundles, from before: basic for nothing, premium for that alone.",
        json_schema_extra=FORMER,
    )

    @model_validator(mode="after")
    def _says_it_once(self) -> Self:
        if {"bundle", "bundles"} <= self.model_fields_set:
            raise ValueError("bundle and bundles say the same: leave bundle out.")
        return self

    def change(self) -> dict[str, Any]:
        """What the request names, as the settings have it."""
        named = given(self)
        if "bundles" in named:
            named["bundles"] = frozenset(named["bundles"])
        former = named.pop("bundle", None)
        if former is not None:
            named["bundles"] = frozenset() if former == FormerBundle.BASIC else frozenset({Bundle.PREMIUM})
        return named


class NewBusinessRequest(BusinessOfOperatorRequest):
    """A new business. What is left out, or null, has its default."""

    name: Line = Field(description="1 to 200 characters.")
    country: Annotated[str, text_of(pattern="^[A-Za-z]{2}$")] = Field(
        description="ISO 3166-1 alpha-2; numbers without a country code are read in it."
    )
    time_zone: Annotated[str, text_of(maxLength=MAX_ZONE)] = Field(description="IANA name.")
    text_provider: Annotated[TextProvider, Field(strict=False)] | None = Field(  # type: ignore[assignment]
        default=None, description="If left out, the one that the stack is deployed with."
    )


class BusinessPage(Answer):
    """Part of a list of businesses."""

    items: list[BusinessAnswer]
    next_cursor: str | None


class NewKeyRequest(Request):
    """A new key of a business."""

    label: Annotated[str, StringConstraints(max_length=MAX_LABEL), AfterValidator(one_line)] = Field(
        default="", description="What the key is for."
    )
    scopes: Annotated[list[Annotated[ApiScope, Field(strict=False)]], Field(min_length=1)] = Field(
        default_factory=lambda: list(ALL_SCOPES),
        description="What the key may do; if left out, everything but to speak for customers.",
    )


class RotationRequest(Request):
    """How a key is followed by another."""

    grace_hours: Annotated[float, Field(ge=0, le=MAX_GRACE_HOURS, strict=False)] = Field(
        default=DEFAULT_GRACE_HOURS, description="How long the old key goes on."
    )


class KeyAnswer(Answer):
    """A key of a business, without what opens anything."""

    business_id: str
    key_id: str
    label: str
    scopes: list[ApiScope]
    created_at: Time
    expires_at: Time | None = Field(description="When the key ends, or ended; null while nobody has ended it.")

    @classmethod
    def of(cls, key: ApiKey, **more: str) -> Self:
        """The answer for a key."""
        return cls.filled(key, scopes=list(key.scopes), **more)


class NewKeyAnswer(KeyAnswer):
    """A new key of a business."""

    api_key: str = Field(description="What the client sends as its bearer token. Shown this once, and kept nowhere.")


class KeyPage(Answer):
    """Part of a list of keys."""

    items: list[KeyAnswer]
    next_cursor: str | None


class SenderRequest(Request):
    """A sender for a business."""

    sender: Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID)] = Field(
        description="An email address under one of the stack's identities, a phone number, a short code, a Twilio "
        "messaging service (MG…), or a name of up to 11 characters where the country of the business allows it.",
        examples=["hello@salon.example.com"],
    )
    share: bool = Field(
        default=False,
        description="Also if another business has it: what customers text to it is then read by all of them.",
    )


class SenderAnswer(Answer):
    """A sender that a business has been granted."""

    sender: str
    chosen: bool = Field(description="Whether the business sends from it now: it is its email_from or text_from.")


class SenderList(Answer):
    """All senders of a business."""

    items: list[SenderAnswer]


class HoldPolicyRequest(Request):
    """When an account is held that mostly sends bulk."""

    share: Annotated[float, Field(ge=SMALLEST_SHARE, le=1, strict=False)] = Field(
        description="Of everything that it sent in 30 days: its bulk must be that much or more.", examples=[0.9]
    )
    volume: Annotated[int, Field(ge=1, le=LARGEST_VOLUME)] = Field(
        description="Recipients of bulk in 30 days, below which no account is held.", examples=[10000]
    )
    contact: Annotated[str, StringConstraints(min_length=1, max_length=MAX_LINE), AfterValidator(one_line)] = Field(
        description="Whom a business that is held asks: an address, a number or a page.",
        examples=["support@platform.example"],
    )


class HoldPolicyAnswer(Answer):
    """When an account is held that mostly sends bulk."""

    share: float
    volume: int
    contact: str


class LiftingRequest(Request):
    """Why a hold ends."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=MAX_LINE), AfterValidator(one_line)] = Field(
        description="Kept with the business, in lifted_holds.", examples=["Spoke to the owner: a move to new rooms"]
    )


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""
    _add_businesses(app)
    _add_holds(app)
    _add_keys(app)
    _add_senders(app)


def _add_businesses(app: APIGatewayRestResolver) -> None:
    tags = ["Operator"]
    one, new = responses(BusinessAnswer), responses(BusinessAnswer, HTTPStatus.CREATED)

    @app.get("/v1/operator/businesses", summary="List businesses", tags=tags, responses=responses(BusinessPage))
    def list_businesses(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None, q: Search = None) -> Response[str]:
        page = wiring.use_cases().tenant_service.list_businesses(limit, cursor, q)
        items = [BusinessAnswer.of(business) for business in page.items]
        return json_answer(BusinessPage(items=items, next_cursor=page.next_cursor))

    @app.post("/v1/operator/businesses", summary="Create a business", tags=tags, responses=new)
    def create_business(request: Annotated[NewBusinessRequest, Body()]) -> Response[str]:
        business = wiring.use_cases().tenant_service.create_business(request.change())
        tell(app, "create_business", business_id=business.business_id)
        return json_answer(BusinessAnswer.of(business), HTTPStatus.CREATED)

    @app.get("/v1/operator/businesses/<business_id>", summary="Read a business", tags=tags, responses=one)
    def get_business_as_operator(business_id: BusinessInPath) -> Response[str]:
        return json_answer(BusinessAnswer.of(wiring.use_cases().tenant_service.get_business(business_id)))

    @app.put(
        "/v1/operator/businesses/<business_id>",
        summary="Create or change a business",
        description="Under an id of your own. One that there is keeps what is left out; a new one needs name, country "
        "and time_zone. The same request again changes nothing.",
        tags=tags,
        responses={**one, **new},
    )
    def put_business(business_id: NewId, request: Annotated[BusinessOfOperatorRequest, Body()]) -> Response[str]:
        business, made = wiring.use_cases().tenant_service.put_business(business_id, request.change())
        tell(app, "create_business" if made else "change_business", business_id=business_id)
        return json_answer(BusinessAnswer.of(business), HTTPStatus.CREATED if made else HTTPStatus.OK)

    @app.patch("/v1/operator/businesses/<business_id>", summary="Change a business", tags=tags, responses=one)
    def change_business_as_operator(
        business_id: BusinessInPath, request: Annotated[BusinessOfOperatorRequest, Body()]
    ) -> Response[str]:
        business = wiring.use_cases().tenant_service.change_business(business_id, request.change())
        tell(app, "change_business", business_id=business_id)
        return json_answer(BusinessAnswer.of(business))


def _add_holds(app: APIGatewayRestResolver) -> None:
    tags, policy = ["Operator"], responses(HoldPolicyAnswer)

    @app.get("/v1/operator/hold-policy", summary="Read when accounts are held", tags=tags, responses=policy)
    def get_hold_policy() -> Response[str]:
        found = wiring.use_cases().account_holds.policy()
        if found is None:
            raise NotFoundError("hold policy")
        return json_answer(HoldPolicyAnswer.filled(found))

    @app.put(
        "/v1/operator/hold-policy",
        summary="Hold accounts that mostly send bulk",
        description="At first it is off. An account is judged when it posts a campaign that needs marketing consent.",
        tags=tags,
        responses=policy,
    )
    def put_hold_policy(request: Annotated[HoldPolicyRequest, Body()]) -> Response[str]:
        holds = wiring.use_cases().account_holds
        found = holds.set_policy(share=request.share, volume=request.volume, contact=request.contact)
        tell(app, "set_hold_policy")
        return json_answer(HoldPolicyAnswer.filled(found))

    @app.delete(
        "/v1/operator/hold-policy",
        summary="Hold no further account",
        description="Those that are held stay so until their hold is lifted.",
        tags=tags,
        responses=no_content(),
    )
    def delete_hold_policy() -> Response[str]:
        wiring.use_cases().account_holds.switch_off()
        tell(app, "switch_hold_policy_off")
        return nothing()

    @app.post(
        "/v1/operator/businesses/<business_id>/lift-hold",
        summary="Lift the hold on an account",
        description="It is judged anew by what it sends from then on. One that is not held stays as it is.",
        tags=tags,
        responses=responses(BusinessAnswer),
    )
    def lift_hold(business_id: BusinessInPath, request: Annotated[LiftingRequest, Body()]) -> Response[str]:
        business = wiring.use_cases().account_holds.lift(business_id, request.reason)
        tell(app, "lift_hold", business_id=business_id)
        return json_answer(BusinessAnswer.of(business))


def _add_keys(app: APIGatewayRestResolver) -> None:
    tags = ["Operator"]
    new, one = responses(NewKeyAnswer, HTTPStatus.CREATED), responses(KeyAnswer)

    @app.get("/v1/operator/businesses/<business_id>/keys", summary="List keys", tags=tags, responses=responses(KeyPage))
    def list_keys(business_id: BusinessInPath, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response[str]:
        page = wiring.use_cases().tenant_service.page_of_keys(business_id, limit, cursor)
        return json_answer(KeyPage(items=[KeyAnswer.of(key) for key in page.items], next_cursor=page.next_cursor))

    @app.post("/v1/operator/businesses/<business_id>/keys", summary="Create a key", tags=tags, responses=new)
    def create_key(business_id: BusinessInPath, request: Annotated[NewKeyRequest, Body()]) -> Response[str]:
        made = wiring.use_cases().tenant_service.create_key(business_id, request.scopes, request.label)
        return _show(app, "create_key", made.key, made.token)

    @app.post(
        "/v1/operator/businesses/<business_id>/keys/<key_id>/rotate",
        summary="Let a key be followed by another",
        description="The new key has the label and the scopes of the old one, which goes on for the grace hours.",
        tags=tags,
        responses=new,
    )
    def rotate_key(
        business_id: BusinessInPath, key_id: KeyInPath, request: Annotated[RotationRequest, Body()]
    ) -> Response[str]:
        grace = timedelta(hours=request.grace_hours)
        made = wiring.use_cases().tenant_service.rotate_key(business_id, key_id, grace)
        return _show(app, "rotate_key", made.key, made.token, old_key_id=key_id)

    @app.post(
        "/v1/operator/businesses/<business_id>/keys/<key_id>/revoke",
        summary="End a key now",
        tags=tags,
        responses=one,
    )
    def revoke_key(business_id: BusinessInPath, key_id: KeyInPath) -> Response[str]:
        key = wiring.use_cases().tenant_service.revoke_key(business_id, key_id)
        tell(app, "revoke_key", business_id=business_id, of_key_id=key_id)
        return json_answer(KeyAnswer.of(key))


def _add_senders(app: APIGatewayRestResolver) -> None:
    tags = ["Operator"]

    @app.get(
        "/v1/operator/businesses/<business_id>/senders",
        summary="List senders",
        tags=tags,
        responses=responses(SenderList),
    )
    def list_senders(business_id: BusinessInPath) -> Response[str]:
        grants = wiring.use_cases().sender_grants.list(business_id)
        return json_answer(SenderList(items=[SenderAnswer.filled(grant) for grant in grants]))

    @app.post(
        "/v1/operator/businesses/<business_id>/senders",
        summary="Grant a sender",
        description="The business may choose it from then on. One that it has already stays as it is.",
        tags=tags,
        responses=responses(SenderAnswer),
    )
    def grant_sender(business_id: BusinessInPath, request: Annotated[SenderRequest, Body()]) -> Response[str]:
        senders = wiring.use_cases().sender_grants
        business = senders.add(business_id, request.sender, share=request.share)
        granted = senders.grant_of(business, request.sender)
        tell(app, "grant_sender", business_id=business_id)
        return json_answer(SenderAnswer.filled(granted))

    @app.delete(
        "/v1/operator/businesses/<business_id>/senders/<sender>",
        summary="Take a sender away",
        description="A business that has chosen it has none then, and sends nothing on that channel.",
        tags=tags,
        responses=no_content(),
    )
    def remove_sender(business_id: BusinessInPath, sender: SenderInPath) -> Response[str]:
        try:
            wiring.use_cases().sender_grants.remove(business_id, sender)
        except InvalidInputError:
            raise NotFoundError("sender") from None
        tell(app, "remove_sender", business_id=business_id)
        return nothing()


def _show(app: APIGatewayRestResolver, what: str, key: ApiKey, token: str, **more: str) -> Response[str]:
    """The answer that has a key's token, which is given once."""
    tell(app, what, business_id=key.business_id, of_key_id=key.key_id, **more)
    shown_once(app, key.key_id)
    return json_answer(NewKeyAnswer.of(key, api_key=token), HTTPStatus.CREATED)


def tell(app: APIGatewayRestResolver, what: str, **ids: Any) -> None:
    """Write down what an operator's key did: ids only, and never a sender, which may be somebody's address."""
    logger().info("operator's key used", did=what, key_id=authorizer(app).get("key_id"), **ids)
