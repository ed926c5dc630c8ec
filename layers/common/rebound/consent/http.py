"""The shape of a statement about consent."""

from typing import Self

from pydantic import Field

from rebound.consent.domain.consent import ConsentEvidence
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

    @classmethod
    def of(cls, statement: ConsentEvidence) -> Self:
        """The answer for a statement."""
        return cls(**{name: getattr(statement, name) for name in ConsentChangeAnswer.model_fields})
