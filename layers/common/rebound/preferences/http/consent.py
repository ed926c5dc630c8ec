"""What customers may be sent, and who said so: shapes and routes."""

from http import HTTPStatus
from typing import Annotated, Literal, Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import AfterValidator, Field, StringConstraints

from rebound.businesses.domain.business import Business
from rebound.consent.domain.consent import Standing
from rebound.consent.domain.taking_back import TakenBackBy, how_to_take_back, taken_back_by
from rebound.consent.http import ConsentChangeAnswer
from rebound.contacts.domain.contacts import Contact
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.written_text import readable
from rebound.messages.http import MessageAnswer
from rebound.platform.http.routes import (
    DEFAULT_LIMIT,
    ChannelName,
    Cursor,
    CustomerInPath,
    Limit,
    business_of,
    channel_named,
    json_answer,
    responses,
)
from rebound.platform.http.shapes import Answer, Line, Request, Time
from rebound.preferences import wiring
from rebound.preferences.application.customer_consent import ConsentView, Statement, StatementEntry

MAX_WORDS = 1000
Words = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_WORDS), AfterValidator(readable)
]


class ConsentRequest(Request):
    """What a member of staff or a client says for a customer."""

    channel: Annotated[Channel, Field(strict=False)]
    scope: Annotated[Scope, Field(strict=False)] = Field(
        description="all: everything on the channel; marketing: marketing, Daily Deals and loyalty; loyalty: that; "
        "transactional: reminders and transactional messages, whatever stands of marketing."
    )
    opted_out: bool = Field(description="true unsubscribes, false resubscribes.")
    source: Literal["staff", "api"] = Field(default="staff", description="Who says so: a person, or a system.")
    who: Line | None = Field(default=None, description="The person or system, as it is called with you.")
    words: Words | None = Field(
        default=None,
        description="What the customer said, as they said it. Required to undo what the customer did with a click.",
    )

    def read(self) -> Statement:
        """The statement."""
        source = ConsentSource(self.source)
        return Statement(self.channel, self.scope, self.opted_out, source, who=self.who, words=self.words)


class ScopeAnswer(Answer):
    """How one scope stands, and by which statement; all null when nothing was ever said."""

    opted_out: bool
    effective: Standing = Field(
        description="Whether messages of the scope may be sent, as far as consent goes: opted_out also for an opt-out "
        "of a wider scope, not_confirmed where double_opt_in is on and nothing confirms it."
    )
    since: Time | None
    source: ConsentSource | None
    who: str | None
    words: str | None
    message_id: str | None
    taken_back_by: TakenBackBy | None = Field(
        description="Who can end the opt-out: staff, staff who give the customer's words, or only the customer."
    )
    how_to_take_back: str | None = Field(description="What to do when the customer wants these messages again.")

    @classmethod
    def of(cls, contact: Contact, scope: Scope, business: Business) -> Self:
        """The answer for a scope."""
        state = contact.consent.of(scope)
        ruling, opt_out = state.ruling, state.opt_out
        needed = business.double_opt_in.is_asked_for(contact.key.channel)
        return cls(
            opted_out=state.opted_out,
            effective=contact.consent.standing(scope, needs_confirmation=needed),
            since=ruling and ruling.at,
            source=ruling and ruling.source,
            who=ruling and ruling.who,
            words=ruling and ruling.words,
            message_id=ruling and ruling.message_id,
            taken_back_by=opt_out and taken_back_by(opt_out),
            how_to_take_back=opt_out and how_to_take_back(opt_out, contact.key.channel, business.text_from),
        )


class ScopesAnswer(Answer):
    """Each scope by itself; a message needs all that cover it.

    Marketing needs all and marketing, loyalty messages loyalty besides, reminders and transactional messages all and
    transactional; messages to one person need all alone.
    """

    all: ScopeAnswer
    marketing: ScopeAnswer
    loyalty: ScopeAnswer
    transactional: ScopeAnswer


