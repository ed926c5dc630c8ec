"""The shapes of messages, and of what is sent to one person or to many."""

from collections.abc import Mapping
from copy import replace
from types import MappingProxyType
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, Field, PrivateAttr, StringConstraints, ValidationError

from rebound.businesses.application.timing import Timing
from rebound.businesses.domain.business import Barrier
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.pages import Page
from rebound.kernel.provider_codes import Provider
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.messages.domain.origins import step_of
from rebound.messages.domain.variants import MAX_HOLDOUT, MAX_NAME, MOST, Variant, share_problems
from rebound.platform.http.problems import fields_of_content
from rebound.platform.http.shapes import Answer, Moment, Request, Time, WrittenTime
from rebound.templates import wiring
from rebound.templates.domain.content import (
    UNWRITTEN,
    EmailContent,
    MadeFrom,
    Said,
    TemplateContent,
    TextContent,
    written_content,
)
from rebound.templates.domain.variables import Declared
from rebound.templates.http.given_content import GivenContent, GivenEmail, TemplateId, content_of, email_in_place_of
from rebound.templates.http.given_layout import GivenLayout

SAYS: Final = ("content", "layout", "template_id")
ONE_OF: Final = f"Give one of {', '.join(SAYS)}."
_ROUNDING: Final = 1e-6
"""By how much a number with two decimals may be off in floating point."""


_NONE_DECLARED: Final[Declared] = MappingProxyType({})


class Timed(Request):
    """When something is to go out, and until when it is of use."""

    send_at: WrittenTime | None = Field(
        default=None,
        description="When to send, RFC 3339; now when it is absent. With local, without an offset: what each "
        "recipient's clock shows, such as 2026-12-01T09:00:00.",
        examples=["2026-12-01T09:00:00.000Z"],
    )
    local: bool = Field(
        default=False,
        description="Send at the recipient's local time: that of their profile's time_zone, else of the mobile number "
        "if it belongs to one time zone, else of the business. Where send_at is over already, as soon as it may be. "
        "A campaign's audience is fixed when the first clock on earth shows it, 14 hours before it is that time in "
        "UTC.",
    )
    expires_at: Moment | None = Field(
        default=None,
        description="RFC 3339. From then on it is not sent any more: who has not got it is left out as expired. Twilio "
        "is told as well, and does not deliver later what it could not within its time (provider:expired).",
    )

    def timing(self) -> Timing:
        """When it is to go out. Raises ``InvalidInputError``."""
        send_at = self.send_at
        if send_at is None:
            if self.local:
                raise InvalidInputError(FieldError("local", "Needs a send_at, as each recipient's clock shows it."))
            return Timing(expires_at=self.expires_at)
        if self.local and send_at.tzinfo is not None:
            message = "With local, must have no offset: what each recipient's clock shows, as 2026-12-01T09:00:00."
            raise InvalidInputError(FieldError("send_at", message))
        if self.local:
            return Timing(local_time=send_at.replace(microsecond=0), expires_at=self.expires_at)
        if send_at.tzinfo is None:
            message = "Must have an offset, as 2026-12-01T09:00:00Z; or set local, for each recipient's own clock."
            raise InvalidInputError(FieldError("send_at", message))
        return Timing(send_at, expires_at=self.expires_at)


