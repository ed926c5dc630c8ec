"""Customers, one at a time: shapes and routes. Lists and what is done with all of a filter are in ``segments``."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import replace
from functools import cache
from http import HTTPStatus
from typing import Annotated, Any, Final, Self, get_type_hints

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, create_model

from rebound.businesses.domain.business import Business
from rebound.consent.domain.consent import Standing
from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.reachability import Failure
from rebound.customers import wiring
from rebound.customers.application.customer_service import CustomerView
from rebound.customers.application.profile_checks import MAX_TAG, MAX_TAGS
from rebound.customers.application.recipients import MAX_RECIPIENT
from rebound.customers.domain import (
    GROUPS,
    LIST_FIELDS,
    MOST_RECIPIENTS,
    PROFILE,
    REQUIRED_FIELDS,
    Customer,
    Kind,
    OnlineBooking,
    ProfileField,
    members_of,
    without_groups,
)
from rebound.customers.wiring import CustomersUseCases
from rebound.kernel.api_scopes import AS_CUSTOMER
from rebound.kernel.channels import MAX_EMAIL, MAX_PHONE, Channel
from rebound.kernel.consent_words import Scope
from rebound.kernel.errors import InvalidInputError
from rebound.kernel.ids import id_of_external
from rebound.kernel.languages import LANGUAGES
from rebound.kernel.local_time import MAX_ZONE
from rebound.kernel.provider_codes import FailureClass, Provider, look_up
from rebound.platform.http.routes import (
    ChannelName,
    CustomerInPath,
    ExternalIdInPath,
    authorizer,
    business_of,
    channel_named,
    json_answer,
    no_content,
    nothing,
    responses,
)
from rebound.platform.http.shapes import Answer, Request, Time, one_of


def _settable(name: str) -> object:
    """A profile field in a request: text or a list of texts, which may be left out or ``null``."""
    row = PROFILE[name]
    json_type: Any = list[str] if name in LIST_FIELDS else bool if row.kind is Kind.SWITCH else str
    description = row.description or ("YYYY-MM-DD" if row.kind is Kind.DATE else None)
    described = Field(default=None, description=description)
    if name in REQUIRED_FIELDS:
        return Annotated[json_type | None, WithJsonSchema(_schema(row)), described]
    return Annotated[Annotated[json_type, WithJsonSchema(_schema(row))] | None, described]


def _schema(row: ProfileField) -> dict[str, Any]:
    """What the OpenAPI document says of a field's values, which ``customer_service`` checks."""
    match row.kind:
        case Kind.TEXT:
            return {"type": "string", "maxLength": row.max_length}
        case Kind.CHOICE:
            return {"type": "string", "enum": list(row.choices)}
        case kind:
            return dict(_SCHEMAS[kind])


def _list_of(most: int, longest: int) -> Mapping[str, Any]:
    return {
        "type": "array",
        "items": {"type": "string", "minLength": 1, "maxLength": longest},
        "maxItems": most,
    }


_SCHEMAS: Final[Mapping[Kind, Mapping[str, Any]]] = {
    Kind.TAGS: _list_of(MAX_TAGS, MAX_TAG),
    Kind.RECIPIENTS: _list_of(MOST_RECIPIENTS, MAX_RECIPIENT),
    Kind.SWITCH: {"type": "boolean"},
    Kind.DATE: {"type": "string", "format": "date"},
    Kind.LANGUAGE: {"type": "string", "enum": list(LANGUAGES)},
    Kind.EMAIL: {"type": "string", "maxLength": MAX_EMAIL},
    Kind.PHONE: {"type": "string", "maxLength": MAX_PHONE},
    Kind.TIME_ZONE: {"type": "string", "maxLength": MAX_ZONE, "examples": ["America/Los_Angeles"]},
}


def _named(of_field: Callable[[str], object], of_group: Callable[[str], object]) -> dict[str, Any]:
    """The profile's fields as the API names them, in their order: those of a group as one object."""
    named: dict[str, Any] = {}
    for name, row in PROFILE.items():
        if row.group is None:
            named[name] = of_field(name)
        elif row.group not in named:
            named[row.group] = of_group(row.group)
    return named