class ChannelConsentAnswer(Answer):
    """What may be sent to the address."""

    address: str
    confirmed: bool = Field(
        description="Whether the customer asked for marketing in their own word, and nobody has opted them out since."
    )
    scopes: ScopesAnswer


class ChannelsAnswer(Answer):
    """Null for a channel on which the customer has no address."""

    email: ChannelConsentAnswer | None
    sms: ChannelConsentAnswer | None


class _Told(Answer):
    """When it was said, and of which address."""

    at: Time
    channel: Channel
    address: str = Field(description="The address that it is about, in the form in which addresses are compared.")
    former: bool = Field(description="The customer has left this address.")


class StatementAnswer(ConsentChangeAnswer, _Told):
    """One statement about consent."""

    @classmethod
    def of_entry(cls, entry: StatementEntry) -> Self:
        """The answer for what was said of an address."""
        statement, key = entry.statement, entry.key
        change = dict(ConsentChangeAnswer.filled(statement))
        return cls(at=statement.at, channel=key.channel, address=key.address, former=entry.former, **change)


class StatementPage(Answer):
    """Part of the history, newest first."""

    items: list[StatementAnswer]
    next_cursor: str | None


class ConsentAnswer(Answer):
    """State and history of a customer's consent."""

    customer_id: str
    external_id: str | None
    channels: ChannelsAnswer
    history: StatementPage

    @classmethod
    def of(cls, view: ConsentView) -> Self:
        """The answer for a customer."""
        return cls(
            customer_id=view.customer.customer_id,
            external_id=view.customer.external_id,
            channels=ChannelsAnswer(email=_channel(view, Channel.EMAIL), sms=_channel(view, Channel.SMS)),
            history=StatementPage(
                items=[StatementAnswer.of_entry(entry) for entry in view.history.items],
                next_cursor=view.history.next_cursor,
            ),
        )


def _channel(view: ConsentView, channel: Channel) -> ChannelConsentAnswer | None:
    contact, address = view.contacts.get(channel), view.customer.address(channel)
    if contact is None or address is None:
        return None
    return ChannelConsentAnswer(
        address=address,
        confirmed=contact.consent.is_confirmed,
        scopes=ScopesAnswer(**{scope: ScopeAnswer.of(contact, scope, view.business) for scope in Scope}),
    )


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""
    tags, one = ["Consent"], responses(ConsentAnswer)

    @app.get(
        "/v1/customers/<customer_id>/consent",
        summary="What a customer may be sent, and who said so when: the history comes newest first",
        tags=tags,
        responses=one,
    )
    def get_consent(customer_id: CustomerInPath, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response[str]:
        return json_answer(
            ConsentAnswer.of(wiring.use_cases().read_consent(business_of(app), customer_id, limit, cursor))
        )

    @app.post(
        "/v1/customers/<customer_id>/consent/<channel>/confirmation",
        summary="Ask a customer whether they want marketing: a link by email, START by text; at most once a day",
        tags=tags,
        responses=responses(MessageAnswer, HTTPStatus.ACCEPTED),
    )
    def ask_for_confirmation(customer_id: CustomerInPath, channel: ChannelName) -> Response[str]:
        business_id = business_of(app)
        message = wiring.use_cases().ask_for_confirmation(business_id, customer_id, channel_named(channel))
        external_id = wiring.use_cases().external_ids(business_id, [customer_id], as_of_now=True)[customer_id]
        return json_answer(MessageAnswer.of(message, external_id), HTTPStatus.ACCEPTED)

    @app.post(
        "/v1/customers/<customer_id>/consent",
        summary="Unsubscribe or resubscribe a customer on one channel in one scope",
        tags=tags,
        responses=one,
    )
    def state_consent(customer_id: CustomerInPath, request: Annotated[ConsentRequest, Body()]) -> Response[str]:
        business_id = business_of(app)
        wiring.use_cases().state_consent(business_id, customer_id, request.read())
        return json_answer(
            ConsentAnswer.of(wiring.use_cases().read_consent(business_id, customer_id, DEFAULT_LIMIT, None))
        )
