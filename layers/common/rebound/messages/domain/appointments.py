"""What has happened about an appointment: the messages about it, and what the customer answered.

The appointments themselves are the client's; here they are no more than the names that it gives them.
"""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from rebound.kernel.receipts import MessageKey


class MessagePosted(Struct, frozen=True):
    """A message about the appointment was posted."""

    at: datetime
    key: MessageKey
    asks_confirmation: bool

    @property
    def entry_id(self) -> str:
        """The same for the same message."""
        return self.key.message_id


class Answered(Struct, frozen=True):
    """The customer answered a text that asked for a confirmation; not ``confirmed`` when it is unclear what they mean.

    ``reply_id`` names the reply, where the words are.
    """

    at: datetime
    reply_id: str
    confirmed: bool

    @property
    def entry_id(self) -> str:
        """The same for the same reply."""
        return self.reply_id


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


class Asked(Struct, frozen=True):
    """A text that asked its recipient to confirm an appointment, and has not been confirmed."""

    at: datetime
    key: MessageKey
    appointment_id: str

    @property
    def entry_id(self) -> str:
        """The same for the same message."""
        return self.key.message_id
