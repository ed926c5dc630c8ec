"""Which address does what: the twin's fixed public table, as pure functions."""

import re
from dataclasses import dataclass
from enum import StrEnum

SIMULATOR_DOMAIN = "simulator.amazonses.com"
TWIN_DOMAIN = "twin.example.com"


class EmailEventType(StrEnum):
    """SES event types the twin sends, as spelled in ``eventType``."""

    SEND = "Send"
    DELIVERY = "Delivery"
    BOUNCE = "Bounce"
    COMPLAINT = "Complaint"
    RENDERING_FAILURE = "Rendering Failure"


class BounceKind(StrEnum):
    """The bounces the twin knows, as ``type/subtype`` of the SES event."""

    NO_EMAIL = "Permanent/NoEmail"
    GENERAL = "Permanent/General"
    ON_ACCOUNT_SUPPRESSION_LIST = "Permanent/OnAccountSuppressionList"
    MAILBOX_FULL = "Transient/MailboxFull"
    TRANSIENT = "Transient/General"
    CONTENT_REJECTED = "Transient/ContentRejected"
    UNDETERMINED = "Undetermined/Undetermined"


@dataclass(frozen=True, slots=True)
class EmailOutcome:
    """One thing SES will say about one recipient; ``bounce`` is set for a Bounce only.

    ``not_tried`` marks the Complaint that SES tells in place of a send to an address whose owner complained before.
    """

    event_type: EmailEventType
    bounce: BounceKind | None = None
    not_tried: bool = False


DELIVERED = EmailOutcome(EmailEventType.DELIVERY)
COMPLAINED = EmailOutcome(EmailEventType.COMPLAINT)
COMPLAINED_BEFORE = EmailOutcome(EmailEventType.COMPLAINT, not_tried=True)


def bounced(kind: BounceKind) -> EmailOutcome:
    """The outcome of a bounce of that kind."""
    return EmailOutcome(EmailEventType.BOUNCE, kind)


@dataclass(frozen=True, slots=True)
class EmailPlan:
    """What one attempt to send to one address leads to.

    ``throttled``: it is not accepted. ``outcomes`` come in this order, each later than the one before. ``held`` has
    already happened when the next message is sent, but is told only after that message's own outcomes.
    """

    outcomes: tuple[EmailOutcome, ...] = ()
    held: tuple[EmailOutcome, ...] = ()
    throttled: bool = False


_SIMULATOR: dict[str, tuple[EmailOutcome, ...]] = {
    "bounce": (bounced(BounceKind.NO_EMAIL),),
    "complaint": (DELIVERED, COMPLAINED),
    "suppressionlist": (bounced(BounceKind.ON_ACCOUNT_SUPPRESSION_LIST),),
}
_TWIN: dict[str, tuple[EmailOutcome, ...]] = {
    "mailboxfull": (bounced(BounceKind.MAILBOX_FULL),),
    "transient": (bounced(BounceKind.TRANSIENT),),
    "contentrejected": (bounced(BounceKind.CONTENT_REJECTED),),
    "undetermined": (bounced(BounceKind.UNDETERMINED),),
    "latebounce": (DELIVERED, bounced(BounceKind.GENERAL)),
}
_WITH_MEMORY = frozenset({"recovers", "reordered", "throttled"})
SIMULATOR_NAMES = ("success", "ooto", *_SIMULATOR)
"""What may stand before the plus at SES's simulator."""
TWIN_NAMES = (*_TWIN, *sorted(_WITH_MEMORY))
"""The same at the twin's own domain."""


def _behaviour(address: str) -> tuple[str, str]:
    local, _, domain = address.strip().lower().rpartition("@")
    return local.partition("+")[0], domain


def remembers(address: str) -> bool:
    """Whether the outcome depends on what was sent to the address before."""
    name, domain = _behaviour(address)
    return domain == TWIN_DOMAIN and name in _WITH_MEMORY


def plan_email(address: str, *, attempts: int = 0, accepted: int = 0) -> EmailPlan:
    """What happens to a message to ``address`` after so many earlier attempts, of which so many were accepted."""
    name, domain = _behaviour(address)
    if domain == SIMULATOR_DOMAIN:
        return EmailPlan(_SIMULATOR.get(name, (DELIVERED,)))
    if domain != TWIN_DOMAIN:
        return EmailPlan((DELIVERED,))
    match name:
        case "throttled" if attempts == 0:
            return EmailPlan(throttled=True)
        case "recovers" if accepted == 0:
            return EmailPlan((bounced(BounceKind.MAILBOX_FULL),))
        case "reordered" if accepted == 0:
            return EmailPlan(held=(bounced(BounceKind.GENERAL),))
        case _:
            return EmailPlan(_TWIN.get(name, (DELIVERED,)))


class TextStatus(StrEnum):
    """Twilio message statuses the twin calls back with."""

    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"


@dataclass(frozen=True, slots=True)
class TextPlan:
    """What one attempt to text one number leads to.

    ``refused_with``: the create call fails with this Twilio code. ``error_code`` goes with ``undelivered``.
    ``crashes``: the call answers 500 although the message went out.
    """

    statuses: tuple[TextStatus, ...] = ()
    refused_with: int | None = None
    error_code: int | None = None
    crashes: bool = False


REFUSED_NUMBERS = {
    "+15005550001": 21211,
    "+15005550009": 21614,
    "+15005550004": 21610,
    "+15005550002": 21612,
    "+15005550003": 21408,
}
CRASHING_NUMBER = "+15552050001"
# Twilio's codes have five digits and no leading zero: +1555 0xxxx xx is an ordinary number.
_CODE_NUMBER = re.compile(r"\+1555([1-9]\d{4})\d\d")


def plan_text(number: str) -> TextPlan:
    """What happens to a text to an E.164 number."""
    if number in REFUSED_NUMBERS:
        return TextPlan(refused_with=REFUSED_NUMBERS[number])
    if number == CRASHING_NUMBER:
        return TextPlan((TextStatus.SENT, TextStatus.DELIVERED), crashes=True)
    if code := _CODE_NUMBER.fullmatch(number):
        return TextPlan((TextStatus.UNDELIVERED,), error_code=int(code[1]))
    if number.endswith("7"):
        return TextPlan((TextStatus.DELIVERED, TextStatus.SENT))
    return TextPlan((TextStatus.SENT, TextStatus.DELIVERED) * (2 if number.endswith("8") else 1))


SNS_ACCEPTED = "Message has been accepted by phone carrier"
_SNS_RESPONSES = {
    21211: "Invalid phone number",
    21614: "Invalid phone number",
    21635: "Invalid phone number",
    30005: "Invalid phone number",
    30003: "Phone is currently unreachable/unavailable",
    30006: "Phone is currently unreachable/unavailable",
    21610: "Phone number is opted out",
    21608: "Sandboxed account unable to send to number.",
    30007: "Blocked as spam by phone carrier",
}


def sns_provider_response(plan: TextPlan) -> str:
    """The nearest ``providerResponse`` of SNS, which accepts every number and tells the failure later."""
    code = plan.refused_with or plan.error_code
    return SNS_ACCEPTED if code is None else _SNS_RESPONSES.get(code, "Unknown error attempting to reach phone")