def _group_to_set(group: str) -> object:
    """A group in a request, of which each field may be left out or ``null``; ``null`` for all of them."""
    fields: dict[str, Any] = {short: (_settable(name), None) for short, name in members_of(group).items()}
    doc = f"{GROUPS[group]} A field left out keeps its value."
    shape = create_model(f"{group.title()}Request", __base__=Request, __doc__=doc, **fields)
    return Annotated[shape | None, Field(default=None)]


@cache
def _group_shape(group: str) -> type[Answer]:
    """A group in an answer."""
    fields: dict[str, Any] = {short: (_KINDS[name], ...) for short, name in members_of(group).items()}
    return create_model(f"{group.title()}Answer", __base__=Answer, __doc__=GROUPS[group], **fields)


_KINDS: Final[Mapping[str, Any]] = {
    **{name: kind for name, kind in get_type_hints(Customer).items() if name in PROFILE},
    **{name: Annotated[str, one_of(row.choices)] for name, row in PROFILE.items() if row.choices},
    **{name: Annotated[str, one_of(LANGUAGES)] | None for name, row in PROFILE.items() if row.kind is Kind.LANGUAGE},
}
"""What answers have of each field."""


class CustomerProfile(Request):
    """What a client may set of a customer."""

    # In a class of its own, unlike one of create_model, because mypy takes no other for a type.
    __annotations__ = {
        name: kind for name, kind in _named(_settable, _group_to_set).items() if name not in REQUIRED_FIELDS
    }

    @property
    def given(self) -> dict[str, Any]:
        """The profile fields that the client named."""
        return without_groups(self.model_dump(exclude_unset=True))


class NewCustomerRequest(CustomerProfile):
    """A new customer."""

    __annotations__ = {
        name: Annotated[str, WithJsonSchema({"minLength": 1, **_schema(PROFILE[name])})] for name in REQUIRED_FIELDS
    }


class CustomerChangeRequest(CustomerProfile):
    """Fields to set; ``null`` empties one. An address that is given is thereby confirmed, and its flag cleared."""

    __annotations__ = {name: _settable(name) for name in REQUIRED_FIELDS}


class CustomerByExternalIdRequest(CustomerChangeRequest):
    """Fields to set, of a customer who may be new: then first and last name are required. ``null`` empties a field.

    An address that the customer has, or had before, keeps its flag; another is thereby confirmed.
    """

    __annotations__ = {}


class EvidenceAnswer(Answer):
    """The failure that made an address invalid."""

    model_config = ConfigDict(serialize_by_alias=True)

    failure_class: FailureClass = Field(serialization_alias="class", description="Of the table of provider codes.")
    provider: Provider
    code: str = Field(description="The provider's code, as in the table of provider codes.")
    detail: str | None = Field(description="The provider's own words.")
    message_id: str | None = Field(description="Null for an entry of the provider's suppression list.")
    at: Time

    @classmethod
    def of(cls, failure: Failure) -> Self:
        """The answer for a failure."""
        return cls.filled(failure, failure_class=look_up(failure.provider, failure.code).failure_class)


class EffectiveAnswer(Answer):
    """Whether messages of each scope may be sent, as far as consent goes: opt-outs of wider scopes count.

    opted_in: nothing speaks against it, also when nothing was ever said. opted_out: an opt-out of this scope or a wider
    one holds. not_confirmed: the business has double_opt_in here, and the customer has not asked for these messages.
    """

    all: Standing
    marketing: Standing
    loyalty: Standing
    transactional: Standing

    @classmethod
    def of(cls, contact: Contact, business: Business) -> Self:
        """The answer for an address of a business."""
        needed = business.double_opt_in.is_asked_for(contact.key.channel)
        return cls(**{scope: contact.consent.standing(scope, needs_confirmation=needed) for scope in Scope})


