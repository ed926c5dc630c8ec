"""Who may send from where: the operator grants senders to businesses, and a business chooses among its own."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct, field


class Senders(Struct, frozen=True):
    """The senders of one business: email addresses; and numbers (E.164), short codes, messaging services, names.

    Stored settings call ``sms`` ``text``.
    """

    email: tuple[str, ...] = ()
    sms: tuple[str, ...] = field(default=(), name="text")

    def granted(self, sender: str) -> str | None:
        """The sender as it was granted, however its letters are written; ``None`` if the business does not have it."""
        return next((own for own in self.email + self.sms if sender_key(own) == sender_key(sender)), None)

    def with_sender(self, sender: str) -> Senders:
        """These and one more, unless it is among them."""
        if self.granted(sender) is not None:
            return self
        return Senders((*self.email, sender), self.sms) if "@" in sender else Senders(self.email, (*self.sms, sender))

    def without(self, sender: str) -> Senders:
        """These but for one."""
        own = self.granted(sender)
        return Senders(tuple(e for e in self.email if e != own), tuple(t for t in self.sms if t != own))


class SenderHolders(Struct, frozen=True):
    """The businesses that have one sender: more than one only where the operator said so.

    ``version`` counts the writes of the stored row.
    """

    sender: str
    business_ids: tuple[str, ...] = ()
    version: int = 0

    def others(self, business_id: str) -> tuple[str, ...]:
        """Those that have it besides one business."""
        return tuple(holder for holder in self.business_ids if holder != business_id)

    def with_holder(self, business_id: str) -> SenderHolders:
        """The holders with one more, unless it is among them."""
        return SenderHolders(self.sender, (*self.others(business_id), business_id), self.version)

    def without(self, business_id: str) -> SenderHolders:
        """The holders but for one."""
        return SenderHolders(self.sender, self.others(business_id), self.version)


def sender_key(sender: str) -> str:
    """What two spellings of one sender have in common."""
    return sender.lower()


def is_covered(address: str, identities: Iterable[str]) -> bool:
    """Whether SES sends from an address under one of some identities.

    An identity is an address, or a domain that stands for its subdomains too (SES, "Verified identities").
    """
    domain = address.lower().rpartition("@")[2]
    return any(
        address.lower() == identity if "@" in identity else f".{domain}".endswith(f".{identity}")
        for identity in map(str.lower, identities)
    )
