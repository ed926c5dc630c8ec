"""What has happened about an appointment: the messages about it, and what the customer answered.

The client keeps the appointments themselves; Rebound only knows the names that the client gives them.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from msgspec import Struct

from rebound.kernel.ids import time_of
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.messages import Message


class MessagePosted(Struct, frozen=True):
    """A message about the appointment was posted."""

    at: datetime
    key: MessageKey
    asks_confirmation: bool

    @property
    def entry_id(self) -> str:
        """The id of the entry, the same whenever the message is recorded."""
        return self.key.message_id


BY_LINK: Final = "link"
"""Prefix of the id of what is no reply with words, but a press of the button behind a link: the message's id follows.

No provider's id begins so.
"""


class Answered(Struct, frozen=True):
    """The customer answered a text that asked for a confirmation, or confirmed behind the link of the email instead.

    ``confirmed`` is false when the meaning is unclear. ``reply_id`` names the reply, which has the customer's words, or
    the message with the link (``BY_LINK``).
    """

    at: datetime
    reply_id: str
    confirmed: bool

    @property
    def entry_id(self) -> str:
        """The id of the entry, the same whenever the reply is recorded."""
        return self.reply_id

    @property
    def is_by_link(self) -> bool:
        """Whether the customer pressed the button behind a link, and wrote nothing."""
        return self.reply_id.startswith(BY_LINK)


AppointmentEntry = MessagePosted | Answered


def confirmed_at(newest_first: Iterable[AppointmentEntry]) -> datetime | None:
    """When the appointment was confirmed; ``None`` when it was not, or when the customer has been asked again since."""
    for entry in newest_first:
        match entry:
            case Answered(at, _, confirmed=True):
                return at
            case MessagePosted(asks_confirmation=True):
                return None
            case _:
                continue
    return None


class AppointmentTime(Struct, frozen=True):
    """When an appointment begins, as a client has said last. ``version`` counts how often it was said."""

    starts_at: datetime
    version: int


class Asked(Struct, frozen=True):
    """A text that asked its recipient to confirm an appointment, which has not been confirmed yet."""

    at: datetime
    key: MessageKey
    appointment_id: str

    @property
    def entry_id(self) -> str:
        """The id of the entry, the same whenever the message is recorded."""
        return self.key.message_id


def question_of(message: Message) -> Asked | None:
    """The question that a message asks; ``None`` when it asks none."""
    if not message.asks_confirmation or message.appointment_id is None:
        return None
    return Asked(time_of(message.key.message_id), message.key, message.appointment_id)
