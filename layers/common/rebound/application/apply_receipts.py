"""What the providers say happened, applied: message statuses, reachability, consent.

Everything here is idempotent and independent of order. What a receipt says of a contact is told to it each time that
the receipt comes, so one that was applied half is completed when it comes again.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from rebound.application.ports import ContactBook, MessageLog
from rebound.domain.channels import Channel, ContactKey
from rebound.domain.consent import ConsentEvidence, ConsentSource, Scope
from rebound.domain.contacts import Contact
from rebound.domain.errors import ConcurrentChangeError, NotYetKnownError
from rebound.domain.messages import Message
from rebound.domain.provider_codes import FailureClass, Provider, look_up
from rebound.domain.reachability import Cleared, ClearedBy, Evidence, Failure
from rebound.domain.receipts import MessageKey, Outcome, Receipt

ATTEMPTS: Final = 8
"""How often a row that others write at the same time is read again within one batch."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a batch: which entries must come again, and how many receipts named nobody we wrote to."""

    early: frozenset[str]
    """Entries with a receipt for a message that is not known (yet)."""
    contended: frozenset[str]
    """Entries whose rows others kept changing."""
    unattributed: int

    @property
    def again(self) -> frozenset[str]:
        """All entries that must come again."""
        return self.early | self.contended


@dataclass(frozen=True, slots=True)
class _Known:
    """A receipt with the entry that it came in and the message it is about."""

    entry: str
    receipt: Receipt
    message: Message


class ApplyReceipts:
    """Applies a batch of entries, each with the receipts of one queue message."""

    def __init__(self, messages: MessageLog, contacts: ContactBook) -> None:
        self._messages = messages
        self._contacts = contacts

    def __call__(self, entries: Mapping[str, Sequence[Receipt]]) -> Applied:
        """Apply what can be applied now."""
        early: set[str] = set()
        keyed: list[tuple[str, MessageKey, Receipt]] = []
        unattributed = 0
        for entry, receipts in entries.items():
            for receipt in receipts:
                try:
                    key = self._key_of(receipt)
                except NotYetKnownError:
                    early.add(entry)
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
        contended_entries |= self._learn([item for item in known if item.message.key not in contended])
        return Applied(frozenset(early), frozenset(contended_entries), unattributed)

    def _key_of(self, receipt: Receipt) -> MessageKey | None:
        if receipt.key is not None:
            return receipt.key
        if receipt.provider is not Provider.SNS or receipt.provider_id is None:
            # Feedback of an SES identity carries no tags; the configuration set tells the same event with them.
            return None
        key = self._messages.find_by_provider_id(receipt.provider, receipt.provider_id)
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
        for _ in range(ATTEMPTS):
            if not pending:
                break
            stored = self._messages.get_many(sorted(pending, key=str))
            after = {key: _after(message, receipts[key]) for key, message in stored.items()}
            messages.update(after)
            changed = [(stored[key], message) for key, message in after.items() if message != stored[key]]
            pending = set(self._messages.advance(changed)) if changed else set()
        return messages, pending

    # --- contacts -----------------------------------------------------------------------------------------------------

    def _learn(self, known: Sequence[_Known]) -> set[str]:
        """Tell the contacts; the entries whose contacts others kept changing."""
        by_contact: defaultdict[ContactKey, list[_Known]] = defaultdict(list)
        for item in known:
            if item.receipt.outcome in _SPEAKS_OF_THE_CONTACT:
                message = item.message
                by_contact[ContactKey(message.key.business_id, message.channel, message.address)].append(item)
        contacts = self._contacts.get_many(by_contact)
        contended: set[str] = set()
        for key, items in by_contact.items():
            try:
                self._learn_about(contacts[key], items)
            except ConcurrentChangeError:
                contended |= {item.entry for item in items}
        return contended

    def _learn_about(self, contact: Contact, items: Sequence[_Known]) -> None:
        """Join the evidence of some receipts to one contact.

        A delivery to a contact without failures is not written: nothing is to be cleared, and a million deliveries
        would be a million writes. So when a failure is to be written, the deliveries that the message log knows of are
        looked up first; and once more after the write, because a delivery that was being applied meanwhile may have
        read the contact before our write and its log row been written after our look.
        """
        evidence = [said for item in items for said in _evidence(item)]
        failures = [said for said in evidence if isinstance(said, Failure)]
        senders = {item.message.key.customer_id for item in items}
        for _ in range(ATTEMPTS):
            deliveries = self._deliveries(contact, senders, failures)
            learnt = contact.knowing(*evidence, *deliveries)
            # Of an address that nobody uses any more only the consent is kept.
            if not contact.is_used or not (failures or contact.reachability.failures):
                learnt = replace(learnt, reachability=contact.reachability)
            if learnt == contact:
                return
            try:
                self._contacts.save(learnt)
            except ConcurrentChangeError:
                contact = self._contacts.get_many([contact.key])[contact.key]
                continue
            if not learnt.reachability.failures:
                return
            # The second look, against what is stored now.
            contact = self._contacts.get_many([contact.key])[contact.key]
        raise ConcurrentChangeError

    def _deliveries(self, contact: Contact, senders: set[str], failures: Sequence[Failure]) -> Iterable[Evidence]:
        """Deliveries that could outdate the oldest of the failures."""
        if not failures:
            return ()
        oldest = min(failure.at for failure in failures)
        found = self._messages.deliveries(contact.key, contact.customer_ids | senders, after=oldest)
        return [Cleared(delivery.at, ClearedBy.DELIVERY, delivery.message_id) for delivery in found]


_SPEAKS_OF_THE_CONTACT: Final = frozenset({Outcome.DELIVERED, Outcome.FAILED, Outcome.COMPLAINED})


def _after(message: Message, receipts: Iterable[Receipt]) -> Message:
    for receipt in receipts:
        message = message.after(receipt)
    return message


def _evidence(item: _Known) -> Iterable[Evidence | ConsentEvidence]:
    """What one receipt says about its contact, at the time that the message row has for it."""
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
            if row.failure_class.is_about_the_address:
                yield Failure(at, message_id, receipt.provider, row.code, receipt.detail)
            elif row.failure_class is FailureClass.OPTED_OUT:
                scope = Scope.ALL if message.channel is Channel.SMS else Scope.MARKETING
                yield ConsentEvidence(at, scope, opted_out=True, source=ConsentSource.PROVIDER, message_id=message_id)


def _time(kept: datetime | None, receipt: Receipt) -> datetime:
    """The provider's own time; for Twilio, which sends none, the one that the message row has kept since the first."""
    return kept if receipt.provider is Provider.TWILIO and kept is not None else receipt.occurred_at
