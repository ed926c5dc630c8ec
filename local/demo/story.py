"""The main job from beginning to end on the sample customers, and the sums it checks on the way."""

import re
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from local.demo.api import Audience, Campaign, Customer, ImportJob, Rebound
from local.demo.by_itself import ByItself, Passed
from local.demo.errors import DemoError
from local.demo.expectation import UNREACHABLE, Flag, expected_flags, silent_mailboxes, text_events
from local.demo.progress import Progress, campaign_line
from local.demo.regulars import Gift, Occurred, Regular, Regulars, tenth, utc_now
from local.demo.sample import SampleCustomer, parse, relabelled, replacement_mailbox, with_birthday
from local.demo.single_messages import FellBack, Operate, Sent, SingleMessages

TEXTED_TAG: Final = "vip"
_PLAIN: Final = {"email": re.compile(r".*@example\.(com|net|org)"), "sms": re.compile(r"\+1(?!500|555)[0-9]{10}")}
"""Addresses to which everything is delivered."""
POLL_SECONDS: Final = 1.0
QUIET_SECONDS: Final = 12.0
"""How long nothing may change before what is still open is taken to stay open."""

LIMIT_SECONDS: Final = 240.0
"""After so long a step is given up."""

_NAMED: Final = 5
"""How many are named where something is wrong."""

_EMAIL_CONTENT: Final[Mapping[str, Mapping[str, str]]] = {
    "autumn": {
        "subject": "##{{first_name}}, autumn colour is here",
        "html": "<p>Hello ##{{first_name}},</p><p>20 % off every colour until the end of the month.</p>"
        "<p>Juniper &amp; Vale</p>",
        "text": "Hello ##{{first_name}},\n\n20 % off every colour until the end of the month.\n\nJuniper & Vale",
    },
    "winter": {
        "subject": "##{{first_name}}, our winter hours",
        "html": "<p>Hello ##{{first_name}},</p><p>In December we are open until nine.</p><p>Juniper &amp; Vale</p>",
        "text": "Hello ##{{first_name}},\n\nIn December we are open until nine.\n\nJuniper & Vale",
    },
    "reminder": {
        "subject": "##{{first_name}}, see you tomorrow at ten",
        "html": "<p>Hello ##{{first_name}}, see you tomorrow at ten.</p>",
        "text": "Hello ##{{first_name}}, see you tomorrow at ten.",
    },
    "thanks": {
        "subject": "Good to have you back, ##{{first_name}}",
        "html": "<p>Hello ##{{first_name}}, good to have you back.</p>",
        "text": "Hello ##{{first_name}}, good to have you back.",
    },
}
_TEXT_CONTENT: Final = {"body": "Hi ##{{first_name}}, VIP evening at Juniper & Vale this Friday, 6 pm. See you there?"}


@dataclass(frozen=True)
class Check:
    """Something that must be so, and whether it is; ``detail`` says what was found when it is not."""

    sentence: str
    holds: bool
    detail: str = ""


@dataclass(frozen=True)
class FlaggedAddress:
    """A flagged address of a customer, as the API gives it."""

    channel: str
    reason: str
    name: str
    address: str


@dataclass(frozen=True)
class Returned:
    """A customer who was flagged and came back: how, and the mailbox before and after."""

    name: str
    how: str
    before: str
    after: str


@dataclass
class Facts:
    """Everything that the final report tells; all numbers are the API's."""

    customers: int
    is_second_run: bool = False
    import_job: ImportJob = field(default_factory=lambda: ImportJob("queued", {}, ()))
    email: Campaign | None = None
    text: Campaign | None = None
    peak_uncertain: int = 0
    uncertain: list[str] = field(default_factory=list)
    flagged: list[FlaggedAddress] = field(default_factory=list)
    second: Campaign | None = None
    email_after_second: Campaign | None = None
    returned: list[Returned] = field(default_factory=list)
    third: Campaign | None = None
    confirmed: Sent | None = None
    fell_back: FellBack | None = None
    passed: Passed | None = None
    regular: Regular = field(default_factory=Regular)
    checks: list[Check] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def failed_checks(self) -> list[Check]:
        """What does not add up."""
        return [check for check in self.checks if not check.holds]