class Says(Request):
    """What a message or campaign says: content as it is, or made from a layout or a template."""

    content: GivenContent | None = None
    layout: GivenLayout | None = Field(
        default=None,
        description="For email, in place of content: an email as blocks, with a subject. It is rendered when it is "
        "posted, and from then on is content like any.",
    )
    template_id: TemplateId | None = Field(
        default=None,
        description="In place of content: a template of the channel. What is made from it says what the template says "
        "in the language of each recipient, and stays as the template is now; a draft of a campaign takes what is "
        "published when it is announced.",
    )
    variables: dict[str, Any] | None = Field(
        default=None,
        description="With template_id: values of the variables that the template declares.",
        examples=[{"class_name": "Vinyasa", "starts": "17:30", "price": {"amount": "12.50", "currency": "EUR"}}],
    )

    email_content: GivenEmail | None = Field(
        default=None,
        description="Of a text with content: what goes by email where the text plan is used up. Without it, that is "
        "the text, under the name of the business.",
    )

    @property
    def more_variables(self) -> Declared:
        """The variables that what is said may have besides those of everybody."""
        return {}

    _layout_warnings: tuple[FieldError, ...] = PrivateAttr(default=())

    def warnings_about(self, said: Said | None, category: Category) -> tuple[FieldError, ...]:
        """What had better be mended in the layout, or in the content that has been accepted."""
        if self.content is None:
            return self._layout_warnings
        from rebound.templates.domain.sendable import about_size  # noqa: PLC0415 - only for who says something

        return tuple(about_size(said, category))

    def said(self, business_id: str, channel: Channel, category: Category, before: Said | None = None) -> Said:
        """What is said, where ``before`` is what was said until now and what is left out is as it was.

        Raises ``InvalidInputError``, and ``ValidationError`` with paths below ``content``.
        """
        said = self._said_as_meant(business_id, channel, category, before)
        if "email_content" in self.model_fields_set:
            return self._with_email(said)
        if isinstance(said, TextContent) and isinstance(before, TextContent):
            return replace(said, email_content=before.email_content)
        return said

    def _with_email(self, said: Said) -> Said:
        """What is said with the email that is given in place of the text, or with none for ``null``."""
        if self.email_content is None:
            return replace(said, email_content=None) if isinstance(said, TextContent) else said
        if not isinstance(said, TextContent):
            what = "A template has its own." if isinstance(said, TemplateContent) else "Is for texts alone."
            raise InvalidInputError(FieldError("email_content", what))
        return email_in_place_of(said, self.email_content)

    def _said_as_meant(self, business_id: str, channel: Channel, category: Category, before: Said | None) -> Said:
        given = [name for name in SAYS if getattr(self, name) is not None]
        if len(given) > 1:
            raise InvalidInputError(FieldError(given[1], ONE_OF))
        if not given:
            return self._with_other_variables(business_id, channel, category, before)
        if self.template_id is not None:
            return self._made(business_id, MadeFrom(self.template_id), channel, category)
        if self.variables is not None:
            raise InvalidInputError(FieldError("variables", "Are for what is made from a template: needs template_id."))
        if self.layout is None:
            return content_of(channel, self.content or {})
        if channel is not Channel.EMAIL:
            raise InvalidInputError(FieldError("layout", "Is for email only; a text has content."))
        render = wiring.use_cases().render_layout
        content, self._layout_warnings = render.as_content(
            business_id, self.layout, category, "layout", self.more_variables
        )
        return content

    def _with_other_variables(
        self, business_id: str, channel: Channel, category: Category, before: Said | None
    ) -> Said:
        """What was said before, if it is not taken away."""
        if before is None:
            raise InvalidInputError(FieldError("content", f"Is required. {ONE_OF}"))
        stands = "template_id" if isinstance(before, TemplateContent) else "content"
        if stands in self.model_fields_set:
            raise InvalidInputError(FieldError(stands, ONE_OF))
        if isinstance(before, TemplateContent):
            return self._made(business_id, before.made_from, channel, category)
        if self.variables is not None:
            raise InvalidInputError(FieldError("variables", "Are for what is made from a template."))
        return before

    def _made(self, business_id: str, made_from: MadeFrom, channel: Channel, category: Category) -> Said:
        given = made_from.variables if self.variables is None else self.variables
        made_from = MadeFrom(made_from.template_id, made_from.version, given)
        return wiring.use_cases().template_contents.made(business_id, made_from, channel, category)

    @property
    def says_something_else(self) -> bool:
        """Whether a change is about what is said; ``null`` in place of what says nothing is none."""
        return bool(self.model_fields_set.intersection(Says.model_fields))


def _is_whole_hundredths(percent: float) -> float:
    hundredths = round(percent * 100)
    # What is next to nothing would be nothing.
    if abs(percent * 100 - hundredths) > _ROUNDING or (percent != 0 and hundredths == 0):
        raise ValueError("Must have at most two decimals.")
    return percent


HUNDREDTHS: Final = AfterValidator(_is_whole_hundredths)
"""Of a percentage, behind its limits: before them they would not be documented."""


