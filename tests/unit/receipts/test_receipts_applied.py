"""Receipts applied in any order, any batches, any number of times and beside each other end in the same place."""

from collections.abc import Callable, Mapping, Sequence
from copy import replace
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import permutations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.businesses.domain.business import Business
from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.application import SuppressionListClient
from rebound.contacts.domain.reachability import (
    STANDARD_POLICY,
    STRICT_POLICY,
    Cleared,
    ClearedBy,
    Failure,
    ReachabilityPolicy,
    Verdict,
    policy_of,
)
from rebound.contacts.ports import ContactBook
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import ComeAgainError, NotAnsweredError
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import MessageKey, Outcome, Receipt
from rebound.messages.application.record_evidence import RecordEvidence
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.messages.ports import MessageLog
from rebound.receipts.adapters.mail_servers import NO_REPORT
from rebound.receipts.application.apply_receipts import Applied, ApplyReceipts
from rebound.text_plans.application.meter_texts import MeterTexts
from tests.contract.contacts.fakes import MemoryContactBook, MemorySuppressionList, client_of
from tests.contract.messages.fakes import MemoryMessageLog
from tests.fakes.making import (
    BUSINESS_ID,
    NO_SUCH_MAILBOX,
    SOFT,
    at,
    business,
    contact_key,
    customer,
    id_of,
    message,
    message_key,
    receipt,
)
from tests.fakes.watching import Turns, watched

ADDRESSES = ("family@example.com", "ana@example.com")
CODES = (
    NO_SUCH_MAILBOX,
    "Transient/MailboxFull",
    SOFT,
    NO_REPORT,
    "smtp/5.4.4",
    "smtp/5.7",
    "Transient/ContentRejected",
    "Permanent/UnsubscribedRecipient",
    "Permanent/OnAccountSuppressionList",
    "new",
)
ENTRIES = (("family@example.com", "BOUNCE", 7.5), ("ana@example.com", "COMPLAINT", 7.5))
"""What the provider's suppression list says of the addresses of the stories."""
POLICY = STANDARD_POLICY
POLICIES = (POLICY, STRICT_POLICY, policy_of("custom", {"invalid": 1, "unreachable": 1}))


def no_text_plans() -> MeterTexts:
    """No text of these is counted."""
    raise AssertionError


def applying(messages: MessageLog, contacts: ContactBook, suppressions: SuppressionListClient) -> ApplyReceipts:
    """The use case over these."""
    record_evidence = RecordEvidence(messages=messages, contacts=contacts)
    return ApplyReceipts(
        messages=messages,
        contacts=contacts,
        suppressions=suppressions,
        record_evidence=record_evidence,
        meter=no_text_plans,
    )


@dataclass(frozen=True)
class Edit:
    """The business edits an address at a time."""

    key: ContactKey
    at: datetime


@dataclass(frozen=True)
class OptOut:
    """A person opts out at a time."""

    key: ContactKey
    at: datetime


Event = Receipt | Edit | OptOut


class Story:
    """Messages that went out, and what is known afterwards."""

    def __init__(self, messages: Sequence[Message], behind: Callable[[], bool] = lambda: False) -> None:
        self.log = MemoryMessageLog(behind=behind)
        self.contacts = MemoryContactBook()
        self.suppressions = MemorySuppressionList()
        for address, reason, seconds in ENTRIES:
            self.suppressions.put(address, reason, at(seconds))
        self.log.record_new(messages)
        for sent in messages:
            key = ContactKey(BUSINESS_ID, sent.channel, sent.address)
            stored = self.contacts.get_many([key])[key]
            self.contacts.save(replace(stored, customer_ids=stored.customer_ids | {sent.key.customer_id}))
        self.apply = applying(self.log, self.contacts, client_of(self.suppressions))

    def tell(self, batch: Sequence[Event]) -> None:
        """Apply one batch: its receipts together, edits and opt-outs one by one."""
        for event in batch:
            if isinstance(event, Receipt):
                continue
            contact = self.contacts.get_many([event.key])[event.key]
            said = (
                Cleared(event.at, ClearedBy.EDIT)
                if isinstance(event, Edit)
                else ConsentEvidence(event.at, Scope.MARKETING, opted_out=True, source=ConsentSource.PROVIDER)
            )
            self.contacts.save(contact.with_evidence(said))
        receipts = {str(n): [event] for n, event in enumerate(batch) if isinstance(event, Receipt)}
        self.take(receipts)

    def take(self, receipts: Mapping[str, Sequence[Receipt]]) -> Applied:
        """Apply until nothing comes again but what is early."""
        for _ in range(50):
            applied = self.apply(receipts)
            if not applied.contended:
                return applied
            receipts = {entry: receipts[entry] for entry in applied.contended}
        raise AssertionError("contended for ever")

    def end(self) -> tuple[object, ...]:
        """Everything that can be seen: rows, verdicts, opt-outs."""
        verdicts = {
            key: [_seen(contact.verdict(policy)) for policy in POLICIES] for key, contact in self.contacts.rows.items()
        }
        consent = {key: contact.consent.opted_out for key, contact in self.contacts.rows.items()}
        return (self.log.rows, verdicts, consent)


