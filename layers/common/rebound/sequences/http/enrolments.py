"""Who is where in sequences and what comes next, beginning and leaving by hand: shapes and routes."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from pydantic import Field

from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.ids import id_of_external, time_of
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.messages.domain.origins import step_of
from rebound.platform.http.routes import (
    DEFAULT_LIMIT,
    Cursor,
    CustomerInPath,
    Limit,
    business_of,
    json_answer,
    no_content,
    nothing,
    responses,
)
from rebound.platform.http.shapes import Answer, CustomerId, ExternalId, NamesACustomer, Time
from rebound.sequences import wiring
from rebound.sequences.application.read_enrolments import Shown, Stand
from rebound.sequences.domain.enrolments import EnrolmentKey, LeftBecause, Stage
from rebound.sequences.domain.sequences import SequenceStatus
from rebound.sequences.domain.steps import Action, Exit, If, Send, Tag, Wait
from rebound.sequences.domain.what_next import Next, Place
from rebound.sequences.http.routes import SequenceInPath
from rebound.sequences.http.shapes import EnrolledAnswer, HappeningShape, TagAnswer
from rebound.templates.domain.content import EmailContent, TemplateContent


class NextAnswer(Answer):
    """What happens next: which step is done, and when. A sequence that is off does nothing until it is on."""

    step_id: str | None = Field(description="Null where nothing more comes: they leave.")
    kind: Literal["wait", "send", "if", "tag", "exit", "end"]
    at: Time = Field(
        description="When; with waits_for at the latest. What was due before now is on its way, or late where the "
        "sequence is off."
    )
    waits_for: dict[str, Any] | None = Field(description="What they go on with at once, if it happens before.")
    condition: dict[str, Any] | None = Field(description="Of kind if: the filter that is asked then.")
    then_step_id: str | None = Field(description="Of kind if: where those go on who match; null where it ends.")
    else_step_id: str | None = Field(description="Of kind if: where the others go on; null where it ends.")
    channel: Channel | None = Field(description="Of kind send, as the next three.")
    category: Category | None
    template_id: str | None
    subject: str | None
    tag: TagAnswer | None = Field(description="Of kind tag.")

    @classmethod
    def of(cls, follows: Next) -> Self:
        """The answer for what comes next."""
        step = follows.step
        own = {} if step is None else _fields_of(step.action)
        is_if = step is not None and isinstance(step.action, If)
        return cls(
            step_id=step and step.step_id,
            at=follows.at,
            waits_for=None if follows.waits_for is None else HappeningShape.fields_of(follows.waits_for),
            then_step_id=step.next_id if step is not None and is_if else None,
            else_step_id=step.else_id if step is not None and is_if else None,
            **{**_NOTHING, **own},
        )


_NOTHING: Mapping[str, Any] = {
    "kind": "end",
    "condition": None,
    "tag": None,
    **dict.fromkeys(("channel", "category", "template_id", "subject")),
}


def _fields_of(action: Action) -> Mapping[str, Any]:
    match action:
        case Wait():
            return {"kind": "wait"}
        case Send(channel=channel, category=category, content=said):
            template_id = said.made_from.template_id if isinstance(said, TemplateContent) else None
            subject = said.subject if isinstance(said, EmailContent) else None
            own = {"channel": channel, "category": category, "template_id": template_id, "subject": subject}
            return {"kind": "send", **own}
        case If():
            return {"kind": "if", "condition": dict(action.filter)}
        case Tag():
            return {"kind": "tag", "tag": TagAnswer(add=action.add, remove=action.remove)}
        case Exit():
            return {"kind": "exit"}


class EnrolmentAnswer(Answer):
    """Where a customer stands in a sequence."""

    customer_id: str
    external_id: str | None
    version: int = Field(description="That of the sequence which they go through.")
    entry_key: str = Field(description="What began it.")
    entered_at: Time
    standing: Stage
    step_id: str | None = Field(description="The step at which they stand, or stood; null before the first.")
    since: Time
    wake_at: Time | None = Field(description="While they wait: when they go on at the latest.")
    left_because: LeftBecause | None
    next: NextAnswer | None = Field(description="What comes next; null for who has left.")
    sentence: str = Field(description="Both in plain English, for the reception desk.")

    @classmethod
    def of(cls, shown: Shown, external_id: str | None) -> Self:
        """The answer for an enrolment."""
        enrolment, follows = shown.enrolment, shown.follows
        return cls.filled(
            enrolment,
            customer_id=enrolment.key.customer_id,
            external_id=external_id,
            next=None if follows is None else NextAnswer.of(follows),
            sentence=shown.sentence,
        )


class EnrolmentPage(Answer):
    """Part of those who are in a sequence, or were."""

    items: list[EnrolmentAnswer]
    next_cursor: str | None


class LastOfSequenceAnswer(Answer):
    """The last message of a sequence to somebody, sent or not."""

    message_id: str
    step_id: str
    at: Time
    status: MessageStatus
    reason: str | None = Field(description="Why it failed, or was not sent, as of the message.")
    sentence: str = Field(description="What became of it, in plain English.")

    @classmethod
    def of(cls, message: Message, sentence: str) -> Self:
        """The answer for a message of a step."""
        step, message_id = step_of(message.campaign_id), message.key.message_id
        return cls.filled(
            message,
            message_id=message_id,
            step_id=step.step_id if step is not None else "",
            at=time_of(message_id),
            status=message.shown_status,
            sentence=sentence,
        )


class StandAnswer(Answer):
    """How a customer stands to a sequence."""

    sequence_id: str
    name: str
    status: SequenceStatus
    place: Place = Field(
        description="inside; or why they are not: the sequence is off, they have been through it and nobody goes "
        "through it twice (only_once), they do not match its filter now (filter), or nothing has started it for them "
        "(not_started)."
    )
    sentence: str = Field(description="The same in plain English, for the reception desk.")
    enrolment: EnrolmentAnswer | None = Field(
        description="Where they are, or where and why they left; null for who was never in it."
    )
    last_message: LastOfSequenceAnswer | None = Field(
        description="What was sent last since they began it, or was not and why; null where it is not among the "
        "customer's newest 50 messages."
    )

    @classmethod
    def of(cls, stand: Stand, external_id: str | None) -> Self:
        """The answer for a sequence."""
        return cls.filled(
            stand.sequence,
            place=stand.place,
            sentence=stand.sentence,
            enrolment=None if stand.shown is None else EnrolmentAnswer.of(stand.shown, external_id),
            last_message=None if stand.last is None else LastOfSequenceAnswer.of(stand.last, stand.last_sentence),
        )


class StandList(Answer):
    """How a customer stands to each sequence of the business, by the sequences' ids."""

    customer_id: str
    external_id: str | None
    items: list[StandAnswer]
    next_cursor: str | None = Field(default=None, description="Always null: a business has fifty at most.")