class VariantRequest(Says):
    """One of the things that a campaign says, and to how many of its recipients."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NAME)] = Field(
        description="Another for each. Who gets which variant depends on their names: of one that is renamed, others "
        "are drawn."
    )
    share: Annotated[float, Field(gt=0, lt=100), HUNDREDTHS] = Field(
        description="In percent of those who are not held out, with at most two decimals; together they are 100."
    )

    _more: Declared = PrivateAttr(default_factory=dict)

    @property
    def more_variables(self) -> Declared:
        """Those of the campaign that it is a variant of."""
        return self._more

    @property
    def says_anything(self) -> bool:
        """Whether it is said what the variant says."""
        return any(getattr(self, name) is not None for name in Says.model_fields)

    def made(
        self, business_id: str, channel: Channel, category: Category, more: Declared, where: str, *, silent: bool
    ) -> Variant:
        """The variant; one of which only the share is asked about may be ``silent``.

        Raises ``InvalidInputError`` with paths below ``where``.
        """
        self._more = more
        said: Said | None = None
        try:
            if self.says_anything or not silent:
                said = self.said(business_id, channel, category)
        except ValidationError as error:
            raise InvalidInputError(*fields_of_content(error, f"{where}.content")) from None
        except InvalidInputError as error:
            raise InvalidInputError(*(replace(each, field=f"{where}.{each.field}") for each in error.errors)) from None
        return Variant(self.name, round(self.share * 100), said)


Variants = Annotated[list[VariantRequest], Field(min_length=2, max_length=MOST)]


class Divides(Request):
    """How a campaign divides its recipients, to compare what it does for them."""

    variants: Variants | None = Field(
        default=None,
        description="In place of content: what is said to whom, each variant with its own content or template_id. A "
        "customer gets the same variant however often they are imported; who gets which is drawn anew for each "
        "campaign.",
    )
    holdout: Annotated[float, Field(ge=0, le=MAX_HOLDOUT), HUNDREDTHS] = Field(
        default=0,
        description="Percent of those to whom it would be sent who get nothing, to compare with. They are left out as "
        "holdout, after every other reason.",
    )

    def divided(
        self,
        business_id: str,
        channel: Channel,
        category: Category,
        more: Declared = _NONE_DECLARED,
        *,
        silent: bool = False,
    ) -> tuple[Variant, ...]:
        """The variants, none where everybody gets the same. Raises ``InvalidInputError``."""
        found: list[Variant] = []
        errors: list[FieldError] = []
        for number, given in enumerate(self.variants or ()):
            where = f"variants[{number}]"
            try:
                found.append(given.made(business_id, channel, category, more, where, silent=silent))
            except InvalidInputError as error:
                errors.extend(error.errors)
        errors.extend(share_problems([(each.name, round(each.share * 100)) for each in self.variants or ()]))
        if errors:
            raise InvalidInputError(*errors)
        return tuple(found)


class Sends(Timed, Says):
    """What campaigns and single messages have in common."""

    category: Annotated[Category, Field(strict=False)]
    channel: Annotated[Channel, Field(strict=False)]


class SaidAnswer(Answer):
    """What a message or campaign says, and from which template that is made."""

    content: GivenContent | None = Field(
        description="Null for what is made from a template, and for a draft of the console that says nothing yet."
    )
    email_content: GivenEmail | None = Field(
        description="Of a text: what goes by email where the text plan is used up, if it was given."
    )
    template_id: str | None
    template_version: int | None = Field(
        description="Null for a draft, which takes what is published when it is announced."
    )
    variables: dict[str, Any] | None = Field(description="As they were given for the template's variables.")


def said_in_answer(said: Said | None) -> dict[str, Any]:
    """The fields of ``SaidAnswer``."""
    made_from = said.made_from if isinstance(said, TemplateContent) else None
    is_written = said not in (None, *UNWRITTEN)
    content = written_content(said) if is_written and isinstance(said, EmailContent | TextContent) else None
    return {
        "email_content": content and content.pop("email_content", None),
        "content": content,
        "template_id": made_from and made_from.template_id,
        "template_version": made_from and made_from.version,
        "variables": made_from and dict(made_from.variables),
    }


class MessageAnswer(Answer):
    """One message and what became of it."""

    message_id: str
    customer_id: str
    external_id: str | None = Field(description="Null for who is deleted.")
    campaign_id: str | None
    sequence_id: str | None = Field(description="Of a message that a sequence sent.")
    step_id: str | None = Field(description="Of a message that a sequence sent: the step.")
    category: Category
    channel: Channel
    address: str | None
    status: MessageStatus
    reason: str | None = Field(
        description="Why it failed, or was not sent: a reason of the table of provider codes, such as "
        "bounce:mailbox_does_not_exist, or why somebody is left out (Exclusion). New ones may be added."
    )
    free_again_at: Time | None = Field(
        description="With the reason frequency_cap: when the customer may get such a message again, if nothing else is "
        "sent until then."
    )
    barrier: Barrier | None = Field(
        description="With the reason channel_off: which setting it was, the channel's switch (switched_off), that of "
        "text confirmations (confirmations_off), the bundle (no_bundle), the lack of a sender (no_sender), or a sender "
        "that is a name, which nobody can answer (no_answers, or no_stop_url where the text sells)."
    )
    provider: Provider | None
    provider_code: str | None
    queued_at: Time | None
    held_until: Time | None = Field(
        description="While it is queued: it is not handed over before, because of quiet hours or its send_at."
    )
    sent_at: Time | None
    final_at: Time | None
    appointment_id: str | None
    asks_confirmation: bool
    copy_of: str | None = Field(
        description="Of a copy for somebody else (cc of the customer): the message_id of the email that it copies."
    )
    variant: str | None = Field(description="Of a campaign with variants: which of them it is, by name.")
    relation_id: str | None = Field(
        description="Of an invitation to family and friends at another address than the customer's: the relation."
    )

    @classmethod
    def of(cls, message: Message, external_id: str | None) -> Self:
        """The answer for a message; the log does not know the customer's external id."""
        step = step_of(message.campaign_id)
        return cls.filled(
            message,
            campaign_id=None if step is not None else message.campaign_id,
            sequence_id=step and step.sequence_id,
            step_id=step and step.step_id,
            external_id=external_id,
            message_id=message.key.message_id,
            customer_id=message.key.customer_id,
            address=message.shown_address,
            status=message.shown_status,
            held_until=message.held_until if message.shown_status is MessageStatus.QUEUED else None,
        )


class MessagePage(Answer):
    """Part of a list of messages."""

    items: list[MessageAnswer]
    next_cursor: str | None

    @classmethod
    def of(cls, page: Page[Message], external_ids: Mapping[str, str | None]) -> Self:
        """The answer for a page, with the external ids of its customers."""
        items = [MessageAnswer.of(message, external_ids[message.key.customer_id]) for message in page.items]
        return cls(items=items, next_cursor=page.next_cursor)