def _seen(verdict: Verdict) -> tuple[object, ...]:
    return (verdict.invalid, verdict.reason, verdict.since)


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Message], list[Event]]:
    """Some messages to a few customers who share addresses, and what is said about them.

    A provider tells of one delivery and of one failure with each code for a message; their times are distinct because
    verdicts name a time.
    """
    times = iter(draw(st.permutations(range(60))))
    sent: list[Message] = []
    events: list[Event] = []
    for number in range(draw(st.integers(1, 7))):
        key = MessageKey(BUSINESS_ID, id_of(draw(st.integers(1, 3))), f"m{number}")
        address = draw(st.sampled_from(ADDRESSES))
        sent.append(
            message(
                key=key, address=address, status=MessageStatus.SENT, provider=Provider.SES, provider_id=key.message_id
            )
        )
        kinds = draw(st.sets(st.sampled_from(["sent", "delayed", "delivered", "complained", *CODES]), max_size=4))
        for kind in sorted(kinds):
            failed = kind in CODES
            told = receipt(
                Outcome.FAILED if failed else Outcome(kind),
                next(times),
                key=key,
                provider_id=key.message_id,
                code=kind if failed else None,
                address=draw(st.sampled_from([address, address.upper(), None])),
            )
            events.append(told)
    for edited in draw(st.lists(st.booleans(), max_size=2)):
        about, moment = ContactKey(BUSINESS_ID, Channel.EMAIL, draw(st.sampled_from(ADDRESSES))), at(next(times))
        events.append(Edit(about, moment) if edited else OptOut(about, moment))
    return sent, events


def sometimes(seed: int) -> Callable[[], bool]:
    """Whether a read that is not of now misses the last write."""
    chance = Random(seed)  # noqa: S311 - no secret
    return lambda: chance.random() < 0.5


def when(event: Event) -> datetime:
    return event.occurred_at if isinstance(event, Receipt) else event.at


def in_time_order(sent: list[Message], events: Sequence[Event]) -> Story:
    story = Story(sent)
    for event in sorted(events, key=when):
        story.tell([event])
    return story


@settings(max_examples=80)
@given(stories(), st.data())
def test_any_order_any_batches_and_any_duplication_end_as_in_time_order(
    story: tuple[list[Message], list[Event]], data: st.DataObject
) -> None:
    sent, events = story
    again = data.draw(st.lists(st.sampled_from(events), max_size=3)) if events else []
    shuffled = data.draw(st.permutations([*events, *again]))
    other = Story(sent, sometimes(data.draw(st.integers(0, 1 << 30))))
    while shuffled:
        size = data.draw(st.integers(1, len(shuffled)))
        other.tell(shuffled[:size])
        shuffled = shuffled[size:]

    assert other.end() == in_time_order(sent, events).end()


@settings(max_examples=48)
@given(stories(), st.integers(0, 1 << 30), st.integers(2, 3), st.randoms(use_true_random=False))
def test_workers_beside_each_other_end_as_in_time_order(
    story: tuple[list[Message], list[Event]], seed: int, workers: int, chance: object
) -> None:
    sent, events = story
    receipts = [event for event in events if isinstance(event, Receipt)]
    turns = Turns(seed)
    other = Story(sent, sometimes(seed))
    other.apply = applying(
        watched(other.log, "messages", turns.checkpoint),
        watched(other.contacts, "contacts", turns.checkpoint),
        client_of(other.suppressions),
    )
    chance.shuffle(receipts)  # type: ignore[attr-defined]
    parts = [receipts[worker::workers] for worker in range(workers)]
    turns.run([partial(take_one_by_one, other, part) for part in parts])

    assert other.end() == in_time_order(sent, receipts).end()


