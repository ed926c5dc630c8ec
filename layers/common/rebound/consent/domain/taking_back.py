"""Who may take an opt-out back, and how: the rules of the fold in ``consent``, as sentences for staff."""

from enum import StrEnum
from typing import Final

from rebound.consent.domain.consent import Consent, ConsentEvidence, Weight
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import COVERED_BY, ConsentSource, Scope
from rebound.kernel.text_senders import SenderKind, kind_of


class TakenBackBy(StrEnum):
    """Whose word ends an opt-out."""

    REVIEW = "review"
    """Staff, who read what the customer wrote."""
    STAFF = "staff"
    STAFF_WITH_WORDS = "staff_with_words"
    """Staff, who give the words in which the customer asked for it."""
    CUSTOMER = "customer"


_BY_WEIGHT: Final = {
    Weight.HELD: TakenBackBy.REVIEW,
    Weight.REPORTED: TakenBackBy.STAFF,
    Weight.QUOTED: TakenBackBy.STAFF_WITH_WORDS,
    Weight.FIRST_HAND: TakenBackBy.CUSTOMER,
}


def taken_back_by(opt_out: ConsentEvidence) -> TakenBackBy:
    """Whose word ends this opt-out."""
    return _BY_WEIGHT[opt_out.weight]


def how_to_take_back(opt_out: ConsentEvidence, channel: Channel, text_from: str | None) -> str:
    """A sentence that says what to do when the customer wants these messages again."""
    match taken_back_by(opt_out):
        case TakenBackBy.CUSTOMER if channel is Channel.SMS:
            return f"Only the customer can undo this: they text START to {number_to_text(text_from)}."
        case TakenBackBy.CUSTOMER:
            what = (
                "marked a message as spam"
                if opt_out.source is ConsentSource.COMPLAINT
                else "told the provider to stop these messages"
            )
            return f"Only the customer can undo this: they {what}, and can take that back on their preference page."
        case TakenBackBy.STAFF_WITH_WORDS:
            return (
                "The customer unsubscribed with a click: they can undo it on their preference page, or tell you, and "
                "you resubscribe them with their words."
            )
        case TakenBackBy.REVIEW:
            return (
                "They wrote something that reads as if they wanted no more texts: read it (GET /v1/replies/review) and "
                "decide."
            )
        case TakenBackBy.STAFF:
            return "Leave it as it is until the customer asks for these messages again, then resubscribe them."


def number_to_text(text_from: str | None) -> str:
    """Where a customer texts START to: ``text_from`` if it is a number, else words that describe the number."""
    kind = None if text_from is None else kind_of(text_from)
    if text_from is not None and kind in (SenderKind.NUMBER, SenderKind.SHORT_CODE):
        return text_from
    return "the number that they texted" if kind is SenderKind.NAME else "the number that your texts come from"


def only_the_customer_ends(consent: Consent, scope: Scope) -> ConsentEvidence | None:
    """The opt-out that keeps messages of ``scope`` back and that only the customer can end, or ``None``."""
    for wider in COVERED_BY[scope]:
        opt_out = consent.of(wider).opt_out
        if opt_out is not None and taken_back_by(opt_out) is TakenBackBy.CUSTOMER:
            return opt_out
    return None
