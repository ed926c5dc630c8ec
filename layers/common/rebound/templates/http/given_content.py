"""The content of a message in a request: JSON that is read by the channel, and what the document says of it."""

from collections.abc import Mapping
from copy import replace
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from rebound.kernel.channels import Channel
from rebound.kernel.errors import InvalidInputError
from rebound.platform.http.problems import fields_of_content
from rebound.platform.http.shapes import DocumentedAs, Request, text_of
from rebound.templates.application import written_parts
from rebound.templates.domain.content import MAX_TEXT_CHARACTERS, Content, EmailContent, TextContent
from rebound.templates.domain.template import TEMPLATE_ID

TemplateId = Annotated[str, text_of(pattern=f"^{TEMPLATE_ID.pattern}$")]
"""The name of a template, which is looked up."""
EmailPart = Annotated[
    str, AfterValidator(written_parts.part), text_of(minLength=1, maxLength=written_parts.MAX_PART_BYTES)
]


class EmailContentRequest(Request):
    """An email; ``##{{first_name}}`` and the like are filled in for each recipient."""

    subject: Annotated[
        str,
        AfterValidator(written_parts.subject),
        text_of(minLength=1, maxLength=written_parts.MAX_GIVEN_SUBJECT),
    ]
    html: EmailPart | None = None
    text: EmailPart | None = None

    @model_validator(mode="after")
    def _has_a_body(self) -> Self:
        if self.html is None and self.text is None:
            raise ValueError(written_parts.NO_BODY)
        return self


class TextContentRequest(Request):
    """A text message; ``##{{first_name}}`` and the like are filled in for each recipient."""

    body: Annotated[str, AfterValidator(written_parts.body), text_of(minLength=1, maxLength=MAX_TEXT_CHARACTERS)]


GivenContent = Annotated[
    dict[str, Any],
    DocumentedAs(lambda: EmailContentRequest | TextContentRequest),
    Field(
        description="For email: subject and html or text (or both). For sms: body.",
        examples=[{"subject": "Hello ##{{first_name}}", "text": "See you soon."}, {"body": "See you soon."}],
    ),
]
"""Content that ``content_of`` reads, by the channel."""
GivenEmail = Annotated[
    dict[str, Any],
    DocumentedAs(lambda: EmailContentRequest),
    Field(examples=[{"subject": "Hello ##{{first_name}}", "text": "See you soon."}]),
]
"""An email in place of a text, that ``email_in_place_of`` reads."""


def content_of(channel: Channel, given: Mapping[str, Any]) -> Content:
    """The content for a channel. Raises pydantic's ``ValidationError``, with paths below ``content``."""
    if channel is Channel.EMAIL:
        email = EmailContentRequest.model_validate(given)
        return EmailContent(email.subject, email.html, email.text)
    return TextContent(TextContentRequest.model_validate(given).body)


def email_in_place_of(text: TextContent, given: Mapping[str, Any], path: str = "email_content") -> TextContent:
    """A text with the email that goes to whom it cannot go as a text. Raises ``InvalidInputError``."""
    try:
        email = EmailContentRequest.model_validate(given)
    except ValidationError as error:
        raise InvalidInputError(*fields_of_content(error, path)) from None
    return replace(text, email_content=EmailContent(email.subject, email.html, email.text))
