"""What the providers say happened, applied: message statuses, reachability, consent.

Everything here is idempotent and independent of order. The evidence of a receipt is recorded at the contact each time
that the receipt comes, so a receipt that was applied only in part is completed when it comes again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.reachability import Cleared, ClearedBy, Evidence, Failure
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import ConcurrentChangeError, NotAnsweredError, NotYetKnownError
from rebound.kernel.provider_codes import FailureClass, look_up
from rebound.kernel.receipts import MessageKey, Outcome, Receipt
from rebound.messages.application.record_evidence import ATTEMPTS
from rebound.messages.domain.messages import Message

if TYPE_CHECKING:
    from rebound.contacts.application import SuppressionListClient
    from rebound.contacts.ports import ContactBook
    from rebound.messages.application.record_evidence import RecordEvidence
    from rebound.messages.ports import MessageLog
    from rebound.text_plans.application.meter_texts import MeterTexts

LOOK_UP_BUDGET: Final = timedelta(seconds=15)
"""How long one batch may ask the suppression list; its function may run for a minute."""


class Applied(Struct, frozen=True):
    """What became of a batch: which entries must come again, and how many receipts named nobody we wrote to."""

    early: frozenset[str]
    """Entries with a receipt for a message that is not known (yet)."""
    contended: frozenset[str]
    """Entries whose rows others kept changing."""
    unattributed: int
    unanswered: frozenset[str] = frozenset()
    """Entries for which the suppression list could not be asked."""
    postponed: frozenset[str] = frozenset()
    """Entries for which there was no time to ask the suppression list; not failed, but enqueued as new messages."""
    unclaimed: frozenset[str] = frozenset()
    """Early entries that name a text by the provider's id alone, which nobody here is known to have sent (yet)."""

    @property
    def again(self) -> frozenset[str]:
        """All entries that must come again and have failed this time."""
        return self.early | self.contended | self.unanswered


class _Known(Struct, frozen=True):
    """A receipt with the entry that it came in and the message it is about."""

    entry: str
    receipt: Receipt
    message: Message


class _Evidence(Struct, frozen=True):
    """What a receipt, or an entry of the suppression list, says about the contact of a message."""

    known: _Known
    evidence: Evidence | ConsentEvidence

    @property
    def contact(self) -> ContactKey:
        """The contact that the evidence is about."""
        message = self.known.message
        return message.contact_of(self.known.receipt) if message.contact.is_hashed else message.contact


