"""What each provider's failure code means, kept as data in ``provider_codes.csv``.

Twilio advises against logic on codes because they get split and renamed, so a change of meaning is a change of one row.
A code that has no row is ``unknown``, and ``unknown`` is never evidence against an address.
"""

import csv
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

from msgspec import Struct


class Provider(StrEnum):
    """Who carried a message."""

    SES = "ses"
    SNS = "sns"
    TWILIO = "twilio"


class FailureClass(StrEnum):
    """Whose fault a failure is, which decides everything that follows from it."""

    INVALID = "invalid"
    """The address is bad: evidence that flags."""
    UNREACHABLE = "unreachable"
    """Out of reach this time: counts, and flags after N in a row."""
    PROVISIONAL = "provisional"
    """The provider did not try because of its own suppression list: proves nothing by itself."""
    OPTED_OUT = "opted_out"
    """The recipient said no at the provider: evidence of consent, never of reachability."""
    BLOCKED = "blocked"
    """Recipient or carrier blocks this sender: neither consent nor reachability."""
    TRANSIENT = "transient"
    """Nobody's fault; trying again may work."""
    SENDER_FAULT = "sender_fault"
    """Our account, registration or settings."""
    CONTENT = "content"
    """The message itself was refused."""
    UNKNOWN = "unknown"
    """A code without a row in the table."""

    @property
    def is_about_the_address(self) -> bool:
        """Whether the failure speaks of the address, so that the message counts as bounced rather than failed."""
        return self in (FailureClass.INVALID, FailureClass.UNREACHABLE)


class ProviderCode(Struct, frozen=True):
    """One row: a code of one provider, its class, a stable reason for machines and one plain sentence for people.

    ``recoverable`` says that the cause goes away by itself: a full mailbox, a phone that is off; never an address that
    does not exist.
    """

    provider: Provider
    code: str
    failure_class: FailureClass
    recoverable: bool
    reason: str
    source: str
    sentence: str


_YES_OR_NO: Final = {"yes": True, "no": False}


@cache
def _table() -> dict[tuple[Provider, str], ProviderCode]:
    text = Path(__file__).with_name("provider_codes.csv").read_text(encoding="utf-8")
    rows = (
        ProviderCode(
            Provider(row["provider"]),
            row["code"],
            FailureClass(row["class"]),
            _YES_OR_NO[row["recoverable"]],
            row["reason"],
            row["source"],
            row["sentence"],
        )
        for row in csv.DictReader(text.splitlines())
    )
    return {(row.provider, row.code): row for row in rows}


def all_codes() -> Iterator[ProviderCode]:
    """Every row of the table."""
    return iter(_table().values())


def look_up(provider: Provider, code: str | None) -> ProviderCode:
    """The row of a code; a code without one is of class ``unknown`` and keeps its own name in the reason."""
    found = _table().get((provider, code or ""))
    if found is not None:
        return found
    return ProviderCode(
        provider,
        code or "",
        FailureClass.UNKNOWN,
        False,  # noqa: FBT003 - a row, in the order of the table
        f"unknown:{code}" if code else "unknown",
        "no row in provider_codes.csv",
        "The provider gave a reason that is not known here.",
    )
