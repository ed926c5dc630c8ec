"""A contact: one address on one channel of one business, with everything known about it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import Struct, field

from rebound.consent.domain.consent import Consent, ConsentEvidence
from rebound.contacts.domain.reachability import Evidence, Reachability, ReachabilityPolicy, Verdict
from rebound.kernel.categories import Category
from rebound.kernel.channels import ContactKey
from rebound.kernel.provider_codes import look_up

FIRST_SPACING: Final = timedelta(days=1)
DOUBLINGS: Final = 5
"""The longest spacing is 32 days."""


class Recovery(Struct, frozen=True):
    """Half-open recovery: what a business sends, on a schedule, to addresses that are flagged for a cause that passes.

    When a full mailbox is emptied or a phone is switched on again, nobody tells us: the flag clears only when a message
    is delivered. The schedule spaces out the messages that try this: 1, 2, 4 … 32 days after the last failure.
    Without ``spaced``, everything but marketing is tried each time; with it, only when a try is due. Without
    ``probe_marketing``, no marketing is sent to a flagged address; with it, one message when a try is due.
    """

    spaced: bool = False
    probe_marketing: bool = False

    @property
    def is_on(self) -> bool:
        """Whether anything goes by the schedule."""
        return self.spaced or self.probe_marketing

    def governs(self, category: Category) -> bool:
        """Whether messages of this kind go by the schedule."""
        return self.probe_marketing if category.is_promotional else self.spaced


def is_recoverable(state: Reachability, policy: ReachabilityPolicy) -> bool:
    """Whether the causes of a flag pass by themselves: the lasting failures alone would not flag the address.

    Also true of an address that is not flagged.
    """
    lasting = (f for f in state.counted_failures if not look_up(f.provider, f.code).recoverable)
    return not Reachability(failures=frozenset(lasting)).verdict(policy).invalid


def next_try_at(state: Reachability, policy: ReachabilityPolicy) -> datetime | None:
    """When a message may be tried again; ``None`` for an address that is not flagged, or flagged for good.

    The wait runs from the latest failure: a day after the failure that flagged, twice as long for each message that has
    failed since, at most 32 days. A try without a receipt yet counts as failed at the moment of the try, until its
    receipt comes. Voided messages do not count.
    """
    flagging = state.verdict(policy).evidence
    if flagging is None or not is_recoverable(state, policy):
        return None
    tried = [t for t in (state.tried,) if t is not None and t.at > flagging.at and t.message_id not in state.voided]
    failed = {f.message_id for f in state.counted_failures if f.order >= flagging.order}.union(
        t.message_id for t in tried
    )
    last = max([*(f.at for f in state.counted_failures), *(t.at for t in tried)])
    return last + FIRST_SPACING * (1 << min(len(failed) - 1, DOUBLINGS))


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
MOST_ROWS_OF_ONE: Final = 4
"""The most rows of one contact: under its address and its hash, in both spellings of a number."""


def most_rows(keys: Iterable[ContactKey]) -> int:
    """The most rows that a transaction takes for contacts."""
    return sum(MOST_ROWS_OF_ONE if key.former is not None else MOST_ROWS_OF_ONE // 2 for key in keys)


MAX_CUSTOMERS_PER_CONTACT = 500
"""The most customers who may share an address; one with more is a placeholder ("none@example.com"), not a contact."""


class Contact(Struct, frozen=True):
    """Two independent states of one address, reachability and consent, and the customers who use or used it.

    A customer who has changed to another address stays in ``customer_ids``, because receipts of what was sent to them
    before still are evidence about this one; only the deletion of a customer removes them. ``left`` are those of them
    who use another address now, or none. ``freed`` are those of ``left`` whose flag ended when they left, because this
    address was flagged and the one they went to was not. ``departed_at`` is when somebody last left it by being
    deleted, ``None`` where nobody has while others stayed. ``version`` grows with each write of the stored row: it is
    the milliseconds since 1970, or more where writes are closer. No version is used again after the row is deleted; it
    is 0 when there is no row yet.

    When no customer who uses or used an address is left, its row is deleted. What its owner said about consent is then
    kept in a row under the hash of the address, without customers and failures, and joins the contact of the next
    customer with this address. ``remembered`` is the version of that row, 0 when there is none.

    A phone may have rows under its former spelling too (``ContactKey.former``), written before it had the one of today
    or kept since under a hash. They are read with it, and ``joined`` has their ids and versions: the next write of the
    contact takes their place.
    """

    key: ContactKey
    reachability: Reachability = field(default_factory=Reachability)
    consent: Consent = field(default_factory=Consent)
    customer_ids: frozenset[str] = frozenset()
    version: int = 0
    remembered: int = 0
    joined: tuple[tuple[str, int], ...] = ()
    left: frozenset[str] = frozenset()
    freed: frozenset[str] = frozenset()
    departed_at: datetime | None = None

    @property
    def changed_at(self) -> datetime | None:
        """When the row was last written, or up to a millisecond later; ``None`` while nothing is known of the address.

        What was learnt then may be older: an opt-out that is imported was said long ago. The version tells the time of
        the write, and not of what it was about: it may only have been that another customer came to the address.
        """
        if not self.version or (self.reachability == Reachability() and not self.consent.scopes):
            return None
        return _EPOCH + (self.version + 1) * _MILLISECOND - timedelta.resolution

    @property
    def users(self) -> frozenset[str]:
        """The customers who use the address now, and have its flag."""
        return self.customer_ids - self.left

    @property
    def is_used(self) -> bool:
        """Whether there is a customer who uses or used the address."""
        return bool(self.customer_ids)

    def without(self, customer_ids: Collection[str], at: datetime | None = None) -> Contact:
        """This contact after some customers have been deleted at a time."""
        return replace(
            self,
            departed_at=_later(self.departed_at, at),
            customer_ids=self.customer_ids.difference(customer_ids),
            left=self.left.difference(customer_ids),
            freed=self.freed.difference(customer_ids),
        )

    def used_by(self, customer_id: str) -> Contact:
        """This contact after a customer has come, or come back, to the address; the same object if they use it."""
        if customer_id in self.users:
            return self
        alone = {customer_id}
        return replace(self, customer_ids=self.customer_ids | alone, left=self.left - alone, freed=self.freed - alone)

    def left_by(self, customer_id: str, *, freed: bool) -> Contact:
        """This contact after a customer has left the address; the same object if they did not use it."""
        if customer_id not in self.users:
            return self
        alone = {customer_id}
        return replace(self, left=self.left | alone, freed=self.freed | alone if freed else self.freed)

    def with_evidence(self, *evidence: Evidence | ConsentEvidence) -> Contact:
        """This contact with more evidence; the same object when the evidence changes nothing."""
        reachability = self.reachability.join(*(e for e in evidence if not isinstance(e, ConsentEvidence)))
        consent = self.consent.join(*(e for e in evidence if isinstance(e, ConsentEvidence)))
        if reachability == self.reachability and consent == self.consent:
            return self
        return replace(self, reachability=reachability, consent=consent)

    def join(self, other: Contact, row: tuple[str, int]) -> Contact:
        """This contact with all that was known of the same phone in another row."""
        users = self.users | other.users
        return replace(
            self,
            reachability=self.reachability.join(*other.reachability.evidence),
            consent=self.consent.join(*other.consent.statements),
            customer_ids=self.customer_ids | other.customer_ids,
            left=(self.left | other.left) - users,
            freed=(self.freed | other.freed) - users,
            joined=(*self.joined, row),
            departed_at=_later(self.departed_at, other.departed_at),
        )

    def verdict(self, policy: ReachabilityPolicy) -> Verdict:
        """The invalid flag under the business's policy."""
        return self.reachability.verdict(policy)

    def next_try_at(self, policy: ReachabilityPolicy) -> datetime | None:
        """When a flagged address may be tried again; ``None`` when it is not flagged, or flagged for good."""
        return next_try_at(self.reachability, policy)


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((at for at in (one, other) if at is not None), default=None)


FAILED_VALUES: Final = ("phone", "email", "any", "both")