def take_one_by_one(story: Story, receipts: Sequence[Receipt]) -> None:
    story.take({str(number): [told] for number, told in enumerate(receipts)})


@given(stories(), st.integers(0, 1 << 30))
def test_a_worker_that_dies_anywhere_loses_nothing_when_its_batch_comes_again(
    story: tuple[list[Message], list[Event]], after: int
) -> None:
    sent, events = story
    receipts = {str(n): [event] for n, event in enumerate(events) if isinstance(event, Receipt)}
    other = Story(sent)
    left = after % 20

    def die_sometime(_: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise ConnectionError

    whole = other.apply
    other.apply = applying(
        watched(other.log, "messages", die_sometime),
        watched(other.contacts, "contacts", die_sometime),
        client_of(other.suppressions),
    )
    try:
        other.take(receipts)
    except ConnectionError:
        other.apply = whole
        other.take(receipts)

    assert other.end() == in_time_order(sent, [said for batch in receipts.values() for said in batch]).end()


# --- by hand ----------------------------------------------------------------------------------------------------------

ANA = contact_key(1)


def story_of() -> Story:
    return Story([message(1, provider=Provider.SES)])


def flag(story: Story, key: ContactKey = ANA) -> Verdict:
    return story.contacts.rows[key].verdict(POLICY)


def bounce(seconds: float = 0, number: int = 1, **given_fields: object) -> Receipt:
    fields = {"code": NO_SUCH_MAILBOX, "key": message_key(number), **given_fields}
    return receipt(Outcome.FAILED, seconds, **fields)


def test_a_bounce_flags_the_address_that_the_message_went_to() -> None:
    story = story_of()
    story.tell([bounce(3)])

    assert (flag(story).invalid, flag(story).since) == (True, at(3))
    assert story.log.rows[message_key(1)].status is MessageStatus.BOUNCED


@pytest.mark.parametrize("order", list(permutations(["delivery", "answer", "answer again"])))
@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: str(policy.thresholds))
def test_an_out_of_office_answer_to_what_was_delivered_is_nothing_in_any_order(
    order: Sequence[str], policy: ReachabilityPolicy
) -> None:
    told = {
        "delivery": receipt(Outcome.DELIVERED, 2),
        "answer": bounce(60, code=NO_REPORT),
        "answer again": bounce(3600, code=NO_REPORT),
    }
    story = story_of()
    for name in order:
        story.tell([told[name]])
    row = story.log.rows[message_key(1)]

    assert (row.status, row.reason, row.provider_code, row.failed_at) == (MessageStatus.DELIVERED, None, None, None)
    assert row.final_at == at(2)
    assert not story.contacts.rows[ANA].verdict(policy).invalid
    assert story.contacts.rows[ANA].reachability.failures == frozenset()


def test_an_out_of_office_answer_after_the_delivery_writes_nothing() -> None:
    story = story_of()
    story.tell([receipt(Outcome.DELIVERED, 2)])
    story.log.stream.take()
    writes = story.contacts.writes
    story.tell([bounce(60, code=NO_REPORT)])

    assert (story.contacts.writes, story.log.stream.take()) == (writes, [])


def test_what_came_back_without_a_report_counts_while_no_delivery_is_known() -> None:
    keys = [message_key(1, f"m{number}") for number in range(5)]
    story = Story([message(1, key=key, queued_at=at(n), provider=Provider.SES) for n, key in enumerate(keys)])
    for n, key in enumerate(keys):
        assert not flag(story).invalid
        story.tell([bounce(100 - n, code=NO_REPORT, key=key)])

    assert flag(story).invalid
    assert story.log.rows[keys[0]].status is MessageStatus.BOUNCED
    # The delivery of one proves nothing about those that were sent after it.
    story.tell([receipt(Outcome.DELIVERED, 0.5, key=keys[0])])
    assert not flag(story).invalid
    assert len(story.contacts.rows[ANA].reachability.failures) == 4


