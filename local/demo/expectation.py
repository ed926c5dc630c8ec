"""What must become of an address, worked out from the address alone.

It restates the provider twin's public table and the default policy in a second, independent way, so that the demo can
hold the flags that it finds against it. None of Rebound's own code is used: that would be the pupil marking the exam.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from local.demo.sample import SampleCustomer

DELIVERED: Final = "Delivery"
COMPLAINT: Final = "Complaint"

INVALID: Final = frozenset(
    {"Permanent/NoEmail", "Permanent/General", "Transient/MailboxFull", "21211", "21614", "21635", "30005"}
)
"""One of these says that the address is bad, and flags it at once."""

UNREACHABLE: Final = frozenset({"Transient/General", "Transient/CustomTimeoutExceeded", "30003", "30006"})
"""One of these is a bad day; so many in a row, with no delivery between them, flag."""

UNREACHABLE_LIMIT: Final = 5

_SIMULATOR: Final = "simulator.amazonses.com"
_TWIN: Final = "twin.example.com"
_STEADY_MAILBOXES: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("success", _SIMULATOR): (DELIVERED,),
    ("bounce", _SIMULATOR): ("Permanent/NoEmail",),
    ("complaint", _SIMULATOR): (DELIVERED, COMPLAINT),
    ("suppressionlist", _SIMULATOR): ("Permanent/OnAccountSuppressionList",),
    ("ooto", _SIMULATOR): (DELIVERED,),
    ("mailboxfull", _TWIN): ("Transient/MailboxFull",),
    ("transient", _TWIN): ("Transient/General",),
    ("contentrejected", _TWIN): ("Transient/ContentRejected",),
    ("undetermined", _TWIN): ("Undetermined/Undetermined",),
    ("latebounce", _TWIN): (DELIVERED, "Permanent/General"),
    ("throttled", _TWIN): (DELIVERED,),
}
_MAGIC_NUMBERS: Final[dict[str, str]] = {
    "+15005550001": "21211",
    "+15005550009": "21614",
    "+15005550004": "21610",
    "+15005550002": "21612",
    "+15005550003": "21408",
}
_UNSURE_NUMBER: Final = "+15552050001"
_CODED_NUMBER: Final = re.compile(r"\+1555([1-9]\d{4})\d\d")


def email_events(address: str, message: int = 1) -> tuple[str, ...]:
    """What the provider reports, in the order of its own timestamps, about the n-th message to a mailbox.

    Empty where nothing is reported before the next message is sent.
    """
    local, _, domain = address.lower().rpartition("@")
    kind = local.partition("+")[0]
    if domain == _TWIN and kind == "recovers":
        return ("Transient/MailboxFull",) if message == 1 else (DELIVERED,)
    if domain == _TWIN and kind == "reordered":
        # The first message's bounce is older than the second one's delivery although it arrives after it.
        return () if message == 1 else (DELIVERED,)
    return _STEADY_MAILBOXES.get((kind, domain), (DELIVERED,))


def text_events(number: str) -> tuple[str, ...]:
    """The same for a text to a number in E.164 form."""
    if number in _MAGIC_NUMBERS:
        return (_MAGIC_NUMBERS[number],)
    coded = _CODED_NUMBER.fullmatch(number)
    if coded and number != _UNSURE_NUMBER:
        return (coded[1],)
    return (DELIVERED,)


def is_flagged(events: Iterable[str]) -> bool:
    """Whether an address is flagged after these events, oldest first, under the default policy."""
    flagged = False
    unreachable = 0
    for event in events:
        if event == DELIVERED:
            flagged, unreachable = False, 0
        elif event in UNREACHABLE:
            unreachable += 1
            flagged = flagged or unreachable >= UNREACHABLE_LIMIT
        elif event in INVALID:
            flagged = True
    return flagged


@dataclass(frozen=True, order=True)
class Flag:
    """One customer whose mailbox (``email``) or mobile number (``sms``) is flagged."""

    external_id: str
    channel: str


def expected_flags(customers: Iterable[SampleCustomer], *, texted_tag: str) -> frozenset[Flag]:
    """Who must be flagged after one email to everybody and one text to the customers with a tag.

    A flag belongs to the address: whoever shares it with somebody who was written to is flagged along with them.
    """
    people = list(customers)
    bad_mailboxes = {who.email for who in people if who.email and is_flagged(email_events(who.email))}
    texted = {who.mobile_phone for who in people if who.mobile_phone and texted_tag in who.tags}
    bad_numbers = {number for number in texted if is_flagged(text_events(number))}
    return frozenset(
        {Flag(who.external_id, "email") for who in people if who.email in bad_mailboxes}
        | {Flag(who.external_id, "sms") for who in people if who.mobile_phone in bad_numbers}
    )


def silent_mailboxes(customers: Iterable[SampleCustomer]) -> int:
    """How many customers' first email gets no word back until they are sent a second one."""
    return sum(1 for who in customers if who.email and not email_events(who.email))
