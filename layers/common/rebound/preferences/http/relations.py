"""Family and friends of customers: shapes and routes."""

from http import HTTPStatus
from typing import Annotated, Literal, Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, field_validator

from rebound.kernel.channels import MAX_EMAIL
from rebound.kernel.ids import id_of_external
from rebound.kernel.written_text import one_line
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.platform.http.routes import (
    CustomerInPath,
    business_of,
    json_answer,
    name_of_request,
    no_content,
    nothing,
    responses,
)
from rebound.platform.http.shapes import Answer, CustomerId, ExternalId, Request, Time
from rebound.preferences import wiring
from rebound.preferences.application.relation_invitations import RelationSeen
from rebound.relations.application import NewRelation
from rebound.relations.domain import MAX_NAME, MAX_RELATIONSHIP, MOST, RelationStatus

Relationship = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_RELATIONSHIP), AfterValidator(one_line)
]


class NewRelationRequest(Request):
    """Somebody of a customer's family or friends: another customer, or the name of a pet or of somebody who is none."""

    relationship: Relationship = Field(
        description="What the other is to the customer, such as child, mother, spouse, friend or dog.",
        examples=["child"],
    )
    their_relationship: Relationship | None = Field(
        default=None,
        description="What the customer is to the other. If left out it follows from relationship, where that is one of "
        "the usual English words; else it is family or friend.",
    )
    invite: bool | Annotated[str, StringConstraints(max_length=MAX_EMAIL)] = Field(
        default=False,
        description="Whether the other is asked first: true by email to the other customer, or the address to ask at.",
    )
    external_id: ExternalId | None = Field(default=None, description="In place of customer_id.")
    customer_id: CustomerId | None = Field(default=None, description="The other customer.")
    name: Annotated[
        Annotated[
            str,
            StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NAME),
            AfterValidator(one_line),
        ]
        | None,
        Field(validate_default=True, description="Of a pet, or of somebody who is no customer."),
    ] = None

    @field_validator("name")
    @classmethod
    def _exactly_one(cls, value: str | None, info: ValidationInfo) -> str | None:
        if not {"customer_id", "external_id"} <= info.data.keys():
            return value
        given = [each for each in (value, info.data["customer_id"], info.data["external_id"]) if each is not None]
        if len(given) != 1:
            raise ValueError("Give exactly one of customer_id, external_id, name.")
        return value

    def read(self, business_id: str) -> NewRelation:
        """What is asked for; its id comes later."""
        by_external = None if self.external_id is None else id_of_external(business_id, self.external_id)
        return NewRelation(
            relation_id="",
            relationship=self.relationship,
            there=self.their_relationship,
            other_id=self.customer_id or by_external,
            name=self.name,
            field="customer_id" if self.external_id is None else "external_id",
        )


class RelationInvitationAnswer(Answer):
    """The email that asked, and what became of it."""

    message_id: str
    log_of: Literal["customer", "other"] = Field(
        description="In whose log it stands, of the customer in the path or of the other: that of who was asked, or of "
        "the one who asks somebody who is no customer."
    )
    address: str | None = Field(description="Where it went; null once it is forgotten.")
    status: MessageStatus = Field(description="As that of the message; bounced where the address does not work.")
    reason: str | None

    @classmethod
    def of(cls, message: Message, other_id: str | None) -> Self:
        """The answer for the message of an invitation to a relation with another customer."""
        return cls(
            message_id=message.key.message_id,
            log_of="other" if message.key.customer_id == other_id else "customer",
            address=message.shown_address,
            status=message.shown_status,
            reason=message.reason,
        )


class RelationAnswer(Answer):
    """A relation as the customer in the path sees it."""

    relation_id: str
    customer_id: str | None = Field(description="The other customer; null for who is none.")
    external_id: str | None
    name: str = Field(description="Of a customer first and last name as they are now.")
    relationship: str = Field(description="What the other is to the customer in the path.")
    status: RelationStatus = Field(
        description="accepted: they belong together; pending: the other was asked, and has not answered; declined."
    )
    created_at: Time
    answered_at: Time | None = Field(description="When the invitation was answered.")
    invitation: RelationInvitationAnswer | None = Field(
        description="The email by which the other was asked; null where nobody was, and once it is no longer kept."
    )

    @classmethod
    def of(cls, seen: RelationSeen) -> Self:
        """The answer for a relation."""
        view, relation = seen.view, seen.view.relation
        return cls.filled(
            relation,
            customer_id=relation.other_id,
            external_id=view.external_id,
            name=view.name,
            invitation=None if seen.message is None else RelationInvitationAnswer.of(seen.message, relation.other_id),
        )


class RelationsAnswer(Answer):
    """The relations of a customer, the oldest first."""

    customer_id: str
    external_id: str | None
    items: list[RelationAnswer] = Field(description=f"At most {MOST}.")


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""
    tags = ["Customers"]

    @app.get(
        "/v1/customers/<customer_id>/relations",
        summary="Family and friends of a customer",
        tags=tags,
        responses=responses(RelationsAnswer),
    )
    def list_relations(customer_id: CustomerInPath) -> Response[str]:
        business_id, use_cases = business_of(app), wiring.use_cases()
        found = use_cases.relation_invitations.list(business_id, customer_id)
        external_id = use_cases.external_ids(business_id, [customer_id], as_of_now=True)[customer_id]
        items = [RelationAnswer.of(each) for each in found]
        return json_answer(RelationsAnswer(customer_id=customer_id, external_id=external_id, items=items))

    @app.post(
        "/v1/customers/<customer_id>/relations",
        summary="Link a customer with family or friends, at once or by invitation",
        description=f"Both customers see it, each from their side. A customer has at most {MOST}.",
        tags=tags,
        responses=responses(RelationAnswer, HTTPStatus.CREATED),
    )
    def add_relation(customer_id: CustomerInPath, request: Annotated[NewRelationRequest, Body()]) -> Response[str]:
        business_id = business_of(app)
        added = wiring.use_cases().relation_invitations(
            business_id, customer_id, request.read(business_id), invite=request.invite, request=name_of_request(app)
        )
        return json_answer(RelationAnswer.of(added), HTTPStatus.CREATED)

    @app.delete(
        "/v1/customers/<customer_id>/relations/<relation_id>",
        summary="End a relation, for both",
        tags=tags,
        responses=no_content(),
    )
    def remove_relation(customer_id: CustomerInPath, relation_id: str) -> Response[str]:
        wiring.use_cases().relation_service.remove(business_of(app), customer_id, relation_id)
        return nothing()