class ContactAnswer(Answer):
    """One address and its two states: reachability and consent."""

    address: str
    invalid: bool
    reason: str | None = Field(description="Why it is invalid: a reason of the table of provider codes.")
    since: Time | None
    evidence: EvidenceAnswer | None = Field(description="The failure by which it became invalid.")
    next_try_at: Time | None = Field(
        description="From when on one more message is tried, where the business has it so (recovery) and the cause may "
        "have passed; otherwise null."
    )
    opted_out: list[Scope] = Field(
        description="Scopes that the person has opted out of: all, marketing, loyalty, transactional."
    )
    effective: EffectiveAnswer


class ContactsAnswer(Answer):
    """The contacts behind the customer's addresses."""

    email: ContactAnswer | None
    sms: ContactAnswer | None


class CustomerAnswer(Answer):
    """A customer."""

    __annotations__ = {
        "customer_id": str,
        **_named(_KINDS.__getitem__, _group_shape),
        "claimed_at": Annotated[
            Time | None,
            Field(
                description="When the customer first edited the profile in person; since then only they change names, "
                "phones and email."
            ),
        ],
        "points_balance": Annotated[
            int, Field(description="Changes by POST /v1/customers/{customer_id}/points alone.")
        ],
        "created_at": Time,
        "updated_at": Annotated[
            Time, Field(description="When the profile, a flag or consent was last written, whichever was later.")
        ],
        "contacts": ContactsAnswer,
    }

    @classmethod
    def of(cls, view: CustomerView) -> Self:
        """The answer for a customer."""
        contacts = ContactsAnswer(email=_contact(view, Channel.EMAIL), sms=_contact(view, Channel.SMS))
        groups = {group: _group_of(view.customer, group) for group in GROUPS}
        return cls.filled(view.customer, contacts=contacts, updated_at=view.updated_at, **groups)


def _group_of(customer: Customer, group: str) -> BaseModel:
    fields = {short: getattr(customer, name) for short, name in members_of(group).items()}
    return _group_shape(group)(**fields)


class BookingAnswer(Answer):
    """Whether a customer may book online."""

    decision: Annotated[str, one_of(OnlineBooking)]
    message: str | None = Field(description="For the customer, with block: booking_block_message of the business.")


@contextmanager
def _fields_named_as_here() -> Iterator[None]:
    """Names what is wrong in a group as the request has it."""
    try:
        yield
    except InvalidInputError as error:
        raise InvalidInputError(
            *(replace(each, field=_PATHS.get(each.field, each.field)) for each in error.errors)
        ) from None


_PATHS: Final = {
    name: f"{row.group}.{row.name_in_group(name)}" for name, row in PROFILE.items() if row.group is not None
}


def _contact(view: CustomerView, channel: Channel) -> ContactAnswer | None:
    contact, address = view.contacts.get(channel), view.customer.address(channel)
    if contact is None or address is None:
        return None
    verdict = contact.verdict(view.business.policy)
    return ContactAnswer(
        address=address,
        invalid=verdict.invalid,
        reason=verdict.reason,
        since=verdict.since,
        evidence=EvidenceAnswer.of(verdict.evidence) if verdict.evidence is not None else None,
        next_try_at=contact.next_try_at(view.business.policy) if view.business.recovery.is_on else None,
        opted_out=list(contact.consent.opted_out),
        effective=EffectiveAnswer.of(contact, view.business),
    )


