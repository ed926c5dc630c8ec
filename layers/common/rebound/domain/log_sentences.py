"""What stands in the logs that people read, in a sentence or two for the reception desk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from rebound.domain.campaigns import Category
from rebound.domain.channels import Channel
from rebound.domain.explanation import attempt_sentence
from rebound.domain.messages import MessageStatus

if TYPE_CHECKING:
    from rebound.domain.appointments import Answered
    from rebound.domain.messages import Message

_KINDS: Final[Mapping[Category, str]] = {
    Category.REMINDER: "reminder",
    Category.TRANSACTIONAL: "transactional",
    Category.MARKETING: "marketing",
    Category.DAILY_DEAL: "daily deal",
    Category.LOYALTY: "loyalty",
    Category.ONE_TO_ONE: "personal",
}


def sentence_of_message(message: Message) -> str:
    """What was sent where, and what became of it."""
    what = f"{_kind(message)} to {message.address}" if message.address else _kind(message)
    match message.status:
        case MessageStatus.DELIVERED:
            return f"Sent {what}, and it was delivered."
        case MessageStatus.SENT:
            return f"Sent {what}; there is no word yet of whether it arrived."
        case MessageStatus.EXCLUDED | MessageStatus.CANCELLED:
            return f"Did not send {what}. {attempt_sentence(message)}"
        case MessageStatus.FAILED | MessageStatus.BOUNCED:
            return f"Could not deliver {what}. {attempt_sentence(message)}"
        case MessageStatus.QUEUED | MessageStatus.SENDING:
            return f"About to send {what}."
        case MessageStatus.UNCERTAIN:
            return f"Tried to send {what}. {attempt_sentence(message)}"


def sentence_of_answer(answer: Answered) -> str:
    """What the customer said about the appointment."""
    if answer.confirmed:
        return "Confirmed via text."
    return "Answered by text, and it is not clear what is meant: somebody should read it."


def _kind(message: Message) -> str:
    if message.asks_confirmation:
        return "text confirmation"
    return f"{_KINDS[message.category]} {'email' if message.channel is Channel.EMAIL else 'text'}"
