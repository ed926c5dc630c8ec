"""How a business answers, and is answered, by text."""

from enum import StrEnum

from msgspec import Struct


class AnsweredBy(StrEnum):
    """Who answers STOP, START and HELP where the provider does not say that it has."""

    REBOUND = "rebound"
    TWILIO = "twilio"
    """Twilio by itself, as it does for numbers without Advanced Opt-Out unless it was asked not to."""


class TextAnswers(Struct, frozen=True):
    """``language`` (ISO 639-1) is that of customers who have none of their own, also behind links and below emails.

    ``confirmation_words`` are those that confirm an appointment.
    """

    keywords: AnsweredBy = AnsweredBy.REBOUND
    language: str = "en"
    confirmation_words: tuple[str, ...] = ("C", "CONFIRM", "YES")