def test_a_real_bounce_after_the_out_of_office_answer_still_flags() -> None:
    story = story_of()
    story.tell([bounce(60, code=NO_REPORT), receipt(Outcome.DELIVERED, 2), bounce(70)])

    assert (flag(story).invalid, flag(story).since) == (True, at(70))
    assert story.log.rows[message_key(1)].status is MessageStatus.BOUNCED


def test_a_receipt_about_another_address_than_the_messages_changes_nothing() -> None:
    story = story_of()
    applied = story.take({"e": [bounce(3, address="somebody.else@example.com")]})

    assert applied.unattributed == 1
    assert not flag(story).invalid
    assert story.log.rows[message_key(1)].status is MessageStatus.SENT


def test_one_notification_about_three_recipients_flags_only_ours() -> None:
    story = story_of()
    addresses = ("other@example.com", "ANA1@example.com", "third@example.com")
    applied = story.take({"e": [bounce(3, address=address) for address in addresses]})

    assert applied.unattributed == 2
    assert flag(story).invalid
    assert list(story.contacts.rows) == [ANA]


def test_a_delivery_to_a_healthy_contact_writes_nothing_to_it() -> None:
    story = story_of()
    writes = story.contacts.writes
    story.tell([receipt(Outcome.DELIVERED, 5)])

    assert story.contacts.writes == writes
    assert story.log.rows[message_key(1)].status is MessageStatus.DELIVERED


def test_a_bounce_that_comes_after_a_later_delivery_was_applied_does_not_flag_although_that_was_never_written() -> None:
    story = Story([message(1), message(2, address="ana1@example.com")])
    story.tell([receipt(Outcome.DELIVERED, 10, key=message_key(2))])
    story.tell([bounce(5)])

    assert not flag(story).invalid


def test_a_delivery_that_is_applied_between_the_look_for_deliveries_and_the_write_of_a_failure_counts() -> None:
    story = Story([message(1), message(2, address="ana1@example.com")])
    waiting = [receipt(Outcome.DELIVERED, 10, key=message_key(2))]

    def meanwhile(where: str) -> None:
        if where == "contacts.save" and waiting:
            applying(story.log, story.contacts, client_of())({"other": [waiting.pop()]})

    applying(story.log, watched(story.contacts, "contacts", meanwhile), client_of())({"mine": [bounce(5)]})

    assert waiting == []
    assert not flag(story).invalid


@settings(max_examples=60)
@given(st.integers(0, 1 << 30), st.booleans())
def test_a_failure_and_a_later_delivery_applied_beside_each_other_never_leave_a_flag(seed: int, shared: bool) -> None:
    turns = Turns(seed)
    numbers = (1, 2) if shared else (1, 1)
    keys = [message_key(number, name) for number, name in zip(numbers, ("m1", "m2"), strict=True)]
    story = Story([message(1, key=key, provider=Provider.SES) for key in keys])
    story.apply = applying(
        watched(story.log, "messages", turns.checkpoint),
        watched(story.contacts, "contacts", turns.checkpoint),
        client_of(story.suppressions),
    )
    told = [bounce(1, key=keys[0]), receipt(Outcome.DELIVERED, 2, key=keys[1])]
    turns.run([partial(take_one_by_one, story, [item]) for item in told])

    assert not flag(story).invalid


def test_a_delivery_on_one_customers_message_clears_the_address_for_all_who_share_it() -> None:
    story = Story([message(1), message(2, address="ana1@example.com")])
    story.tell([bounce(1)])
    story.tell([receipt(Outcome.DELIVERED, 2, key=message_key(2))])

    assert not flag(story).invalid


def test_a_receipt_for_a_message_that_is_not_known_comes_again_and_the_others_of_the_batch_do_not() -> None:
    story = story_of()
    applied = story.take({"early": [bounce(1, number=9)], "known": [bounce(1)]})

    assert applied.early == applied.again == frozenset({"early"})
    assert flag(story).invalid


@pytest.mark.parametrize("missed", ["the message", "its last change"])
def test_what_a_first_look_misses_is_looked_at_again(missed: str) -> None:
    story = Story([], behind=lambda: True)
    story.log.record_new([message(1, status=MessageStatus.QUEUED)])
    if missed == "its last change":
        story.log.record([message(1, provider=Provider.SES)])
    applied = story.take({"1": [receipt(Outcome.DELIVERED, 5, key=message_key(1))]})

    assert not applied.early
    assert story.log.rows[message_key(1)].status is MessageStatus.DELIVERED


