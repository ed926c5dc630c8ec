"""A simulated year of addresses that go bad and come back, under each of the four settings of half-open recovery.

The world is made up, seeded, the same for all settings: mailboxes that fill and are emptied, phones that are off for
weeks, and addresses that end for good. What is sent to them is decided by the real ``decide``, on the real fold and the
real schedule: marketing every week to everybody, reminders to a part. Counted is what the settings are about: which of
the addresses that were flagged for a cause that passes, and could be reached again within the year, got their flag
cleared, how long that took, and how many messages went to flagged addresses that were still bad.

The durations and rates are assumptions, not measurements; ``longer`` says what comes of outages three times as long.
"""

import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from math import log
from statistics import median
from typing import Any, Final

from rebound.businesses.domain.business import Business
from rebound.campaigns.domain.campaigns import Campaign
from rebound.contacts.domain.contacts import Contact, Recovery, is_recoverable
from rebound.contacts.domain.reachability import Cleared, ClearedBy, Failure, Tried
from rebound.eligibility.domain.eligibility import Send, decide
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.provider_codes import Provider
from tests.benchmarks.__main__ import main
from tests.fakes.making import business, campaign, contact_key, customer

ADDRESSES: Final = 2_000
QUICK: Final = {"addresses": 600}
BAR: Final = 0.95
"""Of those that can be restored, with both options on."""
BEGIN: Final = datetime(2026, 1, 1, tzinfo=UTC)
YEAR: Final = timedelta(days=365)
END: Final = BEGIN + YEAR
FIRST_MARKETING: Final = BEGIN + timedelta(days=5, hours=15)
"""A Tuesday at ten in New York, and every week after it."""

# What the world is like. All of it is assumed.
EMAILS: Final = 0.75
"""Of the addresses; the others are phones."""
REMINDED: Final = 0.6
"""Of the customers; the others get marketing only."""
DAYS_BETWEEN_REMINDERS: Final = 28.0
"""On average: an appointment every four weeks, reminded once."""
OUTAGES_A_YEAR: Final = 1.0
"""On average, of a mailbox that fills up now and then, or of a phone that is off for longer."""
DAYS_FULL: Final = (10.0, 1.1)
"""A full mailbox: median, and sigma of the logarithm; a tenth is full for more than 41 days."""
DAYS_OFF: Final = (30.0, 0.7)
"""A phone: a tenth is off for more than 74 days. Only five failures in a row flag it."""
ENDS: Final = 0.08
"""Of the addresses, at some time in the year, for good."""
SILENT: Final = 0.02
"""Of the failures, of which the provider never says a word."""
LONGEST_WORD: Final = timedelta(hours=14)
"""SES tries so long before it gives a full mailbox up."""

SETTINGS: Final[Mapping[str, Recovery]] = {
    "neither": Recovery(),
    "spaced": Recovery(spaced=True),
    "probe_marketing": Recovery(probe_marketing=True),
    "both": Recovery(spaced=True, probe_marketing=True),
}
CODES: Final = {
    Channel.EMAIL: (Provider.SES, "Transient/MailboxFull", "Permanent/NoEmail"),
    Channel.SMS: (Provider.TWILIO, "30003", "30005"),
}


@dataclass(frozen=True, slots=True)
class Address:
    """What becomes of one address in the year, and what is sent to it; nothing of it depends on the settings."""

    channel: Channel
    outages: tuple[tuple[datetime, datetime], ...]
    ends_at: datetime
    reminders: tuple[datetime, ...]
    seed: int

    def is_gone(self, at: datetime) -> bool:
        """Whether it has ended for good."""
        return at >= self.ends_at

    def is_good(self, at: datetime) -> bool:
        """Whether a message sent at ``at`` arrives."""
        return not self.is_gone(at) and not any(first <= at < last for first, last in self.outages)

    def good_again(self, at: datetime) -> datetime:
        """The next moment at which a message arrives; after the year when there is none in it."""
        for _, last in self.outages:
            if last > at and self.is_good(last):
                return last
        return END if self.is_gone(at) or not self.is_good(at) else at


def _addresses(number: int, seed: int, longer: float) -> Iterator[Address]:
    for each in range(number):
        chance = random.Random(f"{seed}:{each}")  # noqa: S311 - the same in every run
        channel = Channel.EMAIL if chance.random() < EMAILS else Channel.SMS
        middle, sigma = DAYS_FULL if channel is Channel.EMAIL else DAYS_OFF
        outages = []
        at = BEGIN
        while (at := at + timedelta(days=chance.expovariate(OUTAGES_A_YEAR / YEAR.days))) < END:
            until = at + timedelta(days=chance.lognormvariate(log(middle * longer), sigma))
            outages.append((at, until))
            at = until
        reminders = []
        at = BEGIN
        while (at := at + timedelta(days=chance.expovariate(1 / DAYS_BETWEEN_REMINDERS))) < END:
            reminders.append(at)
        yield Address(
            channel,
            tuple(outages),
            BEGIN + YEAR * chance.random() if chance.random() < ENDS else END,
            tuple(reminders) if chance.random() < REMINDED else (),
            chance.getrandbits(32),
        )


@dataclass(slots=True)
class Flag:
    """One time that an address was flagged for a cause that passes: when it was good again, and when cleared."""

    good_again: datetime
    cleared: datetime | None = None


@dataclass(slots=True)
class Story:
    """What came of an address under one setting."""

    flags: list[Flag]
    needless: int = 0
    """Messages to the flagged address while it was bad, before it was known to be gone."""
    to_gone: int = 0
    """Messages that ``spaced`` or ``probe_marketing`` let through to what was known not to exist any more."""
    false_restores: int = 0
    """Flags that were cleared by something else than a message that arrived."""
    left_out: int = 0
    """Reminders that were kept back although they would have arrived."""