def adds_up(label: str, campaign: Campaign) -> Check:
    """The two sums that hold for every campaign at rest: matched = left out + targeted, targeted = all results."""
    audience, results = campaign.audience, sum(campaign.results.values())
    return Check(
        f"{label}: all are left out for one reason, or sent to with one result",
        audience.matched == audience.left_out + audience.targeted
        and audience.targeted == results
        and campaign.waiting == 0,
        f"{audience.matched} matched, {audience.left_out} left out, {audience.targeted} targeted, "
        f"{results} results, {campaign.waiting} of them still to be sent",
    )


def flags_match(when: str, expected: frozenset[Flag], found: frozenset[Flag]) -> Check:
    """Whether exactly the customers are flagged who have to be."""

    def some(flags: Iterable[Flag]) -> str:
        ordered = sorted(flags)
        more = f" and {len(ordered) - _NAMED} more" if len(ordered) > _NAMED else ""
        return ", ".join(f"{each.external_id} {each.channel}" for each in ordered[:_NAMED]) + more

    parts = []
    if expected - found:
        parts.append(f"not flagged but should be: {some(expected - found)}")
    if found - expected:
        parts.append(f"flagged but should not be: {some(found - expected)}")
    return Check(
        f"{when}: exactly the {len(expected)} that proved bad are flagged",
        expected == found,
        "; ".join(parts),
    )


def reached(label: str, whom: str, occurred: Occurred | None, expected: int, *, alone: bool) -> list[Check]:
    """What must be so of an occurrence; ``alone`` says that nobody else's customers are on the stack."""
    if occurred is None:
        return [Check(f"{label}: nobody is due, and nothing was sent", expected == 0, f"{expected} are due")]
    matched = occurred.campaign.audience.matched
    return [
        adds_up(label, occurred.campaign),
        Check(
            f"{label}: it was for {whom}, and the campaign is still on",
            occurred.recurring.status == "on" and (matched == expected if alone else matched >= expected),
            f"it was for {matched}, {expected} were due, and it is {occurred.recurring.status}",
        ),
    ]


def gift_checks(gift: Gift) -> list[Check]:
    """What must be so of a campaign with a voucher of which one was redeemed."""
    redemption, found = gift.redemption, gift.brought_in
    paid = Decimal(redemption.amount) - Decimal(redemption.discount)
    revenue = found.revenue.get(redemption.currency, "0")
    return [
        adds_up("Gift to members", gift.campaign),
        Check(
            "Gift to members: one voucher was redeemed, and the campaign shows what was paid and a tenth as its reward",
            found.redeemed == 1
            and Decimal(revenue) == paid
            and Decimal(found.reward.get(redemption.currency, "0")) == tenth(revenue),
            f"{found.redeemed} redeemed, revenue {revenue}, reward {dict(found.reward)}, of {redemption}",
        ),
    ]


def import_in_words(job: ImportJob) -> str:
    """How an import ended: ``2,400 new, 0 known already, 0 refused``."""
    new, updated, unchanged, refused = (
        job.counts.get(name, 0) for name in ("created", "updated", "unchanged", "failed")
    )
    known = updated + unchanged
    return f"{new:,} new, {known:,} known already, {refused:,} refused"