def test_feedback_without_tags_is_nobodys() -> None:
    applied = story_of().take({"e": [replace(bounce(), key=None, provider_id="ses-1")]})

    assert (applied.unattributed, applied.again) == (1, frozenset())


def test_a_text_of_sns_is_found_by_the_providers_id_and_is_early_until_it_is_remembered() -> None:
    story = Story([message(1, channel=Channel.SMS, address="+14155560001", provider=Provider.SNS)])
    log_line = Receipt(Provider.SNS, Outcome.FAILED, at(1), None, "sns-1", "+14155560001", "Invalid phone number")
    early = story.take({"e": [log_line]})
    story.log.remember_provider_id(Provider.SNS, "sns-1", message_key(1))
    applied = story.take({"e": [log_line]})

    assert (early.early, applied.again) == (frozenset({"e"}), frozenset())
    assert flag(story, contact_key(1, Channel.SMS)).invalid


@pytest.mark.parametrize("channel", list(Channel))
def test_an_opt_out_at_the_provider_covers_all_texts_and_only_marketing_email(channel: Channel) -> None:
    code, provider = (
        ("21610", Provider.TWILIO)
        if channel is Channel.SMS
        else (
            "Permanent/UnsubscribedRecipient",
            Provider.SES,
        )
    )
    address = customer(1).contact_key(channel)
    assert address is not None
    story = Story([message(1, channel=channel, address=address.address)])
    story.tell([receipt(Outcome.FAILED, 1, code=code, provider=provider)])

    assert story.contacts.rows[address].consent.opted_out == (
        (Scope.ALL,) if channel is Channel.SMS else (Scope.MARKETING,)
    )
    assert not flag(story, address).invalid


def test_a_complaint_opts_out_of_marketing_and_never_flags() -> None:
    story = story_of()
    story.tell([receipt(Outcome.COMPLAINED, 4, code="Complaint")])

    assert story.contacts.rows[ANA].consent.opted_out == (Scope.MARKETING,)
    assert not flag(story).invalid


def test_a_complaint_does_not_clear_a_flag_in_either_order() -> None:
    for order in ((0, 1), (1, 0)):
        story = Story([message(1), message(2, address="ana1@example.com")])
        told = [bounce(1), receipt(Outcome.COMPLAINED, 5, key=message_key(2), code="Complaint")]
        for index in order:
            story.tell([told[index]])

        assert flag(story).invalid


def test_no_delivery_ends_an_opt_out() -> None:
    story = story_of()
    story.tell([receipt(Outcome.COMPLAINED, 1, code="Complaint")])
    story.tell([receipt(Outcome.DELIVERED, 9)])

    assert story.contacts.rows[ANA].consent.opted_out == (Scope.MARKETING,)


def test_a_callback_of_twilio_that_comes_again_later_counts_once_and_keeps_its_time() -> None:
    key = contact_key(1, Channel.SMS)
    story = Story([message(1, channel=Channel.SMS, address=key.address, provider=Provider.TWILIO)])
    for seconds in (1, 50, 100):
        story.tell([bounce(seconds, provider=Provider.TWILIO, code="30005")])
    failures = story.contacts.rows[key].reachability.failures

    assert failures == {Failure(at(1), message_key(1).message_id, Provider.TWILIO, "30005")}


def test_a_replayed_old_failure_does_not_flag_an_address_that_was_delivered_to_since() -> None:
    key = contact_key(1, Channel.SMS)
    texts = [message(n, channel=Channel.SMS, address=key.address, provider=Provider.TWILIO) for n in (1, 2)]
    story = Story(texts)
    story.tell([bounce(1, provider=Provider.TWILIO, code="30005")])
    story.tell([receipt(Outcome.DELIVERED, 5, provider=Provider.TWILIO, key=message_key(2))])
    story.tell([bounce(9, provider=Provider.TWILIO, code="30005")])

    assert not flag(story, key).invalid


def test_a_receipt_about_an_old_address_leaves_the_customers_new_one_alone() -> None:
    story = story_of()
    new = ContactKey(BUSINESS_ID, Channel.EMAIL, "ana.new@example.com")
    story.contacts.save(replace(story.contacts.get_many([new])[new], customer_ids=frozenset({id_of(1)})))
    story.tell([bounce(1)])

    assert flag(story).invalid
    assert not flag(story, new).invalid


