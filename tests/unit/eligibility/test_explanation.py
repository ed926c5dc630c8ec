"""Why a customer does not get our messages: the rules say what the decision says, one by one and in plain English."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from copy import replace
from datetime import datetime, time, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.businesses.domain.business import Business, DoubleOptIn, Switches
from rebound.businesses.domain.frequency import Frequency, FrequencyCap, HandOver
from rebound.businesses.domain.holds import AccountHold
from rebound.businesses.domain.quiet_hours import NIGHT, QuietHours, QuietWindow
from rebound.campaigns.domain.campaigns import Campaign
from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.contacts import Contact, Recovery
from rebound.contacts.domain.reachability import Cleared, ClearedBy, Failure, Tried
from rebound.contacts.domain.suppressions import LISTED_BOUNCE
from rebound.customers.domain import Customer
from rebound.eligibility.application.explain_reachability import ExplainReachability
from rebound.eligibility.domain.cases import Case
from rebound.eligibility.domain.eligibility import RULES, Exclusion, Hold, Send, decide
from rebound.eligibility.domain.exclusion_words import WORDS
from rebound.eligibility.domain.explanation import (
    SHOWN_ATTEMPTS,
    Explanation,
    FailureCount,
    RuleOutcome,
    RuleResult,
    attempt_sentence,
    explain,
)
from rebound.eligibility.domain.next_steps import step_after_failure
from rebound.eligibility.domain.places import nowhere
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import NotFoundError
from rebound.kernel.provider_codes import FailureClass, Provider, ProviderCode, all_codes, look_up
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.messages.domain.variants import WHOLE, Split
from rebound.templates.domain.content import MadeFrom, TemplateContent, TextContent
from rebound.templates.domain.variables import Variable
from tests.contract.contacts.fakes import known_whereabouts
from tests.fakes import strategies
from tests.fakes.making import (
    BUSINESS_ID,
    GREETING,
    NO_QUIET_HOURS,
    NO_SUCH_MAILBOX,
    SOFT,
    at,
    business,
    campaign,
    contact_key,
    customer,
    id_of,
    message,
    message_key,
)
from tests.fakes.world import World

ANA = customer()
NOW = at(3600)
FULL = "Transient/MailboxFull"
SENDERS = (
    business(),
    business(email_from=None),
    business(text_from=None),
    business(text_from="MG" + "0" * 32),
    business(text_from=None, text_provider=Provider.SNS),
    business(switches=Switches(email=False)),
    business(switches=Switches(sms=False)),
    business(switches=Switches(text_confirmations=False)),
    business(bundles=frozenset()),
    business(country="GB", text_from="Juniper"),
)
STILL_TRIED = "Nothing to do: the next reminder is still tried and clears the flag when it arrives."
CORRECT_IT = "Ask the customer for another email address, then correct it here: that clears the flag."

WEEKLY = FrequencyCap("Weekly", (Category.MARKETING, Category.LOYALTY), at_most=2, within_days=7)


def handed(channel: Channel, times: int, category: Category = Category.MARKETING) -> Frequency:
    """What Ana was handed of late: a message on each of the last days."""
    return Frequency(
        BUSINESS_ID,
        ANA.customer_id,
        tuple(HandOver(f"m{n}", NOW - timedelta(days=n), category, channel) for n in range(times, 0, -1)),
    )


statuses = st.sampled_from(MessageStatus)
attempts = st.lists(
    st.builds(
        lambda status, channel, code, reason, own: message(
            1,
            status,
            channel=channel,
            provider=code[0] if code else None,
            provider_code=code[1] if code else None,
            reason=reason,
            address=contact_key(1, channel).address if own else "elsewhere@example.com",
        ),
        statuses,
        st.sampled_from(Channel),
        st.none() | st.sampled_from(strategies.CODES) | st.sampled_from([(Provider.SES, "new"), (Provider.SES, None)]),
        st.none() | st.sampled_from([*map(str, Exclusion), "no_record_of_the_send"]),
        st.booleans(),
    ),
    max_size=8,
)


SILENT = (replace(ANA, reminders_email=False), replace(ANA, reminders_sms=False))
HOURS = st.sampled_from([NO_QUIET_HOURS, QuietHours(), QuietHours(NIGHT, QuietWindow(time(9), time(8, 30)))])
EXPIRIES = st.sampled_from([None, at(0), at(7200), at(72 * 3600)])
LOCAL_TIMES = st.sampled_from([None, datetime(2026, 11, 20, 9, 30)])  # noqa: DTZ001 - a clock on the wall


def around_the_earth(_: str) -> frozenset[str]:
    return frozenset({"Pacific/Honolulu", "America/New_York", "Europe/London", "Asia/Tokyo"})


@st.composite
def cases(draw: st.DrawFn) -> Case:
    channel = draw(st.sampled_from(Channel))
    who = draw(st.sampled_from([ANA, replace(ANA, email=None), replace(ANA, mobile_phone=None), *SILENT]))
    caps = draw(st.sampled_from([(), (WEEKLY,)]))
    sender = replace(draw(st.sampled_from(SENDERS)), recovery=draw(strategies.recoveries), frequency_caps=caps)
    what = campaign(
        channel,
        category=draw(st.sampled_from(Category)),
        exclude_failed=draw(st.booleans()),
        include_customer_ids=frozenset(draw(st.sets(st.just(ANA.customer_id)))),
        asks_confirmation=draw(st.booleans()),
    )
    evidence = draw(st.lists(strategies.evidence, max_size=6))
    said = draw(st.lists(strategies.said, max_size=3))
    contact = draw(st.none() | st.just(Contact(contact_key(1, channel)).with_evidence(*evidence, *said)))
    frequency = draw(st.none() | st.just(handed(channel, 1)) | st.just(handed(channel, 3)))
    what = replace(what, expires_at=draw(EXPIRIES), local_time=draw(LOCAL_TIMES))
    sender = replace(sender, quiet_hours=draw(HOURS))
    where = draw(st.sampled_from([nowhere, around_the_earth]))
    return Case(who, contact, sender, what, draw(st.sampled_from([NOW, NOW + timedelta(days=1)])), frequency, where)


def asked(
    contact: Contact | None = None,
    *log: Message,
    who: Customer = ANA,
    sender: Business | None = None,
    what: Campaign | None = None,
    frequency: Frequency | None = None,
) -> Explanation:
    return explain(Case(who, contact, sender or business(), what or campaign(), NOW, frequency), log)


def result_of(told: Explanation, rule: Exclusion) -> RuleResult:
    return next(result for result in told.rules if result.rule is rule)


def sentence_of(told: Explanation, rule: Exclusion) -> str:
    return result_of(told, rule).sentence


def failing(code: str, times: int = 1, channel: Channel = Channel.EMAIL, words: str | None = None) -> Contact:
    provider = Provider.SES if channel is Channel.EMAIL else Provider.TWILIO
    failures = (Failure(at(n), f"m{n}", provider, code, words) for n in range(1, times + 1))
    return Contact(contact_key(1, channel)).with_evidence(*failures)


def test_a_flag_that_rests_on_the_suppression_list_says_so_and_how_to_take_it_off() -> None:
    contact = Contact(contact_key()).with_evidence(Failure(at(-9), None, Provider.SES, LISTED_BOUNCE))
    found = asked(contact)

    assert found.decision is Exclusion.INVALID_CONTACT
    assert "on Amazon's suppression list because a message to it bounced for good" in found.sentence
    assert (found.verdict.since, found.evidence and found.evidence.failure.message_id) == (at(-9), None)
    assert found.next_step == (
        "Ask the customer whether the email address is right: if it is, confirm it here, which also takes it off "
        "Amazon's suppression list; if not, correct it. Either clears the flag."
    )


def opted_out(scope: Scope, source: ConsentSource, channel: Channel = Channel.EMAIL) -> Contact:
    said = ConsentEvidence(at(2), scope, opted_out=True, source=source, message_id="m2")
    return Contact(contact_key(1, channel)).with_evidence(said)


REMINDER = campaign(category=Category.REMINDER)
TEXT = campaign(Channel.SMS)
CONFIRMATION = campaign(Channel.SMS, category=Category.REMINDER, appointment_id="a1", asks_confirmation=True)


# --- the walk is the decision -----------------------------------------------------------------------------------------


@given(cases(), attempts)
def test_the_explanation_says_what_the_decision_says(case: Case, log: list[Message]) -> None:
    told = explain(case, log)

    parts = (case.customer, case.contact, case.business, case.mailing, case.now, case.frequency, case.whereabouts)
    decided = decide(*parts)

    assert told.decision == decided


@given(cases(), attempts)
def test_the_rules_come_in_order_up_to_the_one_that_stops(case: Case, log: list[Message]) -> None:
    told = explain(case, log)
    outcomes = [result.outcome for result in told.rules]
    passed = outcomes.count(RuleOutcome.PASSED)
    stopping = [result.rule for result in told.rules if result.outcome is RuleOutcome.STOPS]
    holding = [result.rule for result in told.rules if result.outcome is RuleOutcome.HOLDS]

    assert [result.rule for result in told.rules] == [exclusion for exclusion, _ in RULES]
    assert outcomes[:passed] == [RuleOutcome.PASSED] * passed
    assert stopping == ([told.decision] if isinstance(told.decision, Exclusion) else [])
    assert holding == ([Exclusion.QUIET_HOURS] if isinstance(told.decision, Hold) else [])
    reached = passed + len(stopping) + len(holding)
    assert outcomes[reached:] == [RuleOutcome.NOT_REACHED] * (len(RULES) - reached)
    assert all(bool(result.looked_at) is (result.outcome is not RuleOutcome.NOT_REACHED) for result in told.rules)


CONFIRMED = ConsentEvidence(at(0), Scope.MARKETING, opted_out=False, source=ConsentSource.DOUBLE_OPT_IN)


REQUIRES_GENDER = TemplateContent(
    MadeFrom("t", 1), {"": TextContent("x ##{{gender}}")}, {"gender": Variable(required=True)}
)


def every_kind_of_case() -> Iterator[Case]:
    """Each combination of what can make a difference."""
    for channel in Channel:
        contact = Contact(contact_key(1, channel))
        code = (Provider.SES, NO_SUCH_MAILBOX) if channel is Channel.EMAIL else (Provider.TWILIO, "30005")
        full = (Provider.SES, FULL) if channel is Channel.EMAIL else (Provider.TWILIO, "30003")
        contacts = (
            None,
            contact,
            contact.with_evidence(*(Failure(at(n), f"m{n}", *full) for n in range(5))),
            contact.with_evidence(Failure(at(1) - timedelta(days=9), "m1", Provider.SES, FULL)),
            contact.with_evidence(Failure(at(1), "m1", *code)),
            opted_out(Scope.MARKETING, ConsentSource.COMPLAINT, channel),
            opted_out(Scope.ALL, ConsentSource.PROVIDER, channel),
            opted_out(Scope.LOYALTY, ConsentSource.STAFF, channel),
            contact.with_evidence(CONFIRMED),
        )
        campaigns = [
            campaign(channel, category=category, exclude_failed=exclude, include_customer_ids=frozenset(added))
            for category, exclude, added in product(Category, (True, False), ((), (ANA.customer_id,)))
        ]
        campaigns.append(campaign(channel, category=Category.REMINDER, asks_confirmation=True))
        campaigns.append(campaign(channel, over_limit=True))
        campaigns.append(campaign(channel, exclude_customer_ids=frozenset({ANA.customer_id})))
        campaigns.append(campaign(channel, category=Category.LOYALTY, contents={"top": GREETING}))
        campaigns.extend(campaign(channel, split=Split("test", (), holdout)) for holdout in (1, WHOLE))
        in_the_night = (
            campaign(channel, category=category, expires_at=expires_at)
            for category, expires_at in product(Category, (None, at(0), at(7200), at(72 * 3600)))
        )
        nights = (NO_QUIET_HOURS, QuietHours(), QuietHours(email=QuietWindow(time(9), time(8, 30))))
        yield from (
            Case(ANA, contact, business(quiet_hours=hours), what, NOW, whereabouts=where)
            for hours, what, where in product(nights, in_the_night, (nowhere, around_the_earth, known_whereabouts))
        )
        people = (ANA, replace(ANA, email=None), replace(ANA, mobile_phone=None))
        senders = [
            *SENDERS,
            *(business(recovery=Recovery(*options)) for options in product((True, False), (True, False))),
            business(double_opt_in=DoubleOptIn(email=True, sms=True)),
            business(hold=AccountHold(NOW, 100, 1, "support@platform.example")),
        ]
        yield from (Case(*parts, NOW) for parts in product(people, contacts, senders, campaigns))
        frequencies = (None, handed(channel, 1), handed(channel, 2), handed(channel, 2, Category.REMINDER))
        capped = (business(frequency_caps=(WEEKLY,)), business())
        yield from (
            Case(ANA, None, sender, what, NOW, frequency)
            for sender, what, frequency in product(capped, campaigns, frequencies)
        )
        yield from (
            Case(ANA, contact, business(), what, NOW, goes_to=other) for what in campaigns for other in (None, "b")
        )
        from_template = campaign(channel, content=REQUIRES_GENDER)
        yield from (Case(who, contact, business(), what, NOW) for who in SILENT for what in campaigns)
        yield from (Case(replace(ANA, gender=gender), None, business(), from_template, NOW) for gender in (None, "f"))


def test_the_data_that_a_rule_shows_is_all_that_its_outcome_rests_on() -> None:
    everything = list(every_kind_of_case())
    for _, rule in RULES:
        outcomes: defaultdict[str, set[bool]] = defaultdict(set)
        for case in everything:
            outcomes[repr(rule.looks_at(case))].add(rule.stops(case))

        assert set().union(*outcomes.values()) == {True, False}
        assert all(len(found) == 1 for found in outcomes.values())


@given(cases(), attempts)
def test_everything_is_said_in_one_sentence_each(case: Case, log: list[Message]) -> None:
    told = explain(case, log)

    assert is_sentence(told.next_step)
    assert all(
        text.endswith(".")
        for text in (
            told.sentence,
            *(result.sentence for result in told.rules),
            *(attempt.sentence for attempt in told.attempts),
        )
    )
    assert "None" not in told.next_step + told.sentence


def is_sentence(text: str) -> bool:
    """One sentence: it ends once, and begins with a capital letter."""
    return text.endswith(".") and ". " not in text and text[0].isupper() and "  " not in text


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("exclusion", list(Exclusion))
def test_every_exclusion_has_its_sentence_and_its_next_step(exclusion: Exclusion, channel: Channel) -> None:
    case = Case(ANA, None, business(), campaign(channel), NOW)

    assert WORDS[exclusion].stops(case).endswith(".")
    assert is_sentence(WORDS[exclusion].step(case))
    assert attempt_sentence(message(1, MessageStatus.EXCLUDED, reason=str(exclusion))).startswith("It was left out:")


@pytest.mark.parametrize("exclusion", list(Exclusion))
@pytest.mark.parametrize("channel", list(Channel))
def test_every_rule_says_what_it_lets_pass(exclusion: Exclusion, channel: Channel) -> None:
    said = WORDS[exclusion].passes(Case(ANA, None, business(), campaign(channel), NOW))

    assert said == "" if exclusion.rule is None else is_sentence(said)


def test_every_reason_has_a_row_of_words_and_those_that_the_data_shows_have_a_rule_of_their_own() -> None:
    assert list(WORDS) == list(Exclusion)
    assert [exclusion for exclusion in Exclusion if exclusion.rule is None] == [
        Exclusion.NOT_FOUND, Exclusion.CANNOT_RENDER, Exclusion.TEXT_PLAN_EXHAUSTED,
    ]  # fmt: skip
    assert len({rule for _, rule in RULES}) == len(RULES) == len(Exclusion) - 3
    assert len({words.left_out for words in WORDS.values()}) == len(WORDS)


UNKNOWN = ProviderCode(Provider.SES, "x", FailureClass.UNKNOWN, False, "unknown:x", "", "")


@pytest.mark.parametrize("failure_class", list(FailureClass))
@pytest.mark.parametrize("channel", list(Channel))
def test_every_class_of_failure_has_its_next_step(failure_class: FailureClass, channel: Channel) -> None:
    row = replace(UNKNOWN, failure_class=failure_class)

    assert is_sentence(step_after_failure(row, Case(ANA, None, business(), campaign(channel), NOW)))


@pytest.mark.parametrize("row", list(all_codes()), ids=lambda row: f"{row.provider} {row.code}")
def test_every_code_of_the_table_has_its_sentence_in_the_answer(row: ProviderCode) -> None:
    channel = Channel.EMAIL if row.provider is Provider.SES else Channel.SMS
    address = row.failure_class.is_about_the_address
    failed = message(
        1,
        MessageStatus.BOUNCED if address else MessageStatus.FAILED,
        channel=channel,
        address=contact_key(1, channel).address,
        provider=row.provider,
        provider_code=row.code,
    )
    told = asked(None, failed, what=campaign(channel))

    assert told.attempts[0].sentence == row.sentence
    assert len(row.sentence) > 10
    assert is_sentence(told.next_step)


@pytest.mark.parametrize("status", list(MessageStatus))
def test_every_status_has_its_sentence(status: MessageStatus) -> None:
    assert is_sentence(attempt_sentence(message(1, status)))


# --- what the reception desk reads ------------------------------------------------------------------------------------


def test_a_flag_shows_the_failure_behind_it_in_the_providers_own_words() -> None:
    words = "smtp; 550 5.1.1 user unknown"
    told = asked(failing(NO_SUCH_MAILBOX, words=words), message(1, MessageStatus.BOUNCED, key=message_key(1, "m1")))

    assert told.decision is Exclusion.INVALID_CONTACT
    assert told.evidence is not None
    assert (told.evidence.failure_class, told.evidence.failure.provider, told.evidence.failure.code) == (
        FailureClass.INVALID,
        Provider.SES,
        NO_SUCH_MAILBOX,
    )
    assert (told.evidence.failure.detail, told.evidence.failure.message_id, told.evidence.failure.at) == (
        words,
        "m1",
        at(1),
    )
    assert told.evidence.sentence == "This mailbox does not exist."
    assert told.sentence.endswith("This mailbox does not exist.")
    assert told.attempts[0].words == words


Told = Mapping[str, Any]
SAYINGS: dict[str, tuple[Told, str]] = {
    "an address that does not exist": ({"contact": failing(NO_SUCH_MAILBOX)}, CORRECT_IT),
    "the same for a reminder": ({"contact": failing(NO_SUCH_MAILBOX), "what": REMINDER}, CORRECT_IT),
    "a full mailbox": ({"contact": failing(FULL)}, STILL_TRIED),
    "a phone that is off for long": ({"contact": failing("30003", 5, Channel.SMS), "what": TEXT}, STILL_TRIED),
    "a landline": (
        {"contact": failing("21635", 1, Channel.SMS), "what": TEXT},
        "Ask the customer for another mobile number, then correct it here: that clears the flag.",
    ),
    "an own STOP": (
        {"contact": opted_out(Scope.ALL, ConsentSource.PROVIDER, Channel.SMS), "what": TEXT},
        "Only the customer can undo this: they text START to +14155550100.",
    ),
    "an own STOP to a messaging service": (
        {
            "contact": opted_out(Scope.ALL, ConsentSource.PROVIDER, Channel.SMS),
            "what": TEXT,
            "sender": business(text_from="MG" + "0" * 32),
        },
        "Only the customer can undo this: they text START to the number that your texts come from.",
    ),
    "a complaint": (
        {"contact": opted_out(Scope.MARKETING, ConsentSource.COMPLAINT)},
        (
            "Only the customer can undo this: they marked a message as spam, and can take that back on their "
            "preference page; reminders are still sent."
        ),
    ),
    "a click of the customer": (
        {"contact": opted_out(Scope.MARKETING, ConsentSource.ONE_CLICK)},
        (
            "The customer unsubscribed with a click: they can undo it on their preference page, or tell you, and you "
            "resubscribe them with their words; reminders are still sent."
        ),
    ),
    "a wish told at the desk": (
        {"contact": opted_out(Scope.ALL, ConsentSource.STAFF)},
        "Leave it as it is until the customer asks for these messages again, then resubscribe them.",
    ),
    "nothing confirmed": (
        {"sender": business(double_opt_in=DoubleOptIn(email=True))},
        (
            "Ask the customer whether they want marketing, and have the question sent to their email address from "
            "here: once they confirm, the next message is sent."
        ),
    ),
    "no email": ({"who": replace(ANA, email=None)}, "Ask the customer for an email address and enter it here."),
    "no mobile number": (
        {"who": replace(ANA, mobile_phone=None, day_phone="+14155550123"), "what": TEXT},
        "Ask the customer for a mobile number and enter it here.",
    ),
    "no sender": (
        {"sender": business(email_from=None)},
        (
            "Ask whoever looks after your messaging to set an address to send from (email_from) "
            "in the business's settings."
        ),
    ),
    "emails switched off": (
        {"sender": business(switches=Switches(email=False), email_from=None)},
        "Ask whoever looks after your messaging to switch emails on again (switches.email) in the business's settings.",
    ),
    "texts switched off": (
        {"sender": business(switches=Switches(sms=False), bundles=frozenset()), "what": CONFIRMATION},
        "Ask whoever looks after your messaging to switch texts on again (switches.sms) in the business's settings.",
    ),
    "text confirmations switched off": (
        {"sender": business(switches=Switches(text_confirmations=False)), "what": CONFIRMATION},
        (
            "Ask whoever looks after your messaging to switch text confirmations on again "
            "(switches.text_confirmations) in the business's settings."
        ),
    ),
    "text confirmations without the bundle": (
        {"sender": business(bundles=frozenset()), "what": CONFIRMATION},
        "Ask whoever runs Rebound for the premium bundle, or text without asking for a confirmation.",
    ),
    "nothing sent yet": ({}, "Nothing to do: the next of these emails is sent."),
}


@pytest.mark.parametrize(("given_", "step"), SAYINGS.values(), ids=SAYINGS)
def test_the_next_step_is_the_one_that_helps(given_: Told, step: str) -> None:
    assert asked(**given_).next_step == step


def bounced(code: str, message_id: str = "m1", **more: Any) -> Message:
    status = MessageStatus.BOUNCED if look_up(Provider.SES, code).failure_class.is_about_the_address else None
    return message(
        1,
        status or MessageStatus.FAILED,
        key=message_key(1, message_id),
        provider=Provider.SES,
        provider_code=code,
        **more,
    )


def test_soft_failures_are_counted_towards_the_flag() -> None:
    told = asked(failing(SOFT, 3), bounced(SOFT, "m3"))

    assert told.decision == Send("ana1@example.com")
    assert told.counts == (FailureCount(FailureClass.UNREACHABLE, 3, 5),)
    assert told.next_step.startswith("Nothing to do yet: that makes 3 of the 5 failures in a row that flag")


def test_failures_that_the_policy_does_not_count_have_no_threshold() -> None:
    lenient = business(policy=replace(business().policy, thresholds={}))
    told = asked(failing(NO_SUCH_MAILBOX, 2), bounced(NO_SUCH_MAILBOX), sender=lenient)

    assert told.counts == (FailureCount(FailureClass.INVALID, 2, None),)
    assert told.next_step.startswith("Ask the customer whether the email address is right")


def test_after_a_confirmation_the_old_bounce_is_over() -> None:
    confirmed = failing(NO_SUCH_MAILBOX).with_evidence(Cleared(at(5), ClearedBy.CONFIRMATION))
    told = asked(confirmed, bounced(NO_SUCH_MAILBOX))

    assert (told.counts, told.evidence, told.cleared) == ((), None, Cleared(at(5), ClearedBy.CONFIRMATION))
    assert told.next_step.startswith("Nothing to do: the email address has been corrected, confirmed or reached")


def test_a_bounce_of_an_address_that_the_customer_no_longer_has_asks_for_nothing() -> None:
    told = asked(None, bounced(NO_SUCH_MAILBOX, address="old@example.com"))

    assert told.attempts[0].sentence == "This mailbox does not exist."
    assert told.next_step == "Nothing to do: the next of these emails is sent."


def test_a_reminder_to_a_flagged_mailbox_is_sent_and_says_so() -> None:
    told = asked(failing(FULL), what=REMINDER)

    assert told.decision == Send("ana1@example.com")
    assert (
        sentence_of(told, Exclusion.INVALID_CONTACT)
        == "The email address is flagged as invalid, but reminders are still tried."
    )
    assert sentence_of(told, Exclusion.WAITING_FOR_RETRY) == "The business tries flagged addresses every time."
    assert told.verdict.invalid


FULL_SINCE_NOON = failing(FULL)
FOR_A_DAY = "21 November 2026, 07:00"
"""A day after the failure, on a clock in New York."""
WAITING = {
    "spaced, a reminder": (
        REMINDER,
        Recovery(spaced=True),
        Exclusion.WAITING_FOR_RETRY,
        (
            f"The email address is flagged as invalid, and reminders are tried from {FOR_A_DAY} on. "
            "The recipient's mailbox is full."
        ),
        f"Nothing to do: the next reminder from {FOR_A_DAY} on is tried and clears the flag when it arrives.",
    ),
    "spaced, marketing": (
        campaign(),
        Recovery(spaced=True),
        Exclusion.INVALID_CONTACT,
        (
            "The email address is flagged as invalid, and marketing messages leave it out. "
            "The recipient's mailbox is full."
        ),
        f"Nothing to do: the next reminder from {FOR_A_DAY} on is tried and clears the flag when it arrives.",
    ),
    "probing, marketing": (
        campaign(),
        Recovery(probe_marketing=True),
        Exclusion.INVALID_CONTACT,
        (
            "The email address is flagged as invalid, and marketing messages leave it out. "
            f"The recipient's mailbox is full. One marketing message is tried from {FOR_A_DAY} on."
        ),
        (
            f"Nothing to do: the next reminder or from {FOR_A_DAY} on a marketing message is tried "
            "and clears the flag when it arrives."
        ),
    ),
    "both, a reminder": (
        REMINDER,
        Recovery(spaced=True, probe_marketing=True),
        Exclusion.WAITING_FOR_RETRY,
        (
            f"The email address is flagged as invalid, and reminders are tried from {FOR_A_DAY} on. "
            "The recipient's mailbox is full."
        ),
        f"Nothing to do: the next message from {FOR_A_DAY} on is tried and clears the flag when it arrives.",
    ),
}


@pytest.mark.parametrize(("what", "recovery", "reason", "sentence", "step"), WAITING.values(), ids=WAITING)
def test_whoever_waits_for_a_try_is_told_from_when_on(
    what: Campaign, recovery: Recovery, reason: Exclusion, sentence: str, step: str
) -> None:
    told = asked(FULL_SINCE_NOON, what=what, sender=business(recovery=recovery))

    assert (told.decision, told.sentence, told.next_step) == (reason, sentence, step)
    assert told.next_try_at == (at(1) + timedelta(days=1) if recovery.governs(what.category) else None)


def test_a_try_that_is_due_says_so() -> None:
    old = Contact(contact_key()).with_evidence(Failure(NOW - timedelta(days=2), "m1", Provider.SES, FULL))
    reminder = asked(old, what=REMINDER, sender=business(recovery=Recovery(spaced=True)))
    marketing = asked(old, sender=business(recovery=Recovery(probe_marketing=True)))

    assert reminder.decision == marketing.decision == Send("ana1@example.com", is_try=True)
    assert (
        sentence_of(reminder, Exclusion.WAITING_FOR_RETRY)
        == "The email address is flagged as invalid, and its next try is due."
    )
    assert reminder.next_step == "Nothing to do: the next reminder is tried and clears the flag when it arrives."
    assert sentence_of(marketing, Exclusion.INVALID_CONTACT) == (
        "The email address is flagged as invalid, but a try with one marketing message is due."
    )


def test_an_address_that_does_not_exist_is_not_waited_for() -> None:
    both = business(recovery=Recovery(spaced=True, probe_marketing=True))
    gone = failing(NO_SUCH_MAILBOX).with_evidence(Failure(at(0), "m0", Provider.SES, FULL), Tried(at(9), "m9"))
    told = asked(gone, what=REMINDER, sender=both)

    assert (told.decision, told.next_try_at) == (Send("ana1@example.com"), None)
    assert told.next_step == CORRECT_IT
    assert asked(gone, sender=both).decision is Exclusion.INVALID_CONTACT


def test_opt_outs_are_told_with_source_and_time_and_whether_they_apply() -> None:
    contact = opted_out(Scope.MARKETING, ConsentSource.COMPLAINT)
    (marketing,), (reminder,) = asked(contact).opt_outs, asked(contact, what=REMINDER).opt_outs

    assert (marketing.source, marketing.at, marketing.message_id) == (ConsentSource.COMPLAINT, at(2), "m2")
    assert (marketing.applies, reminder.applies) == (True, False)
    assert asked(contact, what=REMINDER).decision == Send("ana1@example.com")


def test_an_opt_out_that_was_taken_back_is_not_told() -> None:
    contact = opted_out(Scope.ALL, ConsentSource.PROVIDER)
    back = ConsentEvidence(at(3), Scope.ALL, opted_out=False, source=ConsentSource.PROVIDER)

    assert asked(contact.with_evidence(back)).opt_outs == ()


# --- caps -------------------------------------------------------------------------------------------------------------


def test_who_has_had_enough_is_told_of_by_which_cap_and_until_when() -> None:
    told = asked(sender=business(frequency_caps=(WEEKLY,)), frequency=handed(Channel.EMAIL, 3))

    assert told.decision is Exclusion.FREQUENCY_CAP
    # Room comes with the end of the second latest, on the business's own clock.
    assert told.sentence == (
        "The customer has had as many messages as “Weekly” allows (at most 2 within 7 days), and is free again on "
        "25 November 2026, 08:00."
    )
    assert told.next_step == (
        "Nothing to do: the customer gets these messages again from 25 November 2026, 08:00 on, by the caps in the "
        "business's settings."
    )
    assert result_of(told, Exclusion.FREQUENCY_CAP).looked_at["free_again_at"] == NOW + timedelta(days=5)


def test_who_has_had_little_is_told_how_much() -> None:
    told = asked(sender=business(frequency_caps=(WEEKLY,)), frequency=handed(Channel.EMAIL, 1))

    assert (
        sentence_of(told, Exclusion.FREQUENCY_CAP)
        == "There is room for one more under every cap: 1 of 2 by “Weekly” so far."
    )


def test_an_opt_out_speaks_before_a_cap() -> None:
    contact = opted_out(Scope.MARKETING, ConsentSource.COMPLAINT)
    told = asked(contact, sender=business(frequency_caps=(WEEKLY,)), frequency=handed(Channel.EMAIL, 3))

    assert told.decision is Exclusion.OPTED_OUT


# --- the use case -----------------------------------------------------------------------------------------------------


def world_of(*log: Message) -> tuple[World, ExplainReachability]:
    world = World()
    world.add(ANA)
    world.messages.record_new(log)
    return world, ExplainReachability(
        customers=world.customers,
        contacts=world.contacts,
        frequencies=world.frequencies,
        summaries=world.summaries,
        pin_filters=world.pin_filters,
        businesses=world.businesses,
        messages=world.messages,
        clock=world.clock,
        whereabouts=known_whereabouts,
    )


def numbered(n: int, channel: Channel) -> Message:
    return message(1, MessageStatus.DELIVERED, channel=channel, key=message_key(1, f"01M7W6C3805FEE6AD6R1F2{n:04d}"))


def test_the_last_five_attempts_are_those_of_the_channel_however_many_of_the_other_came_after() -> None:
    emails = [numbered(n, Channel.EMAIL) for n in range(7)]
    texts = [numbered(n, Channel.SMS) for n in range(100, 180)]
    _, explained = world_of(*emails, *texts)
    told = explained(BUSINESS_ID, id_of(1), Channel.EMAIL, Category.MARKETING)

    assert [attempt.message for attempt in told.attempts] == emails[: -SHOWN_ATTEMPTS - 1 : -1]


def test_the_answer_is_about_the_contact_as_of_now() -> None:
    world, explained = world_of()
    world.know(contact_key(1), Failure(at(1), "m1", Provider.SES, NO_SUCH_MAILBOX))
    email = explained(BUSINESS_ID, id_of(1), Channel.EMAIL, Category.MARKETING)
    text = explained(BUSINESS_ID, id_of(1), Channel.SMS, Category.MARKETING)

    assert (email.decision, text.decision) == (Exclusion.INVALID_CONTACT, Send("+14155560001"))


def test_somebody_elses_customer_does_not_exist() -> None:
    _, explained = world_of()
    with pytest.raises(NotFoundError):
        explained("another", id_of(1), Channel.EMAIL, Category.MARKETING)
