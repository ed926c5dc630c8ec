"""Errors in the domain's own terms; the API and the handlers turn them into answers."""

from msgspec import Struct


class ReboundError(Exception):
    """Base of every error that Rebound raises on purpose."""


class FieldError(Struct, frozen=True):
    """One thing that is wrong with one input field.

    ``field`` is the path a client would write (``content.subject``); ``message`` says what is wrong and what is
    allowed, and never repeats the value, which may be personal data.
    """

    field: str
    message: str


class InvalidInputError(ReboundError):
    """Input that can be read but is not acceptable. Nothing has been changed when this is raised."""

    def __init__(self, *errors: FieldError) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = errors


class NotFoundError(ReboundError):
    """The thing does not exist for this business. What belongs to another business does not exist either."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"No such {kind}.")
        self.kind = kind


class ConflictError(ReboundError):
    """The request is valid, but the present state does not allow it."""


class TooSoonError(ReboundError):
    """The request is valid, but was granted so recently that it is not granted again yet."""


class ConcurrentChangeError(ReboundError):
    """Somebody else wrote the row between our read and our write; read again and decide again."""


class ComeAgainError(ReboundError):
    """An external service asks us to try again later, or cannot be reached at this moment."""


class NotAnsweredError(ReboundError):
    """An external service refuses the request, and will go on refusing it until somebody fixes the cause."""


class NotOfferedError(NotAnsweredError):
    """An external service does not offer this to our account yet; nothing is wrong, and nobody needs to mend it."""


class NotYetKnownError(ReboundError):
    """A receipt came before our own record of the send (truth 10): keep it and try again later."""


class MalformedReceiptError(ReboundError):
    """A provider's payload that cannot be read. A retry does not help: the payload belongs in the dead-letter queue.

    The message names what is missing and never repeats a value, because values are personal data.
    """