class _Year:
    """One address through the year: messages as they come, and the words about them a little later."""

    def __init__(self, address: Address, sender: Business) -> None:
        self._address = address
        self._sender = sender
        self._chance = random.Random(address.seed)  # noqa: S311 - the same in every run
        self._who = customer(1)
        self._contact = Contact(contact_key(1, address.channel))
        self._waiting: list[tuple[datetime, int, Failure | Cleared]] = []
        self._order = count()
        self._open: Flag | None = None
        self.story = Story([])

    def run(self, messages: Sequence[tuple[datetime, Campaign]]) -> Story:
        """Let everything happen in its order."""
        for at, what in messages:
            self._hear(at)
            self._send(at, what)
        self._hear(END)
        return self.story

    def _send(self, at: datetime, what: Campaign) -> None:
        contact, address = self._contact, self._address
        policy = self._sender.policy
        flagged = contact.verdict(policy).invalid
        known_gone = flagged and not is_recoverable(contact.reachability, policy)
        decision = decide(self._who, contact, self._sender, what, at)
        good = address.is_good(at)
        if not isinstance(decision, Send):
            self.story.left_out += good and not what.category.is_promotional
            return
        message_id = what.message_id(self._who.customer_id)
        if decision.is_try:
            self._contact = contact.with_evidence(Tried(at, message_id))
        self.story.needless += flagged and not good and not known_gone
        self.story.to_gone += known_gone and decision.is_try
        if good:
            word: Failure | Cleared = Cleared(at + timedelta(seconds=20), ClearedBy.DELIVERY, message_id)
            self._tell(word.at, word)
        elif self._chance.random() >= SILENT:
            provider, passing, lasting = CODES[address.channel]
            gone = address.is_gone(at)
            told = at + (timedelta(seconds=20) if gone else LONGEST_WORD * self._chance.random())
            self._tell(told, Failure(told, message_id, provider, lasting if gone else passing))

    def _tell(self, at: datetime, word: Failure | Cleared) -> None:
        heappush(self._waiting, (at, next(self._order), word))

    def _hear(self, until: datetime) -> None:
        policy = self._sender.policy
        while self._waiting and self._waiting[0][0] < until:
            at, _, word = heappop(self._waiting)
            before = self._contact.verdict(policy).invalid
            self._contact = self._contact.with_evidence(word)
            after = self._contact.verdict(policy).invalid
            if after and not before and is_recoverable(self._contact.reachability, policy):
                self._open = Flag(self._address.good_again(at))
                self.story.flags.append(self._open)
            elif before and not after:
                self.story.false_restores += not isinstance(word, Cleared) or not self._address.is_good(
                    word.at - timedelta(seconds=20)
                )
                if self._open is not None:
                    self._open.cleared = at
                    self._open = None


def _messages(address: Address) -> Sequence[tuple[datetime, Campaign]]:
    kinds = [(at, Category.REMINDER) for at in address.reminders]
    weeks = YEAR // timedelta(weeks=1)
    kinds += [(FIRST_MARKETING + timedelta(weeks=week), Category.MARKETING) for week in range(weeks)]
    return [
        (at, campaign(address.channel, category=category, run_id=f"{int(at.timestamp() * 1000):026d}"))
        for at, category in sorted(kinds)
    ]


def _told(stories: Sequence[Story]) -> dict[str, Any]:
    flags = [flag for story in stories for flag in story.flags]
    recoverable = [flag for flag in flags if flag.good_again < END]
    restored = [flag.cleared for flag in recoverable if flag.cleared is not None]
    waits = [
        max(flag.cleared - flag.good_again, timedelta()) / timedelta(days=1)
        for flag in recoverable
        if flag.cleared is not None
    ]
    return {
        "flagged": len(flags),
        "recoverable": len(recoverable),
        "restored": len(restored),
        "share_restored": round(len(restored) / len(recoverable), 4),
        "median_days_to_restore": round(median(waits), 1),
        "needless_sends": sum(story.needless for story in stories),
        "needless_sends_per_flag": round(sum(story.needless for story in stories) / len(flags), 2),
        "reminders_left_out_that_would_have_arrived": sum(story.left_out for story in stories),
        "false_restores": sum(story.false_restores for story in stories),
        "tries_of_what_does_not_exist": sum(story.to_gone for story in stories),
    }


def _year(addresses: Sequence[Address], recovery: Recovery) -> dict[str, Any]:
    sender = business(recovery=recovery)
    return _told([_Year(address, sender).run(_messages(address)) for address in addresses])


def run(addresses: int = ADDRESSES, seed: int = 2026) -> dict[str, Any]:
    """The figures of the four settings, and whether they meet the bars."""
    population = list(_addresses(addresses, seed, 1.0))
    settings = {name: _year(population, recovery) for name, recovery in SETTINGS.items()}
    longer = _year(list(_addresses(addresses, seed, 3.0)), SETTINGS["both"])
    everywhere = [*settings.values(), longer]
    return {
        "addresses": addresses,
        **settings,
        "both, outages three times as long": longer,
        "bars": {
            f"at least {BAR:.0%} restored with both on": settings["both"]["share_restored"] >= BAR,
            "no false restores": not any(found["false_restores"] for found in everywhere),
            "nothing that does not exist is tried": not any(f["tries_of_what_does_not_exist"] for f in everywhere),
        },
    }


if __name__ == "__main__":
    sys.exit(main("recovery_year"))
