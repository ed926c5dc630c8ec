"""What a business has switched off, and what it may switch on."""

from enum import StrEnum

from msgspec import Struct


class Bundle(StrEnum):
    """What the business has booked with whoever runs the stack, who alone can change it."""

    BASIC = "basic"
    PREMIUM = "premium"
    """With text confirmations."""


class Barrier(StrEnum):
    """What in the settings keeps a message back, whoever it is for."""

    SWITCHED_OFF = "switched_off"
    """The channel."""
    CONFIRMATIONS_OFF = "confirmations_off"
    NO_BUNDLE = "no_bundle"
    """The bundle has no text confirmations."""
    NO_SENDER = "no_sender"
    """There is nothing set to send from."""


class Switches(Struct, frozen=True):
    """What goes out at all.

    A text confirmation is a text that asks the customer to confirm an appointment by answering it; every other text
    about an appointment is a reminder, for which ``text`` alone counts.
    """

    email: bool = True
    text: bool = True
    text_confirmations: bool = True
