"""The providers, one row each, and the meaning of their failure codes, kept as data in ``provider_codes.csv``.

Twilio advises against logic on codes because they get split and renamed, so a change of meaning is a change of one row.
A code that has no row is ``unknown``, and ``unknown`` is never evidence against an address.
"""

from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final, Self

from msgspec import Struct

from rebound.kernel.text_senders import SenderKind, kind_of


class ProviderTraits(Struct, frozen=True, kw_only=True):
    """What the rest of the code needs to know about a provider.

    ``too_fast`` is the code for sending faster than its rate. With ``returns_key`` its receipts carry what we attached
    to the message; without, the message is found by the provider's id. ``dates_receipts``: receipts carry their time.

    The other traits are about providers that carry texts. ``rate`` is the texts a second that are accepted at least:
    from each sender with ``rates_senders``, else from the whole account. ``north_american_rate`` is the rate of numbers
    of the United States and Canada where it differs, ``short_code_rate`` that of short codes. ``rates`` says all in
    words. With ``needs_sender`` nothing is sent without a ``text_from``. ``takes_answers``: what people text back comes
    to us. ``names`` are the names that it sends from, of those of ``text_senders``; ``names_are`` says so in words.
    """

    label: str
    too_fast: str
    returns_key: bool = True
    dates_receipts: bool = True
    carries_texts: bool = True
    rates: str = ""
    rate: float = 0.0
    north_american_rate: float | None = None
    short_code_rate: float | None = None
    rates_senders: bool = True
    needs_sender: bool = True
    takes_answers: bool = True
    names: str = ".+"
    names_are: str = ""

    def rate_of(self, sender: str | None) -> float:
        """The rate that a sender has at least, in texts a second."""
        if sender is not None and kind_of(sender) is SenderKind.SHORT_CODE:
            return self.short_code_rate or self.rate
        north_american = self.north_american_rate if (sender or "").startswith("+1") else None
        return north_american or self.rate


class Provider(StrEnum):
    """Who carried a message."""

    traits: ProviderTraits

    def __new__(cls, name: str, *traits: ProviderTraits) -> Self:
        """One row: the name in the API and in stored rows, and the traits. A row without traits fails at import."""
        provider = str.__new__(cls, name)
        provider._value_ = name
        [provider.traits] = traits
        return provider

    SES = "ses", ProviderTraits(label="SES", too_fast="ACCOUNT_THROTTLED", carries_texts=False)
    # Source of the rate: "SMS messages per second", the default quota of an account and region, for all senders.
    # SNS may choose the sending number by itself. Source of the names: "Publish", attribute AWS.SNS.SMS.SenderID.
    SNS = "sns", ProviderTraits(
        label="SNS", too_fast="Rate exceeded", rates="20 over SNS", rate=20.0,
        returns_key=False, rates_senders=False, needs_sender=False, takes_answers=False,
        names="[A-Za-z0-9-]{3,11}", names_are="3 to 11 letters, digits and hyphens",
    )  # fmt: skip
    # Source of the rates: "Understanding Twilio rate limits and message queues"; names have the rate of long codes.
    TWILIO = "twilio", ProviderTraits(
        label="Twilio", too_fast="20429", dates_receipts=False,
        rate=10.0, north_american_rate=1.0, short_code_rate=100.0,
        rates="1 for a number of the United States or Canada, 100 for a short code, 10 for others",
    )  # fmt: skip


TEXT_PROVIDERS: Final = tuple(provider for provider in reversed(Provider) if provider.traits.carries_texts)
"""In reverse order of the rows, as the API lists them."""
DEFAULT_TEXT_PROVIDER: Final = Provider.TWILIO


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
        """Whether the failure is about the address; such a message counts as bounced, any other as failed."""
        return self in (FailureClass.INVALID, FailureClass.UNREACHABLE)


class ProviderCode(Struct, frozen=True):
    """One row: a code of one provider, its class, a stable reason for machines and one plain sentence for people.

    ``recoverable`` says that the cause goes away by itself: a full mailbox, a phone that is off; never an address that
    does not exist. ``outdone_by_delivery``: a delivery of the same message proves that it was no failure at all.
    """

    provider: Provider
    code: str
    failure_class: FailureClass
    recoverable: bool
    reason: str
    source: str
    sentence: str
    outdone_by_delivery: bool = False


_YES_OR_NO: Final = {"yes": True, "no": False}


@cache
def _table() -> dict[tuple[Provider, str], ProviderCode]:
    import csv  # noqa: PLC0415 - most requests of the API look nothing up

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
            _YES_OR_NO[row["outdone_by_delivery"]],
        )
        for row in csv.DictReader(text.splitlines(), restval="no")
    )
    return {(row.provider, row.code): row for row in rows}


def all_codes() -> Iterator[ProviderCode]:
    """Every row of the table."""
    return iter(_table().values())


def look_up(provider: Provider, code: str | None) -> ProviderCode:
    """The row of a code; a code without a row is of class ``unknown``, and the reason holds the code itself."""
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