class Story:
    """Runs the steps in order and gathers the facts.

    Raises ``DemoError`` when a step cannot be taken. What is merely wrong is noted as a failed check, so that the
    report can still be read.
    """

    def __init__(
        self,
        rebound: Rebound,
        operate: Operate,
        sample_text: str,
        progress: Progress,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = utc_now,
        run: str | None = None,
    ) -> None:
        self._rebound = rebound
        self._operate = operate
        self._text = sample_text
        self._progress = progress
        self._clock = clock
        self._sleep = sleep
        self._run = run or uuid.uuid4().hex[:6]
        self._regulars = Regulars(rebound, progress, clock, sleep, now, self._run)

    def tell(self) -> Facts:
        """All of it; takes one or two minutes on the embedded stack."""
        started = self._clock()
        year = self._regulars.year(self._text)
        # The file has birthdays of all year round; somebody's has to be today.
        self._text = with_birthday(self._text, year.born.isoformat(), year.celebrating)
        facts = self._import()
        people = parse(self._text)
        if facts.is_second_run:
            self._clear_earlier_flags(people)
        # What goes out by itself goes out at a full minute, while everything else is told.
        facts.regular = self._regulars.begin(year)
        campaign_ids = self._first_campaigns(facts, people)
        expected = expected_flags(people, texted_tag=TEXTED_TAG)
        flagged = self._flagged_like(expected, people)
        # Read once more: a mail server may send back what it had accepted.
        email, text = (self._rebound.campaign(campaign_id) for campaign_id in campaign_ids)
        facts.email, facts.text = email, text
        facts.checks += [adds_up("Email to everybody", email), adds_up("Text to VIPs", text)]
        for campaign in (email, text):
            if campaign.results.get("uncertain"):
                facts.uncertain += self._rebound.uncertain(campaign.campaign_id)
        facts.flagged = _addresses(flagged)
        facts.checks.append(flags_match("After the first campaigns", expected, _flags(flagged, people)))
        self._second_campaign(facts, email, expected, people)
        self._bring_back(facts, expected, people)
        self._write_to_one(facts, people)
        self._by_itself(facts, people)
        self._regulars.end(facts.regular)
        self._judge_regulars(facts)
        facts.seconds = self._clock() - started
        return facts

    @staticmethod
    def _judge_regulars(facts: Facts) -> None:
        told, alone = facts.regular, not facts.is_second_run
        facts.checks.append(
            Check(
                "All that the salon told of its customers' year was taken",
                told.taken == told.told,
                f"{told.taken} of {told.told}",
            )
        )
        facts.checks += reached(
            "Birthdays", "all whose birthday it is", told.birthdays, told.expected["birthdays"], alone=alone
        )
        facts.checks += reached("We miss you", "all who stay away", told.lost, told.expected["lost"], alone=alone)
        if told.gift is not None:
            facts.checks += gift_checks(told.gift)
        if told.tiers is not None:
            tiers, counted = told.tiers, sum(told.tiers.tiers.values()) + told.tiers.without_tier
            facts.checks.append(
                Check(
                    "Every tier has somebody, and everybody is of one tier or of none",
                    all(tiers.tiers.values()) and (counted == facts.customers if alone else counted >= facts.customers),
                    f"{dict(tiers.tiers)}, {tiers.without_tier} without, {facts.customers} customers",
                )
            )

    def _import(self) -> Facts:
        is_second_run = self._rebound.has_customers()
        if is_second_run:
            # Mailboxes that remember earlier messages would tell another story this time.
            self._text = relabelled(self._text, self._run)
        if self._rebound.country() != "US":
            self._rebound.set_country("US")
        facts = Facts(customers=len(parse(self._text)), is_second_run=is_second_run)
        self._progress.step(f"1. Importing the {facts.customers:,} customers of the salon")
        import_id = self._rebound.start_import(self._text)
        started = self._clock()
        while (job := self._rebound.import_job(import_id)).status not in ("completed", "failed"):
            self._progress.update(f"{job.counts.get('rows', 0):,} rows read · {self._clock() - started:.0f} s")
            self._wait(started, "The import")
        facts.import_job = job
        good = sum(job.counts.get(name, 0) for name in ("created", "updated", "unchanged"))
        if job.status == "failed" or good != facts.customers:
            refused = "".join(f"\n  {error}" for error in job.errors[:_NAMED])
            raise DemoError(f"The import {job.status} with {good} of {facts.customers} customers in.{refused}")
        self._progress.done(import_in_words(job))
        return facts

    def _clear_earlier_flags(self, people: list[SampleCustomer]) -> None:
        """Phone numbers keep what an earlier run found out; the salon confirms them, as its staff would."""
        ours = {who.external_id for who in people}
        shaky = {who.external_id for who in people if set(text_events(who.mobile_phone)) & UNREACHABLE}
        flagged = [customer for customer in self._rebound.customers(failed="any") if customer.external_id in ours]
        vips = self._rebound.customers(tag=TEXTED_TAG)
        doubtful = {
            (each.customer_id, channel) for each in flagged for channel in each.contacts if each.is_flagged(channel)
        }
        # Unconfirmed, the fifth run would find the fifth failure in a row with these, and a flag that is right.
        doubtful |= {(each.customer_id, "sms") for each in vips if each.external_id in shaky}
        self._progress.step(f"   An earlier run has left its traces: the salon confirms {len(doubtful):,} addresses")
        for customer_id, channel in sorted(doubtful):
            self._rebound.confirm(customer_id, channel)
        self._flagged_like(frozenset(), people)

    def _first_campaigns(self, facts: Facts, people: list[SampleCustomer]) -> tuple[str, str]:
        self._progress.step("3. Saving two segments (groups of customers) and asking who would get a message")
        self._rebound.save_segment("everybody", "Everybody", {"all": []})
        self._rebound.save_segment("vip", "VIPs", {"tag": TEXTED_TAG})
        for label, segment, channel in (
            ("An email to everybody", "everybody", "email"),
            ("A text to the VIPs", "vip", "sms"),
        ):
            self._progress.done(f"{label}: {_in_words(self._rebound.preview(segment, channel))}")
        self._progress.step(
            "4. Sending both; the count is of messages of which the provider has said what became of them"
        )
        email_id = self._rebound.start_campaign(
            _marketing("Autumn colour", "everybody", "email", _EMAIL_CONTENT["autumn"])
        )
        text_id = self._rebound.start_campaign(_marketing("VIP evening", "vip", "sms", _TEXT_CONTENT))
        silent = silent_mailboxes(people)
        email, text = self._watch(facts, {"email": email_id, "text": text_id}, expect_open=silent)
        self._progress.done(f"{email.settled + text.settled:,} messages have a final word")
        return email_id, text_id

    def _second_campaign(
        self, facts: Facts, first: Campaign, expected: frozenset[Flag], people: list[SampleCustomer]
    ) -> None:
        self._progress.step("5. A second email to everybody: whoever is flagged now is left out")
        flagged = self._rebound.customers(failed="email")
        # Whoever has also opted out may be left out for that instead: one reason each.
        mailboxes = [customer.contacts["email"] for customer in flagged if customer.is_flagged("email")]
        surely = sum(1 for mailbox in mailboxes if not mailbox.opted_out)
        preview = self._rebound.preview("everybody", "email")
        self._progress.done(f"Asked beforehand: {_in_words(preview)}")
        second_id = self._rebound.start_campaign(
            _marketing("Winter hours", "everybody", "email", _EMAIL_CONTENT["winter"])
        )
        (facts.second,) = self._watch(facts, {"email": second_id}, expect_open=0)
        audience = facts.second.audience
        left_out = audience.excluded.get("invalid_contact", 0)
        facts.checks.append(adds_up("Second email", facts.second))
        facts.checks += [
            Check(
                "Second email: as many were left out as have a flagged mailbox",
                surely <= left_out <= len(flagged),
                f"{len(flagged)} customers have a flagged mailbox, {left_out} were left out for it",
            ),
            Check(
                "Second email: it went to those whom the preview had named",
                _without_zeros(preview) == _without_zeros(audience),
                f"the preview said {_in_words(preview)}; it was {_in_words(audience)}",
            ),
        ]
        facts.email_after_second = self._final_word(first)
        facts.checks.append(adds_up("First email, looked at again", facts.email_after_second))
        late = self._flagged_like(expected, people)
        facts.checks.append(flags_match("After the second email", expected, _flags(late, people)))
        self._progress.done(
            f"{left_out:,} left out because their mailbox is flagged, {facts.second.settled:,} have a final word"
        )

    def _bring_back(self, facts: Facts, expected: frozenset[Flag], people: list[SampleCustomer]) -> None:
        self._progress.step("6. Two customers come back: one mailbox works again, one address is corrected")
        flagged = [customer for customer in self._ours(people) if customer.is_flagged("email")]
        recovering = _first_with(flagged, "recovers+", people)
        gone = _first_with(flagged, "bounce+", people)
        # A reminder is about the customer's own booking: it is tried although the mailbox is flagged.
        self._rebound.send(recovering.customer_id, "reminder", "email", {"content": _EMAIL_CONTENT["reminder"]})
        recovered = self._until_clear(recovering.customer_id)
        new_mailbox = replacement_mailbox(gone.contacts["email"].address or "", (who.email for who in people))
        self._rebound.change_email(gone.customer_id, new_mailbox)
        corrected = self._until_clear(gone.customer_id)
        for before, after, how in (
            (recovering, recovered, "a reminder was delivered"),
            (gone, corrected, "the salon corrected the address"),
        ):
            facts.returned.append(
                Returned(
                    before.name, how, before.contacts["email"].address or "", after.contacts["email"].address or ""
                )
            )
            facts.checks.append(
                Check(
                    f"The flag was cleared after {how}", not after.is_flagged("email"), "the mailbox is still flagged"
                )
            )
        both = [recovering.customer_id, gone.customer_id]
        third_id = self._rebound.start_campaign(
            {
                "name": "Welcome back",
                "category": "marketing",
                "channel": "email",
                "customer_ids": both,
                "content": _EMAIL_CONTENT["thanks"],
            }
        )
        (facts.third,) = self._watch(facts, {"email": third_id}, expect_open=0)
        facts.checks.append(adds_up("Email to the two who came back", facts.third))
        facts.checks.append(
            Check(
                "Marketing reaches the two who came back",
                facts.third.results.get("delivered", 0) == len(both),
                f"{facts.third.results.get('delivered', 0)} of {len(both)} were delivered",
            )
        )
        cleared = {Flag(customer.external_id or "", "email") for customer in (recovering, gone)}
        left = self._flagged_like(expected - cleared, people)
        facts.checks.append(flags_match("At the end", expected - cleared, _flags(left, people)))
        self._progress.done(f"{facts.third.results.get('delivered', 0)} of 2 got the next marketing email")

    def _write_to_one(self, facts: Facts, people: list[SampleCustomer]) -> None:
        flagged = {customer.customer_id for customer in self._ours(people)}
        vips = self._rebound.customers(tag=TEXTED_TAG)
        who = next(each for each in vips if each.customer_id not in flagged and _can_be_reached_both_ways(each))
        single = SingleMessages(self._rebound, self._operate, self._progress, self._clock, self._sleep)
        self._progress.step("7. A confirmation of a class: a template with a layout, and the values of this booking")
        facts.confirmed = single.confirm(who)
        self._progress.step("8. The texts of the month run out: what is left goes by email")
        facts.fell_back = single.run_out_of_texts(who)
        facts.checks += [
            Check("The confirmation that was made from the template was delivered", facts.confirmed.arrived),
            Check(
                "The text within the plan arrived as a text, the one after it as an email",
                facts.fell_back.within.arrived_by("sms") and facts.fell_back.after.arrived_by("email"),
                f"{facts.fell_back.within}, {facts.fell_back.after}",
            ),
        ]

    def _by_itself(self, facts: Facts, people: list[SampleCustomer]) -> None:
        flagged = {customer.external_id for customer in self._ours(people)}
        plain = (who for who in people if who.external_id not in flagged and _PLAIN["email"].fullmatch(who.email))
        found = (self._rebound.customer_of(who.external_id) for who in plain)
        vips, others = list[Customer](), list[Customer]()
        by_id = {who.external_id: who for who in people}
        for each in found:
            if not each.contacts["email"].opted_out:
                is_vip = TEXTED_TAG in by_id[each.external_id or ""].tags
                (vips if is_vip else others).append(each)
            if vips and len(others) > 1:
                break
        else:
            raise DemoError("The sample has nobody whom a sequence reaches.")
        self._progress.step("9. A sequence: five steps with waits and a condition, and a review that ends it")
        by_itself = ByItself(self._rebound, self._progress, self._clock, self._sleep, self._run)
        passed = facts.passed = by_itself(vips[0], others[0], others[1])
        facts.checks.append(
            Check(
                "The sequence: a VIP and somebody else came to its end, and a review ended it for the third",
                passed.is_right,
                "; ".join(f"{each.name}: {', '.join(each.arrived)}, {each.because}" for each in passed.all),
            )
        )

    def _watch(self, facts: Facts, campaigns: Mapping[str, str], *, expect_open: int) -> list[Campaign]:
        """Poll campaigns, by label, until they are through and no more final words come."""
        started = changed = self._clock()
        before: list[Campaign] | None = None
        while True:
            now = [self._rebound.campaign(campaign_id) for campaign_id in campaigns.values()]
            if now != before:
                before, changed = now, self._clock()
            facts.peak_uncertain = max(facts.peak_uncertain, sum(each.results.get("uncertain", 0) for each in now))
            self._progress.update(campaign_line(zip(campaigns, now, strict=True), self._clock() - started))
            for label, each in zip(campaigns, now, strict=True):
                if each.status in ("failed", "cancelled", "paused"):
                    raise DemoError(
                        f"The {label} campaign is {each.status}: {each.reason or 'the API gives no reason'}."
                    )
            if all(each.status == "completed" for each in now):
                unsettled = sum(each.without_a_final_word for each in now)
                if unsettled <= expect_open or self._clock() - changed >= QUIET_SECONDS:
                    return now
            self._wait(started, "The campaign")

    def _final_word(self, campaign: Campaign) -> Campaign:
        """A campaign again, once the stragglers' final words are in or none has come for a while."""
        changed = self._clock()
        while campaign.without_a_final_word and self._clock() - changed < QUIET_SECONDS:
            self._sleep(POLL_SECONDS)
            now = self._rebound.campaign(campaign.campaign_id)
            if now != campaign:
                campaign, changed = now, self._clock()
        return campaign

    def _flagged_like(self, expected: frozenset[Flag], people: list[SampleCustomer]) -> list[Customer]:
        """The sample's flagged customers, once they are the expected ones or nothing has changed for a while."""
        changed = self._clock()
        before: frozenset[Flag] | None = None
        while True:
            found = self._ours(people)
            flags = _flags(found, people)
            if flags != before:
                before, changed = flags, self._clock()
            if flags == expected or self._clock() - changed >= QUIET_SECONDS:
                return found
            self._progress.update(f"{len(flags):,} flagged addresses so far")
            self._sleep(POLL_SECONDS)

    def _ours(self, people: list[SampleCustomer]) -> list[Customer]:
        ids = {who.external_id for who in people}
        return [customer for customer in self._rebound.customers(failed="any") if customer.external_id in ids]

    def _until_clear(self, customer_id: str) -> Customer:
        started = self._clock()
        while (customer := self._rebound.customer(customer_id)).is_flagged("email"):
            if self._clock() - started >= QUIET_SECONDS * 3:
                break
            self._progress.update(f"waiting for {customer.name}'s flag to be cleared")
            self._sleep(POLL_SECONDS)
        return customer

    def _wait(self, started: float, what: str) -> None:
        if self._clock() - started >= LIMIT_SECONDS:
            raise DemoError(f"{what} is not through after {LIMIT_SECONDS:.0f} seconds; the stack's logs may say why.")
        self._sleep(POLL_SECONDS)


