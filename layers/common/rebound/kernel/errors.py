"""Errors in the domain's own terms; the API and the handlers turn them into answers."""

from collections.abc import Iterable
from typing import Any, Literal, Self

from msgspec import Struct

from rebound.kernel.nearest import nearest

type Conflict = Literal[
    "external_id_taken",
    "profile_locked",
    "no_channel_left",
    "relation_exists",
    "too_many_relations",
    "business_id_taken",
    "no_address",
    "not_enough_points",
    "index_not_filled",
    "last_owner",
    "too_many_staff",
    "too_many_invitations",
    "account_held",
    "channel_off",
    "voucher_used",
    "voucher_taken_back",
    "voucher_not_yet_valid",
    "voucher_expired",
    "no_winner_awaited",
    "winner_chosen",
    "campaign_ended",
    "campaign_not_started",
    "campaign_begun",
    "campaign_is_draft",
    "loyalty_week_taken",
    "not_ranked_yet",
    "test_recipient_unconfirmed",
    "job_ended",
    "message_in_hand",
    "message_not_waiting",
    "opted_out",
    "only_customer_opts_in",
    "confirmed_already",
    "no_answers",
    "reply_not_waiting",
    "reply_forgotten",
    "reply_resolved",
    "sequence_off",
    "sequence_being_deleted",
    "too_many_sequences",
    "waiver_version_known",
    "too_many_waivers",
    "segment_in_use",
    "too_many_webhooks",
    "webhook_dead",
    "key_ended",
    "idempotency_key_reused",
    "idempotency_in_progress",
    "secret_shown_before",
]
"""What the present state may not allow; each has its row in ``kernel.problem_codes``."""


class ReboundError(Exception):
    """Base of every error that Rebound raises on purpose."""


class FieldError(Struct, frozen=True):
    """One thing that is wrong with one input field.

    ``field`` is the path a client would write (``content.subject``); ``message`` says what is wrong and what is
    allowed, and never repeats the value, which may be personal data. ``did_you_mean`` is the name that was probably
    meant where the field's is none of ours.
    """

    field: str
    message: str
    did_you_mean: str | None = None

    @classmethod
    def unknown(cls, field: str, what: str, name: str, known: Iterable[str]) -> Self:
        """The error for a ``name`` that there is not: ``what`` says so, and the nearest of the ``known`` is added."""
        meant = nearest(name, known)
        hint = "" if meant is None else f" Did you mean {meant}?"
        return cls(field, f"{what}{hint}", meant)


class InvalidInputError(ReboundError):
    """Input that can be read but is not acceptable. Nothing has been changed when this is raised."""

    def __init__(self, *errors: FieldError) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = errors


class NotFoundError(ReboundError):
    """The thing does not exist for this business. What belongs to another business does not exist either.

    ``kind`` is what it is called in English, such as ``customer``.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(f"No such {kind}.")
        self.kind = kind


class ConflictError(ReboundError):
    """The request is valid, but the present state does not allow it.

    ``code`` says which rule it is, for programs; ``members`` are those that its row names, in JSON's types.
    """

    def __init__(self, code: Conflict, message: str, **members: Any) -> None:
        super().__init__(message)
        self.code = code
        self.members = members


class ChangedMeanwhileError(ReboundError):
    """The request is valid, and rests on a state of the thing that is not the present one."""


class TooSoonError(ReboundError):
    """The request is valid, but was granted so recently that it is not granted again before ``wait_seconds``."""

    def __init__(self, message: str, wait_seconds: int) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds


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