class EnrolRequest(NamesACustomer):
    """Whom to let begin a sequence."""

    entry_key: Annotated[str, Field(min_length=1, max_length=128)] = Field(
        description="What this is because of, such as the id of an order: the same key begins it once."
    )


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""
    tags = ["Sequences"]
    path = "/v1/sequences/<sequence_id>"

    @app.post(
        f"{path}/enrolments",
        summary="Let a customer begin a sequence",
        tags=tags,
        responses=responses(EnrolledAnswer),
    )
    def enrol(sequence_id: SequenceInPath, request: Annotated[EnrolRequest, Body()]) -> Response[str]:
        business_id = business_of(app)
        service = wiring.use_cases().sequence_service
        customer_id = request.customer_of(business_id)
        field = "customer_id" if request.external_id is None else "external_id"
        return json_answer(
            EnrolledAnswer(enrolled=service.enrol(business_id, sequence_id, customer_id, request.entry_key, field))
        )

    @app.delete(
        f"{path}/enrolments/<customer_id>",
        summary="Take a customer out of a sequence: nothing more of it is done for them",
        tags=tags,
        responses=no_content(),
    )
    def take_out(sequence_id: SequenceInPath, customer_id: CustomerInPath) -> Response[str]:
        wiring.use_cases().sequence_service.take_out(business_of(app), sequence_id, customer_id)
        return nothing()

    @app.get(
        f"{path}/enrolments",
        summary="List who is in a sequence, or was, and what comes next for them",
        tags=tags,
        responses=responses(EnrolmentPage),
    )
    def list_enrolments(
        sequence_id: SequenceInPath,
        customer_id: Annotated[CustomerId | None, Query(description="This customer alone.")] = None,
        external_id: Annotated[ExternalId | None, Query(description="The same, by your own id.")] = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response[str]:
        business_id, use_cases = business_of(app), wiring.use_cases()
        if external_id is not None:
            customer_id = id_of_external(business_id, external_id)
        if customer_id is None:
            page = use_cases.read_enrolments.page(business_id, sequence_id, limit, cursor)
            found, next_cursor = page.items, page.next_cursor
        else:
            found = use_cases.read_enrolments.in_one(EnrolmentKey(business_id, customer_id, sequence_id))
            next_cursor = None
        ids = use_cases.external_ids(business_id, [each.enrolment.key.customer_id for each in found])
        items = [EnrolmentAnswer.of(each, ids[each.enrolment.key.customer_id]) for each in found]
        return json_answer(EnrolmentPage(items=items, next_cursor=next_cursor))

    @app.get(
        "/v1/customers/<customer_id>/sequences",
        summary="Where a customer is in each sequence and what comes next, or why they are not in it",
        tags=tags,
        responses=responses(StandList),
    )
    def list_sequences_of_customer(customer_id: CustomerInPath) -> Response[str]:
        business_id, ports = business_of(app), wiring.ports()
        customer = ports.customers.get(business_id, customer_id)
        stands = wiring.use_cases().read_enrolments.of_customer(customer, ports.businesses.get(business_id))
        items = [StandAnswer.of(each, customer.external_id) for each in stands]
        return json_answer(StandList(customer_id=customer_id, external_id=customer.external_id, items=items))