def _marketing(name: str, segment_id: str, channel: str, content: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": name,
        "category": "marketing",
        "channel": channel,
        "segment_id": segment_id,
        "content": dict(content),
    }


def _can_be_reached_both_ways(customer: Customer) -> bool:
    """Whether an email and a text are surely delivered."""
    contacts = customer.contacts
    return all(
        channel in contacts and plain.fullmatch(contacts[channel].address or "") and not contacts[channel].opted_out
        for channel, plain in _PLAIN.items()
    )


def _in_words(audience: Audience) -> str:
    return f"{audience.matched:,} in the segment, {audience.left_out:,} left out, {audience.targeted:,} get it"


def _without_zeros(audience: Audience) -> tuple[int, dict[str, int], int]:
    return audience.matched, {reason: n for reason, n in audience.excluded.items() if n}, audience.targeted


def _flags(customers: Iterable[Customer], people: Iterable[SampleCustomer]) -> frozenset[Flag]:
    ids = {who.external_id for who in people}
    return frozenset(
        Flag(customer.external_id, channel)
        for customer in customers
        if customer.external_id in ids
        for channel in customer.contacts
        if customer.is_flagged(channel)
    )


def _addresses(customers: Iterable[Customer]) -> list[FlaggedAddress]:
    return [
        FlaggedAddress(channel, contact.reason or "no reason given", customer.name, contact.address or "")
        for customer in customers
        for channel, contact in customer.contacts.items()
        if contact.invalid
    ]


def _first_with(flagged: Iterable[Customer], start: str, people: Iterable[SampleCustomer]) -> Customer:
    """The first flagged customer, by external id, whose mailbox starts so and is theirs alone."""
    mailboxes = [who.email for who in people]
    candidates = [
        customer
        for customer in flagged
        if (address := customer.contacts["email"].address or "").startswith(start) and mailboxes.count(address) <= 1
    ]
    if not candidates:
        raise DemoError(f"No customer with a {start}… mailbox is flagged, although every one of them should be.")
    return min(candidates, key=lambda customer: customer.external_id or "")
