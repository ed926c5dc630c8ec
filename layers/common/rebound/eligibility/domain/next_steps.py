"""The one thing to do when a customer does not get a message, in a sentence for the reception desk."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from rebound.consent.domain.taking_back import number_to_text
from rebound.eligibility.domain.cases import Case
from rebound.eligibility.domain.eligibility import Decision, Exclusion, Hold, Send
from rebound.eligibility.domain.exclusion_words import WORDS, address_noun, mend_the_address, plural_noun, written
from rebound.kernel.channels import Channel
from rebound.kernel.provider_codes import FailureClass, ProviderCode, look_up
from rebound.messages.domain.messages import Message, MessageStatus

_FOUND_AT_THE_SEND: Final = (Exclusion.CANNOT_RENDER, Exclusion.TEXT_PLAN_EXHAUSTED)
"""What no decision on the data foresees, and the next message may meet as well."""


def next_step(case: Case, decision: Decision, attempts: Sequence[Message]) -> str:
    """What to do now. ``attempts`` are the channel's latest messages, newest first."""
    if isinstance(decision, Send):
        return _although_sent(case, attempts)
    if isinstance(decision, Hold):
        return f"Nothing to do: it is sent by itself from {written(decision.until, case)} on."
    return WORDS[decision].step(case)


def step_after_failure(row: ProviderCode, case: Case) -> str:
    """What to do about a message that failed with a code, when nothing keeps the next one back."""
    return _AFTER_FAILURE[row.failure_class](case, row)


# --- sent, and yet --------------------------------------------------------------------------------------------------


def _although_sent(case: Case, attempts: Sequence[Message]) -> str:
    """The next message goes out; what to do depends on the flag, and then on the latest message to this address."""
    contact, policy = case.contact, case.business.policy
    if contact is not None and contact.verdict(policy).invalid:
        return mend_the_address(case)
    key = case.customer.contact_key(case.mailing.channel)
    latest = next((message for message in attempts if key is not None and message.contact == key), None)
    if latest is None:
        return f"Nothing to do: the next of these {plural_noun(case)} is sent."
    if latest.status not in (MessageStatus.FAILED, MessageStatus.BOUNCED):
        return _AFTER_STATUS[latest.status](case, latest)
    if latest.provider is None:
        return _try_again(case)
    row = look_up(latest.provider, latest.provider_code)
    failures = contact.reachability.counted_failures if contact is not None else frozenset()
    if row.failure_class.is_about_the_address and latest.key.message_id not in {f.message_id for f in failures}:
        return (
            f"Nothing to do: the {address_noun(case)} has been corrected, confirmed or reached since the last failure."
        )
    return step_after_failure(row, case)


def _look_elsewhere(case: Case, _: Message) -> str:
    where = "spam folder" if case.mailing.channel is Channel.EMAIL else "list of blocked or unknown senders"
    return f"Nothing to do: the last one was delivered; a customer who does not find it may look in the {where}."


def _wait(case: Case, _: Message) -> str:
    return f"Nothing to do yet: the last of these {plural_noun(case)} is under way, and word of it will come."


def _after_left_out(case: Case, message: Message) -> str:
    for reason in _FOUND_AT_THE_SEND:
        if message.reason == reason:
            return WORDS[reason].step(case)
    return "Nothing to do: what kept the last one back is over, and the next one is sent."


_AFTER_STATUS: Final[Mapping[MessageStatus, Callable[[Case, Message], str]]] = {
    MessageStatus.QUEUED: _wait,
    MessageStatus.SENDING: _wait,
    MessageStatus.SENT: _wait,
    MessageStatus.UNCERTAIN: lambda *_: (
        "Ask the customer whether the last one arrived: nobody knows yet whether it went out, and it is not sent twice."
    ),
    MessageStatus.DELIVERED: _look_elsewhere,
    MessageStatus.EXCLUDED: _after_left_out,
    MessageStatus.CANCELLED: lambda *_: (
        "Nothing to do: the last one was cancelled with its campaign; the next is sent."
    ),
}


def _try_again(case: Case) -> str:
    return f"Nothing to do: it was nobody's fault, and the next of these {plural_noun(case)} is tried as usual."


def _after_unreachable(case: Case, row: ProviderCode) -> str:
    otherwise = f"Nothing to do: the {address_noun(case)} was out of reach, and the next message is tried as usual."
    return _so_many(case, row) or otherwise


def _after_invalid(case: Case, row: ProviderCode) -> str:
    otherwise = f"Ask the customer whether the {address_noun(case)} is right, and correct it here if it is not."
    return _so_many(case, row) or otherwise


def _so_many(case: Case, row: ProviderCode) -> str | None:
    """How many of the failures that flag the address have happened; ``None`` when such failures do not count."""
    policy = case.business.policy
    threshold = policy.threshold_of(row.provider, row.code)
    rows = (
        [look_up(f.provider, f.code) for f in case.contact.reachability.counted_failures]
        if case.contact is not None
        else []
    )
    count = sum(
        known.failure_class is row.failure_class and policy.threshold_of(known.provider, known.code) is not None
        for known in rows
    )
    if threshold is None or count == 0:
        return None
    return (
        f"Nothing to do yet: that makes {count} of the {threshold} failures in a row that flag the "
        f"{address_noun(case)}, and a delivery sets the count back."
    )


def _after_suppressed(case: Case, _: ProviderCode) -> str:
    return (
        f"Ask the customer whether the {address_noun(case)} is right, and confirm or correct it here: nothing is known "
        "against it but that the provider did not try."
    )


def _after_refusal(case: Case, _: ProviderCode) -> str:
    if case.mailing.channel is Channel.SMS:
        return f"Only the customer can undo this: they text START to {number_to_text(case.business.text_from)}."
    return "Leave it as it is: the customer does not want these messages, and only they can take that back."


def _after_block(case: Case, _: ProviderCode) -> str:
    return (
        f"Ask the customer to allow {plural_noun(case)} from you on their side; nothing is known against the "
        f"{address_noun(case)}."
    )


def _mend_the_account(case: Case, _: ProviderCode) -> str:
    return (
        "Tell whoever looks after your messaging: the sending account needs attention, the customer's "
        f"{address_noun(case)} does not."
    )


def _change_the_message(case: Case, _: ProviderCode) -> str:
    return f"Change the message and send it again: its content was refused, not the {address_noun(case)}."


def _report_the_code(_: Case, row: ProviderCode) -> str:
    return f"Tell whoever looks after your messaging that the provider's reason is not known here: {row.reason}."


_AFTER_FAILURE: Final[Mapping[FailureClass, Callable[[Case, ProviderCode], str]]] = {
    FailureClass.INVALID: _after_invalid,
    FailureClass.UNREACHABLE: _after_unreachable,
    FailureClass.PROVISIONAL: _after_suppressed,
    FailureClass.OPTED_OUT: _after_refusal,
    FailureClass.BLOCKED: _after_block,
    FailureClass.TRANSIENT: lambda case, _: _try_again(case),
    FailureClass.SENDER_FAULT: _mend_the_account,
    FailureClass.CONTENT: _change_the_message,
    FailureClass.UNKNOWN: _report_the_code,
}