def test_businesses_do_not_share_what_they_know_of_an_address() -> None:
    mine, theirs = message(1), message(1, key=replace(message_key(1), business_id="other"))
    story = Story([mine])
    story.log.record_new([theirs])
    story.tell([bounce(1)])
    other = ContactKey("other", Channel.EMAIL, "ana1@example.com")

    assert not story.contacts.get_many([other])[other].verdict(business().policy).invalid
    assert isinstance(business(), Business)


# --- what was not tried because of the suppression list ---------------------------------------------------------------

SUPPRESSED = "Permanent/OnAccountSuppressionList"


def suppressed(seconds: float = 9, number: int = 1, code: str = SUPPRESSED) -> Receipt:
    return receipt(Outcome.FAILED, seconds, code=code, key=message_key(number), address=f"Ana{number}@Example.com")


@pytest.mark.parametrize("code", [SUPPRESSED, "Permanent/Suppressed", "Complaint/OnAccountSuppressionList"])
def test_a_message_that_was_not_tried_flags_by_the_entrys_own_reason_at_its_own_date(code: str) -> None:
    story = story_of()
    story.suppressions.put("Ana1@Example.com", "BOUNCE", at(-100))
    story.tell([suppressed(code=code)])

    assert (flag(story).invalid, flag(story).since) == (True, at(-100))
    assert story.contacts.rows[ANA].consent.opted_out == ()
    row = story.log.rows[message_key(1)]
    assert (row.status, row.failed_at, row.provider_code) == (MessageStatus.FAILED, at(9), code)


def test_a_message_that_was_not_tried_because_of_a_complaint_opts_out_of_marketing() -> None:
    story = story_of()
    story.suppressions.put("ana1@example.com", "COMPLAINT", at(-100))
    story.tell([suppressed()])

    said = story.contacts.rows[ANA].consent.of(Scope.MARKETING).opt_out
    assert (said and said.at, said and said.source) == (at(-100), ConsentSource.COMPLAINT)
    assert not flag(story).invalid


def test_a_message_that_was_not_tried_without_an_entry_says_nothing() -> None:
    story = story_of()
    writes = story.contacts.writes
    story.tell([suppressed()])

    assert story.contacts.writes == writes
    assert story.suppressions.calls == {"get": 2}


def test_an_entry_older_than_a_delivery_flags_nobody() -> None:
    story = Story([message(1), message(2, address="ana1@example.com")])
    story.tell([receipt(Outcome.DELIVERED, 5, key=message_key(2))])
    story.suppressions.put("ana1@example.com", "BOUNCE", at(4))
    story.tell([suppressed()])

    assert not flag(story).invalid


def test_two_messages_that_were_not_tried_because_of_one_entry_are_one_failure() -> None:
    story = Story([message(1), message(1, key=message_key(1, "another"))])
    story.suppressions.put("ana1@example.com", "BOUNCE", at(-100))
    story.tell([suppressed()])
    story.tell([receipt(Outcome.FAILED, 12, code=SUPPRESSED, key=message_key(1, "another"))])

    assert len(story.contacts.rows[ANA].reachability.failures) == 1


def test_without_time_to_look_up_the_others_are_applied_and_the_entry_is_put_off() -> None:
    story = Story([message(1), message(2)])
    story.suppressions.put("ana1@example.com", "BOUNCE", at(-100))
    story.suppressions.troubles = [ComeAgainError()] * 99
    batch = {"mine": [suppressed()], "other": [bounce(3, 2)]}
    applied = story.take(batch)

    assert (applied.postponed, applied.again) == (frozenset({"mine"}), frozenset())
    assert not flag(story).invalid
    assert flag(story, contact_key(2)).invalid
    story.suppressions.troubles = []
    assert story.take(batch).postponed == frozenset()
    assert flag(story).invalid


def test_a_list_that_may_not_be_asked_fails_only_what_needed_it() -> None:
    story = Story([message(1), message(2)])
    story.suppressions.troubles = [NotAnsweredError("AccessDeniedException")]
    applied = story.take({"mine": [suppressed()], "other": [bounce(3, 2)]})

    assert applied.unanswered == applied.again == {"mine"}
    assert applied.postponed == frozenset()
    assert flag(story, contact_key(2)).invalid