def add_routes(app: APIGatewayRestResolver, use_cases: Callable[[], CustomersUseCases] = wiring.use_cases) -> None:
    """The routes; ``use_cases`` are those of a capability that knows more of whose a profile is."""
    tags = ["Customers"]

    def by_customer() -> bool:
        """Whether the key is that of a portal, in which customers edit their own profiles."""
        return AS_CUSTOMER in authorizer(app).get("scopes", "").split()

    one = responses(CustomerAnswer)

    @app.post(
        "/v1/customers",
        summary="Create a customer",
        tags=tags,
        responses=responses(CustomerAnswer, HTTPStatus.CREATED),
    )
    def create_customer(request: Annotated[NewCustomerRequest, Body()]) -> Response[str]:
        with _fields_named_as_here():
            view = use_cases().customer_service.create(business_of(app), request.given, by_customer=by_customer())
        return json_answer(CustomerAnswer.of(view), HTTPStatus.CREATED)

    @app.get("/v1/customers/<customer_id>", summary="Read a customer", tags=tags, responses=one)
    def get_customer(customer_id: CustomerInPath) -> Response[str]:
        view = use_cases().customer_service.get(business_of(app), customer_id)
        return json_answer(CustomerAnswer.of(view))

    @app.get(
        "/v1/customers/by-external-id/<external_id>",
        summary="Read a customer by your own id",
        tags=tags,
        responses=one,
    )
    def get_customer_by_external_id(external_id: ExternalIdInPath) -> Response[str]:
        business_id = business_of(app)
        view = use_cases().customer_service.get(business_id, id_of_external(business_id, external_id))
        return json_answer(CustomerAnswer.of(view))

    @app.put(
        "/v1/customers/by-external-id/<external_id>",
        summary="Create or change the customer of your own id",
        description="Sets what is named and leaves the rest, as PATCH does; 201 where the customer is new. Sent again, "
        "it changes nothing.",
        tags=tags,
        responses={**responses(CustomerAnswer, HTTPStatus.CREATED), **one},
    )
    def put_customer_by_external_id(
        external_id: ExternalIdInPath, request: Annotated[CustomerByExternalIdRequest, Body()]
    ) -> Response[str]:
        with _fields_named_as_here():
            view, is_new = use_cases().customer_service.put(
                business_of(app), external_id, request.given, by_customer=by_customer()
            )
        return json_answer(CustomerAnswer.of(view), HTTPStatus.CREATED if is_new else HTTPStatus.OK)

    @app.delete(
        "/v1/customers/by-external-id/<external_id>",
        summary="Remove the customer of your own id",
        tags=tags,
        responses=no_content(),
    )
    def delete_customer_by_external_id(external_id: ExternalIdInPath) -> Response[str]:
        business_id = business_of(app)
        use_cases().customer_service.delete(business_id, id_of_external(business_id, external_id))
        return nothing()

    @app.patch("/v1/customers/<customer_id>", summary="Change a customer", tags=tags, responses=one)
    def change_customer(
        customer_id: CustomerInPath, request: Annotated[CustomerChangeRequest, Body()]
    ) -> Response[str]:
        with _fields_named_as_here():
            view = use_cases().customer_service.change(
                business_of(app), customer_id, request.given, by_customer=by_customer()
            )
        return json_answer(CustomerAnswer.of(view))

    @app.delete("/v1/customers/<customer_id>", summary="Remove a customer", tags=tags, responses=no_content())
    def delete_customer(customer_id: CustomerInPath) -> Response[str]:
        use_cases().customer_service.delete(business_of(app), customer_id)
        return nothing()

    @app.post(
        "/v1/customers/<customer_id>/contacts/<channel>/confirm",
        summary="Say that an address is right: clears its flag",
        tags=tags,
        responses=one,
    )
    def confirm_contact(customer_id: CustomerInPath, channel: ChannelName) -> Response[str]:
        view = use_cases().customer_service.confirm(
            business_of(app), customer_id, channel_named(channel), by_customer=by_customer()
        )
        return json_answer(CustomerAnswer.of(view))

    _add_booking(app, use_cases)


def _add_booking(app: APIGatewayRestResolver, use_cases: Callable[[], CustomersUseCases]) -> None:
    @app.get(
        "/v1/customers/<customer_id>/booking",
        summary="Whether a customer may book online",
        tags=["Customers"],
        responses=responses(BookingAnswer),
    )
    def get_booking(customer_id: CustomerInPath) -> Response[str]:
        booking = use_cases().decide_booking(business_of(app), customer_id)
        return json_answer(BookingAnswer.filled(booking))
