"""The shape of a statement about consent."""

from pydantic import Field

from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.platform.http.shapes import Answer


class ConsentChangeAnswer(Answer):
    """A statement about consent."""

    scope: Scope
    opted_out: bool
    source: ConsentSource
    who: str | None
    words: str | None
    message_id: str | None = Field(description="The message that it answers, or follows from.")
