"""What is kept of messages that failed, until the operator looks."""

from datetime import datetime

from msgspec import Struct


class FailedHandling(Struct, frozen=True):
    """Why a queue message could not be dealt with, by the last function that tried. No personal data.

    ``reason`` is a sentence of ours, or an error's type and the place where it was raised.
    """

    message_id: str
    reason: str
    first_tried_at: datetime
    failed_at: datetime
    receives: int