class ApplyReceipts(Struct, frozen=True, kw_only=True):
    """Applies a batch of entries, each with the receipts of one queue message.

    When the provider did not try a message because of its suppression list, that proves nothing about the address; the
    entry on the list does, at its own date. So it is looked up, after the batch's other receipts have been applied.
    """

    messages: MessageLog
    contacts: ContactBook
    suppressions: SuppressionListClient
    record_evidence: RecordEvidence
    meter: Callable[[], MeterTexts]

    def __call__(self, entries: Mapping[str, Sequence[Receipt]]) -> Applied:
        """Apply what can be applied now."""
        early: set[str] = set()
        unclaimed: set[str] = set()
        keyed: list[tuple[str, MessageKey, Receipt]] = []
        unattributed = 0
        for entry, receipts in entries.items():
            for receipt in receipts:
                try:
                    key = self._key_of(receipt)
                except NotYetKnownError:
                    early.add(entry)
                    unclaimed.add(entry)
                    continue
                if key is None:
                    unattributed += 1
                else:
                    keyed.append((entry, key, receipt))
        messages, contended = self._advance(keyed)
        known: list[_Known] = []
        for entry, key, receipt in keyed:
            message = messages.get(key)
            if message is None:
                early.add(entry)
            elif not message.is_meant_by(receipt):
                unattributed += 1
            else:
                known.append(_Known(entry, receipt, message))
        contended_entries = {entry for entry, key, _ in keyed if key in contended}
        known = [item for item in known if item.message.key not in contended]
        contended_entries |= self._settle(known)
        contended_entries |= self._record([_Evidence(item, evidence) for item in known for evidence in _evidence(item)])
        found, unanswered, postponed = self._look_up([item for item in known if _is_provisional(item.receipt)])
        contended_entries |= self._record(found)
        return Applied(
            frozenset(early),
            frozenset(contended_entries),
            unattributed,
            frozenset(unanswered),
            # A failed entry comes again by itself, so it is not postponed too.
            frozenset(postponed - early - contended_entries),
            frozenset(unclaimed),
        )

    def _key_of(self, receipt: Receipt) -> MessageKey | None:
        if receipt.key is not None:
            return receipt.key
        if receipt.provider.traits.returns_key or receipt.provider_id is None:
            # Feedback of an SES identity carries no tags; the configuration set publishes the same event with tags.
            return None
        key = self.messages.find_by_provider_id(receipt.provider, receipt.provider_id)
        if key is None:
            raise NotYetKnownError
        return key

    # --- messages -----------------------------------------------------------------------------------------------------

    def _advance(
        self, keyed: Sequence[tuple[str, MessageKey, Receipt]]
    ) -> tuple[Mapping[MessageKey, Message], set[MessageKey]]:
        """The messages after the receipts, and the keys of those that others kept changing."""
        receipts: defaultdict[MessageKey, list[Receipt]] = defaultdict(list)
        for _, key, receipt in keyed:
            receipts[key].append(receipt)
        messages: dict[MessageKey, Message] = {}
        pending = set(receipts)
        for attempt in range(ATTEMPTS):
            if not pending:
                break
            stored = self.messages.get_many(sorted(pending, key=str), consistent=attempt > 0)
            after = {key: _after(message, receipts[key]) for key, message in stored.items()}
            messages.update(after)
            changed = [(stored[key], message) for key, message in after.items() if message != stored[key]]
            lost = set(self.messages.advance(changed)) if changed else set()
            # The first read is eventually consistent. A conditional write that succeeds proves that the row was
            # current; a message that was missing, or that the receipts did not change, is read again.
            pending = lost if attempt else pending - ({message.key for _, message in changed} - lost)
        return messages, pending

    def _settle(self, known: Sequence[_Known]) -> set[str]:
        """Correct what texts count against text plans, which few businesses have; the entries others kept changing."""
        contended: set[str] = set()
        for item in known:
            said, counted = item.receipt.segments, item.message.segments
            if counted is not None and said and said != counted:
                try:
                    self.meter().settle(item.message.key, said)
                except ConcurrentChangeError:
                    contended.add(item.entry)
        return contended

    # --- contacts -----------------------------------------------------------------------------------------------------

    def _record(self, evidence: Sequence[_Evidence]) -> set[str]:
        """Record the evidence at its contacts; returns the entries whose contacts others kept changing."""
        if not evidence:
            return set()
        by_contact: defaultdict[ContactKey, list[_Evidence]] = defaultdict(list)
        for item in evidence:
            by_contact[item.contact].append(item)
        contacts = self.contacts.get_many(by_contact)
        contended: set[str] = set()
        for key, items in by_contact.items():
            try:
                senders = {item.known.message.key.customer_id for item in items}
                self.record_evidence(contacts[key], [item.evidence for item in items], senders)
            except ConcurrentChangeError:
                contended |= {item.known.entry for item in items}
        return contended

    def _look_up(self, provisional: Sequence[_Known]) -> tuple[Sequence[_Evidence], set[str], set[str]]:
        """Look up addresses that were not tried: the evidence, the entries not answered, the entries postponed."""
        if not provisional:
            return (), set(), set()
        written = {item.receipt.address or item.message.address for item in provisional}
        try:
            answers = self.suppressions.find_all(sorted(written), self.suppressions.within(LOOK_UP_BUDGET))
        except NotAnsweredError:
            return (), {item.entry for item in provisional}, set()
        evidence: list[_Evidence] = []
        postponed: set[str] = set()
        for item in provisional:
            entries = answers.get(item.receipt.address or item.message.address)
            if entries is None:
                postponed.add(item.entry)
            else:
                evidence.extend(_Evidence(item, entry.evidence) for entry in entries)
        return evidence, set(), postponed


def _after(message: Message, receipts: Iterable[Receipt]) -> Message:
    for receipt in receipts:
        message = message.after(receipt)
    return message


def _evidence(item: _Known) -> Iterable[Evidence | ConsentEvidence]:
    """What one receipt says about its contact, dated as the message row has it."""
    receipt, message = item.receipt, item.message
    message_id = message.key.message_id
    match receipt.outcome:
        case Outcome.DELIVERED:
            yield Cleared(_time(message.delivered_at, receipt), ClearedBy.DELIVERY, message_id)
        case Outcome.COMPLAINED:
            yield ConsentEvidence(
                receipt.occurred_at,
                Scope.MARKETING,
                opted_out=True,
                source=ConsentSource.COMPLAINT,
                message_id=message_id,
            )
        case Outcome.FAILED:
            row = look_up(receipt.provider, receipt.code)
            at = _time(message.failed_at, receipt)
            if row.outdone_by_delivery:
                if message.delivered_at is not None:
                    return
                # Dated before any delivery of this message, so that one that is told of later clears it.
                at = min(at, message.queued_at or at)
            if row.failure_class.is_about_the_address:
                yield Failure(at, message_id, receipt.provider, row.code, receipt.detail)
            elif row.failure_class is FailureClass.OPTED_OUT:
                scope = Scope.ALL if message.channel is Channel.SMS else Scope.MARKETING
                yield ConsentEvidence(at, scope, opted_out=True, source=ConsentSource.PROVIDER, message_id=message_id)


def _is_provisional(receipt: Receipt) -> bool:
    return (
        receipt.outcome is Outcome.FAILED
        and look_up(receipt.provider, receipt.code).failure_class is FailureClass.PROVISIONAL
    )


def _time(kept: datetime | None, receipt: Receipt) -> datetime:
    """The provider's own time; for a provider that sends none, the time that the message row has kept, if any."""
    return receipt.occurred_at if receipt.provider.traits.dates_receipts or kept is None else kept
